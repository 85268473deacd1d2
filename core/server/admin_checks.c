#include "server/admin_checks.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "admin/api/checklist.h"
#include "admin/checklist/checklist.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/pipe.h"
#include "server/config.h"
#include "server/evidence.h"
#include "server/policy_copy.h"

struct admin_checks {
    const struct board *board;
    struct api_checks api;
    struct config *config;
    struct bundle *bundle;
    struct policy_set *set; /* NULL: nobody has asked since the last reload */
};

/* ---- What is handed over. */

static void forget_set(struct admin_checks *c)
{
    policy_copy_free(c->set);
    c->set = NULL;
}

void admin_checks_take_config(struct admin_checks *c, struct config *config)
{
    forget_set(c);
    config_free(c->config);
    c->config = config;
}

void admin_checks_take_policies(struct admin_checks *c, int fd)
{
    struct slice bytes;
    struct fault why = {0};
    struct bundle *bundle = NULL;
    if (pipe_memfd_map(fd, LIMIT_POLICY_BUNDLE_BYTES * 2u, &bytes, &why)) {
        bundle = bundle_parse(bytes, &why);
        pipe_memfd_unmap(bytes);
    }
    if (!bundle) {
        log_event(LOG_ERROR, "control_refused", "the policies cannot be read: %s", fault_message(&why));
        return;
    }
    forget_set(c);
    bundle_unref(c->bundle);
    c->bundle = bundle;
}

/* ---- What is asked. */

static bool load(struct admin_checks *c, struct fault *why)
{
    if (!c->set && c->config && c->bundle) c->set = policy_copy_load(c->bundle, c->config->settings);
    return c->set || fault_set(why, FAULT_INTERNAL, "the policies in force have not come here yet");
}

static json_t *nodes_of(const struct board *board)
{
    json_t *nodes = json_array();
    for (uint32_t i = 0; i < board->worker_count; i++) {
        char digest[SHARED_TEXT_BYTES], name[32];
        shared_text_get(&board->slots[i].digest, digest, sizeof digest);
        snprintf(name, sizeof name, "worker-%u", i);
        if (atomic_load(&board->slots[i].pid) && digest[0])
            json_array_append_new(nodes, json_pack("{s:s, s:s}", "name", name, "digest", digest));
    }
    return nodes;
}

static json_t *report(void *arg, const struct admin_api *api, int64_t since_s, struct fault *why)
{
    struct admin_checks *c = arg;
    bool is_well;
    if (!load(c, why)) return NULL;
    json_t *config = evidence_config(c->config), *gate = evidence_gate(c->config, c->bundle);
    json_t *nodes = nodes_of(c->board);
    struct checklist_parts parts = {.registry = api->registry,
                                    .trouble = api->trouble,
                                    .data_dir = c->config->settings->data_dir.ptr,
                                    .config = config,
                                    .gate = gate,
                                    .nodes = nodes,
                                    .gateway = c->config->gateway,
                                    .is_fleet = evidence_is_fleet(c->config),
                                    .now_s = (int64_t)(clock_wall_ns() / NS_PER_S),
                                    .since_s = since_s};
    json_t *all = checklist_new(c->set, &parts, &is_well, why);
    json_decref(config);
    json_decref(gate);
    json_decref(nodes);
    return all;
}

static bool write(void *arg, const json_t *all, const char *format, struct buf *out, struct fault *why)
{
    struct admin_checks *c = arg;
    return load(c, why) && checklist_write(c->set, all, slice_str(format), out, why);
}

struct admin_checks *admin_checks_new(const struct board *board)
{
    struct admin_checks *c = mem_zalloc(1, sizeof *c);
    c->board = board;
    c->api = (struct api_checks){report, write, c};
    return c;
}

void admin_checks_free(struct admin_checks *c)
{
    if (!c) return;
    forget_set(c);
    bundle_unref(c->bundle);
    config_free(c->config);
    mem_free(c);
}

const struct api_checks *admin_checks_api(const struct admin_checks *c)
{
    return &c->api;
}
