#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/registry/registry_inner.h"

#define SCHEMA_VERSION 4
#define BUSY_TIMEOUT_MS 5000

/* What each version adds to the one before; a new file takes them all. */
static const char *const schemas[SCHEMA_VERSION] = {
    "CREATE TABLE keys("
    "  id TEXT PRIMARY KEY,"
    "  digest TEXT NOT NULL UNIQUE,"
    "  tail TEXT NOT NULL,"
    "  attributes TEXT NOT NULL," /* JSON: app, department, …, roles, labels, approvals */
    "  created_at INTEGER NOT NULL,"
    "  expires_at INTEGER NOT NULL," /* 0: never */
    "  revoked_at INTEGER NOT NULL"  /* 0: not */
    ") STRICT;",
    "ALTER TABLE keys ADD COLUMN ends_requests INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE keys ADD COLUMN successor TEXT NOT NULL DEFAULT '';", /* the id of a rotated key's next */
    /* What the ledger is to be told, in the order of the commits: an entry's JSON (store/change.h). */
    "CREATE TABLE changes("
    "  number INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  body TEXT NOT NULL,"
    "  taken INTEGER NOT NULL DEFAULT 0" /* 1: it is in the ledger */
    ") STRICT;"
    "CREATE INDEX changes_new ON changes(number) WHERE taken = 0;",
    "CREATE TABLE topups("
    "  id TEXT PRIMARY KEY,"
    "  budget TEXT NOT NULL," /* policy/row */
    "  scope TEXT NOT NULL,"  /* as scripts/scopes.lua writes it; '': everybody */
    "  nano INTEGER NOT NULL CHECK(nano > 0),"
    "  reason TEXT NOT NULL,"
    "  made_by TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL,"
    "  starts_at INTEGER NOT NULL,"
    "  ends_at INTEGER NOT NULL,"
    "  ended_at INTEGER NOT NULL DEFAULT 0" /* 0: not before its time */
    ") STRICT;"
    "CREATE INDEX topups_live ON topups(ends_at) WHERE ended_at = 0;"};

bool registry_fail(const struct registry *r, struct fault *why)
{
    const char *cure = sqlite3_errcode(r->db) == SQLITE_BUSY ? ": another process changes it, try again" : "";
    return fault_set(why, FAULT_INTERNAL, "%s: %s%s", r->path, sqlite3_errmsg(r->db), cure);
}

bool registry_run(struct registry *r, const char *sql, struct fault *why)
{
    return sqlite3_exec(r->db, sql, NULL, NULL, NULL) == SQLITE_OK || registry_fail(r, why);
}

bool registry_give_up(struct registry *r)
{
    if (!sqlite3_get_autocommit(r->db)) sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

enum registry_found registry_end_change(struct registry *r, enum registry_found found, bool is_good, struct fault *why)
{
    if (found == REGISTRY_FOUND && is_good && registry_run(r, "COMMIT", why)) return REGISTRY_FOUND;
    registry_give_up(r);
    return found == REGISTRY_MISSING ? REGISTRY_MISSING : REGISTRY_FAILED;
}

void registry_bind_text(sqlite3_stmt *q, int at, struct slice text)
{
    sqlite3_bind_text(q, at, text.ptr ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

static bool read_version(struct registry *r, int *version, struct fault *why)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(r->db, "PRAGMA user_version", -1, &q, NULL) != SQLITE_OK) return registry_fail(r, why);
    bool is_good = sqlite3_step(q) == SQLITE_ROW;
    if (is_good) *version = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return is_good || registry_fail(r, why);
}

/* Inside one transaction, so that two processes that start together make it once. Without one where there is nothing
 * to do: who only reads waits for nobody. */
static bool migrate(struct registry *r, struct fault *why)
{
    int version = 0;
    if (!read_version(r, &version, why)) return false;
    if (version == SCHEMA_VERSION) return true;
    if (!registry_run(r, "BEGIN IMMEDIATE", why) || !read_version(r, &version, why)) return false;
    if (version > SCHEMA_VERSION) {
        return fault_set(why, FAULT_INTERNAL, "%s: made by a newer moongate (schema %d, this one knows %d)", r->path,
                         version, SCHEMA_VERSION);
    }
    for (; version < SCHEMA_VERSION; version++) {
        char mark[40];
        snprintf(mark, sizeof mark, "PRAGMA user_version = %d", version + 1);
        if (!registry_run(r, schemas[version], why) || !registry_run(r, mark, why)) return false;
    }
    return registry_run(r, "COMMIT", why);
}

/* SQLite would make it with the umask's mode. Its -wal and -shm take the mode of the file. */
static bool touch_private(const char *path, struct fault *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    close(fd);
    return true;
}

static bool open_db(struct registry *r, struct fault *why)
{
    if (!touch_private(r->path, why)) return false;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(r->path, &r->db, flags, NULL) != SQLITE_OK) return registry_fail(r, why);
    sqlite3_busy_timeout(r->db, BUSY_TIMEOUT_MS);
    return registry_run(r, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF", why) &&
           migrate(r, why);
}

struct registry *registry_open(const char *data_dir, struct fault *why)
{
    struct registry *r = mem_zalloc(1, sizeof *r);
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" REGISTRY_FILE, data_dir);
    r->path = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    if (open_db(r, why)) return r;
    registry_close(r);
    return NULL;
}

void registry_close(struct registry *r)
{
    if (!r) return;
    sqlite3_close(r->db);
    mem_free(r->path);
    mem_free(r);
}

void registry_be_brief(struct registry *r)
{
    sqlite3_busy_timeout(r->db, 0);
    sqlite3_exec(r->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
}
