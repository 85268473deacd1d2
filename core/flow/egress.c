#include "flow/egress.h"

#include "base/mem.h"
#include "flow/await.h"
#include "flow/holds.h"
#include "flow/job.h"
#include "flow/notices.h"
#include "flow/policy_redis.h"

#define CALL_HEADERS_MAX 40

struct egress_call {
    uint64_t ticket;
    struct fetch *fetch;
    struct arena arena; /* the answer's headers */
    struct pair *headers;
    size_t header_count;
    int status;
    struct buf body;
    size_t body_bytes_max;
};

static void call_free(struct egress_call *call)
{
    buf_clear(&call->body);
    arena_clear(&call->arena);
    mem_free(call);
}

/* NULL: the answer is whole. */
static void answer(struct egress_call *call, const char *error)
{
    policy_http_done(call->ticket, &(struct policy_http_reply){.error = error,
                                                               .status = call->status,
                                                               .headers = call->headers,
                                                               .header_count = call->header_count,
                                                               .body = buf_slice(&call->body)});
    call_free(call);
}

static const char *word_of(enum fault_code code)
{
    if (code == FAULT_CONNECT_TIMEOUT || code == FAULT_FIRST_BYTE_TIMEOUT || code == FAULT_TOTAL_TIMEOUT ||
        code == FAULT_UPSTREAM_IDLE_TIMEOUT)
        return "timeout";
    if (code == FAULT_UPSTREAM_CONNECT || code == FAULT_UPSTREAM_TLS) return "refused";
    return "closed"; /* in the middle, or with what is no HTTP */
}

static void on_head(void *arg, const struct fetch_head *head)
{
    struct egress_call *call = arg;
    call->status = head->status;
    call->headers = arena_alloc(&call->arena, (head->header_count + 1) * sizeof *call->headers);
    call->header_count = head->header_count;
    for (size_t i = 0; i < head->header_count; i++) {
        call->headers[i] = (struct pair){arena_copy(&call->arena, head->headers[i].name),
                                         arena_copy(&call->arena, head->headers[i].value)};
    }
}

static void on_data(void *arg, struct slice bytes)
{
    struct egress_call *call = arg;
    bool is_within = bytes.len <= call->body_bytes_max - buf_len(&call->body);
    if (is_within && buf_try_append(&call->body, bytes, call->body_bytes_max)) return;
    fetch_cancel(call->fetch);
    answer(call, "limit");
}

static void on_end(void *arg, const struct fault *why, bool complete)
{
    (void)complete; /* is !why */
    answer(arg, why ? word_of(why->code) : NULL);
}

static const struct fetch_events events = {on_head, on_data, on_end};

static struct fetch_header secret_header(struct egress_call *call, const struct egress *egress)
{
    if (egress->header.len) return (struct fetch_header){egress->header, egress->secret};
    struct slice bearer = arena_printf(&call->arena, "Bearer %.*s", SLICE_FMT(egress->secret));
    return (struct fetch_header){SLICE("authorization"), bearer};
}

static void *redis_start(struct flow *flow, const struct policy_http_request *request, uint64_t ticket)
{
    if (flow->redis) return policy_redis_start(flow->redis, request, ticket);
    policy_http_done(ticket, &(struct policy_http_reply){.error = "refused"});
    return NULL;
}

static void *http_start(void *arg, const struct policy_http_request *request, uint64_t ticket)
{
    struct flow *flow = arg;
    if (slice_equal(request->method, SLICE("REDIS"))) return redis_start(flow, request, ticket);
    struct egress_call *call = mem_zalloc(1, sizeof *call);
    struct fetch_header headers[CALL_HEADERS_MAX];
    size_t count = 0;
    call->ticket = ticket;
    call->body_bytes_max = request->answer_bytes_max;
    arena_init(&call->arena);
    buf_init(&call->body);
    headers[count++] = (struct fetch_header){SLICE("accept-encoding"), SLICE("identity")};
    if (request->has_secret && request->egress) headers[count++] = secret_header(call, request->egress);
    for (size_t i = 0; i < request->header_count && count < CALL_HEADERS_MAX; i++)
        headers[count++] = (struct fetch_header){request->headers[i].name, request->headers[i].value};
    call->fetch = fetch_start(flow->pool,
                              &(struct fetch_request){.method = request->method,
                                                      .url = request->url,
                                                      .headers = headers,
                                                      .header_count = count,
                                                      .body = &request->body,
                                                      .body_count = request->body.len ? 1 : 0,
                                                      .ca_file = request->egress ? request->egress->ca_file.ptr : NULL,
                                                      .total_timeout_ms = request->timeout_ms},
                              &events, call);
    return call;
}

static void http_cancel(void *arg, void *handle)
{
    struct flow *flow = arg;
    struct egress_call *call = handle;
    if (flow->redis && policy_redis_forget(flow->redis, handle)) return;
    fetch_cancel(call->fetch);
    call_free(call);
}

static void metric(void *arg, const struct policy_metric *m)
{
    struct flow *flow = arg;
    struct stats *stats = flow->parts.stats;
    struct slice labels[7] = {m->name};
    for (size_t i = 0; i < m->label_count && i < 3; i++) {
        labels[2 * i + 1] = m->labels[i].name;
        labels[2 * i + 2] = m->labels[i].value;
    }
    switch (m->kind) {
    case POLICY_COUNTER: stats_add(stats, stats_series(stats, STATS_POLICY_COUNTER, labels), (int64_t)m->value); return;
    case POLICY_HISTOGRAM:
        stats_observe(stats, stats_series(stats, STATS_POLICY_HISTOGRAM, labels), (uint64_t)(m->value * 1e9));
        return;
    }
}

static struct cache *cache(void *arg)
{
    struct flow *flow = arg;
    return flow->cache;
}

static struct memo *quiet(void *arg)
{
    struct flow *flow = arg;
    return flow->quiet;
}

static void counters(void *arg, const struct counters_question *question, uint64_t ticket)
{
    struct flow *flow = arg;
    holds_ask(flow->holds, question, ticket);
}

static void counters_cancel(void *arg, uint64_t ticket)
{
    struct flow *flow = arg;
    holds_forget(flow->holds, ticket);
}

static void notify(void *arg, const struct counters_notice *notice)
{
    struct flow *flow = arg;
    if (notice->from) await_notice(flow->await, notice);
    else notices_tell(flow->notices, notice);
}

const struct policy_host egress_host = {
    .http_start = http_start, .http_cancel = http_cancel, .metric = metric, .cache = cache,
    .quiet = quiet, .counters = counters, .counters_cancel = counters_cancel,
    .notify = notify};
