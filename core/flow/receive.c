/* The edge's events become jobs: a head opens one, the body fills it, the end sends it to be identified and decided. */
#include "flow/job.h"

#include "base/clock.h"
#include "base/mem.h"
#include "flow/audit.h"
#include "flow/deliver.h"
#include "flow/drain.h"
#include "flow/identify.h"
#include "flow/metrics.h"
#include "flow/reply.h"
#include "flow/routes.h"
#include "flow/settle.h"

static struct job *job_new(struct flow *flow, struct conn *conn)
{
    struct job *job = mem_zalloc(1, sizeof *job);
    struct loop *loop = flow->parts.loop;
    job->flow = flow;
    job->conn = conn;
    job->x = exchange_new(loop_now_ns(loop), clock_wall_ns());
    job->settings = settings_ref(flow->parts.settings);
    job->policies = policy_set_ref(flow->parts.policies);
    job->x->identity.keyring = keyring_ref(flow->parts.keyring);
    list_init(&job->link);
    list_init(&job->wait.link);
    list_append(&flow->jobs, &job->link);
    flow->job_count++;
    conn_set_context(conn, job);
    return job;
}

/* Only what is counted at the end may be counted as open. */
static void admit(struct job *job)
{
    metrics_opened(job->flow->metrics);
}

/* All of the head in one run of the arena: names and values outlive the connection's buffer. */
static void keep_head(struct job *job, const struct http_head *head)
{
    struct exchange *x = job->x;
    x->head.method = slice_equal(head->method, SLICE("POST")) ? "POST" : "GET";
    x->head.path = arena_copy(&x->arena, head->path);
    x->head.peer = arena_copy(&x->arena, slice_str(conn_peer(job->conn)));
    x->head.headers = arena_alloc(&x->arena, (head->header_count + 1) * sizeof *x->head.headers);
    x->head.header_count = head->header_count;
    for (size_t i = 0; i < head->header_count; i++) {
        x->head.headers[i].name = arena_copy(&x->arena, head->headers[i].name);
        x->head.headers[i].value = arena_copy(&x->arena, head->headers[i].value);
    }
}

static void reply_health(struct job *job, enum route_kind kind)
{
    struct flow *flow = job->flow;
    bool is_failing = audit_is_failing(flow->audit);
    bool is_ready = kind == ROUTE_LIVEZ || !(flow->is_draining || is_failing);
    struct conn_header headers[REPLY_HEADERS_MAX];
    size_t count = reply_common_headers(job, headers);
    headers[count++] = (struct conn_header){SLICE("content-type"), SLICE("text/plain; charset=utf-8")};
    reply_plain(job, is_ready ? 200 : 503, headers, count,
                is_ready             ? SLICE("ok\n")
                : flow->is_draining ? SLICE("draining\n")
                                     : SLICE("records cannot be written; is the disk full?\n"));
}

static void reply_options(struct job *job)
{
    struct conn_header headers[REPLY_HEADERS_MAX];
    size_t count = reply_common_headers(job, headers);
    headers[count++] = (struct conn_header){SLICE("allow"), job->allow};
    reply_plain(job, 204, headers, count, SLICE(""));
}

/* Compressed bodies would hide from policies what the provider reads. */
static bool body_is_readable(const struct http_head *head, struct fault *why)
{
    struct slice coding = http_find(head, SLICE("content-encoding"));
    struct slice type = http_find(head, SLICE("content-type"));
    if (coding.len && !slice_iequal(coding, SLICE("identity")))
        return fault_set(why, FAULT_MEDIA_TYPE, "Request bodies must not be compressed (content-encoding: %.*s).",
                         SLICE_FMT(coding));
    if (slice_starts(type, SLICE("multipart/")))
        return fault_set(why, FAULT_MEDIA_TYPE, "Request bodies must be application/json, not %.*s.", SLICE_FMT(type));
    return true;
}

static void open_api(struct job *job, const struct route_match *match, const struct http_head *head)
{
    struct exchange *x = job->x;
    struct fault why = {.code = FAULT_NONE};
    if (x->api->kind == API_MODEL && !http_decode_segment(&x->arena, match->id, &x->model_path)) {
        fault_set(&why, FAULT_UNKNOWN_MODEL, "The model's name is not valid percent-encoding.");
        reply_fault(job, &why);
    } else if (!body_is_readable(head, &why)) {
        reply_fault(job, &why);
    } else if (head->content_length > 0) {
        buf_reserve(&x->body, (size_t)head->content_length); /* within the limit, or on_refused would have come */
    }
}

static void on_request(struct conn *conn, const struct http_head *head, void *arg)
{
    struct job *job = job_new(arg, conn);
    struct route_match match = routes_find(head->method, head->path);
    keep_head(job, head);
    job->x->api = match.api;
    job->allow = match.allow;
    job->is_unrecorded = match.kind != ROUTE_API && match.kind != ROUTE_NONE;
    if (!job->is_unrecorded) admit(job);
    switch (match.kind) {
    case ROUTE_NONE: reply_fault(job, &match.fault); return;
    case ROUTE_API: open_api(job, &match, head); return;
    case ROUTE_LIVEZ:
    case ROUTE_READYZ: reply_health(job, match.kind); return;
    case ROUTE_OPTIONS: reply_options(job); return;
    }
}

static void on_body(struct conn *conn, struct slice bytes, void *arg)
{
    struct job *job = conn_context(conn);
    (void)arg;
    buf_append(&job->x->body, bytes);
}

static bool parse_body(struct job *job, struct fault *why)
{
    struct exchange *x = job->x;
    return x->api->kind != API_CALL || chat_parse(&x->request, x->api->client, buf_slice(&x->body),
                                                     x->api->asks, &x->arena, why);
}

static void on_body_end(struct conn *conn, void *arg)
{
    struct job *job = conn_context(conn);
    struct fault why;
    (void)arg;
    if (!parse_body(job, &why)) {
        reply_fault(job, &why);
        return;
    }
    identify(job);
}

static void on_refused(struct conn *conn, const struct fault *why, void *arg)
{
    struct job *job = conn_context(conn);
    if (!job) {
        job = job_new(arg, conn);
        /* Above the connection cap the answer must cost as little as can be: no record, only the edge's own count. */
        job->is_unrecorded = why->code == FAULT_OVERLOADED;
        if (!job->is_unrecorded) admit(job);
    }
    reply_fault(job, why);
}

static void on_drained(struct conn *conn, void *arg)
{
    (void)arg;
    deliver_drained(conn_context(conn));
}

static void on_gone(struct conn *conn, void *arg)
{
    struct job *job = conn_context(conn);
    (void)arg;
    job->conn = NULL;
    job->x->fault.code = FAULT_CLIENT_GONE;
    job->x->fault.text[0] = '\0';
    if (!drain_begin(job)) job_end(job, OUTCOME_CLIENT_CLOSED);
}

static void on_reply_end(struct conn *conn, void *arg)
{
    struct job *job = conn_context(conn);
    (void)arg;
    job->conn = NULL;
    job_end(job, job->outcome);
}

const struct conn_events receive_events = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_refused = on_refused,
    .on_drained = on_drained,
    .on_gone = on_gone,
    .on_reply_end = on_reply_end,
};
