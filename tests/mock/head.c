#include "head.h"

#include <string.h>

static const char *reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    default: return "Status";
    }
}

static void append_interim(struct buf *out, int64_t status)
{
    if (status <= 0) return;
    buf_printf(out, "HTTP/1.1 %d Interim\r\n%s\r\n", (int)status,
               status == 103 ? "link: </style.css>; rel=preload\r\n" : "");
}

/* What OpenAI sends beside the answer; the last three lines must never reach a gateway's client. */
static void append_provider_headers(struct buf *out, uint64_t serial)
{
    buf_printf(out,
               "x-request-id: req_mock%016llx\r\n"
               "x-ratelimit-limit-requests: 10000\r\nx-ratelimit-limit-tokens: 2000000\r\n"
               "x-ratelimit-remaining-requests: %llu\r\nx-ratelimit-remaining-tokens: 1999000\r\n"
               "x-ratelimit-reset-requests: 6ms\r\nx-ratelimit-reset-tokens: 12ms\r\n"
               "openai-processing-ms: 7\r\nopenai-version: 2020-10-01\r\n"
               "openai-organization: org-mock-secret\r\n"
               "set-cookie: __cf_bm=mock-secret; path=/; HttpOnly\r\n"
               "x-mock-internal: not-for-clients\r\n",
               (unsigned long long)serial, 9999 - (unsigned long long)serial % 10000);
}

static void append_filler(struct buf *out, size_t head_bytes)
{
    for (unsigned i = 0; buf_len(out) < head_bytes; i++) {
        buf_printf(out, "x-filler-%u: ", i);
        memset(buf_reserve(out, 1000), 'f', 1000);
        buf_grew(out, 1000);
        buf_append(out, SLICE("\r\n"));
    }
}

static void append_retry(struct buf *out, const struct script *script, int status)
{
    int64_t after = script->retry_after >= 0 ? script->retry_after : status == 429 ? 2 : -1;
    if (after < 0) return;
    buf_printf(out, "retry-after: %lld\r\nretry-after-ms: %lld\r\n", (long long)after, (long long)after * 1000);
}

void head_append(struct buf *out, const struct head_parts *parts)
{
    const struct script *script = parts->script;
    const char *type = script->content_type ? script->content_type : parts->source->content_type;
    append_interim(out, script->informational);
    buf_printf(out, "HTTP/1.1 %d %s\r\n", parts->status, reason(parts->status));
    if (type) buf_printf(out, "content-type: %s\r\n", type);
    if (parts->content_length >= 0) buf_printf(out, "content-length: %lld\r\n", (long long)parts->content_length);
    if (parts->is_chunked) buf_append(out, SLICE("transfer-encoding: chunked\r\n"));
    if (parts->is_close) buf_append(out, SLICE("connection: close\r\n"));
    if (script->gzip) buf_append(out, SLICE("content-encoding: gzip\r\n"));
    if (script->header) buf_printf(out, "%s\r\n", script->header);
    append_retry(out, script, parts->status);
    if (buf_len(&parts->source->headers))
        buf_append(out, buf_slice(&parts->source->headers));
    else if (!script->fast)
        append_provider_headers(out, parts->serial);
    append_filler(out, (size_t)script->head_bytes);
    buf_append(out, SLICE("\r\n"));
}
