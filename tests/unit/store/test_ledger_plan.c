/* How SQLite goes about what is asked of the ledger: bodies are read of what is shown alone, sums in the days' order. */
#include "../unit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "ledger_made.h"
#include "store/ledger/read.h"

static sqlite3 *db;
static char folder[64];
static struct buf plans; /* of all statements since the last case, a step a line */

/* Every question of the readers passes here when it is answered. (A PRAGMA would hold for db when it is explained.) */
static int on_statement(unsigned event, void *self, void *statement, void *ns)
{
    sqlite3_stmt *q;
    char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(statement));
    (void)event, (void)ns;
    if (self != db && strncmp(sqlite3_sql(statement), "SELECT", 6) == 0 && sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK) {
        while (sqlite3_step(q) == SQLITE_ROW)
            buf_printf(&plans, "%s\n", (const char *)sqlite3_column_text(q, 3));
        sqlite3_finalize(q);
    }
    sqlite3_free(sql);
    return 0;
}

static int watch(sqlite3 *opened, const char **error, const struct sqlite3_api_routines *api)
{
    (void)error, (void)api;
    return sqlite3_trace_v2(opened, SQLITE_TRACE_PROFILE, on_statement, opened);
}

static bool ignore(void *arg, const struct ledger_row *row)
{
    (void)arg, (void)row;
    return true;
}

static void ignore_sums(void *arg, struct slice name, const struct ledger_total *sums)
{
    (void)arg, (void)name, (void)sums;
}

static struct ledger_read *open_ledger(void)
{
    struct fault why = {0};
    struct ledger_read *l = ledger_read_open(folder, &why);
    if (!l) UNIT_FAIL("%s", why.text);
    buf_reset(&plans);
    return l;
}

static void expect_plan(const char *has, const char *has_not)
{
    buf_append_char(&plans, '\0');
    if (has && !strstr(buf_ptr(&plans), has)) UNIT_FAIL("no `%s` in:\n%s", has, buf_ptr(&plans));
    if (has_not && strstr(buf_ptr(&plans), has_not)) UNIT_FAIL("`%s` in:\n%s", has_not, buf_ptr(&plans));
    buf_consume(&plans, 0);
    plans.end--;
}

/* Reads one page; a since far enough back that all fit. */
static void read_page(bool has_bodies, const char *where, bool is_timed)
{
    struct ledger_read *l = open_ledger();
    struct fault why = {0};
    struct ledger_page page = {.limit = 50, .has_bodies = has_bodies, .next = 1000};
    struct ledger_filter *filter = ledger_filter_new();
    if (where) EXPECT(ledger_filter_add(filter, slice_str(where), &why));
    if (is_timed) ledger_filter_since(filter, 1);
    EXPECT(ledger_read_page(l, filter, &page, ignore, NULL, &why));
    ledger_read_close(l);
    ledger_filter_free(filter);
}

static void requests_are_read_without_bodies_and_without_sorting(void)
{
    read_page(false, "department:Sales", false);
    expect_plan("SEARCH r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", " c ");
    expect_plan(NULL, "TEMP B-TREE");
    read_page(false, "usd>0.5", true);
    expect_plan("USING COVERING INDEX records_time (time_us>? AND time_us<?)", " c ");
    expect_plan("SEARCH r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", "TEMP B-TREE");
}

static void a_search_opens_bodies_by_their_number_and_the_rest_by_its_index(void)
{
    read_page(true, "department:Sales", false);
    expect_plan("SEARCH c USING INTEGER PRIMARY KEY (rowid=?)", "SCAN c");
    read_page(true, NULL, false);
    expect_plan("USING INDEX chain_rest (kind=?", "SCAN c");
    read_page(true, "late", true);
    expect_plan("USING INDEX chain_rest (kind=?", "SCAN c");
    read_page(true, "actor:kim", false);
    expect_plan("USING INDEX chain_rest (kind=?", "SCAN c");
}

static void a_request_is_found_by_the_index_of_ids(void)
{
    struct ledger_read *l = open_ledger();
    struct fault why = {0};
    ledger_read_find(l, SLICE("req_0199f3a2-7c41"), ignore, NULL, &why);
    expect_plan("INDEX sqlite_autoindex_records_1 (id>? AND id<?)", "SCAN");
    ledger_read_close(l);
}

static void spending_reads_its_days_alone(void)
{
    struct ledger_read *l = open_ledger();
    struct fault why = {0};
    struct ledger_spending what = {.by = "app", .from_day = 20261101, .to_day = 20261130};
    EXPECT(ledger_read_spending(l, &what, NULL, ignore_sums, NULL, &why));
    expect_plan("SEARCH rollup USING PRIMARY KEY (day>? AND day<?)", "records");
    what.by = "label", what.label = SLICE("x");
    EXPECT(ledger_read_spending(l, &what, NULL, ignore_sums, NULL, &why));
    expect_plan("SEARCH rollup_label USING PRIMARY KEY (day>? AND day<?)", "records");
    ledger_read_close(l);
}

static int times_in_plans(const char *step)
{
    int count = 0;
    buf_append_char(&plans, '\0');
    for (const char *at = buf_ptr(&plans); (at = strstr(at, step)); at++)
        count++;
    return count;
}

/* Whatever is looked for, and found or not. */
static void no_reading_passes_more_than_a_piece(void)
{
    struct ledger_read *l = open_ledger();
    struct fault why = {0};
    struct ledger_total totals;
    struct ledger_page page = {.has_bodies = true};
    struct ledger_filter *filter = ledger_filter_new();
    int64_t count;
    EXPECT(ledger_filter_add(filter, SLICE("nobody"), &why));
    for (int piece = 1; piece < 4; piece++) {
        made_entry(db, piece * (int)LIMIT_LEDGER_PIECE + 1, CHAIN_EXCHANGE, "{}");
        made_request(db, piece * (int)LIMIT_LEDGER_PIECE + 1, "ok", "estimated = 1");
    }
    EXPECT(ledger_read_page(l, filter, &page, ignore, NULL, &why) && page.is_over);
    EXPECT_INT(4, times_in_plans("SEARCH r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
    buf_reset(&plans);
    EXPECT(ledger_read_totals(l, NULL, &totals, &why));
    EXPECT_INT(4, totals.requests);
    EXPECT_INT(4, times_in_plans("SEARCH r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
    buf_reset(&plans);
    EXPECT(ledger_read_estimated(l, 20261101, 20261130, NULL, &count, &why));
    EXPECT_INT(3, count);
    EXPECT_INT(4, times_in_plans("SEARCH r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
    ledger_filter_free(filter);
    ledger_read_close(l);
}

int main(void)
{
    buf_init(&plans);
    sqlite3_auto_extension((void (*)(void))watch);
    db = made_open(folder);
    made_entry(db, 1, CHAIN_EXCHANGE, "{}");
    made_request(db, 1, "ok", "department = 'Sales'");
    RUN(requests_are_read_without_bodies_and_without_sorting);
    RUN(a_search_opens_bodies_by_their_number_and_the_rest_by_its_index);
    RUN(a_request_is_found_by_the_index_of_ids);
    RUN(spending_reads_its_days_alone);
    RUN(no_reading_passes_more_than_a_piece);
    made_close(db, folder);
    buf_clear(&plans);
    return unit_close("ledger_plan");
}
