#include <inttypes.h>

#include "cli/listing.h"

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
    struct listing *listing;
    struct table *table;
};

static bool add_row(void *arg, const struct ledger_row *row)
{
    struct shown *shown = arg;
    struct entry_cells c;
    struct arena arena;
    arena_init(&arena);
    entry_read(&c, &arena, row);
    bool is_seen = shown->listing->is_seen;
    const char *id = is_seen || !*row->id ? c.id : row->id, *time = is_seen ? c.when : c.time;
    table_add(shown->table,
              (const char *[COLUMN_COUNT]){time, c.seq, c.kind, id, c.who, c.what, c.result, c.usd, c.detail});
    listing_mark(shown->table, COLUMN_RESULT, &c);
    shown->listing->count++;
    arena_clear(&arena);
    return true;
}

static int print_table(struct listing *l)
{
    struct fault why = {0};
    struct shown shown = {.listing = l, .table = table_new(columns, COLUMN_COUNT)};
    bool ok = ledger_read_page(l->looking.ledger, l->looking.filter, &l->page, add_row, &shown, &why);
    if (ok && l->count) table_print(shown.table);
    fflush(stdout);
    if (ok && l->count == 0) fprintf(stderr, "nothing found\n");
    if (ok && !l->page.is_over)
        fprintf(stderr, "%" PRIu64 " shown, there is more: --before %" PRIu64 " goes on, `moongate audit export` has "
                "all\n", l->count, l->page.next);
    table_free(shown.table);
    return ok ? CLI_OK : cli_fault(&why, NULL);
}

static int print_json(struct listing *l)
{
    struct fault why = {0};
    struct buf out;
    buf_init(&out);
    bool ok = listing_append_json(l, &out, &why);
    buf_append(&out, SLICE("}\n"));
    if (ok) cli_print_answer(buf_slice(&out), false);
    buf_clear(&out);
    return ok ? CLI_OK : cli_fault(&why, NULL);
}

int command_audit_search(int argc, char **argv)
{
    struct listing l = {.page = {.has_bodies = true}};
    if (!listing_open(&l, argc, argv, (char *[]){"audit", "search"}, 2)) return l.exit_code;
    int code = l.is_json ? print_json(&l) : print_table(&l);
    listing_close(&l);
    return code;
}
