#include <inttypes.h>

#include "cli/amounts.h"
#include "cli/listing.h"
#include "exchange/money.h"

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
    struct listing *listing;
    struct table *table;
};

static const char *copy(struct arena *arena, struct slice text)
{
    return arena_copy(arena, text).ptr;
}

static bool add_row(void *arg, const struct ledger_row *row)
{
    struct shown *shown = arg;
    bool is_seen = shown->listing->is_seen;
    struct entry_cells cells;
    struct arena arena;
    arena_init(&arena);
    entry_read(&cells, &arena, row);
    const char *app = copy(&arena, row->app), *department = copy(&arena, row->department);
    if (is_seen)
        table_add(shown->table, (const char *[COLUMNS_SEEN]){cells.when, cells.id, cells.who, cells.what, cells.result,
                                                             cells.tokens, cells.usd, cells.took});
    else
        table_add(shown->table, (const char *[COLUMNS]){cells.time, row->id, app, department, copy(&arena, row->user),
                                                        cells.what, cells.result, cells.tokens, cells.usd, cells.took});
    if (is_seen) listing_mark(shown->table, COLUMN_STATUS, &cells);
    shown->listing->count++;
    arena_clear(&arena);
    return true;
}

/* Which time it is of, where nobody said one. */
static void print_span(const struct looking *k)
{
    if (k->is_recent && k->until) fprintf(stderr, " in the %u days before --until", LOOKING_DAYS);
    if (k->is_recent && !k->until) fprintf(stderr, " in the last %u days", LOOKING_DAYS);
}

/* On stderr: what pipes read are rows. */
static void print_totals(const struct listing *l, const struct ledger_total *t)
{
    char requests[AMOUNT_BYTES], tokens[AMOUNT_BYTES], usd[AMOUNT_BYTES], denied[AMOUNT_BYTES], failed[AMOUNT_BYTES];
    int64_t all;
    if (__builtin_add_overflow(t->input_tokens, t->output_tokens, &all)) all = INT64_MAX;
    fprintf(stderr, "%s request%s", amount_count(t->requests, requests), t->requests == 1 ? "" : "s");
    print_span(&l->looking);
    fprintf(stderr, ", %s tokens, %s", amount_count(all, tokens), amount_usd(t->cost_nano, usd));
    if (t->denied) fprintf(stderr, ", %s denied", amount_count(t->denied, denied));
    if (t->failed) fprintf(stderr, ", %s failed", amount_count(t->failed, failed));
    if (t->unpriced) fprintf(stderr, ", %s unpriced (not in the cost)", amount_count(t->unpriced, failed));
    if (t->estimated) fprintf(stderr, ", %s with estimated tokens (~)", amount_count(t->estimated, failed));
    if (l->count < (uint64_t)t->requests) fprintf(stderr, "; shown: %s", amount_count((int64_t)l->count, failed));
    if (l->looking.is_recent && !t->requests) fprintf(stderr, "; --since 2026-01 looks further back");
    if (!l->page.is_over) fprintf(stderr, ", --before %" PRIu64 " goes on", l->page.next);
    fputc('\n', stderr);
}

static int print_table(struct listing *l)
{
    struct fault why = {0};
    struct ledger_total totals;
    struct shown shown = {.listing = l};
    shown.table = l->is_seen ? table_new(columns_seen, COLUMNS_SEEN) : table_new(columns, COLUMNS);
    bool ok = ledger_read_page(l->looking.ledger, l->looking.filter, &l->page, add_row, &shown, &why) &&
              ledger_read_totals(l->looking.ledger, l->looking.filter, &totals, &why);
    if (ok && l->count) table_print(shown.table);
    fflush(stdout);
    if (ok) print_totals(l, &totals);
    table_free(shown.table);
    return ok ? CLI_OK : cli_fault(&why, NULL);
}

/* ---- JSON: { "items": […], "next": seq or null, "total": n, "totals": {…}, "since", "as_of" }. */

static void append_totals(struct buf *out, const struct ledger_total *t)
{
    char usd[MONEY_TEXT_BYTES];
    buf_printf(out, ",\"total\":%" PRId64 ",\"totals\":{\"requests\":%" PRId64, t->requests, t->requests);
    buf_printf(out, ",\"denied\":%" PRId64 ",\"failed\":%" PRId64, t->denied, t->failed);
    buf_printf(out, ",\"unpriced\":%" PRId64 ",\"estimated\":%" PRId64 ",\"input_tokens\":%" PRId64
               ",\"cached_tokens\":%" PRId64, t->unpriced, t->estimated, t->input_tokens, t->cached_tokens);
    buf_printf(out, ",\"output_tokens\":%" PRId64 ",\"reasoning_tokens\":%" PRId64 ",\"cost_nano\":%" PRId64
               ",\"saved_nano\":%" PRId64 ",\"usd\":", t->output_tokens, t->reasoning_tokens, t->cost_nano,
               t->saved_nano);
    buf_append(out, money_usd(t->cost_nano, usd));
    buf_append_char(out, '}');
}

static void append_time(struct buf *out, const char *name, int64_t us)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format((uint64_t)us * 1000, text);
    buf_printf(out, ",\"%s\":\"%s\"", name, text);
}

static int print_json(struct listing *l)
{
    struct fault why = {0};
    struct ledger_total totals;
    struct buf out;
    buf_init(&out);
    bool ok = listing_append_json(l, &out, &why) &&
              ledger_read_totals(l->looking.ledger, l->looking.filter, &totals, &why);
    if (ok) {
        append_totals(&out, &totals);
        if (l->looking.since_us > 0) append_time(&out, "since", l->looking.since_us);
        append_time(&out, "as_of", l->looking.now_us);
        buf_append(&out, SLICE("}\n"));
        cli_print_answer(buf_slice(&out), false);
    }
    buf_clear(&out);
    return ok ? CLI_OK : cli_fault(&why, NULL);
}

int command_requests(int argc, char **argv)
{
    struct listing l = {.looking = {.is_recent = true}};
    if (!listing_open(&l, argc, argv, (char *[]){"requests"}, 1)) return l.exit_code;
    int code = l.is_json ? print_json(&l) : print_table(&l);
    listing_close(&l);
    return code;
}
