#include "flow/send.h"

#include "base/limits.h"
#include "exchange/outgoing.h"
#include "exchange/terms.h"
#include "flow/crossing.h"
#include "flow/headers.h"
#include "flow/hosted.h"
#include "flow/keeping.h"
#include "flow/signature.h"
#include "wire/http.h"
#include "wire/reach.h"
#include "wire/splice.h"

#define SEND_HEADERS_MAX (LIMIT_HEADERS_COUNT + LIMIT_PROVIDER_HEADERS + 5 + SIGNATURE_HEADERS)

/* RFC 9110 7.6.1: what the Connection header names is meant for us alone. */
static bool is_for_us(const struct exchange *x, struct slice name)
{
    for (size_t i = 0; i < x->head.header_count; i++) {
        if (slice_iequal(x->head.headers[i].name, SLICE("connection")) && http_list_has(x->head.headers[i].value, name))
            return true;
    }
    return false;
}

/* Headers that its auth policy takes credentials from never pass, whatever moongate.lua lists. */
static bool may_pass(const struct call *call, struct slice name)
{
    bool is_about_other_api =
        (crossing_is_foreign(call) || hosted_has_headers_in_body(call)) && headers_is_of_api(name);
    if (reach_sets(call->provider->kind, name)) return false;
    if (headers_reach_provider(name) && !is_about_other_api) return true;
    return settings_lists(call->provider->pass, name) &&
           !auth_rules_is_secret(policy_set_auth(call->job->policies), name);
}

static bool is_set_by_account(const struct provider *p, struct slice name)
{
    struct slice rest = p->headers;
    struct provider_header own;
    while (provider_next_header(&rest, &own)) {
        if (slice_iequal(own.name, name)) return true;
    }
    return false;
}

static bool is_sent(const struct fetch_header *headers, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_iequal(headers[i].name, name)) return true;
    }
    return false;
}

/* The account's key, and the version of the API that is spoken where nobody has said one. */
static size_t own_headers(struct call *call, struct fetch_header *headers, size_t count)
{
    struct dialect_header key = reach_key_header(call->provider->kind, call->dialect),
                          version = call->dialect->version_header;
    size_t added = 0;
    struct slice secret = call->token.len ? call->token : call->provider->key;
    if (call->token.len) key = reach_token_header();
    if (secret.len)
        headers[count + added++] = (struct fetch_header){key.name, arena_join(&call->passing, key.value, secret)};
    if (version.name.len && !hosted_by(call) && !is_sent(headers, count, version.name))
        headers[count + added++] = (struct fetch_header){version.name, version.value};
    return added;
}

static struct reach_ask place_of(const struct call *call, const struct target *target)
{
    const struct chat_request *r = &call->job->x->request;
    return (struct reach_ask){
        .kind = call->provider->kind,
        .url = call->provider->url,
        .version = call->provider->api_version,
        .project = call->provider->project,
        .location = call->provider->location,
        .dialect = call->dialect,
        .traits = target->terms ? target->terms->traits : NULL,
        .request = r,
        .asks = call->job->x->api->asks,
        .model = target->model.len ? target->model : r->model,
        .place = keeping_place(call->job->x, &call->job->x->arena),
    };
}

bool send_can(const struct call *call, const struct target *target, struct fault *why)
{
    struct reach_ask ask = place_of(call, target);
    const char *lacks = reach_lacks(&ask);
    return !lacks || fault_set(why, FAULT_UNCARRIED, "The provider of %.*s cannot be asked that: %s",
                               SLICE_FMT(call->job->x->decision.verdict.model), lacks);
}

/* Of the client's query only what the provider's API has a parameter for: others hold keys. Of clients of other APIs
 * nothing: streams are asked for as events, where they may be lists. */
static struct slice url_of(struct call *call, const struct target *target)
{
    struct reach_ask ask = place_of(call, target);
    struct slice url = reach_url(&ask, &call->passing);
    const struct dialect *dialect = call->dialect;
    if (call->job->x->api->place) return keeping_query(call->job->x, url, &call->passing);
    bool is_asked = crossing_is_foreign(call)
                        ? dialect->query.len && call->job->x->request.is_stream && dialect->streams_list
                        : dialect_asks(dialect, call->job->x->head.query);
    if (!is_asked || hosted_by(call)) return url;
    return arena_printf(&call->passing, "%.*s?%.*s", SLICE_FMT(url), SLICE_FMT(dialect->query));
}

/* The client's headers that may pass, then ours: they decide what a provider bills and in which encoding it answers. */
static size_t collect_headers(struct call *call, struct fetch_header *headers)
{
    struct exchange *x = call->job->x;
    struct slice rest = call->provider->headers;
    struct provider_header own;
    size_t count = 0;
    for (size_t i = 0; i < x->head.header_count; i++) {
        struct pair h = x->head.headers[i];
        if (may_pass(call, h.name) && !is_for_us(x, h.name) && !is_set_by_account(call->provider, h.name))
            headers[count++] = (struct fetch_header){h.name, h.value};
    }
    while (provider_next_header(&rest, &own))
        headers[count++] = (struct fetch_header){own.name, own.value};
    count += own_headers(call, headers, count);
    headers[count++] = (struct fetch_header){
        SLICE("content-type"), x->form ? form_content_type(x->form, &call->passing) : SLICE("application/json")};
    headers[count++] = (struct fetch_header){SLICE("accept-encoding"), SLICE("identity")};
    return count;
}

/* What was written anew, in one piece. */
static size_t collect_crossed(struct call *call, struct slice **pieces)
{
    *pieces = arena_alloc(&call->passing, sizeof **pieces);
    **pieces = buf_slice(&call->crossed);
    return 1;
}

bool send_asks_usage(const struct call *call)
{
    const struct chat_request *r = &call->job->x->request;
    bool is_wanted = call->job->x->api->meters_output && r->is_stream && r->include_usage != CHAT_TRUE;
    return is_wanted && call->provider->can_report_usage;
}

/* The edited body as pieces of the client's own bytes and the few new ones. */
static size_t collect_body(struct call *call, const struct target *target, struct slice **pieces)
{
    struct exchange *x = call->job->x;
    struct splice edits;
    struct iovec *parts;
    *pieces = NULL;
    if (x->api->kind == API_OBJECT) return 0;
    outgoing_edit(x, target, call->asks_usage, &call->passing, &edits);
    hosted_edit(call, &edits);
    size_t count = splice_iovecs(&edits, &parts);
    *pieces = arena_alloc(&call->passing, count * sizeof **pieces);
    for (size_t i = 0; i < count; i++)
        (*pieces)[i] = slice_of(parts[i].iov_base, parts[i].iov_len);
    return count;
}

/* What was written by send_write(). */
static size_t collect_form(struct call *call, struct slice **pieces)
{
    *pieces = call->form;
    return call->form_count;
}

/* Of the JSON that the form stands for; its files are pieces of the client's own bytes. */
bool send_write(struct call *call, const struct target *target, struct fault *why)
{
    struct exchange *x = call->job->x;
    struct splice edits;
    struct buf edited;
    if (!x->form) return true;
    buf_init(&edited);
    outgoing_edit(x, target, false, &call->passing, &edits);
    splice_apply(&edits, &edited);
    bool is_written = form_write(x->form, buf_slice(&x->upload), buf_slice(&edited), &call->passing, &call->form,
                                 &call->form_count, why);
    buf_clear(&edited);
    return is_written;
}

static size_t collect(struct call *call, const struct target *target, struct slice **pieces)
{
    if (buf_len(&call->crossed)) return collect_crossed(call, pieces); /* it is foreign, or made to fit */
    return call->job->x->form ? collect_form(call, pieces) : collect_body(call, target, pieces);
}

struct fetch *send_request(struct call *call, const struct target *target, const struct fetch_events *events, void *arg)
{
    struct exchange *x = call->job->x;
    const struct provider *p = call->provider;
    struct fetch_header headers[SEND_HEADERS_MAX];
    struct slice *body;
    struct fetch_request request = {
        .method = x->api->kind == API_OBJECT ? slice_str(x->head.method) : SLICE("POST"),
        .url = url_of(call, target),
        .headers = headers,
        .header_count = collect_headers(call, headers),
        .ca_file = p->ca_file.ptr,
        .is_http2 = p->is_http2,
        .is_trickle = x->request.is_stream,
        .connect_timeout_ms = p->connect_timeout_ms,
        .first_byte_timeout_ms = p->first_byte_timeout_ms,
        .idle_timeout_ms = p->idle_timeout_ms,
        .total_timeout_ms = p->total_timeout_ms,
    };
    call->asks_usage = !crossing_is_foreign(call) && send_asks_usage(call);
    request.body_count = collect(call, target, &body);
    request.body = body;
    request.header_count = signature_add(call, &request, headers);
    return fetch_start(call->job->flow->pool, &request, events, arg);
}
