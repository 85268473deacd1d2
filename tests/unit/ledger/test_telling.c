/* What a Redis says that is not what was asked: the telling ends, and says why. */
#include "ledger/session/telling.h"

#include "../store/ledger_kit.h"
#include "../store/redis_parrot.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/loop.h"

#define PATIENCE_MS 30000u

static struct loop *loop;
static struct loop_timer tick;
static char why[128];
static unsigned ends;

static bool is_claimed(void *arg, uint64_t owner)
{
    (void)arg, (void)owner;
    return true;
}

static void on_end(void *arg, const char *said)
{
    (void)arg;
    ends++;
    snprintf(why, sizeof why, "%s", said);
}

static void on_lost(void *arg, const char *said)
{
    (void)arg, (void)said;
}

static void on_nothing(void *arg, const struct redis_answer *answer)
{
    (void)arg, (void)answer;
}

static void on_tick(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

#define WAIT(condition)                                                                                                \
    do {                                                                                                               \
        for (unsigned waited = 0; !(condition) && waited < PATIENCE_MS; waited += 2) {                                 \
            loop_timer_arm_ms(&tick, 2);                                                                               \
            loop_run(loop);                                                                                            \
        }                                                                                                              \
        EXPECT(condition);                                                                                             \
    } while (0)

/* The parrot speaks when three have asked. */
static void ask_twice(struct counters_redis *redis)
{
    struct arena arena;
    arena_init(&arena);
    struct counters_call call = counters_call_sweep(true, "0", 0, &arena);
    for (int i = 0; i < 2; i++)
        EXPECT_INT(REDIS_TAKEN, counters_redis_call(redis, &call, PATIENCE_MS, on_nothing, NULL));
    arena_clear(&arena);
}

static void an_answer_that_is_too_short_ends_it(void)
{
    static const struct telling_events events = {is_claimed, on_end, on_lost};
    struct fault fault;
    kit_fresh();
    struct ledger *ledger = kit_open();
    struct parrot p = start_parrot(SLICE("*1\r\n:1\r\n*1\r\n:1\r\n*1\r\n:1\r\n"));
    loop = loop_new();
    loop_timer_init(&tick, loop, on_tick, NULL);
    struct counters_redis *redis = counters_redis_new(loop, p.url, 0, NULL, NULL, &fault);
    struct telling *telling = telling_new(loop, redis, &events, NULL);
    WAIT(counters_redis_status(redis).is_connected);
    ask_twice(redis);
    telling_audit(telling, ledger, "gw1-a", "src");
    WAIT(ends == 1);
    EXPECT_STR("Redis answers less than was asked", why);
    EXPECT(!telling_is_under_way(telling));
    counters_redis_free(redis);
    telling_free(telling);
    loop_timer_disarm(&tick);
    loop_free(loop);
    end_parrot(&p);
    ledger_close(ledger);
}

int main(void)
{
    log_init("test");
    RUN(an_answer_that_is_too_short_ends_it);
    kit_end();
    return unit_close("telling");
}
