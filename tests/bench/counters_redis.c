/*
 * What counters in Redis cost: Redis's own time for each script, and how many requests one Redis admits and settles.
 *
 *     build/bench/counters_redis [requests (100000)] [at a time (64)]
 *
 * Each request falls under three scopes with requests, tokens and how many at a time, and under two budgets. It is
 * admitted, settled, and told of by the ledger, 64 in a batch. One Redis on this machine's socket; nothing on a disk.
 */
#include "base/log.h"
#include "net/loop.h"
#include "store/counters_redis.h"
#include "../unit/redis_kit.h"

#include "base/clock.h"
#include "base/limits.h"

#define ITEMS 11u
#define USERS 1000u
#define BATCH 64u
#define FLIGHTS_MAX 4096u

struct flight {
    struct counters_question q;
    struct counters_item items[ITEMS];
    char keys[3][32];
};

static struct loop *loop;
static struct counters_redis *c;
static struct flight *flights;
static char done[BATCH][COUNTERS_HOLD_BYTES];
static char memory[COUNTERS_NAME_BYTES];
static unsigned started, ended, refused, wanted = 100000, at_a_time = 64, told;
static int64_t now_s, spent;

static void on_admitted(void *arg, const struct counters_answer *answer);

static void prepare(struct flight *f, unsigned number)
{
    f->q = (struct counters_question){.operation = COUNTERS_ADMIT, .items = f->items, .item_count = ITEMS,
                                      .timeout_ms = 10000};
    snprintf(f->q.hold, sizeof f->q.hold, "req_%032u", number);
    snprintf(f->keys[0], sizeof f->keys[0], "user=user%u", number * 7919 % USERS);
    snprintf(f->keys[1], sizeof f->keys[1], "app=app%u", number % 20);
    snprintf(f->keys[2], sizeof f->keys[2], "department=%u", number % 5);
    for (unsigned i = 0; i < 9; i++) {
        f->items[i] = (struct counters_item){.unit = (enum counters_unit)(i % 3), .key = slice_str(f->keys[i / 3]),
                                             .amount = i % 3 == 1 ? 1000 : 1, .limit = INT64_C(1000000000000),
                                             .window_s = 60, .burst = INT64_C(100000000000)};
    }
    for (unsigned i = 9; i < ITEMS; i++) {
        f->items[i] = (struct counters_item){.unit = COUNTERS_MONEY, .key = slice_str(f->keys[i - 8]),
                                             .amount = 30000000, .limit = INT64_C(1) << 50,
                                             .start_s = now_s - 86400 * (i - 8), .stop_s = now_s + 86400};
    }
}

static void begin(struct flight *f)
{
    if (started == wanted) return;
    prepare(f, started++);
    if (counters_redis_ask(c, &f->q, on_admitted, f, NULL)) abort();
}

static void tell(struct flight *f)
{
    struct arena arena;
    struct counters_place place = counters_redis_place(c);
    struct counters_spent sums[2];
    spent += 20000000 * BATCH;
    for (unsigned i = 0; i < 2; i++)
        sums[i] = (struct counters_spent){.key = f->items[9 + i].key, .start_s = f->items[9 + i].start_s,
                                          .stop_s = f->items[9 + i].stop_s, .nano = spent};
    arena_init(&arena);
    struct counters_call call = counters_call_spend(&place, "ledger-1", false, (const char(*)[COUNTERS_HOLD_BYTES])done,
                                                    BATCH, sums, 2, &arena);
    if (counters_redis_call(c, &call, 10000, NULL, NULL) != REDIS_TAKEN) abort();
    arena_clear(&arena);
    told = 0;
}

static void on_settled(void *arg, const struct counters_answer *answer)
{
    struct flight *f = arg;
    refused += !answer->is_ok;
    memcpy(done[told++], f->q.hold, sizeof done[0]);
    if (told == BATCH) tell(f);
    if (++ended == wanted) loop_stop(loop);
    begin(f);
}

static void on_admitted(void *arg, const struct counters_answer *answer)
{
    struct flight *f = arg;
    refused += !answer->is_ok;
    f->q.operation = COUNTERS_SETTLE;
    f->q.totals = (struct counters_totals){800, 20000000};
    if (counters_redis_ask(c, &f->q, on_settled, f, NULL)) abort();
}

static void on_reply(void *arg, const struct redis_answer *answer)
{
    (void)arg;
    if (!answer->reply || answer->reply->count < 2) abort();
    snprintf(memory, sizeof memory, "%.*s", SLICE_FMT(answer->reply->items[1].text));
    loop_stop(loop);
}

static void on_ready(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void call(struct counters_call call_of)
{
    if (counters_redis_call(c, &call_of, 10000, on_reply, NULL) != REDIS_TAKEN) abort();
    loop_run(loop);
}

static void enter(void)
{
    struct arena arena;
    arena_init(&arena);
    counters_redis_enter(c, "gw-1", "");
    struct counters_place place = counters_redis_place(c);
    call(counters_call_beat(&place, true, 3600000, &arena));
    call(counters_call_seed(memory, 0, &arena));
    counters_redis_enter(c, "gw-1", memory);
    arena_clear(&arena);
}

int main(int argc, char **argv)
{
    static const struct counters_redis_events events = {.on_ready = on_ready};
    struct redis_server server;
    struct fault why;
    (void)unit_case_failures; /* of the kit: nothing is expected here */
    if (argc > 1) wanted = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2) at_a_time = (unsigned)strtoul(argv[2], NULL, 10);
    if (at_a_time > FLIGHTS_MAX) at_a_time = FLIGHTS_MAX;
    setenv("MOONGATE_LOG", "error", 0);
    log_init("bench");
    now_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    flights = calloc(at_a_time, sizeof *flights);
    redis_server_start(&server, NULL);
    loop = loop_new();
    c = counters_redis_new(loop, server.url, 7, &events, NULL, &why);
    loop_run(loop);
    enter();
    redis_server_say(&server, "CONFIG RESETSTAT");
    uint64_t from_ns = clock_mono_ns();
    for (unsigned i = 0; i < at_a_time; i++)
        begin(&flights[i]);
    loop_run(loop);
    double seconds = (double)(clock_mono_ns() - from_ns) / 1e9;
    printf("%u requests of %u items, %u at a time: %.0f a second, %u refused\n", wanted, ITEMS, at_a_time,
           wanted / seconds, refused);
    printf("%s\n%s\n", redis_server_said(&server, "INFO commandstats", true), redis_server_said(&server, "INFO cpu", true));
    counters_redis_free(c);
    loop_free(loop);
    redis_server_end(&server);
    free(flights);
    return 0;
}
