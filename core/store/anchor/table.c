#include "store/anchor/table.h"

#include <sqlite3.h>

#include "store/column.h"
#include "store/ledger/ledger.h"

static bool fail(struct ledger *l, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "anchors: %s", sqlite3_errmsg(ledger_connection(l)));
}

/* NULL and *why: it cannot be read. */
static sqlite3_stmt *prepare(struct ledger *l, const char *sql, struct fault *why)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(ledger_connection(l), sql, -1, &q, NULL) != SQLITE_OK) fail(l, why);
    return q;
}

static bool finish(struct ledger *l, sqlite3_stmt *q, struct fault *why)
{
    bool is_good = sqlite3_step(q) == SQLITE_DONE || fail(l, why);
    sqlite3_finalize(q);
    return is_good;
}

bool anchor_put(struct ledger *l, const struct anchor *a, struct fault *why)
{
    const char *sql = "INSERT OR REPLACE INTO anchors(seq, time_us, hash, signature) VALUES(?, ?, ?, ?)";
    sqlite3_stmt *q = prepare(l, sql, why);
    if (!q) return false;
    sqlite3_bind_int64(q, 1, (sqlite3_int64)a->seq);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)a->time_us);
    sqlite3_bind_blob(q, 3, a->hash, sizeof a->hash, SQLITE_STATIC);
    sqlite3_bind_blob(q, 4, a->signature, sizeof a->signature, SQLITE_STATIC);
    return finish(l, q, why);
}

static enum anchor_found read_anchor(struct ledger *l, sqlite3_stmt *q, struct anchor *a, struct fault *why)
{
    int rc = sqlite3_step(q);
    if (rc == SQLITE_DONE) return ANCHOR_MISSING;
    if (rc != SQLITE_ROW) {
        fail(l, why);
        return ANCHOR_FAILED;
    }
    *a = (struct anchor){.seq = (uint64_t)sqlite3_column_int64(q, 0), .time_us = (uint64_t)sqlite3_column_int64(q, 1)};
    if (column_take(q, 2, a->hash, sizeof a->hash) && column_take(q, 3, a->signature, sizeof a->signature))
        return ANCHOR_FOUND;
    fault_set(why, FAULT_INTERNAL, "anchors: the one of entry %llu is damaged", (unsigned long long)a->seq);
    return ANCHOR_FAILED;
}

static enum anchor_found find(struct ledger *l, const char *sql, uint64_t seq, struct anchor *a, struct fault *why)
{
    sqlite3_stmt *q = prepare(l, sql, why);
    if (!q) return ANCHOR_FAILED;
    if (sqlite3_bind_parameter_count(q)) sqlite3_bind_int64(q, 1, (sqlite3_int64)seq);
    enum anchor_found found = read_anchor(l, q, a, why);
    sqlite3_finalize(q);
    return found;
}

enum anchor_found anchor_after(struct ledger *l, uint64_t seq, struct anchor *a, struct fault *why)
{
    return find(l, "SELECT seq, time_us, hash, signature FROM anchors WHERE seq > ? ORDER BY seq LIMIT 1", seq, a, why);
}

enum anchor_found anchor_last(struct ledger *l, struct anchor *a, struct fault *why)
{
    return find(l, "SELECT seq, time_us, hash, signature FROM anchors ORDER BY seq DESC LIMIT 1", 0, a, why);
}

static bool read_number(struct ledger *l, sqlite3_stmt *q, uint64_t *number, struct fault *why)
{
    int rc = sqlite3_step(q);
    *number = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(q, 0) : 0;
    bool is_good = rc == SQLITE_ROW || rc == SQLITE_DONE || fail(l, why);
    sqlite3_finalize(q);
    return is_good;
}

bool anchor_count_after(struct ledger *l, uint64_t seq, uint64_t *count, struct fault *why)
{
    sqlite3_stmt *q = prepare(l, "SELECT count(*) FROM anchors WHERE seq > ?", why);
    if (!q) return false;
    sqlite3_bind_int64(q, 1, (sqlite3_int64)seq);
    return read_number(l, q, count, why);
}

bool witness_progress(struct ledger *l, struct slice name, uint64_t *seq, struct fault *why)
{
    sqlite3_stmt *q = prepare(l, "SELECT seq FROM witnesses WHERE name = ?", why);
    if (!q) return false;
    sqlite3_bind_text(q, 1, name.ptr, (int)name.len, SQLITE_STATIC);
    return read_number(l, q, seq, why);
}

bool witness_advance(struct ledger *l, struct slice name, uint64_t seq, struct fault *why)
{
    sqlite3_stmt *q = prepare(l, "INSERT OR REPLACE INTO witnesses(name, seq) VALUES(?, ?)", why);
    if (!q) return false;
    sqlite3_bind_text(q, 1, name.ptr, (int)name.len, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)seq);
    return finish(l, q, why);
}
