#include "admin/api/providers.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "base/clock.h"
#include "store/provider_switches.h"
#include "store/registry/switches.h"

const struct api_field providers_disable_fields[] = {
    {"until", API_INSTANT, false, "when it is on again by itself, UTC; until it is switched on unless said"},
    {"cut", API_FLAG, false, "what runs there is ended, streams with an error event"},
    REASON_NEEDED,
    FIELDS_END,
};

const struct api_field providers_enable_fields[] = {REASON_FIELD, FIELDS_END};

/* ---- The workers' memory. */

static struct slice text_of(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return slice_of(json_string_value(text), json_string_length(text));
}

static void tell_one(struct provider_switches *switches, const json_t *row, bool is_cut)
{
    struct provider_switch to = {.is_off = slice_equal(text_of(row, "state"), SLICE("off")),
                                 .is_cut = is_cut,
                                 .until_s = json_integer_value(json_object_get(row, "ends_at"))};
    provider_switches_set(switches, text_of(row, "provider"), &to);
}

/* What was cut before stays cut while it is off: calls that a worker had not seen end then do now. */
static bool tell(struct registry *registry, struct provider_switches *switches, struct slice thrown, bool is_cut,
                 struct fault *why)
{
    size_t i;
    json_t *row, *all = registry_switches(registry, why);
    json_array_foreach (all, i, row) {
        struct slice name = text_of(row, "provider");
        bool is_this = slice_equal(name, thrown);
        tell_one(switches, row, is_this ? is_cut : provider_switches_get(switches, name).is_cut);
    }
    json_decref(all);
    return all != NULL;
}

bool providers_tell(struct registry *registry, struct provider_switches *switches, struct fault *why)
{
    return tell(registry, switches, SLICE_NONE, false, why);
}

/* ---- Looking. */

static json_t *shown(json_t *row)
{
    struct provider_switch s = {.is_off = slice_equal(text_of(row, "state"), SLICE("off")),
                                .until_s = json_integer_value(json_object_get(row, "ends_at"))};
    bool is_off = provider_switch_is_off(&s, (int64_t)(clock_wall_ns() / NS_PER_S));
    json_object_set_new(row, "is_disabled", json_boolean(is_off));
    acting_tell_times(row);
    return row;
}

void providers_list(struct api_call *call)
{
    size_t i;
    json_t *row;
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r) return;
    json_t *all = registry_switches(r, &why);
    if (!all) {
        answer_registry(call, &why);
        return;
    }
    json_array_foreach (all, i, row)
        shown(row);
    list_give(call, all);
}

static void show(struct api_call *call, struct slice name)
{
    size_t i;
    json_t *row;
    struct fault why;
    json_t *all = registry_switches(call->api->registry, &why);
    if (!all) answer_registry(call, &why);
    json_array_foreach (all, i, row) {
        if (!slice_equal(text_of(row, "provider"), name)) continue;
        call->answer.rev = json_integer_value(json_object_get(row, "rev"));
        answer_give(call, 200, json_incref(shown(row)));
    }
    json_decref(all);
}

/* ---- Throwing. */

static void tell_workers(struct api_call *call, struct slice name, bool is_cut)
{
    struct fault why;
    if (call->api->switches) tell(call->api->registry, call->api->switches, name, is_cut, &why);
}

void providers_disable(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    struct switch_spec spec = {.provider = call->parameters[0],
                               .ends_at = body_instant(call, "until"),
                               .is_cut = body_flag(call, "cut")};
    if (!r || !(spec.person = acting_person(call)).len) return;
    struct change_by by = acting_by(call);
    if (!acting_is_good(call, registry_provider_disable(r, &spec, &by, &why), &why)) return;
    tell_workers(call, spec.provider, spec.is_cut);
    show(call, spec.provider);
}

void providers_enable(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    struct slice person;
    if (!r || !(person = acting_person(call)).len) return;
    struct change_by by = acting_by(call);
    enum registry_found found = registry_provider_enable(r, call->parameters[0], person, &by, &why);
    if (!acting_is_done(call, found, "switch: nobody has switched that account off", &why)) return;
    tell_workers(call, call->parameters[0], false);
    show(call, call->parameters[0]);
}
