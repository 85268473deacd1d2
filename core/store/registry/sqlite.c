#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/column.h"
#include "store/reader.h"
#include "store/registry/registry_inner.h"
#include "store/registry/sqlite_inner.h"
#include "store/registry/schema.h"

#define BUSY_TIMEOUT_MS 5000

/* ---- Failures. */

/* "UNIQUE constraint failed: person.issuer, person.subject"; a CHECK with a name says that. */
static struct slice refusal_of(int code, struct slice said)
{
    switch (code) {
    case SQLITE_CONSTRAINT_TRIGGER: return said;
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_ROWID:
    case SQLITE_CONSTRAINT_PRIMARYKEY: return SLICE("exists");
    case SQLITE_CONSTRAINT_FOREIGNKEY: return SLICE("unknown");
    case SQLITE_CONSTRAINT_CHECK:
        return strstr(said.ptr, ": self_approval") ? SLICE("self_approval") : SLICE("invalid");
    case SQLITE_CONSTRAINT_NOTNULL:
    case SQLITE_CONSTRAINT_DATATYPE: return SLICE("invalid");
    default: return SLICE_NONE;
    }
}

/* Always false; says the file and what SQLite says. */
static bool fail(struct registry_sqlite *s, struct fault *why)
{
    int code = sqlite3_extended_errcode(s->db);
    const char *said = sqlite3_errmsg(s->db);
    const char *cure = (code & 0xFF) == SQLITE_BUSY ? ": another process changes it, try again" : "";
    struct slice word = refusal_of(code, slice_str(said));
    if (word.len && registry_refuse(&s->base, word, why)) return false;
    return fault_set(why, FAULT_INTERNAL, "%s: %s%s", s->base.name, said, cure);
}

/* ---- Statements. */

struct query {
    struct registry_query base;
    sqlite3_stmt *statement;
    int rc;
};

static struct registry_sqlite *of(struct registry *r)
{
    return (struct registry_sqlite *)r;
}

static bool run(struct registry *r, const char *sql, struct fault *why)
{
    return sqlite3_exec(of(r)->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(of(r), why);
}

static void bind(sqlite3_stmt *q, int at, const struct registry_value *v)
{
    switch (v->type) {
    case REGISTRY_NULL: return;
    case REGISTRY_INT: sqlite3_bind_int64(q, at, v->number); return;
    case REGISTRY_TEXT: sqlite3_bind_text(q, at, v->bytes.ptr, (int)v->bytes.len, SQLITE_STATIC); return;
    case REGISTRY_BLOB: sqlite3_bind_blob(q, at, v->bytes.ptr, (int)v->bytes.len, SQLITE_STATIC); return;
    }
}

static struct registry_query *ask(struct registry *r, const char *sql, const struct registry_value *values,
                                  size_t count)
{
    struct query *q = mem_zalloc(1, sizeof *q);
    q->base.registry = r;
    q->rc = sqlite3_prepare_v2(of(r)->db, sql, -1, &q->statement, NULL);
    for (size_t i = 0; q->rc == SQLITE_OK && i < count; i++)
        bind(q->statement, (int)i + 1, &values[i]);
    return &q->base;
}

static bool next(struct registry_query *base)
{
    struct query *q = (struct query *)base;
    if (q->rc == SQLITE_OK || q->rc == SQLITE_ROW) q->rc = sqlite3_step(q->statement);
    return q->rc == SQLITE_ROW;
}

/* Who has read enough may end it at a row. */
static bool end(struct registry_query *base, struct fault *why)
{
    struct query *q = (struct query *)base;
    bool is_good = q->rc == SQLITE_DONE || q->rc == SQLITE_ROW || fail(of(base->registry), why);
    sqlite3_finalize(q->statement);
    mem_free(q);
    return is_good;
}

static bool is_null(const struct registry_query *q, int column)
{
    return sqlite3_column_type(((const struct query *)q)->statement, column) == SQLITE_NULL;
}

static int64_t number(const struct registry_query *q, int column)
{
    return sqlite3_column_int64(((const struct query *)q)->statement, column);
}

static struct slice bytes(const struct registry_query *q, int column)
{
    return column_bytes(((const struct query *)q)->statement, column);
}

static int columns(const struct registry_query *q)
{
    return sqlite3_column_count(((const struct query *)q)->statement);
}

static enum registry_type type(const struct registry_query *q, int column)
{
    switch (sqlite3_column_type(((const struct query *)q)->statement, column)) {
    case SQLITE_INTEGER: return REGISTRY_INT;
    case SQLITE_TEXT: return REGISTRY_TEXT;
    case SQLITE_BLOB: return REGISTRY_BLOB;
    default: return REGISTRY_NULL;
    }
}

static bool lower(struct registry *r, bool is_down, struct fault *why)
{
    int rc = sqlite3_db_config(of(r)->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, !is_down, NULL);
    return rc == SQLITE_OK || fail(of(r), why);
}

static bool is_inside(const struct registry *r)
{
    return !sqlite3_get_autocommit(((const struct registry_sqlite *)r)->db);
}

static void be_brief(struct registry *r)
{
    sqlite3_busy_timeout(of(r)->db, 0);
    sqlite3_exec(of(r)->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
}

static void close_db(struct registry *r)
{
    sqlite3_close(of(r)->db);
    registry_clear(r);
    mem_free(r);
}

static const char *const intact[] = {
    "SELECT integrity_check FROM pragma_integrity_check(100) WHERE integrity_check <> 'ok'",
    "SELECT \"table\" || ' ' || rowid FROM pragma_foreign_key_check LIMIT 100", NULL};

static const struct registry_engine engine = {.begin_change = "BEGIN IMMEDIATE",
                                              .begin_read = "BEGIN",
                                              .intact = intact,
                                              .run = run,
                                              .ask = ask,
                                              .next = next,
                                              .end = end,
                                              .is_null = is_null,
                                              .number = number,
                                              .bytes = bytes,
                                              .columns = columns,
                                              .type = type,
                                              .lower = lower,
                                              .is_inside = is_inside,
                                              .be_brief = be_brief,
                                              .close = close_db};

/* ---- Opening. */

static struct registry_sqlite *new_one(char *path)
{
    struct registry_sqlite *s = mem_zalloc(1, sizeof *s);
    registry_init(&s->base, &engine, path);
    return s;
}

bool registry_sqlite_version(struct registry_sqlite *s, int *version, struct fault *why)
{
    struct registry_query *q = registry_ask(&s->base, "PRAGMA user_version", NULL, 0);
    *version = registry_next(q) ? (int)registry_int(q, 0) : 0;
    return registry_end(q, why);
}

/* Another file in the place of one that was taken away begins another epoch: its revisions begin anew. */
#define BEGIN_EPOCH "UPDATE meta SET v = strftime('%s', 'now') || substr(strftime('%f', 'now'), 4) WHERE k = 'epoch'"

static bool make(struct registry_sqlite *s, struct fault *why)
{
    char mark[40];
    snprintf(mark, sizeof mark, "PRAGMA user_version = %d", REGISTRY_SCHEMA);
    return registry_run(&s->base, registry_schema_sqlite(), why) && registry_run(&s->base, BEGIN_EPOCH, why) &&
           registry_run(&s->base, mark, why);
}

static bool refuse_newer(const struct registry_sqlite *s, int version, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: made by a newer moongate (schema %d, this one knows %d)", s->base.name,
                     version, REGISTRY_SCHEMA);
}

bool registry_sqlite_migrate(struct registry_sqlite *s, struct fault *why)
{
    int version = 0;
    if (!registry_sqlite_version(s, &version, why)) return false;
    if (version == REGISTRY_SCHEMA) return registry_check_version(&s->base, why);
    if (!registry_run(&s->base, engine.begin_change, why) || !registry_sqlite_version(s, &version, why)) return false;
    if (version > REGISTRY_SCHEMA) return refuse_newer(s, version, why);
    bool is_good = version == REGISTRY_SCHEMA || (version ? registry_upgrade(s, version, make, why) : make(s, why));
    return is_good && registry_run(&s->base, "COMMIT", why);
}

/* SQLite would make it with the umask's mode. Its -wal and -shm take the mode of the file. */
static bool touch_private(const char *path, struct fault *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    close(fd);
    return true;
}

#define SETTINGS                                                                                                       \
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;"     \
    "PRAGMA recursive_triggers = ON" /* a row that REPLACE takes away is seen by triggers, too */

static bool open_db(struct registry_sqlite *s, struct fault *why)
{
    if (!touch_private(s->base.name, why)) return false;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(s->base.name, &s->db, flags, NULL) != SQLITE_OK) return fail(s, why);
    sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
    return registry_run(&s->base, SETTINGS, why) && registry_sqlite_migrate(s, why);
}

static char *path_of(const char *data_dir)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" REGISTRY_FILE, data_dir);
    char *text = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    return text;
}

static struct registry *open_path(char *path, struct fault *why)
{
    struct registry_sqlite *s = new_one(path);
    if (open_db(s, why)) return &s->base;
    registry_close(&s->base);
    return NULL;
}

struct registry *registry_open_folder(const char *data_dir, struct fault *why)
{
    return open_path(path_of(data_dir), why);
}

struct registry *registry_open_file(const char *path, struct fault *why)
{
    return open_path(mem_strdup(path), why);
}

/* ---- For who only reads. */

/* What an older moongate left is read from a copy in memory that is brought up to date: the file stays as it is. */
static bool read_older(struct registry_sqlite *s, struct fault *why)
{
    sqlite3 *copy = NULL;
    sqlite3_backup *b = NULL;
    if (sqlite3_open(":memory:", &copy) == SQLITE_OK) b = sqlite3_backup_init(copy, "main", s->db, "main");
    int rc = b ? sqlite3_backup_step(b, -1) : SQLITE_ERROR;
    if (b) sqlite3_backup_finish(b);
    if (rc != SQLITE_DONE) {
        sqlite3_close(copy);
        return fault_set(why, FAULT_INTERNAL, "%s: cannot be read", s->base.name);
    }
    sqlite3_close(s->db);
    s->db = copy;
    return registry_sqlite_migrate(s, why);
}

static bool open_reader(struct registry_sqlite *s, struct fault *why)
{
    int version = 0;
    s->db = reader_open(s->base.name, why);
    if (!s->db || !registry_sqlite_version(s, &version, why)) return false;
    if (version > REGISTRY_SCHEMA) return refuse_newer(s, version, why);
    return version == REGISTRY_SCHEMA || read_older(s, why);
}

static struct registry *read_path(char *path, struct fault *why)
{
    struct registry_sqlite *s = new_one(path);
    if (open_reader(s, why)) return &s->base;
    close_db(&s->base);
    return NULL;
}

struct registry *registry_open_reader_file(const char *path, struct fault *why)
{
    return read_path(mem_strdup(path), why);
}

bool registry_read_folder(const char *data_dir, struct registry **r, struct fault *why)
{
    struct stat st;
    char *path = path_of(data_dir);
    bool is_there = stat(path, &st) == 0 || errno != ENOENT;
    *r = is_there ? read_path(mem_strdup(path), why) : NULL;
    mem_free(path);
    return *r || !is_there;
}
