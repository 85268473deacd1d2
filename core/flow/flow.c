#include "flow/flow.h"

#include <stdatomic.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "flow/attempt.h"
#include "flow/await.h"
#include "flow/breaking.h"
#include "flow/counting.h"
#include "flow/drain.h"
#include "flow/holds.h"
#include "flow/identify.h"
#include "flow/intake.h"
#include "flow/intent.h"
#include "flow/job.h"
#include "flow/listing.h"
#include "flow/metrics.h"
#include "flow/notices.h"
#include "flow/policy_redis.h"
#include "flow/reply.h"
#include "flow/settle.h"
#include "flow/switched.h"
#include "net/descriptors.h"
#include "store/provider_switches.h"

#define GAUGES_MS 500
/* After the grace, how long a client gets to take the error it is sent. */
#define LEFTOVERS_MS 1000
#define USER_AGENT "moongate/" MOONGATE_VERSION

static struct conn_options conn_options_of(const struct settings *s)
{
    struct descriptors d = descriptors_share(descriptors_limit(), s->connections_max);
    return (struct conn_options){
        .body_bytes_max = s->body_bytes_max,
        .header_timeout_ms = s->header_timeout_ms,
        .body_timeout_ms = s->body_timeout_ms,
        .body_rate = s->body_rate,
        .idle_timeout_ms = s->idle_timeout_ms,
        .write_timeout_ms = s->write_timeout_ms,
        .connections_max = d.clients,
        .strangers_max = s->strangers_max,
        .stranger_bytes_max = LIMIT_STRANGERS_BYTES,
        .overloaded_max = d.overloaded,
    };
}

static void share_upstream(struct flow *flow)
{
    fetch_pool_limit(flow->pool,
                     descriptors_share(descriptors_limit(), flow->parts.settings->connections_max).upstream);
}

static void end_cut(struct flow *flow);

static void update_gauges(void *arg)
{
    struct flow *flow = arg;
    struct fetch_pool_stats upstream = fetch_pool_stats(flow->pool);
    struct conn_counts clients = conn_server_counts(flow->server);
    metrics_gauges(flow->metrics, &(struct metrics_gauges){.clients = clients.open,
                                                           .strangers = clients.strangers,
                                                           .dropped = clients.dropped,
                                                           .held_bytes = (int64_t)intake_bytes(flow->intake),
                                                           .calls = upstream.fetches_active,
                                                           .upstreams = upstream.connections_open,
                                                           .generations = (int64_t)policy_live_generations()});
    breaking_renew(flow);
    end_cut(flow);
    metrics_turn(flow->metrics, loop_take_longest_ns(flow->parts.loop), 60000 / GAUGES_MS);
    loop_timer_arm_ms(&flow->gauge_timer, GAUGES_MS);
}

static void on_record_lost(void *arg, struct slice id)
{
    struct flow *flow = arg;
    if (notices_is_id(id)) {
        notices_lost(flow->notices, id);
        return;
    }
    metrics_record_lost(flow->metrics);
    log_event(LOG_ERROR, "record_lost", "%.*s: the ledger has not taken its record; is the disk full?", SLICE_FMT(id));
}

static void report_drained(struct flow *flow)
{
    if (!flow->is_draining || flow->job_count > 0 || !flow->on_drained) return;
    if (!recorder_is_idle(flow->recorder) && !flow->is_leaving) {
        if (!loop_timer_is_armed(&flow->leave_timer)) loop_timer_arm_ms(&flow->leave_timer, LIMIT_LEDGER_LEAVE_MS);
        return;
    }
    void (*on_drained)(void *) = flow->on_drained;
    flow->on_drained = NULL;
    loop_timer_disarm(&flow->drain_timer);
    loop_timer_disarm(&flow->leave_timer);
    on_drained(flow->on_drained_arg);
}

static void on_job_gone(struct flow *flow)
{
    flow->job_count--;
    report_drained(flow);
}

/* The last records are not taken: the worker ends without. */
static void on_leave(void *arg)
{
    struct flow *flow = arg;
    flow->is_leaving = true;
    report_drained(flow);
}

static void each_job(struct flow *flow, void (*visit)(struct job *job, const void *arg), const void *arg)
{
    struct list_link *link = flow->jobs.next, *next;
    for (; link != &flow->jobs; link = next) {
        next = link->next;
        visit(LIST_OWNER(link, struct job, link), arg);
    }
}

static void tell_ledger_changed(struct job *job, const void *arg)
{
    (void)arg;
    intent_ledger_changed(job);
}

/* Said once each time: what it means for each request stands in its own answer and record. */
static void say_ledger(struct flow *flow, bool is_failing)
{
    if (is_failing == flow->is_ledger_failing) return;
    flow->is_ledger_failing = is_failing;
    atomic_store(flow->parts.records_failing, is_failing);
    if (is_failing)
        log_event(LOG_ERROR, "ledger_failing", "the ledger takes no records: requests are refused, but for those "
                                               "with durability async");
    else
        log_event(LOG_INFO, "ledger_back", "the ledger takes records");
}

static void on_ledger_change(void *arg)
{
    struct flow *flow = arg;
    say_ledger(flow, recorder_is_failing(flow->recorder, DURABILITY_LOCAL));
    each_job(flow, tell_ledger_changed, NULL);
}

static void on_ledger_idle(void *arg)
{
    report_drained(arg);
}

static void on_ledger_told(void *arg, const struct link_ask *ask, const struct owned *found)
{
    struct flow *flow = arg;
    objects_told(flow->objects, ask, found);
}

static void on_ledger_listed(void *arg, const struct link_listed *listed, struct slice objects)
{
    listing_told(arg, listed, objects);
}

static const struct recorder_events recorder_events = {on_record_lost, on_ledger_change, on_ledger_idle,
                                                       on_ledger_told, on_ledger_listed};

static struct objects *make_objects(struct flow *flow)
{
    const struct flow_redis *redis = flow->parts.redis;
    return objects_new(&(struct objects_options){
        .loop = flow->parts.loop,
        .table = flow->parts.owned,
        .recorder = flow->recorder,
        .redis_url = redis ? redis->url : NULL,
        .redis_ms = redis && redis->timeout_ms ? redis->timeout_ms : LIMIT_COUNTERS_REDIS_MS});
}

struct flow *flow_new(const struct flow_parts *parts)
{
    struct flow *flow = mem_zalloc(1, sizeof *flow);
    struct conn_options options = conn_options_of(parts->settings);
    flow->parts = *parts;
    flow->on_job_gone = on_job_gone;
    said_reader_init(&flow->reader);
    settings_ref(parts->settings);
    policy_set_ref(parts->policies);
    keyring_ref(parts->keyring);
    topups_ref(parts->topups);
    prompts_ref(parts->prompts);
    if (parts->grants) grants_ref(parts->grants);
    if (parts->people) people_ref(parts->people);
    list_init(&flow->jobs);
    list_init(&flow->waiting);
    list_init(&flow->probing);
    list_init(&flow->listing);
    flow->tokens = tokens_new();
    flow->memo = memo_new(LIMIT_COUNT_MEMO);
    flow->quiet = memo_new(LIMIT_QUIET_MEMO);
    flow->intake = intake_new(parts->settings->key_bytes, parts->settings->worker_bytes);
    counting_init(flow);
    flow->metrics = metrics_new(parts->stats);
    flow->recorder = recorder_new(parts->loop, &recorder_events, flow);
    flow->objects = make_objects(flow);
    flow->notices = notices_new(flow->recorder, parts->stats);
    flow->holds = holds_new(&(struct holds_options){.loop = parts->loop,
                                                     .counters = parts->counters,
                                                     .owner = recorder_owner(flow->recorder),
                                                     .redis = parts->redis,
                                                     .metrics = flow->metrics});
    flow->await = await_new(parts->loop, holds_tally(flow->holds), flow->notices);
    if (parts->redis) flow->redis = policy_redis_new(parts->loop, parts->redis->url);
    flow->cache = cache_new(LIMIT_POLICY_CACHE_BYTES, LIMIT_POLICY_CACHE_ENTRIES);
    flow->pool = fetch_pool_new(parts->loop, USER_AGENT);
    share_upstream(flow);
    flow->server = conn_server_new(parts->loop, &options, &receive_events, flow);
    loop_timer_init(&flow->gauge_timer, parts->loop, update_gauges, flow);
    loop_timer_init(&flow->leave_timer, parts->loop, on_leave, flow);
    if (parts->listen_fd >= 0) conn_server_listen(flow->server, parts->listen_fd);
    update_gauges(flow);
    return flow;
}

void flow_free(struct flow *flow)
{
    if (!flow) return;
    check(flow->job_count == 0);
    loop_timer_disarm(&flow->gauge_timer);
    loop_timer_disarm(&flow->drain_timer);
    loop_timer_disarm(&flow->leave_timer);
    counting_clear(flow);
    uint64_t dropped = conn_server_counts(flow->server).dropped;
    conn_server_free(flow->server);
    fetch_pool_free(flow->pool);
    recorder_free(flow->recorder);
    objects_free(flow->objects);
    await_free(flow->await);
    notices_free(flow->notices);
    holds_free(flow->holds);
    policy_redis_free(flow->redis);
    metrics_gauges(flow->metrics, &(struct metrics_gauges){.dropped = dropped});
    metrics_free(flow->metrics);
    cache_free(flow->cache);
    memo_free(flow->memo);
    memo_free(flow->quiet);
    intake_free(flow->intake);
    said_reader_clear(&flow->reader);
    settings_unref(flow->parts.settings);
    tokens_free(flow->tokens);
    policy_set_unref(flow->parts.policies);
    keyring_unref(flow->parts.keyring);
    topups_unref(flow->parts.topups);
    prompts_unref(flow->parts.prompts);
    grants_unref(flow->parts.grants);
    people_unref(flow->parts.people);
    mem_free(flow);
}

void flow_set_settings(struct flow *flow, struct settings *settings)
{
    struct conn_options options = conn_options_of(settings);
    settings_ref(settings);
    settings_unref(flow->parts.settings);
    flow->parts.settings = settings;
    conn_server_set_options(flow->server, &options);
    share_upstream(flow);
    intake_set_limits(flow->intake, settings->key_bytes, settings->worker_bytes);
}

void flow_set_policies(struct flow *flow, struct policy_set *policies)
{
    policy_set_ref(policies);
    tokens_clear(flow->tokens); /* they were read by the rules of the set that goes */
    policy_set_unref(flow->parts.policies);
    flow->parts.policies = policies;
}

void flow_set_ledger(struct flow *flow, int fd)
{
    recorder_attach(flow->recorder, fd);
}

const char *flow_redis_trouble(const struct flow *flow)
{
    return holds_trouble(flow->holds);
}

void flow_keys_came(struct flow *flow, bool is_changed)
{
    size_t count = flow->waiting_count; /* one that waits anew is not asked again in this round */
    if (is_changed) tokens_clear(flow->tokens);
    while (count-- > 0 && !list_is_empty(&flow->waiting))
        identify_again(LIST_OWNER(flow->waiting.next, struct job, wait.link));
}

static void abort_job(struct job *job, const void *arg)
{
    const struct fault *why = arg;
    if (job->end.is_over) {
        job_hurry(job);
        return;
    }
    if (!drain_is_on(job)) {
        job->x->fault = *why;
        conn_abort(job->conn);
        job->conn = NULL;
    }
    job_end(job, drain_is_on(job) ? OUTCOME_CLIENT_CLOSED : OUTCOME_DRAINED);
}

/* What can still be said is said in the client's own dialect; the rest sees its connection break. */
static void end_under_way(struct job *job, const struct fault *why, enum exchange_outcome outcome)
{
    if (drain_is_on(job)) {
        job_end(job, OUTCOME_CLIENT_CLOSED);
        return;
    }
    switch (job->x->state) {
    case EXCHANGE_RECEIVING:
    case EXCHANGE_DECIDING:
    case EXCHANGE_CALLING: reply_fault(job, why); return;
    case EXCHANGE_STREAMING: attempt_cut(job, why, outcome); return;
    case EXCHANGE_REPLYING:
    case EXCHANGE_SETTLING:
    case EXCHANGE_RECORDED: return;
    }
}

static void end_leftover(struct job *job, const void *why)
{
    end_under_way(job, why, OUTCOME_DRAINED);
}

static void end_if_revoked(struct job *job, const void *why)
{
    const struct key_record *then = job->x->identity.key;
    const struct key_record *now = then ? keyring_find(job->flow->parts.keyring, then->digest) : NULL;
    if (now && now->ends_requests && !job->end.is_over) end_under_way(job, why, OUTCOME_DENIED);
}

static void end_if_cut(struct job *job, const void *arg)
{
    struct fault why;
    (void)arg;
    if (!job->end.is_over && switched_cuts(job, &why)) end_under_way(job, &why, OUTCOME_DENIED);
}

static void end_cut(struct flow *flow)
{
    if (provider_switches_cuts(flow->parts.switches)) each_job(flow, end_if_cut, NULL);
}

void flow_set_registry(struct flow *flow, struct keyring *keyring, struct topups *topups)
{
    keyring_ref(keyring);
    topups_ref(topups);
    keyring_unref(flow->parts.keyring);
    topups_unref(flow->parts.topups);
    flow->parts.keyring = keyring;
    flow->parts.topups = topups;
    each_job(flow, end_if_revoked, &(struct fault){.code = FAULT_KEY_REVOKED});
}

void flow_set_prompts(struct flow *flow, struct prompts *prompts)
{
    prompts_ref(prompts);
    prompts_unref(flow->parts.prompts);
    flow->parts.prompts = prompts;
}

void flow_set_behind(struct flow *flow, bool is_behind)
{
    if (!is_behind) flow->behind_since_ns = 0;
    else if (!flow->behind_since_ns) flow->behind_since_ns = clock_mono_ns();
}

void flow_set_grants(struct flow *flow, struct grants *grants, struct people *people)
{
    grants_ref(grants);
    people_ref(people);
    grants_unref(flow->parts.grants);
    people_unref(flow->parts.people);
    flow->parts.grants = grants;
    flow->parts.people = people;
}

void flow_stop(struct flow *flow)
{
    flow->is_draining = true;
    conn_server_listen(flow->server, -1);
    each_job(flow, abort_job, &(struct fault){.code = FAULT_DRAINING});
}

static void on_leftovers(void *arg)
{
    flow_stop(arg);
}

static void on_grace_over(void *arg)
{
    struct flow *flow = arg;
    each_job(flow, end_leftover, &(struct fault){.code = FAULT_DRAINING});
    loop_timer_init(&flow->drain_timer, flow->parts.loop, on_leftovers, flow);
    loop_timer_arm_ms(&flow->drain_timer, LEFTOVERS_MS);
}

static void on_drain_begun(void *arg)
{
    report_drained(arg);
}

void flow_unready(struct flow *flow)
{
    flow->is_draining = true;
}

void flow_drain(struct flow *flow, uint32_t grace_ms, void (*on_drained)(void *arg), void *arg)
{
    flow->is_draining = true;
    flow->on_drained = on_drained;
    flow->on_drained_arg = arg;
    conn_server_listen(flow->server, -1);
    conn_server_drain(flow->server);
    loop_timer_init(&flow->drain_timer, flow->parts.loop, on_grace_over, flow);
    loop_timer_arm_ms(&flow->drain_timer, grace_ms);
    loop_defer(flow->parts.loop, on_drain_begun, flow);
}
