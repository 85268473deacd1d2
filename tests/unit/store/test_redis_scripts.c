/* What is asked of counters in Redis: the scripts that admit, extend and settle, each by itself, in a real one. */
#include "scripts_kit.h"

#include "base/clock.h"

#define DEAR (INT64_C(1) << 60) /* 1.15e9 USD: no double holds its neighbours */

/* --- admit --- */

static void an_admission_takes_all_or_nothing(void)
{
    begin();
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, "user=x;60", 1, 60, 2),
                                    rate(COUNTERS_TOKENS, "user=x;60", 100, 1000, 200), at_a_time("user=x", 2),
                                    money("app=a", 400, 1000), session("session=s", 10, 1000, 60)};
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 5, none).is_ok);
    EXPECT_INT(1, states[0].left);
    EXPECT_INT(100, states[1].left);
    EXPECT_INT(360, states[1].reset_s);
    EXPECT_INT(1, states[2].left);
    EXPECT_INT(400, states[3].held);
    EXPECT_INT(10, states[4].held);
    const char *before = sync_dump();
    struct counters_item refusing[] = {items[0], items[1], items[2], money("app=a", 700, 1000), items[4]};
    struct counters_answer refused = ask(COUNTERS_ADMIT, "r2", refusing, 5, none);
    EXPECT(!refused.is_ok && !refused.error && refused.failed == 3 && states[3].refusal == COUNTERS_CONTENDED);
    EXPECT_INT(400, states[3].held);
    refusing[3] = items[3];
    for (size_t last = 0; last < 5; last++) { /* each of them stands in the way, wherever it is */
        struct counters_item moved = last == 0   ? rate(COUNTERS_REQUESTS, "user=x;60", 10, 60, 2)
                                     : last == 1 ? rate(COUNTERS_TOKENS, "user=x;60", 150, 1000, 200)
                                     : last == 2 ? at_a_time("user=x", 1)
                                     : last == 3 ? money("app=a", 1001, 1000)
                                                 : session("session=s", 2000, 1000, 60);
        refusing[last] = moved;
        refused = ask(COUNTERS_ADMIT, "r2", refusing, 5, none);
        EXPECT(!refused.is_ok && refused.failed == last && states[last].refusal == COUNTERS_OVER);
        refusing[last] = items[last];
    }
    EXPECT_STR(before, sync_dump());
    EXPECT(ask(COUNTERS_PEEK, "", items, 5, none).is_ok);
    EXPECT_STR(before, sync_dump());
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 5, none).is_ok); /* its answer was lost */
    EXPECT_INT(400, states[3].held);
    EXPECT_STR(before, sync_dump());
    EXPECT(ask(COUNTERS_RELEASE, "r1", items, 5, none).is_ok);
    EXPECT(ask(COUNTERS_PEEK, "", items, 5, none).is_ok);
    EXPECT_INT(1, states[0].left); /* that it was a request stays counted */
    EXPECT_INT(200, states[1].left);
    EXPECT_INT(2, states[2].left);
    EXPECT_INT(0, states[3].held);
}

static void what_is_observed_is_counted(void)
{
    begin();
    struct counters_item items[] = {rate(COUNTERS_TOKENS, "u;60", 2000, 1000, 200), at_a_time("u", 1),
                                    money("app=a", 600, 1000), money("app=b", 600, COUNTERS_NO_LIMIT)};
    for (size_t i = 0; i < 4; i++)
        items[i].is_observed = i < 3;
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 4, none).is_ok);
    EXPECT(states[0].refusal == COUNTERS_TOO_LARGE);
    EXPECT_INT(200, states[0].left);
    EXPECT(ask(COUNTERS_ADMIT, "r2", items, 4, none).is_ok);
    EXPECT(states[1].refusal == COUNTERS_OVER && states[2].refusal == COUNTERS_CONTENDED);
    EXPECT_INT(1200, states[2].held);
    EXPECT_INT(1200, states[3].held);
    items[1].is_observed = false;
    EXPECT_INT(1, ask(COUNTERS_ADMIT, "r3", items, 4, none).failed);
}

static void what_stands_twice_is_taken_once(void)
{
    begin();
    struct counters_item items[] = {money("app=a", 10, 1000), money("app=a", 10, 500), at_a_time("a", 9),
                                    at_a_time("a", 9)};
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 4, none).is_ok);
    EXPECT(ask(COUNTERS_ADMIT, "r2", items, 4, none).is_ok);
    ask(COUNTERS_PEEK, "", items, 4, none);
    EXPECT_INT(20, states[0].held);
    EXPECT_INT(7, states[2].left);
    ask(COUNTERS_RELEASE, "r1", items, 4, none);
    ask(COUNTERS_PEEK, "", items, 4, none);
    EXPECT_INT(10, states[0].held);
    EXPECT_INT(8, states[2].left);
}

static void tokens_may_go_into_debt_once(void)
{
    begin();
    struct counters_item small = rate(COUNTERS_TOKENS, "t", 100, 1000, 200);
    struct counters_item large = rate(COUNTERS_TOKENS, "t", 900, 1000, 200);
    EXPECT(ask(COUNTERS_ADMIT, "r1", &large, 1, none).is_ok); /* whoever was idle */
    EXPECT(!ask(COUNTERS_ADMIT, "r2", &small, 1, none).is_ok);
    EXPECT(ask(COUNTERS_EXTEND, "r1", &large, 1, (struct counters_totals){3000, 0}).is_ok);
    struct counters_answer refused = ask(COUNTERS_ADMIT, "r2", &small, 1, none);
    EXPECT_INT(3600 * 2 - 360, refused.retry_after_s); /* two windows, and not three */
    EXPECT(ask(COUNTERS_SETTLE, "r1", &large, 1, (struct counters_totals){50, 0}).is_ok);
    EXPECT(ask(COUNTERS_ADMIT, "r2", &small, 1, none).is_ok);
    EXPECT_INT(50, states[0].left);
    struct counters_item never = rate(COUNTERS_TOKENS, "t", 1001, 1000, 200);
    EXPECT(!ask(COUNTERS_ADMIT, "r3", &never, 1, none).is_ok && states[0].refusal == COUNTERS_TOO_LARGE);
}

static void windows_are_of_a_second_to_a_month(void)
{
    begin();
    struct counters_item second = rate(COUNTERS_REQUESTS, "s", 1, 100000, 100000);
    struct counters_item month = rate(COUNTERS_TOKENS, "m", 1, INT64_C(900000000000), 1000);
    second.window_s = 1;
    month.window_s = 31 * 86400;
    EXPECT(ask(COUNTERS_ADMIT, "r1", &month, 1, none).is_ok);
    EXPECT_INT(999, states[0].left); /* a token is 3 µs of it, and not lost in 2 months' nanoseconds */
    EXPECT_INT(1, states[0].reset_s);
    EXPECT(ask(COUNTERS_ADMIT, "r2", &second, 1, none).is_ok);
    EXPECT_INT(99999, states[0].left);
    month.amount = month.limit = 10;
    month.burst = 10;
    EXPECT(ask(COUNTERS_ADMIT, "r3", &month, 1, none).is_ok);
    struct counters_answer refused = ask(COUNTERS_ADMIT, "r4", &month, 1, none);
    EXPECT(!refused.is_ok && refused.retry_after_s >= 31 * 86400 - 5 && refused.retry_after_s <= 31 * 86400);
}

static void the_clock_of_redis_decides(void)
{
    begin();
    struct counters_item over = money("app=a", 1, 10), before = over;
    over.stop_s = period - 60;
    before.start_s = period + 60;
    EXPECT_STR("clock", ask(COUNTERS_ADMIT, "r", &over, 1, none).error);
    EXPECT_STR("clock", ask(COUNTERS_PEEK, "", &before, 1, none).error);
    over.stop_s = period - 1; /* a little off is no matter */
    EXPECT(ask(COUNTERS_ADMIT, "r", &over, 1, none).is_ok);
}

static struct counters_answer ask_late(const struct counters_item *item, const char *hold, int64_t ago_s)
{
    struct counters_question q = {.operation = COUNTERS_ADMIT, .items = item, .item_count = 1};
    struct counters_answer answer;
    snprintf(q.hold, sizeof q.hold, "%s", hold);
    q.time_ns = clock_wall_ns() - (uint64_t)ago_s * NS_PER_S;
    struct counters_call call = counters_call_ask(&q, &here, &arena);
    counters_script_answer(&q, sync_call(&call), states, &answer);
    return answer;
}

/* Its body took long to come: it counts in the period in which it came itself. */
static void a_request_that_came_before_its_periods_end_is_counted(void)
{
    begin();
    struct counters_item over = money("app=a", 1, 10), next = over;
    over.stop_s = next.start_s = period - 60;
    EXPECT(ask_late(&over, "r1", 90).is_ok);
    EXPECT_INT(1, states[0].held);
    EXPECT_STR("clock", ask_late(&over, "r2", 30).error);
    EXPECT_STR("clock", ask_late(&next, "r3", 90).error);
    EXPECT(ask_late(&next, "r4", 30).is_ok);
    EXPECT(ask_late(&next, "r5", -2).is_ok); /* a clock that stepped back */
}

static void another_memory_is_not_answered_for(void)
{
    begin();
    struct counters_item item = money("app=a", 1, 10);
    here.epoch = "1789";
    const char *before = sync_dump();
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r", &item, 1, none).error);
    EXPECT_STR("starting", ask(COUNTERS_PEEK, "", &item, 1, none).error);
    here.epoch = epoch;
    here.session = "gw1-unknown";
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r", &item, 1, none).error);
    EXPECT_STR(before, sync_dump());
    sync_ask("FLUSHALL", NULL);
    here.session = "gw1-a";
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r", &item, 1, none).error);
    EXPECT_STR("not held", ask(COUNTERS_EXTEND, "r", &item, 1, none).error);
    EXPECT(ask(COUNTERS_SETTLE, "r", &item, 1, none).is_ok);
    EXPECT_INT(0, sync_ask("DBSIZE", NULL)->integer);
}

/* --- amounts that doubles cannot hold --- */

static void dear_amounts_are_exact(void)
{
    begin();
    struct counters_item item = money("app=a", DEAR + 1, 2 * DEAR + 2);
    EXPECT(ask(COUNTERS_ADMIT, "r1", &item, 1, none).is_ok);
    EXPECT_INT(DEAR + 1, states[0].held);
    item.amount = DEAR + 2;
    EXPECT(!ask(COUNTERS_ADMIT, "r2", &item, 1, none).is_ok);
    item.amount = DEAR + 1;
    EXPECT(ask(COUNTERS_ADMIT, "r2", &item, 1, none).is_ok);
    EXPECT_INT(2 * DEAR + 2, states[0].held);
    EXPECT(!ask(COUNTERS_EXTEND, "r1", &item, 1, (struct counters_totals){0, DEAR + 2}).is_ok);
    EXPECT(ask(COUNTERS_SETTLE, "r1", &item, 1, (struct counters_totals){0, 3}).is_ok);
    EXPECT(ask(COUNTERS_EXTEND, "r2", &item, 1, (struct counters_totals){0, 2 * DEAR - 1}).is_ok);
    EXPECT(!ask(COUNTERS_EXTEND, "r2", &item, 1, (struct counters_totals){0, 2 * DEAR}).is_ok);
    EXPECT_STR("1 1", spend("led1", "r2", sum_of("app=a", 2 * DEAR - 1)));
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(3, states[0].held);
    EXPECT_INT(2 * DEAR - 1, states[0].spent);
    spend("led1", NULL, sum_of("app=a", 2 * DEAR + 5));
    spend("led2", "r1", sum_of("app=a", 4));
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(0, states[0].held);
    EXPECT_INT(2 * DEAR + 9, states[0].spent);
}

static void sums_end_where_the_others_do(void)
{
    begin();
    struct counters_item item = money("app=a", COUNTERS_AMOUNT_MAX, COUNTERS_NO_LIMIT);
    EXPECT(ask(COUNTERS_ADMIT, "r1", &item, 1, none).is_ok);
    EXPECT(ask(COUNTERS_ADMIT, "r2", &item, 1, none).is_ok);
    EXPECT_INT(COUNTERS_AMOUNT_MAX, states[0].held);
    EXPECT(ask(COUNTERS_RELEASE, "r2", &item, 1, none).is_ok); /* there was no room for it */
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(COUNTERS_AMOUNT_MAX, states[0].held);
    EXPECT(ask(COUNTERS_RELEASE, "r1", &item, 1, none).is_ok);
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(0, states[0].held);
}

/* --- a hold --- */

static void a_hold_grows_and_ends(void)
{
    begin();
    struct counters_item items[] = {money("app=a", 100, 1000), rate(COUNTERS_TOKENS, "app=a;60", 100, 600, 100),
                                    at_a_time("app=a", 1)};
    EXPECT(ask(COUNTERS_ADMIT, "r", items, 3, none).is_ok);
    EXPECT(ask(COUNTERS_EXTEND, "r", items, 3, (struct counters_totals){700, 900}).is_ok);
    const char *before = sync_dump();
    EXPECT(ask(COUNTERS_EXTEND, "r", items, 3, (struct counters_totals){700, 900}).is_ok);
    struct counters_answer refused = ask(COUNTERS_EXTEND, "r", items, 3, (struct counters_totals){800, 1001});
    EXPECT(!refused.is_ok && !refused.error && refused.failed == 0);
    EXPECT_STR(before, sync_dump());
    EXPECT(ask(COUNTERS_SETTLE, "r", items, 3, (struct counters_totals){50, 10}).is_ok);
    before = sync_dump();
    EXPECT(ask(COUNTERS_SETTLE, "r", items, 3, (struct counters_totals){50, 10}).is_ok);
    EXPECT(ask(COUNTERS_RELEASE, "r", items, 3, none).is_ok);
    EXPECT_STR("not held", ask(COUNTERS_EXTEND, "r", items, 3, (struct counters_totals){900, 900}).error);
    EXPECT_STR(before, sync_dump());
    ask(COUNTERS_PEEK, "", items, 3, none);
    EXPECT_INT(10, states[0].held); /* as what it came to, until the ledger has it */
    EXPECT_INT(50, states[1].left);
    EXPECT_INT(1, states[2].left);
    EXPECT_STR("1 0 r 0000000000000007", say(counters_call_holds(&here, "0", &arena)));
    EXPECT_STR("1 1", spend("led1", "r", sum_of("app=a", 10)));
    before = sync_dump();
    EXPECT_STR("1 0", spend("led1", "r", sum_of("app=a", 10)));
    EXPECT_STR(before, sync_dump());
    EXPECT_STR("1 0", say(counters_call_holds(&here, "0", &arena)));
    ask(COUNTERS_PEEK, "", items, 3, none);
    EXPECT_INT(0, states[0].held);
    EXPECT_INT(10, states[0].spent);
}

/* A list is looked through from its beginning for each field, and budgets are hundreds of them. */
static void no_hash_is_a_list(void)
{
    begin();
    const char *budgets = arena_printf(&arena, "mg1:{p0}:B:%" PRId64, period - 86400).ptr;
    spend("led1", NULL, sum_of("app=a", 10));
    EXPECT_STR("hashtable", sync_text("OBJECT", "ENCODING", "mg1:{p0}:R", NULL));
    EXPECT_STR("hashtable", sync_text("OBJECT", "ENCODING", budgets, NULL));
    spend("led1", NULL, (struct counters_spent){.key = SLICE("s"), .last_s = period, .idle_s = 60, .nano = 1});
    EXPECT_STR("hashtable", sync_text("OBJECT", "ENCODING", "mg1:{p0}:B:0", NULL));
}

static void scripts_have_their_names(void)
{
    const char *names[] = {"admit", "beat", "breakers", "claim", "extend", "fence", "holds",
                           "return", "seed", "settle", "spend", "spent", "sweep"};
    for (int i = 0; i < COUNTERS_SCRIPTS; i++) {
        EXPECT_STR(names[i], counters_script_name((enum counters_script)i));
        EXPECT(slice_starts(counters_script_source((enum counters_script)i), SLICE("#!lua")));
    }
}

int main(void)
{
    sync_start();
    arena_init(&arena);
    RUN(an_admission_takes_all_or_nothing);
    RUN(what_is_observed_is_counted);
    RUN(what_stands_twice_is_taken_once);
    RUN(tokens_may_go_into_debt_once);
    RUN(windows_are_of_a_second_to_a_month);
    RUN(the_clock_of_redis_decides);
    RUN(a_request_that_came_before_its_periods_end_is_counted);
    RUN(another_memory_is_not_answered_for);
    RUN(dear_amounts_are_exact);
    RUN(sums_end_where_the_others_do);
    RUN(a_hold_grows_and_ends);
    RUN(no_hash_is_a_list);
    RUN(scripts_have_their_names);
    arena_clear(&arena);
    sync_end();
    return unit_close("redis_scripts");
}
