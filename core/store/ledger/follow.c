#include "store/column.h"
#include "store/ledger/follow.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "store/ledger/ledger_inner.h"

/* NULL: *why. */
static sqlite3_stmt *prepare(struct ledger *l, const char *sql, struct fault *why)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(l->db, sql, -1, &q, NULL) != SQLITE_OK) ledger_fail(l, why);
    return q;
}

/* Of a statement that was walked to its end, or left before. */
static bool finish(struct ledger *l, sqlite3_stmt *q, int last, struct fault *why)
{
    bool is_good = last == SQLITE_ROW || last == SQLITE_DONE || ledger_fail(l, why);
    sqlite3_finalize(q);
    return is_good;
}

static void copy_id(uint8_t to[LINK_ID_BYTES], struct slice from)
{
    memset(to, 0, LINK_ID_BYTES);
    memcpy(to, from.ptr, from.len < LINK_ID_BYTES ? from.len : LINK_ID_BYTES);
}

bool ledger_open_intents(struct ledger *l, uint64_t after, unsigned max,
                         void (*each)(void *arg, const struct ledger_intent *intent), void *arg, struct fault *why)
{
    sqlite3_stmt *q = prepare(l,
                              "SELECT i.id, i.instance, c.body, i.seq FROM intents i JOIN chain c ON c.seq = i.seq"
                              " WHERE i.open = 1 AND i.seq > ? ORDER BY i.seq LIMIT ?",
                              why);
    int step = SQLITE_DONE;
    if (!q) return false;
    sqlite3_bind_int64(q, 1, (sqlite3_int64)after);
    sqlite3_bind_int(q, 2, (int)max);
    while ((step = sqlite3_step(q)) == SQLITE_ROW) {
        struct ledger_intent intent = {.seq = (uint64_t)sqlite3_column_int64(q, 3), .body = column_bytes(q, 2)};
        copy_id(intent.id, column_bytes(q, 0));
        copy_id(intent.instance, column_bytes(q, 1));
        each(arg, &intent);
    }
    return finish(l, q, step, why);
}

bool ledger_entries(struct ledger *l, uint64_t after, enum chain_kind kind, unsigned max,
                    bool (*each)(void *arg, uint64_t seq, struct slice body), void *arg, struct fault *why)
{
    sqlite3_stmt *q = prepare(l, "SELECT seq, body FROM chain WHERE seq > ? AND kind = ? ORDER BY seq LIMIT ?", why);
    int step = SQLITE_DONE;
    if (!q) return false;
    sqlite3_bind_int64(q, 1, (sqlite3_int64)after);
    sqlite3_bind_int(q, 2, kind);
    sqlite3_bind_int(q, 3, (int)max);
    while ((step = sqlite3_step(q)) == SQLITE_ROW) {
        if (!each(arg, (uint64_t)sqlite3_column_int64(q, 0), column_bytes(q, 1))) break;
    }
    return finish(l, q, step, why);
}

/* One number of one row. */
static bool read_number(struct ledger *l, sqlite3_stmt *q, uint64_t *value)
{
    struct fault ignored;
    if (!q) return false;
    int step = sqlite3_step(q);
    if (step == SQLITE_ROW) *value = (uint64_t)sqlite3_column_int64(q, 0);
    return finish(l, q, step, &ignored) && step == SQLITE_ROW;
}

bool ledger_seq_of(struct ledger *l, const uint8_t id[LINK_ID_BYTES], uint64_t *seq)
{
    struct fault ignored;
    sqlite3_stmt *q = prepare(l, "SELECT seq FROM records WHERE id = ?", &ignored);
    if (q) sqlite3_bind_blob(q, 1, id, LINK_ID_BYTES, SQLITE_STATIC);
    return read_number(l, q, seq);
}

static sqlite3_stmt *prepare_mark(struct ledger *l, const char *sql, const char *name, struct fault *why)
{
    char key[64];
    sqlite3_stmt *q = prepare(l, sql, why);
    snprintf(key, sizeof key, "mark.%s", name);
    if (q) sqlite3_bind_text(q, 1, key, -1, SQLITE_TRANSIENT);
    return q;
}

bool ledger_mark(struct ledger *l, const char *name, uint64_t value, struct fault *why)
{
    const char *sql = "INSERT INTO meta VALUES(?, ?) ON CONFLICT DO UPDATE SET v = excluded.v";
    sqlite3_stmt *q = prepare_mark(l, sql, name, why);
    if (!q) return false;
    sqlite3_bind_int64(q, 2, (sqlite3_int64)value);
    return finish(l, q, sqlite3_step(q), why);
}

bool ledger_marked(struct ledger *l, const char *name, uint64_t *value)
{
    struct fault ignored;
    return read_number(l, prepare_mark(l, "SELECT v FROM meta WHERE k = ?", name, &ignored), value);
}

bool ledger_unmark(struct ledger *l, const char *name, struct fault *why)
{
    sqlite3_stmt *q = prepare_mark(l, "DELETE FROM meta WHERE k = ?", name, why);
    return q && finish(l, q, sqlite3_step(q), why);
}

static uint64_t bytes_of(const struct ledger *l, const char *suffix)
{
    struct stat st;
    char path[4096];
    snprintf(path, sizeof path, "%s%s", l->path, suffix);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

void ledger_file_bytes(const struct ledger *l, uint64_t *file, uint64_t *log)
{
    *file = bytes_of(l, "");
    *log = bytes_of(l, "-wal");
}
