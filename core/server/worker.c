#include "server/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "flow/flow.h"
#include "net/background.h"
#include "net/descriptors.h"
#include "net/loop.h"
#include "net/pipe.h"
#include "server/config.h"
#include "server/control.h"
#include "server/loading.h"
#include "store/registry/registry.h"
#include "store/snapshot.h"

#define BEAT_MS (LIMIT_HEARTBEAT_MS / 10)
#define AGAIN_MS 1000u /* until a worker asks again for what it could not take */
#define TOO_MANY_OPEN "too many descriptors are open in this worker (ulimit -n, LimitNOFILE=)"

struct worker {
    struct worker_parts parts;
    struct loop *loop;
    struct pipe *control;
    struct loop_timer beat, sections_again, ledger_again;
    struct stats *stats;
    struct flow *flow; /* NULL until the first commit */
    int ledger_fd; /* a pipe that came before the flow was there; -1: none */
    bool is_leaving;

    struct settings *settings;
    struct flow_redis redis; /* its URL is kept here, from the first configuration on; another needs a restart */
    struct snapshot registry;
    uint32_t refused; /* kinds of its sections of which an older one is held, a bit each */
    struct keysets *keysets;
    /* Prepared, not yet in force. */
    struct settings *staged_settings;
    uint32_t staged_gateways, staged_redis_ms;
    struct policy_set *staged_policies;
    uint64_t staged_number;
    bool is_config_lost; /* it was sent, and there was no descriptor to take it with */
    uint32_t clients_said; /* what was last said of how many may connect */
    struct loading *loading; /* NULL: nothing is on its way */
    struct background background;
};

/* Written when it is another: it is shared memory. */
static void show_redis(struct worker *w)
{
    const char *trouble = w->flow ? flow_redis_trouble(w->flow) : "";
    char shown[SHARED_TEXT_BYTES], now[SHARED_TEXT_BYTES];
    snprintf(now, sizeof now, "%s", trouble);
    shared_text_get(&w->parts.slot->redis_trouble, shown, sizeof shown);
    if (strcmp(shown, now) != 0) shared_text_set(&w->parts.slot->redis_trouble, now);
}

/* Makes turns, which beat, when nothing else does. */
static void on_beat(void *arg)
{
    struct worker *w = arg;
    show_redis(w);
    atomic_store_explicit(&w->parts.slot->live_generations, policy_live_generations(), memory_order_relaxed);
    loop_timer_arm_ms(&w->beat, BEAT_MS);
}

/* ---- A generation on its way. */

/* Also what is still being loaded. */
static void forget_policies(struct worker *w)
{
    loading_cancel(w->loading);
    policy_set_unref(w->staged_policies);
    w->loading = NULL;
    w->staged_policies = NULL;
    w->staged_number = 0;
}

static void drop_staged(struct worker *w)
{
    forget_policies(w);
    settings_unref(w->staged_settings);
    w->staged_settings = NULL;
}

/* What is to be asked of limits and budgets that a fleet shares. */
static void keep_redis(struct worker *w, const struct config *config)
{
    struct slice url = config->redis_url.len ? config->redis_url : SLICE("");
    w->redis = (struct flow_redis){.url = mem_strndup(url.ptr, url.len),
                                    .workers = w->parts.workers,
                                    .post = w->parts.post};
}

static void forget_redis(struct worker *w)
{
    if (w->redis.url) explicit_bzero(w->redis.url, strlen(w->redis.url));
    mem_free(w->redis.url);
}

static bool stage_config(struct worker *w, int fd, struct fault *why)
{
    struct slice bytes;
    drop_staged(w);
    w->is_config_lost = fd < 0;
    if (fd < 0) return fault_set(why, FAULT_INTERNAL, "a configuration could not be taken: " TOO_MANY_OPEN);
    if (!pipe_memfd_map(fd, LIMIT_PIPE_QUEUE_BYTES, &bytes, why)) return false;
    struct config *config = config_unpack(bytes);
    pipe_memfd_unmap(bytes);
    if (!config) return fault_set(why, FAULT_INTERNAL, "the configuration that came is not one");
    w->staged_settings = settings_ref(config->settings);
    w->staged_gateways = config->redis_gateways;
    w->staged_redis_ms = config->redis_timeout_ms;
    if (!w->redis.url) keep_redis(w, config);
    config_free(config);
    return true;
}

static void ask_for_sections(void *arg)
{
    struct worker *w = arg;
    struct fault why;
    pipe_send(w->control, REPORT_SECTIONS_WANTED, SLICE_NONE, -1, &why);
}

static void use_registry(struct worker *w)
{
    if (!w->flow) return;
    flow_set_registry(w->flow, w->registry.keyring, w->registry.topups);
    flow_set_prompts(w->flow, w->registry.prompts);
    flow_set_grants(w->flow, w->registry.grants, w->registry.people);
}

static void note_refused(struct worker *w, uint32_t kind, bool is_refused)
{
    uint32_t bit = kind < SECTION_KINDS ? 1u << kind : 0;
    w->refused = is_refused ? w->refused | bit : w->refused & ~bit;
    if (w->flow) flow_set_behind(w->flow, w->refused != 0);
}

/* Keys that are revoked must not go on counting for want of a descriptor: it is asked for until it is here. */
static bool take_section(struct worker *w, const struct pipe_message *message, struct fault *why)
{
    struct fault unsent;
    struct control_section section = {0};
    if (message->fd < 0) {
        loop_timer_arm_ms(&w->sections_again, AGAIN_MS);
        return fault_set(why, FAULT_INTERNAL, "keys could not be taken, and are asked for again: " TOO_MANY_OPEN);
    }
    if (message->body.len == sizeof section) memcpy(&section, message->body.ptr, sizeof section);
    enum snapshot_taken taken = snapshot_take(&w->registry, section.kind, message->fd, why);
    if (taken == SNAPSHOT_TAKEN) use_registry(w);
    note_refused(w, section.kind, taken == SNAPSHOT_REFUSED);
    if (taken == SNAPSHOT_REFUSED) pipe_send(w->control, REPORT_SECTION_REFUSED, message->body, -1, &unsent);
    return taken != SNAPSHOT_REFUSED;
}

static void ask_for_ledger(void *arg)
{
    struct worker *w = arg;
    struct fault why;
    pipe_send(w->control, REPORT_LEDGER_WANTED, SLICE_NONE, -1, &why);
}

/* The pipe to the ledger process, of which there is a new one; it is taken. */
static bool take_ledger(struct worker *w, int fd, struct fault *why)
{
    if (fd < 0) {
        loop_timer_arm_ms(&w->ledger_again, AGAIN_MS);
        return fault_set(why, FAULT_INTERNAL,
                         "the ledger's pipe could not be taken, and is asked for again: " TOO_MANY_OPEN);
    }
    if (w->flow) {
        flow_set_ledger(w->flow, fd);
        return true;
    }
    if (w->ledger_fd >= 0) close(w->ledger_fd);
    w->ledger_fd = fd;
    return true;
}

/* An attempt to fetch an issuer's keys has ended: what came is used at once, and who waits for it goes on. */
static bool take_jwks(struct worker *w, struct slice body, struct fault *why)
{
    struct control_jwks head;
    if (body.len < sizeof head) return fault_set(why, FAULT_INTERNAL, "half a message about an issuer's keys");
    memcpy(&head, body.ptr, sizeof head);
    struct slice rest = slice_of(body.ptr + sizeof head, body.len - sizeof head);
    if (head.url_bytes > rest.len) return fault_set(why, FAULT_INTERNAL, "half a message about an issuer's keys");
    struct slice url = slice_of(rest.ptr, head.url_bytes);
    struct jwks *keys = NULL;
    uint64_t now = clock_mono_ns();
    if (head.outcome == JWKS_FETCHED)
        keys = jwks_parse(slice_of(rest.ptr + url.len, rest.len - url.len), why);
    if (keys)
        keysets_put(w->keysets, url, keys, head.wall_ns, now);
    else if (head.outcome == JWKS_ASKED_TOO_OFTEN)
        keysets_answered(w->keysets, url, now);
    else
        keysets_failed(w->keysets, url, now);
    if (keys && head.is_changed) keysets_changed(w->keysets, url);
    if (w->flow) flow_keys_came(w->flow, keys && head.is_changed);
    return keys || head.outcome != JWKS_FETCHED;
}

static void want_keys(void *arg, struct slice url)
{
    struct worker *w = arg;
    struct fault why;
    if (!pipe_send(w->control, REPORT_JWKS_WANTED, url, -1, &why))
        log_event(LOG_ERROR, "control_lost", "%s", fault_message(&why));
}

static void report_prepared(struct worker *w, uint64_t number, struct report *report)
{
    struct fault why;
    struct buf body;
    struct control_prepared prepared = {.number = number, .is_good = w->staged_policies != NULL};
    buf_init(&body);
    buf_append(&body, slice_of((const char *)&prepared, sizeof prepared));
    report_write(report, &body);
    if (!pipe_send(w->control, REPORT_PREPARED, buf_slice(&body), -1, &why)) {
        log_event(LOG_ERROR, "control_lost", "%s", fault_message(&why));
    }
    buf_clear(&body);
}

static void on_loaded(void *arg, const struct loading_result *result)
{
    struct worker *w = arg;
    w->loading = NULL;
    w->staged_policies = result->policies;
    report_prepared(w, result->number, result->report);
}

/* False: the report says why there is nothing to wait for. */
static bool begin_loading(struct worker *w, uint64_t number, int fd, struct report *report)
{
    struct loading_order order = {.number = number, .settings = w->staged_settings};
    struct fault why;
    if (!w->staged_settings && w->is_config_lost) {
        report_say(report, FINDING_OTHER_ERROR, "the configuration could not be taken: " TOO_MANY_OPEN);
    } else if (!w->staged_settings) {
        report_say(report, FINDING_OTHER_ERROR, "no configuration came before the policies");
    } else if (policy_live_generations() >= LIMIT_POLICY_GENERATIONS) {
        report_say(report, FINDING_OTHER_ERROR,
                   "%u policy generations are alive, as many as may be: requests that began under older ones are still "
                   "running; reload again when some have ended",
                   LIMIT_POLICY_GENERATIONS);
    } else if (fd < 0) {
        report_say(report, FINDING_OTHER_ERROR, "the policies could not be taken: " TOO_MANY_OPEN);
    } else if (!pipe_memfd_map(fd, LIMIT_PIPE_QUEUE_BYTES + LIMIT_POLICY_BUNDLE_BYTES, &order.bytes, &why)) {
        report_say(report, FINDING_OTHER_ERROR, "%s", fault_message(&why));
    } else {
        w->loading = loading_begin(&w->background, &order, on_loaded, w);
        return true;
    }
    return false;
}

static void prepare(struct worker *w, uint64_t number, int fd)
{
    struct report *report = report_new();
    forget_policies(w);
    w->staged_number = number;
    if (!begin_loading(w, number, fd, report)) report_prepared(w, number, report);
    report_free(report);
}

/* Where the process may not have as many descriptors as moongate.lua lets clients in. */
static void say_clients(struct worker *w)
{
    struct descriptors d = descriptors_share(descriptors_limit(), w->settings->connections_max);
    atomic_store(&w->parts.slot->clients_max, d.clients);
    atomic_store(&w->parts.slot->descriptors, d.is_short ? d.limit : 0);
    if (d.is_short && d.clients != w->clients_said)
        log_event(LOG_WARN, "descriptors_short",
                  "%u clients at a time, not the %u of limits.connections: this worker may have %llu descriptors, and "
                  "a request takes two (ulimit -n, LimitNOFILE=)",
                  d.clients, w->settings->connections_max, (unsigned long long)d.limit);
    w->clients_said = d.clients;
}

static void start_flow(struct worker *w)
{
    w->flow = flow_new(&(struct flow_parts){
        .loop = w->loop,
        .listen_fd = w->parts.listen_fd,
        .settings = w->settings,
        .policies = w->staged_policies,
        .keyring = w->registry.keyring,
        .topups = w->registry.topups,
        .prompts = w->registry.prompts,
        .grants = w->registry.grants,
        .people = w->registry.people,
        .keysets = w->keysets,
        .want_keys = want_keys,
        .want_keys_arg = w,
        .stats = w->stats,
        .counters = w->parts.counters,
        .breakers = w->parts.breakers,
        .switches = w->parts.switches,
        .confirmed = w->parts.confirmed,
        .access_tokens = w->parts.access_tokens,
        .owned = w->parts.owned,
        .redis = w->redis.url[0] ? &w->redis : NULL,
        .records_failing = &w->parts.slot->records_failing,
    });
    if (w->ledger_fd >= 0) flow_set_ledger(w->flow, w->ledger_fd);
    w->ledger_fd = -1;
}

static void commit(struct worker *w, uint64_t number)
{
    struct fault why;
    if (number != w->staged_number || !w->staged_policies) return; /* dropped in between */
    settings_unref(w->settings);
    w->settings = settings_ref(w->staged_settings);
    w->redis.gateways = w->staged_gateways;
    w->redis.timeout_ms = w->staged_redis_ms;
    if (w->flow) {
        flow_set_settings(w->flow, w->settings);
        flow_set_policies(w->flow, w->staged_policies);
    } else {
        start_flow(w);
    }
    say_clients(w);
    shared_text_set(&w->parts.slot->digest, policy_set_digest(w->staged_policies));
    atomic_store(&w->parts.slot->generation, number);
    drop_staged(w);
    struct control_generation done = {number};
    pipe_send(w->control, REPORT_COMMITTED, slice_of((const char *)&done, sizeof done), -1, &why);
}

/* ---- The end. */

static void on_drained(void *arg)
{
    struct worker *w = arg;
    loop_stop(w->loop);
}

static void close_listener(struct worker *w)
{
    if (w->parts.listen_fd >= 0) close(w->parts.listen_fd);
    w->parts.listen_fd = -1;
}

static void drain(struct worker *w, uint32_t grace_ms)
{
    if (w->is_leaving) return;
    w->is_leaving = true;
    drop_staged(w);
    if (!w->flow) {
        loop_stop(w->loop);
        return;
    }
    flow_drain(w->flow, grace_ms, on_drained, w);
    close_listener(w);
}

/* Its last records still go to the ledger. */
static void stop(struct worker *w)
{
    if (w->flow) flow_stop(w->flow);
    drain(w, 0);
}

/* ---- Orders. */

static uint64_t number_of(const struct pipe_message *message)
{
    struct control_generation generation = {0};
    if (message->body.len == sizeof generation) memcpy(&generation, message->body.ptr, sizeof generation);
    return generation.number;
}

static uint32_t grace_of(const struct worker *w, const struct pipe_message *message)
{
    struct control_drain order = {.grace_ms = w->settings ? w->settings->drain_grace_ms : LIMIT_DRAIN_MS};
    if (message && message->body.len == sizeof order) memcpy(&order, message->body.ptr, sizeof order);
    return order.grace_ms;
}

static void on_message(void *arg, const struct pipe_message *message)
{
    struct worker *w = arg;
    struct fault why = {0};
    bool is_good = true;
    int fd = message->fd; /* unless somebody takes it */
    switch ((enum control_order)message->type) {
    case CONTROL_CONFIG: is_good = stage_config(w, message->fd, &why); break;
    case CONTROL_SECTION: is_good = take_section(w, message, &why); break;
    case CONTROL_PREPARE: prepare(w, number_of(message), message->fd); break;
    case CONTROL_COMMIT: commit(w, number_of(message)); break;
    case CONTROL_DROP: drop_staged(w); break;
    case CONTROL_UNREADY:
        if (w->flow) flow_unready(w->flow);
        break;
    case CONTROL_DRAIN: drain(w, grace_of(w, message)); break;
    case CONTROL_STOP: stop(w); break;
    case CONTROL_JWKS: is_good = take_jwks(w, message->body, &why); break;
    case CONTROL_LEDGER: is_good = take_ledger(w, message->fd, &why); fd = -1; break;
    case CONTROL_WORKER:
    case CONTROL_LOOK:
    case CONTROL_CHANGE:
    case CONTROL_REOPEN: /* the ledger process's */
    case CONTROL_JWKS_SOURCES:
    case CONTROL_POLICIES:
    case CONTROL_RULES:
    case CONTROL_ACCOUNTS:
    case CONTROL_JWKS_WANTED: break; /* the admin process's */
    }
    if (!is_good) log_event(LOG_ERROR, "control_refused", "%s", fault_message(&why));
    if (fd >= 0) close(fd);
}

static void on_end(void *arg, const struct fault *why)
{
    struct worker *w = arg;
    (void)why;
    if (!w->is_leaving) log_event(LOG_WARN, "supervisor_gone", "finishing what is under way, then ending");
    drain(w, grace_of(w, NULL));
}

static const struct pipe_events events = {.on_message = on_message, .on_end = on_end};

static void worker_clear(struct worker *w)
{
    loop_timer_disarm(&w->beat);
    loop_timer_disarm(&w->sections_again);
    loop_timer_disarm(&w->ledger_again);
    drop_staged(w);
    flow_free(w->flow);
    background_clear(&w->background);
    loading_watch_dead(NULL);
    close_listener(w);
    settings_unref(w->settings);
    snapshot_clear(&w->registry);
    keysets_free(w->keysets);
    forget_redis(w);
    if (w->ledger_fd >= 0) close(w->ledger_fd);
    pipe_free(w->control);
    stats_detach(w->stats);
    loop_free(w->loop);
}

int worker_run(const struct worker_parts *parts)
{
    struct worker w = {.parts = *parts, .ledger_fd = -1};
    mem_keep_large_apart();
    registry_use(SLICE_NONE, SLICE_NONE); /* it never opens it, and need not know where it is */
    w.loop = loop_new();
    w.stats = stats_attach(parts->segment);
    snapshot_init(&w.registry);
    w.keysets = keysets_new();
    w.control = pipe_new(w.loop, parts->control_fd, LIMIT_PIPE_QUEUE_BYTES, &events, &w);
    background_init(&w.background, w.loop);
    loading_watch_dead(&w.background);
    loop_set_beat(w.loop, &w.parts.slot->beat);
    loop_timer_init(&w.beat, w.loop, on_beat, &w);
    loop_timer_init(&w.sections_again, w.loop, ask_for_sections, &w);
    loop_timer_init(&w.ledger_again, w.loop, ask_for_ledger, &w);
    on_beat(&w);
    loop_run(w.loop);
    worker_clear(&w);
    return 0;
}
