#include "store/registry/key_change.h"

#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"
#include "store/registry/registry_inner.h"

/* As it stands, inside the transaction that changes it. */
struct standing {
    json_t *fields;
    char *owner;
    int64_t expires_at, rev;
    bool is_revoked;
};

static enum registry_found read(struct registry *r, struct slice id, struct standing *s, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT fields, person, expires_at, rev, revoked_at FROM credential WHERE id = ? AND kind = 'data'",
        value_text(id));
    bool is_there = registry_next(q);
    if (is_there) {
        struct slice fields = registry_text(q, 0), owner = registry_text(q, 1);
        *s = (struct standing){json_loadb(fields.ptr, fields.len, 0, NULL), mem_strndup(owner.ptr, owner.len),
                               registry_int(q, 2), registry_int(q, 3), !registry_is_null(q, 4)};
    }
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

static bool check(struct registry *r, const struct standing *s, const struct key_change *c, struct fault *why)
{
    if (s->is_revoked) return registry_refuse_as(r, REGISTRY_IMMUTABLE, why);
    if (!json_is_object(s->fields)) return fault_set(why, FAULT_INTERNAL, "%s: a key's fields are damaged", r->name);
    if (c->has_end && c->expires_at && c->expires_at <= registry_now_s())
        return fault_set(why, FAULT_INTERNAL, "it would have expired already: revoke it");
    if (json_object_size(c->labels) > LIMIT_KEY_LIST)
        return fault_set(why, FAULT_INTERNAL, "more than %u labels", LIMIT_KEY_LIST);
    const char *name;
    json_t *value;
    json_object_foreach (c->labels, name, value)
        if (!name[0] || strlen(name) > LIMIT_KEY_FIELD_BYTES || json_string_length(value) > LIMIT_KEY_FIELD_BYTES)
            return fault_set(why, FAULT_INTERNAL, "a label's name or value has more than %u bytes, or none",
                             LIMIT_KEY_FIELD_BYTES);
    return true;
}

/* Both get what differs. */
static void apply(struct standing *s, const struct key_change *c, json_t *before, json_t *after)
{
    if (c->has_owner) {
        json_object_set_new(before, "owner", s->owner[0] ? json_string(s->owner) : json_null());
        json_object_set_new(after, "owner", c->owner.len ? json_stringn(c->owner.ptr, c->owner.len) : json_null());
    }
    if (c->has_end) {
        json_object_set_new(before, "expires_at", json_integer(s->expires_at));
        json_object_set_new(after, "expires_at", json_integer(c->expires_at));
    }
    if (!c->has_labels) return;
    json_t *old = json_object_get(s->fields, "labels");
    json_object_set(before, "labels", old ? old : json_null());
    json_object_set(after, "labels", c->labels);
    json_object_set(s->fields, "labels", c->labels);
}

static bool write(struct registry *r, struct slice id, const struct standing *s, const struct key_change *c,
                  struct fault *why)
{
    char *fields = json_dumps(s->fields, JSON_COMPACT | JSON_SORT_KEYS);
    struct slice owner = c->has_owner ? c->owner : slice_str(s->owner);
    int64_t end = c->has_end ? c->expires_at : s->expires_at;
    bool is_good = REGISTRY_DO(
        r, why, "UPDATE credential SET fields = ?, person = ?, expires_at = ?, rev = ? WHERE id = ?", value_str(fields),
        value_text_or_null(owner), value_int_or_null(end), value_rev(r), value_text(id));
    mem_free(fields);
    return is_good;
}

static bool change(struct registry *r, struct slice id, struct standing *s, const struct key_change *c,
                   const struct change_by *by, struct fault *why)
{
    json_t *before = json_object(), *after = json_object();
    apply(s, c, before, after);
    if (write(r, id, s, c, why)) return registry_commit(r, by, "keys.change", id, before, after, why);
    json_decref(before);
    json_decref(after);
    return false;
}

enum registry_found registry_key_change(struct registry *r, struct slice id, int64_t if_rev,
                                        const struct key_change *c, const struct change_by *by, struct fault *why)
{
    struct standing s = {NULL};
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = read(r, id, &s, why);
    bool is_good = found == REGISTRY_FOUND && registry_is_as_seen(r, s.rev, if_rev, why) && check(r, &s, c, why) &&
                   change(r, id, &s, c, by, why);
    json_decref(s.fields);
    mem_free(s.owner);
    return registry_end_change(r, found, is_good);
}
