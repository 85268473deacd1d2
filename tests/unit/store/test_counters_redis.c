/* Counters in Redis as a process asks them: answers that come, that come late, and that never come. */
#include "store/counters/redis.h"

#include "base/log.h"
#include "net/loop.h"
#include "redis_parrot.h"
#include "scripts_kit.h"

#define PATIENCE_MS 30000u

static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

static struct loop *loop;
static struct loop_timer tick;
static struct counters_redis *c;
static unsigned ready, down, unknown, fenced;

static void on_ready(void *arg)
{
    (void)arg;
    ready++;
}

static void on_down(void *arg, const struct fault *why)
{
    (void)arg, (void)why;
    down++;
}

static void on_unknown(void *arg, bool is_fenced)
{
    (void)arg;
    unknown++;
    fenced += is_fenced;
}

static const struct counters_redis_events events = {on_ready, on_down, on_unknown};

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

/* A gateway that has entered an empty Redis. */
static void open_counters(void)
{
    struct fault why;
    redis_server_start(&sync_server, durable);
    sync_connect();
    begin();
    loop = loop_new();
    loop_timer_init(&tick, loop, on_tick, NULL);
    ready = down = unknown = fenced = 0;
    c = counters_redis_new(loop, sync_server.url, 7, &events, NULL, &why);
    counters_redis_enter(c, "gw1-a", epoch);
    WAIT(ready == 1);
}

static void close_counters(void)
{
    counters_redis_free(c);
    c = NULL;
    loop_timer_disarm(&tick);
    loop_free(loop);
    sync_end();
}

struct got {
    unsigned answers;
    struct counters_answer answer;
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    char error[32];
};

static void on_answer(void *arg, const struct counters_answer *answer)
{
    struct got *got = arg;
    got->answers++;
    got->answer = *answer;
    snprintf(got->error, sizeof got->error, "%s", answer->error ? answer->error : "");
    for (size_t i = 0; i < answer->state_count; i++)
        got->states[i] = answer->states[i];
}

static struct counters_question question(enum counters_operation operation, const char *hold,
                                         const struct counters_item *item)
{
    struct counters_question q = {.operation = operation, .items = item, .item_count = 1, .timeout_ms = 10000};
    snprintf(q.hold, sizeof q.hold, "%s", hold);
    return q;
}

static const char *put(struct counters_question *q, struct got *got)
{
    *got = (struct got){0};
    return counters_redis_ask(c, q, on_answer, got, NULL);
}

static bool asked(enum counters_operation operation, const char *hold, const struct counters_item *item,
                  struct got *got)
{
    struct counters_question q = question(operation, hold, item);
    const char *refused = put(&q, got);
    EXPECT_STR("", refused ? refused : "");
    WAIT(refused || got->answers == 1);
    return got->answer.is_ok;
}

static int64_t held(const struct counters_item *item)
{
    struct got got;
    EXPECT(asked(COUNTERS_PEEK, "", item, &got));
    return got.states[0].held;
}

static void questions_are_answered(void)
{
    struct got got;
    open_counters();
    struct counters_item item = money("app=a", 400, 1000);
    EXPECT(asked(COUNTERS_ADMIT, "r1", &item, &got));
    EXPECT_INT(400, got.states[0].held);
    EXPECT_STR("r1", got.answer.hold);
    EXPECT(asked(COUNTERS_ADMIT, "r2", &item, &got));
    EXPECT(!asked(COUNTERS_ADMIT, "r3", &item, &got) && got.states[0].refusal == COUNTERS_CONTENDED);
    EXPECT_STR("OK", sync_text("SCRIPT", "FLUSH", NULL));
    struct counters_question settle = question(COUNTERS_SETTLE, "r1", &item);
    settle.totals.nano = 50;
    EXPECT(!put(&settle, &got));
    WAIT(got.answers == 1);
    EXPECT(got.answer.is_ok);
    EXPECT_STR("OK", sync_text("SCRIPT", "FLUSH", NULL));
    EXPECT_INT(450, held(&item));
    EXPECT(asked(COUNTERS_RELEASE, "r2", &item, &got));
    EXPECT_INT(50, held(&item));
    EXPECT_INT(0, counters_redis_use(c).waiting);
    close_counters();
}

static void a_strange_memory_is_told_of(void)
{
    struct got got;
    open_counters();
    struct counters_item item = money("app=a", 400, 1000);
    counters_redis_enter(c, "", "");
    EXPECT(!asked(COUNTERS_ADMIT, "r1", &item, &got));
    EXPECT_STR("starting", got.error);
    EXPECT_INT(1, unknown);
    counters_redis_enter(c, "gw1-a", epoch);
    EXPECT(asked(COUNTERS_ADMIT, "r1", &item, &got));
    EXPECT_STR("1", say(counters_call_fence("gw1-a", true, &arena)));
    fenced = 0;
    EXPECT(!asked(COUNTERS_ADMIT, "r2", &item, &got));
    EXPECT_INT(1, fenced);
    EXPECT_STR("OK", sync_text("FLUSHALL", NULL));
    EXPECT(!asked(COUNTERS_PEEK, "", &item, &got));
    EXPECT_STR("starting", got.error);
    EXPECT_INT(1, fenced);
    close_counters();
}

/* Redis stands still: the answer comes too late, and takes nothing. */
static void what_came_too_late_goes_back(void)
{
    struct got got, again;
    open_counters();
    struct counters_item item = money("app=a", 400, 1000);
    struct counters_question q = question(COUNTERS_ADMIT, "r1", &item), r = question(COUNTERS_ADMIT, "r2", &item);
    q.timeout_ms = r.timeout_ms = 30;
    kill(sync_server.pid, SIGSTOP);
    EXPECT(!put(&q, &got));
    EXPECT(!put(&r, &again));
    WAIT(got.answers == 1 && again.answers == 1);
    EXPECT_STR("timeout", got.error);
    r.timeout_ms = 20000;
    EXPECT(!put(&r, &again)); /* the same once more, while Redis may still do it for the first time */
    kill(sync_server.pid, SIGCONT);
    WAIT(again.answers == 1);
    EXPECT(again.answer.is_ok);
    WAIT(counters_redis_use(c).waiting == 0);
    EXPECT_INT(400, held(&item));
    EXPECT(asked(COUNTERS_EXTEND, "r2", &item, &got));
    EXPECT(!asked(COUNTERS_EXTEND, "r1", &item, &got));
    EXPECT_STR("not held", got.error);
    close_counters();
}

static void nobody_waits_for_what_is_forgotten(void)
{
    struct got got = {0};
    uint64_t ticket;
    open_counters();
    struct counters_item item = money("app=a", 400, 1000);
    struct counters_question q = question(COUNTERS_ADMIT, "r1", &item);
    EXPECT(!counters_redis_ask(c, &q, on_answer, &got, &ticket));
    counters_redis_forget(c, ticket);
    memset(&q, 0xee, sizeof q); /* it is not borrowed any more */
    counters_redis_forget(c, 12345);
    WAIT(counters_redis_use(c).waiting == 0);
    EXPECT_INT(0, got.answers);
    EXPECT_INT(0, held(&item));
    close_counters();
}

static void who_waits_for_nothing_lends_nothing(void)
{
    struct got got;
    open_counters();
    struct counters_item item = money("app=a", 400, 1000);
    EXPECT(asked(COUNTERS_ADMIT, "r1", &item, &got));
    struct counters_question settle = question(COUNTERS_SETTLE, "r1", &item);
    settle.totals.nano = 30;
    EXPECT(!counters_redis_ask(c, &settle, NULL, NULL, NULL));
    memset(&settle, 0xee, sizeof settle);
    WAIT(counters_redis_use(c).waiting == 0);
    EXPECT_INT(30, held(&item));
    close_counters();
}

/* What ended meanwhile is said when Redis is there again. */
static void ends_are_said_after_an_outage(void)
{
    struct got got;
    open_counters();
    struct counters_item item = money("app=a", 400, 1000);
    EXPECT(asked(COUNTERS_ADMIT, "r1", &item, &got));
    EXPECT(asked(COUNTERS_ADMIT, "r2", &item, &got));
    redis_server_kill(&sync_server, SIGKILL);
    WAIT(down == 1 && counters_redis_status(c).state == REDIS_DOWN);
    struct counters_question settle = question(COUNTERS_SETTLE, "r1", &item), admit = question(COUNTERS_ADMIT, "r3", &item);
    settle.totals.nano = 30;
    EXPECT_STR("unreachable", put(&admit, &got));
    EXPECT_STR("unreachable", put(&settle, &got));
    settle = question(COUNTERS_RELEASE, "r2", &item);
    EXPECT_STR("unreachable", put(&settle, &got));
    EXPECT_INT(2, counters_redis_use(c).unsaid);
    redis_server_again(&sync_server, durable);
    WAIT(ready == 2 && counters_redis_use(c).unsaid == 0 && counters_redis_use(c).waiting == 0);
    EXPECT_INT(30, held(&item));
    fclose(sync_stream);
    sync_connect();
    EXPECT_STR("1 0 r1 0000000000000007", say(counters_call_holds(&here, "0", &arena)));
    close_counters();
}

/* Sent, and then the connection went: nobody knows whether it was done. */
static void what_was_lost_on_its_way_goes_back(void)
{
    struct got got, end;
    open_counters();
    struct counters_item item = money("app=a", 400, 1000);
    EXPECT(asked(COUNTERS_ADMIT, "r1", &item, &got));
    struct counters_question admit = question(COUNTERS_ADMIT, "r2", &item), settle = question(COUNTERS_SETTLE, "r1", &item);
    kill(sync_server.pid, SIGSTOP);
    EXPECT(!put(&admit, &got));
    EXPECT(!put(&settle, &end));
    loop_timer_arm_ms(&tick, 20);
    loop_run(loop);
    redis_server_kill(&sync_server, SIGKILL);
    WAIT(got.answers == 1 && end.answers == 1);
    EXPECT_STR("unreachable", got.error);
    EXPECT_STR("unreachable", end.error);
    redis_server_again(&sync_server, durable);
    WAIT(ready == 2 && counters_redis_use(c).unsaid == 0 && counters_redis_use(c).waiting == 0);
    EXPECT_INT(0, held(&item));
    close_counters();
}

/* An admission is answered too late, and put again behind its release, of which Redis does nothing. */
static void put_again(struct slice answers, struct got *again)
{
    struct parrot p = start_parrot(answers);
    struct fault why;
    struct got got;
    loop = loop_new();
    loop_timer_init(&tick, loop, on_tick, NULL);
    ready = down = unknown = fenced = 0;
    c = counters_redis_new(loop, p.url, 7, &events, NULL, &why);
    counters_redis_enter(c, "gw1-a", "1");
    WAIT(ready == 1);
    struct counters_item item = money("app=a", 400, 1000);
    struct counters_question q = question(COUNTERS_ADMIT, "r1", &item), r = q;
    q.timeout_ms = 30;
    EXPECT(!put(&q, &got));
    WAIT(got.answers == 1);
    EXPECT_STR("timeout", got.error);
    EXPECT(!put(&r, again));
    WAIT(again->answers == 1);
    struct counters_redis_use use = counters_redis_use(c);
    EXPECT_INT(again->answer.is_ok ? 0 : 1, use.waiting + use.unsaid); /* a release, which is not answered any more */
    counters_redis_free(c);
    c = NULL;
    loop_timer_disarm(&tick);
    loop_free(loop);
    end_parrot(&p);
}

static void a_release_is_not_said_behind_what_asks_again(void)
{
    struct got again;
    put_again(SLICE(HELD("1") NOTHING_DONE HELD("2")), &again);
    EXPECT(again.answer.is_ok);
    put_again(SLICE(HELD("1") NOTHING_DONE NOTHING_DONE), &again); /* it took nothing, and the one before did */
    EXPECT_STR("unreachable", again.error);
}

/* --- bounds --- */

static void what_is_kept_is_bounded(void)
{
    struct got got;
    open_counters();
    struct counters_item item = money("app=a", 400, 1000);
    redis_server_kill(&sync_server, SIGKILL);
    WAIT(down == 1 && counters_redis_status(c).state == REDIS_DOWN);
    for (unsigned i = 0; i < LIMIT_COUNTERS_UNSAID + 10; i++) {
        char hold[COUNTERS_HOLD_BYTES];
        snprintf(hold, sizeof hold, "r%u", i);
        struct counters_question q = question(COUNTERS_RELEASE, hold, &item);
        put(&q, &got);
    }
    EXPECT_INT(LIMIT_COUNTERS_UNSAID, counters_redis_use(c).unsaid);
    EXPECT_INT(10, counters_redis_use(c).lost);
    close_counters();
}

static void free_all(void *arg, const struct counters_answer *answer)
{
    on_answer(arg, answer);
    counters_redis_free(c);
    c = NULL;
}

static void it_may_end_in_an_answer(void)
{
    struct got got = {0};
    open_counters();
    struct counters_item item = money("app=a", 400, 1000);
    struct counters_question q = question(COUNTERS_ADMIT, "r1", &item), more = question(COUNTERS_ADMIT, "r2", &item);
    EXPECT(!counters_redis_ask(c, &q, free_all, &got, NULL));
    EXPECT(!counters_redis_ask(c, &more, on_answer, &got, NULL));
    WAIT(got.answers == 1);
    close_counters();
}

static void free_in_unknown(void *arg, bool is_fenced)
{
    on_unknown(arg, is_fenced);
    counters_redis_free(c);
    c = NULL;
}

/* Who has ended it in one event hears of nothing more: what waited may be gone. */
static void it_may_end_when_its_place_is_unknown(void)
{
    static const struct counters_redis_events ending = {on_ready, on_down, free_in_unknown};
    struct got got = {0}, more = {0};
    struct fault why;
    open_counters();
    counters_redis_free(c);
    c = counters_redis_new(loop, sync_server.url, 7, &ending, NULL, &why);
    counters_redis_enter(c, "nobody", epoch);
    struct counters_item item = money("app=a", 400, 1000);
    struct counters_question q = question(COUNTERS_ADMIT, "r1", &item), r = question(COUNTERS_ADMIT, "r2", &item);
    EXPECT(!counters_redis_ask(c, &q, on_answer, &got, NULL));
    EXPECT(!counters_redis_ask(c, &r, on_answer, &more, NULL));
    WAIT(unknown);
    EXPECT_INT(1, unknown);
    EXPECT_INT(0, got.answers);
    EXPECT_INT(0, more.answers);
    close_counters();
}

/* Each is told, and whoever asks behind them finds what they gave back. */
static void ends_of_one_turn_are_said_together(void)
{
    enum { HOLDS = 40 };
    static struct counters_question q[HOLDS];
    static struct got got[HOLDS];
    struct got other;
    uint64_t ticket;
    open_counters();
    struct counters_item items[] = {at_a_time("user=x", HOLDS), money("app=a", 10, 1000)};
    for (int i = 0; i < HOLDS; i++) {
        char hold[COUNTERS_HOLD_BYTES];
        snprintf(hold, sizeof hold, "r%d", i);
        q[i] = question(COUNTERS_ADMIT, hold, items);
        q[i].item_count = 2;
        EXPECT(!put(&q[i], &got[i]));
        WAIT(got[i].answers == 1);
        EXPECT(got[i].answer.is_ok);
        q[i].operation = COUNTERS_SETTLE;
        q[i].totals.nano = 3;
    }
    EXPECT(asked(COUNTERS_RELEASE, "unknown", items, &other)); /* the script is there now */
    EXPECT_STR("OK", sync_text("CONFIG", "RESETSTAT", NULL));
    for (int i = 0; i < HOLDS; i++)
        EXPECT(!put(&q[i], &got[i]));
    struct counters_question again = question(COUNTERS_RELEASE, "r7", items), next = question(COUNTERS_ADMIT, "s", items);
    struct got lost = {0};
    EXPECT(!counters_redis_ask(c, &again, on_answer, &lost, &ticket));
    counters_redis_forget(c, ticket);
    EXPECT_INT(HOLDS + 1, counters_redis_use(c).waiting);
    EXPECT(!put(&next, &other));
    WAIT(other.answers == 1 && counters_redis_use(c).waiting == 0);
    EXPECT(other.answer.is_ok);
    EXPECT_INT(HOLDS - 1, other.states[0].left);
    for (int i = 0; i < HOLDS; i++)
        EXPECT(got[i].answers == 1 && got[i].answer.is_ok && !got[i].error[0]);
    EXPECT_INT(0, lost.answers);
    EXPECT(strstr(sync_text("INFO", "commandstats", NULL), "cmdstat_evalsha:calls=3,") != NULL);
    EXPECT_INT(3 * HOLDS, held(&items[1]));
    close_counters();
}

static void it_may_end_in_the_answer_to_an_end(void)
{
    static struct counters_question q[3];
    struct got first = {0}, others = {0};
    open_counters();
    struct counters_item item = money("app=a", 400, 1000);
    for (int i = 0; i < 3; i++)
        q[i] = question(COUNTERS_SETTLE, "r1", &item);
    EXPECT(!counters_redis_ask(c, &q[0], free_all, &first, NULL));
    EXPECT(!counters_redis_ask(c, &q[1], on_answer, &others, NULL));
    EXPECT(!counters_redis_ask(c, &q[2], on_answer, &others, NULL));
    WAIT(first.answers == 1);
    EXPECT_INT(0, others.answers);
    close_counters();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    setenv("MOONGATE_LOG", "error", 0);
    log_init("test");
    arena_init(&arena);
    RUN(questions_are_answered);
    RUN(a_strange_memory_is_told_of);
    RUN(what_came_too_late_goes_back);
    RUN(nobody_waits_for_what_is_forgotten);
    RUN(who_waits_for_nothing_lends_nothing);
    RUN(ends_are_said_after_an_outage);
    RUN(what_was_lost_on_its_way_goes_back);
    RUN(a_release_is_not_said_behind_what_asks_again);
    RUN(what_is_kept_is_bounded);
    RUN(it_may_end_in_an_answer);
    RUN(it_may_end_when_its_place_is_unknown);
    RUN(ends_of_one_turn_are_said_together);
    RUN(it_may_end_in_the_answer_to_an_end);
    arena_clear(&arena);
    return unit_close("counters_redis");
}
