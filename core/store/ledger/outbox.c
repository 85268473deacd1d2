#include "store/ledger/outbox.h"

#include "base/limits.h"

/* A clock that was put back leaves no notice waiting for longer than one that was not. */
#define LATEST_US ((int64_t)LIMIT_NOTICE_RETRY_MS_MAX * 1000)

void outbox_item_init(struct outbox_item *item)
{
    *item = (struct outbox_item){0};
    buf_init(&item->receiver);
    buf_init(&item->body);
}

void outbox_item_clear(struct outbox_item *item)
{
    buf_clear(&item->receiver);
    buf_clear(&item->body);
}

static bool fail(sqlite3 *db, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "the outbox of notices: %s", sqlite3_errmsg(db));
}

static bool prepare(sqlite3 *db, sqlite3_stmt **q, const char *sql, struct fault *why)
{
    *why = (struct fault){0};
    return sqlite3_prepare_v2(db, sql, -1, q, NULL) == SQLITE_OK || fail(db, why);
}

static void set_column(struct buf *out, sqlite3_stmt *q, int at)
{
    buf_reset(out);
    if (sqlite3_column_bytes(q, at) > 0)
        buf_append(out, slice_of(sqlite3_column_blob(q, at), (size_t)sqlite3_column_bytes(q, at)));
}

static bool read_item(sqlite3 *db, sqlite3_stmt *q, struct outbox_item *item, struct fault *why)
{
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        item->id = sqlite3_column_int64(q, 0);
        item->seq = (uint64_t)sqlite3_column_int64(q, 1);
        item->tries = (uint32_t)sqlite3_column_int64(q, 2);
        set_column(&item->receiver, q, 3);
        set_column(&item->body, q, 4);
    } else if (rc != SQLITE_DONE) {
        fail(db, why);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW;
}

#define ITEM "SELECT o.id, o.seq, o.tries, o.receiver, c.body FROM outbox o LEFT JOIN chain c ON c.seq = o.seq"

bool outbox_next(sqlite3 *db, struct slice sink, int64_t now_us, struct outbox_item *item, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = ITEM " WHERE o.sink = ?1 AND (o.next_us <= ?2 OR o.next_us > ?2 + ?3) ORDER BY o.id LIMIT 1";
    if (!prepare(db, &q, sql, why)) return false;
    sqlite3_bind_text(q, 1, sink.ptr, (int)sink.len, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, now_us);
    sqlite3_bind_int64(q, 3, LATEST_US);
    return read_item(db, q, item, why);
}

bool outbox_oldest(sqlite3 *db, int64_t before_us, struct outbox_item *item, struct fault *why)
{
    sqlite3_stmt *q;
    if (!prepare(db, &q, ITEM " WHERE o.id = (SELECT min(id) FROM outbox) AND o.since_us < ?", why)) return false;
    sqlite3_bind_int64(q, 1, before_us);
    return read_item(db, q, item, why);
}

static bool run(sqlite3 *db, sqlite3_stmt *q, struct fault *why)
{
    bool is_good = sqlite3_step(q) == SQLITE_DONE || fail(db, why);
    sqlite3_finalize(q);
    return is_good;
}

bool outbox_drop(sqlite3 *db, int64_t id, struct fault *why)
{
    sqlite3_stmt *q;
    if (!prepare(db, &q, "DELETE FROM outbox WHERE id = ?", why)) return false;
    sqlite3_bind_int64(q, 1, id);
    return run(db, q, why);
}

bool outbox_drop_entry(sqlite3 *db, uint64_t seq, struct fault *why)
{
    sqlite3_stmt *q;
    if (!prepare(db, &q, "DELETE FROM outbox WHERE seq = ?", why)) return false;
    sqlite3_bind_int64(q, 1, (sqlite3_int64)seq);
    return run(db, q, why);
}

bool outbox_postpone(sqlite3 *db, int64_t id, int64_t next_us, struct fault *why)
{
    sqlite3_stmt *q;
    if (!prepare(db, &q, "UPDATE outbox SET tries = tries + 1, next_us = ?2 WHERE id = ?1", why)) return false;
    sqlite3_bind_int64(q, 1, id);
    sqlite3_bind_int64(q, 2, next_us);
    return run(db, q, why);
}

bool outbox_drop_all(sqlite3 *db, struct slice sink, struct fault *why)
{
    sqlite3_stmt *q;
    if (!prepare(db, &q, "DELETE FROM outbox WHERE sink = ?", why)) return false;
    sqlite3_bind_text(q, 1, sink.ptr, (int)sink.len, SQLITE_STATIC);
    return run(db, q, why);
}

bool outbox_count(sqlite3 *db, int64_t *count, struct fault *why)
{
    sqlite3_stmt *q;
    if (!prepare(db, &q, "SELECT count(*) FROM outbox", why)) return false;
    bool is_good = sqlite3_step(q) == SQLITE_ROW || fail(db, why);
    if (is_good) *count = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return is_good;
}

bool outbox_sinks(sqlite3 *db, void (*fn)(void *arg, struct slice sink), void *arg, struct fault *why)
{
    sqlite3_stmt *q;
    int rc;
    if (!prepare(db, &q, "SELECT DISTINCT sink FROM outbox", why)) return false;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        fn(arg, slice_of((const char *)sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0)));
    if (rc != SQLITE_DONE) fail(db, why);
    sqlite3_finalize(q);
    return rc == SQLITE_DONE;
}
