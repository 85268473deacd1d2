#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/zone.h"
#include "store/ledger/charges.h"
#include "store/ledger/read_inner.h"
#include "store/ledger/record.h"

/* Days of any zone begin at most so long before or after UTC's. */
#define DAY_US (24 * 3600 * 1000000ll)

/* ---- All requests of a filter, summed piece by piece: each entry counts as it stood when its piece was read. */

static bool say_overflow(const struct ledger_read *l, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: a sum is more than can be counted\nask for a shorter time (--since)",
                     l->path);
}

static bool overflows(const struct ledger_read *l, struct fault *why)
{
    return strstr(sqlite3_errmsg(l->db), "overflow") ? say_overflow(l, why) : ledger_read_fail(l, why);
}

enum { SUMS = 11 };

static struct ledger_total total_of(const int64_t sums[SUMS])
{
    return (struct ledger_total){.requests = sums[0],         .denied = sums[1],        .failed = sums[2],
                                 .unpriced = sums[3],         .estimated = sums[4],     .input_tokens = sums[5],
                                 .cached_tokens = sums[6],    .output_tokens = sums[7], .reasoning_tokens = sums[8],
                                 .cost_nano = sums[9],        .saved_nano = sums[10]};
}

/* One row of sums, its columns from `at` on, to what they are already. */
static bool add_sums(sqlite3_stmt *q, int at, int64_t *sums, int count)
{
    bool fits = true;
    for (int i = 0; i < count; i++)
        fits = ledger_add(&sums[i], sqlite3_column_int64(q, at + i)) && fits;
    return fits;
}

/* The statement's ?1 and ?2 are the seqs that it sums. */
static bool sum_span(struct ledger_read *l, sqlite3_stmt *q, struct ledger_span span, int64_t *sums, int count,
                     struct fault *why)
{
    struct ledger_pieces p;
    bool ok = ledger_pieces_open(l, &p, span, true, why) && ledger_pieces_next(l, &p, 0, why);
    while (ok && !p.is_over) {
        sqlite3_bind_int64(q, 1, (int64_t)p.piece.low);
        sqlite3_bind_int64(q, 2, (int64_t)p.piece.high);
        int rc = sqlite3_step(q);
        if (rc != SQLITE_ROW) ok = overflows(l, why);
        if (rc == SQLITE_ROW && !add_sums(q, 0, sums, count)) ok = say_overflow(l, why);
        sqlite3_reset(q);
        ok = ok && ledger_pieces_next(l, &p, p.piece.high, why);
    }
    ledger_pieces_close(&p);
    return ok;
}

static bool sum_records(struct ledger_read *l, struct slice columns, const struct ledger_filter *filter,
                        const struct ledger_filter *times, int64_t *sums, int count, struct fault *why)
{
    struct ledger_where w;
    struct ledger_span span;
    struct buf sql;
    ledger_where_init(&w);
    buf_init(&sql);
    ledger_where_number(&w, 0);
    ledger_where_number(&w, 0);
    bool ok = ledger_filter_where(filter, FILTER_RECORDS, &w, why);
    if (ok && !w.is_never) {
        ledger_where_times(&w, times);
        buf_printf(&sql, "SELECT %.*s FROM records r WHERE r.seq BETWEEN ?1 AND ?2 AND %.*s", SLICE_FMT(columns),
                   SLICE_FMT(buf_slice(&w.sql)));
        sqlite3_stmt *q = ledger_read_prepare(l, buf_slice(&sql), &w, why);
        ok = q && ledger_read_span(l, times, &span, why) && sum_span(l, q, span, sums, count, why);
        sqlite3_finalize(q);
    }
    buf_clear(&sql);
    ledger_where_clear(&w);
    return ok;
}

bool ledger_read_totals(struct ledger_read *l, const struct ledger_filter *filter, struct ledger_total *total,
                        struct fault *why)
{
    int64_t sums[SUMS] = {0};
    struct slice columns =
        SLICE("count(*), sum(r.outcome = 'denied'), sum(r.outcome NOT IN ('ok', 'denied', 'client_closed')), "
              "sum(r.unpriced), sum(r.estimated), sum(r.input_tokens), sum(r.cached_tokens), sum(r.output_tokens), "
              "sum(r.reasoning_tokens), sum(r.cost_nano), sum(r.saved_nano)");
    bool ok = sum_records(l, columns, filter, filter, sums, SUMS, why);
    *total = total_of(sums);
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
        int64_t sums[SUMS] = {0};
        add_sums(q, 1, sums, SUMS);
        const struct ledger_total total = total_of(sums);
        visit(arg, column_bytes(q, 0), &total);
    }
    if (ok && rc != SQLITE_DONE) ok = overflows(l, why);
    sqlite3_finalize(q);
    buf_clear(&sql);
    ledger_where_clear(&w);
    return ok;
}

/* ---- What sums of days do not tell. */

static int64_t midnight_us(int64_t day)
{
    return zone_day_start((int)(day / 10000), (int)(day / 100 % 100), (int)(day % 100)) * 1000000;
}

bool ledger_read_estimated(struct ledger_read *l, int64_t from_day, int64_t to_day,
                           const struct ledger_filter *filter, int64_t *count, struct fault *why)
{
    char sum[96];
    struct ledger_filter times = {.since_us = midnight_us(from_day) - DAY_US,
                                  .until_us = midnight_us(to_day) + 2 * DAY_US};
    int len = snprintf(sum, sizeof sum, "sum(r.estimated = 1 AND r.day BETWEEN %" PRId64 " AND %" PRId64 ")", from_day,
                       to_day);
    *count = 0;
    return sum_records(l, slice_of(sum, (size_t)len), filter, &times, count, 1, why);
}

/* ---- What budgets were charged. */

bool ledger_read_charges(struct ledger_read *l, int64_t now_s,
                         void (*visit)(void *arg, const struct counters_spent *spent), void *arg, struct fault *why)
{
    return ledger_charges_each(l->db, now_s, visit, arg) || ledger_read_fail(l, why);
}

bool ledger_read_charge(struct ledger_read *l, struct slice key, int64_t start_s, int64_t now_s,
                        void (*visit)(void *arg, const struct counters_spent *spent), void *arg, struct fault *why)
{
    return ledger_charges_one(l->db, key, start_s, now_s, visit, arg) || ledger_read_fail(l, why);
}
