#include "ledger/session/hints.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/session/errand.h"
#include "store/breakers.h"

struct hints {
    struct errand errand;
    struct breakers *all;
    char asked[LIMIT_PROVIDERS][BREAKERS_NAME_BYTES]; /* accounts, in the order of the question */
    size_t count;
};

static uint64_t now_ms(void)
{
    return clock_mono_ns() / NS_PER_MS;
}

static void say(const char *name, bool is_open)
{
    if (is_open)
        log_event(LOG_WARN, "breaker_hint", "the provider account %s is passed over: it fails at other gateways", name);
    else
        log_event(LOG_INFO, "breaker_hint_over", "the provider account %s fails at other gateways no longer", name);
}

static void show(const char *name, struct breaker *b, int64_t left_ms)
{
    uint64_t now = now_ms(), left = left_ms > 0 ? (uint64_t)left_ms : 0;
    bool was_open = breaker_view(b, now).hint_left_ms > 0;
    breaker_hint(b, now, left < LIMIT_BREAKER_HINT_MS ? left : LIMIT_BREAKER_HINT_MS);
    if (was_open != (left > 0)) say(name, left > 0);
}

static void on_heard(void *arg, const struct redis_reply *reply)
{
    struct hints *h = arg;
    if (!reply || counters_script_reply(reply) != COUNTERS_REPLY_OK || reply->count < 1 + h->count) return;
    for (size_t i = 0; i < h->count; i++) {
        struct breaker *b = breakers_find(h->all, slice_str(h->asked[i]));
        if (b) show(h->asked[i], b, reply->items[1 + i].integer);
    }
}

void hints_go(struct hints *h, const char *session)
{
    struct counters_open told[LIMIT_PROVIDERS];
    struct breakers_entry entry;
    if (!h->all || errand_is_asked(&h->errand)) return;
    h->count = 0;
    for (size_t i = 0; i < BREAKERS_SLOTS && h->count < LIMIT_PROVIDERS; i++) {
        if (!breakers_get(h->all, i, &entry)) continue;
        memcpy(h->asked[h->count], entry.name, sizeof entry.name);
        told[h->count] = (struct counters_open){.account = slice_str(h->asked[h->count]),
                                                .left_ms = breaker_view(entry.breaker, now_ms()).left_ms};
        h->count++;
    }
    if (!h->count) return;
    struct counters_call call = counters_call_breakers(session, told, h->count, errand_arena(&h->errand));
    errand_ask(&h->errand, &call, on_heard);
}

struct hints *hints_new(struct counters_redis *redis, struct breakers *breakers)
{
    struct hints *h = mem_zalloc(1, sizeof *h);
    h->all = breakers;
    errand_init(&h->errand, redis, h);
    return h;
}

void hints_free(struct hints *h)
{
    if (!h) return;
    errand_clear(&h->errand);
    mem_free(h);
}
