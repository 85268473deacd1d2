#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
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

/* All but the app, which has its own column. NULL when a text is not UTF-8. */
static char *fields_of(const struct key_spec *spec)
{
    const struct {
        const char *name;
        struct slice text;
    } texts[] = {
        {"department", spec->department}, {"user", spec->user}, {"team", spec->team},          {"tier", spec->tier},
        {"region", spec->region},         {"env", spec->env},   {"clearance", spec->clearance}};
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
    if (!utf8_is_valid(spec->app)) return fault_set(why, FAULT_INTERNAL, "a field is not valid UTF-8");
    for (size_t i = 0; i < spec->label_count; i++) {
        if (spec->labels[i].name.len == 0) return fault_set(why, FAULT_INTERNAL, "a label without a name");
        if (!check_text(spec->labels[i].name, "a label's name", why)) return false;
        if (!check_text(spec->labels[i].value, "a label", why)) return false;
    }
    return true;
}

/* ---- Making. */

/* What a key stands for, of a new one or of the one that it replaces. */
struct key_row {
    struct slice app, owner, fields, replaces;
    uint64_t expires_at;
};

static bool insert_key(struct registry *r, const struct key_made *made, const struct key_row *row, struct fault *why)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    keyring_digest(slice_str(made->text), digest);
    return REGISTRY_DO(r, why,
                       "INSERT INTO credential(id, kind, digest, tail, person, app, fields, created_at, expires_at,"
                       " replaces, made, rev) VALUES(?, 'data', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       value_str(made->id), value_blob(digest, sizeof digest),
                       value_str(made->text + strlen(made->text) - 4), value_text_or_null(row->owner),
                       value_text_or_null(row->app), value_text(row->fields), value_int(registry_now_s()),
                       value_int_or_null((int64_t)row->expires_at), value_text_or_null(row->replaces), value_rev(r),
                       value_rev(r));
}

/* A new name and a new secret. */
static bool make_key(struct registry *r, const struct key_row *row, struct key_made *made, struct fault *why)
{
    memcpy(made->text, KEY_TEXT_PREFIX, 4);
    return registry_random(made->text + 4, KEY_TEXT_BYTES - 5, why) && registry_make_id(made->id, "key_", why) &&
           insert_key(r, made, row, why);
}

/* What is told of a new key. */
static json_t *described(const struct key_row *row)
{
    json_t *after = json_loadb(row->fields.ptr, row->fields.len, 0, NULL);
    if (row->app.len) json_object_set_new(after, "app", text_json(row->app));
    if (row->owner.len) json_object_set_new(after, "owner", text_json(row->owner));
    json_object_set_new(after, "expires_at", json_integer((json_int_t)row->expires_at));
    return after;
}

bool registry_key_create(struct registry *r, const struct key_spec *spec, const struct change_by *by,
                         struct key_made *made, struct fault *why)
{
    if (!check_spec(spec, why)) return false;
    char *fields = fields_of(spec);
    if (!fields) return fault_set(why, FAULT_INTERNAL, "a field is not valid UTF-8");
    struct key_row row = {spec->app, spec->owner, slice_str(fields), SLICE_NONE, spec->expires_at};
    bool is_good = registry_begin(r, why) && make_key(r, &row, made, why) &&
                   registry_commit(r, by, "keys.create", slice_str(made->id), NULL, described(&row), why);
    mem_free(fields);
    return is_good || registry_abort(r);
}

/* ---- As it stands, inside the transaction that changes it. */

struct old_key {
    char *app, *owner, *fields;
    int64_t created_at, expires_at;
    bool is_revoked, ends_requests, has_successor;
};

static char *copied(const struct registry_query *q, int column)
{
    struct slice text = registry_text(q, column);
    return mem_strndup(text.ptr, text.len);
}

static enum registry_found read_old(struct registry *r, struct slice id, struct old_key *old, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT c.app, c.person, c.fields, c.created_at, c.expires_at, c.revoked_at, c.ends_requests, s.id"
                     " FROM credential c LEFT JOIN credential s ON s.replaces = c.id WHERE c.id = ?"
                     " AND c.kind = 'data'",
                     value_text(id));
    bool is_there = registry_next(q);
    if (is_there) {
        *old = (struct old_key){.app = copied(q, 0),
                                .owner = copied(q, 1),
                                .fields = copied(q, 2),
                                .created_at = registry_int(q, 3),
                                .expires_at = registry_int(q, 4),
                                .is_revoked = !registry_is_null(q, 5),
                                .ends_requests = registry_int(q, 6) != 0,
                                .has_successor = !registry_is_null(q, 7)};
    }
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

static void forget(struct old_key *old)
{
    mem_free(old->app);
    mem_free(old->owner);
    mem_free(old->fields);
}

/* ---- Revocation. */

static bool commit_revoked(struct registry *r, struct slice id, const struct old_key *old, bool ends_requests,
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
    return registry_commit(r, by, "keys.revoke", id, before, after, why);
}

static bool revoke(struct registry *r, struct slice id, const struct old_key *old, bool ends_requests,
                   const struct change_by *by, struct fault *why)
{
    if (old->is_revoked && (old->ends_requests || !ends_requests)) return true; /* nothing changes */
    return REGISTRY_DO(r, why,
                       "UPDATE credential SET revoked_at = coalesce(revoked_at, ?), ends_requests = ?, rev = ?"
                       " WHERE id = ?",
                       value_int(registry_now_s()), value_int(old->ends_requests || ends_requests), value_rev(r),
                       value_text(id)) &&
           commit_revoked(r, id, old, ends_requests, by, why);
}

enum registry_found registry_key_revoke(struct registry *r, struct slice id, bool ends_requests,
                                        const struct change_by *by, struct fault *why)
{
    struct old_key old = {NULL};
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, id, &old, why);
    bool is_good = found == REGISTRY_FOUND && revoke(r, id, &old, ends_requests, by, why);
    forget(&old);
    return registry_end_change(r, found, is_good);
}

/* ---- Rotation. */

/* A second key in the place of one would live on unnoticed; one that is dead was ended for a reason. */
static bool may_rotate(const struct old_key *old, struct fault *why)
{
    if (old->is_revoked) return fault_set(why, FAULT_INTERNAL, "the key is revoked");
    if (old->has_successor) return fault_set(why, FAULT_INTERNAL, "the key was rotated before: another has its place");
    if (old->expires_at && old->expires_at <= registry_now_s())
        return fault_set(why, FAULT_INTERNAL, "the key has expired");
    return true;
}

static bool replace_key(struct registry *r, struct slice id, const struct old_key *old, uint64_t grace_s,
                        struct key_rotated *rotated, struct fault *why)
{
    uint64_t now = (uint64_t)registry_now_s(), end = now + grace_s, old_end = (uint64_t)old->expires_at;
    rotated->expires_at = old_end ? now + (old_end - (uint64_t)old->created_at) : 0;
    rotated->old_expires_at = old_end && old_end < end ? old_end : end;
    struct key_row row = {slice_str(old->app), slice_str(old->owner), slice_str(old->fields), id, rotated->expires_at};
    return make_key(r, &row, &rotated->made, why) &&
           REGISTRY_DO(r, why, "UPDATE credential SET expires_at = ?, rev = ? WHERE id = ?",
                       value_int((int64_t)rotated->old_expires_at), value_rev(r), value_text(id));
}

static bool commit_rotated(struct registry *r, struct slice id, const struct old_key *old,
                           const struct key_rotated *rotated, const struct change_by *by, struct fault *why)
{
    json_t *before = json_pack("{s:I}", "expires_at", (json_int_t)old->expires_at);
    json_t *after = json_pack("{s:I, s:s, s:I}", "expires_at", (json_int_t)rotated->old_expires_at, "successor",
                              rotated->made.id, "successor_expires_at", (json_int_t)rotated->expires_at);
    return registry_commit(r, by, "keys.rotate", id, before, after, why);
}

enum registry_found registry_key_rotate(struct registry *r, struct slice id, uint64_t grace_s,
                                        const struct change_by *by, struct key_rotated *rotated, struct fault *why)
{
    struct old_key old = {NULL};
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, id, &old, why);
    bool is_good = found == REGISTRY_FOUND && may_rotate(&old, why) &&
                   replace_key(r, id, &old, grace_s, rotated, why) && commit_rotated(r, id, &old, rotated, by, why);
    forget(&old);
    return registry_end_change(r, found, is_good);
}
