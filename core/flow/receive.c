/*
 * The edge's events become jobs: a head opens one and says whose it is, the body fills it, the end sends it on to be
 * counted and decided. Nobody's body is read: who has shown no good key is refused with the head, and while a token's
 * keys are being fetched the body stays with its client.
 */
#include "flow/job.h"

#include "base/clock.h"
#include "base/mem.h"
#include "flow/batched.h"
#include "flow/cors.h"
#include "flow/deliver.h"
#include "flow/drain.h"
#include "flow/estimate.h"
#include "flow/fill.h"
#include "flow/identify.h"
#include "flow/intake.h"
#include "flow/keeping.h"
#include "flow/metrics.h"
#include "flow/repeats.h"
#include "flow/reply.h"
#include "flow/routes.h"
#include "flow/settle.h"
#include "store/confirmed.h"

/* A worker that could not take a section has what there was before, whatever the others have. */
static bool registry_is_stale(const struct flow *flow, const struct settings *settings)
{
    uint64_t now_ns = loop_now_ns(flow->parts.loop), behind_ns = flow->behind_since_ns;
    if (confirmed_is_stale(flow->parts.confirmed, now_ns, settings->registry_stale_ms)) return true;
    return behind_ns && confirmed_is_shared(flow->parts.confirmed) &&
           now_ns - behind_ns > settings->registry_stale_ms * (uint64_t)NS_PER_MS;
}

static struct job *job_new(struct flow *flow, struct conn *conn)
{
    struct job *job = mem_zalloc(1, sizeof *job);
    struct loop *loop = flow->parts.loop;
    job->flow = flow;
    job->conn = conn;
    job->x = exchange_new(loop_now_ns(loop), clock_wall_ns());
    job->settings = settings_ref(flow->parts.settings);
    job->x->config_digest = job->settings->digest;
    job->policies = policy_set_ref(flow->parts.policies);
    job->x->identity.keyring = keyring_ref(flow->parts.keyring);
    job->x->topups = topups_ref(flow->parts.topups);
    job->x->grants = flow->parts.grants ? grants_ref(flow->parts.grants) : NULL;
    job->x->is_registry_stale = registry_is_stale(flow, job->settings);
    job->x->grants_early_ms = confirmed_early_ms(flow->parts.confirmed);
    job->x->people = flow->parts.people ? people_ref(flow->parts.people) : NULL;
    list_init(&job->link);
    list_init(&job->wait.link);
    list_init(&job->breaking.link);
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

/* All of the head in one run of the arena: names and values outlive the connection's buffer. False: a header came twice
 * that has one value. */
static bool keep_head(struct job *job, const struct http_head *head, struct fault *why)
{
    struct exchange *x = job->x;
    bool is_end = slice_equal(head->method, SLICE("DELETE"));
    x->head.method = is_end ? "DELETE" : slice_equal(head->method, SLICE("POST")) ? "POST" : "GET";
    x->head.path = arena_copy(&x->arena, head->path);
    x->head.query = arena_copy(&x->arena, head->query);
    x->head.peer = arena_copy(&x->arena, slice_str(conn_peer(job->conn)));
    return repeats_join(x, head, why);
}

/* Also where nobody waits for them: what comes then may be lost. */
static bool are_records_failing(const struct flow *flow)
{
    return recorder_is_failing(flow->recorder, DURABILITY_LOCAL) ||
           recorder_is_failing(flow->recorder, (enum durability)flow->parts.settings->durability);
}

/* Where only tokens count, and the keys of an issuer never came. */
static bool are_keys_missing(const struct flow *flow)
{
    const struct auth_rules *rules = policy_set_auth(flow->parts.policies);
    if (!rules || rules->key_header_count) return false;
    for (size_t i = 0; i < rules->issuer_count; i++) {
        struct slice url = rules->issuers[i].url;
        if (url.len && !keysets_get(flow->parts.keysets, url, clock_wall_ns())) return true;
    }
    return false;
}

/* NULL: it is. */
static const char *why_unready(const struct flow *flow)
{
    if (flow->is_draining) return "draining\n";
    if (are_records_failing(flow)) return "records cannot be written; is the disk full?\n";
    if (are_keys_missing(flow)) return "the keys of an issuer of tokens are missing\n";
    return NULL;
}

static void reply_health(struct job *job, enum route_kind kind)
{
    const char *why = kind == ROUTE_LIVEZ ? NULL : why_unready(job->flow);
    struct conn_header headers[REPLY_HEADERS_MAX];
    size_t count = reply_common_headers(job, headers);
    headers[count++] = (struct conn_header){SLICE("content-type"), SLICE("text/plain; charset=utf-8")};
    reply_plain(job, why ? 503 : 200, headers, count, slice_str(why ? why : "ok\n"));
}

static void reply_options(struct job *job)
{
    struct conn_header headers[REPLY_HEADERS_MAX];
    size_t count = reply_common_headers(job, headers);
    headers[count++] = (struct conn_header){SLICE("allow"), job->allow};
    count += cors_preflight(job, headers + count);
    reply_plain(job, 204, headers, count, SLICE(""));
}

static struct slice content_type(const struct exchange *x)
{
    return exchange_header(x, SLICE("content-type"));
}

/* Compressed bodies would hide from policies what the provider reads. */
static bool body_is_readable(const struct exchange *x, struct fault *why)
{
    struct slice coding = exchange_header(x, SLICE("content-encoding"));
    struct slice type = content_type(x);
    if (coding.len && !slice_iequal(coding, SLICE("identity")))
        return fault_set(why, FAULT_MEDIA_TYPE, "Request bodies must not be compressed (content-encoding: %.*s).",
                         SLICE_FMT(coding));
    if (slice_starts(type, SLICE("multipart/")) && !x->api->takes_form)
        return fault_set(why, FAULT_MEDIA_TYPE, "Request bodies must be application/json, not %.*s.", SLICE_FMT(type));
    return true;
}

/* From here on the body is what the form stands for: whoever looks into requests knows JSON alone. */
static bool open_form(struct exchange *x, struct fault *why)
{
    struct slice type = content_type(x);
    if (!slice_starts(type, SLICE("multipart/"))) return true;
    x->upload = x->body;
    buf_init(&x->body);
    x->form = form_read(type, buf_slice(&x->upload), x->api->asks, &x->arena, &x->body, &x->request.attached, why);
    return x->form != NULL;
}

static bool parse_body(struct job *job, struct fault *why)
{
    struct exchange *x = job->x;
    if (x->api->kind != API_CALL) return keeping_note(x, why);
    struct slice model = x->api->names_model ? x->model_path : slice_str(x->api->stands_for);
    if (!open_form(x, why)) return false;
    bool is_indexed;
    if (!fill(job, &model, &is_indexed, why)) return false;
    bool is_read = is_indexed ? chat_read_indexed(&x->request, x->api->client, x->api->asks, model, &x->arena, why)
                              : chat_parse_for(&x->request, x->api->client, buf_slice(&x->body), x->api->asks, model,
                                               &x->arena, why);
    if (x->api->is_stream) x->request.is_stream = true;
    return is_read && keeping_note(x, why) &&
           intake_hold(&job->hold, exchange_request_bytes(x), why);
}

static void go_on(struct job *job)
{
    struct fault why;
    if (parse_body(job, &why))
        batched_first(job, estimate);
    else
        reply_fault(job, &why);
}

/* A key that may be revoked elsewhere; a token is its issuer's word. True: it is refused. */
static bool refuse_unknown(struct job *job)
{
    struct fault why = {.code = FAULT_KEYS_UNKNOWN};
    bool is_served = job->settings->on_registry_loss == REGISTRY_LOSS_SERVE;
    if (!job->x->is_registry_stale || !job->x->identity.key || job->x->identity.token_presented) return false;
    metrics_registry_unknown(job->flow->metrics, is_served);
    if (!is_served) reply_fault(job, &why);
    return !is_served;
}

static void on_identified(struct job *job)
{
    const struct key_record *key = job->x->identity.key;
    bool is_refused = identify_is_refused(job);
    conn_set_known(job->conn, !is_refused);
    if (!is_refused && refuse_unknown(job)) return;
    if (is_refused) {
        estimate(job); /* of nothing: policies find words for the refusal */
        return;
    }
    intake_join(job->flow->intake, &job->hold, key ? key->id : SLICE(""));
    job->is_admitted = true;
    if (job->is_whole)
        go_on(job);
    else
        conn_take_body(job->conn);
}

static void open_api(struct job *job, const struct route_match *match, const struct http_head *head)
{
    struct exchange *x = job->x;
    struct fault why = {.code = FAULT_NONE};
    bool has_model = x->api->kind == API_MODEL || x->api->names_model;
    if (has_model && !http_decode_segment(&x->arena, match->id, &x->model_path)) {
        fault_set(&why, FAULT_UNKNOWN_MODEL, "The model's name is not valid percent-encoding.");
        reply_fault(job, &why);
    } else if (x->api->place && !keeping_name(x, match->id, match->inner, &why)) {
        reply_fault(job, &why);
    } else if (!body_is_readable(x, &why)) {
        reply_fault(job, &why);
    } else {
        job->body_bytes = head->content_length > 0 ? (size_t)head->content_length : 0;
        conn_hold_body(job->conn);
        identify(job, on_identified);
    }
}

static bool has_header(void *arg, struct slice name)
{
    return exchange_header(arg, name).len > 0;
}

static void on_request(struct conn *conn, const struct http_head *head, void *arg)
{
    struct job *job = job_new(arg, conn);
    struct fault why;
    bool is_kept = keep_head(job, head, &why);
    struct route_match match =
        routes_find(head->method, head->path, exchange_header(job->x, SLICE("upgrade")), &job->x->arena);
    job->x->api = api_spoken(match.api, has_header, job->x);
    job->allow = match.allow;
    job->is_unrecorded = match.kind != ROUTE_API && match.kind != ROUTE_NONE;
    if (!job->is_unrecorded) admit(job);
    if (!is_kept) {
        reply_fault(job, &why);
        return;
    }
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
    struct buf *body = &job->x->body;
    struct fault why;
    (void)arg;
    if (!intake_hold(&job->hold, buf_len(body) + bytes.len, &why)) {
        reply_fault(job, &why);
    } else if (!buf_try_append(body, bytes, job->body_bytes)) {
        fault_set(&why, FAULT_OUT_OF_MEMORY, "there is no memory for the request's body: send it again in a moment");
        reply_fault(job, &why);
    }
}

static void on_body_end(struct conn *conn, void *arg)
{
    struct job *job = conn_context(conn);
    (void)arg;
    job->is_whole = true;
    if (job->is_admitted) go_on(job);
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
    if (job->end.is_over) {
        job_client_left(job);
        return;
    }
    job->conn = NULL;
    job->x->fault.code = conn_has_stalled(conn) ? FAULT_CLIENT_STALLED : FAULT_CLIENT_GONE;
    job->x->fault.text[0] = '\0';
    if (!drain_begin(job)) job_end(job, OUTCOME_CLIENT_CLOSED);
}

static void on_reply_end(struct conn *conn, void *arg)
{
    struct job *job = conn_context(conn);
    (void)arg;
    if (job->end.is_over) {
        job_client_left(job);
        return;
    }
    job->conn = NULL;
    job_end(job, job->end.outcome);
}

static void on_end_held(struct conn *conn, void *arg)
{
    struct job *job = conn_context(conn);
    (void)arg;
    job_end(job, job->end.outcome);
}

const struct conn_events receive_events = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_refused = on_refused,
    .on_drained = on_drained,
    .on_gone = on_gone,
    .on_reply_end = on_reply_end,
    .on_end_held = on_end_held,
};
