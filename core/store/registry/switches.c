#include "store/registry/switches.h"

#include <jansson.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "store/registry/registry_inner.h"

static bool check(const struct switch_spec *spec, struct slice reason, struct fault *why)
{
    if (spec->provider.len == 0 || spec->provider.len > LIMIT_LABEL_BYTES || !utf8_is_valid(spec->provider))
        return fault_set(why, FAULT_INTERNAL, "a provider account's name has 1 to %u bytes of UTF-8",
                         LIMIT_LABEL_BYTES);
    if (spec->ends_at && spec->ends_at <= registry_now_s())
        return fault_set(why, FAULT_INTERNAL, "it would be over already");
    return registry_check_reason(reason, why);
}

static bool throw(struct registry *r, struct slice provider, const char *state, struct slice person, int64_t ends_at,
                  struct slice reason, struct fault *why)
{
    return REGISTRY_DO(r, why,
                       "INSERT INTO provider_switch(provider, state, reason, person, at, ends_at, rev)"
                       " VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(provider) DO UPDATE SET state = excluded.state,"
                       " reason = excluded.reason, person = excluded.person, at = excluded.at,"
                       " ends_at = excluded.ends_at, rev = excluded.rev",
                       value_text(provider), value_str(state), value_text(reason), value_text(person),
                       value_int(registry_now_s()), value_int_or_null(ends_at), value_rev(r));
}

bool registry_provider_disable(struct registry *r, const struct switch_spec *spec, const struct change_by *by,
                               struct fault *why)
{
    bool is_good = check(spec, by->reason, why) && registry_begin(r, why) &&
                   throw(r, spec->provider, "off", spec->person, spec->ends_at, by->reason, why) &&
                   registry_commit(r, by, "providers.disable", spec->provider, NULL,
                                   json_pack("{s:s, s:I, s:b}", "state", "off", "ends_at", (json_int_t)spec->ends_at,
                                             "cut", spec->is_cut),
                                   why);
    return is_good || registry_abort(r);
}

enum registry_found registry_provider_enable(struct registry *r, struct slice provider, struct slice person,
                                             const struct change_by *by, struct fault *why)
{
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT state FROM provider_switch WHERE provider = ?", value_text(provider));
    enum registry_found found = registry_next(q) ? REGISTRY_FOUND : REGISTRY_MISSING;
    bool is_on = found == REGISTRY_FOUND && slice_equal(registry_text(q, 0), SLICE("on"));
    if (!registry_end(q, why)) found = REGISTRY_FAILED;
    bool is_good = found == REGISTRY_FOUND &&
                   (is_on || (throw(r, provider, "on", person, 0, by->reason, why) &&
                              registry_commit(r, by, "providers.enable", provider, json_pack("{s:s}", "state", "off"),
                                              json_pack("{s:s}", "state", "on"), why)));
    return registry_end_change(r, found, is_good);
}

json_t *registry_switches(struct registry *r, struct fault *why)
{
    json_t *all = json_array();
    struct registry_query *q = registry_ask(
        r, "SELECT provider, state, reason, person, at, ends_at, rev FROM provider_switch ORDER BY provider", NULL, 0);
    while (registry_next(q)) {
        json_t *one = json_object();
        static const char *const texts[] = {"provider", "state", "reason", "person"};
        static const char *const numbers[] = {"at", "ends_at", "rev"};
        for (int i = 0; i < 4; i++)
            registry_set_text(one, texts[i], q, i);
        for (int i = 0; i < 3; i++)
            registry_set_int(one, numbers[i], q, 4 + i);
        json_array_append_new(all, one);
    }
    if (registry_end(q, why)) return all;
    json_decref(all);
    return NULL;
}
