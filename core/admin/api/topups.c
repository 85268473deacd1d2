#include "admin/api/topups.h"

#include <jansson.h>

#include "admin/api/acting.h"

const struct api_field topups_create_fields[] = {
    {"budget", API_NAME, true, "policy/row, as `moongate budgets --json` names it"},
    {"scope", API_NAME, false, "whose, as it is counted: department=sales; empty: of a budget that is for everybody"},
    {"nano", API_INTEGER, true, "how much, in billionths of a USD: 100000000000 is 100 USD"},
    {"ends_at", API_INSTANT, true, "when it ends, UTC; at most 400 days from now"},
    REASON_NEEDED,
    FIELDS_END,
};

const struct api_field topups_end_fields[] = {REASON_FIELD, FIELDS_END};

void topups_list(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r) return;
    json_t *all = registry_topups(r, &why);
    if (!all) {
        answer_registry(call, &why);
        return;
    }
    acting_tell_all_times(all);
    list_give(call, all);
}

static void show(struct api_call *call, int status, struct slice id)
{
    struct fault why;
    json_t *all = registry_topups(call->api->registry, &why), *one = acting_find(all, id);
    if (one) {
        acting_tell_times(one);
        answer_give(call, status, json_incref(one));
    } else if (!all) {
        answer_registry(call, &why);
    }
    json_decref(all);
}

void topups_create(struct api_call *call)
{
    struct fault why;
    struct topup_made made;
    struct registry *r = acting_registry(call);
    struct topup_spec spec = {.budget = body_text(call, "budget"),
                              .scope = body_text(call, "scope"),
                              .nano = body_integer(call, "nano"),
                              .ends_at = body_instant(call, "ends_at")};
    if (!r) return;
    struct change_by by = acting_by(call);
    if (!acting_is_good(call, registry_topup_create(r, &spec, &by, &made, &why), &why)) return;
    show(call, 201, slice_str(made.id));
    json_object_set_new(call->answer.body, "before_nano", json_integer(made.before_nano));
}

void topups_end(struct api_call *call)
{
    struct fault why;
    struct topup_ended ended;
    struct registry *r = acting_registry(call);
    if (!r) return;
    struct change_by by = acting_by(call);
    enum registry_found found = registry_topup_end(r, call->parameters[0], &by, &ended, &why);
    if (!acting_is_done(call, found, "top-up", &why)) return;
    show(call, 200, call->parameters[0]);
    json_object_set_new(call->answer.body, "was_over", json_boolean(ended.was_over));
}
