/* Cases of counters_suite.h: what a request has taken, from its admission to its end, and what stands in its way. */
#ifndef MOONGATE_TESTS_COUNTERS_SUITE_HOLDS_H
#define MOONGATE_TESTS_COUNTERS_SUITE_HOLDS_H

#include "counters_suite_kit.h"

static void two_run_at_the_same_time(void)
{
    struct counters_item item = slots(name("user"), 2);
    EXPECT_INT(2, left(&item, 0));
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT_INT(1, states[0].left);
    EXPECT(admits(name("s"), &item, 1, 0));
    struct counters_answer refused = admit(name("t"), &item, 1, 0);
    EXPECT(!refused.is_ok && states[0].refusal == COUNTERS_OVER);
    EXPECT_INT(1, refused.retry_after_s);
    settle(name("r"), &item, 1, 0, 0, 0);
    settle(name("r"), &item, 1, 0, 0, 0);
    EXPECT_INT(1, left(&item, 0));
    EXPECT(admits(name("t"), &item, 1, 0));
    release(name("s"), &item, 1, 0);
    release(name("t"), &item, 1, 0);
    EXPECT_INT(2, left(&item, 0));
}

static void a_place_is_free_before_the_ledger_has_it(void)
{
    struct counters_item items[] = {slots(name("user"), 1), money(name("user"), 10, 1000)};
    EXPECT(admits(name("r"), items, 2, 0));
    settle(name("r"), items, 2, 0, 5, 0);
    EXPECT_INT(1, left(&items[0], 0));
    EXPECT(admits(name("s"), items, 2, 0));
    spend(name("r"), &items[1], 5, 0);
    EXPECT_INT(0, left(&items[0], 0));
    EXPECT_MONEY(5, 10, &items[1], 0);
}

static void nothing_may_run(void)
{
    struct counters_item item = slots(name("user"), 0);
    EXPECT(!admits(name("r"), &item, 1, 0));
}

static void an_observed_place_is_counted(void)
{
    struct counters_item item = slots(name("user"), 1), strict = item;
    item.is_observed = true;
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT(admits(name("s"), &item, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_OVER);
    settle(name("r"), &item, 1, 0, 0, 0);
    EXPECT(!admits(name("t"), &strict, 1, 0));
    settle(name("s"), &item, 1, 0, 0, 0);
    EXPECT(admits(name("t"), &strict, 1, 0));
}

static void an_admission_that_is_repeated_takes_once(void)
{
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, name("user"), 1, 60, 1),
                                    rate(COUNTERS_TOKENS, name("user"), 100, 600, 100), slots(name("user"), 1),
                                    money(name("app"), 1000, 1000)};
    for (int i = 0; i < 3; i++) {
        struct counters_answer answer = admit(name("r"), items, 4, i);
        EXPECT(answer.is_ok && !answer.error);
        EXPECT_STR(name("r"), answer.hold);
        EXPECT_INT(4, answer.state_count);
        EXPECT(states[0].refusal == COUNTERS_FITS && states[3].refusal == COUNTERS_FITS);
    }
    EXPECT_INT(1000, held(&items[3], 2));
    EXPECT_INT(0, left(&items[2], 2));
    release(name("r"), items, 4, 3);
    EXPECT_INT(0, held(&items[3], 3));
    EXPECT_INT(1, left(&items[2], 3));
    EXPECT_INT(100, left(&items[1], 3));
}

static void of_requests_alone_it_takes_once_too(void)
{
    struct counters_item item = rate(COUNTERS_REQUESTS, name("user"), 1, 60, 3);
    for (int i = 0; i < 5; i++)
        EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT_INT(2, left(&item, 0));
}

static void what_is_over_stays_as_it_was(void)
{
    struct counters_item items[] = {slots(name("user"), 5), money(name("app"), 100, 1000)};
    EXPECT(admits(name("r"), items, 2, 0));
    settle(name("r"), items, 2, 0, 30, 0);
    release(name("r"), items, 2, 0); /* it was not as if it had never been */
    settle(name("r"), items, 2, 0, 900, 0);
    EXPECT_INT(30, held(&items[1], 0));
    EXPECT(admits(name("s"), items, 2, 0));
    release(name("s"), items, 2, 0);
    settle(name("s"), items, 2, 0, 900, 0);
    EXPECT_INT(30, held(&items[1], 0));
    EXPECT_INT(5, left(&items[0], 0));
}

static void what_is_over_does_not_grow(void)
{
    struct counters_item item = money(name("app"), 100, 1000);
    struct counters_answer answer = question(COUNTERS_EXTEND, name("never"), &item, 1, 0, 200, 0);
    EXPECT(answer.error && !answer.is_ok);
    EXPECT(admits(name("r"), &item, 1, 0));
    settle(name("r"), &item, 1, 0, 30, 0);
    answer = question(COUNTERS_EXTEND, name("r"), &item, 1, 0, 200, 0);
    EXPECT(answer.error && !answer.is_ok);
    EXPECT_INT(30, held(&item, 0));
    spend(name("r"), &item, 30, 0);
    EXPECT(question(COUNTERS_EXTEND, name("r"), &item, 1, 0, 200, 0).error);
    EXPECT_MONEY(30, 0, &item, 0);
}

static void what_grows_stays_within(void)
{
    struct counters_item item = money(name("app"), 100, 1000);
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT(admits(name("s"), &item, 1, 0));
    EXPECT(extends(name("r"), &item, 1, 0, 900, 0));
    EXPECT(extends(name("r"), &item, 1, 0, 900, 0));
    EXPECT(extends(name("r"), &item, 1, 0, 10, 0)); /* totals never shrink */
    EXPECT_INT(1000, held(&item, 0));
    struct counters_answer refused = question(COUNTERS_EXTEND, name("r"), &item, 1, 0, 901, 0);
    EXPECT(!refused.is_ok && !refused.error);
    EXPECT_INT(0, refused.failed);
    EXPECT_INT(1000, held(&item, 0));
    release(name("s"), &item, 1, 0);
    EXPECT(extends(name("r"), &item, 1, 0, 1000, 0));
    release(name("r"), &item, 1, 0);
    EXPECT_INT(0, held(&item, 0));
}

static void it_grows_in_all_of_its_budgets_or_in_none(void)
{
    struct counters_item items[] = {money(name("user"), 100, 1000), slots(name("user"), 3),
                                    rate(COUNTERS_TOKENS, name("user"), 10, 600, 100), money(name("app"), 100, 300)};
    EXPECT(admits(name("r"), items, 4, 0));
    struct counters_answer refused = question(COUNTERS_EXTEND, name("r"), items, 4, 90, 400, 0);
    EXPECT(!refused.is_ok && !refused.error);
    EXPECT_INT(3, refused.failed);
    EXPECT_INT(100, held(&items[0], 0));
    EXPECT_INT(100, held(&items[3], 0));
    EXPECT_INT(90, left(&items[2], 0));
    EXPECT(extends(name("r"), items, 4, 90, 300, 0));
    EXPECT_INT(300, held(&items[0], 0));
    EXPECT_INT(10, left(&items[2], 0));
}

static void a_denial_takes_nothing(void)
{
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, name("user"), 1, 60, 2),
                                    rate(COUNTERS_TOKENS, name("user"), 50, 600, 100), slots(name("user"), 1),
                                    money(name("app"), 2000, 1000)};
    for (int i = 0; i < 5; i++) {
        struct counters_answer answer = admit(name_no("r", (unsigned)i), items, 4, 0);
        EXPECT(!answer.is_ok);
        EXPECT_INT(3, answer.failed);
        EXPECT_INT(0, answer.retry_after_s);
    }
    EXPECT_INT(2, left(&items[0], 0));
    EXPECT_INT(100, left(&items[1], 0));
    EXPECT_INT(1, left(&items[2], 0));
    EXPECT_MONEY(0, 0, &items[3], 0);
}

static void the_first_in_the_way_is_named_and_all_are_told_of(void)
{
    struct counters_item items[] = {money(name("a"), 20, 10), money(name("b"), 5, 10), money(name("c"), 20, 10),
                                    slots(name("d"), 0)};
    items[0].is_observed = true;
    struct counters_answer answer = admit(name("r"), items, 4, 0);
    EXPECT(!answer.is_ok);
    EXPECT_INT(2, answer.failed);
    EXPECT_INT(4, answer.state_count);
    EXPECT(states[0].refusal == COUNTERS_OVER);
    EXPECT(states[1].refusal == COUNTERS_FITS);
    EXPECT(states[2].refusal == COUNTERS_OVER);
    EXPECT(states[3].refusal == COUNTERS_OVER);
    for (int i = 0; i < 4; i++)
        EXPECT(states[i].lost == COUNTERS_NOT_LOST);
}

static void a_look_takes_nothing(void)
{
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, name("user"), 1, 60, 1), slots(name("user"), 1),
                                    money(name("app"), 1000, 1000)};
    for (int i = 0; i < 10; i++)
        EXPECT(peek(items, 3, 0).is_ok);
    EXPECT(admits(name("r"), items, 3, 0));
    EXPECT(!peek(items, 3, 0).is_ok);
    EXPECT_INT(1000, states[2].held);
}

static void the_record_may_come_before_the_end(void)
{
    struct counters_item items[] = {slots(name("user"), 1), money(name("app"), 100, 1000)};
    EXPECT(admits(name("r"), items, 2, 0));
    spend(name("r"), &items[1], 40, 0);
    EXPECT_MONEY(40, 0, &items[1], 0);
    EXPECT_INT(1, left(&items[0], 0));
    settle(name("r"), items, 2, 0, 40, 0); /* too late */
    release(name("r"), items, 2, 0);
    EXPECT_MONEY(40, 0, &items[1], 0);
    EXPECT_INT(1, left(&items[0], 0));
}

static void the_dead_give_back(void)
{
    struct counters_item items[] = {slots(name("user"), 1), rate(COUNTERS_TOKENS, name("user"), 100, 600, 100),
                                    money(name("app"), 100, 1000)};
    if (!suite->bury) return;
    EXPECT(admits(name("r"), items, 3, 0));
    suite->bury(suite->self);
    suite->bury(suite->self);
    EXPECT_INT(1, left(&items[0], 0));
    EXPECT_INT(100, left(&items[1], 0));
    EXPECT_MONEY(0, 0, &items[2], 0);
    EXPECT(question(COUNTERS_EXTEND, name("r"), items, 3, 0, 200, 0).error);
    settle(name("r"), items, 3, 0, 100, 0);
    EXPECT_MONEY(0, 0, &items[2], 0);
}

static void suite_holds(void)
{
    CASE(two_run_at_the_same_time);
    CASE(a_place_is_free_before_the_ledger_has_it);
    CASE(nothing_may_run);
    CASE(an_observed_place_is_counted);
    CASE(an_admission_that_is_repeated_takes_once);
    CASE(of_requests_alone_it_takes_once_too);
    CASE(what_is_over_stays_as_it_was);
    CASE(what_is_over_does_not_grow);
    CASE(what_grows_stays_within);
    CASE(it_grows_in_all_of_its_budgets_or_in_none);
    CASE(a_denial_takes_nothing);
    CASE(the_first_in_the_way_is_named_and_all_are_told_of);
    CASE(a_look_takes_nothing);
    CASE(the_record_may_come_before_the_end);
    CASE(the_dead_give_back);
}

/* --- how many --- */

/* Of all units, so that a hold is of several pieces. */
static void fill(struct counters_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *key = name_no("k", (unsigned)i);
        switch (i % 4) {
        case 0: items[i] = money(key, 10, 1000); break;
        case 1: items[i] = rate(COUNTERS_TOKENS, key, 10, 600, 100); break;
        case 2: items[i] = slots(key, 1); break;
        default: items[i] = rate(COUNTERS_REQUESTS, key, 1, 60, 2); break;
        }
    }
}

static void expect_held(const struct counters_item *items, size_t count, int64_t nano)
{
    peek(items, count, 0);
    for (size_t i = 0; i < count; i++) {
        if (items[i].unit == COUNTERS_MONEY) EXPECT_INT(nano, states[i].held);
        if (items[i].unit == COUNTERS_TOKENS) EXPECT_INT(nano ? 90 : 100, states[i].left);
        if (items[i].unit == COUNTERS_CONCURRENT) EXPECT_INT(nano ? 0 : 1, states[i].left);
    }
}

static void any_number_of_limits_at_once(void)
{
    static struct counters_item items[LIMIT_COUNTERS_ITEMS];
    static const size_t counts[] = {0, 1, 7, 8, 9, 11, 16, 17, 64, LIMIT_COUNTERS_ITEMS};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        suite_case++;
        fill(items, counts[i]);
        EXPECT(admits(name("r"), items, counts[i], 0));
        expect_held(items, counts[i], 10);
        release(name("r"), items, counts[i], 0);
        expect_held(items, counts[i], 0);
    }
}

static void the_last_of_many_refuses_for_all(void)
{
    static struct counters_item items[LIMIT_COUNTERS_ITEMS];
    fill(items, LIMIT_COUNTERS_ITEMS);
    items[LIMIT_COUNTERS_ITEMS - 1] = slots(name("last"), 0);
    struct counters_answer answer = admit(name("r"), items, LIMIT_COUNTERS_ITEMS, 0);
    EXPECT(!answer.is_ok && !answer.error);
    EXPECT_INT(LIMIT_COUNTERS_ITEMS - 1, answer.failed);
    expect_held(items, LIMIT_COUNTERS_ITEMS - 1, 0);
}

static void more_limits_than_a_question_may_have(void)
{
    static struct counters_item items[LIMIT_COUNTERS_ITEMS + 1];
    fill(items, LIMIT_COUNTERS_ITEMS + 1);
    struct counters_answer answer = admit(name("r"), items, LIMIT_COUNTERS_ITEMS + 1, 0);
    EXPECT(answer.error && !answer.is_ok);
    expect_held(items, LIMIT_COUNTERS_ITEMS, 0);
}

/* Keys that are there and keys that are not, in one question: a stale one is not taken for another. */
static void old_keys_beside_new_ones(void)
{
    static struct counters_item items[64];
    for (size_t i = 1; i < 64; i += 2) { /* used once, and nothing of it counts any more */
        items[i] = rate(COUNTERS_REQUESTS, name_no("old", (unsigned)i), 1, 60, 2);
        EXPECT(admits(name_no("o", (unsigned)i), &items[i], 1, 0));
        settle(name_no("o", (unsigned)i), &items[i], 1, 0, 0, 0);
    }
    for (size_t i = 0; i < 64; i += 2)
        items[i] = money(name_no("new", (unsigned)i), 10, 1000);
    EXPECT(admits(name("r"), items, 64, SECONDS(100)));
    peek(items, 64, SECONDS(100));
    for (size_t i = 0; i < 64; i++) {
        if (i % 2) EXPECT_INT(1, states[i].left);
        else EXPECT_INT(10, states[i].held);
    }
}

static void suite_limits(void)
{
    CASE(any_number_of_limits_at_once);
    CASE(the_last_of_many_refuses_for_all);
    CASE(more_limits_than_a_question_may_have);
    CASE(old_keys_beside_new_ones);
}

#endif
