#include "store/reader.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/input.h"

#define BUSY_TIMEOUT_MS 5000

static const char *cure_of(int code)
{
    switch (code) {
    case SQLITE_NOTADB: return "name a ledger.db, or a backup or an export of one";
    case SQLITE_BUSY: return "another process holds the file: try again";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return "run it as the gateway's user: the file is for that one alone";
    case SQLITE_IOERR: return "the disk does not give it: see the system's log";
    default: return "restore a backup with `moongate ledger restore FILE`";
    }
}

/* Closes what cannot be read. */
static sqlite3 *fail(sqlite3 *db, const char *path, struct fault *why)
{
    fault_set(why, FAULT_INTERNAL, "%s: %s\n%s", path, sqlite3_errmsg(db), cure_of(sqlite3_errcode(db) & 0xFF));
    sqlite3_close(db);
    return NULL;
}

static void write_uri(struct buf *uri, const char *path, const char *mode)
{
    buf_init(uri);
    buf_append(uri, path[0] == '/' ? SLICE("file://") : SLICE("file:"));
    for (const char *c = path; *c; c++) {
        if (strchr("?#%", *c)) buf_printf(uri, "%%%02x", (unsigned char)*c);
        else buf_append_char(uri, *c);
    }
    buf_append(uri, slice_str(mode));
    buf_append_char(uri, '\0');
}

/* Opening reads nothing yet: the last statement does. */
static bool open_as(sqlite3 **db, const char *path, const char *mode)
{
    struct buf uri;
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    write_uri(&uri, path, mode);
    int rc = sqlite3_open_v2(buf_ptr(&uri), db, flags, NULL);
    buf_clear(&uri);
    if (rc != SQLITE_OK) return false;
    sqlite3_busy_timeout(*db, BUSY_TIMEOUT_MS);
    sqlite3_db_config(*db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(*db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    const char *sql = "PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; SELECT 1 FROM sqlite_schema";
    return sqlite3_exec(*db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool has_log(const char *path)
{
    struct stat st;
    struct buf log;
    buf_init(&log);
    buf_printf(&log, "%s-wal", path);
    buf_append_char(&log, '\0');
    bool is_there = stat(buf_ptr(&log), &st) == 0 && st.st_size > 0;
    buf_clear(&log);
    return is_there;
}

struct sqlite3 *reader_open(const char *path, struct fault *why)
{
    sqlite3 *db = NULL;
    if (!input_is_file(path, why)) return NULL;
    if (open_as(&db, path, "?mode=ro")) return db;
    int code = sqlite3_errcode(db) & 0xFF;
    if (code != SQLITE_CANTOPEN && code != SQLITE_READONLY && code != SQLITE_PERM) return fail(db, path, why);
    sqlite3_close(db);
    if (has_log(path)) {
        fault_set(why, FAULT_INTERNAL, "%s-wal holds what cannot be read from a folder that is read-only\n"
                  "copy both files to another folder", path);
        return NULL;
    }
    return open_as(&db, path, "?mode=ro&immutable=1") ? db : fail(db, path, why);
}
