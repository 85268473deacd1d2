#include <jansson.h>

#include "base/limits.h"
#include "store/governance.h"
#include "store/registry/approvals_inner.h"

/* One that is under way. */
struct deciding {
    struct registry *r;
    const struct access_verdict *verdict;
    const struct access_old *old;
    struct access_rule rule;
    struct slice department;
    struct slice role; /* in which he decides */
    const struct governance_row *row; /* in force; NULL: none is, it is as it was asked for */
    int64_t at_s;
    struct access_decided *decided;
};

static struct slice text_in(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return slice_of(json_string_value(value), json_string_length(value));
}

/* ---- In which role. */

/* By somebody whose approval of that line is there already; whose: his, however he was merged. */
static bool has_approved(struct deciding *d, struct slice role, bool *is_met, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(d->r, "SELECT 1 FROM decision WHERE request = ? AND role = ? AND verdict = 'approve'",
                     value_text(d->verdict->request), value_text(role));
    *is_met = registry_next(q);
    return registry_end(q, why);
}

static bool has_decided(struct deciding *d, bool *has, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(d->r,
                     "SELECT 1 FROM decision d JOIN identity x ON x.id = d.person JOIN identity y ON y.who = x.who"
                     " WHERE d.request = ? AND y.id = ?",
                     value_text(d->verdict->request), value_text(d->verdict->person));
    *has = registry_next(q);
    return registry_end(q, why);
}

/* Is this line still open, and may he meet it? */
static bool may_meet(struct deciding *d, struct slice role, bool *may, struct fault *why)
{
    bool is_met = false;
    *may = false;
    if (!role.len) return true;
    if (!has_approved(d, role, &is_met, why)) return false;
    if (is_met && d->verdict->is_approval) return true;
    return registry_role_is_held(d->r, d->verdict->person, role, d->department, d->at_s, may, why);
}

static bool choose_role(struct deciding *d, struct fault *why)
{
    bool may = false;
    const struct slice roles[] = {d->rule.by, d->rule.also};
    for (size_t i = 0; i < 2; i++) {
        if (!may_meet(d, roles[i], &may, why)) return false;
        d->role = roles[i];
        if (may) return true;
    }
    return registry_refuse_as(d->r, REGISTRY_NOT_YOUR_SCOPE, why);
}

/* ---- What comes of it. */

static bool find_missing(struct deciding *d, struct fault *why)
{
    const struct slice roles[] = {d->rule.by, d->rule.also};
    for (size_t i = 0; i < 2; i++) {
        bool is_met = true;
        if (roles[i].len && !has_approved(d, roles[i], &is_met, why)) return false;
        if (is_met) continue;
        snprintf(d->decided->missing, sizeof d->decided->missing, "%.*s", SLICE_FMT(roles[i]));
        return true;
    }
    return true;
}

/* It begins now, whenever it was asked for. */
static bool grant(struct deciding *d, struct fault *why)
{
    const struct access_old *old = d->old;
    int64_t longest = d->row ? d->row->longest_s : d->verdict->longest_s;
    int64_t seconds = longest && longest < old->seconds ? longest : old->seconds;
    d->decided->is_granted = true;
    d->decided->ends_at = d->at_s + seconds;
    return registry_make_id(d->decided->grant, "gnt_", why) &&
           access_set_state(d->r, d->verdict->request, "approved", why) &&
           REGISTRY_DO(d->r, why,
                       "INSERT INTO access_grant(id, request, subject_kind, subject, object, starts_at, ends_at,"
                       " granted_by, reason, rev) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       value_str(d->decided->grant), value_text(d->verdict->request), value_str(old->subject_kind),
                       value_str(old->subject), value_str(old->object), value_int(d->at_s),
                       value_int(d->decided->ends_at), value_text(d->verdict->person), value_str(old->purpose),
                       value_rev(d->r));
}

static bool carry_out(struct deciding *d, struct fault *why)
{
    if (!d->verdict->is_approval) {
        d->decided->is_denied = true;
        return access_set_state(d->r, d->verdict->request, "denied", why);
    }
    if (!find_missing(d, why)) return false;
    /* Also where it goes on waiting it is another than who looked at it before has seen. */
    return d->decided->missing[0] ? access_set_state(d->r, d->verdict->request, "pending", why) : grant(d, why);
}

static json_t *described(const struct deciding *d)
{
    const struct access_verdict *v = d->verdict;
    json_t *after = json_pack("{s:s%, s:s%}", "person", v->person.ptr, v->person.len, "role", d->role.ptr, d->role.len);
    if (v->comment.len) json_object_set_new(after, "comment", json_stringn(v->comment.ptr, v->comment.len));
    if (d->decided->missing[0]) json_object_set_new(after, "missing", json_string(d->decided->missing));
    if (!d->decided->is_granted) return after;
    json_object_set_new(after, "grant", json_string(d->decided->grant));
    json_object_set_new(after, "ends_at", json_integer(d->decided->ends_at));
    return after;
}

static bool write_decision(struct deciding *d, struct fault *why)
{
    const struct access_verdict *v = d->verdict;
    return REGISTRY_DO(d->r, why,
                       "INSERT INTO decision(request, person, role, verdict, comment, rev) VALUES(?, ?, ?, ?, ?, ?)",
                       value_text(v->request), value_text(v->person), value_text(d->role),
                       value_str(v->is_approval ? "approve" : "deny"), value_text_or_null(v->comment), value_rev(d->r));
}

static bool may_decide(struct deciding *d, struct fault *why)
{
    bool has = false;
    if (!d->old->is_pending || d->old->expires_at <= d->at_s)
        return registry_refuse_as(d->r, REGISTRY_NOT_PENDING, why);
    if (!has_decided(d, &has, why)) return false;
    return !has || registry_refuse_as(d->r, REGISTRY_EXISTS, why);
}

/* What he may not decide at all is told before what his roles are. */
static bool is_anothers(struct deciding *d, struct fault *why)
{
    bool is_own = false, is_beneficiary = false;
    if (!access_is_same_person(d->r, d->verdict->person, slice_str(d->old->requested_by), &is_own, why)) return false;
    if (slice_equal(slice_str(d->old->subject_kind), SLICE("user")) &&
        !access_is_same_person(d->r, d->verdict->person, slice_str(d->old->subject), &is_beneficiary, why))
        return false;
    return (!is_own && !is_beneficiary) || registry_refuse_as(d->r, REGISTRY_SELF_APPROVAL, why);
}

/* Does the row that is in force now allow what was asked for under an older one? It may always be denied. */
static bool fits(struct deciding *d, struct fault *why)
{
    const struct access_old *old = d->old;
    struct access_subject subject = {slice_str(old->subject_kind), slice_str(old->subject), slice_str(old->object),
                                     slice_str(old->purpose), d->department};
    return !d->row || !d->verdict->is_approval || access_fits(d->r, d->row, &subject, why);
}

static bool decide(struct deciding *d, const struct change_by *by, struct fault *why)
{
    const char *action = d->verdict->is_approval ? "approvals.approve" : "approvals.deny";
    return registry_is_as_seen(d->r, d->old->rev, d->verdict->if_rev, why) && may_decide(d, why) &&
           is_anothers(d, why) && choose_role(d, why) && fits(d, why) && write_decision(d, why) && carry_out(d, why) &&
           registry_commit(d->r, by, action, d->verdict->request, NULL, described(d), why);
}

enum registry_found registry_access_decide(struct registry *r, const struct access_verdict *verdict,
                                           const struct change_by *by, struct access_decided *decided,
                                           struct fault *why)
{
    struct access_old old = {NULL};
    *decided = (struct access_decided){.is_granted = false};
    if (verdict->comment.len && !registry_check_reason(verdict->comment, why)) return REGISTRY_FAILED;
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = access_read(r, verdict->request, &old, why);
    struct deciding d = {.r = r, .verdict = verdict, .old = &old, .at_s = registry_now_s(), .decided = decided};
    d.rule = verdict->rule ? *verdict->rule : (struct access_rule){text_in(old.rule, "by"), text_in(old.rule, "also")};
    d.department = text_in(old.rule, "department");
    d.row = access_row(r, slice_str(old.object), d.department);
    if (d.row) d.rule = (struct access_rule){d.row->by, d.row->also};
    bool is_good = found == REGISTRY_FOUND && decide(&d, by, why);
    access_forget(&old);
    return registry_end_change(r, found, is_good);
}
