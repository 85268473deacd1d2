#include <jansson.h>

#include "base/hex.h"
#include "store/registry/registry_inner.h"

enum {
    COLUMN_ID,
    COLUMN_DIGEST,
    COLUMN_TAIL,
    COLUMN_APP,
    COLUMN_FIELDS,
    COLUMN_CREATED,
    COLUMN_EXPIRES,
    COLUMN_REVOKED,
    COLUMN_ENDS_REQUESTS,
    COLUMN_SUCCESSOR,
    COLUMN_OWNER,
    COLUMN_REV
};

static const char all[] =
    "SELECT c.id, c.digest, c.tail, c.app, c.fields, c.created_at, c.expires_at, c.revoked_at, c.ends_requests, s.id,"
    " c.person, c.rev FROM credential c LEFT JOIN credential s ON s.replaces = c.id WHERE c.kind = 'data'"
    " ORDER BY c.made, c.id";

static void set_digest(json_t *key, const struct registry_query *q)
{
    char hex[2 * KEY_DIGEST_BYTES + 1] = "";
    struct slice digest = registry_text(q, COLUMN_DIGEST);
    if (digest.len == KEY_DIGEST_BYTES) hex_write((const uint8_t *)digest.ptr, digest.len, hex);
    json_object_set_new(key, "digest", json_string(hex));
}

static void set_rest(json_t *key, const struct registry_query *q)
{
    registry_set_text(key, "tail", q, COLUMN_TAIL);
    registry_set_text(key, "successor", q, COLUMN_SUCCESSOR);
    if (registry_is_null(q, COLUMN_SUCCESSOR)) json_object_set_new(key, "successor", json_string(""));
    registry_set_text(key, "owner", q, COLUMN_OWNER);
    registry_set_int(key, "created_at", q, COLUMN_CREATED);
    registry_set_int(key, "revoked_at", q, COLUMN_REVOKED);
    registry_set_int(key, "rev", q, COLUMN_REV);
}

/* NULL when the fields are damaged. */
static json_t *key_of_row(const struct registry_query *q, bool is_snapshot)
{
    struct slice fields = registry_text(q, COLUMN_FIELDS);
    json_t *key = json_loadb(fields.ptr, fields.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(key)) {
        json_decref(key);
        return NULL;
    }
    registry_set_text(key, "app", q, COLUMN_APP);
    registry_set_text(key, "id", q, COLUMN_ID);
    registry_set_int(key, "expires_at", q, COLUMN_EXPIRES);
    json_object_set_new(key, "revoked", json_boolean(!registry_is_null(q, COLUMN_REVOKED)));
    json_object_set_new(key, "ends_requests", json_boolean(registry_int(q, COLUMN_ENDS_REQUESTS) != 0));
    if (is_snapshot) set_digest(key, q);
    else set_rest(key, q);
    return key;
}

static json_t *read_keys(struct registry *r, bool is_snapshot, struct fault *why)
{
    bool is_good = true;
    json_t *keys = json_array();
    struct registry_query *q = registry_ask(r, all, NULL, 0);
    while (is_good && registry_next(q)) {
        is_good = json_array_append_new(keys, key_of_row(q, is_snapshot)) == 0 ||
                  fault_set(why, FAULT_INTERNAL, "%s: the attributes of %.*s are damaged", r->name,
                            SLICE_FMT(registry_text(q, COLUMN_ID)));
    }
    if (registry_end(q, is_good ? why : &(struct fault){.text = ""}) && is_good) return keys;
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
