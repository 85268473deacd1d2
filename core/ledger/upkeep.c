#include "ledger/upkeep.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/ledger/keep.h"

#define IDLE_NS (3 * NS_PER_S)

struct upkeep {
    struct loop *loop;
    struct loop_timer timer;
    struct loop_work work; /* behind what has just come in */
    struct ledger *ledger;
    const struct commit *commit;
    uint64_t retain_ms, retain_texts_ms, keep_from, put_ns;
    uint64_t due_ns; /* since when a piece may be done; 0: none may */
    bool has_failed; /* and was said to have */
};

static void say(struct upkeep *u, bool has_failed, const struct fault *why)
{
    if (has_failed && !u->has_failed) log_event(LOG_WARN, "ledger_upkeep", "%s", fault_message(why));
    u->has_failed = has_failed;
}

static enum ledger_tended tend(struct upkeep *u)
{
    struct fault why;
    struct ledger_upkeep how = {.now_us = clock_wall_ns() / 1000,
                                .retain_us = u->retain_ms * 1000,
                                .retain_texts_us = u->retain_texts_ms * 1000,
                                .keep_from = u->keep_from,
                                .is_idle = clock_mono_ns() - u->put_ns > IDLE_NS};
    enum ledger_tended tended = ledger_tend(u->ledger, &how, &why);
    say(u, tended == LEDGER_TEND_FAILED, &why);
    return tended;
}

/* Commits go first; but where they never end the file must not grow for ever either. */
static bool must_wait(const struct upkeep *u)
{
    return commit_waiting(u->commit) && clock_mono_ns() - u->due_ns < LIMIT_LEDGER_UPKEEP_WAIT_MS * NS_PER_MS;
}

static void on_turn(void *arg)
{
    struct upkeep *u = arg;
    bool is_more = true;
    if (!must_wait(u)) {
        is_more = tend(u) == LEDGER_MORE;
        u->due_ns = 0;
    }
    loop_timer_arm_ms(&u->timer, is_more ? LIMIT_LEDGER_UPKEEP_MORE_MS : LIMIT_LEDGER_UPKEEP_MS);
}

static void on_time(void *arg)
{
    struct upkeep *u = arg;
    if (!u->due_ns) u->due_ns = clock_mono_ns();
    loop_work_add(&u->work);
}

struct upkeep *upkeep_new(struct loop *loop, struct ledger *ledger, const struct commit *commit)
{
    struct upkeep *u = mem_zalloc(1, sizeof *u);
    u->loop = loop;
    u->ledger = ledger;
    u->commit = commit;
    u->put_ns = clock_mono_ns();
    loop_work_init(&u->work, loop, on_turn, u);
    loop_timer_init(&u->timer, loop, on_time, u);
    loop_timer_arm_ms(&u->timer, LIMIT_LEDGER_UPKEEP_MS);
    return u;
}

void upkeep_free(struct upkeep *u)
{
    if (!u) return;
    loop_timer_disarm(&u->timer);
    loop_work_drop(&u->work);
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
