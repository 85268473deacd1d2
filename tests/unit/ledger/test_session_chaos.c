/* Three gateways that count together while at random everything dies, stops, is cut and forgotten: in the end Redis has
 * what the ledgers have, to the nano-dollar, and nothing is held. TEST_SEED, TEST_STEPS: another course, a longer one. */
#include "session_kit.h"

#define GATEWAYS 3

static struct gateway *all[GATEWAYS];
static uint64_t seed, number;
static int64_t total[GATEWAYS]; /* what was recorded, as this test has it */

static uint64_t random_below(uint64_t bound)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % bound;
}

static void turns(unsigned ms)
{
    loop_timer_arm_ms(&tick, ms);
    loop_run(loop);
}

static void record(unsigned at, uint64_t n)
{
    int64_t nano = 1 + (int64_t)random_below(1000);
    gateway_put(all[at], n, random_below(4) ? "app=a" : arena_printf(&arena, "app=%d", (int)random_below(40)).ptr, nano);
    total[at] += nano;
}

static void charge(unsigned at)
{
    for (uint64_t i = 0, count = 1 + random_below(5); i < count; i++) {
        record(at, ++number);
        gateway_commit(all[at]);
    }
}

/* Whether the settlement, or what the ledger tells, is lost is a matter of chance. */
static void take_and_spend(unsigned at)
{
    uint64_t n = ++number;
    bool is_taken = is_open(all[at]) && hold(all[at], LIVING, n, "app=a", 500);
    turns(1 + (unsigned)random_below(20));
    if (is_taken && random_below(2)) settle(all[at], n, "app=a", 100);
    record(at, n);
    if (random_below(3)) {
        gateway_commit(all[at]);
        return;
    }
    gateway_kill(all[at]);
    gateway_run(all[at]);
}

/* Its worker dies with it. */
static void take_and_die(unsigned at)
{
    if (is_open(all[at])) hold(all[at], 1 + random_below(3), ++number, "app=a", 300);
}

static void kill_all_of(unsigned at)
{
    gateway_kill(all[at]);
    all[at]->post = (struct counters_post){0};
    turns((unsigned)random_below(30));
    gateway_run(all[at]);
}

static void kill_redis(unsigned at)
{
    redis_server_kill(&sync_server, SIGKILL);
    charge(at);
    turns(1 + (unsigned)random_below(300));
    redis_server_again(&sync_server, NULL);
    fclose(sync_stream);
    sync_connect();
}

static void stop_redis(unsigned at)
{
    kill(sync_server.pid, SIGSTOP);
    charge(at);
    turns(1 + (unsigned)random_below(random_below(4) ? 500 : 5000));
    charge(at);
    kill(sync_server.pid, SIGCONT);
}

static void fence(unsigned at)
{
    is_open(all[at]);
    if (all[at]->view.session[0]) say(counters_call_fence(all[at]->view.session, true, &arena));
}

static void step(unsigned at)
{
    switch (random_below(16)) {
    case 0: gateway_kill(all[at]); gateway_run(all[at]); return;
    case 1: kill_all_of(at); return;
    case 2: sync_text("FLUSHALL", NULL); return;
    case 3: kill_redis(at); return;
    case 4: stop_redis(at); return;
    case 5: fence(at); return;
    case 6: sync_text("CLIENT", "KILL", "TYPE", "normal", NULL); return;
    case 7: sync_text("SCRIPT", "FLUSH", NULL); return;
    case 8: take_and_die(at); return;
    case 9:
    case 10:
    case 11: take_and_spend(at); return;
    default: charge(at); return;
    }
}

static int64_t fields_of(char letter)
{
    struct slice script = SLICE("local sum, all = 0, redis.call('HGETALL', KEYS[1]) for i = 1, #all, 2 do"
                                " if all[i]:sub(1, 1) == ARGV[1] then sum = sum + all[i + 1] end end return sum");
    char name[2] = {letter, '\0'};
    struct slice args[] = {SLICE("EVAL"), script, SLICE("1"), period_key(), slice_str(name)};
    return sync_send(args, 5)->integer;
}

static bool is_quiet(void)
{
    int64_t spent_in_all = 0;
    bool is_good = sessions() == GATEWAYS;
    for (unsigned i = 0; i < GATEWAYS; i++) {
        is_good = is_good && is_open(all[i]) && kept(all[i]) == 1;
        spent_in_all += total[i];
        session_claim(all[i]->session);
    }
    return is_good && fields_of('s') == spent_in_all && fields_of('h') == 0;
}

static void in_the_end_redis_has_what_the_ledgers_have(void)
{
    const char *given = getenv("TEST_SEED"), *steps = getenv("TEST_STEPS");
    seed = given ? strtoull(given, NULL, 10) : clock_wall_ns();
    printf("# TEST_SEED=%llu\n", (unsigned long long)seed);
    fleet_begin(NULL);
    for (unsigned i = 0; i < GATEWAYS; i++)
        all[i] = gateway_start(arena_printf(&arena, "gw-%u", i).ptr);
    for (long i = 0, count = steps ? strtol(steps, NULL, 10) : 80; i < count; i++) {
        step((unsigned)random_below(GATEWAYS));
        turns(1 + (unsigned)random_below(random_below(4) ? 20 : 600));
        sync_forget();
    }
    for (unsigned i = 0; i < GATEWAYS; i++)
        charge(i);
    WAIT(is_quiet());
    EXPECT_INT(total[0] + total[1] + total[2], fields_of('s'));
    EXPECT_INT(0, fields_of('h'));
    for (unsigned i = 0; i < GATEWAYS; i++)
        gateway_end(all[i]);
    fleet_end();
}

int main(void)
{
    RUN(in_the_end_redis_has_what_the_ledgers_have);
    return unit_close("session_chaos");
}
