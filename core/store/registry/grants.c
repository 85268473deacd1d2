#include <jansson.h>

#include "base/limits.h"
#include "store/governance.h"
#include "store/registry/approvals_inner.h"

/* ---- As one stands. */

struct old_grant {
    char granted_by[PERSON_ID_BYTES];
    int64_t ends_at, revoked_at, rev;
    bool is_break_glass, is_closed;
};

static enum registry_found read_old(struct registry *r, struct slice id, struct old_grant *old, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT granted_by, ends_at, revoked_at, is_break_glass, closed_by, rev FROM access_grant WHERE id = ?",
        value_text(id));
    bool is_there = registry_next(q);
    if (is_there) {
        *old = (struct old_grant){.ends_at = registry_int(q, 1),
                                  .revoked_at = registry_int(q, 2),
                                  .is_break_glass = registry_int(q, 3) != 0,
                                  .is_closed = !registry_is_null(q, 4),
                                  .rev = registry_int(q, 5)};
        snprintf(old->granted_by, sizeof old->granted_by, "%.*s", SLICE_FMT(registry_text(q, 0)));
    }
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

/* ---- Break-glass. */

static bool check_spec(const struct glass_spec *spec, struct fault *why)
{
    if (spec->seconds < 1 || spec->seconds > BREAK_GLASS_S)
        return fault_set(why, FAULT_INTERNAL, "break-glass lasts an hour at most");
    return access_check_subject(spec->subject_kind, spec->subject, spec->object, why) &&
           access_check_purpose(spec->reason, why);
}

static bool has_role(struct registry *r, struct slice person, struct slice role, struct slice department, int64_t at_s,
                     struct fault *why)
{
    bool is_held = false;
    if (!registry_role_is_held(r, person, role, department, at_s, &is_held, why)) return false;
    return is_held || registry_refuse_as(r, REGISTRY_NOT_YOUR_SCOPE, why);
}

static bool is_human(struct registry *r, struct slice person, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT 1 FROM person WHERE id = ? AND kind = 'human' AND disabled_at IS NULL", value_text(person));
    bool is_one = registry_next(q);
    if (!registry_end(q, why)) return false;
    return is_one || registry_refuse_as(r, REGISTRY_NOT_HUMAN, why);
}

static bool has_none_open(struct registry *r, struct slice person, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT 1 FROM access_grant g JOIN identity x ON x.id = g.granted_by"
                     " JOIN identity y ON y.who = x.who"
                     " WHERE g.is_break_glass = 1 AND g.closed_by IS NULL AND y.id = ?",
                     value_text(person));
    bool is_there = registry_next(q);
    if (!registry_end(q, why)) return false;
    return !is_there || registry_refuse_as(r, REGISTRY_UNCLOSED, why);
}

static bool insert_glass(struct registry *r, const struct glass_spec *spec, int64_t at_s, const struct glass_made *made,
                         struct fault *why)
{
    return REGISTRY_DO(r, why,
                       "INSERT INTO access_grant(id, subject_kind, subject, object, starts_at, ends_at, granted_by,"
                       " is_break_glass, reason, rev) VALUES(?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
                       value_str(made->id), value_text(spec->subject_kind), value_text(spec->subject),
                       value_text(spec->object), value_int(at_s), value_int(made->ends_at), value_text(spec->person),
                       value_text(spec->reason), value_rev(r));
}

static json_t *described(const struct glass_spec *spec, const struct glass_made *made)
{
    return json_pack("{s:s%, s:s%, s:s%, s:s%, s:s%, s:I}", "subject_kind", spec->subject_kind.ptr,
                     spec->subject_kind.len, "subject", spec->subject.ptr, spec->subject.len, "object",
                     spec->object.ptr, spec->object.len, "person", spec->person.ptr, spec->person.len, "why",
                     spec->reason.ptr, spec->reason.len, "ends_at", (json_int_t)made->ends_at);
}

bool registry_break_glass(struct registry *r, const struct glass_spec *asked, const struct change_by *by,
                          struct glass_made *made, struct fault *why)
{
    int64_t at_s = registry_now_s();
    struct glass_spec in_force = *asked;
    const struct glass_spec *spec = &in_force;
    if (!access_break_by_rules(r, &in_force, why) || !check_spec(spec, why)) return false;
    if (!registry_make_id(made->id, "gnt_", why)) return false;
    made->ends_at = at_s + spec->seconds;
    bool is_good = registry_begin(r, why) && is_human(r, spec->person, why) &&
                   has_role(r, spec->person, spec->role, spec->department, at_s, why) &&
                   has_none_open(r, spec->person, why) && insert_glass(r, spec, at_s, made, why) &&
                   registry_commit(r, by, "grants.break_glass", slice_str(made->id), NULL, described(spec, made), why);
    return is_good || registry_abort(r);
}

/* What still runs ends with it. */
static bool close_it(struct registry *r, struct slice id, const struct old_grant *old, struct slice person,
                     const struct change_by *by, struct fault *why)
{
    int64_t at_s = registry_now_s();
    bool is_running = !old->revoked_at && old->ends_at > at_s;
    return REGISTRY_DO(r, why,
                       "UPDATE access_grant SET closed_by = ?, revoked_at = coalesce(revoked_at, ?),"
                       " revoked_by = coalesce(revoked_by, ?), rev = ? WHERE id = ?",
                       value_text(person), value_int_or_null(is_running ? at_s : 0),
                       value_text_or_null(is_running ? person : SLICE_NONE), value_rev(r), value_text(id)) &&
           registry_commit(r, by, "grants.close", id, NULL,
                           json_pack("{s:s%, s:b}", "closed_by", person.ptr, person.len, "was_running", is_running),
                           why);
}

enum registry_found registry_break_glass_close(struct registry *r, struct slice id, struct slice person,
                                               struct slice role, struct slice department, const struct change_by *by,
                                               struct fault *why)
{
    struct old_grant old = {.rev = 0};
    bool is_own = false;
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    if (r->governance && r->governance->has_break_glass) role = r->governance->glass_by;
    enum registry_found found = read_old(r, id, &old, why);
    bool is_good = found == REGISTRY_FOUND &&
                   ((old.is_break_glass && !old.is_closed) || registry_refuse_as(r, REGISTRY_NOT_PENDING, why)) &&
                   access_is_same_person(r, person, slice_str(old.granted_by), &is_own, why) &&
                   (!is_own || registry_refuse_as(r, REGISTRY_SELF_APPROVAL, why)) &&
                   has_role(r, person, role, department, registry_now_s(), why) &&
                   close_it(r, id, &old, person, by, why);
    return registry_end_change(r, found, is_good);
}

/* ---- Ended before its time. */

static bool revoke(struct registry *r, struct slice id, const struct old_grant *old, struct slice person,
                   const struct change_by *by, struct fault *why)
{
    int64_t at_s = registry_now_s();
    if (old->revoked_at || old->ends_at <= at_s) return true; /* nothing changes */
    return REGISTRY_DO(r, why, "UPDATE access_grant SET revoked_at = ?, revoked_by = ?, rev = ? WHERE id = ?",
                       value_int(at_s), value_text(person), value_rev(r), value_text(id)) &&
           registry_commit(r, by, "grants.revoke", id, json_pack("{s:I}", "ends_at", (json_int_t)old->ends_at),
                           json_pack("{s:I, s:s%}", "revoked_at", (json_int_t)at_s, "revoked_by", person.ptr,
                                     person.len),
                           why);
}

enum registry_found registry_grant_revoke(struct registry *r, struct slice id, struct slice person, int64_t if_rev,
                                          const struct change_by *by, struct fault *why)
{
    struct old_grant old = {.rev = 0};
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, id, &old, why);
    bool is_good = found == REGISTRY_FOUND && registry_is_as_seen(r, old.rev, if_rev, why) &&
                   revoke(r, id, &old, person, by, why);
    return registry_end_change(r, found, is_good);
}

static bool shorten(struct registry *r, struct slice id, const struct old_grant *old, int64_t ends_at,
                    const struct change_by *by, struct fault *why)
{
    int64_t at_s = registry_now_s();
    if (old->revoked_at || old->ends_at <= at_s) return registry_refuse_as(r, REGISTRY_NOT_PENDING, why);
    if (ends_at <= at_s || ends_at >= old->ends_at) return registry_refuse_as(r, REGISTRY_INVALID, why);
    return REGISTRY_DO(r, why, "UPDATE access_grant SET ends_at = ?, rev = ? WHERE id = ?", value_int(ends_at),
                       value_rev(r), value_text(id)) &&
           registry_commit(r, by, "grants.shorten", id, json_pack("{s:I}", "ends_at", (json_int_t)old->ends_at),
                           json_pack("{s:I}", "ends_at", (json_int_t)ends_at), why);
}

enum registry_found registry_grant_shorten(struct registry *r, struct slice id, int64_t ends_at, int64_t if_rev,
                                           const struct change_by *by, struct fault *why)
{
    struct old_grant old = {.rev = 0};
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, id, &old, why);
    bool is_good = found == REGISTRY_FOUND && registry_is_as_seen(r, old.rev, if_rev, why) &&
                   shorten(r, id, &old, ends_at, by, why);
    return registry_end_change(r, found, is_good);
}

/* ---- All of them. */

static const char all_grants[] =
    "SELECT id, request, subject_kind, subject, object, granted_by, reason, closed_by, revoked_by,"
    " CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN ends_at <= ? THEN 'ended' ELSE 'active' END, starts_at,"
    " ends_at, revoked_at, rev, is_break_glass FROM access_grant WHERE ? = '' OR id = ? ORDER BY starts_at DESC, id"
    " LIMIT ?";

static json_t *grant_of_row(const struct registry_query *q)
{
    static const char *const texts[] = {"id",         "request", "subject_kind", "subject",    "object",
                                        "granted_by", "reason",  "closed_by",    "revoked_by", "state"};
    static const char *const numbers[] = {"starts_at", "ends_at", "revoked_at", "rev"};
    json_t *grant = json_object();
    for (int i = 0; i < 10; i++)
        registry_set_text(grant, texts[i], q, i);
    for (int i = 0; i < 4; i++)
        registry_set_int(grant, numbers[i], q, 10 + i);
    json_object_set_new(grant, "break_glass", json_boolean(registry_int(q, 14) != 0));
    return grant;
}

json_t *registry_grants(struct registry *r, struct slice id, int64_t now_s, struct fault *why)
{
    json_t *list = json_array();
    struct registry_query *q = REGISTRY_ASK(r, all_grants, value_int(now_s), value_text(id), value_text(id),
                                            value_int(LIMIT_ACCESS_LISTED));
    while (registry_next(q))
        json_array_append_new(list, grant_of_row(q));
    if (registry_end(q, why)) return list;
    json_decref(list);
    return NULL;
}

static void add_imported(json_t *list, const struct registry_query *q)
{
    size_t i;
    json_t *model, *fields = json_loadb(registry_text(q, 1).ptr, registry_text(q, 1).len, 0, NULL);
    json_array_foreach(json_object_get(fields, "approvals"), i, model)
    {
        json_t *one = json_object();
        registry_set_text(one, "key", q, 0);
        registry_set_text(one, "owner", q, 2);
        json_object_set(one, "model", model);
        json_array_append_new(list, one);
    }
    json_decref(fields);
}

json_t *registry_grants_imported(struct registry *r, int64_t now_s, struct fault *why)
{
    json_t *list = json_array();
    struct registry_query *q = REGISTRY_ASK(r,
                                            "SELECT id, fields, person FROM credential WHERE kind = 'data'"
                                            " AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
                                            " AND fields LIKE '%\"approvals\"%' ORDER BY made, id",
                                            value_int(now_s));
    while (registry_next(q))
        add_imported(list, q);
    if (registry_end(q, why)) return list;
    json_decref(list);
    return NULL;
}
