#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/registry/registry_inner.h"

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
    if (sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) != SQLITE_OK) return registry_fail(r, why);
    sqlite3_bind_text(q, 1, made->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, hex, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, made->text + strlen(made->text) - 4, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 4, attributes, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 5, (sqlite3_int64)(clock_wall_ns() / NS_PER_S));
    sqlite3_bind_int64(q, 6, (sqlite3_int64)expires_at);
    bool is_good = sqlite3_step(q) == SQLITE_DONE || registry_fail(r, why);
    sqlite3_finalize(q);
    return is_good;
}

/* A new name and a new secret for what `attributes` say. */
static bool make_key(struct registry *r, const char *attributes, uint64_t expires_at, struct key_made *made,
                     struct fault *why)
{
    memcpy(made->text, KEY_TEXT_PREFIX, 4);
    memcpy(made->id, "key_", 4);
    return registry_random(made->text + 4, KEY_TEXT_BYTES - 5, why) &&
           registry_random(made->id + 4, KEY_ID_BYTES - 5, why) && insert_key(r, made, attributes, expires_at, why);
}

static uint64_t now_s(void)
{
    return clock_wall_ns() / NS_PER_S;
}

/* ---- Changes: what they do and what is noted of them goes into the file together. */

static bool note_made(struct registry *r, const struct change_by *by, const char *id, const char *attributes,
                      uint64_t expires_at, struct fault *why)
{
    json_t *after = json_loads(attributes, 0, NULL);
    json_object_set_new(after, "expires_at", json_integer((json_int_t)expires_at));
    return registry_note(r, by, "keys.create", slice_str(id), NULL, after, why);
}

bool registry_key_create(struct registry *r, const struct key_spec *spec, const struct change_by *by,
                         struct key_made *made, struct fault *why)
{
    if (!check_spec(spec, why)) return false;
    char *attributes = attributes_of(spec);
    if (!attributes) return fault_set(why, FAULT_INTERNAL, "a field is not valid UTF-8");
    bool is_good = registry_run(r, "BEGIN IMMEDIATE", why) && make_key(r, attributes, spec->expires_at, made, why) &&
                   note_made(r, by, made->id, attributes, spec->expires_at, why) && registry_run(r, "COMMIT", why);
    mem_free(attributes);
    return is_good || registry_give_up(r);
}

/* Runs to the end a statement whose parameters are numbers and then the key's id. */
static bool change_key(struct registry *r, const char *sql, const uint64_t *numbers, int count, struct slice id,
                       struct fault *why)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) != SQLITE_OK) return registry_fail(r, why);
    for (int i = 0; i < count; i++)
        sqlite3_bind_int64(q, i + 1, (sqlite3_int64)numbers[i]);
    sqlite3_bind_text(q, count + 1, id.ptr, (int)id.len, SQLITE_STATIC);
    bool is_good = sqlite3_step(q) == SQLITE_DONE || registry_fail(r, why);
    sqlite3_finalize(q);
    return is_good;
}

/* As it stands in the file, inside the transaction that changes it. */
struct old_key {
    char *attributes;
    uint64_t created_at, expires_at;
    bool is_revoked, ends_requests, has_successor;
};

static enum registry_found read_old(struct registry *r, struct slice id, struct old_key *old, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = "SELECT attributes, created_at, expires_at, revoked_at, ends_requests, successor FROM keys"
                      " WHERE id = ?";
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
        old->ends_requests = sqlite3_column_int64(q, 4) != 0;
        old->has_successor = sqlite3_column_bytes(q, 5) > 0;
    } else if (rc != SQLITE_DONE) {
        registry_fail(r, why);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW ? REGISTRY_FOUND : rc == SQLITE_DONE ? REGISTRY_MISSING : REGISTRY_FAILED;
}

/* ---- Revocation. */

static bool note_revoked(struct registry *r, struct slice id, const struct old_key *old, bool ends_requests,
                         const struct change_by *by, struct fault *why)
{
    json_t *before = json_object(), *after = json_object();
    if (!old->is_revoked) {
        json_object_set_new(before, "revoked", json_false());
        json_object_set_new(after, "revoked", json_true());
    }
    if (ends_requests && !old->ends_requests) {
        json_object_set_new(before, "ends_requests", json_false());
        json_object_set_new(after, "ends_requests", json_true());
    }
    return registry_note(r, by, "keys.revoke", id, before, after, why);
}

static bool revoke(struct registry *r, struct slice id, const struct old_key *old, bool ends_requests,
                   const struct change_by *by, struct fault *why)
{
    const uint64_t numbers[] = {now_s(), ends_requests};
    if (old->is_revoked && (old->ends_requests || !ends_requests)) return true; /* nothing changes */
    return change_key(r,
                      "UPDATE keys SET revoked_at = CASE revoked_at WHEN 0 THEN ? ELSE revoked_at END,"
                      " ends_requests = max(ends_requests, ?) WHERE id = ?",
                      numbers, 2, id, why) &&
           note_revoked(r, id, old, ends_requests, by, why);
}

enum registry_found registry_key_revoke(struct registry *r, struct slice id, bool ends_requests,
                                        const struct change_by *by, struct fault *why)
{
    struct old_key old = {NULL};
    if (!registry_run(r, "BEGIN IMMEDIATE", why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, id, &old, why);
    bool is_good = found == REGISTRY_FOUND && revoke(r, id, &old, ends_requests, by, why);
    mem_free(old.attributes);
    return registry_end_change(r, found, is_good, why);
}

/* ---- Rotation. */

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
    return change_key(r, sql, &rotated->old_expires_at, 1, id, why);
}

static bool note_rotated(struct registry *r, struct slice id, const struct old_key *old,
                         const struct key_rotated *rotated, const struct change_by *by, struct fault *why)
{
    json_t *before = json_pack("{s:I}", "expires_at", (json_int_t)old->expires_at);
    json_t *after = json_pack("{s:I, s:s, s:I}", "expires_at", (json_int_t)rotated->old_expires_at, "successor",
                              rotated->made.id, "successor_expires_at", (json_int_t)rotated->expires_at);
    return registry_note(r, by, "keys.rotate", id, before, after, why);
}

enum registry_found registry_key_rotate(struct registry *r, struct slice id, uint64_t grace_s,
                                        const struct change_by *by, struct key_rotated *rotated, struct fault *why)
{
    struct old_key old = {NULL};
    if (!registry_run(r, "BEGIN IMMEDIATE", why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, id, &old, why);
    bool is_good = found == REGISTRY_FOUND && may_rotate(&old, why) &&
                   replace_key(r, id, &old, grace_s, rotated, why) && note_rotated(r, id, &old, rotated, by, why);
    mem_free(old.attributes);
    return registry_end_change(r, found, is_good, why);
}
