#include "base/zone.h"
#include "store/ledger/read_inner.h"

#define S_US 1000000ll

static int64_t day_s(int64_t day)
{
    return zone_day_start((int)(day / 10000), (int)(day / 100 % 100), (int)(day % 100));
}

/* ---- Sums of days: whole, since there are few. */

static bool each_day_sum(struct ledger_read *l, const char *sql, int64_t from_day, ledger_usage_visit visit, void *arg,
                         struct fault *why)
{
    int rc;
    struct ledger_where w;
    ledger_where_init(&w);
    ledger_where_number(&w, from_day);
    sqlite3_stmt *q = ledger_read_prepare(l, slice_str(sql), &w, why);
    ledger_where_clear(&w);
    if (!q) return false;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        const struct ledger_usage used = {.department = column_bytes(q, 0),
                                          .model = column_bytes(q, 1),
                                          .key_id = column_bytes(q, 2),
                                          .requests = sqlite3_column_int64(q, 3),
                                          .cost_nano = sqlite3_column_int64(q, 4),
                                          .users = sqlite3_column_int64(q, 5),
                                          .last_s = day_s(sqlite3_column_int64(q, 6))};
        visit(arg, &used);
    }
    return ledger_read_end(l, q, rc, why);
}

bool ledger_read_used_models(struct ledger_read *l, int64_t from_day, ledger_usage_visit visit, void *arg,
                             struct fault *why)
{
    return each_day_sum(l,
                        "SELECT department, model, '', sum(requests) - sum(denied), sum(cost_nano), count(DISTINCT"
                        " nullif(user, '')), max(day) FROM rollup WHERE day >= ?1 GROUP BY 1, 2"
                        " HAVING sum(requests) > sum(denied)",
                        from_day, visit, arg, why);
}

bool ledger_read_used_keys(struct ledger_read *l, int64_t from_day, ledger_usage_visit visit, void *arg,
                           struct fault *why)
{
    return each_day_sum(l,
                        "SELECT '', '', key_id, sum(requests), sum(cost_nano), count(DISTINCT nullif(user, '')),"
                        " max(day) FROM rollup WHERE day >= ?1 AND key_id <> '' GROUP BY 3",
                        from_day, visit, arg, why);
}

/* ---- Requests, piece by piece. */

static void visit_row(sqlite3_stmt *q, ledger_usage_visit visit, void *arg)
{
    const struct ledger_usage used = {.key_id = column_bytes(q, 0),
                                      .grant = column_bytes(q, 1),
                                      .data = column_bytes(q, 2),
                                      .requests = sqlite3_column_int64(q, 3),
                                      .cost_nano = sqlite3_column_int64(q, 4),
                                      .last_s = sqlite3_column_int64(q, 5) / S_US};
    visit(arg, &used);
}

static bool each_piece(struct ledger_read *l, sqlite3_stmt *q, struct ledger_span span, ledger_usage_visit visit,
                       void *arg, struct fault *why)
{
    struct ledger_pieces p;
    bool ok = ledger_pieces_open(l, &p, span, true, why) && ledger_pieces_next(l, &p, 0, why);
    while (ok && !p.is_over) {
        int rc;
        sqlite3_bind_int64(q, 1, (int64_t)p.piece.low);
        sqlite3_bind_int64(q, 2, (int64_t)p.piece.high);
        while ((rc = sqlite3_step(q)) == SQLITE_ROW)
            visit_row(q, visit, arg);
        if (rc != SQLITE_DONE) ok = ledger_read_fail(l, why);
        sqlite3_reset(q);
        ok = ok && ledger_pieces_next(l, &p, p.piece.high, why);
    }
    ledger_pieces_close(&p);
    return ok;
}

bool ledger_read_used_grants(struct ledger_read *l, int64_t since_s, ledger_usage_visit visit, void *arg,
                             struct fault *why)
{
    struct ledger_span span;
    struct ledger_where w;
    struct ledger_filter times = {.since_us = since_s * S_US};
    ledger_where_init(&w);
    ledger_where_number(&w, 0);
    ledger_where_number(&w, 0);
    ledger_where_number(&w, since_s * S_US);
    sqlite3_stmt *q = ledger_read_prepare(l,
                                          SLICE("SELECT key_id, approval, data, count(*), sum(cost_nano), max(time_us)"
                                                " FROM records WHERE seq BETWEEN ?1 AND ?2 AND time_us >= ?3 AND"
                                                " outcome <> 'denied' GROUP BY 1, 2, 3"),
                                          &w, why);
    bool ok = q && ledger_read_span(l, &times, &span, why) && each_piece(l, q, span, visit, arg, why);
    sqlite3_finalize(q);
    ledger_where_clear(&w);
    return ok;
}
