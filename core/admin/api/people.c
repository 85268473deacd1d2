#include "admin/api/people.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "store/registry/people.h"

const struct api_field people_create_fields[] = {
    {"kind", API_TEXT, false, "human (unless said), or service: it may write and ask, and never decides"},
    {"issuer", API_TEXT, false, "who knows this person: an identity provider's URL; local unless said"},
    {"subject", API_TEXT, true, "what the issuer calls this person"},
    {"name", API_TEXT, false, "as it is shown"},
    {"email", API_TEXT, false, "is shown, and never compared"},
    {"department", API_TEXT, false, "where this person works"},
    REASON_FIELD,
    FIELDS_END,
};

const struct api_field people_act_fields[] = {REASON_FIELD, FIELDS_END};

const struct api_field people_merge_fields[] = {
    {"into", API_TEXT, true, "the id of the person that both are from now on"}, REASON_FIELD, FIELDS_END};

const struct api_field roles_give_fields[] = {
    {"person", API_TEXT, true, "the id of who gets it: never one's own"},
    {"role", API_TEXT, true, "viewer, author, approver, admin, content_reader, or a word that policies ask for"},
    {"scope", API_TEXT, true, "a department, or * for all"},
    {"ends_at", API_INSTANT, false, "when it ends by itself, UTC; never unless said"},
    REASON_FIELD,
    FIELDS_END,
};

/* ---- Looking. */

void people_list(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r) return;
    json_t *people = registry_people(r, SLICE(""), &why);
    if (!people) {
        answer_registry(call, &why);
        return;
    }
    acting_tell_all_times(people);
    list_give(call, people);
}

static void show(struct api_call *call, int status, struct slice id)
{
    struct fault why;
    json_t *people = registry_people(call->api->registry, id, &why);
    json_t *person = json_array_get(people, 0);
    if (!people) {
        answer_registry(call, &why);
    } else if (!person) {
        answer_refuse(call, 404, "not_found", "id", "GET " API_BASE "/people lists them", "there is no person %.*s",
                      SLICE_FMT(id));
    } else {
        call->answer.rev = json_integer_value(json_object_get(person, "rev"));
        acting_tell_times(person);
        answer_give(call, status, json_incref(person));
    }
    json_decref(people);
}

void people_show(struct api_call *call)
{
    if (acting_registry(call)) show(call, 200, call->parameters[0]);
}

/* ---- Changing. */

static bool read_kind(struct api_call *call, enum person_kind *kind)
{
    struct slice word = body_text(call, "kind");
    *kind = slice_equal(word, SLICE("service")) ? PERSON_SERVICE : PERSON_HUMAN;
    return word.len == 0 || *kind == PERSON_SERVICE || slice_equal(word, SLICE("human")) ||
           answer_refuse(call, 400, "invalid_field", "kind", "write human or service", "`kind` is %.*s",
                         SLICE_FMT(word));
}

void people_create(struct api_call *call)
{
    struct fault why;
    char id[PERSON_ID_BYTES];
    struct registry *r = acting_registry(call);
    struct slice issuer = body_text(call, "issuer");
    struct person_spec spec = {.issuer = issuer.len ? issuer : PERSON_LOCAL,
                               .subject = body_text(call, "subject"),
                               .name = body_text(call, "name"),
                               .email = body_text(call, "email"),
                               .department = body_text(call, "department")};
    if (!r || !read_kind(call, &spec.kind)) return;
    if (spec.kind == PERSON_SERVICE && !(spec.made_by = acting_person(call)).len) return;
    struct change_by by = acting_by(call);
    if (acting_is_good(call, registry_person_create(r, &spec, &by, id, &why), &why)) show(call, 201, slice_str(id));
}

static void set_disabled(struct api_call *call, bool is_disabled)
{
    int64_t rev;
    struct fault why;
    struct registry *r = acting_registry(call);
    struct slice id = call->parameters[0];
    if (!r || !acting_match(call, &rev)) return;
    struct change_by by = acting_by(call);
    enum registry_found found = is_disabled ? registry_person_disable(r, id, rev, &by, &why)
                                            : registry_person_enable(r, id, rev, &by, &why);
    if (acting_is_done(call, found, "person", &why)) show(call, 200, id);
    else if (call->answer.status == 412) show(call, 412, id);
}

void people_disable(struct api_call *call)
{
    set_disabled(call, true);
}

void people_enable(struct api_call *call)
{
    set_disabled(call, false);
}

void people_merge(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    struct slice into = body_text(call, "into");
    if (!r) return;
    if (slice_equal(into, call->parameters[0])) {
        answer_refuse(call, 400, "invalid_field", "into", NULL, "a person is merged into another one");
        return;
    }
    struct change_by by = acting_by(call);
    if (acting_is_done(call, registry_person_merge(r, call->parameters[0], into, &by, &why), "person", &why))
        show(call, 200, into);
}

/* ---- Roles. */

void roles_list(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r) return;
    json_t *roles = registry_roles(r, body_query(call, SLICE("person")), &why);
    if (!roles) {
        answer_registry(call, &why);
        return;
    }
    acting_tell_all_times(roles);
    list_give(call, roles);
}

/* Whoever gives or takes a role must have the admin's for that scope. */
static bool may_give(struct api_call *call, struct slice scope)
{
    return caller_has(call->by, API_ADMIN, scope) ||
           answer_refuse(call, 403, "not_your_scope", "scope", "ask an admin of that department, or of *",
                         "%.*s is no admin for %.*s", SLICE_FMT(call->by->name), SLICE_FMT(scope));
}

void roles_give(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    struct role_spec spec = {.person = body_text(call, "person"),
                             .role = body_text(call, "role"),
                             .scope = body_text(call, "scope"),
                             .ends_at = body_instant(call, "ends_at")};
    if (!r || !may_give(call, spec.scope) || !(spec.given_by = acting_person(call)).len) return;
    struct change_by by = acting_by(call);
    if (acting_is_good(call, registry_role_give(r, &spec, &by, &why), &why)) show(call, 201, spec.person);
}

void roles_take(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    struct role_spec spec = {call->parameters[0], call->parameters[1], call->parameters[2], SLICE(""), 0};
    if (!r || !may_give(call, spec.scope) || !(spec.given_by = acting_person(call)).len) return;
    struct change_by by = acting_by(call);
    if (acting_is_done(call, registry_role_take(r, &spec, &by, &why), "role", &why)) show(call, 200, spec.person);
}
