#include "admin/api/grants.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "admin/api/asking.h"
#include "store/registry/approvals.h"

const struct api_field grants_shorten_fields[] = {
    {"ends_at", API_INSTANT, true, "when it ends from now on, UTC: after now, and before it does"},
    REASON_FIELD,
    FIELDS_END,
};

const struct api_field grants_revoke_fields[] = {REASON_FIELD, FIELDS_END};

const struct api_field glass_take_fields[] = {
    ASKING_FIELDS,
    {"seconds", API_INTEGER, false, "how long, seconds; as long as the rules allow unless said"},
    {"reason", API_TEXT, true, "what has happened: 8 to 500 bytes"},
    FIELDS_END,
};

const struct api_field glass_close_fields[] = {REASON_FIELD, FIELDS_END};

static struct slice text_of(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return slice_of(json_string_value(text), json_string_length(text));
}

/* ---- Looking. */

/* Break-glass that the caller, not being who took it, may close. */
static bool is_unclosed(const struct api_call *call, const json_t *grant)
{
    return json_is_true(json_object_get(grant, "break_glass")) && !json_object_get(grant, "closed_by") &&
           call->by->person.len && !slice_equal(text_of(grant, "granted_by"), call->by->person);
}

static void tell(const struct api_call *call, json_t *grant)
{
    json_object_set_new(grant, "waits_for_me", json_boolean(is_unclosed(call, grant)));
    acting_tell_times(grant);
}

void grants_list(struct api_call *call)
{
    size_t i;
    json_t *grant;
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r) return;
    json_t *all = registry_grants(r, SLICE(""), acting_now_s(), &why);
    json_array_foreach (all, i, grant)
        tell(call, grant);
    if (all) list_give(call, all);
    else answer_registry(call, &why);
}

/* A key and a model are one; a page needs no more than that to go on. */
void grants_imported(struct api_call *call)
{
    size_t i;
    json_t *one;
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r) return;
    json_t *all = registry_grants_imported(r, acting_now_s(), &why);
    json_array_foreach (all, i, one)
        json_object_set_new(one, "id", json_sprintf("%s/%s", json_string_value(json_object_get(one, "key")),
                                                    json_string_value(json_object_get(one, "model"))));
    if (all) list_give(call, all);
    else answer_registry(call, &why);
}

/* NULL: it is answered. */
static json_t *find(struct api_call *call, struct slice id)
{
    struct fault why;
    json_t *list = registry_grants(call->api->registry, id, acting_now_s(), &why);
    json_t *one = json_incref(json_array_get(list, 0));
    if (!list) answer_registry(call, &why);
    else if (!one)
        answer_refuse(call, 404, "not_found", "id", "GET " API_BASE "/grants lists them", "there is no grant %.*s",
                      SLICE_FMT(id));
    json_decref(list);
    return one;
}

static void show(struct api_call *call, int status, struct slice id)
{
    json_t *one = find(call, id);
    if (!one) return;
    call->answer.rev = json_integer_value(json_object_get(one, "rev"));
    tell(call, one);
    answer_give(call, status, one);
}

void grants_show(struct api_call *call)
{
    if (acting_registry(call)) show(call, 200, call->parameters[0]);
}

/* ---- Whose it is. */

static struct slice department_of_request(struct api_call *call, struct slice id)
{
    struct fault ignored;
    json_t *list = registry_access_requests(call->api->registry, id, acting_now_s(), &ignored);
    struct slice name = arena_copy(&call->arena, text_of(json_array_get(list, 0), "department"));
    json_decref(list);
    return name;
}

/* Which roles must cover. */
static struct slice department_of(struct api_call *call, const json_t *grant)
{
    struct slice kind = text_of(grant, "subject_kind"), request = text_of(grant, "request");
    struct slice name = request.len                          ? department_of_request(call, request)
                        : slice_equal(kind, SLICE("user"))   ? asking_department(call, text_of(grant, "subject"))
                        : slice_equal(kind, SLICE("department")) ? arena_copy(&call->arena, text_of(grant, "subject"))
                                                                 : SLICE("");
    return name.len ? name : API_EVERYWHERE;
}

/* An approver's to end. False: it is answered. */
static bool may_end(struct api_call *call, struct slice id)
{
    json_t *one = find(call, id);
    if (!one) return false;
    struct slice department = department_of(call, one);
    json_decref(one);
    return caller_has(call->by, API_APPROVER, department) ||
           answer_refuse(call, 403, "not_your_scope", "id", "ask an approver of that department, or of *",
                         "%.*s is no approver for %.*s", SLICE_FMT(call->by->name), SLICE_FMT(department));
}

/* ---- Ended before its time. */

void grants_shorten(struct api_call *call)
{
    int64_t rev;
    struct fault why;
    struct registry *r = acting_registry(call);
    struct slice id = call->parameters[0];
    if (!r || !may_end(call, id) || !acting_match(call, &rev)) return;
    struct change_by by = acting_by(call);
    enum registry_found found = registry_grant_shorten(r, id, body_instant(call, "ends_at"), rev, &by, &why);
    if (acting_is_done(call, found, "grant", &why)) show(call, 200, id);
    else if (call->answer.status == 412) show(call, 412, id);
}

void grants_revoke(struct api_call *call)
{
    int64_t rev;
    struct fault why;
    struct registry *r = acting_registry(call);
    struct slice person, id = call->parameters[0];
    if (!r || !may_end(call, id) || !acting_match(call, &rev) || !(person = acting_person(call)).len) return;
    struct change_by by = acting_by(call);
    enum registry_found found = registry_grant_revoke(r, id, person, rev, &by, &why);
    if (acting_is_done(call, found, "grant", &why)) show(call, 200, id);
    else if (call->answer.status == 412) show(call, 412, id);
}

/* ---- Break-glass. */

static const struct governance *glass_rules(struct api_call *call)
{
    const struct governance *rules = acting_registry(call) ? acting_rules(call) : NULL;
    if (!rules || rules->has_break_glass) return rules;
    answer_refuse(call, 403, "no_break_glass", NULL, "approvals.break_glass of policies/governance.lua",
                  "there is no break-glass here");
    return NULL;
}

static bool read_seconds(struct api_call *call, const struct governance *rules, int64_t *seconds)
{
    *seconds = body_has(call, "seconds") ? body_integer(call, "seconds") : rules->glass_longest_s;
    return (*seconds >= 1 && *seconds <= rules->glass_longest_s) ||
           answer_refuse(call, 400, "invalid_field", "seconds", NULL, "`seconds` is 1 to %lld",
                         (long long)rules->glass_longest_s);
}

void glass_take(struct api_call *call)
{
    struct fault why;
    struct glass_made made;
    struct asking asking;
    const struct governance *rules = glass_rules(call);
    struct glass_spec spec = {.reason = body_text(call, "reason")};
    if (!rules || !read_seconds(call, rules, &spec.seconds) || !(spec.person = acting_person(call)).len) return;
    if (!asking_read(call, rules, spec.person, &asking)) return;
    spec.subject_kind = asking.subject_kind;
    spec.subject = asking.subject;
    spec.object = asking.model;
    spec.role = rules->glass_by;
    spec.department = asking.department;
    struct change_by by = acting_by(call);
    if (acting_is_good(call, registry_break_glass(call->api->registry, &spec, &by, &made, &why), &why))
        show(call, 201, slice_str(made.id));
}

void glass_close(struct api_call *call)
{
    struct fault why;
    const struct governance *rules = glass_rules(call);
    struct slice person, id = call->parameters[0];
    if (!rules || !(person = acting_person(call)).len) return;
    json_t *one = find(call, id);
    if (!one) return;
    struct slice department = department_of(call, one);
    json_decref(one);
    struct change_by by = acting_by(call);
    enum registry_found found =
        registry_break_glass_close(call->api->registry, id, person, rules->glass_by, department, &by, &why);
    if (acting_is_done(call, found, "grant", &why)) show(call, 200, id);
}
