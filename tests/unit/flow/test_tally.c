/* A worker's questions to counters in Redis, and to this machine's while those are out of reach. */
#include "flow/tally.h"

#include "../log_kit.h"
#include "../store/scripts_kit.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "flow/flow.h"
#include "flow/metrics.h"
#include "net/loop.h"
#include "store/counters/post.h"
#include "store/counters/shared.h"

#define PATIENCE_MS 30000u

static struct loop *loop;
static struct loop_timer tick;
static void *segment;
static struct stats *stats;
static struct metrics *metrics;
static struct counters_shared *counters;
static struct counters_post post;
static struct flow_redis fleet;
static struct tally *tally;

static void on_tick(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void turn_for(uint32_t ms)
{
    loop_timer_arm_ms(&tick, ms);
    loop_run(loop);
}

#define WAIT(condition)                                                                                                \
    do {                                                                                                               \
        for (unsigned waited = 0; !(condition) && waited < PATIENCE_MS; waited += 2)                                   \
            turn_for(2);                                                                                               \
        EXPECT(condition);                                                                                             \
    } while (0)

/* What is answered; `answer` as a policy would have it. */
struct got {
    struct tally_asked asked;
    unsigned answers;
    bool is_now;
    struct counters_answer answer;
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_item items[LIMIT_COUNTERS_ITEMS];
    char error[32];
};

static void on_answer(void *arg, const struct counters_answer *answer)
{
    struct got *got = arg;
    got->answers++;
    got->answer = *answer;
    snprintf(got->error, sizeof got->error, "%s", answer->error ? answer->error : "");
    for (size_t i = 0; i < answer->state_count; i++) {
        got->states[i] = answer->states[i];
        if (answer->items) got->items[i] = answer->items[i];
    }
}

static void ask_of(struct got *got, const struct counters_question *q)
{
    struct fallback_space space;
    struct counters_answer answer;
    *got = (struct got){.asked = {.question = *q, .fn = on_answer, .arg = got}};
    got->is_now = tally_now(tally, q, &space, &answer);
    if (got->is_now) on_answer(got, &answer);
    else tally_wait(tally, &got->asked);
    EXPECT_INT(got->is_now, got->answers);
}

static struct counters_question question(enum counters_operation operation, const char *hold,
                                         const struct counters_item *item)
{
    struct counters_question q = {.operation = operation, .items = item, .item_count = 1, .timeout_ms = 10000};
    snprintf(q.hold, sizeof q.hold, "%s", hold);
    return q;
}

static bool admit(struct got *got, const char *hold, const struct counters_item *item)
{
    struct counters_question q = question(COUNTERS_ADMIT, hold, item);
    ask_of(got, &q);
    WAIT(got->answers == 1);
    return got->answer.is_ok;
}

static bool admit_in_redis(struct got *got, const char *hold, const struct counters_item *item)
{
    bool is_ok = admit(got, hold, item);
    EXPECT_INT(COUNTERS_NOT_LOST, got->states[0].lost);
    return is_ok;
}

/* So that the next answers come too late. */
static void stand_still(void)
{
    fleet.timeout_ms = 20;
    kill(sync_server.pid, SIGSTOP);
}

/* Until it is asked again. */
static void go_on(const char *hold, const struct counters_item *item)
{
    struct got got;
    kill(sync_server.pid, SIGCONT);
    fleet.timeout_ms = PATIENCE_MS;
    do {
        bool is_ok = admit(&got, hold, item);
        struct counters_question release = question(COUNTERS_RELEASE, got.answer.hold, item);
        if (is_ok) tally_end(tally, &release);
        turn_for(20);
    } while (got.states[0].lost != COUNTERS_NOT_LOST);
}

static void end(enum counters_operation operation, const char *hold, const struct counters_item *items, int64_t nano)
{
    struct counters_question q = question(operation, hold, items);
    q.totals.nano = nano;
    tally_end(tally, &q);
}

static int64_t held(const struct counters_item *item)
{
    ask(COUNTERS_PEEK, "", item, 1, none);
    return states[0].held;
}

static int64_t held_here(const struct counters_item *item)
{
    struct counters_question q = question(COUNTERS_PEEK, "", item);
    struct counters_state state;
    struct counters_answer answer;
    counters_shared_ask(counters, &q, (struct counters_asker){.owner = 1, .now_ns = (int64_t)time(NULL) * 1000000000}, &state, &answer);
    return state.held;
}

static int64_t count(enum stats_metric metric, const char *label)
{
    struct slice labels[] = {slice_str(label)};
    return stats_value(stats, stats_series(stats, metric, labels));
}

static void start_worker(void)
{
    struct fault why;
    loop = loop_new();
    loop_timer_init(&tick, loop, on_tick, NULL);
    segment = calloc(1, stats_segment_bytes());
    stats = stats_attach(segment);
    metrics = metrics_new(stats);
    counters = counters_shared_new(1000, 1000, &why);
    counters_shared_seed(counters);
    memset(&post, 0, sizeof post);
    fleet = (struct flow_redis){.url = sync_server.url, .gateways = 1, .timeout_ms = PATIENCE_MS, .workers = 1, .post = &post};
    tally = tally_new(&(struct tally_options){
        .loop = loop, .counters = counters, .owner = 7, .redis = &fleet, .metrics = metrics});
}

/* A gateway that has entered an empty Redis, as its ledger process shows it. */
static void start(void)
{
    sync_start();
    begin();
    start_worker();
    counters_post_show(&post, "gw1-a", epoch, 1);
}

static void stop(void)
{
    tally_free(tally);
    metrics_free(metrics);
    stats_detach(stats);
    free(segment);
    counters_shared_free(counters);
    loop_timer_disarm(&tick);
    loop_free(loop);
    sync_end();
}

static void redis_is_asked(void)
{
    struct got got;
    start();
    struct counters_item item = money("app=a", 400, 1000);
    EXPECT(admit_in_redis(&got, "r1", &item) && !got.is_now);
    EXPECT_STR("r1", got.answer.hold);
    EXPECT_INT(400, got.states[0].held);
    EXPECT_INT(400, held(&item));
    EXPECT_INT(0, held_here(&item));
    struct counters_question more = question(COUNTERS_EXTEND, "r1", &item);
    more.totals.nano = 600;
    more.timeout_ms = 0;
    ask_of(&got, &more);
    WAIT(got.answers == 1);
    end(COUNTERS_SETTLE, "r1", &item, 120);
    WAIT(held(&item) == 120);
    EXPECT(admit_in_redis(&got, "r2", &item));
    end(COUNTERS_RELEASE, "r2", &item, 0);
    WAIT(held(&item) == 120);
    EXPECT(count(STATS_COUNTERS_ASKED, "answered") >= 2);
    stop();
}

/* The board shows another place: it is entered with the next question. */
static void another_place_is_entered(void)
{
    struct got got;
    start();
    struct counters_item item = money("app=a", 400, 1000);
    EXPECT(admit_in_redis(&got, "r1", &item));
    here = (struct counters_place){.session = "gw1-b", .epoch = epoch};
    say(counters_call_beat(&here, "src", true, 60000, &arena));
    say(counters_call_fence("gw1-a", true, &arena));
    struct counters_question q = question(COUNTERS_ADMIT, "r2", &item);
    ask_of(&got, &q);
    turn_for(60);
    EXPECT_INT(0, got.answers); /* it is refused there, and waits for a place */
    counters_post_show(&post, "gw1-b", epoch, 1);
    WAIT(got.answers == 1);
    EXPECT(got.answer.is_ok);
    EXPECT_INT(COUNTERS_NOT_LOST, got.states[0].lost);
    EXPECT_INT(800, held(&item));
    end(COUNTERS_SETTLE, "r1", &item, 1); /* of the session before: nothing happens */
    stop();
}

/* The ledger process was stopped for longer than its lease, and goes on in the same place. */
static void a_lease_that_was_over_is_renewed(void)
{
    struct got got;
    start();
    struct counters_item item = at_a_time("user=a", 5);
    item.on_loss = COUNTERS_OPEN;
    EXPECT(admit_in_redis(&got, "r1", &item));
    say(counters_call_beat(&here, "src", false, 1, &arena));
    turn_for(10);
    struct counters_question q = question(COUNTERS_ADMIT, "r2", &item);
    q.timeout_ms = 50;
    ask_of(&got, &q);
    WAIT(got.answers == 1);
    EXPECT_INT(COUNTERS_OPEN, got.states[0].lost);
    ask_of(&got, &q);
    EXPECT(got.is_now);
    say(counters_call_beat(&here, "src", false, 60000, &arena));
    go_on("r3", &item);
    EXPECT(admit_in_redis(&got, "r4", &item));
    stop();
}

static void without_a_place_it_is_waited_for_once(void)
{
    struct got got;
    sync_start();
    begin();
    start_worker();
    struct counters_item item = at_a_time("user=a", 5);
    item.on_loss = COUNTERS_OPEN;
    struct counters_question q = question(COUNTERS_ADMIT, "r1", &item);
    q.timeout_ms = 200;
    ask_of(&got, &q);
    EXPECT(!got.is_now);
    WAIT(got.answers == 1);
    EXPECT(got.answer.is_ok && got.states[0].lost == COUNTERS_OPEN);
    end(COUNTERS_RELEASE, got.answer.hold, &item, 0);
    ask_of(&got, &q);
    EXPECT(got.is_now && got.states[0].lost == COUNTERS_OPEN);
    EXPECT_INT(2, count(STATS_COUNTERS_ASKED, "starting"));
    EXPECT_INT(2, count(STATS_COUNTERS_LOST, "open"));
    counters_post_show(&post, "gw1-a", epoch, 1);
    EXPECT(admit_in_redis(&got, "r2", &item));
    stop();
}

/* It comes while somebody waits. */
static void a_place_comes(void)
{
    struct got got;
    sync_start();
    begin();
    start_worker();
    struct counters_item item = at_a_time("user=a", 5);
    item.on_loss = COUNTERS_CLOSED;
    struct counters_question q = question(COUNTERS_ADMIT, "r1", &item);
    ask_of(&got, &q);
    turn_for(30);
    EXPECT_INT(0, got.answers);
    counters_post_show(&post, "gw1-a", epoch, 3);
    WAIT(got.answers == 1);
    EXPECT(got.answer.is_ok);
    EXPECT_INT(COUNTERS_NOT_LOST, got.states[0].lost);
    stop();
}

static void a_redis_that_stands_still(void)
{
    struct got got;
    start();
    struct counters_item item = money("app=a", 100, 1000), again = money("app=a", 100, 1000);
    item.on_loss = again.on_loss = COUNTERS_LOCAL;
    EXPECT(admit_in_redis(&got, "r1", &item));
    counters_post_show(&post, "gw1-a", epoch, 2);
    stand_still();
    item.amount = 90;
    EXPECT(admit(&got, "r2", &item));
    EXPECT_STR("r2/local", got.answer.hold);
    EXPECT_INT(COUNTERS_LOCAL, got.states[0].lost);
    EXPECT_INT(190, got.states[0].held);
    EXPECT_INT(90, got.items[0].limit); /* a fifth of 900, by two */
    EXPECT_INT(90, held_here(&item));
    struct counters_item own = got.items[0];
    EXPECT(!admit(&got, "r3", &item) && got.states[0].refusal == COUNTERS_SHUT);
    EXPECT(count(STATS_COUNTERS_ASKED, "timeout") >= 1);

    struct counters_question more = question(COUNTERS_EXTEND, "r2/local", &item);
    more.timeout_ms = 0;
    more.totals.nano = 91;
    more.items = &own;
    ask_of(&got, &more);
    EXPECT(got.is_now && !got.answer.error && !got.answer.is_ok);
    snprintf(more.hold, sizeof more.hold, "r1");
    more.items = &item;
    ask_of(&got, &more);
    WAIT(got.answers == 1);
    EXPECT(got.error[0]);
    end(COUNTERS_SETTLE, "r2/local", &own, 30);
    EXPECT_INT(30, held_here(&item));
    end(COUNTERS_SETTLE, "r1", &item, 20); /* it is said when Redis answers again */

    go_on("r4", &again);
    WAIT(held(&item) == 20);
    EXPECT_STR("r5", (admit_in_redis(&got, "r5", &again), got.answer.hold));
    stop();
}

/* Its memory is gone with it; the ledger process finds another one, and shows it. */
static void a_redis_that_is_killed_and_comes_back(void)
{
    struct got got;
    start();
    struct counters_item item = at_a_time("user=a", 10);
    item.on_loss = COUNTERS_LOCAL;
    fleet.gateways = 5;
    EXPECT(admit_in_redis(&got, "r1", &item));
    redis_server_kill(&sync_server, SIGKILL);
    EXPECT(admit(&got, "r2", &item) && admit(&got, "r3", &item));
    EXPECT(!admit(&got, "r4", &item) && got.states[0].refusal == COUNTERS_OVER);
    EXPECT_INT(1, got.answer.retry_after_s);
    EXPECT(count(STATS_COUNTERS_ASKED, "unreachable") >= 1);
    EXPECT_INT(3, count(STATS_COUNTERS_LOST, "local"));
    end(COUNTERS_SETTLE, "r2/local", &item, 0);
    EXPECT(admit(&got, "r5", &item));

    fclose(sync_stream);
    redis_server_again(&sync_server, NULL);
    sync_connect();
    begin();
    counters_post_show(&post, "gw1-a", epoch, 1);
    go_on("r7", &item);
    EXPECT(admit_in_redis(&got, "r6", &item));
    EXPECT_STR("r6", got.answer.hold);
    stop();
}

/* Its files of TLS cannot be read when the worker begins: it does not count on its own then. */
static void a_redis_that_cannot_be_connected_to(void)
{
    struct got got;
    start();
    tally_free(tally);
    fleet.url = "rediss://127.0.0.1:6379/0?ca=/nowhere.pem";
    tally = tally_new(&(struct tally_options){
        .loop = loop, .counters = counters, .owner = 7, .redis = &fleet, .metrics = metrics});
    struct counters_item item = money("app=a", 400, 1000);
    item.on_loss = COUNTERS_CLOSED;
    EXPECT(!admit(&got, "r1", &item));
    EXPECT_INT(COUNTERS_CLOSED, got.states[0].lost);
    EXPECT_INT(0, held_here(&item));
    WAIT(strstr(tally_trouble(tally), "nowhere.pem"));
    EXPECT(!admit(&got, "r2", &item) && got.is_now);
    stop();
}

/* It has answered, and nothing is wrong with it. */
static void a_clock_that_differs_is_said(void)
{
    struct got got;
    start();
    struct counters_item item = money("app=a", 400, 1000);
    item.on_loss = COUNTERS_OPEN;
    item.stop_s = period - 60;
    struct log_kit log = log_kit_begin();
    EXPECT(admit(&got, "r1", &item) && got.states[0].lost == COUNTERS_OPEN);
    stop();
    const char *said = log_kit_end(log);
    EXPECT(strstr(said, "counters_clock") && !strstr(said, "counters_lost"));
}

static void nobody_waits_for_what_is_forgotten(void)
{
    struct got got, other;
    start();
    struct counters_item item = money("app=a", 400, 1000);
    EXPECT(admit_in_redis(&got, "r0", &item));
    end(COUNTERS_RELEASE, "r0", &item, 0);
    struct counters_question q = question(COUNTERS_ADMIT, "r1", &item);
    kill(sync_server.pid, SIGSTOP);
    ask_of(&got, &q);
    tally_forget(tally, &got.asked);
    memset(&got, 0xab, sizeof got);
    kill(sync_server.pid, SIGCONT);
    EXPECT(admit_in_redis(&other, "r2", &item));
    WAIT(held(&item) == 400);
    counters_post_show(&post, "", "", 0);
    ask_of(&got, &q);
    tally_forget(tally, &got.asked);
    turn_for(30);
    EXPECT_INT(0, got.answers);
    stop();
}

static void without_redis_all_is_here(void)
{
    struct got got;
    struct fault why;
    sync_start();
    start_worker();
    tally_free(tally);
    tally = tally_new(&(struct tally_options){.loop = loop, .counters = counters, .owner = 7, .metrics = metrics});
    begin();
    struct counters_item item = money("app=a", 400, 1000);
    EXPECT(admit(&got, "r1", &item) && got.is_now);
    EXPECT_INT(400, held_here(&item));
    end(COUNTERS_SETTLE, "r1", &item, 10);
    EXPECT_INT(10, held_here(&item));
    stop();

    sync_start();
    start_worker();
    tally_free(tally);
    counters_shared_free(counters);
    counters = counters_shared_new(10, 10, &why);
    tally = tally_new(&(struct tally_options){.loop = loop, .counters = counters, .owner = 7, .metrics = metrics});
    struct counters_question q = question(COUNTERS_ADMIT, "r1", &item);
    ask_of(&got, &q);
    EXPECT(!got.is_now);
    counters_shared_seed(counters);
    WAIT(got.answers == 1);
    EXPECT(got.answer.is_ok);
    stop();
}

int main(void)
{
    log_init("test");
    RUN(redis_is_asked);
    RUN(another_place_is_entered);
    RUN(a_lease_that_was_over_is_renewed);
    RUN(without_a_place_it_is_waited_for_once);
    RUN(a_place_comes);
    RUN(a_redis_that_stands_still);
    RUN(a_redis_that_is_killed_and_comes_back);
    RUN(a_redis_that_cannot_be_connected_to);
    RUN(a_clock_that_differs_is_said);
    RUN(nobody_waits_for_what_is_forgotten);
    RUN(without_redis_all_is_here);
    return unit_close("tally");
}
