/* Cases of counters_suite.h: budgets in periods and in sessions. */
#ifndef MOONGATE_TESTS_COUNTERS_SUITE_MONEY_H
#define MOONGATE_TESTS_COUNTERS_SUITE_MONEY_H

#include "counters_suite_kit.h"

static void ten_fit_into_ten(void)
{
    struct counters_item item = money(name("app"), 100, 1000);
    for (unsigned i = 0; i < 10; i++) {
        EXPECT(admits(name_no("r", i), &item, 1, i));
        EXPECT_INT(100 * (i + 1), states[0].held);
    }
    EXPECT(!admits(name("r10"), &item, 1, 10));
    EXPECT(states[0].refusal == COUNTERS_CONTENDED);
    EXPECT_MONEY(0, 1000, &item, 10);
}

static void to_the_nano(void)
{
    struct counters_item item = money(name("app"), 1000, 1000), one = item;
    one.amount = 1001;
    EXPECT(!admits(name("r"), &one, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_OVER);
    EXPECT(admits(name("r"), &item, 1, 0));
    one.amount = 1;
    EXPECT(!admits(name("s"), &one, 1, 0));
    one.amount = 0; /* costs nothing, and fits into nothing */
    EXPECT(admits(name("s"), &one, 1, 0));
}

static void nothing_is_spent_of_nothing(void)
{
    struct counters_item none = money(name("app"), 0, 0), some = money(name("app"), 1, 0);
    EXPECT(!admits(name("r"), &some, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_OVER);
    EXPECT(admits(name("r"), &none, 1, 0));
}

static void only_what_others_hold_is_contended(void)
{
    struct counters_item item = money(name("app"), 400, 1000);
    spend(NULL, &item, 500, 0);
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT(!admits(name("s"), &item, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_CONTENDED);
    release(name("r"), &item, 1, 0);
    spend(NULL, &item, 601, 0);
    EXPECT(!admits(name("s"), &item, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_OVER);
    EXPECT_MONEY(601, 0, &item, 0);
}

static void without_a_limit_it_is_counted(void)
{
    struct counters_item item = money(name("app"), suite->exact / 4, COUNTERS_NO_LIMIT);
    for (unsigned i = 0; i < 3; i++)
        EXPECT(admits(name_no("r", i), &item, 1, 0));
    EXPECT_MONEY(0, suite->exact / 4 * 3, &item, 0);
    EXPECT(extends(name("r0"), &item, 1, 0, suite->exact / 2, 0));
    EXPECT_INT(suite->exact / 2 + suite->exact / 4 * 2, held(&item, 0));
}

static void observed_it_is_counted_and_told(void)
{
    struct counters_item item = money(name("app"), 700, 1000);
    item.is_observed = true;
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_FITS);
    EXPECT(admits(name("s"), &item, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_CONTENDED);
    EXPECT_INT(1400, states[0].held);
    EXPECT(extends(name("s"), &item, 1, 0, 5000, 0));
    EXPECT_INT(5700, held(&item, 0));
    settle(name("s"), &item, 1, 0, 10, 0);
    EXPECT_INT(710, held(&item, 0));
}

static void what_it_came_to_stays_held_until_the_ledger_has_it(void)
{
    struct counters_item item = money(name("app"), 600, 1000);
    EXPECT(admits(name("r"), &item, 1, 0));
    settle(name("r"), &item, 1, 0, 50, 1);
    EXPECT_MONEY(0, 50, &item, 1);
    spend(name("r"), &item, 50, 2);
    EXPECT_MONEY(50, 0, &item, 2);
    spend(name("r"), &item, 50, 3); /* said twice is said once */
    EXPECT_MONEY(50, 0, &item, 3);
    settle(name("r"), &item, 1, 0, 600, 4);
    EXPECT_MONEY(50, 0, &item, 4);
}

static void it_may_have_cost_more(void)
{
    struct counters_item item = money(name("app"), 600, 1000);
    EXPECT(admits(name("r"), &item, 1, 0));
    settle(name("r"), &item, 1, 0, 1200, 0);
    EXPECT_MONEY(0, 1200, &item, 0);
    EXPECT(!admits(name("s"), &item, 1, 0));
    spend(name("r"), &item, 1200, 0);
    EXPECT_MONEY(1200, 0, &item, 0);
    EXPECT(!admits(name("s"), &item, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_OVER);
}

static void it_may_have_cost_nothing(void)
{
    struct counters_item item = money(name("app"), 600, 1000);
    EXPECT(admits(name("r"), &item, 1, 0));
    settle(name("r"), &item, 1, 0, 0, 0);
    EXPECT_MONEY(0, 0, &item, 0);
    EXPECT(admits(name("s"), &item, 1, 0));
    spend(name("r"), &item, 0, 0);
    EXPECT_MONEY(0, 600, &item, 0);
}

static void each_period_is_its_own(void)
{
    const char *key = name("app");
    struct counters_item old = money(key, 1000, 1000), new = old;
    new.start_s = old.stop_s;
    new.stop_s = old.stop_s + HOUR;
    EXPECT(admits(name("r"), &old, 1, 0));
    EXPECT(!admits(name("s"), &old, 1, 0));
    EXPECT(admits(name("s"), &new, 1, SECONDS(HOUR / 2)));
    EXPECT_INT(1000, held(&old, SECONDS(HOUR / 2)));
    EXPECT_INT(1000, held(&new, SECONDS(HOUR / 2)));
    settle(name("r"), &old, 1, 0, 1000, SECONDS(HOUR / 2)); /* ends after its period: charged to that */
    spend(name("r"), &old, 1000, SECONDS(HOUR / 2));
    EXPECT_INT(0, spent(&new, SECONDS(HOUR / 2)));
    EXPECT_INT(1000, held(&new, SECONDS(HOUR / 2)));
    EXPECT_INT(0, held(&old, SECONDS(HOUR / 2)));
}

static void a_sum_comes_before_any_question(void)
{
    struct counters_item item = money(name("app"), 100, 1000);
    spend(NULL, &item, 950, 0);
    EXPECT(!admits(name("r"), &item, 1, 0));
    EXPECT_MONEY(950, 0, &item, 0);
    spend(NULL, &item, 960, 1);
    EXPECT_MONEY(960, 0, &item, 1);
}

static void two_budgets_are_taken_together(void)
{
    struct counters_item items[] = {money(name("user"), 300, 1000), money(name("app"), 300, 500)};
    EXPECT(admits(name("r"), items, 2, 0));
    struct counters_answer refused = admit(name("s"), items, 2, 0);
    EXPECT(!refused.is_ok && !refused.error);
    EXPECT_INT(1, refused.failed);
    EXPECT_INT(2, refused.state_count);
    EXPECT(states[0].refusal == COUNTERS_FITS && states[1].refusal == COUNTERS_CONTENDED);
    EXPECT_INT(300, held(&items[0], 0));
    settle(name("r"), items, 2, 0, 20, 0);
    EXPECT_INT(20, held(&items[0], 0));
    EXPECT_INT(20, held(&items[1], 0));
    spend(name("r"), &items[0], 20, 0); /* the hold is over for both of them */
    EXPECT_MONEY(20, 0, &items[0], 0);
    EXPECT_MONEY(0, 0, &items[1], 0);
}

/* A day's budget and its month's, on the first of a month: one sum, two limits. */
static void budgets_that_begin_together_are_taken_once(void)
{
    struct counters_item items[] = {money(name("app"), 300, 1000), slots(name("app"), 9), money(name("app"), 300, 700)};
    items[2].stop_s += HOUR;
    EXPECT(admits(name("r"), items, 3, 0));
    EXPECT_INT(300, states[0].held);
    EXPECT_INT(300, states[2].held);
    EXPECT(admits(name("s"), items, 3, 0));
    EXPECT_INT(600, held(&items[0], 0));
    struct counters_answer refused = admit(name("t"), items, 3, 0);
    EXPECT(!refused.is_ok && !refused.error && states[0].refusal == COUNTERS_FITS);
    EXPECT_INT(2, refused.failed);
    refused = question(COUNTERS_EXTEND, name("r"), items, 3, 0, 401, 0);
    EXPECT(!refused.is_ok && !refused.error);
    EXPECT_INT(2, refused.failed);
    EXPECT(extends(name("r"), items, 3, 0, 400, 0));
    settle(name("r"), items, 3, 0, 50, 0);
    EXPECT_MONEY(0, 350, &items[2], 0);
    release(name("s"), items, 3, 0);
    spend(name("r"), &items[0], 50, 0);
    EXPECT_MONEY(50, 0, &items[2], 0);
    EXPECT_INT(9, left(&items[1], 0));
}

/* A top-up that came, and one that ended: nothing of a limit is kept, what is held stays, and what was admitted under
 * one goes on under it. */
static void each_question_has_its_own_limit(void)
{
    struct counters_item item = money(name("app"), 500, 1000), raised = item;
    raised.limit = 1500;
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT(admits(name("s"), &item, 1, 0));
    EXPECT(!admits(name("t"), &item, 1, 0));
    EXPECT(admits(name("t"), &raised, 1, 0));
    EXPECT(!admits(name("u"), &raised, 1, 0));
    EXPECT(!admits(name("v"), &item, 1, 0));
    EXPECT_MONEY(0, 1500, &item, 0);
    release(name("r"), &item, 1, 0);
    EXPECT(!extends(name("s"), &item, 1, 0, 501, 0));
    EXPECT(extends(name("t"), &raised, 1, 0, 1000, 0));
    EXPECT(!extends(name("t"), &raised, 1, 0, 1001, 0));
    spend(name("t"), &raised, 1000, 0);
    EXPECT(!admits(name("w"), &item, 1, 0));
    raised.limit = 2000;
    EXPECT(admits(name("w"), &raised, 1, 0));
    EXPECT_MONEY(1000, 1000, &item, 0);
}

static void amounts_at_their_edge(void)
{
    int64_t most = suite->exact;
    struct counters_item all = money(name("app"), most, most), one = money(name("app"), 1, most);
    EXPECT(admits(name("r"), &all, 1, 0));
    EXPECT_INT(most, states[0].held);
    EXPECT(!admits(name("s"), &one, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_CONTENDED);
    settle(name("r"), &all, 1, 0, most, 0);
    spend(name("r"), &all, most, 0);
    EXPECT_MONEY(most, 0, &all, 0);
    EXPECT(!admits(name("s"), &one, 1, 0));
    EXPECT(states[0].refusal == COUNTERS_OVER);
}

static void suite_money(void)
{
    CASE(ten_fit_into_ten);
    CASE(to_the_nano);
    CASE(nothing_is_spent_of_nothing);
    CASE(only_what_others_hold_is_contended);
    CASE(without_a_limit_it_is_counted);
    CASE(observed_it_is_counted_and_told);
    CASE(what_it_came_to_stays_held_until_the_ledger_has_it);
    CASE(it_may_have_cost_more);
    CASE(it_may_have_cost_nothing);
    CASE(each_period_is_its_own);
    CASE(a_sum_comes_before_any_question);
    CASE(two_budgets_are_taken_together);
    CASE(budgets_that_begin_together_are_taken_once);
    CASE(each_question_has_its_own_limit);
    CASE(amounts_at_their_edge);
}

/* --- sessions --- */

static void a_session_sums_up_while_it_lasts(void)
{
    struct counters_item item = session(name("session"), 400, 1000, 60);
    EXPECT(admits(name("r"), &item, 1, 0));
    settle(name("r"), &item, 1, 0, 400, SECONDS(1));
    spend(name("r"), &item, 400, SECONDS(1));
    EXPECT(admits(name("s"), &item, 1, SECONDS(59)));
    settle(name("s"), &item, 1, 0, 400, SECONDS(59));
    spend(name("s"), &item, 800, SECONDS(59));
    EXPECT(!admits(name("t"), &item, 1, SECONDS(110)));
    EXPECT_MONEY(800, 0, &item, SECONDS(110));
}

/* As the ledger does: a silence longer than `idle` ends it, in whole seconds. */
static void a_session_begins_anew_after_its_silence(void)
{
    struct counters_item item = session(name("session"), 400, 1000, 60);
    spend(NULL, &item, 1000, 0);
    EXPECT_INT(1000, spent(&item, SECONDS(60)));
    EXPECT(!admits(name("r"), &item, 1, SECONDS(60)));
    EXPECT_INT(0, spent(&item, SECONDS(61)));
    EXPECT(admits(name("r"), &item, 1, SECONDS(61)));
    EXPECT_MONEY(0, 400, &item, SECONDS(61));
}

static void a_session_under_way_does_not_end(void)
{
    struct counters_item item = session(name("session"), 400, 1000, 60);
    spend(NULL, &item, 500, 0);
    EXPECT(admits(name("r"), &item, 1, SECONDS(1)));
    EXPECT_INT(500, spent(&item, SECONDS(200)));
    EXPECT(!admits(name("s"), &item, 1, SECONDS(200)));
    settle(name("r"), &item, 1, 0, 400, SECONDS(200));
    EXPECT_MONEY(500, 400, &item, SECONDS(200));
    spend(name("r"), &item, 900, SECONDS(200));
    EXPECT_MONEY(900, 0, &item, SECONDS(260));
    EXPECT_INT(0, spent(&item, SECONDS(261)));
}

static void a_session_that_is_over_is_no_news(void)
{
    struct counters_item item = session(name("session"), 400, 1000, 60);
    spend(NULL, &item, 1000, -SECONDS(100));
    EXPECT_INT(0, spent(&item, 0));
    EXPECT(admits(name("r"), &item, 1, 0));
}

static void a_session_is_no_period(void)
{
    const char *key = name("session");
    struct counters_item item = session(key, 400, 1000, 60), period = money(key, 400, 1000);
    EXPECT(admits(name("r"), &item, 1, 0));
    EXPECT_INT(0, held(&period, 0));
    EXPECT_INT(400, held(&item, 0));
}

static void suite_sessions(void)
{
    CASE(a_session_sums_up_while_it_lasts);
    CASE(a_session_begins_anew_after_its_silence);
    CASE(a_session_under_way_does_not_end);
    CASE(a_session_that_is_over_is_no_news);
    CASE(a_session_is_no_period);
}

#endif
