#include <inttypes.h>
#include <string.h>

#include "store/ledger_charges.h"
#include "store/ledger_read_inner.h"

/* Days of any zone begin at most so long before or after UTC's. */
#define DAY_US (24 * 3600 * 1000000ll)

bool ledger_read_span(struct ledger_read *l, const struct ledger_filter *filter, struct ledger_where *where,
                      struct fault *why)
{
    if (!filter || (filter->since_us == INT64_MIN && filter->until_us == INT64_MAX)) return true;
    struct ledger_where w;
    ledger_where_init(&w);
    ledger_where_number(&w, filter->since_us);
    ledger_where_number(&w, filter->until_us);
    sqlite3_stmt *q = ledger_read_prepare(
        l, SLICE("SELECT min(seq), max(seq) FROM records WHERE time_us >= ?1 AND time_us < ?2"), &w, why);
    ledger_where_clear(&w);
    if (!q) return false;
    int rc = sqlite3_step(q);
    if (sqlite3_column_type(q, 0) == SQLITE_NULL) where->is_never = true;
    buf_printf(&where->sql, " AND r.seq >= ?%zu", ledger_where_number(where, sqlite3_column_int64(q, 0)));
    buf_printf(&where->sql, " AND r.seq <= ?%zu", ledger_where_number(where, sqlite3_column_int64(q, 1)));
    buf_printf(&where->sql, " AND +r.time_us >= ?%zu", ledger_where_number(where, filter->since_us));
    buf_printf(&where->sql, " AND +r.time_us < ?%zu", ledger_where_number(where, filter->until_us));
    return ledger_read_end(l, q, rc, why);
}

/* ---- All requests of a filter. */

static bool overflows(const struct ledger_read *l, struct fault *why)
{
    if (!strstr(sqlite3_errmsg(l->db), "overflow")) return ledger_read_fail(l, why);
    return fault_set(why, FAULT_INTERNAL, "%s: a sum is more than can be counted\nask for a shorter time (--since)",
                     l->path);
}

static void read_total(sqlite3_stmt *q, int at, struct ledger_total *t)
{
    int64_t *const to[] = {&t->requests,      &t->denied,        &t->failed,           &t->unpriced,
                           &t->estimated,     &t->input_tokens,  &t->cached_tokens,    &t->output_tokens,
                           &t->reasoning_tokens, &t->cost_nano,  &t->saved_nano};
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++)
        *to[i] = sqlite3_column_int64(q, at + (int)i);
}

bool ledger_read_totals(struct ledger_read *l, const struct ledger_filter *filter, struct ledger_total *sums,
                        struct fault *why)
{
    static const char head[] =
        "SELECT count(*), sum(r.outcome = 'denied'), sum(r.outcome NOT IN ('ok', 'denied', 'client_closed')), "
        "sum(r.unpriced), sum(r.estimated), sum(r.input_tokens), sum(r.cached_tokens), sum(r.output_tokens), "
        "sum(r.reasoning_tokens), sum(r.cost_nano), sum(r.saved_nano) FROM records r WHERE ";
    struct ledger_where w;
    struct buf sql;
    ledger_where_init(&w);
    buf_init(&sql);
    *sums = (struct ledger_total){0};
    bool ok = ledger_filter_where(filter, FILTER_RECORDS, &w, why) && ledger_read_span(l, filter, &w, why);
    if (ok && !w.is_never) {
        buf_append(&sql, slice_of(head, sizeof head - 1));
        buf_append(&sql, buf_slice(&w.sql));
        sqlite3_stmt *q = ledger_read_prepare(l, buf_slice(&sql), &w, why);
        int rc = q ? sqlite3_step(q) : SQLITE_ERROR;
        if (rc == SQLITE_ROW) read_total(q, 0, sums);
        ok = q && (rc == SQLITE_ROW || overflows(l, why));
        sqlite3_finalize(q);
    }
    buf_clear(&sql);
    ledger_where_clear(&w);
    return ok;
}

/* ---- Sums of days. */

#define DAY_SUMS                                                                                                       \
    "sum(requests), sum(denied), sum(failed), sum(unpriced), 0, sum(input_tokens), sum(cached_tokens), "               \
    "sum(output_tokens), sum(reasoning_tokens), sum(cost_nano), sum(saved_nano) FROM rollup"
#define LABEL_SUMS                                                                                                     \
    "sum(requests), 0, 0, 0, 0, sum(input_tokens), 0, sum(output_tokens), 0, sum(cost_nano), 0 FROM rollup_label"

/* The column; NULL: there are no sums by that. */
static const char *column_of(const char *by)
{
    static const char *const names[][2] = {{"department", "department"}, {"app", "app"},           {"user", "user"},
                                           {"model", "model"},           {"provider", "provider"}, {"key", "key_id"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i][0], by) == 0) return names[i][1];
    return NULL;
}

static bool select_spending(const struct ledger_spending *what, const struct ledger_filter *filter, struct buf *sql,
                            struct ledger_where *w, struct fault *why)
{
    bool by_label = what->by && strcmp(what->by, "label") == 0;
    const char *column = by_label ? "value" : what->by ? column_of(what->by) : "''";
    if (!column)
        return fault_set(why, FAULT_BAD_REQUEST, "sums are not kept by %s\nthere are department, app, user, model, "
                         "provider, key and label:NAME", what->by);
    if (by_label && filter && filter->count)
        return fault_set(why, FAULT_BAD_REQUEST,
                         "sums by label are of all requests\n`moongate requests` looks by more");
    if (!by_label && !ledger_filter_where(filter, FILTER_ROLLUP, w, why)) return false;
    size_t from = ledger_where_number(w, what->from_day), to = ledger_where_number(w, what->to_day);
    buf_printf(sql, "SELECT %s, %s WHERE day BETWEEN ?%zu AND ?%zu", column, by_label ? LABEL_SUMS : DAY_SUMS, from,
               to);
    if (by_label) {
        buf_printf(sql, " AND label = ?%zu", ledger_where_text(w, what->label));
    } else {
        buf_append(sql, SLICE(" AND "));
        buf_append(sql, buf_slice(&w->sql));
    }
    buf_append(sql, SLICE(" GROUP BY 1 ORDER BY sum(cost_nano) DESC, sum(requests) DESC, 1"));
    return true;
}

bool ledger_read_spending(struct ledger_read *l, const struct ledger_spending *what,
                          const struct ledger_filter *filter, ledger_total_visit visit, void *arg, struct fault *why)
{
    struct ledger_where w;
    struct buf sql;
    int rc = SQLITE_DONE;
    ledger_where_init(&w);
    buf_init(&sql);
    bool ok = select_spending(what, filter, &sql, &w, why);
    sqlite3_stmt *q = ok ? ledger_read_prepare(l, buf_slice(&sql), &w, why) : NULL;
    ok = q != NULL;
    while (ok && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct ledger_total sums;
        read_total(q, 1, &sums);
        visit(arg, ledger_read_text(q, 0), &sums);
    }
    if (ok && rc != SQLITE_DONE) ok = overflows(l, why);
    sqlite3_finalize(q);
    buf_clear(&sql);
    ledger_where_clear(&w);
    return ok;
}

/* ---- What sums of days do not tell. */

/* Midnight UTC of yyyymmdd, in microseconds (days from civil, proleptic Gregorian). */
static int64_t midnight_us(int64_t day)
{
    int64_t y = day / 10000, m = day / 100 % 100, d = day % 100;
    y -= m <= 2;
    int64_t era = y / 400, year = y - era * 400, of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t of_era = year * 365 + year / 4 - year / 100 + of_year;
    return (era * 146097 + of_era - 719468) * DAY_US;
}

bool ledger_read_estimated(struct ledger_read *l, int64_t from_day, int64_t to_day,
                           const struct ledger_filter *filter, int64_t *count, struct fault *why)
{
    struct ledger_where w;
    struct buf sql;
    ledger_where_init(&w);
    buf_init(&sql);
    *count = 0;
    bool ok = ledger_filter_where(filter, FILTER_RECORDS, &w, why);
    size_t since = ledger_where_number(&w, midnight_us(from_day) - DAY_US);
    size_t until = ledger_where_number(&w, midnight_us(to_day) + 2 * DAY_US);
    size_t from = ledger_where_number(&w, from_day), to = ledger_where_number(&w, to_day);
    buf_printf(&sql, "SELECT count(*) FROM records r WHERE r.estimated = 1 AND r.time_us >= ?%zu AND r.time_us < ?%zu "
               "AND r.day BETWEEN ?%zu AND ?%zu AND ", since, until, from, to);
    buf_append(&sql, buf_slice(&w.sql));
    sqlite3_stmt *q = ok ? ledger_read_prepare(l, buf_slice(&sql), &w, why) : NULL;
    int rc = q ? sqlite3_step(q) : SQLITE_ERROR;
    if (q && rc == SQLITE_ROW) *count = sqlite3_column_int64(q, 0);
    ok = q && ledger_read_end(l, q, rc, why);
    buf_clear(&sql);
    ledger_where_clear(&w);
    return ok;
}

/* ---- What budgets were charged. */

bool ledger_read_charges(struct ledger_read *l, int64_t now_s,
                         void (*visit)(void *arg, const struct counters_spent *spent), void *arg, struct fault *why)
{
    return ledger_charges_each(l->db, now_s, visit, arg) || ledger_read_fail(l, why);
}
