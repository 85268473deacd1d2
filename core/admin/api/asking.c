#include "admin/api/asking.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "store/registry/people.h"

struct slice asking_department(struct api_call *call, struct slice person)
{
    struct fault ignored;
    json_t *list = registry_people(call->api->registry, person, &ignored);
    const json_t *text = json_object_get(json_array_get(list, 0), "department");
    struct slice name = arena_copy(&call->arena, slice_of(json_string_value(text), json_string_length(text)));
    json_decref(list);
    return name;
}

static bool is_person(struct api_call *call, struct slice id)
{
    struct fault why;
    json_t *list = registry_people(call->api->registry, id, &why);
    bool is_there = json_array_size(list) == 1;
    if (!list) answer_registry(call, &why);
    else if (!is_there)
        answer_refuse(call, 404, "not_found", "person", "GET " API_BASE "/people lists them",
                      "there is no person %.*s", SLICE_FMT(id));
    json_decref(list);
    return is_there;
}

static bool choose_subject(struct api_call *call, struct slice person, struct asking *a)
{
    enum governance_covers covers = a->row->covers;
    struct slice app = body_text(call, "app");
    if (covers == COVERS_USER && app.len) covers = COVERS_APP; /* of a caller without a user */
    a->subject_kind = covers == COVERS_USER  ? SLICE("user")
                      : covers == COVERS_APP ? SLICE("app")
                                             : SLICE("department");
    a->subject = covers == COVERS_USER ? person : covers == COVERS_APP ? app : a->department;
    return a->subject.len || answer_refuse(call, 400, "missing_field", covers == COVERS_APP ? "app" : "department",
                                           "say whose it is to be", "a grant of this model is its %.*s's: which?",
                                           SLICE_FMT(a->subject_kind));
}

bool asking_read(struct api_call *call, const struct governance *rules, struct slice person, struct asking *a)
{
    struct slice other = body_text(call, "person"), said = body_text(call, "department");
    struct slice whose = other.len ? other : person;
    *a = (struct asking){.model = body_text(call, "model")};
    if (!is_person(call, whose)) return false;
    a->department = said.len ? said : asking_department(call, whose);
    a->row = governance_row(rules, a->model, a->department);
    if (a->row) return choose_subject(call, whose, a);
    return answer_refuse(call, 404, "no_approval_needed", "model",
                         "`department` says which; `moongate explain` says what is wrong",
                         "no row of the access matrix wants an approval of `%.*s` for %.*s", SLICE_FMT(a->model),
                         SLICE_FMT(a->department.len ? a->department : SLICE("a caller without a department")));
}
