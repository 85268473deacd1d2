#include <jansson.h>

#include "store/registry/registry_inner.h"

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
    if (rc != SQLITE_ROW) registry_fail(r, why);
    sqlite3_finalize(q);
    json_decref(keys);
    return NULL;
}

json_t *registry_keys(struct registry *r, struct fault *why)
{
    return read_keys(r, false, why);
}

bool registry_export_keys(struct registry *r, struct buf *out, struct fault *why)
{
    json_t *keys = read_keys(r, true, why);
    if (!keys) return false;
    registry_append(out, "keys", keys);
    return true;
}
