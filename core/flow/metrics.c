#include "flow/metrics.h"

#include "base/mem.h"

struct metrics {
    struct stats *stats;
    stats_handle open, duration, first_token, overhead, inspect_errors, incomplete, lost, unwritten;
    stats_handle clients, strangers, dropped, held, calls, upstreams, generations, longest_turn;
    uint64_t dropped_told;
    uint64_t turn_now_ns, turn_last_ns; /* the longest of this minute, and of the one before */
    unsigned looks;                     /* of this minute */
};

struct metrics *metrics_new(struct stats *stats)
{
    struct metrics *m = mem_zalloc(1, sizeof *m);
    m->stats = stats;
    m->open = stats_series(stats, STATS_EXCHANGES_OPEN, NULL);
    m->duration = stats_series(stats, STATS_REQUEST_DURATION, NULL);
    m->first_token = stats_series(stats, STATS_TIME_TO_FIRST_TOKEN, NULL);
    m->overhead = stats_series(stats, STATS_OVERHEAD, NULL);
    m->inspect_errors = stats_series(stats, STATS_INSPECT_ERRORS, NULL);
    m->incomplete = stats_series(stats, STATS_STREAMS_INCOMPLETE, NULL);
    m->lost = stats_series(stats, STATS_RECORDS_LOST, NULL);
    m->unwritten = stats_series(stats, STATS_RECORDS_UNWRITTEN, NULL);
    m->clients = stats_series(stats, STATS_CONNECTIONS_OPEN, NULL);
    m->strangers = stats_series(stats, STATS_CONNECTIONS_STRANGE, NULL);
    m->dropped = stats_series(stats, STATS_STRANGERS_DROPPED, NULL);
    m->held = stats_series(stats, STATS_BYTES_HELD, NULL);
    m->calls = stats_series(stats, STATS_UPSTREAM_OPEN, NULL);
    m->upstreams = stats_series(stats, STATS_UPSTREAM_CONNECTIONS, NULL);
    m->generations = stats_series(stats, STATS_POLICY_GENERATIONS, NULL);
    m->longest_turn = stats_series(stats, STATS_LOOP_TURN_LONGEST, NULL);
    return m;
}

void metrics_free(struct metrics *m)
{
    mem_free(m);
}

void metrics_opened(struct metrics *m)
{
    stats_add(m->stats, m->open, 1);
}

static void count_one(struct metrics *m, enum stats_metric metric, const struct slice *labels, int64_t n)
{
    stats_add(m->stats, stats_series(m->stats, metric, labels), n);
}

static void count_tokens(struct metrics *m, const struct exchange *x, const struct attempt *a, struct slice model)
{
    for (int part = 0; part < USAGE_IMAGES; part++) {
        if (!a->parts.count[part]) continue;
        struct slice labels[] = {model, x->identity.department, slice_str(usage_part_name((enum usage_part)part))};
        count_one(m, STATS_TOKENS, labels, a->parts.count[part]);
    }
}

/* Under the model that was called, not under the one that was asked for: "auto" costs nothing, and of a fallback each
 * side its own. */
static void count_attempt(struct metrics *m, const struct exchange *x, const struct attempt *a)
{
    struct slice model = x->decision.verdict.targets[a->target].model;
    struct slice labels[] = {model, x->identity.department};
    if (a->parts.count[USAGE_REQUESTS] == 0) return; /* not paid for */
    count_tokens(m, x, a, model);
    if (!a->is_billed) return;
    if (a->cost.state != COST_UNPRICED) count_one(m, STATS_COST, labels, a->cost.nano);
    if (a->cost.state != COST_KNOWN) count_one(m, STATS_UNPRICED, &model, 1);
    if (a->parts.is_estimated) count_one(m, STATS_USAGE_ESTIMATED, &model, 1);
}

static struct slice error_code(const struct exchange *x)
{
    if (x->decision.verdict.kind == VERDICT_DENY) return x->decision.verdict.code;
    if (x->decision.verdict.kind == VERDICT_FAULT) return slice_str(fault_info(FAULT_POLICY)->code);
    if (x->fault.code != FAULT_NONE) return slice_str(fault_info(x->fault.code)->code);
    return slice_str(exchange_outcome_name(x->outcome));
}

static void count_decision(struct metrics *m, const struct exchange *x)
{
    const struct verdict *v = &x->decision.verdict;
    if (v->kind == VERDICT_NONE) return;
    struct slice outcome = v->kind == VERDICT_ALLOW  ? SLICE("allow")
                           : v->kind == VERDICT_DENY ? SLICE("deny")
                                                     : SLICE("fault");
    struct slice labels[] = {v->policy, v->rule, outcome};
    count_one(m, STATS_DECISIONS, labels, 1);
}

/* Between the request's first byte and the call, plus the provider's last byte to the record: all that is ours. */
static void observe_times(struct metrics *m, const struct exchange *x)
{
    uint64_t end = x->entered_ns[EXCHANGE_SETTLING];
    stats_observe(m->stats, m->duration, end - x->born_mono_ns);
    if (x->first_byte_ns) stats_observe(m->stats, m->first_token, x->first_byte_ns - x->born_mono_ns);
    if (x->entered_ns[EXCHANGE_DECIDING] && x->entered_ns[EXCHANGE_CALLING])
        stats_observe(m->stats, m->overhead, x->entered_ns[EXCHANGE_CALLING] - x->entered_ns[EXCHANGE_DECIDING]);
}

/* Statuses have three digits; "0" where none was sent. */
static struct slice status_text(int status, char digits[3])
{
    if (status < 100 || status > 999) return SLICE("0");
    for (int i = 2; i >= 0; i--, status /= 10)
        digits[i] = (char)('0' + status % 10);
    return slice_of(digits, 3);
}

void metrics_count(struct metrics *m, const struct exchange *x)
{
    char code[3];
    bool is_called = x->target_index >= 0;
    struct slice provider = is_called ? x->decision.verdict.targets[x->target_index].provider : SLICE("");
    struct slice labels[] = {x->identity.app,
                             x->identity.department,
                             x->decision.verdict.model,
                             provider,
                             slice_str(exchange_outcome_name(x->outcome)),
                             status_text(x->response.status, code)};
    count_one(m, STATS_REQUESTS, labels, 1);
    count_decision(m, x);
    for (size_t i = 0; i < x->attempt_count; i++)
        count_attempt(m, x, x->attempts[i]);
    observe_times(m, x);
    if (x->outcome != OUTCOME_OK) {
        struct slice error[] = {error_code(x), provider};
        count_one(m, STATS_ERRORS, error, 1);
    }
    if (x->outcome == OUTCOME_INCOMPLETE) stats_add(m->stats, m->incomplete, 1);
    if (x->response.inspect_errors) stats_add(m->stats, m->inspect_errors, (int64_t)x->response.inspect_errors);
    stats_add(m->stats, m->open, -1);
}

void metrics_auth_failed(struct metrics *m, struct slice reason)
{
    count_one(m, STATS_AUTH_FAILURES, &reason, 1);
}

void metrics_registry_unknown(struct metrics *m, bool is_served)
{
    struct slice outcome = is_served ? SLICE("served") : SLICE("refused");
    count_one(m, STATS_REGISTRY_UNKNOWN, &outcome, 1);
}

void metrics_budget_overrun(struct metrics *m, bool is_cut)
{
    struct slice end = is_cut ? SLICE("cut") : SLICE("finish");
    count_one(m, STATS_BUDGET_OVERRUNS, &end, 1);
}

void metrics_counters_asked(struct metrics *m, const char *outcome)
{
    struct slice label = slice_str(outcome);
    count_one(m, STATS_COUNTERS_ASKED, &label, 1);
}

void metrics_counters_lost(struct metrics *m, const char *mode)
{
    struct slice label = slice_str(mode);
    count_one(m, STATS_COUNTERS_LOST, &label, 1);
}

void metrics_account_refused(struct metrics *m, struct slice provider, int status)
{
    char code[3];
    struct slice labels[] = {provider, status_text(status, code)};
    count_one(m, STATS_ACCOUNT_REFUSALS, labels, 1);
}

void metrics_breaker_tripped(struct metrics *m, struct slice provider)
{
    count_one(m, STATS_BREAKER_TRIPS, &provider, 1);
}

void metrics_record_lost(struct metrics *m)
{
    stats_add(m->stats, m->lost, 1);
}

void metrics_record_unwritten(struct metrics *m)
{
    stats_add(m->stats, m->unwritten, 1);
}

void metrics_turn(struct metrics *m, uint64_t longest_ns, unsigned looks_a_minute)
{
    if (++m->looks > looks_a_minute) {
        m->turn_last_ns = m->turn_now_ns;
        m->turn_now_ns = m->looks = 0;
    }
    if (longest_ns > m->turn_now_ns) m->turn_now_ns = longest_ns;
    stats_set(m->stats, m->longest_turn,
              (int64_t)(m->turn_now_ns > m->turn_last_ns ? m->turn_now_ns : m->turn_last_ns));
}

void metrics_gauges(struct metrics *m, const struct metrics_gauges *now)
{
    stats_set(m->stats, m->clients, now->clients);
    stats_set(m->stats, m->strangers, now->strangers);
    stats_add(m->stats, m->dropped, (int64_t)(now->dropped - m->dropped_told));
    m->dropped_told = now->dropped;
    stats_set(m->stats, m->held, now->held_bytes);
    stats_set(m->stats, m->calls, now->calls);
    stats_set(m->stats, m->upstreams, now->upstreams);
    stats_set(m->stats, m->generations, now->generations);
}
