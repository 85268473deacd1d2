#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "store/keyring.h"
#include "store/registry/sqlite_inner.h"

#define OLD_LAST 4

/* What each of the old versions added to the one before. */
static const char *const steps[OLD_LAST + 1] = {
    [2] = "ALTER TABLE keys ADD COLUMN ends_requests INTEGER NOT NULL DEFAULT 0;"
          "ALTER TABLE keys ADD COLUMN successor TEXT NOT NULL DEFAULT ''",
    [3] = "CREATE TABLE changes(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,"
          " taken INTEGER NOT NULL DEFAULT 0) STRICT",
    [4] = "CREATE TABLE topups(id TEXT PRIMARY KEY, budget TEXT NOT NULL, scope TEXT NOT NULL, nano INTEGER NOT NULL,"
          " reason TEXT NOT NULL, made_by TEXT NOT NULL, created_at INTEGER NOT NULL, starts_at INTEGER NOT NULL,"
          " ends_at INTEGER NOT NULL, ended_at INTEGER NOT NULL DEFAULT 0) STRICT"};

/* What they noted becomes the first events, in its order; the rows are of the last of them. */
static const char events[] =
    "INSERT INTO event(rev, id, at, actor, uid, host, via, action, object, reason, before, after, rules, chained)"
    " SELECT row_number() OVER (ORDER BY number), id, coalesce(CAST(strftime('%s', body->>'time') AS INTEGER), 0),"
    " coalesce(body->>'actor', ''), coalesce(body->>'uid', 0), coalesce(body->>'host', ''),"
    " coalesce(body->>'via', ''), coalesce(body->>'action', ''), coalesce(body->>'target', ''), body->>'reason',"
    " body->'before', body->'after', '', taken FROM changes WHERE json_valid(body);"
    "UPDATE rev SET rev = (SELECT count(*) FROM event)";

static const char keys[] =
    "PRAGMA defer_foreign_keys = ON;"
    "INSERT INTO credential(id, kind, digest, tail, app, fields, created_at, expires_at, revoked_at, ends_requests,"
    " replaces, made, rev)"
    " SELECT k.id, 'data', registry_digest(k.digest, k.id), k.tail,"
    " CASE WHEN json_valid(k.attributes) THEN k.attributes->>'app' END,"
    " CASE WHEN json_valid(k.attributes) THEN json_remove(k.attributes, '$.app') ELSE k.attributes END, k.created_at,"
    " nullif(k.expires_at, 0), nullif(k.revoked_at, 0), k.ends_requests <> 0,"
    " (SELECT o.id FROM keys o WHERE o.successor = k.id), row_number() OVER (ORDER BY k.rowid) - count(*) OVER (),"
    " r.rev FROM keys k, rev r ORDER BY k.rowid";

static const char topups[] =
    "INSERT INTO topup(id, budget, scope, nano, reason, made_by, created_at, starts_at, ends_at, ended_at, made,"
    " rev)"
    " SELECT t.id, t.budget, t.scope, t.nano, t.reason, t.made_by, t.created_at, t.starts_at, t.ends_at,"
    " nullif(t.ended_at, 0), row_number() OVER (ORDER BY t.rowid) - count(*) OVER (), r.rev FROM topups t, rev r"
    " ORDER BY t.rowid";

static const char ends[] = "DROP TABLE keys; DROP TABLE topups; DROP TABLE changes";

/* registry_digest(hex, id): as bytes. */
static void digest(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    uint8_t bytes[KEY_DIGEST_BYTES];
    const char *hex = (const char *)sqlite3_value_text(values[0]), *id = (const char *)sqlite3_value_text(values[1]);
    if (hex && hex_read(slice_str(hex), bytes, sizeof bytes)) {
        sqlite3_result_blob(context, bytes, sizeof bytes, SQLITE_TRANSIENT);
        return;
    }
    char *said = sqlite3_mprintf("the digest of %s is damaged", id ? id : "a key");
    sqlite3_result_error(context, said, -1);
    sqlite3_free(said);
}

bool registry_upgrade(struct registry_sqlite *s, int version,
                      bool (*make)(struct registry_sqlite *s, struct fault *why), struct fault *why)
{
    struct registry *r = &s->base;
    while (version < OLD_LAST) {
        if (!registry_run(r, steps[++version], why)) return false;
    }
    sqlite3_create_function(s->db, "registry_digest", 2, SQLITE_UTF8, NULL, digest, NULL, NULL);
    return make(s, why) && registry_run(r, events, why) && registry_run(r, keys, why) &&
           registry_run(r, topups, why) && registry_run(r, ends, why);
}
