#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "ledger/hook.h"
#include "ledger/witness/witness.h"

#define SCHEME "sha256="

struct webhook {
    struct witness_way way;
    struct hook *hook;
};

static void on_done(void *arg, bool is_good, const char *why)
{
    struct webhook *w = arg;
    w->way.done(w->way.arg, is_good, why);
}

static void send_line(struct witness_way *way, const struct witness_lines *lines)
{
    struct webhook *w = (struct webhook *)way;
    struct slice body = slice_of(lines->text.ptr, lines->text.len - 1);
    char signature[sizeof SCHEME + HOOK_HEX_BYTES] = SCHEME, name[320];
    snprintf(name, sizeof name, "%.*s/%llu", SLICE_FMT(lines->gateway), (unsigned long long)lines->last);
    bool is_signed = hook_sign(w->hook, &body, 1, signature + sizeof SCHEME - 1);
    const struct fetch_header headers[] = {{SLICE("moongate-anchor"), slice_str(name)},
                                           {SLICE("moongate-signature"), slice_str(signature)}};
    hook_post(w->hook, &(struct hook_call){.body = body,
                                           .headers = headers,
                                           .header_count = is_signed ? 2 : 1,
                                           .timeout_ms = LIMIT_WITNESS_MS});
}

static void free_webhook(struct witness_way *way)
{
    struct webhook *w = (struct webhook *)way;
    hook_free(w->hook);
    mem_free(w);
}

struct witness_way *witness_webhook_new(struct loop *loop, struct slice url, struct slice secret)
{
    struct webhook *w = mem_zalloc(1, sizeof *w);
    w->way = (struct witness_way){.send = send_line, .free = free_webhook, .batch = 1};
    w->hook = hook_new(loop, url, secret, on_done, w);
    return &w->way;
}
