#include "store/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/rand.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"

#define SCHEMA_VERSION 2
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
    "ALTER TABLE keys ADD COLUMN successor TEXT NOT NULL DEFAULT '';"}; /* the id of a rotated key's next */

struct registry {
    sqlite3 *db;
    char *path;
};

static bool fail(const struct registry *r, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: %s", r->path, sqlite3_errmsg(r->db));
}

static bool run(struct registry *r, const char *sql, struct fault *why)
{
    return sqlite3_exec(r->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(r, why);
}

static bool read_version(struct registry *r, int *version, struct fault *why)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(r->db, "PRAGMA user_version", -1, &q, NULL) != SQLITE_OK) return fail(r, why);
    bool is_good = sqlite3_step(q) == SQLITE_ROW;
    if (is_good) *version = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return is_good || fail(r, why);
}

/* Inside one transaction, so that two processes that start together make it once. */
static bool migrate(struct registry *r, struct fault *why)
{
    int version = 0;
    if (!run(r, "BEGIN IMMEDIATE", why) || !read_version(r, &version, why)) return false;
    if (version > SCHEMA_VERSION) {
        return fault_set(why, FAULT_INTERNAL, "%s: made by a newer moongate (schema %d, this one knows %d)", r->path,
                         version, SCHEMA_VERSION);
    }
    for (; version < SCHEMA_VERSION; version++) {
        char mark[40];
        snprintf(mark, sizeof mark, "PRAGMA user_version = %d", version + 1);
        if (!run(r, schemas[version], why) || !run(r, mark, why)) return false;
    }
    return run(r, "COMMIT", why);
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
    if (sqlite3_open_v2(r->path, &r->db, flags, NULL) != SQLITE_OK) return fail(r, why);
    sqlite3_busy_timeout(r->db, BUSY_TIMEOUT_MS);
    return run(r, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF", why) &&
           migrate(r, why);
}

struct registry *registry_open(const char *data_dir, struct fault *why)
{
    struct registry *r = mem_zalloc(1, sizeof *r);
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/registry.db", data_dir);
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

/* `count` characters of base 62, each with its full share of randomness (bytes of 248 and up are thrown away). */
static bool random_text(char *text, size_t count, struct fault *why)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    unsigned char bytes[64];
    for (size_t n = 0; n < count;) {
        if (RAND_bytes(bytes, sizeof bytes) != 1) {
            return fault_set(why, FAULT_INTERNAL, "the system gives no random bytes");
        }
        for (size_t i = 0; i < sizeof bytes && n < count; i++) {
            if (bytes[i] < 248) text[n++] = letters[bytes[i] % 62];
        }
    }
    text[count] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return true;
}

static json_t *text_json(struct slice text)
{
    return json_stringn(text.ptr ? text.ptr : "", text.len);
}

static json_t *list_json(const struct slice *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(list, text_json(items[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *labels_json(const struct key_spec *spec)
{
    json_t *labels = json_object();
    for (size_t i = 0; i < spec->label_count; i++) {
        char *name = mem_strndup(spec->labels[i].name.ptr, spec->labels[i].name.len);
        int failed = json_object_set_new(labels, name, text_json(spec->labels[i].value));
        mem_free(name);
        if (!failed) continue;
        json_decref(labels);
        return NULL;
    }
    return labels;
}

/* NULL when a text is not UTF-8. */
static char *attributes_of(const struct key_spec *spec)
{
    const struct {
        const char *name;
        struct slice text;
    } texts[] = {
        {"app", spec->app},   {"department", spec->department}, {"user", spec->user}, {"team", spec->team},
        {"tier", spec->tier}, {"region", spec->region},         {"env", spec->env},   {"clearance", spec->clearance}};
    json_t *all = json_object();
    int failed = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].text.len) failed |= json_object_set_new(all, texts[i].name, text_json(texts[i].text));
    }
    if (spec->role_count) failed |= json_object_set_new(all, "roles", list_json(spec->roles, spec->role_count));
    if (spec->label_count) failed |= json_object_set_new(all, "labels", labels_json(spec));
    if (spec->approval_count) {
        failed |= json_object_set_new(all, "approvals", list_json(spec->approvals, spec->approval_count));
    }
    char *text = failed ? NULL : json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(all);
    return text;
}

static bool check_text(struct slice text, const char *what, struct fault *why)
{
    if (text.len <= LIMIT_KEY_FIELD_BYTES) return true;
    return fault_set(why, FAULT_INTERNAL, "%s is longer than %u bytes", what, LIMIT_KEY_FIELD_BYTES);
}

static bool check_spec(const struct key_spec *spec, struct fault *why)
{
    const struct slice texts[] = {spec->app,  spec->department, spec->user,      spec->team,
                                  spec->tier, spec->region,     spec->clearance, spec->env};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!check_text(texts[i], "a field", why)) return false;
    }
    if (spec->role_count > LIMIT_KEY_LIST || spec->label_count > LIMIT_KEY_LIST ||
        spec->approval_count > LIMIT_KEY_LIST) {
        return fault_set(why, FAULT_INTERNAL, "more than %u roles, labels or approvals", LIMIT_KEY_LIST);
    }
    for (size_t i = 0; i < spec->role_count; i++) {
        if (!check_text(spec->roles[i], "a role", why)) return false;
    }
    for (size_t i = 0; i < spec->approval_count; i++) {
        if (!check_text(spec->approvals[i], "an approved model", why)) return false;
    }
    for (size_t i = 0; i < spec->label_count; i++) {
        if (spec->labels[i].name.len == 0) return fault_set(why, FAULT_INTERNAL, "a label without a name");
        if (!check_text(spec->labels[i].name, "a label's name", why)) return false;
        if (!check_text(spec->labels[i].value, "a label", why)) return false;
    }
    return true;
}

static bool insert_key(struct registry *r, const struct key_made *made, const char *attributes, uint64_t expires_at,
                       struct fault *why)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    char hex[2 * KEY_DIGEST_BYTES + 1];
    sqlite3_stmt *q;
    const char *sql = "INSERT INTO keys(id, digest, tail, attributes, created_at, expires_at, revoked_at)"
                      " VALUES(?, ?, ?, ?, ?, ?, 0)";
    keyring_digest(slice_str(made->text), digest);
    hex_write(digest, sizeof digest, hex);
    if (sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) != SQLITE_OK) return fail(r, why);
    sqlite3_bind_text(q, 1, made->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, hex, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, made->text + strlen(made->text) - 4, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 4, attributes, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 5, (sqlite3_int64)(clock_wall_ns() / NS_PER_S));
    sqlite3_bind_int64(q, 6, (sqlite3_int64)expires_at);
    bool is_good = sqlite3_step(q) == SQLITE_DONE || fail(r, why);
    sqlite3_finalize(q);
    return is_good;
}

/* A new name and a new secret for what `attributes` say. */
static bool make_key(struct registry *r, const char *attributes, uint64_t expires_at, struct key_made *made,
                     struct fault *why)
{
    memcpy(made->text, KEY_TEXT_PREFIX, 4);
    memcpy(made->id, "key_", 4);
    return random_text(made->text + 4, KEY_TEXT_BYTES - 5, why) && random_text(made->id + 4, KEY_ID_BYTES - 5, why) &&
           insert_key(r, made, attributes, expires_at, why);
}

bool registry_key_create(struct registry *r, const struct key_spec *spec, struct key_made *made, struct fault *why)
{
    if (!check_spec(spec, why)) return false;
    char *attributes = attributes_of(spec);
    if (!attributes) return fault_set(why, FAULT_INTERNAL, "a field is not valid UTF-8");
    bool is_good = make_key(r, attributes, spec->expires_at, made, why);
    mem_free(attributes);
    return is_good;
}

static uint64_t now_s(void)
{
    return clock_wall_ns() / NS_PER_S;
}

/* Runs to the end a statement whose parameters are numbers and then the key's id. */
static enum registry_found change_key(struct registry *r, const char *sql, const uint64_t *numbers, int count,
                                      struct slice id, struct fault *why)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) != SQLITE_OK) {
        fail(r, why);
        return REGISTRY_FAILED;
    }
    for (int i = 0; i < count; i++)
        sqlite3_bind_int64(q, i + 1, (sqlite3_int64)numbers[i]);
    sqlite3_bind_text(q, count + 1, id.ptr, (int)id.len, SQLITE_STATIC);
    int rc = sqlite3_step(q);
    sqlite3_finalize(q);
    if (rc != SQLITE_DONE) {
        fail(r, why);
        return REGISTRY_FAILED;
    }
    return sqlite3_changes(r->db) ? REGISTRY_FOUND : REGISTRY_MISSING;
}

enum registry_found registry_key_revoke(struct registry *r, struct slice id, bool ends_requests, struct fault *why)
{
    const uint64_t numbers[] = {now_s(), ends_requests};
    return change_key(r,
                      "UPDATE keys SET revoked_at = CASE revoked_at WHEN 0 THEN ? ELSE revoked_at END,"
                      " ends_requests = max(ends_requests, ?) WHERE id = ?",
                      numbers, 2, id, why);
}

/* ---- Rotation. */

struct old_key {
    char *attributes;
    uint64_t created_at, expires_at;
    bool is_revoked, has_successor;
};

static enum registry_found read_old(struct registry *r, struct slice id, struct old_key *old, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = "SELECT attributes, created_at, expires_at, revoked_at, successor FROM keys WHERE id = ?";
    int rc = sqlite3_prepare_v2(r->db, sql, -1, &q, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(q, 1, id.ptr, (int)id.len, SQLITE_STATIC);
        rc = sqlite3_step(q);
    }
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(q, 0);
        old->attributes = mem_strndup(text, strlen(text));
        old->created_at = (uint64_t)sqlite3_column_int64(q, 1);
        old->expires_at = (uint64_t)sqlite3_column_int64(q, 2);
        old->is_revoked = sqlite3_column_int64(q, 3) != 0;
        old->has_successor = sqlite3_column_bytes(q, 4) > 0;
    } else if (rc != SQLITE_DONE) {
        fail(r, why);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW ? REGISTRY_FOUND : rc == SQLITE_DONE ? REGISTRY_MISSING : REGISTRY_FAILED;
}

/* A second key in the place of one would live on unnoticed; one that is dead was ended for a reason. */
static bool may_rotate(const struct old_key *old, struct fault *why)
{
    if (old->is_revoked) return fault_set(why, FAULT_INTERNAL, "the key is revoked");
    if (old->has_successor) return fault_set(why, FAULT_INTERNAL, "the key was rotated before: another has its place");
    if (old->expires_at && old->expires_at <= now_s()) return fault_set(why, FAULT_INTERNAL, "the key has expired");
    return true;
}

static bool replace_key(struct registry *r, struct slice id, const struct old_key *old, uint64_t grace_s,
                        struct key_rotated *rotated, struct fault *why)
{
    uint64_t now = now_s(), end = now + grace_s;
    rotated->expires_at = old->expires_at ? now + (old->expires_at - old->created_at) : 0;
    rotated->old_expires_at = old->expires_at && old->expires_at < end ? old->expires_at : end;
    if (!make_key(r, old->attributes, rotated->expires_at, &rotated->made, why)) return false;
    char sql[96];
    snprintf(sql, sizeof sql, "UPDATE keys SET expires_at = ?, successor = '%s' WHERE id = ?", rotated->made.id);
    return change_key(r, sql, &rotated->old_expires_at, 1, id, why) == REGISTRY_FOUND;
}

enum registry_found registry_key_rotate(struct registry *r, struct slice id, uint64_t grace_s,
                                        struct key_rotated *rotated, struct fault *why)
{
    struct old_key old = {NULL};
    if (!run(r, "BEGIN IMMEDIATE", why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, id, &old, why);
    bool is_done = found == REGISTRY_FOUND && may_rotate(&old, why) &&
                   replace_key(r, id, &old, grace_s, rotated, why) && run(r, "COMMIT", why);
    if (!is_done) sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    mem_free(old.attributes);
    return is_done || found == REGISTRY_MISSING ? found : REGISTRY_FAILED;
}

enum {
    COLUMN_ID,
    COLUMN_DIGEST,
    COLUMN_TAIL,
    COLUMN_ATTRIBUTES,
    COLUMN_CREATED,
    COLUMN_EXPIRES,
    COLUMN_REVOKED,
    COLUMN_ENDS_REQUESTS,
    COLUMN_SUCCESSOR
};

static void set_text(json_t *key, const char *name, sqlite3_stmt *q, int column)
{
    json_object_set_new(key, name, json_string((const char *)sqlite3_column_text(q, column)));
}

/* NULL when the attributes are damaged. */
static json_t *key_of_row(sqlite3_stmt *q, bool is_snapshot)
{
    json_t *key = json_loads((const char *)sqlite3_column_text(q, COLUMN_ATTRIBUTES), JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(key)) {
        json_decref(key);
        return NULL;
    }
    set_text(key, "id", q, COLUMN_ID);
    json_object_set_new(key, "expires_at", json_integer(sqlite3_column_int64(q, COLUMN_EXPIRES)));
    json_object_set_new(key, "revoked", json_boolean(sqlite3_column_int64(q, COLUMN_REVOKED) != 0));
    json_object_set_new(key, "ends_requests", json_boolean(sqlite3_column_int64(q, COLUMN_ENDS_REQUESTS) != 0));
    if (is_snapshot) {
        set_text(key, "digest", q, COLUMN_DIGEST);
        return key;
    }
    set_text(key, "tail", q, COLUMN_TAIL);
    set_text(key, "successor", q, COLUMN_SUCCESSOR);
    json_object_set_new(key, "created_at", json_integer(sqlite3_column_int64(q, COLUMN_CREATED)));
    json_object_set_new(key, "revoked_at", json_integer(sqlite3_column_int64(q, COLUMN_REVOKED)));
    return key;
}

static json_t *read_keys(struct registry *r, bool is_snapshot, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql =
        "SELECT id, digest, tail, attributes, created_at, expires_at, revoked_at, ends_requests, successor"
        " FROM keys ORDER BY rowid";
    int rc = sqlite3_prepare_v2(r->db, sql, -1, &q, NULL);
    json_t *keys = json_array();
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(q);
        if (rc != SQLITE_ROW) break;
        if (json_array_append_new(keys, key_of_row(q, is_snapshot)) != 0) {
            fault_set(why, FAULT_INTERNAL, "%s: the attributes of %s are damaged", r->path, sqlite3_column_text(q, 0));
            break;
        }
    }
    if (rc == SQLITE_DONE) {
        sqlite3_finalize(q);
        return keys;
    }
    if (rc != SQLITE_ROW) fail(r, why);
    sqlite3_finalize(q);
    json_decref(keys);
    return NULL;
}

json_t *registry_keys(struct registry *r, struct fault *why)
{
    return read_keys(r, false, why);
}

bool registry_export(struct registry *r, struct buf *out, struct fault *why)
{
    json_t *keys = read_keys(r, true, why);
    if (!keys) return false;
    char *text = json_dumps(keys, JSON_COMPACT);
    buf_append(out, SLICE("{\"keys\":"));
    buf_append(out, slice_str(text));
    buf_append_char(out, '}');
    mem_free(text);
    json_decref(keys);
    return true;
}
