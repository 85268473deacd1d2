#include <sqlite3.h>
#include <string.h>

#include "store/column.h"
#include "store/ledger/check.h"
#include "store/reader.h"
#include "store/verify/verify_inner.h"

/* One reading of the file; the writer may tidy up between two of them. */
#define PAGE_ENTRIES 20000

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

/* Retention may move it while the walk goes on. */
static bool read_base(struct verify *v, struct file *f, struct fault *why)
{
    sqlite3_stmt *q;
    struct verify_base base = {.seq = 0};
    const char *sql = "SELECT s.v, h.v FROM meta s, meta h WHERE s.k = 'cut.seq' AND h.k = 'cut.hash'";
    if (!prepare(f, &q, sql, why)) return false;
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW && column_take(q, 1, base.hash, sizeof base.hash))
        base.seq = (uint64_t)sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    v->is_base_new |= v->result->entries && base.seq != v->base.seq;
    v->base = base;
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

static bool step_anchor(struct verify *v, struct file *f, struct fault *why)
{
    int rc = sqlite3_step(f->anchors);
    f->has_next = rc == SQLITE_ROW;
    if (rc == SQLITE_DONE) return true;
    if (rc != SQLITE_ROW) return fail(f, why);
    f->next = (struct anchor){.seq = (uint64_t)sqlite3_column_int64(f->anchors, 0),
                              .time_us = (uint64_t)sqlite3_column_int64(f->anchors, 1)};
    if (!column_take(f->anchors, 2, f->next.hash, sizeof f->next.hash) ||
        !column_take(f->anchors, 3, f->next.signature, sizeof f->next.signature))
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
    if (sqlite3_column_type(f->entries, 0) != SQLITE_INTEGER)
        return fault_set(why, FAULT_INTERNAL, "%s: an entry's number is none: this is no ledger's table", f->path);
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
        if (!read_base(v, f, why) || !give_page(v, f, &is_over, why)) return false;
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
    f->db = reader_open(f->path, why);
    if (!f->db || !read_meta(v, f, "gateway", &v->gateway, why) || !read_meta(v, f, "key", &v->key, why) ||
        !count_entries(v, f, why))
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
