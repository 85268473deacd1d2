#include "flow/signature.h"

#include "base/clock.h"
#include "wire/reach.h"
#include "wire/sigv4.h"

/* A caller may accept what his own API sends; there it would be refused. */
static struct slice accepted(const struct call *call)
{
    bool is_stream = call->job->x->request.is_stream;
    return is_stream ? SLICE("application/vnd.amazon.eventstream") : SLICE("application/json");
}

static struct sigv4_signed sign(struct call *call, const struct fetch_request *request)
{
    const struct provider *p = call->provider;
    struct sigv4_keys keys = {p->access_key_id, p->secret_access_key, p->region, SLICE("bedrock")};
    struct sigv4_header headers[] = {{SLICE("content-type"), SLICE("application/json")},
                                     {SLICE("x-amz-security-token"), p->session_token}};
    struct sigv4_ask ask = {.method = request->method,
                            .url = request->url,
                            .headers = headers,
                            .header_count = p->session_token.len ? 2 : 1,
                            .body = request->body,
                            .body_count = request->body_count,
                            .wall_ns = clock_wall_ns()};
    return sigv4_sign(&keys, &ask, &call->passing);
}

size_t signature_add(struct call *call, const struct fetch_request *request, struct fetch_header *headers)
{
    const struct provider *p = call->provider;
    size_t count = request->header_count;
    if (!reach_signs(p->kind)) return count;
    headers[count++] = (struct fetch_header){SLICE("accept"), accepted(call)};
    if (!p->access_key_id.len) return count;
    struct sigv4_signed s = sign(call, request);
    headers[count++] = (struct fetch_header){SLICE("x-amz-date"), s.date};
    headers[count++] = (struct fetch_header){SLICE("authorization"), s.authorization};
    if (p->session_token.len)
        headers[count++] = (struct fetch_header){SLICE("x-amz-security-token"), p->session_token};
    return count;
}
