/*
 * Sends the request to the provider that was decided on: its own headers by allow-list, the body as it came but for the
 * named edits. A target that cannot be reached, or is overloaded, gives way to the next while nothing has been sent to
 * the client.
 */
#include "flow/job.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/outgoing.h"
#include "flow/headers.h"
#include "flow/reply.h"
#include "wire/http.h"
#include "wire/splice.h"

#define CALL_HEADERS_MAX (LIMIT_HEADERS_COUNT + 4)

static enum chat_kind kind_of(enum exchange_api api)
{
    switch (api) {
    case API_COMPLETIONS: return CHAT_COMPLETIONS;
    case API_EMBEDDINGS: return CHAT_EMBEDDINGS;
    case API_CHAT:
    case API_NONE:
    case API_MODELS:
    case API_MODEL: break;
    }
    return CHAT_CHAT;
}

/* RFC 9110 7.6.1: what the Connection header names is meant for us alone. */
static bool is_for_us(const struct exchange *x, struct slice name)
{
    for (size_t i = 0; i < x->head.header_count; i++) {
        if (slice_iequal(x->head.headers[i].name, SLICE("connection")) && http_list_has(x->head.headers[i].value, name))
            return true;
    }
    return false;
}

/* The client's headers that may pass, then ours: they decide what a provider bills and in which encoding it answers. */
static size_t collect_headers(struct job *job, struct fetch_header *headers)
{
    struct exchange *x = job->x;
    size_t count = 0;
    for (size_t i = 0; i < x->head.header_count; i++) {
        struct pair h = x->head.headers[i];
        if (headers_reach_provider(h.name) && !is_for_us(x, h.name))
            headers[count++] = (struct fetch_header){h.name, h.value};
    }
    if (job->provider->key.len) {
        struct slice bearer = arena_join(&x->arena, SLICE("Bearer "), job->provider->key);
        headers[count++] = (struct fetch_header){SLICE("authorization"), bearer};
    }
    headers[count++] = (struct fetch_header){SLICE("content-type"), SLICE("application/json")};
    headers[count++] = (struct fetch_header){SLICE("accept-encoding"), SLICE("identity")};
    return count;
}

/* The edited body as pieces of the client's own bytes and the few new ones. */
static size_t collect_body(struct job *job, const struct target *target, struct slice **pieces)
{
    struct exchange *x = job->x;
    struct chat_request *r = &x->request;
    struct splice edits;
    struct iovec *parts;
    job->asked_usage = r->is_stream && job->provider->can_report_usage && r->include_usage != CHAT_TRUE;
    outgoing_edit(x, target->model, job->asked_usage, &edits);
    size_t count = splice_iovecs(&edits, &parts);
    *pieces = arena_alloc(&x->arena, count * sizeof **pieces);
    for (size_t i = 0; i < count; i++)
        (*pieces)[i] = slice_of(parts[i].iov_base, parts[i].iov_len);
    return count;
}

static void on_head(void *arg, const struct fetch_head *head)
{
    struct job *job = arg;
    if (job->drained)
        drain_head(job, head);
    else
        stream_begin(job, head);
}

static void on_data(void *arg, struct slice bytes)
{
    struct job *job = arg;
    if (job->drained)
        drain_data(job, bytes);
    else
        stream_data(job, bytes);
}

/* As long as the fetch is there to say so. */
static void note_sent(struct job *job)
{
    if (job->fetch) exchange_attempt(job->x)->was_sent = fetch_is_sent(job->fetch);
}

static void on_end(void *arg, const struct fault *why, bool complete)
{
    struct job *job = arg;
    (void)complete; /* is !why */
    note_sent(job);
    job->fetch = NULL;
    if (job->drained)
        drain_end(job, why);
    else
        stream_end(job, why);
}

static const struct fetch_events events = {on_head, on_data, on_end};

static void start(struct job *job, const struct target *target)
{
    struct exchange *x = job->x;
    const struct provider *p = job->provider;
    struct fetch_header headers[CALL_HEADERS_MAX];
    struct slice *body;
    struct fetch_request request = {
        .method = SLICE("POST"),
        .url = arena_join(&x->arena, p->url, slice_str(job->dialect->path(kind_of(x->api)))),
        .headers = headers,
        .header_count = collect_headers(job, headers),
        .ca_file = p->ca_file.ptr,
        .is_http2 = p->is_http2,
        .is_trickle = x->request.is_stream,
        .connect_timeout_ms = p->connect_timeout_ms,
        .first_byte_timeout_ms = p->first_byte_timeout_ms,
        .idle_timeout_ms = p->idle_timeout_ms,
        .total_timeout_ms = p->total_timeout_ms,
    };
    request.body_count = collect_body(job, target, &body);
    request.body = body;
    stream_reset(job);
    dialect_stream_init(&job->told, x->request.choices);
    account_begin(job);
    job->fetch = fetch_start(job->flow->pool, &request, &events, job);
}

static bool is_configured(const struct job *job, const struct target *target)
{
    const struct provider *p = settings_provider(job->settings, target->provider);
    return p && dialect_find(p->kind);
}

/* The next target that moongate.lua has an account for; false when there is none. */
static bool choose(struct job *job, size_t index)
{
    const struct verdict *v = &job->x->decision.verdict;
    while (index < v->target_count && !is_configured(job, &v->targets[index]))
        index++;
    if (index == v->target_count) return false;
    job->x->target_index = (int)index;
    job->provider = settings_provider(job->settings, v->targets[index].provider);
    job->dialect = dialect_find(job->provider->kind);
    return true;
}

static void send(struct job *job)
{
    exchange_add_attempt(job->x);
    start(job, &job->x->decision.verdict.targets[job->x->target_index]);
}

/* on_attempt's word on one target. */
static void on_allowed(struct job *job, const struct verdict *answer)
{
    struct exchange *x = job->x;
    if (answer->kind == VERDICT_ALLOW) {
        send(job);
        return;
    }
    struct attempt *attempt = exchange_add_attempt(x);
    attempt->is_denied = true;
    attempt->ended_ns = attempt->began_ns;
    if (answer->kind == VERDICT_DENY && call_has_next(job)) {
        call(job, (size_t)x->target_index + 1);
        return;
    }
    x->target_index = -1; /* the last word is a policy's: nobody was called for it */
    reply_answer(job, answer);
}

void call(struct job *job, size_t index)
{
    struct exchange *x = job->x;
    struct fault why;
    exchange_move(x, EXCHANGE_CALLING);
    if (!choose(job, index)) {
        fault_set(&why, FAULT_NO_TARGET, "No provider is configured for the model %.*s.",
                  SLICE_FMT(x->decision.verdict.model));
        reply_fault(job, &why);
    } else if (policy_has(job->policies, PHASE_ATTEMPT)) {
        ask(job, (struct policy_call){.phase = PHASE_ATTEMPT}, on_allowed);
    } else {
        send(job);
    }
}

bool call_has_next(const struct job *job)
{
    const struct verdict *v = &job->x->decision.verdict;
    for (size_t i = (size_t)(job->x->target_index + 1); i < v->target_count; i++) {
        if (is_configured(job, &v->targets[i])) return true;
    }
    return false;
}

void call_next(struct job *job)
{
    account_close(job);
    call_cancel(job);
    stream_reset(job);
    call(job, (size_t)(job->x->target_index + 1));
}

void call_ended(struct job *job, enum fault_code error)
{
    struct attempt *attempt = exchange_attempt(job->x);
    if (!attempt || attempt->ended_ns) return;
    attempt->ended_ns = clock_mono_ns();
    attempt->error = error;
}

void call_cancel(struct job *job)
{
    note_sent(job);
    fetch_cancel(job->fetch);
    job->fetch = NULL;
}
