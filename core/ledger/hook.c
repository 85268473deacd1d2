#include "ledger/hook.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/version.h"

#define SHA256_BYTES 32

struct hook {
    struct loop *loop;
    hook_done done;
    void *arg;
    struct fetch_pool *pool; /* NULL until the first call */
    struct fetch *fetch;     /* NULL: none is under way */
    char *url, *secret;
    size_t url_bytes, secret_bytes;
    struct buf body;
    struct slice piece;
    int status;
};

static void on_head(void *arg, const struct fetch_head *head)
{
    struct hook *h = arg;
    h->status = head->status;
}

static void on_data(void *arg, struct slice bytes)
{
    (void)arg; /* what it has to say beyond its status is nothing to us */
    (void)bytes;
}

static void on_end(void *arg, const struct fault *why, bool is_complete)
{
    struct hook *h = arg;
    char text[FAULT_TEXT_BYTES];
    h->fetch = NULL;
    bool is_good = h->status >= 200 && h->status < 300; /* said is said, also where its body has no end */
    if (is_complete)
        snprintf(text, sizeof text, "the webhook answered %d", h->status);
    else
        snprintf(text, sizeof text, "%s", fault_message(why));
    h->done(h->arg, is_good, text);
}

bool hook_sign(const struct hook *h, const struct slice *parts, size_t count, char hex[HOOK_HEX_BYTES])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf text;
    if (!h->secret_bytes) return false;
    buf_init(&text);
    for (size_t i = 0; i < count; i++)
        buf_append(&text, parts[i]);
    struct slice all = buf_slice(&text);
    check(HMAC(EVP_sha256(), h->secret, (int)h->secret_bytes, (const unsigned char *)all.ptr, all.len, mac, &len) !=
          NULL);
    buf_clear(&text);
    hex_write(mac, SHA256_BYTES, hex);
    return true;
}

void hook_post(struct hook *h, const struct hook_call *call)
{
    static const struct fetch_events events = {.on_head = on_head, .on_data = on_data, .on_end = on_end};
    struct fetch_header headers[HOOK_HEADERS_MAX] = {{SLICE("content-type"), SLICE("application/json")}};
    check(!h->fetch && call->header_count < HOOK_HEADERS_MAX);
    if (call->header_count) memcpy(headers + 1, call->headers, call->header_count * sizeof *headers);
    buf_reset(&h->body);
    buf_append(&h->body, call->body);
    h->piece = buf_slice(&h->body);
    h->status = 0;
    struct fetch_request request = {.method = SLICE("POST"),
                                    .url = slice_of(h->url, h->url_bytes),
                                    .headers = headers,
                                    .header_count = call->header_count + 1,
                                    .body = &h->piece,
                                    .body_count = 1,
                                    .ca_file = call->ca_file,
                                    .connect_timeout_ms = LIMIT_CONNECT_TIMEOUT_MS,
                                    .total_timeout_ms = call->timeout_ms};
    if (!h->pool) h->pool = fetch_pool_new(h->loop, "moongate/" MOONGATE_VERSION);
    h->fetch = fetch_start(h->pool, &request, &events, h);
}

void hook_free(struct hook *h)
{
    if (!h) return;
    if (h->fetch) fetch_cancel(h->fetch);
    if (h->pool) fetch_pool_free(h->pool);
    explicit_bzero(h->secret, h->secret_bytes);
    explicit_bzero(h->url, h->url_bytes);
    mem_free(h->secret);
    mem_free(h->url);
    buf_clear(&h->body);
    mem_free(h);
}

struct hook *hook_new(struct loop *loop, struct slice url, struct slice secret, hook_done done, void *arg)
{
    struct hook *h = mem_zalloc(1, sizeof *h);
    h->loop = loop;
    h->done = done;
    h->arg = arg;
    h->url = mem_strndup(url.ptr, url.len);
    h->url_bytes = url.len;
    h->secret = mem_strndup(secret.ptr ? secret.ptr : "", secret.len);
    h->secret_bytes = secret.len;
    buf_init(&h->body);
    return h;
}
