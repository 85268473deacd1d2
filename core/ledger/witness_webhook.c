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
#include "ledger/witness.h"
#include "net/fetch.h"

#define SHA256_BYTES 32

struct hook {
    struct witness_way way;
    struct loop *loop;
    struct fetch_pool *pool; /* NULL until the first call */
    struct fetch *fetch;     /* NULL: none is under way */
    char *url, *secret;
    size_t secret_bytes;
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
    bool is_good = is_complete && h->status >= 200 && h->status < 300;
    if (is_complete)
        snprintf(text, sizeof text, "the webhook answered %d", h->status);
    else
        snprintf(text, sizeof text, "%s", fault_message(why));
    h->way.done(h->way.arg, is_good, text);
}

static void sign(const struct hook *h, char signature[2 * SHA256_BYTES + 8])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const unsigned char *body = (const unsigned char *)buf_ptr(&h->body);
    check(HMAC(EVP_sha256(), h->secret, (int)h->secret_bytes, body, buf_len(&h->body), mac, &len) != NULL);
    memcpy(signature, "sha256=", 7);
    hex_write(mac, SHA256_BYTES, signature + 7);
}

static void send_line(struct witness_way *way, const struct witness_lines *lines)
{
    static const struct fetch_events events = {.on_head = on_head, .on_data = on_data, .on_end = on_end};
    struct hook *h = (struct hook *)way;
    char signature[2 * SHA256_BYTES + 8], name[320];
    buf_reset(&h->body);
    buf_append(&h->body, slice_of(lines->text.ptr, lines->text.len - 1));
    h->piece = buf_slice(&h->body);
    h->status = 0;
    sign(h, signature);
    snprintf(name, sizeof name, "%.*s/%llu", SLICE_FMT(lines->gateway), (unsigned long long)lines->last);
    const struct fetch_header headers[] = {{SLICE("content-type"), SLICE("application/json")},
                                           {SLICE("moongate-anchor"), slice_str(name)},
                                           {SLICE("moongate-signature"), slice_str(signature)}};
    struct fetch_request request = {.method = SLICE("POST"),
                                    .url = slice_str(h->url),
                                    .headers = headers,
                                    .header_count = h->secret_bytes ? 3 : 2,
                                    .body = &h->piece,
                                    .body_count = 1,
                                    .connect_timeout_ms = LIMIT_CONNECT_TIMEOUT_MS,
                                    .total_timeout_ms = LIMIT_WITNESS_MS};
    if (!h->pool) h->pool = fetch_pool_new(h->loop, "moongate/" MOONGATE_VERSION);
    h->fetch = fetch_start(h->pool, &request, &events, h);
}

static void free_hook(struct witness_way *way)
{
    struct hook *h = (struct hook *)way;
    if (h->fetch) fetch_cancel(h->fetch);
    if (h->pool) fetch_pool_free(h->pool);
    explicit_bzero(h->secret, h->secret_bytes);
    mem_free(h->secret);
    mem_free(h->url);
    buf_clear(&h->body);
    mem_free(h);
}

struct witness_way *witness_webhook_new(struct loop *loop, struct slice url, struct slice secret)
{
    struct hook *h = mem_zalloc(1, sizeof *h);
    h->way = (struct witness_way){.send = send_line, .free = free_hook, .batch = 1};
    h->loop = loop;
    h->url = mem_strndup(url.ptr, url.len);
    h->secret = mem_strndup(secret.ptr ? secret.ptr : "", secret.len);
    h->secret_bytes = secret.len;
    buf_init(&h->body);
    return &h->way;
}
