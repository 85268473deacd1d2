#include "base/limits.h"
#include "store/ledger/read_inner.h"

static bool read_span(struct ledger_read *l, const struct ledger_filter *filter, struct ledger_span *span,
                      struct fault *why)
{
    struct ledger_where w;
    ledger_where_init(&w);
    ledger_where_number(&w, filter->since_us);
    ledger_where_number(&w, filter->until_us);
    sqlite3_stmt *q = ledger_read_prepare(
        l, SLICE("SELECT min(seq), max(seq) FROM records WHERE time_us >= ?1 AND time_us < ?2"), &w, why);
    ledger_where_clear(&w);
    if (!q) return false;
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW && sqlite3_column_type(q, 0) != SQLITE_NULL)
        *span = (struct ledger_span){(uint64_t)sqlite3_column_int64(q, 0), (uint64_t)sqlite3_column_int64(q, 1)};
    return ledger_read_end(l, q, rc, why);
}

bool ledger_read_span(struct ledger_read *l, const struct ledger_filter *filter, struct ledger_span *span,
                      struct fault *why)
{
    *span = (struct ledger_span){1, 0};
    if (filter && (filter->since_us != INT64_MIN || filter->until_us != INT64_MAX))
        return read_span(l, filter, span, why);
    return ledger_read_ends(l, &span->low, &span->high, why);
}

bool ledger_pieces_open(struct ledger_read *l, struct ledger_pieces *p, struct ledger_span all, bool is_upward,
                        struct fault *why)
{
    struct slice first = SLICE("SELECT min(seq) FROM chain WHERE seq BETWEEN ?1 AND ?2");
    struct slice last = SLICE("SELECT max(seq) FROM chain WHERE seq BETWEEN ?1 AND ?2");
    *p = (struct ledger_pieces){.all = all, .is_upward = is_upward};
    p->edge = ledger_read_prepare(l, is_upward ? first : last, NULL, why);
    return p->edge != NULL;
}

/* What is left of all behind that seq. */
static struct ledger_span rest_of(const struct ledger_pieces *p, uint64_t behind)
{
    struct ledger_span rest = p->all;
    if (p->is_upward ? behind >= rest.high : behind && behind <= rest.low) return (struct ledger_span){1, 0};
    if (p->is_upward && behind >= rest.low) rest.low = behind + 1;
    if (!p->is_upward && behind && behind <= rest.high) rest.high = behind - 1;
    return rest;
}

bool ledger_pieces_next(struct ledger_read *l, struct ledger_pieces *p, uint64_t behind, struct fault *why)
{
    struct ledger_span rest = rest_of(p, behind);
    sqlite3_bind_int64(p->edge, 1, (int64_t)rest.low);
    sqlite3_bind_int64(p->edge, 2, (int64_t)rest.high);
    int rc = sqlite3_step(p->edge);
    uint64_t edge = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(p->edge, 0) : 0;
    bool ok = rc == SQLITE_ROW || ledger_read_fail(l, why);
    sqlite3_reset(p->edge);
    p->is_over = edge == 0; /* NULL: none of these seqs is there */
    if (p->is_over) return ok;
    p->piece = p->is_upward ? (struct ledger_span){edge, rest.high} : (struct ledger_span){rest.low, edge};
    if (p->piece.high - p->piece.low >= LIMIT_LEDGER_PIECE) {
        if (p->is_upward) p->piece.high = edge + LIMIT_LEDGER_PIECE - 1;
        if (!p->is_upward) p->piece.low = edge - LIMIT_LEDGER_PIECE + 1;
    }
    return ok;
}

void ledger_pieces_close(struct ledger_pieces *p)
{
    sqlite3_finalize(p->edge);
    p->edge = NULL;
}
