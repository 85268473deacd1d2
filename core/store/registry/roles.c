#include <jansson.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "store/registry/people.h"
#include "store/registry/registry_inner.h"

/* The target of the event: who got it. */
static json_t *described(const struct role_spec *spec)
{
    return json_pack("{s:s%, s:s%, s:I}", "role", spec->role.ptr, spec->role.len, "scope", spec->scope.ptr,
                     spec->scope.len, "ends_at", (json_int_t)spec->ends_at);
}

static bool check_spec(const struct role_spec *spec, struct fault *why)
{
    const struct slice texts[] = {spec->role, spec->scope};
    for (size_t i = 0; i < 2; i++) {
        if (texts[i].len == 0)
            return fault_set(why, FAULT_INTERNAL, "a role has a name and a scope: a department or *");
        if (texts[i].len > LIMIT_KEY_FIELD_BYTES)
            return fault_set(why, FAULT_INTERNAL, "a field is longer than %u bytes", LIMIT_KEY_FIELD_BYTES);
        if (!utf8_is_valid(texts[i])) return fault_set(why, FAULT_INTERNAL, "a field is not valid UTF-8");
    }
    return spec->given_by.len || fault_set(why, FAULT_INTERNAL, "a role is given by somebody");
}

bool registry_role_give(struct registry *r, const struct role_spec *spec, const struct change_by *by, struct fault *why)
{
    bool is_good = check_spec(spec, why) && registry_begin(r, why) &&
                   REGISTRY_DO(r, why,
                               "INSERT INTO role_grant(person, role, scope, given_by, at, ends_at, rev)"
                               " VALUES(?, ?, ?, ?, ?, ?, ?)",
                               value_text(spec->person), value_text(spec->role), value_text(spec->scope),
                               value_text(spec->given_by), value_int(registry_now_s()),
                               value_int_or_null(spec->ends_at), value_rev(r)) &&
                   registry_commit(r, by, "roles.give", spec->person, NULL, described(spec), why);
    return is_good || registry_abort(r);
}

enum registry_found registry_role_take(struct registry *r, const struct role_spec *spec, const struct change_by *by,
                                       struct fault *why)
{
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    struct registry_query *q =
        REGISTRY_ASK(r, "DELETE FROM role_grant WHERE person = ? AND role = ? AND scope = ? RETURNING ends_at",
                     value_text(spec->person), value_text(spec->role), value_text(spec->scope));
    bool was_there = registry_next(q);
    struct role_spec old = *spec;
    old.ends_at = was_there ? registry_int(q, 0) : 0;
    if (!registry_end(q, why)) return registry_end_change(r, REGISTRY_FAILED, false);
    bool is_good = was_there && registry_commit(r, by, "roles.take", spec->person, described(&old), NULL, why);
    return registry_end_change(r, was_there ? REGISTRY_FOUND : REGISTRY_MISSING, is_good);
}

json_t *registry_roles(struct registry *r, struct slice person, struct fault *why)
{
    static const char *const texts[] = {"person", "role", "scope", "given_by"};
    static const char *const numbers[] = {"at", "ends_at", "rev"};
    json_t *roles = json_array();
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT person, role, scope, given_by, at, ends_at, rev FROM role_grant WHERE ? = '' OR person = ?"
                     " ORDER BY person, role, scope",
                     value_text(person), value_text(person));
    while (registry_next(q)) {
        json_t *role = json_object();
        for (int i = 0; i < 4; i++)
            registry_set_text(role, texts[i], q, i);
        for (int i = 0; i < 3; i++)
            registry_set_int(role, numbers[i], q, 4 + i);
        json_array_append_new(roles, role);
    }
    if (registry_end(q, why)) return roles;
    json_decref(roles);
    return NULL;
}

bool registry_role_is_held(struct registry *r, struct slice person, struct slice role, struct slice department,
                           int64_t now_s, bool *is_held, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT 1 FROM role_grant g JOIN person p ON p.id = g.person WHERE g.person = ? AND g.role = ?"
                     " AND (g.scope = '*' OR g.scope = ?) AND (g.ends_at IS NULL OR g.ends_at > ?)"
                     " AND p.disabled_at IS NULL",
                     value_text(person), value_text(role), value_text(department), value_int(now_s));
    *is_held = registry_next(q);
    return registry_end(q, why);
}
