#include "ledger/session/sweep.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "ledger/session/errand.h"

struct sweep {
    struct errand errand;
    char cursor[24];
    bool is_sessions; /* now; else rates */
    uint64_t began_ns;
};

static void ask(struct sweep *s);

/* Where much is over it is not left to pile up behind a page every few seconds. */
static bool is_worth_more(const struct sweep *s, const struct redis_reply *reply)
{
    bool found_some = reply->count > 2 && reply->items[2].integer > 0;
    return found_some && clock_mono_ns() - s->began_ns < LIMIT_COUNTERS_SWEEP_MORE_MS * NS_PER_MS;
}

static void on_swept(void *arg, const struct redis_reply *reply)
{
    struct sweep *s = arg;
    if (!reply || counters_script_reply(reply) != COUNTERS_REPLY_OK || reply->count < 2) return;
    snprintf(s->cursor, sizeof s->cursor, "%.*s", SLICE_FMT(reply->items[1].text));
    if (strcmp(s->cursor, "0") == 0) s->is_sessions = !s->is_sessions;
    if (is_worth_more(s, reply)) ask(s);
}

static void ask(struct sweep *s)
{
    uint32_t idle_s = s->is_sessions ? LIMIT_COUNTERS_SESSION_KEPT_S : LIMIT_COUNTERS_RATE_KEPT_S;
    struct counters_call call = counters_call_sweep(s->is_sessions, s->cursor, idle_s, errand_arena(&s->errand));
    errand_ask(&s->errand, &call, on_swept);
}

void sweep_go(struct sweep *s, uint64_t now_ns)
{
    bool is_early = s->began_ns && now_ns - s->began_ns < LIMIT_COUNTERS_SWEEP_MS * NS_PER_MS;
    if (is_early || errand_is_asked(&s->errand)) return;
    s->began_ns = now_ns;
    ask(s);
}

struct sweep *sweep_new(struct counters_redis *redis)
{
    struct sweep *s = mem_zalloc(1, sizeof *s);
    errand_init(&s->errand, redis, s);
    snprintf(s->cursor, sizeof s->cursor, "0");
    return s;
}

void sweep_free(struct sweep *s)
{
    if (!s) return;
    errand_clear(&s->errand);
    mem_free(s);
}
