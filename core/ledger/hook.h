/*
 * POSTs to one URL, one at a time, and what they may be signed with: what a witness of anchors and a sink of notices
 * have in common.
 *
 *     struct hook *h = hook_new(loop, url, secret, on_done, arg);
 *     hook_sign(h, parts, 2, hex);                     // false: there is no secret
 *     hook_post(h, &(struct hook_call){.body = json, .headers = headers, .header_count = 2});   // on_done follows
 *     hook_free(h);                                    // one that is under way is broken off
 *
 * Taken when the answer is 2xx; what it says beyond its status is read and forgotten, as far as it comes in time.
 * Redirects are not followed, and nothing is sent again here. on_done never comes from inside hook_post(). What it says
 * of a failure has no URL in it.
 */
#ifndef MOONGATE_LEDGER_HOOK_H
#define MOONGATE_LEDGER_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "net/fetch.h"

#define HOOK_HEX_BYTES 65 /* HMAC-SHA256 in hexadecimal digits, with the NUL */
#define HOOK_HEADERS_MAX 8

struct hook;
struct loop;

typedef void (*hook_done)(void *arg, bool is_good, const char *why);

struct hook_call {
    struct slice body; /* JSON; copied */
    const struct fetch_header *headers; /* beside content-type */
    size_t header_count;
    const char *ca_file; /* NULL or "": the system's */
    uint32_t timeout_ms; /* of the whole */
};

/* Both texts are copied. */
struct hook *hook_new(struct loop *loop, struct slice url, struct slice secret, hook_done done, void *arg);
void hook_free(struct hook *h); /* NULL is welcome */
void hook_post(struct hook *h, const struct hook_call *call);
bool hook_sign(const struct hook *h, const struct slice *parts, size_t count, char hex[HOOK_HEX_BYTES]);

#endif
