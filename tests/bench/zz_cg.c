/*
 * What counters in Redis cost: the time of Redis's own CPU for each question, beside a plain GET and, where its text is
 * given, beside another script that admits; how many requests one Redis takes, and how long one of them waits.
 *
 *     build/bench/counters_redis [requests a round (2000)] [rounds (9)] [a file with the other script]
 *
 * Each request falls under three scopes with requests, tokens and how many at a time, and under two budgets of one month:
 * eleven limits. It is admitted, settled (32 in a call, as they end in one turn), and told of by the ledger, 64 in a
 * batch with as many sums as it has seen. One Redis on this machine's socket; nothing on a disk.
 *
 * On a machine with other work only the ratios mean something, and the least of the rounds more than the median. The
 * other script is what stands between "### admit", "```lua" and "```"; it is asked as the design's prototype is, of the
 * same three scopes and two budgets.
 */
#include "base/log.h"
#include "net/loop.h"
#include "store/counters/redis.h"
#include "../unit/redis_kit.h"

#include "base/clock.h"
#include "base/limits.h"

#define ITEMS 11u
#define USERS 1000u
#define APPS 20u
#define DEPARTMENTS 5u
#define AT_A_TIME 64u
#define REQUESTS_MAX 20000u
#define ROUNDS_MAX 99u

struct request {
    struct counters_question q;
    struct counters_item items[ITEMS];
    char keys[3][32];
};

/* One kind of work, N of it by AT_A_TIME. */
struct kind {
    const char *name;
    void (*begin)(unsigned number);
    unsigned a_call; /* requests that one call is for */
    double us[ROUNDS_MAX], wait_us;
};

static struct loop *loop;
static struct counters_redis *c;
static struct redis *plain;
static const struct redis_script *other;
static struct redis_server server;
static struct request *requests;
static const struct kind *kind;
static char memory[COUNTERS_NAME_BYTES];
static unsigned begun, ended, wanted, at_a_time, refused, numbers;
static int64_t now_s, spent;

/* --- one after the other --- */

static void next(void)
{
    unsigned count = wanted / kind->a_call;
    ended++;
    if (ended == count) loop_stop(loop);
    else if (begun < count) kind->begin(begun++);
}

static void run(const struct kind *of, unsigned many)
{
    kind = of;
    begun = ended = 0;
    at_a_time = many;
    while (begun < many && begun < wanted / of->a_call)
        of->begin(begun++);
    loop_run(loop);
}

static void on_reply(void *arg, const struct redis_answer *answer)
{
    (void)arg;
    refused += !answer->reply || answer->reply->kind == REDIS_ERROR;
    next();
}

static void on_states(void *arg, const struct counters_answer *answer)
{
    (void)arg;
    refused += !answer->is_ok;
    next();
}

/* --- what is asked --- */

static void ask_plain(const struct redis_question *asked, bool is_script)
{
    struct redis_question q = *asked;
    q.timeout_ms = 10000;
    q.fn = on_reply;
    if ((is_script ? redis_eval(plain, other, &q) : redis_ask(plain, &q)) != REDIS_TAKEN) abort();
}

static void begin_get(unsigned number)
{
    (void)number;
    const struct slice words[] = {SLICE("GET"), SLICE("x")};
    ask_plain(&(struct redis_question){.args = words, .arg_count = 2}, false);
}

/* epoch, tokens, cost, 3 scopes, 2 budgets; each scope's parts and bursts (µs) and how many; each budget's key, limit,
 * from, to */
static void begin_other(unsigned number)
{
    double scope[] = {.001, 1e9, .0001, 1e9, 1e12}, budget[] = {1, 0x1p50, 0, 9e18}, numbers_of[5 + 15 + 8] = {1, 1000, 3e7, 3, 2};
    const struct slice keys[] = {SLICE("R"), SLICE("H"), SLICE("B")};
    struct request *r = &requests[number];
    for (unsigned i = 0; i < 3; i++)
        memcpy(numbers_of + 5 + 5 * i, scope, sizeof scope);
    for (unsigned i = 0; i < 2; i++)
        memcpy(numbers_of + 20 + 4 * i, budget, sizeof budget);
    const struct slice args[] = {slice_str(r->q.hold), slice_of((const char *)numbers_of, sizeof numbers_of),
                                 r->items[0].key, r->items[3].key, r->items[6].key, r->items[9].key, r->items[10].key};
    ask_plain(&(struct redis_question){.keys = keys, .key_count = 3, .args = args, .arg_count = 7}, true);
}

static void begin_admit(unsigned number)
{
    requests[number].q.operation = COUNTERS_ADMIT;
    if (counters_redis_ask(c, &requests[number].q, on_states, NULL, NULL)) abort();
}

static void begin_settle(unsigned number)
{
    requests[number].q.operation = COUNTERS_SETTLE;
    requests[number].q.totals = (struct counters_totals){800, 20000000};
    if (counters_redis_ask(c, &requests[number].q, on_states, NULL, NULL)) abort();
}

/* The sums of a batch: its apps and its departments. */
static void begin_spend(unsigned number)
{
    static char holds[AT_A_TIME][COUNTERS_HOLD_BYTES];
    struct counters_spent sums[APPS + DEPARTMENTS];
    struct counters_place place = counters_redis_place(c);
    struct arena arena;
    spent += 20000000 * AT_A_TIME;
    for (unsigned i = 0; i < AT_A_TIME; i++)
        memcpy(holds[i], requests[number * AT_A_TIME + i].q.hold, sizeof holds[i]);
    for (unsigned i = 0; i < APPS + DEPARTMENTS; i++) {
        const struct counters_item *item = &requests[i < APPS ? i : i - APPS].items[i < APPS ? 9 : 10];
        sums[i] = (struct counters_spent){.key = item->key, .start_s = item->start_s, .stop_s = item->stop_s, .nano = spent};
    }
    arena_init(&arena);
    struct counters_call call = counters_call_spend(&place, "ledger-1", false, (const char(*)[COUNTERS_HOLD_BYTES])holds,
                                                    AT_A_TIME, sums, APPS + DEPARTMENTS, &arena);
    if (counters_redis_call(c, &call, 10000, on_reply, NULL) != REDIS_TAKEN) abort();
    arena_clear(&arena);
}

/* --- rounds --- */

static void prepare(struct request *r, unsigned number)
{
    *r = (struct request){.q = {.items = r->items, .item_count = ITEMS, .timeout_ms = 10000}};
    snprintf(r->q.hold, sizeof r->q.hold, "req_%032u", numbers++);
    snprintf(r->keys[0], sizeof r->keys[0], "user=user%u", number * 7919 % USERS);
    snprintf(r->keys[1], sizeof r->keys[1], "app=app%u", number % APPS);
    snprintf(r->keys[2], sizeof r->keys[2], "department=%u", number % DEPARTMENTS);
    for (unsigned i = 0; i < 9; i++) {
        r->items[i] = (struct counters_item){.unit = (enum counters_unit)(i % 3), .key = slice_str(r->keys[i / 3]),
                                             .amount = i % 3 == 1 ? 1000 : 1, .limit = INT64_C(1000000000000),
                                             .window_s = 60, .burst = INT64_C(100000000000)};
    }
    for (unsigned i = 9; i < ITEMS; i++) {
        r->items[i] = (struct counters_item){.unit = COUNTERS_MONEY, .key = slice_str(r->keys[i - 8]),
                                             .amount = 30000000, .limit = INT64_C(1) << 50,
                                             .start_s = now_s - 86400, .stop_s = now_s + 86400};
    }
}

static double redis_us(void)
{
    const char *said = redis_server_said(&server, "INFO cpu", true);
    const char *user = strstr(said, "used_cpu_user_main_thread:"), *sys = strstr(said, "used_cpu_sys_main_thread:");
    return 1e6 * (strtod(user + strlen("used_cpu_user_main_thread:"), NULL) +
                  strtod(sys + strlen("used_cpu_sys_main_thread:"), NULL));
}

static struct kind kinds[] = {
    {.name = "a plain GET", .begin = begin_get, .a_call = 1},
    {.name = "the other's admission", .begin = begin_other, .a_call = 1},
    {.name = "admission", .begin = begin_admit, .a_call = 1},
    {.name = "settlement", .begin = begin_settle, .a_call = 1},
    {.name = "the ledger's part", .begin = begin_spend, .a_call = AT_A_TIME},
};
enum { GET, OTHER, ADMIT, SETTLE, SPEND, KINDS };

static bool is_there(unsigned k)
{
    return k != OTHER || other;
}

static void new_requests(void)
{
    for (unsigned i = 0; i < wanted; i++)
        prepare(&requests[i], i);
}

static void measure(unsigned round)
{
    new_requests();
    for (unsigned k = 0; k < KINDS; k++) {
        if (!is_there(k)) continue;
        double before = redis_us();
        char line[200];
        if (round) { snprintf(line, sizeof line, "callgrind_control -z %d >/dev/null", (int)server.pid); if (system(line)) {} }
        run(&kinds[k], AT_A_TIME / kinds[k].a_call);
        if (round) { snprintf(line, sizeof line, "callgrind_control -d %s %d >/dev/null", (const char *[]){"get","other","admit","settle","spend"}[k], (int)server.pid); if (system(line)) {} }
        kinds[k].us[round] = (redis_us() - before) / wanted;
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* One at a time: the median. */
static void measure_wait(unsigned k)
{
    unsigned all = wanted;
    double *us = calloc(all, sizeof *us);
    new_requests();
    wanted = 1;
    for (unsigned i = 0; i < all; i++) {
        uint64_t from_ns = clock_mono_ns();
        prepare(&requests[0], i);
        run(&kinds[k], 1);
        us[i] = (double)(clock_mono_ns() - from_ns) / 1e3;
    }
    wanted = all;
    qsort(us, all, sizeof *us, by_size);
    kinds[k].wait_us = us[all / 2];
    free(us);
}

static void print(unsigned rounds)
{
    double all[2] = {0}, one[2] = {0};
    printf("Redis's CPU a request, least and median of %u rounds of %u%s\n", rounds, wanted, refused ? "; REFUSED" : "");
    for (unsigned k = 0; k < KINDS; k++) {
        if (!is_there(k)) continue;
        qsort(kinds[k].us, rounds, sizeof *kinds[k].us, by_size);
        double least = kinds[k].us[0], median = kinds[k].us[rounds / 2];
        if (k == OTHER) one[0] = least, one[1] = median;
        if (k >= ADMIT) all[0] += least, all[1] += median;
        printf("  %-24s %7.2f us %7.2f us", kinds[k].name, least, median);
        if (one[0] > 0) printf("  %5.2f %5.2f of the other's", least / one[0], median / one[1]);
        printf("\n");
    }
    printf("  %-24s %7.2f us %7.2f us", "a request, all", all[0], all[1]);
    if (one[0] > 0) printf("  %5.2f %5.2f of the other's", all[0] / one[0], all[1] / one[1]);
    printf("\n  requests a second of one core: %.0f, median %.0f\n", 1e6 / all[0], 1e6 / all[1]);
    for (unsigned k = GET; k <= ADMIT; k++)
        if (is_there(k)) printf("one at a time, median: %s %.1f us, %.2f of a GET\n", kinds[k].name, kinds[k].wait_us,
                                kinds[k].wait_us / kinds[GET].wait_us);
}

/* --- a Redis, and who asks it --- */

static void on_ready(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void on_told(void *arg, const struct redis_answer *answer)
{
    (void)arg;
    if (!answer->reply || answer->reply->count < 2) abort();
    snprintf(memory, sizeof memory, "%.*s", SLICE_FMT(answer->reply->items[1].text));
    loop_stop(loop);
}

static void call(struct counters_call call_of)
{
    if (counters_redis_call(c, &call_of, 10000, on_told, NULL) != REDIS_TAKEN) abort();
    loop_run(loop);
}

static void enter(void)
{
    struct arena arena;
    arena_init(&arena);
    counters_redis_enter(c, "gw-1", "");
    struct counters_place place = counters_redis_place(c);
    call(counters_call_beat(&place, "bench", true, 3600000, &arena));
    call(counters_call_seed(memory, 0, &arena));
    counters_redis_enter(c, "gw-1", memory);
    arena_clear(&arena);
}

/* The other script, and what it wants to find. */
static void read_other(const char *path)
{
    static char text[1 << 20];
    char command[256];
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) return;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *from = strstr(text, "### admit\n```lua\n");
    char *to = from ? strstr(from + strlen("### admit\n```lua\n"), "```") : NULL;
    if (!to) return;
    from += strlen("### admit\n```lua\n");
    other = redis_script(plain, slice_of(from, (size_t)(to - from)));
    redis_server_say(&server, "HSET R _e 1");
    redis_server_say(&server, "HSET H _lease 99999999999999");
    for (unsigned i = 0; i < APPS; i++) {
        snprintf(command, sizeof command, "HSET B app=app%u 0 department=%u 0", i, i % DEPARTMENTS);
        redis_server_say(&server, command);
    }
}

int main(int argc, char **argv)
{
    static const struct counters_redis_events events = {.on_ready = on_ready};
    static const struct redis_events plain_events = {.on_ready = on_ready};
    struct fault why;
    (void)unit_case_failures; /* of the kit: nothing is expected here */
    wanted = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000;
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 9;
    if (wanted > REQUESTS_MAX) wanted = REQUESTS_MAX;
    wanted = wanted < AT_A_TIME ? AT_A_TIME : wanted / AT_A_TIME * AT_A_TIME;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    setenv("MOONGATE_LOG", "error", 0);
    log_init("bench");
    now_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    requests = calloc(wanted, sizeof *requests);
    redis_server_start(&server, NULL);
    loop = loop_new();
    c = counters_redis_new(loop, server.url, 7, &events, NULL, &why);
    loop_run(loop);
    plain = redis_new(loop, server.url, &plain_events, NULL, &why);
    loop_run(loop);
    enter();
    read_other(argc > 3 ? argv[3] : NULL);
    for (unsigned i = 0; i < rounds; i++)
        measure(i);
    for (unsigned k = GET; k <= ADMIT; k++)
        if (is_there(k)) measure_wait(k);
    print(rounds);
    counters_redis_free(c);
    redis_free(plain);
    loop_free(loop);
    redis_server_end(&server);
    free(requests);
    return 0;
}
