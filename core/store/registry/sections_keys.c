#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/keyring_build.h"
#include "store/registry/registry_inner.h"

/* Keys as workers get them. A key stands for what its owner is now: whose owner is disabled, however he was merged, is
 * revoked, and department, clearance and roles are the owner's as his identity provider last told them. */

/* ---- Roles of all people, those that are over left out. */

struct held_role {
    struct slice person, role, scope;
};

struct held_roles {
    struct arena arena;
    struct held_role *all; /* one person's stand together */
    uint32_t count, room;
    struct map first; /* by person: his first */
};

static struct slice person_of(const void *owner, uint32_t item)
{
    return ((const struct held_roles *)owner)->all[item].person;
}

static void keep_role(struct held_roles *h, const struct registry_query *q)
{
    bool is_next = h->count && slice_equal(h->all[h->count - 1].person, registry_text(q, 0));
    if (h->count == h->room) {
        h->room = h->room ? 2 * h->room : 64;
        h->all = mem_realloc(h->all, h->room * sizeof *h->all);
    }
    h->all[h->count] = (struct held_role){arena_copy(&h->arena, registry_text(q, 0)),
                                          arena_copy(&h->arena, registry_text(q, 1)),
                                          arena_copy(&h->arena, registry_text(q, 2))};
    if (!is_next) map_add(&h->first, h->count);
    h->count++;
}

static bool read_roles(struct registry *r, int64_t now_s, struct held_roles *h, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT person, role, scope FROM role_grant WHERE ends_at IS NULL OR ends_at > ? ORDER BY person, role",
        value_int(now_s));
    arena_init(&h->arena);
    map_init(&h->first, person_of, h);
    while (registry_next(q))
        keep_role(h, q);
    return registry_end(q, why);
}

static void forget_roles(struct held_roles *h)
{
    map_clear(&h->first);
    arena_clear(&h->arena);
    mem_free(h->all);
}

/* ---- A key and its owner. */

static const char all_keys[] =
    "SELECT c.id, c.digest, c.app, c.expires_at, c.revoked_at, c.ends_requests, w.id, w.disabled_at, c.fields,"
    " w.issuer, w.subject, w.department, w.clearance, w.confirmed_at, w.managed_by, w.kind"
    " FROM credential c LEFT JOIN person p ON p.id = c.person LEFT JOIN person w ON w.id = coalesce(p.same_as, p.id)"
    " WHERE c.kind = 'data' ORDER BY c.made, c.id";

enum {
    KEY_ID,
    KEY_DIGEST,
    KEY_APP,
    KEY_EXPIRES,
    KEY_REVOKED,
    KEY_ENDS_REQUESTS,
    OWNER_ID,
    OWNER_DISABLED,
    KEY_FIELDS,
    OWNER_ISSUER,
    OWNER_SUBJECT,
    OWNER_DEPARTMENT,
    OWNER_CLEARANCE,
    OWNER_CONFIRMED,
    OWNER_MANAGED,
    OWNER_KIND
};

/* Beyond the clock's end is no reason to know no key at all. */
static uint64_t wall_ns_of(int64_t seconds)
{
    uint64_t ns;
    if (seconds <= 0) return 0;
    return __builtin_mul_overflow((uint64_t)seconds, (uint64_t)NS_PER_S, &ns) ? UINT64_MAX : ns;
}

/* A person of an identity provider's: what he is, it says. Of who is local only administrators say anything. */
static bool is_told_by_provider(const struct registry_query *q)
{
    return !registry_is_null(q, OWNER_ID) && slice_equal(registry_text(q, OWNER_KIND), SLICE("human")) &&
           !slice_equal(registry_text(q, OWNER_ISSUER), SLICE("local"));
}

static bool set_text(json_t *fields, const char *name, struct slice text)
{
    if (text.len) return json_object_set_new(fields, name, json_stringn(text.ptr, text.len)) == 0;
    json_object_del(fields, name);
    return true;
}

/* What the key's own list names, where it has one: a key may be for less than its owner, never for more. */
static bool is_narrowed_to(const json_t *narrowing, struct slice role)
{
    size_t i;
    json_t *one;
    if (!narrowing) return true;
    json_array_foreach(narrowing, i, one) {
        if (slice_equal(slice_str(json_string_value(one)), role)) return true;
    }
    return false;
}

/* Those for his department, and those for all. */
static void set_roles(json_t *fields, const struct held_roles *h, struct slice person, struct slice department)
{
    uint32_t i;
    json_t *roles = json_array(), *narrowing = json_object_get(fields, "roles");
    struct slice last = SLICE_NONE;
    for (bool is_his = map_find(&h->first, person, &i); is_his; is_his = ++i < h->count) {
        const struct held_role *held = &h->all[i];
        if (!slice_equal(held->person, person)) break;
        bool covers = slice_equal(held->scope, SLICE("*")) || slice_equal(held->scope, department);
        if (!covers || slice_equal(held->role, last) || !is_narrowed_to(narrowing, held->role)) continue;
        json_array_append_new(roles, json_stringn(held->role.ptr, held->role.len));
        last = held->role;
    }
    json_object_set_new(fields, "roles", roles);
}

/* Into the key's own fields. */
static void add_owner(const struct registry_query *q, const struct held_roles *roles, json_t *fields)
{
    struct slice department = registry_text(q, OWNER_DEPARTMENT), clearance = registry_text(q, OWNER_CLEARANCE);
    if (registry_is_null(q, OWNER_ID)) return;
    if (is_told_by_provider(q)) {
        set_text(fields, "department", department);
        set_text(fields, "clearance", clearance);
        set_roles(fields, roles, registry_text(q, OWNER_ID), department);
        if (!json_object_get(fields, "user")) set_text(fields, "user", registry_text(q, OWNER_SUBJECT));
        return;
    }
    if (department.len && !json_object_get(fields, "department")) set_text(fields, "department", department);
    if (clearance.len && !json_object_get(fields, "clearance")) set_text(fields, "clearance", clearance);
}

static bool add_key(struct registry *r, struct keyring_build *b, const struct registry_query *q,
                    const struct held_roles *roles, struct fault *why)
{
    struct slice digest = registry_text(q, KEY_DIGEST), fields = registry_text(q, KEY_FIELDS);
    struct key_record key = {.id = registry_text(q, KEY_ID),
                             .app = registry_text(q, KEY_APP),
                             .person = registry_text(q, OWNER_ID)};
    if (digest.len != KEY_DIGEST_BYTES)
        return fault_set(why, FAULT_INTERNAL, "%s: the digest of %.*s is damaged", r->name, SLICE_FMT(key.id));
    memcpy(key.digest, digest.ptr, digest.len);
    key.expires_wall_ns = wall_ns_of(registry_int(q, KEY_EXPIRES));
    key.is_revoked = !registry_is_null(q, KEY_REVOKED) || !registry_is_null(q, OWNER_DISABLED);
    key.ends_requests = registry_int(q, KEY_ENDS_REQUESTS) != 0;
    /* Who is kept up to date by SCIM is there until it says otherwise. */
    if (is_told_by_provider(q) && registry_is_null(q, OWNER_MANAGED))
        key.confirmed_wall_ns = wall_ns_of(registry_int(q, OWNER_CONFIRMED));
    json_t *json = json_loadb(fields.ptr, fields.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json)) add_owner(q, roles, json);
    bool is_good = json_is_object(json) ? keyring_build_add_fields(b, &key, json, why)
                                        : fault_set(why, FAULT_INTERNAL, "%s: the attributes of %.*s are damaged",
                                                    r->name, SLICE_FMT(key.id));
    json_decref(json);
    return is_good;
}

bool registry_build_keys(struct registry *r, int64_t now_s, const struct section_about *about, struct buf *out,
                         struct fault *why)
{
    struct held_roles roles = {.all = NULL};
    bool is_good = read_roles(r, now_s, &roles, why);
    struct keyring_build *b = keyring_build_new();
    struct registry_query *q = is_good ? registry_ask(r, all_keys, NULL, 0) : NULL;
    while (is_good && registry_next(q))
        is_good = add_key(r, b, q, &roles, why);
    if (q) is_good = registry_end_rows(q, is_good, why) && keyring_build_end(b, about, out, why);
    keyring_build_free(b);
    forget_roles(&roles);
    return is_good;
}
