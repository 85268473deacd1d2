#include "admin/api/approvals.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "admin/api/asking.h"
#include "store/registry/approvals.h"

const struct api_field approvals_create_fields[] = {
    ASKING_FIELDS,
    {"person", API_TEXT, false, "the id of who is to get it; who asks unless said"},
    {"seconds", API_INTEGER, true, "how long the grant is to last, seconds; 60 at least"},
    {"purpose", API_TEXT, true, "what for: 8 to 500 bytes"},
    FIELDS_END,
};

const struct api_field approvals_decide_fields[] = {
    {"decision", API_TEXT, true, "approve or deny"},
    {"comment", API_TEXT, false, "why, at most 500 bytes"},
    FIELDS_END,
};

const struct api_field approvals_withdraw_fields[] = {REASON_FIELD, FIELDS_END};

static struct slice text_of(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return slice_of(json_string_value(text), json_string_length(text));
}

/* ---- Whom it waits for. */

static bool holds(struct api_call *call, struct slice role, struct slice department)
{
    bool is_held = false;
    struct fault ignored;
    return role.len &&
           registry_role_is_held(call->api->registry, call->by->person, role, department, acting_now_s(), &is_held,
                                 &ignored) &&
           is_held;
}

static bool has_decided(const json_t *request, struct slice person)
{
    size_t i;
    json_t *decision;
    json_array_foreach (json_object_get(request, "decisions"), i, decision)
        if (slice_equal(text_of(decision, "person"), person)) return true;
    return false;
}

static bool is_own(const json_t *request, struct slice person)
{
    return slice_equal(text_of(request, "requested_by"), person) || slice_equal(text_of(request, "subject"), person);
}

static bool waits(struct api_call *call, const json_t *request)
{
    struct slice person = call->by->person, department = text_of(request, "department");
    if (!person.len || !slice_equal(text_of(request, "state"), SLICE("pending"))) return false;
    if (is_own(request, person) || has_decided(request, person)) return false;
    return holds(call, text_of(request, "by"), department) || holds(call, text_of(request, "also"), department);
}

/* ---- Looking. */

/* False: it is not for the caller to see. */
static bool tell(struct api_call *call, json_t *request)
{
    bool is_waiting = waits(call, request);
    json_object_set_new(request, "waits_for_me", json_boolean(is_waiting));
    acting_tell_times(request);
    return is_waiting || caller_has(call->by, API_AUTHOR, API_SOMEWHERE) || is_own(request, call->by->person);
}

void approvals_list(struct api_call *call)
{
    size_t i;
    json_t *request;
    struct fault why;
    struct registry *r = acting_registry(call);
    struct slice state = body_query(call, SLICE("state"));
    if (!r) return;
    json_t *all = registry_access_requests(r, SLICE(""), acting_now_s(), &why), *shown = json_array();
    json_array_foreach (all, i, request)
        if (tell(call, request) && (!state.len || slice_equal(text_of(request, "state"), state)))
            json_array_append(shown, request);
    if (all) list_give(call, shown);
    else {
        answer_registry(call, &why);
        json_decref(shown);
    }
    json_decref(all);
}

/* NULL: it is answered. */
static json_t *find(struct api_call *call, struct slice id)
{
    struct fault why;
    json_t *list = registry_access_requests(call->api->registry, id, acting_now_s(), &why);
    json_t *one = json_incref(json_array_get(list, 0));
    if (!list) answer_registry(call, &why);
    else if (!one)
        answer_refuse(call, 404, "not_found", "id", "GET " API_BASE "/approvals lists them",
                      "there is no request %.*s", SLICE_FMT(id));
    json_decref(list);
    return one;
}

static void show(struct api_call *call, int status, struct slice id)
{
    json_t *one = find(call, id);
    if (!one) return;
    call->answer.rev = json_integer_value(json_object_get(one, "rev"));
    if (tell(call, one)) answer_give(call, status, json_incref(one));
    else answer_refuse(call, 403, "not_yours", "id", NULL, "this request is neither yours nor for you to decide");
    json_decref(one);
}

void approvals_show(struct api_call *call)
{
    if (acting_registry(call)) show(call, 200, call->parameters[0]);
}

/* ---- Asking. */

/* A row may want one of some words, with a colon behind it, in front. */
static bool is_purpose(struct api_call *call, const struct governance_row *row)
{
    struct slice purpose = body_text(call, "purpose"), rest, word = slice_split(purpose, ':', &rest);
    for (size_t i = 0; i < row->purpose_count; i++)
        if (word.len < purpose.len && slice_equal(row->purposes[i], word)) return true;
    return !row->purpose_count ||
           answer_refuse(call, 400, "invalid_field", "purpose", "such as \"tender: the new town hall\"",
                         "a purpose begins with one of the row's words and a colon; the first is `%.*s`",
                         SLICE_FMT(row->purposes[0]));
}

static bool is_within(struct api_call *call, const struct governance_row *row, int64_t seconds)
{
    return seconds <= row->longest_s ||
           answer_refuse(call, 400, "invalid_field", "seconds", "ask for less",
                         "no grant of this model lasts longer than %lld s (%.*s:%d)", (long long)row->longest_s,
                         SLICE_FMT(row->file), row->line);
}

void approvals_create(struct api_call *call)
{
    struct fault why;
    struct asking asking;
    struct access_made made;
    struct slice person;
    struct registry *r = acting_registry(call);
    const struct governance *rules = r ? acting_rules(call) : NULL;
    int64_t seconds = body_integer(call, "seconds");
    if (!rules || !(person = acting_person(call)).len || !asking_read(call, rules, person, &asking)) return;
    if (!is_within(call, asking.row, seconds) || !is_purpose(call, asking.row)) return;
    struct access_spec spec = {.subject_kind = asking.subject_kind,
                               .subject = asking.subject,
                               .object = asking.model,
                               .purpose = body_text(call, "purpose"),
                               .seconds = seconds,
                               .pending_s = rules->pending_s,
                               .requested_by = person,
                               .department = asking.department,
                               .rule = {asking.row->by, asking.row->also}};
    struct change_by by = acting_by(call);
    if (!acting_is_good(call, registry_access_request(r, &spec, &by, &made, &why), &why)) return;
    show(call, 201, slice_str(made.id));
    json_object_set_new(call->answer.body, "deciders", json_integer(made.deciders));
    if (!made.deciders) json_object_set_new(call->answer.body, "lacking", json_string(made.lacking));
}

/* ---- Deciding. */

static bool read_decision(struct api_call *call, bool *is_approval)
{
    struct slice said = body_text(call, "decision");
    *is_approval = slice_equal(said, SLICE("approve"));
    return *is_approval || slice_equal(said, SLICE("deny")) ||
           answer_refuse(call, 400, "invalid_field", "decision", NULL, "`decision` is approve or deny");
}

static void tell_decided(struct api_call *call, const struct access_decided *decided)
{
    show(call, 200, call->parameters[0]);
    if (call->answer.status != 200) return;
    json_t *body = call->answer.body;
    if (decided->missing[0]) json_object_set_new(body, "missing", json_string(decided->missing));
    if (decided->is_granted) json_object_set_new(body, "ends_at", instant_json(decided->ends_at));
}

/* By the rule in force now, where the row still wants an approval; else by that of when it was asked for. */
static void decide(struct api_call *call, const struct governance_row *row, struct access_verdict *verdict)
{
    struct fault why;
    struct access_decided decided;
    struct change_by by = acting_by(call);
    struct access_rule rule = {.by = row ? row->by : SLICE_NONE, .also = row ? row->also : SLICE_NONE};
    verdict->rule = row ? &rule : NULL;
    verdict->longest_s = row ? row->longest_s : 0;
    by.reason = verdict->comment;
    enum registry_found found = registry_access_decide(call->api->registry, verdict, &by, &decided, &why);
    if (acting_is_done(call, found, "request", &why)) tell_decided(call, &decided);
    else if (call->answer.status == 412) show(call, 412, call->parameters[0]);
}

void approvals_decide(struct api_call *call)
{
    struct access_verdict verdict = {.request = call->parameters[0], .comment = body_text(call, "comment")};
    const struct governance *rules = acting_registry(call) ? acting_rules(call) : NULL;
    if (!rules || !read_decision(call, &verdict.is_approval) || !acting_match(call, &verdict.if_rev)) return;
    if (!(verdict.person = acting_person(call)).len) return;
    json_t *one = find(call, verdict.request);
    if (!one) return;
    const struct governance_row *row = governance_row(rules, text_of(one, "object"), text_of(one, "department"));
    if (!verdict.if_rev) verdict.if_rev = json_integer_value(json_object_get(one, "rev"));
    json_decref(one);
    decide(call, row, &verdict);
}

void approvals_withdraw(struct api_call *call)
{
    struct fault why;
    struct slice person;
    struct registry *r = acting_registry(call);
    if (!r || !(person = acting_person(call)).len) return;
    struct change_by by = acting_by(call);
    enum registry_found found = registry_access_withdraw(r, call->parameters[0], person, &by, &why);
    if (acting_is_done(call, found, "request", &why)) show(call, 200, call->parameters[0]);
}
