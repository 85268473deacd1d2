#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "store/column.h"
#include "store/ledger_check.h"
#include "store/verify_inner.h"

/* One reading of the file; the writer may tidy up between two of them. */
#define PAGE_ENTRIES 20000
#define BUSY_TIMEOUT_MS 5000

struct file {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *entries, *anchors;
    struct anchor next; /* the anchor that is not given yet */
    bool has_next;
    sqlite3_int64 last_entry, last_anchor; /* that were given */
};

static bool fail(const struct file *f, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: %s", f->path, sqlite3_errmsg(f->db));
}

static bool prepare(struct file *f, sqlite3_stmt **q, const char *sql, struct fault *why)
{
    return sqlite3_prepare_v2(f->db, sql, -1, q, NULL) == SQLITE_OK || fail(f, why);
}

/* A copy on a medium that nobody writes has no room for SQLite's own files. */
static bool open_db(struct file *f, struct fault *why)
{
    struct buf uri;
    buf_init(&uri);
    if (sqlite3_open_v2(f->path, &f->db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(f->db, BUSY_TIMEOUT_MS);
        if (sqlite3_exec(f->db, "SELECT 1 FROM chain LIMIT 1", NULL, NULL, NULL) == SQLITE_OK) return true;
    }
    if (sqlite3_errcode(f->db) != SQLITE_CANTOPEN && sqlite3_errcode(f->db) != SQLITE_READONLY) return fail(f, why);
    sqlite3_close(f->db);
    buf_append(&uri, SLICE("file:"));
    for (const char *c = f->path; *c; c++)
        buf_printf(&uri, strchr("?#%", *c) ? "%%%02x" : "%c", (unsigned char)*c);
    buf_append(&uri, slice_of("?immutable=1", sizeof "?immutable=1"));
    int rc = sqlite3_open_v2(buf_ptr(&uri), &f->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    buf_clear(&uri);
    return rc == SQLITE_OK || fail(f, why);
}

/* ---- What the chain begins with. */

static bool read_meta(struct verify *v, struct file *f, const char *name, struct buf *out, struct fault *why)
{
    sqlite3_stmt *q;
    if (!prepare(f, &q, "SELECT v FROM meta WHERE k = ?", why)) return false;
    sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        buf_append(out, column_bytes(q, 0));
        v->is_known = true;
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE || fail(f, why);
}

static bool read_base(struct verify *v, struct file *f, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = "SELECT s.v, h.v FROM meta s, meta h WHERE s.k = 'cut.seq' AND h.k = 'cut.hash'";
    if (!prepare(f, &q, sql, why)) return false;
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW && sqlite3_column_bytes(q, 1) == CHAIN_HASH_BYTES) {
        v->base.seq = (uint64_t)sqlite3_column_int64(q, 0);
        memcpy(v->base.hash, sqlite3_column_blob(q, 1), CHAIN_HASH_BYTES);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE || fail(f, why);
}

static bool count_entries(struct verify *v, struct file *f, struct fault *why)
{
    sqlite3_stmt *q;
    if (!prepare(f, &q, "SELECT coalesce(max(seq), 0) - coalesce(min(seq), 1) + 1 FROM chain", why)) return false;
    bool is_good = sqlite3_step(q) == SQLITE_ROW || fail(f, why);
    if (is_good) v->of = (uint64_t)sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return is_good;
}

/* ---- Anchors, as far as the walk has come. */

static bool take_bytes(sqlite3_stmt *q, int at, uint8_t *bytes, size_t len)
{
    struct slice from = column_bytes(q, at);
    if (from.len == len) memcpy(bytes, from.ptr, len);
    return from.len == len;
}

static bool step_anchor(struct verify *v, struct file *f, struct fault *why)
{
    int rc = sqlite3_step(f->anchors);
    f->has_next = rc == SQLITE_ROW;
    if (rc == SQLITE_DONE) return true;
    if (rc != SQLITE_ROW) return fail(f, why);
    f->next = (struct anchor){.seq = (uint64_t)sqlite3_column_int64(f->anchors, 0),
                              .time_us = (uint64_t)sqlite3_column_int64(f->anchors, 1)};
    if (!take_bytes(f->anchors, 2, f->next.hash, sizeof f->next.hash) ||
        !take_bytes(f->anchors, 3, f->next.signature, sizeof f->next.signature))
        verify_say(v, VERIFY_ANCHOR_FORGED_FOUND, f->next.seq, "the anchor of entry %llu is of another length",
                   (unsigned long long)f->next.seq);
    return true;
}

static bool give_anchors(struct verify *v, struct file *f, uint64_t up_to, struct fault *why)
{
    while (f->has_next && f->next.seq <= up_to) {
        f->last_anchor = (sqlite3_int64)f->next.seq;
        verify_anchor(v, &f->next);
        if (!step_anchor(v, f, why)) return false;
    }
    return true;
}

/* ---- Entries. */

static bool give_entry(struct verify *v, struct file *f, struct fault *why)
{
    f->last_entry = sqlite3_column_int64(f->entries, 0);
    struct verify_entry e = {.seq = (uint64_t)f->last_entry,
                             .kind = sqlite3_column_int64(f->entries, 1),
                             .body = column_bytes(f->entries, 2),
                             .hash = column_bytes(f->entries, 3)};
    if (v->result->entries == 0 && !give_anchors(v, f, e.seq - 1, why)) return false;
    verify_entry(v, &e);
    return give_anchors(v, f, e.seq, why);
}

/* Entries and their anchors as of one moment, so that none is missed that was written meanwhile. */
static bool give_page(struct verify *v, struct file *f, bool *is_over, struct fault *why)
{
    int rc = SQLITE_DONE, count = 0;
    sqlite3_bind_int64(f->entries, 1, f->last_entry);
    sqlite3_bind_int64(f->anchors, 1, f->last_anchor);
    bool is_good = step_anchor(v, f, why);
    while (is_good && (rc = sqlite3_step(f->entries)) == SQLITE_ROW) {
        count++;
        is_good = give_entry(v, f, why);
    }
    if (is_good && rc != SQLITE_DONE) is_good = fail(f, why);
    *is_over = count < PAGE_ENTRIES;
    if (is_good && *is_over) is_good = give_anchors(v, f, UINT64_MAX, why);
    sqlite3_reset(f->entries);
    sqlite3_reset(f->anchors);
    return is_good;
}

static bool give_all(struct verify *v, struct file *f, struct fault *why)
{
    bool is_over = false;
    f->last_entry = f->last_anchor = INT64_MIN;
    const char *entries = "SELECT seq, kind, body, hash FROM chain WHERE seq > ? ORDER BY seq LIMIT 20000";
    const char *anchors = "SELECT seq, time_us, hash, signature FROM anchors WHERE seq > ? ORDER BY seq";
    if (!prepare(f, &f->entries, entries, why) || !prepare(f, &f->anchors, anchors, why)) return false;
    while (!is_over) {
        if (sqlite3_exec(f->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) return fail(f, why);
        if (!give_page(v, f, &is_over, why)) return false;
        sqlite3_exec(f->db, "COMMIT", NULL, NULL, NULL);
    }
    return true;
}

/* ---- What is made from the chain, and the file itself. */

static void on_difference(void *arg, const char *text)
{
    verify_say(arg, VERIFY_TABLES_FOUND, 0, "%s", text);
}

/* Of a ledger in its place only: a copy has its tables, too, but the check goes by the folder. */
static bool check_tables(struct verify *v, struct fault *why)
{
    struct ledger_check how = {.data_dir = v->options->data_dir, .on_difference = on_difference, .arg = v};
    struct ledger_checked found;
    return v->options->file || ledger_check(&how, &found, why);
}

static bool check_integrity(struct verify *v, struct file *f, struct fault *why)
{
    sqlite3_stmt *q;
    int rc;
    if (!prepare(f, &q, "PRAGMA integrity_check(20)", why)) return false;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(q, 0);
        if (text && strcmp(text, "ok") != 0) verify_say(v, VERIFY_FILE_FOUND, 0, "%.200s", text);
    }
    sqlite3_finalize(q);
    if (rc != SQLITE_DONE) verify_say(v, VERIFY_FILE_FOUND, 0, "%s", sqlite3_errmsg(f->db));
    return true;
}

static bool look_at(struct verify *v, struct file *f, struct fault *why)
{
    if (!open_db(f, why) || !read_meta(v, f, "gateway", &v->gateway, why) || !read_meta(v, f, "key", &v->key, why) ||
        !read_base(v, f, why) || !count_entries(v, f, why))
        return false;
    if (v->options->witness_file && !verify_witness_read(v, v->options->witness_file, why)) return false;
    if (!give_all(v, f, why)) return false;
    if (v->options->is_quick) return true;
    return verify_texts(v, f->db, why) && check_tables(v, why) && check_integrity(v, f, why);
}

bool verify_file(struct verify *v, const char *path, struct fault *why)
{
    struct file f = {.path = path};
    bool is_good = look_at(v, &f, why);
    sqlite3_finalize(f.entries);
    sqlite3_finalize(f.anchors);
    sqlite3_close(f.db);
    return is_good;
}
