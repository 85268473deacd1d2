#include "cli/checking.h"

#include <jansson.h>

#include "base/clock.h"
#include "server/config.h"
#include "server/evidence.h"
#include "store/registry/registry.h"

#define STATUS_TIMEOUT_MS 5000u

/* Of a gateway that runs there; NULL: none does. */
static json_t *read_nodes(const char *data_dir)
{
    char why[256];
    size_t i;
    json_t *child, *nodes = json_array();
    json_t *status = cli_call(data_dir, "status", STATUS_TIMEOUT_MS, why, sizeof why);
    json_array_foreach(json_object_get(status, "processes"), i, child) {
        const char *digest = json_string_value(json_object_get(child, "policies"));
        if (digest && digest[0])
            json_array_append_new(nodes, json_pack("{s:O, s:s}", "name", json_object_get(child, "name"), "digest",
                                                   digest));
    }
    json_decref(status);
    return nodes;
}

static void open_registry(struct checking *c)
{
    struct fault why = {0};
    if (registry_open_to_read(c->parts.data_dir, &c->registry, &why)) {
        if (!c->registry) snprintf(c->trouble, sizeof c->trouble, "none was made yet");
    } else {
        snprintf(c->trouble, sizeof c->trouble, "%s", fault_message(&why));
    }
    c->parts.registry = c->registry;
    c->parts.trouble = c->trouble;
}

bool checking_open(struct checking *c, const char *config_file)
{
    *c = (struct checking){0};
    if (!ask_load(&(struct ask){.config = config_file}, &c->loaded)) return false;
    const struct config *config = c->loaded.config;
    registry_use(config->registry_url, config->gateway);
    c->config = evidence_config(config);
    c->gate = evidence_gate(config, c->loaded.bundle);
    c->parts = (struct checklist_parts){.data_dir = config->settings->data_dir.ptr,
                                        .config = c->config,
                                        .gate = c->gate,
                                        .gateway = config->gateway,
                                        .is_fleet = evidence_is_fleet(config),
                                        .now_s = (int64_t)(clock_wall_ns() / NS_PER_S)};
    c->parts.nodes = c->nodes = read_nodes(c->parts.data_dir);
    open_registry(c);
    return true;
}

void checking_close(struct checking *c)
{
    registry_close(c->registry);
    json_decref(c->config);
    json_decref(c->gate);
    json_decref(c->nodes);
    ask_unload(&c->loaded);
}
