#include "ledger/upkeep.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/ledger_keep.h"

#define IDLE_NS (3 * NS_PER_S)

struct upkeep {
    struct loop *loop;
    struct loop_timer timer;
    struct ledger *ledger;
    uint64_t retain_ms, retain_texts_ms, keep_from, put_ns;
    bool has_failed; /* and was said to have */
};

static void say(struct upkeep *u, bool has_failed, const struct fault *why)
{
    if (has_failed && !u->has_failed) log_event(LOG_WARN, "ledger_upkeep", "%s", fault_message(why));
    u->has_failed = has_failed;
}

static void on_time(void *arg)
{
    struct upkeep *u = arg;
    struct fault why;
    struct ledger_upkeep how = {.now_us = clock_wall_ns() / 1000,
                                .retain_us = u->retain_ms * 1000,
                                .retain_texts_us = u->retain_texts_ms * 1000,
                                .keep_from = u->keep_from,
                                .is_idle = clock_mono_ns() - u->put_ns > IDLE_NS};
    enum ledger_tended tended = ledger_tend(u->ledger, &how, &why);
    say(u, tended == LEDGER_TEND_FAILED, &why);
    loop_timer_arm_ms(&u->timer, tended == LEDGER_MORE ? LIMIT_LEDGER_UPKEEP_MORE_MS : LIMIT_LEDGER_UPKEEP_MS);
}

struct upkeep *upkeep_new(struct loop *loop, struct ledger *ledger)
{
    struct upkeep *u = mem_zalloc(1, sizeof *u);
    u->loop = loop;
    u->ledger = ledger;
    u->put_ns = clock_mono_ns();
    loop_timer_init(&u->timer, loop, on_time, u);
    loop_timer_arm_ms(&u->timer, LIMIT_LEDGER_UPKEEP_MS);
    return u;
}

void upkeep_free(struct upkeep *u)
{
    if (!u) return;
    loop_timer_disarm(&u->timer);
    mem_free(u);
}

void upkeep_retain(struct upkeep *u, uint64_t retain_ms, uint64_t retain_texts_ms)
{
    u->retain_ms = retain_ms;
    u->retain_texts_ms = retain_texts_ms;
}

void upkeep_keep_from(struct upkeep *u, uint64_t seq)
{
    u->keep_from = seq;
}

void upkeep_put(struct upkeep *u)
{
    u->put_ns = clock_mono_ns();
}
