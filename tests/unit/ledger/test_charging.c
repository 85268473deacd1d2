/* What the ledger tells the counters: at its start, after each commit, when workers have died, and again when the
 * counters could not be had. */
#include "../log_kit.h"
#include "../store/ledger_kit.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/limits.h"
#include "ledger/charging.h"
#include "net/loop.h"
#include "store/counters/shared.h"

static struct loop *loop;
static struct counters_shared *counters;
static struct ledger *ledger;
static struct charging *charging;
static struct counters_item item;
static struct counters_state states[1];

static void begin_with(uint32_t cells)
{
    struct fault why;
    kit_fresh();
    loop = loop_new();
    counters = counters_shared_new(cells, 256, &why);
    ledger = kit_open();
    charging = charging_new(loop, counters);
    int64_t start_s = (int64_t)(clock_wall_ns() / NS_PER_S) - 1000;
    item = (struct counters_item){.unit = COUNTERS_MONEY, .key = SLICE("app=a"), .amount = 100, .limit = 1000,
                                  .start_s = start_s, .stop_s = start_s + 86400};
}

static void begin(void)
{
    begin_with(256);
}

static void end(void)
{
    charging_free(charging);
    ledger_close(ledger);
    counters_shared_free(counters);
    loop_free(loop);
}

static void name_request(char id[COUNTERS_HOLD_BYTES], uint64_t n)
{
    uint8_t bytes[16];
    char hex[33];
    kit_id(bytes, n);
    hex_write(bytes, 16, hex);
    snprintf(id, COUNTERS_HOLD_BYTES, "req_%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* Of every kind: a request's later one, and those that were taken here while Redis was away. */
static void name_hold(char id[COUNTERS_HOLD_BYTES], uint64_t n)
{
    static const char *const ends[] = {"", "/2", "/3/local", "/local"};
    char request[COUNTERS_HOLD_BYTES];
    name_request(request, n);
    snprintf(id, COUNTERS_HOLD_BYTES, "%.44s%s", request, ends[n % 4]);
}

static struct counters_answer ask(enum counters_operation operation, uint64_t n, int64_t nano)
{
    struct counters_question q = {.operation = operation, .items = &item, .item_count = 1, .totals = {0, nano}};
    struct counters_answer answer;
    name_hold(q.hold, n);
    counters_shared_ask(counters, &q, (struct counters_asker){.owner = n, .now_ns = (int64_t)clock_wall_ns()}, states, &answer);
    return answer;
}

static void expect_money(int64_t spent, int64_t held)
{
    EXPECT(ask(COUNTERS_PEEK, 0, 0).error == NULL);
    EXPECT_INT(spent, states[0].spent);
    EXPECT_INT(held, states[0].held);
}

static void put(uint64_t n, int64_t nano)
{
    struct buf body;
    struct fault why;
    uint8_t id[16];
    char request[COUNTERS_HOLD_BYTES], hold[COUNTERS_HOLD_BYTES], time[CLOCK_TEXT_BYTES];
    kit_id(id, n);
    name_request(request, n);
    name_hold(hold, n);
    clock_format(clock_wall_ns(), time);
    buf_init(&body);
    buf_printf(&body,
               "{\"id\":\"%s\",\"time\":\"%s\",\"outcome\":\"ok\",\"cost\":{\"usd\":0,\"nano_usd\":%lld},"
               "\"holds\":[{\"id\":\"%s\",\"money\":[[\"%.*s\",%lld,%lld,0]]}]}",
               request, time, (long long)nano, hold, SLICE_FMT(item.key), (long long)item.start_s, (long long)item.stop_s);
    kit_begin(ledger);
    EXPECT_INT(LEDGER_STORED, ledger_put(ledger, &(struct ledger_entry){.kind = CHAIN_EXCHANGE, .id = id,
                                                                        .body = buf_slice(&body)}, &why));
    kit_commit(ledger);
    buf_clear(&body);
}

/* --- a start --- */

static void a_ledger_that_opens_tells_what_is_spent(void)
{
    begin();
    put(1, 70);
    put(2, 30);
    EXPECT_STR("starting", ask(COUNTERS_PEEK, 0, 0).error);
    charging_open(charging, ledger);
    expect_money(100, 0);
    end();
}

/* The one before was killed when it had committed: what it had not said is found. */
static void holds_whose_record_is_there_are_over(void)
{
    begin();
    charging_open(charging, ledger);
    for (uint64_t n = 1; n <= 4; n++)
        EXPECT(ask(COUNTERS_ADMIT, n, 0).is_ok);
    ask(COUNTERS_SETTLE, 1, 40);
    ask(COUNTERS_SETTLE, 2, 50);
    put(1, 40);
    put(3, 60); /* whose settlement was lost */
    expect_money(0, 290);
    charging_open(charging, NULL);
    charging_open(charging, ledger);
    expect_money(100, 150);
    end();
}

/* --- a commit --- */

static void a_commit_is_told(void)
{
    begin();
    charging_open(charging, ledger);
    EXPECT(ask(COUNTERS_ADMIT, 1, 0).is_ok);
    ask(COUNTERS_SETTLE, 1, 40);
    put(1, 40);
    charging_committed(charging);
    charging_committed(charging);
    expect_money(40, 0);
    end();
}

static bool stop_here(void *arg, uint64_t owner)
{
    (void)arg, (void)owner;
    raise(SIGSTOP);
    return false;
}

static pid_t stop_with_the_lock(void)
{
    uint32_t returned;
    pid_t pid = fork();
    if (pid == 0) {
        counters_shared_return(counters, stop_here, NULL, &returned);
        _exit(0);
    }
    waitpid(pid, NULL, WUNTRACED);
    return pid;
}

static struct loop_timer looking;

static void on_look(void *arg)
{
    (void)arg;
    if (!ask(COUNTERS_PEEK, 0, 0).error && states[0].spent == 100 && states[0].held == 100) loop_stop(loop);
    else loop_timer_arm_ms(&looking, 5);
}

static bool is_nobody(void *arg, uint64_t owner)
{
    return owner != *(uint64_t *)arg;
}

static void what_could_not_be_told_is_told_later(void)
{
    begin();
    charging_open(charging, ledger);
    for (uint64_t n = 1; n <= 3; n++)
        EXPECT(ask(COUNTERS_ADMIT, n, 0).is_ok);
    pid_t pid = stop_with_the_lock();
    EXPECT_STR("unreachable", ask(COUNTERS_SETTLE, 1, 40).error); /* lost, too */
    put(1, 40);
    charging_committed(charging);
    put(2, 60);
    charging_committed(charging);
    uint64_t dead = 3;
    EXPECT(!charging_claim(charging, is_nobody, &dead));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    loop_timer_init(&looking, loop, on_look, NULL);
    on_look(NULL);
    loop_run(loop);
    loop_timer_disarm(&looking);
    EXPECT(charging_claim(charging, is_nobody, &dead));
    expect_money(100, 0);
    end();
}

/* --- without a place --- */

static void put_for(const char *key, uint64_t n, int64_t nano)
{
    struct slice before = item.key;
    item.key = slice_str(key);
    put(n, nano);
    item.key = before;
}

/* Others are told of, at the start and after a commit; holds do not stay behind. */
static void sums_without_a_place_hinder_nothing(void)
{
    begin_with(3);
    put_for("app=b", 1, 1);
    put_for("app=c", 2, 1);
    put_for("app=d", 3, 1);
    put_for("app=0", 4, 70);
    put_for("app=z", 5, 1);
    struct log_kit log = log_kit_begin();
    charging_open(charging, ledger);
    EXPECT(counters_shared_is_seeded(counters));
    EXPECT_INT(2, counters_shared_missed(counters));
    item.key = SLICE("app=0"); /* the first of them that were told */
    expect_money(70, 0);
    EXPECT(ask(COUNTERS_ADMIT, 6, 0).is_ok);
    ask(COUNTERS_SETTLE, 6, 40);
    put_for("app=y", 7, 1);
    charging_committed(charging);
    EXPECT_INT(3, counters_shared_missed(counters));
    put(6, 40);
    charging_committed(charging);
    expect_money(110, 0);
    EXPECT_INT(3, counters_shared_missed(counters));
    end();
    EXPECT_INT(1, count_of(log_kit_end(log), "counters_full"));
}

/* --- it cannot be read --- */

static void run(const char *sql)
{
    EXPECT_INT(SQLITE_OK, sqlite3_exec(ledger_connection(ledger), sql, NULL, NULL, NULL));
}

static void on_later(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void turns(unsigned ms)
{
    loop_timer_init(&looking, loop, on_later, NULL);
    loop_timer_arm_ms(&looking, ms);
    loop_run(loop);
    loop_timer_disarm(&looking);
}

static void what_cannot_be_read_is_said_once_and_read_later(void)
{
    begin();
    put(1, 70);
    run("ALTER TABLE charges RENAME TO elsewhere");
    struct log_kit log = log_kit_begin();
    charging_open(charging, ledger);
    turns(3 * LIMIT_LEDGER_RETRY_MS);
    EXPECT(!counters_shared_is_seeded(counters));
    run("ALTER TABLE elsewhere RENAME TO charges");
    for (int i = 0; i < 500 && !counters_shared_is_seeded(counters); i++)
        turns(10);
    expect_money(70, 0);
    end();
    EXPECT_INT(1, count_of(log_kit_end(log), "charges_unread"));
}

/* --- the dead --- */

static void what_nobody_claims_goes_back(void)
{
    begin();
    charging_open(charging, ledger);
    for (uint64_t n = 1; n <= 3; n++)
        EXPECT(ask(COUNTERS_ADMIT, n, 0).is_ok);
    ask(COUNTERS_SETTLE, 2, 10); /* and its record never came */
    uint64_t dead = 2;
    EXPECT(charging_claim(charging, is_nobody, &dead));
    EXPECT(charging_claim(charging, is_nobody, &dead));
    expect_money(0, 200);
    end();
}

static void nobody_counts(void)
{
    kit_fresh();
    loop = loop_new();
    ledger = kit_open();
    charging = charging_new(loop, NULL);
    charging_open(charging, ledger);
    put(1, 5);
    charging_committed(charging);
    EXPECT(charging_claim(charging, is_nobody, NULL));
    charging_free(charging);
    ledger_close(ledger);
    loop_free(loop);
}

int main(void)
{
    RUN(a_ledger_that_opens_tells_what_is_spent);
    RUN(holds_whose_record_is_there_are_over);
    RUN(a_commit_is_told);
    RUN(what_could_not_be_told_is_told_later);
    RUN(sums_without_a_place_hinder_nothing);
    RUN(what_cannot_be_read_is_said_once_and_read_later);
    RUN(what_nobody_claims_goes_back);
    RUN(nobody_counts);
    kit_end();
    return unit_close("charging");
}
