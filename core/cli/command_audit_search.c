#include <inttypes.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/entry.h"
#include "cli/looking.h"
#include "cli/table.h"

#define LIMIT_DEFAULT 50

static const struct table_column columns[] = {
    {.head = "TIME"},
    {.head = "SEQ", .is_right = true},
    {.head = "KIND"},
    {.head = "ID", .goes = 1},
    {.head = "WHO", .is_flexible = true},
    {.head = "WHAT", .is_flexible = true},
    {.head = "RESULT", .is_flexible = true, .least = 10},
    {.head = "COST", .is_right = true, .goes = 2},
    {.head = "REASON", .is_flexible = true},
};

enum { COLUMN_COUNT = sizeof columns / sizeof columns[0], COLUMN_RESULT = 6 };

struct shown {
    struct table *table;
    uint64_t count;
};

static bool add_row(void *arg, const struct ledger_row *row)
{
    struct shown *shown = arg;
    struct entry_cells c;
    struct arena arena;
    arena_init(&arena);
    entry_read(&c, &arena, row);
    bool is_seen = isatty(STDOUT_FILENO) == 1;
    const char *id = is_seen || !*row->id ? c.id : row->id, *time = is_seen ? c.when : c.time;
    table_add(shown->table,
              (const char *[COLUMN_COUNT]){time, c.seq, c.kind, id, c.who, c.what, c.result, c.usd, c.detail});
    if (c.is_refused) table_mark(shown->table, COLUMN_RESULT, TABLE_YELLOW);
    if (c.is_bad) table_mark(shown->table, COLUMN_RESULT, TABLE_RED);
    shown->count++;
    arena_clear(&arena);
    return true;
}

static int print_table(struct looking *looking, struct ledger_page *page)
{
    struct fault why = {0};
    struct shown shown = {.table = table_new(columns, COLUMN_COUNT)};
    bool ok = ledger_read_page(looking->ledger, looking->filter, page, add_row, &shown, &why);
    if (ok && shown.count) table_print(shown.table);
    fflush(stdout);
    if (ok && shown.count == 0) fprintf(stderr, "nothing found\n");
    if (ok && !page->is_over)
        fprintf(stderr, "%" PRIu64 " shown, there is more: --before %" PRIu64 " goes on, `moongate audit export` has "
                "all\n", shown.count, page->next);
    table_free(shown.table);
    return ok ? CLI_OK : looking_fail(CLI_USAGE, &why);
}

static bool add_item(void *arg, const struct ledger_row *row)
{
    struct buf *out = arg;
    if (buf_ptr(out)[buf_len(out) - 1] != '[') buf_append_char(out, ',');
    entry_append_json(out, row);
    return true;
}

static int print_json(struct looking *looking, struct ledger_page *page)
{
    struct fault why = {0};
    struct buf out;
    buf_init(&out);
    buf_append(&out, SLICE("{\"items\":["));
    bool ok = ledger_read_page(looking->ledger, looking->filter, page, add_item, &out, &why);
    if (ok) {
        buf_append(&out, SLICE("],\"next\":"));
        if (page->is_over) buf_append(&out, SLICE("null}\n"));
        if (!page->is_over) buf_printf(&out, "\"%" PRIu64 "\"}\n", page->next);
        cli_print_answer(buf_slice(&out), false);
    }
    buf_clear(&out);
    return ok ? CLI_OK : looking_fail(CLI_USAGE, &why);
}

int command_audit_search(int argc, char **argv)
{
    struct looking looking = {0};
    struct common_options common;
    const char *limit = NULL, *before = NULL, *words[LIMIT_FILTER_TERMS];
    const struct option options[] = {LOOKING_OPTIONS(&looking),
                                     {"--limit|-n", OPTION_TEXT, &limit},
                                     {"--before", OPTION_TEXT, &before},
                                     {NULL, OPTION_FLAG, NULL}};
    struct ledger_page page = {.limit = LIMIT_DEFAULT, .has_bodies = true};
    size_t count;
    if (!cli_options(argc, argv, options, &common, words, &count, LIMIT_FILTER_TERMS)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"audit", "search"});
    if (!looking_read_count("--limit", limit, LIMIT_LEDGER_PAGE, &page.limit) ||
        !looking_read_count("--before", before, INT64_MAX, &page.next))
        return CLI_USAGE;
    if (!looking_open(&looking, common.config, words, count)) return looking.exit_code;
    int code = common.is_json ? print_json(&looking, &page) : print_table(&looking, &page);
    looking_close(&looking);
    return code;
}
