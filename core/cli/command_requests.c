#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/amounts.h"
#include "cli/entry.h"
#include "cli/looking.h"
#include "cli/table.h"
#include "exchange/money.h"

#define LIMIT_DEFAULT 50

/* Into a pipe. */
static const struct table_column columns[] = {
    {.head = "TIME"},
    {.head = "ID"},
    {.head = "APP"},
    {.head = "DEPARTMENT"},
    {.head = "USER"},
    {.head = "MODEL"},
    {.head = "STATUS"},
    {.head = "TOKENS"},
    {.head = "COST"},
    {.head = "TIME TAKEN"},
};

static const struct table_column columns_seen[] = {
    {.head = "TIME"},
    {.head = "ID"},
    {.head = "WHO", .is_flexible = true},
    {.head = "MODEL", .is_flexible = true},
    {.head = "STATUS", .is_flexible = true, .least = 10},
    {.head = "TOKENS", .is_right = true, .goes = 1},
    {.head = "COST", .is_right = true},
    {.head = "TOOK", .is_right = true, .goes = 2},
};

enum { COLUMNS = sizeof columns / sizeof columns[0], COLUMNS_SEEN = sizeof columns_seen / sizeof columns_seen[0] };
#define COLUMN_STATUS 4 /* on a terminal, where there are colours */

/* ---- The table. */

struct shown {
    struct table *table;
    bool is_seen; /* on a terminal */
    uint64_t count;
};

static const char *copy(struct arena *arena, struct slice text)
{
    return arena_copy(arena, text).ptr;
}

static bool add_row(void *arg, const struct ledger_row *row)
{
    struct shown *shown = arg;
    struct entry_cells cells;
    struct arena arena;
    arena_init(&arena);
    entry_read(&cells, &arena, row);
    const char *app = copy(&arena, row->app), *department = copy(&arena, row->department);
    if (shown->is_seen)
        table_add(shown->table, (const char *[COLUMNS_SEEN]){cells.when, cells.id, cells.who, cells.what, cells.result,
                                                             cells.tokens, cells.usd, cells.took});
    else
        table_add(shown->table, (const char *[COLUMNS]){cells.time, row->id, app, department, copy(&arena, row->user),
                                                        cells.what, cells.result, cells.tokens, cells.usd, cells.took});
    if (shown->is_seen && cells.is_refused) table_mark(shown->table, COLUMN_STATUS, TABLE_YELLOW);
    if (shown->is_seen && cells.is_bad) table_mark(shown->table, COLUMN_STATUS, TABLE_RED);
    shown->count++;
    arena_clear(&arena);
    return true;
}

/* On stderr: what pipes read are rows. */
static void print_totals(const struct shown *shown, const struct ledger_total *t)
{
    char requests[AMOUNT_BYTES], tokens[AMOUNT_BYTES], usd[AMOUNT_BYTES], denied[AMOUNT_BYTES], failed[AMOUNT_BYTES];
    int64_t all;
    if (__builtin_add_overflow(t->input_tokens, t->output_tokens, &all)) all = INT64_MAX;
    fprintf(stderr, "%s request%s, %s tokens, %s", amount_count(t->requests, requests), t->requests == 1 ? "" : "s",
            amount_count(all, tokens), amount_usd(t->cost_nano, usd));
    if (t->denied) fprintf(stderr, ", %s denied", amount_count(t->denied, denied));
    if (t->failed) fprintf(stderr, ", %s failed", amount_count(t->failed, failed));
    if (t->unpriced) fprintf(stderr, ", %s unpriced (not in the cost)", amount_count(t->unpriced, failed));
    if (t->estimated) fprintf(stderr, ", %s with estimated tokens (~)", amount_count(t->estimated, failed));
    if (shown->count < (uint64_t)t->requests)
        fprintf(stderr, "; shown: the newest %s", amount_count((int64_t)shown->count, failed));
    fputc('\n', stderr);
}

static int print_table(struct looking *looking, struct ledger_page *page)
{
    struct fault why = {0};
    struct ledger_total totals;
    struct shown shown = {.is_seen = isatty(STDOUT_FILENO) == 1};
    shown.table = shown.is_seen ? table_new(columns_seen, COLUMNS_SEEN) : table_new(columns, COLUMNS);
    bool ok = ledger_read_page(looking->ledger, looking->filter, page, add_row, &shown, &why) &&
              ledger_read_totals(looking->ledger, looking->filter, &totals, &why);
    if (ok && shown.count) table_print(shown.table);
    fflush(stdout);
    if (ok) print_totals(&shown, &totals);
    table_free(shown.table);
    return ok ? CLI_OK : looking_fail(CLI_USAGE, &why);
}

/* ---- JSON: { "items": […], "next": seq or null, "total": n, "totals": {…}, "as_of" }. */

static bool add_item(void *arg, const struct ledger_row *row)
{
    struct buf *out = arg;
    if (buf_ptr(out)[buf_len(out) - 1] != '[') buf_append_char(out, ',');
    entry_append_json(out, row);
    return true;
}

static void append_totals(struct buf *out, const struct ledger_total *t)
{
    char usd[MONEY_TEXT_BYTES];
    buf_printf(out, "\"total\":%" PRId64 ",\"totals\":{\"requests\":%" PRId64, t->requests, t->requests);
    buf_printf(out, ",\"denied\":%" PRId64 ",\"failed\":%" PRId64, t->denied, t->failed);
    buf_printf(out, ",\"unpriced\":%" PRId64 ",\"estimated\":%" PRId64 ",\"input_tokens\":%" PRId64
               ",\"cached_tokens\":%" PRId64, t->unpriced, t->estimated, t->input_tokens, t->cached_tokens);
    buf_printf(out, ",\"output_tokens\":%" PRId64 ",\"reasoning_tokens\":%" PRId64 ",\"cost_nano\":%" PRId64
               ",\"saved_nano\":%" PRId64 ",\"usd\":", t->output_tokens, t->reasoning_tokens, t->cost_nano,
               t->saved_nano);
    buf_append(out, money_usd(t->cost_nano, usd));
    buf_append_char(out, '}');
}

static int print_json(struct looking *looking, struct ledger_page *page)
{
    struct fault why = {0};
    struct ledger_total totals;
    struct buf out;
    char now[CLOCK_TEXT_BYTES];
    buf_init(&out);
    buf_append(&out, SLICE("{\"items\":["));
    bool ok = ledger_read_page(looking->ledger, looking->filter, page, add_item, &out, &why) &&
              ledger_read_totals(looking->ledger, looking->filter, &totals, &why);
    if (ok) {
        buf_append(&out, SLICE("],\"next\":"));
        if (page->is_over) buf_append(&out, SLICE("null,"));
        if (!page->is_over) buf_printf(&out, "\"%" PRIu64 "\",", page->next);
        append_totals(&out, &totals);
        clock_format((uint64_t)looking->now_us * 1000, now);
        buf_printf(&out, ",\"as_of\":\"%s\"}", now);
        cli_print_answer(buf_slice(&out), false);
        fputc('\n', stdout);
    }
    buf_clear(&out);
    return ok ? CLI_OK : looking_fail(CLI_USAGE, &why);
}

int command_requests(int argc, char **argv)
{
    struct looking looking = {0};
    struct common_options common;
    const char *limit = NULL, *before = NULL, *words[LIMIT_FILTER_TERMS];
    const struct option options[] = {LOOKING_OPTIONS(&looking),
                                     {"--limit|-n", OPTION_TEXT, &limit},
                                     {"--before", OPTION_TEXT, &before},
                                     {NULL, OPTION_FLAG, NULL}};
    struct ledger_page page = {.limit = LIMIT_DEFAULT};
    size_t count;
    if (!cli_options(argc, argv, options, &common, words, &count, LIMIT_FILTER_TERMS)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"requests"});
    if (!looking_read_count("--limit", limit, LIMIT_LEDGER_PAGE, &page.limit) ||
        !looking_read_count("--before", before, INT64_MAX, &page.next))
        return CLI_USAGE;
    if (!looking_open(&looking, common.config, words, count)) return looking.exit_code;
    int code = common.is_json ? print_json(&looking, &page) : print_table(&looking, &page);
    looking_close(&looking);
    return code;
}
