#include "server/evidence.h"

#include <jansson.h>

#include "server/check_signed.h"
#include "server/config.h"
#include "server/signed.h"

json_t *evidence_config(const struct config *c)
{
    json_t *all = config_show(c);
    json_object_set_new(all, "retain_s", json_integer((json_int_t)(c->retain_ms / 1000)));
    return all;
}

json_t *evidence_gate(const struct config *c, const struct bundle *bundle)
{
    struct signed_state state;
    struct accepted last = {0};
    struct fault why;
    unsigned wanted = gate_wants(c);
    if (wanted == 0) return json_pack("{s:i}", "wanted", 0);
    if (!accepted_read(c->settings->data_dir.ptr, &last, &why))
        return json_pack("{s:i, s:b, s:s}", "wanted", (int)wanted, "is_good", 0, "why", fault_message(&why));
    gate_judge(c, bundle, &last, &state);
    json_t *gate = json_pack("{s:i, s:i, s:I, s:b, s:s}", "wanted", (int)wanted, "persons", (int)state.persons,
                             "serial", (json_int_t)state.manifest.serial, "is_good", state.is_good, "why",
                             state.is_good ? "" : fault_message(&state.why));
    signed_clear(&state);
    return gate;
}

bool evidence_is_fleet(const struct config *c)
{
    return c->redis_url.len || c->registry_url.len;
}
