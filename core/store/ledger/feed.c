#include "store/column.h"
#include "store/ledger/feed.h"

#include <sqlite3.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "store/ledger/batch.h"
#include "store/ledger/file.h"
#include "store/ledger/record.h"

#define BUSY_TIMEOUT_MS 1000

enum question { NEXT, ANCHORS, HEAD, AT, TIME, QUESTIONS };

static const char *const questions[QUESTIONS] = {
    [NEXT] = "SELECT c.seq, c.kind, c.body, c.hash, r.id, r.day FROM chain c LEFT JOIN records r ON r.seq = c.seq "
             "WHERE c.seq > ?1 ORDER BY c.seq LIMIT ?2",
    [ANCHORS] = "SELECT seq, time_us, hash, signature FROM anchors WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    [HEAD] = "SELECT coalesce(max(seq), 0) FROM chain",
    [AT] = "SELECT kind, body, hash FROM chain WHERE seq = ?1",
    [TIME] = "SELECT time_us FROM records WHERE seq > ?1 ORDER BY seq LIMIT 1",
};

struct ledger_feed {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *asked[QUESTIONS];
};

static bool fail(const struct ledger_feed *f, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: %s", f->path, sqlite3_errmsg(f->db));
}

static bool open_db(struct ledger_feed *f, struct fault *why)
{
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(f->path, &f->db, flags, NULL) != SQLITE_OK) return fail(f, why);
    sqlite3_busy_timeout(f->db, BUSY_TIMEOUT_MS);
    for (int i = 0; i < QUESTIONS; i++) {
        if (sqlite3_prepare_v3(f->db, questions[i], -1, SQLITE_PREPARE_PERSISTENT, &f->asked[i], NULL) != SQLITE_OK) {
            return fail(f, why);
        }
    }
    return true;
}

struct ledger_feed *ledger_feed_open(const char *data_dir, struct fault *why)
{
    struct ledger_feed *f = mem_zalloc(1, sizeof *f);
    f->path = ledger_file_path(data_dir);
    if (open_db(f, why)) return f;
    ledger_feed_close(f);
    return NULL;
}

void ledger_feed_close(struct ledger_feed *f)
{
    if (!f) return;
    for (int i = 0; i < QUESTIONS; i++)
        sqlite3_finalize(f->asked[i]);
    sqlite3_close(f->db);
    mem_free(f->path);
    mem_free(f);
}

static sqlite3_stmt *ask(struct ledger_feed *f, enum question question, uint64_t seq)
{
    sqlite3_stmt *q = f->asked[question];
    if (sqlite3_bind_parameter_count(q)) sqlite3_bind_int64(q, 1, (int64_t)seq);
    return q;
}

/* Ends the reading, so that none is open between calls. */
static bool close_after(struct ledger_feed *f, sqlite3_stmt *q, int result, struct fault *why)
{
    bool is_good = result == SQLITE_ROW || result == SQLITE_DONE || fail(f, why);
    sqlite3_reset(q);
    return is_good;
}

static bool one_number(struct ledger_feed *f, enum question question, uint64_t seq, int64_t *number, struct fault *why)
{
    sqlite3_stmt *q = ask(f, question, seq);
    int result = sqlite3_step(q);
    *number = result == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    return close_after(f, q, result, why);
}

bool ledger_feed_head(struct ledger_feed *f, uint64_t *seq, struct fault *why)
{
    int64_t head;
    if (!one_number(f, HEAD, 0, &head, why)) return false;
    *seq = (uint64_t)head;
    return true;
}

bool ledger_feed_time(struct ledger_feed *f, uint64_t after, int64_t *time_us, struct fault *why)
{
    return one_number(f, TIME, after, time_us, why);
}

/* ---- Does it follow? */

enum match { ABSENT, SAME, DIFFERS, UNREADABLE };

/* The entry's hash; or, of the one behind the place, what its hash would be if it followed. */
static enum match match_at(struct ledger_feed *f, uint64_t seq, const uint8_t hash[CHAIN_HASH_BYTES], bool is_behind,
                           struct fault *why)
{
    sqlite3_stmt *q = ask(f, AT, seq);
    uint8_t wanted[CHAIN_HASH_BYTES];
    int result = sqlite3_step(q);
    enum match match = ABSENT;
    if (result == SQLITE_ROW) {
        memcpy(wanted, hash, sizeof wanted);
        if (is_behind) chain_hash(wanted, hash, seq, (enum chain_kind)sqlite3_column_int(q, 0), column_bytes(q, 1));
        match = slice_equal(column_bytes(q, 2), slice_of((const char *)wanted, sizeof wanted)) ? SAME : DIFFERS;
    }
    return close_after(f, q, result, why) ? match : UNREADABLE;
}

bool ledger_feed_check(struct ledger_feed *f, uint64_t seq, const uint8_t hash[CHAIN_HASH_BYTES],
                       enum ledger_feed_link *link, struct fault *why)
{
    uint64_t head;
    *link = FEED_FOLLOWS;
    if (seq == 0) return true;
    if (!ledger_feed_head(f, &head, why)) return false;
    enum match match = match_at(f, seq, hash, false, why);
    if (match == ABSENT && head > seq) match = match_at(f, seq + 1, hash, true, why); /* retention took the place */
    if (match == UNREADABLE) return false;
    if (match != SAME) *link = head < seq ? FEED_OLDER : FEED_OTHER;
    return true;
}

/* ---- Reading. */

static void add(struct ledger_batch *batch, sqlite3_stmt *q)
{
    struct ledger_batch_entry e = {.seq = (uint64_t)sqlite3_column_int64(q, 0),
                                   .kind = (enum chain_kind)sqlite3_column_int(q, 1), .body = column_bytes(q, 2),
                                   .hash = (const uint8_t *)sqlite3_column_blob(q, 3),
                                   .day = sqlite3_column_int64(q, 5)};
    struct slice id = column_bytes(q, 4);
    if (id.len == LEDGER_ID_BYTES) e.id = (const uint8_t *)id.ptr;
    ledger_batch_add(batch, &e);
}

static bool is_next(sqlite3_stmt *q, uint64_t after)
{
    bool is_first_of_all = after == 0; /* of a file whose older entries retention took before there was a database */
    return (is_first_of_all || (uint64_t)sqlite3_column_int64(q, 0) == after + 1) &&
           sqlite3_column_bytes(q, 3) == CHAIN_HASH_BYTES;
}

bool ledger_feed_read(struct ledger_feed *f, uint64_t after, size_t rows_max, struct ledger_batch *batch,
                      struct fault *why)
{
    sqlite3_stmt *q = ask(f, NEXT, after);
    int result = SQLITE_DONE;
    bool is_whole = true;
    sqlite3_bind_int64(q, 2, (int64_t)rows_max);
    while (!ledger_batch_is_full(batch) && (result = sqlite3_step(q)) == SQLITE_ROW) {
        is_whole = is_next(q, after);
        if (!is_whole) break;
        after = (uint64_t)sqlite3_column_int64(q, 0);
        add(batch, q);
    }
    if (!is_whole) {
        fault_set(why, FAULT_INTERNAL, "%s: the entry behind %llu is missing: \"moongate audit verify\" says more",
                  f->path, (unsigned long long)after);
    }
    return close_after(f, q, result, why) && is_whole;
}

bool ledger_feed_anchors(struct ledger_feed *f, uint64_t after, struct ledger_batch *batch, uint64_t *last,
                         struct fault *why)
{
    sqlite3_stmt *q = ask(f, ANCHORS, after);
    int result;
    sqlite3_bind_int64(q, 2, LIMIT_SHIP_ANCHORS);
    while ((result = sqlite3_step(q)) == SQLITE_ROW) {
        struct ledger_batch_anchor a = {.seq = (uint64_t)sqlite3_column_int64(q, 0),
                                        .time_us = sqlite3_column_int64(q, 1),
                                        .hash = (const uint8_t *)column_bytes(q, 2).ptr,
                                        .signature = column_bytes(q, 3)};
        if (sqlite3_column_bytes(q, 2) != CHAIN_HASH_BYTES) continue;
        ledger_batch_add_anchor(batch, &a);
        *last = a.seq;
    }
    return close_after(f, q, result, why);
}
