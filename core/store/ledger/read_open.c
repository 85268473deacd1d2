#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/ledger/file.h"
#include "store/ledger/read_inner.h"
#include "store/ledger/schema.h"

#define BUSY_TIMEOUT_MS 5000

#define DAMAGED "`moongate ledger check` says how far, --repair makes anew what it can; else restore a backup"

static const char *cure_of(int code)
{
    switch (code & 0xFF) {
    case SQLITE_CORRUPT: return DAMAGED;
    case SQLITE_NOTADB: return "this is no ledger: restore a backup with `moongate ledger restore FILE`";
    case SQLITE_BUSY: return "another process holds the file: try again";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return "run it as the gateway's user: the file is for that one alone";
    case SQLITE_IOERR: return "the disk does not give it: see the system's log";
    default: return "`moongate ledger check` looks at the whole file";
    }
}

bool ledger_read_fail(const struct ledger_read *l, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: %s\n%s", l->path, sqlite3_errmsg(l->db),
                     cure_of(sqlite3_extended_errcode(l->db)));
}

/* ---- Statements. */

static void bind(sqlite3_stmt *q, int at, const struct ledger_value *v)
{
    if (v->is_number) {
        sqlite3_bind_int64(q, at, v->number);
    } else if (v->is_blob) {
        sqlite3_bind_blob64(q, at, v->bytes.ptr, v->bytes.len, SQLITE_TRANSIENT);
    } else {
        sqlite3_bind_text64(q, at, v->bytes.ptr, v->bytes.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
}

sqlite3_stmt *ledger_read_prepare(struct ledger_read *l, struct slice sql, const struct ledger_where *values,
                                  struct fault *why)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(l->db, sql.ptr, (int)sql.len, &q, NULL) != SQLITE_OK) {
        ledger_read_fail(l, why);
        return NULL;
    }
    for (size_t i = 0; values && i < values->count; i++)
        bind(q, (int)i + 1, &values->values[i]);
    return q;
}

bool ledger_read_end(struct ledger_read *l, sqlite3_stmt *q, int last_step, struct fault *why)
{
    bool ok = last_step == SQLITE_DONE || last_step == SQLITE_ROW || ledger_read_fail(l, why);
    sqlite3_finalize(q);
    return ok;
}

/* ---- Opening. */

static bool open_as(struct ledger_read *l, const char *mode)
{
    struct buf uri;
    buf_init(&uri);
    buf_append(&uri, SLICE("file:"));
    for (const char *c = l->path; *c; c++) {
        if (*c == '%' || *c == '?' || *c == '#') {
            buf_printf(&uri, "%%%02x", (unsigned char)*c);
        } else {
            buf_append_char(&uri, *c);
        }
    }
    buf_printf(&uri, "?mode=ro%s", mode);
    buf_append_char(&uri, '\0');
    sqlite3_close(l->db);
    l->db = NULL;
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int rc = sqlite3_open_v2(buf_ptr(&uri), &l->db, flags, NULL);
    buf_clear(&uri);
    if (rc != SQLITE_OK) return false;
    sqlite3_busy_timeout(l->db, BUSY_TIMEOUT_MS);
    /* Opening reads nothing yet: this does. */
    return sqlite3_exec(l->db, "PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; SELECT 1 FROM sqlite_schema", NULL,
                        NULL, NULL) == SQLITE_OK;
}

static bool has_wal(const struct ledger_read *l)
{
    struct stat st;
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s-wal", l->path);
    buf_append_char(&path, '\0');
    bool is_there = stat(buf_ptr(&path), &st) == 0 && st.st_size > 0;
    buf_clear(&path);
    return is_there;
}

/* In a folder that may not be written SQLite cannot make the index of a log (-shm). Where there is no log nobody
 * writes, and the file is all there is. */
static bool open_any(struct ledger_read *l, struct fault *why)
{
    if (open_as(l, "")) return true;
    int code = sqlite3_errcode(l->db) & 0xFF;
    if (code != SQLITE_CANTOPEN && code != SQLITE_READONLY && code != SQLITE_PERM) return ledger_read_fail(l, why);
    if (has_wal(l))
        return fault_set(why, FAULT_INTERNAL,
                         "%s-wal holds entries that cannot be read from a folder that is read-only\n"
                         "copy ledger.db and ledger.db-wal to another folder, or start the gateway once", l->path);
    return open_as(l, "&immutable=1") || ledger_read_fail(l, why);
}

static bool open_all(struct ledger_read *l, struct fault *why)
{
    struct stat st;
    if (stat(l->path, &st) != 0)
        return fault_set(why, FAULT_INTERNAL, "%s: %s\n%s", l->path, strerror(errno),
                         errno == ENOENT ? "the gateway makes it when it starts; -c names its configuration, and by it "
                                           "the data folder"
                                         : "run it as the gateway's user");
    if (!S_ISREG(st.st_mode)) return fault_set(why, FAULT_INTERNAL, "%s is not a file: move it away", l->path);
    l->device = st.st_dev;
    l->inode = st.st_ino;
    return open_any(l, why) && ledger_schema_is_known(l->db, l->path, why);
}

struct ledger_read *ledger_read_open(const char *data_dir, struct fault *why)
{
    struct ledger_read *l = mem_zalloc(1, sizeof *l);
    l->path = ledger_file_path(data_dir);
    if (open_all(l, why)) return l;
    ledger_read_close(l);
    return NULL;
}

void ledger_read_close(struct ledger_read *l)
{
    if (!l) return;
    sqlite3_finalize(l->version);
    sqlite3_close(l->db);
    mem_free(l->path);
    mem_free(l);
}

const char *ledger_read_path(const struct ledger_read *l)
{
    return l->path;
}

/* ---- News. */

bool ledger_read_has_news(struct ledger_read *l)
{
    struct fault ignored;
    if (!l->version) l->version = ledger_read_prepare(l, SLICE("PRAGMA data_version"), NULL, &ignored);
    if (!l->version || sqlite3_step(l->version) != SQLITE_ROW) return true; /* who reads on is told what is wrong */
    int64_t version = sqlite3_column_int64(l->version, 0);
    sqlite3_reset(l->version);
    bool is_news = version != l->version_seen;
    l->version_seen = version;
    return is_news;
}

bool ledger_read_is_replaced(const struct ledger_read *l)
{
    struct stat st;
    return stat(l->path, &st) == 0 && (st.st_dev != l->device || st.st_ino != l->inode);
}
