/* What is over in a fleet's counters is let go, however much of it there is. */
#include "ledger/session/sweep.h"

#include "../store/scripts_kit.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/loop.h"
#include "store/counters/redis.h"

#define SESSIONS 1500      /* six pages or more */
#define PATIENCE_MS 14000u /* in which a page every few seconds would be three */

static struct loop *loop;
static struct loop_timer tick;

static void on_tick(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static long left(void)
{
    return strtol(sync_text("HLEN", "mg1:{p0}:B:0", NULL), NULL, 10);
}

static void put_sessions(int count)
{
    char name[32];
    sync_ask("EVAL", "return redis.call('HSET', KEYS[1], 'kuser=a', string.rep('\\0', 40))", "1", "mg1:{p0}:R", NULL);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "usession=%d", i);
        sync_ask("HSET", "mg1:{p0}:B:0", name, "1", NULL); /* over in 1970 */
        sync_forget();
    }
}

static void much_goes_at_once(void)
{
    struct fault why;
    sync_start();
    begin();
    loop = loop_new();
    loop_timer_init(&tick, loop, on_tick, NULL);
    struct counters_redis *redis = counters_redis_new(loop, sync_server.url, 0, NULL, NULL, &why);
    struct sweep *sweep = sweep_new(redis);
    put_sessions(SESSIONS);
    for (unsigned waited = 0; left() && waited < PATIENCE_MS; waited += 5) {
        sweep_go(sweep, clock_mono_ns());
        loop_timer_arm_ms(&tick, 5);
        loop_run(loop);
        sync_forget();
    }
    EXPECT_INT(0, left());
    counters_redis_free(redis);
    sweep_free(sweep);
    loop_timer_disarm(&tick);
    loop_free(loop);
    sync_end();
}

int main(void)
{
    log_init("test");
    RUN(much_goes_at_once);
    return unit_close("sweep");
}
