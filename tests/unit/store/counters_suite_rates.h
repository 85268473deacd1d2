/* Cases of counters_suite.h: requests and tokens in a window, and what runs at the same time. */
#ifndef MOONGATE_TESTS_COUNTERS_SUITE_RATES_H
#define MOONGATE_TESTS_COUNTERS_SUITE_RATES_H

#include "counters_suite_kit.h"

/* How many of one request after the other are let through at that moment; at most 1000. */
static int how_many(struct counters_item item, int64_t at)
{
    static unsigned no;
    char hold[COUNTERS_HOLD_BYTES];
    for (int n = 0; n < 1000; n++) {
        if (!admits(name_into(hold, "many", ++no), &item, 1, at)) return n;
    }
    return 1000;
}

static void a_burst_then_one_by_one(void)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 60, 5);
    EXPECT_INT(5, how_many(item, 0));
    EXPECT_INT(0, how_many(item, SECONDS(1) - 1000));
    EXPECT_INT(1, how_many(item, SECONDS(1)));
    EXPECT_INT(3, how_many(item, SECONDS(4)));
    EXPECT_INT(5, how_many(item, SECONDS(100)));
}

static void a_burst_may_be_all_of_it(void)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 10, 10);
    EXPECT_INT(10, how_many(item, 0));
    EXPECT_INT(0, how_many(item, SECONDS(5)));
    EXPECT_INT(1, how_many(item, SECONDS(6)));
}

/* A seventh of a minute is no whole number of anything. */
static void a_part_that_is_no_whole_number_costs_nobody_a_request(void)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 7, 7);
    EXPECT_INT(7, how_many(item, 0));
    EXPECT_INT(0, how_many(item, SECONDS(8)));
    EXPECT_INT(1, how_many(item, SECONDS(9)));
    item = rate(COUNTERS_TOKENS, name("user"), 1, 700, 70);
    EXPECT_INT(70, how_many(item, 0));
}

static void who_is_refused_is_told_when_to_come_again(void)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 6, 2);
    EXPECT_INT(2, how_many(item, 0));
    for (int s = 0; s < 10; s++) {
        struct counters_answer answer = admit(name("r"), &item, 1, SECONDS(s));
        EXPECT(!answer.is_ok && !answer.error);
        EXPECT_INT(10 - s, answer.retry_after_s);
        EXPECT(states[0].refusal == COUNTERS_OVER);
    }
    EXPECT(admits(name("r"), &item, 1, SECONDS(10)));
}

static void what_is_left_is_told(void)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 60, 5);
    EXPECT_INT(5, left(&item, 0));
    EXPECT_INT(0, states[0].reset_s);
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT_INT(4, states[0].left);
    EXPECT_INT(1, states[0].reset_s);
    EXPECT(admits(name("s"), &item, 1, 0));
    EXPECT_INT(3, states[0].left);
    EXPECT_INT(2, states[0].reset_s);
    EXPECT_INT(4, left(&item, SECONDS(1)));
    EXPECT_INT(5, left(&item, SECONDS(2)));
    item = rate(COUNTERS_TOKENS, name("app"), 250, 600, 100);
    EXPECT_INT(100, left(&item, 0));
    EXPECT(admits(name("t"), &item, 1, 0));
    EXPECT_INT(0, states[0].left); /* in debt */
    EXPECT_INT(25, states[0].reset_s);
    EXPECT_INT(50, left(&item, SECONDS(20)));
}

static void that_it_was_a_request_stays_counted(void)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 60, 2);
    EXPECT(admits(name("r"), &item, 1, 0));
    release(name("r"), &item, 1, 0);
    EXPECT(admits(name("s"), &item, 1, 0));
    settle(name("s"), &item, 1, 0, 0, 0);
    EXPECT(!admits(name("t"), &item, 1, 0));
}

static void limits_of_one_scope_are_apart(void)
{
    const char *key = name("user");
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, key, 1, 60, 1), rate(COUNTERS_TOKENS, key, 1, 60, 1),
                                    slots(key, 1), money(key, 1, 1)};
    EXPECT(admits(name("r"), items, 4, 0));
    for (size_t i = 0; i < 4; i++) {
        struct counters_answer refused = admit(name("s"), &items[i], 1, 0);
        EXPECT(!refused.is_ok);
    }
    for (size_t i = 0; i < 4; i++) {
        items[i].key = slice_str(name("other"));
        EXPECT(admits(name_no("t", (unsigned)i), &items[i], 1, 0));
    }
}

/* Whoever gives two limits one key has one time for both, used up once, and by the larger part: policies give each its
 * own. */
static void what_stands_twice_is_taken_once(void)
{
    const char *key = name("user");
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, key, 1, 10, 2), rate(COUNTERS_REQUESTS, key, 1, 60, 9),
                                    rate(COUNTERS_TOKENS, key, 100, 600, 100), slots(key, 5), slots(key, 3),
                                    rate(COUNTERS_TOKENS, key, 100, 600, 600)};
    EXPECT(admits(name("r"), items, 6, 0));
    EXPECT_INT(1, left(&items[0], 0));
    EXPECT_INT(3, left(&items[1], 0));
    EXPECT_INT(500, left(&items[5], 0));
    EXPECT_INT(4, left(&items[3], 0));
    EXPECT_INT(2, left(&items[4], 0));
    EXPECT(extends(name("r"), items, 6, 200, 0, 0));
    EXPECT_INT(400, left(&items[5], 0));
    settle(name("r"), items, 6, 10, 0, 0);
    EXPECT_INT(90, left(&items[2], 0));
    EXPECT_INT(590, left(&items[5], 0));
    EXPECT_INT(5, left(&items[3], 0));
}

/* It is what a policy says now that counts, not what it said when something was taken. */
static void a_limit_that_is_changed_acts_at_once(void)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 60, 10);
    EXPECT_INT(10, how_many(item, 0));
    item.limit = 600;
    item.burst = 200;
    EXPECT(how_many(item, 0) >= 90);
    item.limit = 6;
    item.burst = 1;
    EXPECT_INT(0, how_many(item, SECONDS(5)));
    struct counters_item budget = money(name("app"), 100, 1000);
    EXPECT(admits(name("r"), &budget, 1, 0));
    budget.limit = 150;
    EXPECT(!admits(name("s"), &budget, 1, 0));
    EXPECT(!extends(name("r"), &budget, 1, 0, 160, 0));
    EXPECT(extends(name("r"), &budget, 1, 0, 150, 0));
    budget.limit = 250;
    EXPECT(admits(name("s"), &budget, 1, 0));
}

/* After an hour that comes twice a key is closed for two windows at most. */
static void a_clock_that_steps_back_closes_nothing_for_long(void)
{
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, name("user"), 1, 60, 5),
                                    rate(COUNTERS_TOKENS, name("user"), 100, 600, 100)};
    EXPECT(admits(name("r"), items, 2, SECONDS(HOUR)));
    settle(name("r"), items, 2, 100, 0, SECONDS(HOUR));
    bool is_open = false;
    for (int s = 0; s <= 125 && !is_open; s += 5)
        is_open = admits(name_no("s", (unsigned)s), items, 2, SECONDS(s));
    EXPECT(is_open);
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 60, 5);
    EXPECT(how_many(item, SECONDS(300)) <= 5);
}

static void windows_of_all_lengths(void)
{
    static const uint32_t windows[] = {1, 60, 3600, 86400, 31 * 86400};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        struct counters_item item = rate(COUNTERS_REQUESTS, name_no("user", (unsigned)i), 1, 4, 2);
        item.window_s = windows[i];
        EXPECT_INT(2, how_many(item, 0));
        EXPECT_INT(0, how_many(item, SECONDS(windows[i]) / 4 - 1000));
        EXPECT_INT(1, how_many(item, SECONDS(windows[i]) / 4));
    }
}

static void suite_rates(void)
{
    CASE(a_burst_then_one_by_one);
    CASE(a_burst_may_be_all_of_it);
    CASE(a_part_that_is_no_whole_number_costs_nobody_a_request);
    CASE(who_is_refused_is_told_when_to_come_again);
    CASE(what_is_left_is_told);
    CASE(that_it_was_a_request_stays_counted);
    CASE(limits_of_one_scope_are_apart);
    CASE(what_stands_twice_is_taken_once);
    CASE(a_limit_that_is_changed_acts_at_once);
    CASE(a_clock_that_steps_back_closes_nothing_for_long);
    CASE(windows_of_all_lengths);
}

/* --- tokens --- */

static void who_was_idle_may_ask_for_the_whole_limit(void)
{
    struct counters_item item = rate(COUNTERS_TOKENS, name("app"), 600, 600, 100), one = item;
    one.amount = 1;
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT(!admits(name("s"), &one, 1, SECONDS(50) - 1000)); /* ten seconds of debt are its burst */
    EXPECT(admits(name("s"), &one, 1, SECONDS(51)));
}

static void more_than_the_whole_limit_can_never_pass(void)
{
    struct counters_item item = rate(COUNTERS_TOKENS, name("app"), 601, 600, 100);
    struct counters_answer answer = admit(name("r"), &item, 1, 0);
    EXPECT(!answer.is_ok && !answer.error);
    EXPECT_INT(0, answer.retry_after_s);
    EXPECT(states[0].refusal == COUNTERS_TOO_LARGE);
}

static void more_than_the_burst_waits_until_nothing_is_used_up(void)
{
    struct counters_item item = rate(COUNTERS_TOKENS, name("app"), 200, 600, 100);
    EXPECT(admits(name("r"), &item, 1, 0));
    struct counters_answer answer = admit(name("s"), &item, 1, SECONDS(5));
    EXPECT_INT(15, answer.retry_after_s);
    EXPECT(states[0].refusal == COUNTERS_OVER);
    EXPECT(!admits(name("s"), &item, 1, SECONDS(19)));
    EXPECT(admits(name("s"), &item, 1, SECONDS(20)));
}

static void tokens_that_were_not_used_come_back(void)
{
    struct counters_item item = rate(COUNTERS_TOKENS, name("app"), 100, 600, 100);
    EXPECT(admits(name("r"), &item, 1, 0));
    settle(name("r"), &item, 1, 30, 0, 0);
    EXPECT_INT(70, left(&item, 0));
    settle(name("r"), &item, 1, 0, 0, 0);
    EXPECT_INT(70, left(&item, 0));
    EXPECT(admits(name("s"), (struct counters_item[]){rate(COUNTERS_TOKENS, item.key.ptr, 70, 600, 100)}, 1, 0));
    release(name("s"), &item, 1, 0);
    EXPECT_INT(70, left(&item, 0));
}

static void more_tokens_than_were_asked_for_are_a_debt(void)
{
    struct counters_item item = rate(COUNTERS_TOKENS, name("app"), 50, 600, 100), one = item;
    one.amount = 1;
    EXPECT(admits(name("r"), &item, 1, 0));
    settle(name("r"), &item, 1, 400, 0, 0);
    EXPECT_INT(0, left(&item, 0));
    EXPECT(!admits(name("s"), &one, 1, SECONDS(30)));
    EXPECT(admits(name("s"), &one, 1, SECONDS(31)));
}

static void an_answer_that_grows_is_never_refused_for_tokens(void)
{
    struct counters_item item = rate(COUNTERS_TOKENS, name("app"), 50, 600, 100);
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT(extends(name("r"), &item, 1, 300, 0, 0));
    EXPECT(extends(name("r"), &item, 1, 300, 0, 0)); /* totals, no differences */
    EXPECT(extends(name("r"), &item, 1, 200, 0, 0)); /* … and never less */
    EXPECT_INT(50, left(&item, SECONDS(25)));
    settle(name("r"), &item, 1, 80, 0, SECONDS(25));
    EXPECT_INT(100, left(&item, SECONDS(25)));
    EXPECT(admits(name("s"), &item, 1, SECONDS(60)));
    EXPECT(extends(name("s"), &item, 1, 500, 0, SECONDS(60)));
    release(name("s"), &item, 1, SECONDS(60));
    EXPECT_INT(100, left(&item, SECONDS(60)));
}

static void observed_tokens_beyond_the_limit_use_up_nothing(void)
{
    struct counters_item item = rate(COUNTERS_TOKENS, name("app"), 80, 600, 100);
    item.is_observed = true;
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT(admits(name("s"), &item, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_OVER);
    EXPECT_INT(20, left(&item, 0));
    settle(name("s"), &item, 1, 80, 0, 0);
    EXPECT_INT(20, left(&item, 0));
    settle(name("r"), &item, 1, 10, 0, 0);
    EXPECT_INT(90, left(&item, 0));
}

static void tokens_at_their_edge(void)
{
    struct counters_item item = rate(COUNTERS_TOKENS, name("app"), suite->exact, suite->exact, suite->exact);
    EXPECT(admits(name("r"), &item, 1, 0));
    struct counters_item none = rate(COUNTERS_TOKENS, name("none"), 0, 600, 100);
    for (unsigned i = 0; i < 100; i++)
        EXPECT(admits(name_no("s", i), &none, 1, 0));
    EXPECT_INT(100, left(&none, 0));
    struct counters_item small = rate(COUNTERS_TOKENS, name("small"), 1, 1, 1);
    EXPECT(admits(name("t"), &small, 1, 0));
    EXPECT(extends(name("t"), &small, 1, suite->exact, 0, 0));
    EXPECT(!admits(name("u"), &small, 1, 1));
    settle(name("t"), &small, 1, 1, 0, 1);
    EXPECT(admits(name("u"), &small, 1, SECONDS(60)));
}

/* One idle hold in each window, all ended in one moment: the first is the only one that time has not given back. */
static void tokens_of_long_ago_do_not_come_back_twice(void)
{
    struct counters_item item = rate(COUNTERS_TOKENS, name("app"), 600, 600, 600);
    for (int i = 0; i < 5; i++)
        EXPECT(admits(name_no("old", i), &item, 1, SECONDS(60 * i)));
    EXPECT(!admits(name("more"), &item, 1, SECONDS(241)));
    for (int i = 0; i < 4; i++)
        settle_old(name_no("old", i), &item, 10 * i, 600, SECONDS(241 - 60 * i), SECONDS(241));
    EXPECT(!admits(name("more"), &item, 1, SECONDS(241)));
    settle_old(name_no("old", 4), &item, 0, 600, SECONDS(1), SECONDS(241));
    EXPECT(admits(name("more"), &item, 1, SECONDS(241)));
    EXPECT(!admits(name("most"), &item, 1, SECONDS(241)));
}

static void suite_tokens(void)
{
    CASE(who_was_idle_may_ask_for_the_whole_limit);
    CASE(more_than_the_whole_limit_can_never_pass);
    CASE(more_than_the_burst_waits_until_nothing_is_used_up);
    CASE(tokens_that_were_not_used_come_back);
    CASE(tokens_of_long_ago_do_not_come_back_twice);
    CASE(more_tokens_than_were_asked_for_are_a_debt);
    CASE(an_answer_that_grows_is_never_refused_for_tokens);
    CASE(observed_tokens_beyond_the_limit_use_up_nothing);
    CASE(tokens_at_their_edge);
}

#endif
