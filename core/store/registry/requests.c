#include <inttypes.h>
#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "store/registry/approvals_inner.h"

/* ---- Asking. */

static bool check_text(struct slice text, const char *what, struct fault *why)
{
    if (!text.len) return fault_set(why, FAULT_INTERNAL, "%s is missing", what);
    if (text.len > LIMIT_KEY_FIELD_BYTES)
        return fault_set(why, FAULT_INTERNAL, "%s is longer than %u bytes", what, LIMIT_KEY_FIELD_BYTES);
    return utf8_is_valid(text) || fault_set(why, FAULT_INTERNAL, "%s is not valid UTF-8", what);
}

bool access_check_subject(struct slice kind, struct slice subject, struct slice object, struct fault *why)
{
    if (!slice_equal(kind, SLICE("user")) && !slice_equal(kind, SLICE("app")) &&
        !slice_equal(kind, SLICE("department")))
        return fault_set(why, FAULT_INTERNAL, "whose it is to be: user, app or department");
    return check_text(subject, "whose it is to be", why) && check_text(object, "the model", why);
}

bool access_check_purpose(struct slice purpose, struct fault *why)
{
    if (!registry_check_reason(purpose, why)) return false;
    return purpose.len >= ACCESS_PURPOSE_MIN ||
           fault_set(why, FAULT_INTERNAL, "what it is for is said in %u characters or more", ACCESS_PURPOSE_MIN);
}

static bool check_spec(const struct access_spec *spec, struct fault *why)
{
    if (spec->seconds < 60 || spec->seconds > 31536000)
        return fault_set(why, FAULT_INTERNAL, "a grant lasts a minute to a year");
    if (spec->pending_s < 1) return fault_set(why, FAULT_INTERNAL, "a request waits for a second or more");
    return access_check_subject(spec->subject_kind, spec->subject, spec->object, why) &&
           access_check_purpose(spec->purpose, why) && check_text(spec->rule.by, "the role that decides", why);
}

static json_t *text_json(struct slice text)
{
    return json_stringn(text.ptr ? text.ptr : "", text.len);
}

static char *rule_text(const struct access_spec *spec)
{
    json_t *rule = json_object();
    json_object_set_new(rule, "by", text_json(spec->rule.by));
    if (spec->rule.also.len) json_object_set_new(rule, "also", text_json(spec->rule.also));
    json_object_set_new(rule, "department", text_json(spec->department));
    char *text = json_dumps(rule, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(rule);
    return text;
}

/* A second one would be decided twice. */
static bool is_first(struct registry *r, const struct access_spec *spec, int64_t at_s, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r,
                                            "SELECT 1 FROM access_request WHERE state = 'pending' AND kind = 'model'"
                                            " AND subject_kind = ? AND subject = ? AND object = ? AND expires_at > ?",
                                            value_text(spec->subject_kind), value_text(spec->subject),
                                            value_text(spec->object), value_int(at_s));
    bool is_there = registry_next(q);
    if (!registry_end(q, why)) return false;
    return !is_there || registry_refuse_as(r, REGISTRY_EXISTS, why);
}

/* Neither who asks nor who would get it, whatever they are called here. */
static bool count_people(struct registry *r, const struct access_spec *spec, struct slice role, struct slice other,
                         int64_t at_s, int64_t *count, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(
        r,
        "SELECT count(DISTINCT x.who) FROM role_grant g JOIN person p ON p.id = g.person JOIN identity x ON x.id = p.id"
        " WHERE g.role IN(?, ?) AND (g.scope = '*' OR g.scope = ?) AND (g.ends_at IS NULL OR g.ends_at > ?)"
        " AND p.kind = 'human' AND p.disabled_at IS NULL AND NOT EXISTS(SELECT 1 FROM identity y WHERE y.who = x.who"
        " AND (y.id = ? OR (? = 'user' AND y.id = ?)))",
        value_text(role), value_text(other), value_text(spec->department), value_int(at_s),
        value_text(spec->requested_by), value_text(spec->subject_kind), value_text(spec->subject));
    *count = registry_next(q) ? registry_int(q, 0) : 0;
    return registry_end(q, why);
}

static void lack(struct access_made *made, struct slice role)
{
    made->deciders = 0;
    snprintf(made->lacking, sizeof made->lacking, "%.*s", SLICE_FMT(role));
}

/* Both lines, each by another person. */
static bool count_deciders(struct registry *r, const struct access_spec *spec, int64_t at_s, struct access_made *made,
                           struct fault *why)
{
    struct slice by = spec->rule.by, also = spec->rule.also;
    int64_t others = 1, both = 2;
    made->lacking[0] = '\0';
    if (!count_people(r, spec, by, by, at_s, &made->deciders, why)) return false;
    if (also.len && !(count_people(r, spec, also, also, at_s, &others, why) &&
                      count_people(r, spec, by, also, at_s, &both, why)))
        return false;
    if (!made->deciders) lack(made, by);
    else if (!others || both < 2) lack(made, also);
    return true;
}

static bool insert_request(struct registry *r, const struct access_spec *spec, int64_t at_s, const char *rule,
                           const struct access_made *made, struct fault *why)
{
    return REGISTRY_DO(r, why,
                       "INSERT INTO access_request(id, kind, subject_kind, subject, object, purpose, seconds,"
                       " requested_by, requested_at, expires_at, rule, rev)"
                       " VALUES(?, 'model', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       value_str(made->id), value_text(spec->subject_kind), value_text(spec->subject),
                       value_text(spec->object), value_text(spec->purpose), value_int(spec->seconds),
                       value_text(spec->requested_by), value_int(at_s), value_int(made->expires_at), value_str(rule),
                       value_rev(r));
}

static json_t *described(const struct access_spec *spec)
{
    return json_pack("{s:s%, s:s%, s:s%, s:s%, s:I, s:s%}", "subject_kind", spec->subject_kind.ptr,
                     spec->subject_kind.len, "subject", spec->subject.ptr, spec->subject.len, "object",
                     spec->object.ptr, spec->object.len, "purpose", spec->purpose.ptr, spec->purpose.len, "seconds",
                     (json_int_t)spec->seconds, "requested_by", spec->requested_by.ptr, spec->requested_by.len);
}

bool registry_access_request(struct registry *r, const struct access_spec *asked, const struct change_by *by,
                             struct access_made *made, struct fault *why)
{
    int64_t at_s = registry_now_s();
    struct access_spec in_force = *asked;
    const struct access_spec *spec = &in_force;
    if (!access_ask_by_rules(r, &in_force, why) || !check_spec(spec, why)) return false;
    if (!registry_make_id(made->id, "apr_", why)) return false;
    made->expires_at = at_s + spec->pending_s;
    char *rule = rule_text(spec);
    bool is_good = registry_begin(r, why) && is_first(r, spec, at_s, why) &&
                   count_deciders(r, spec, at_s, made, why) &&
                   insert_request(r, spec, at_s, rule, made, why) &&
                   registry_commit(r, by, "approvals.request", slice_str(made->id), NULL, described(spec), why);
    mem_free(rule);
    return is_good || registry_abort(r);
}

/* ---- As one stands. */

static char *copied(const struct registry_query *q, int column)
{
    struct slice text = registry_text(q, column);
    return mem_strndup(text.ptr, text.len);
}

enum registry_found access_read(struct registry *r, struct slice id, struct access_old *old, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT subject_kind, subject, object, purpose, seconds, requested_by, expires_at, state, rule,"
                     " rev FROM access_request WHERE id = ? AND kind = 'model'",
                     value_text(id));
    bool is_there = registry_next(q);
    if (is_there) {
        *old = (struct access_old){.subject_kind = copied(q, 0),
                                   .subject = copied(q, 1),
                                   .object = copied(q, 2),
                                   .purpose = copied(q, 3),
                                   .seconds = registry_int(q, 4),
                                   .requested_by = copied(q, 5),
                                   .expires_at = registry_int(q, 6),
                                   .is_pending = slice_equal(registry_text(q, 7), SLICE("pending")),
                                   .rule = json_loadb(registry_text(q, 8).ptr, registry_text(q, 8).len, 0, NULL),
                                   .rev = registry_int(q, 9)};
    }
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

void access_forget(struct access_old *old)
{
    mem_free(old->subject_kind);
    mem_free(old->subject);
    mem_free(old->object);
    mem_free(old->purpose);
    mem_free(old->requested_by);
    json_decref(old->rule);
}

bool access_is_same_person(struct registry *r, struct slice one, struct slice other, bool *is_same, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT 1 FROM identity x JOIN identity y ON y.who = x.who WHERE x.id = ? AND y.id = ?",
                     value_text(one), value_text(other));
    *is_same = registry_next(q);
    return registry_end(q, why);
}

bool access_set_state(struct registry *r, struct slice id, const char *state, struct fault *why)
{
    return REGISTRY_DO(r, why, "UPDATE access_request SET state = ?, rev = ? WHERE id = ?", value_str(state),
                       value_rev(r), value_text(id));
}

/* ---- Taken back, or too late. */

static bool withdraw(struct registry *r, struct slice id, const struct access_old *old, struct slice person,
                     const struct change_by *by, struct fault *why)
{
    bool is_his = false;
    if (!access_is_same_person(r, person, slice_str(old->requested_by), &is_his, why)) return false;
    if (!is_his) return registry_refuse_as(r, REGISTRY_NOT_YOURS, why);
    if (!old->is_pending) return registry_refuse_as(r, REGISTRY_NOT_PENDING, why);
    return access_set_state(r, id, "withdrawn", why) &&
           registry_commit(r, by, "approvals.withdraw", id, json_pack("{s:s}", "state", "pending"),
                           json_pack("{s:s}", "state", "withdrawn"), why);
}

enum registry_found registry_access_withdraw(struct registry *r, struct slice id, struct slice person,
                                             const struct change_by *by, struct fault *why)
{
    struct access_old old = {NULL};
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = access_read(r, id, &old, why);
    bool is_good = found == REGISTRY_FOUND && withdraw(r, id, &old, person, by, why);
    access_forget(&old);
    return registry_end_change(r, found, is_good);
}

/* One that is over by then. False: there is none, or *why is set. */
static bool next_over(struct registry *r, int64_t now_s, char id[ACCESS_ID_BYTES], struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT id FROM access_request WHERE state = 'pending' AND expires_at <= ? ORDER BY expires_at LIMIT 1",
        value_int(now_s));
    bool is_there = registry_next(q);
    if (is_there) snprintf(id, ACCESS_ID_BYTES, "%.*s", SLICE_FMT(registry_text(q, 0)));
    return registry_end(q, why) && is_there;
}

static bool expire_one(struct registry *r, const char *id, const struct change_by *by, struct fault *why)
{
    bool is_good = registry_begin(r, why) && access_set_state(r, slice_str(id), "expired", why) &&
                   registry_commit(r, by, "approvals.expire", slice_str(id), json_pack("{s:s}", "state", "pending"),
                                   json_pack("{s:s}", "state", "expired"), why);
    return is_good || registry_abort(r);
}

bool registry_access_expire(struct registry *r, int64_t now_s, const struct change_by *by, unsigned *count,
                            struct fault *why)
{
    char id[ACCESS_ID_BYTES];
    why->text[0] = '\0';
    for (*count = 0; *count < LIMIT_ACCESS_LISTED && next_over(r, now_s, id, why); (*count)++) {
        /* Somebody else may have been faster. */
        if (!expire_one(r, id, by, why) && registry_refused(r) != REGISTRY_NOT_PENDING) return false;
    }
    return why->text[0] == '\0' || registry_refused(r) == REGISTRY_NOT_PENDING;
}

/* ---- All of them. */

static const char all_requests[] =
    "SELECT a.id, a.kind, a.subject_kind, a.subject, a.object, a.purpose, a.requested_by,"
    " CASE WHEN a.state = 'pending' AND a.expires_at <= ? THEN 'expired' ELSE a.state END, g.id, a.seconds,"
    " a.requested_at, a.expires_at, a.rev, a.rule FROM access_request a LEFT JOIN access_grant g ON g.request = a.id"
    " WHERE ? = '' OR a.id = ? ORDER BY a.requested_at DESC, a.id LIMIT ?";

static void set_rule(json_t *request, struct slice text)
{
    static const char *const names[] = {"by", "also", "department"};
    json_t *rule = json_loadb(text.ptr, text.len, 0, NULL);
    for (int i = 0; i < 3; i++) {
        json_t *value = json_object_get(rule, names[i]);
        if (value) json_object_set(request, names[i], value);
    }
    json_decref(rule);
}

static json_t *request_of_row(const struct registry_query *q)
{
    static const char *const texts[] = {"id",      "kind",         "subject_kind", "subject", "object",
                                        "purpose", "requested_by", "state",        "grant"};
    static const char *const numbers[] = {"seconds", "requested_at", "expires_at", "rev"};
    json_t *request = json_object();
    for (int i = 0; i < 9; i++)
        registry_set_text(request, texts[i], q, i);
    for (int i = 0; i < 4; i++)
        registry_set_int(request, numbers[i], q, 9 + i);
    set_rule(request, registry_text(q, 13));
    json_object_set_new(request, "decisions", json_array());
    return request;
}

static json_t *decision_of_row(const struct registry_query *q)
{
    static const char *const texts[] = {"person", "role", "verdict", "comment"};
    json_t *decision = json_object();
    for (int i = 0; i < 4; i++)
        registry_set_text(decision, texts[i], q, i);
    return decision;
}

static bool add_decisions(struct registry *r, json_t *request, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT person, role, verdict, comment FROM decision WHERE request = ? ORDER BY rev",
                     value_str(json_string_value(json_object_get(request, "id"))));
    while (registry_next(q))
        json_array_append_new(json_object_get(request, "decisions"), decision_of_row(q));
    return registry_end(q, why);
}

static json_t *read_requests(struct registry *r, struct slice id, int64_t now_s, struct fault *why)
{
    size_t i;
    json_t *list = json_array(), *request;
    struct registry_query *q = REGISTRY_ASK(r, all_requests, value_int(now_s), value_text(id), value_text(id),
                                            value_int(LIMIT_ACCESS_LISTED));
    while (registry_next(q))
        json_array_append_new(list, request_of_row(q));
    bool is_good = registry_end(q, why);
    json_array_foreach(list, i, request)
    {
        is_good = is_good && add_decisions(r, request, why);
    }
    if (is_good) return list;
    json_decref(list);
    return NULL;
}

json_t *registry_access_requests(struct registry *r, struct slice id, int64_t now_s, struct fault *why)
{
    if (!registry_read_begin(r, why)) return NULL;
    json_t *list = read_requests(r, id, now_s, why);
    if (registry_read_end(r, list != NULL, why)) return list;
    json_decref(list);
    return NULL;
}
