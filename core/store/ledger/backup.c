#include "store/column.h"
#include "store/ledger/backup.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/ledger/file.h"
#include "store/ledger/lock.h"
#include "store/ledger/schema.h"
#include "store/placing.h"

#define BUSY_MS 5000

static bool fail(sqlite3 *db, const char *path, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: %s", path, sqlite3_errmsg(db));
}

static bool open_file(const char *path, int flags, sqlite3 **db, struct fault *why)
{
    if (sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(*db, BUSY_MS);
        return sqlite3_exec(*db, "PRAGMA trusted_schema = OFF", NULL, NULL, NULL) == SQLITE_OK || fail(*db, path, why);
    }
    return fail(*db, path, why);
}

static bool run(sqlite3 *db, const char *path, const char *sql, struct fault *why)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(db, path, why);
}

/* ---- Is it a ledger, and whole? */

/* An older one is brought up to date when the gateway starts. */
static bool is_ledger(sqlite3 *db, const char *path, struct fault *why)
{
    int version;
    if (!ledger_schema_read(db, path, &version, why)) return false;
    return version > 0 || fault_set(why, FAULT_INTERNAL, "%s: it is no ledger of moongate", path);
}

/* The first thing that SQLite finds wrong. */
static bool check_pages(sqlite3 *db, const char *path, struct fault *why)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &q, NULL) != SQLITE_OK) return fail(db, path, why);
    bool has_row = sqlite3_step(q) == SQLITE_ROW;
    const char *text = has_row ? (const char *)sqlite3_column_text(q, 0) : NULL;
    bool is_good = text && strcmp(text, "ok") == 0;
    if (!is_good) fault_set(why, FAULT_INTERNAL, "%s: damaged: %.160s", path, text ? text : sqlite3_errmsg(db));
    sqlite3_finalize(q);
    return is_good;
}

static bool read_meta(sqlite3 *db, const char *name, struct buf *out)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, "SELECT v FROM meta WHERE k = ?", -1, &q, NULL) != SQLITE_OK) return false;
    sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    bool is_there = sqlite3_step(q) == SQLITE_ROW;
    if (is_there) buf_append(out, column_bytes(q, 0));
    sqlite3_finalize(q);
    return is_there;
}

static bool read_genesis(sqlite3 *db, uint8_t hash[CHAIN_HASH_BYTES])
{
    struct buf gateway, key;
    buf_init(&gateway);
    buf_init(&key);
    bool is_good = read_meta(db, "gateway", &gateway) && read_meta(db, "key", &key);
    chain_genesis(hash, buf_slice(&gateway), buf_slice(&key));
    buf_clear(&gateway);
    buf_clear(&key);
    return is_good;
}

/* One entry behind those before it. The hash of a first one that is not number 1 is taken as it stands: what was before
 * it was deleted for its age. */
static bool follow(struct ledger_backup *a, sqlite3_stmt *q)
{
    uint64_t seq = (uint64_t)sqlite3_column_int64(q, 0);
    struct slice body = column_bytes(q, 2), hash = column_bytes(q, 3);
    if (hash.len != CHAIN_HASH_BYTES) return false;
    if (a->head && seq != a->head + 1) return false;
    if (!a->head) a->first = seq;
    if (!a->head && seq > 1) {
        memcpy(a->hash, hash.ptr, CHAIN_HASH_BYTES);
    } else {
        chain_hash(a->hash, a->hash, seq, (enum chain_kind)sqlite3_column_int(q, 1), body);
    }
    a->head = seq;
    return memcmp(a->hash, hash.ptr, CHAIN_HASH_BYTES) == 0;
}

static bool check_chain(sqlite3 *db, const char *path, struct ledger_backup *a, struct fault *why)
{
    sqlite3_stmt *q;
    int rc;
    *a = (struct ledger_backup){.first = 0};
    if (!read_genesis(db, a->hash)) return fault_set(why, FAULT_INTERNAL, "%s: it does not say whose it is", path);
    if (sqlite3_prepare_v2(db, "SELECT seq, kind, body, hash FROM chain ORDER BY seq", -1, &q, NULL) != SQLITE_OK) {
        return fail(db, path, why);
    }
    bool is_good = true;
    while (is_good && (rc = sqlite3_step(q)) != SQLITE_DONE) {
        if (rc != SQLITE_ROW)
            is_good = fail(db, path, why);
        else if (!follow(a, q))
            is_good = fault_set(why, FAULT_INTERNAL, "%s: the chain is broken at entry %llu", path,
                                (unsigned long long)sqlite3_column_int64(q, 0));
    }
    sqlite3_finalize(q);
    return is_good;
}

static bool check_copy(const char *path, struct ledger_backup *about, struct fault *why)
{
    sqlite3 *db = NULL;
    struct stat st;
    bool is_good = open_file(path, SQLITE_OPEN_READONLY, &db, why) && is_ledger(db, path, why) &&
                   check_pages(db, path, why) && check_chain(db, path, about, why);
    sqlite3_close(db);
    if (is_good && stat(path, &st) == 0) about->bytes = (uint64_t)st.st_size;
    return is_good;
}

/* ---- Copying. */

/* One read transaction: what others write meanwhile is not in it, and does not make it begin again. (The end of it says
 * nothing of a file that was locked.) */
static bool copy_pages(sqlite3 *from, sqlite3 *to, const char *path, struct fault *why)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (!b) return fail(to, path, why);
    int rc = sqlite3_backup_step(b, -1);
    sqlite3_backup_finish(b);
    return rc == SQLITE_DONE || fault_set(why, FAULT_INTERNAL, "%s: the ledger cannot be copied there: %s", path,
                                          sqlite3_errstr(rc));
}

/* The copy is one file: without a write-ahead log beside it. */
static bool copy_into(const char *from, const char *to, struct fault *why)
{
    sqlite3 *source = NULL, *copy = NULL;
    bool is_good = open_file(from, SQLITE_OPEN_READONLY, &source, why) && is_ledger(source, from, why) &&
                   open_file(to, SQLITE_OPEN_READWRITE, &copy, why) && copy_pages(source, copy, to, why) &&
                   run(copy, to, "PRAGMA journal_mode = DELETE", why);
    sqlite3_close(source);
    sqlite3_close(copy);
    return is_good;
}

/* A new file with the copy in it; it is gone when that fails. */
static bool copy_new(const char *from, const char *part, struct ledger_backup *about, struct fault *why)
{
    if (!placing_begin(part, why)) return false;
    if (copy_into(from, part, why) && check_copy(part, about, why) && placing_sync(part, why)) return true;
    unlink(part);
    return false;
}

bool ledger_backup(const char *data_dir, const char *to, struct ledger_backup *about, struct fault *why)
{
    char *from = ledger_file_path(data_dir), *part = placing_part(to);
    bool is_good = placing_refuse_existing(to, "give another name, or move it away", why) &&
                   copy_new(from, part, about, why) && placing_new(part, to, why);
    mem_free(from);
    mem_free(part);
    return is_good;
}

/* ---- The way back. */

bool ledger_restore(const char *data_dir, const char *from, bool is_forced, struct ledger_backup *about,
                    struct fault *why)
{
    int lock = ledger_lock(data_dir, why);
    if (lock < 0) return false;
    char *to = ledger_file_path(data_dir), *part = placing_part(to);
    bool is_good = (is_forced || placing_refuse_existing(to, "--yes puts the backup in its place", why)) &&
                   copy_new(from, part, about, why) && placing_over(part, to, why);
    mem_free(to);
    mem_free(part);
    close(lock);
    return is_good;
}
