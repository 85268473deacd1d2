#include "store/ledger/read.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "store/ledger/read_inner.h"

#define ID_BYTES 16
#define ID_DIGITS_LEAST 4 /* of the beginning of an id */

/* ---- Rows: seq, kind, id, the columns, and with bodies body and hash. */

#define X(name) ",r." #name
#define COLUMNS LEDGER_ROW_NUMBERS(X) LEDGER_ROW_TEXTS(X)
static const char record_columns[] = "r.id" COLUMNS;
#undef X
#define X(name) ",NULL"
static const char no_columns[] = "NULL" LEDGER_ROW_NUMBERS(X) LEDGER_ROW_TEXTS(X);
#undef X

static void write_id(char text[LEDGER_ID_TEXT_BYTES], struct slice id)
{
    static const int dashes[] = {8, 12, 16, 20};
    char digits[2 * ID_BYTES + 1];
    size_t at = 4, dash = 0;
    text[0] = '\0';
    if (id.len != ID_BYTES) return;
    hex_write((const uint8_t *)id.ptr, ID_BYTES, digits);
    memcpy(text, "req_", 4);
    for (int i = 0; i < 2 * ID_BYTES; i++) {
        if (dash < 4 && i == dashes[dash]) {
            text[at++] = '-';
            dash++;
        }
        text[at++] = digits[i];
    }
    text[at] = '\0';
}

/* Columns stand as the X macros list them. */
static void read_row(sqlite3_stmt *q, bool has_bodies, struct ledger_row *row)
{
    int at = 0;
    *row = (struct ledger_row){.seq = (uint64_t)sqlite3_column_int64(q, at++)};
    row->kind = (enum chain_kind)sqlite3_column_int(q, at++);
    row->is_request = sqlite3_column_type(q, at + 1) != SQLITE_NULL;
    write_id(row->id, column_bytes(q, at++));
#define X(name) row->name = sqlite3_column_int64(q, at++);
    LEDGER_ROW_NUMBERS(X)
#undef X
#define X(name) row->name = column_bytes(q, at++);
    LEDGER_ROW_TEXTS(X)
#undef X
    if (!has_bodies) return;
    row->body = column_bytes(q, at++);
    struct slice hash = column_bytes(q, at);
    if (hash.len == CHAIN_HASH_BYTES) memcpy(row->hash, hash.ptr, CHAIN_HASH_BYTES);
}

/* ---- A page: one statement, asked again for each piece of the seqs, so that no reading is a long one. */

/* Its first parameters. The others are the filter's. */
enum { AT_RECORDS_LOW = 1, AT_RECORDS_HIGH, AT_REST_LOW, AT_REST_HIGH, AT_LIMIT };

static void add_parameters(struct ledger_where *w)
{
    for (int at = AT_RECORDS_LOW; at <= AT_LIMIT; at++)
        ledger_where_number(w, 0);
}

/* Where it begins and how far it goes, of the table of that name. */
static void add_bounds(struct buf *sql, const char *table, int low, int high)
{
    buf_printf(sql, " AND %s.seq BETWEEN ?%d AND ?%d", table, low, high);
}

/* The filter's SQL, taken out of w for the next one. */
static void move_where(struct buf *sql, struct ledger_where *w)
{
    buf_append(sql, SLICE(" WHERE "));
    buf_append(sql, buf_slice(&w->sql));
    buf_reset(&w->sql);
}

static bool select_records(const struct ledger_filter *filter, const struct ledger_page *page, struct buf *sql,
                           struct ledger_where *w, struct fault *why)
{
    if (!ledger_filter_where(filter, FILTER_RECORDS, w, why)) return false;
    ledger_where_times(w, filter);
    if (!w->is_never) {
        buf_printf(sql, "SELECT r.seq,%s,%s%s FROM records r%s", page->has_bodies ? "c.kind" : "2", record_columns,
                   page->has_bodies ? ",c.body,c.hash" : "",
                   page->has_bodies ? " CROSS JOIN chain c ON c.seq = r.seq" : "");
        move_where(sql, w);
        add_bounds(sql, "r", AT_RECORDS_LOW, AT_RECORDS_HIGH);
    }
    buf_reset(&w->sql);
    w->is_never = false;
    return true;
}

/* As entries write it; they end long before a nanosecond's number does. */
static size_t add_time(struct ledger_where *w, int64_t us)
{
    char text[CLOCK_TEXT_BYTES];
    if (us > INT64_MAX / 1000) return ledger_where_text(w, SLICE("9"));
    clock_format(us > 0 ? (uint64_t)us * 1000 : 0, text);
    return ledger_where_text(w, slice_str(text));
}

static void add_rest_times(struct buf *sql, struct ledger_where *w, const struct ledger_filter *filter)
{
    static const char time[] = "CASE WHEN json_valid(CAST(c.body AS TEXT)) THEN "
                               "json_extract(CAST(c.body AS TEXT), '$.time') END";
    if (filter && filter->since_us != INT64_MIN)
        buf_printf(sql, " AND %s >= ?%zu", time, add_time(w, filter->since_us));
    if (filter && filter->until_us != INT64_MAX)
        buf_printf(sql, " AND %s < ?%zu", time, add_time(w, filter->until_us));
}

/* All but requests. They are few: an index has them (chain_rest). */
static bool select_rest(const struct ledger_filter *filter, struct buf *sql, struct ledger_where *w, struct fault *why)
{
    if (!ledger_filter_where(filter, FILTER_REST, w, why)) return false;
    if (w->is_never) return true;
    buf_printf(sql, "%sSELECT c.seq,c.kind,%s,c.body,c.hash FROM chain c", buf_len(sql) ? " UNION ALL " : "",
               no_columns);
    move_where(sql, w);
    buf_printf(sql, " AND c.kind <> %d AND c.kind <> %d", CHAIN_EXCHANGE, CHAIN_IMPORT);
    add_rest_times(sql, w, filter);
    add_bounds(sql, "c", AT_REST_LOW, AT_REST_HIGH);
    return true;
}

static void select_all(struct buf *sql)
{
    buf_printf(sql, "SELECT c.seq,c.kind,%s,c.body,c.hash FROM chain c LEFT JOIN records r ON r.seq = c.seq WHERE 1",
               record_columns);
    add_bounds(sql, "c", AT_REST_LOW, AT_REST_HIGH);
}

/* No SQL: no entry can be meant. */
static bool select_page(const struct ledger_filter *filter, const struct ledger_page *page, struct buf *sql,
                        struct ledger_where *w, struct fault *why)
{
    add_parameters(w);
    if (page->has_all && page->has_bodies && ledger_filter_is_empty(filter)) {
        select_all(sql);
    } else if (!select_records(filter, page, sql, w, why) ||
               (page->has_bodies && !select_rest(filter, sql, w, why))) {
        return false;
    }
    if (buf_len(sql))
        buf_printf(sql, " ORDER BY 1 %s LIMIT ?%d", page->is_oldest_first ? "ASC" : "DESC", AT_LIMIT);
    return true;
}

struct walk {
    struct ledger_read *l;
    sqlite3_stmt *q;
    struct ledger_span records; /* that the filter's times leave */
    struct ledger_pieces pieces;
    ledger_visit visit;
    void *arg;
    uint64_t seen;
    bool is_done; /* the page is full, or had enough */
};

static void bind_piece(const struct walk *k, const struct ledger_page *page)
{
    struct ledger_span rest = k->pieces.piece, records = rest;
    if (records.low < k->records.low) records.low = k->records.low;
    if (records.high > k->records.high) records.high = k->records.high;
    sqlite3_bind_int64(k->q, AT_RECORDS_LOW, (int64_t)records.low);
    sqlite3_bind_int64(k->q, AT_RECORDS_HIGH, (int64_t)records.high);
    sqlite3_bind_int64(k->q, AT_REST_LOW, (int64_t)rest.low);
    sqlite3_bind_int64(k->q, AT_REST_HIGH, (int64_t)rest.high);
    sqlite3_bind_int64(k->q, AT_LIMIT, page->limit ? (int64_t)(page->limit - k->seen) : -1);
}

static bool visit_piece(struct walk *k, struct ledger_page *page, struct fault *why)
{
    struct ledger_row row;
    int rc = SQLITE_DONE;
    bind_piece(k, page);
    while (!k->is_done && (rc = sqlite3_step(k->q)) == SQLITE_ROW) {
        read_row(k->q, page->has_bodies, &row);
        page->next = row.seq;
        k->is_done = !k->visit(k->arg, &row) || ++k->seen == page->limit;
    }
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || ledger_read_fail(k->l, why);
    sqlite3_reset(k->q);
    if (!k->is_done) page->next = page->is_oldest_first ? k->pieces.piece.high : k->pieces.piece.low;
    return ok;
}

static bool visit_pieces(struct walk *k, const struct ledger_filter *filter, struct ledger_page *page,
                         struct fault *why)
{
    struct ledger_span all;
    if (!ledger_read_span(k->l, filter, &k->records, why)) return false;
    all = k->records;
    if (page->has_bodies && !ledger_read_ends(k->l, &all.low, &all.high, why)) return false;
    bool ok = ledger_pieces_open(k->l, &k->pieces, all, page->is_oldest_first, why);
    while (ok && !k->is_done) {
        ok = ledger_pieces_next(k->l, &k->pieces, page->next, why);
        if (k->pieces.is_over) break;
        ok = ok && visit_piece(k, page, why);
    }
    ledger_pieces_close(&k->pieces);
    page->is_over = !k->is_done;
    return ok;
}

bool ledger_read_page(struct ledger_read *l, const struct ledger_filter *filter, struct ledger_page *page,
                      ledger_visit visit, void *arg, struct fault *why)
{
    struct walk k = {.l = l, .visit = visit, .arg = arg};
    struct ledger_where w;
    struct buf sql;
    ledger_where_init(&w);
    buf_init(&sql);
    bool ok = select_page(filter, page, &sql, &w, why);
    bool is_never = ok && buf_len(&sql) == 0;
    if (is_never) page->is_over = true;
    if (ok && !is_never) k.q = ledger_read_prepare(l, buf_slice(&sql), &w, why);
    ok = is_never || (k.q && visit_pieces(&k, filter, page, why));
    sqlite3_finalize(k.q);
    buf_clear(&sql);
    ledger_where_clear(&w);
    return ok;
}

/* ---- One request. */

static bool select_found(struct slice which, struct buf *sql, struct ledger_where *w)
{
    uint8_t first[ID_BYTES], last[ID_BYTES];
    buf_printf(sql, "SELECT r.seq,c.kind,%s,c.body,c.hash FROM records r CROSS JOIN chain c ON c.seq = r.seq",
               record_columns);
    if (slice_equal(which, SLICE("last"))) {
        buf_append(sql, SLICE(" WHERE r.seq = (SELECT max(seq) FROM records)"));
        return true;
    }
    if (!ledger_id_range(which, ID_DIGITS_LEAST, first, last)) return false;
    size_t from = ledger_where_blob(w, first, sizeof first), to = ledger_where_blob(w, last, sizeof last);
    buf_printf(sql, " WHERE r.id BETWEEN ?%zu AND ?%zu UNION ALL SELECT i.seq,c.kind,i.id", from, to);
    buf_printf(sql, "%s,c.body,c.hash FROM intents i CROSS JOIN chain c ON c.seq = i.seq WHERE i.id BETWEEN ?%zu AND "
               "?%zu AND NOT EXISTS (SELECT 1 FROM records x WHERE x.id = i.id) LIMIT 2", no_columns + 4, from, to);
    return true;
}

static enum ledger_found missing(const struct ledger_read *l, struct slice which, struct fault *why)
{
    if (slice_equal(which, SLICE("last"))) {
        fault_set(why, FAULT_BAD_REQUEST, "%s has no request yet\none stands there when it is over", l->path);
    } else {
        fault_set(why, FAULT_BAD_REQUEST, "%s has no request %.*s\nthe id stands in the answer's x-moongate-request-id",
                  l->path, (int)(which.len < 60 ? which.len : 60), which.ptr);
    }
    return LEDGER_MISSING;
}

static enum ledger_found visit_found(struct ledger_read *l, sqlite3_stmt *q, struct slice which, ledger_visit visit,
                                     void *arg, struct fault *why)
{
    struct ledger_row row;
    int found = 0, rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        found++;
    if (rc != SQLITE_DONE || sqlite3_reset(q) != SQLITE_OK) {
        ledger_read_fail(l, why);
        return LEDGER_UNREADABLE;
    }
    if (found == 0) return missing(l, which, why);
    if (found > 1) {
        fault_set(why, FAULT_BAD_REQUEST, "more than one request begins with %.*s\nwrite more of the id",
                  (int)(which.len < 60 ? which.len : 60), which.ptr);
        return LEDGER_AMBIGUOUS;
    }
    if (sqlite3_step(q) != SQLITE_ROW) {
        ledger_read_fail(l, why);
        return LEDGER_UNREADABLE;
    }
    read_row(q, true, &row);
    visit(arg, &row);
    return LEDGER_FOUND;
}

enum ledger_found ledger_read_find(struct ledger_read *l, struct slice which, ledger_visit visit, void *arg,
                                   struct fault *why)
{
    struct ledger_where w;
    struct buf sql;
    enum ledger_found found = LEDGER_UNREADABLE;
    ledger_where_init(&w);
    buf_init(&sql);
    if (!select_found(which, &sql, &w)) {
        fault_set(why, FAULT_BAD_REQUEST, "`%.*s` is no request's id\nreq_0199f3a2-…, its beginning, or `last`",
                  (int)(which.len < 60 ? which.len : 60), which.ptr);
        found = LEDGER_MISSING;
    } else {
        sqlite3_stmt *q = ledger_read_prepare(l, buf_slice(&sql), &w, why);
        if (q) found = visit_found(l, q, which, visit, arg, why);
        sqlite3_finalize(q);
    }
    buf_clear(&sql);
    ledger_where_clear(&w);
    return found;
}
