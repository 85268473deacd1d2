/* What limits left to a caller: the tightest of each unit, what refused before all, and none that does not bind. */
#include "exchange/rates.h"

#include "../unit.h"

#define NOW UINT64_C(1000000000000)
#define S UINT64_C(1000000000)

static struct counters_item items[] = {
    {.unit = COUNTERS_REQUESTS, .amount = 1, .limit = 60, .window_s = 60, .burst = 10},
    {.unit = COUNTERS_TOKENS, .amount = 100, .limit = 90000, .window_s = 60, .burst = 15000},
    {.unit = COUNTERS_REQUESTS, .amount = 1, .limit = 1000, .window_s = 86400, .burst = 200},
    {.unit = COUNTERS_CONCURRENT, .amount = 1, .limit = 5},
    {.unit = COUNTERS_MONEY, .amount = 1, .limit = 5},
};

static struct dialect_rates note(struct counters_answer answer, const struct counters_state *states)
{
    struct dialect_rates rates = {0};
    struct counters_question q = {.operation = COUNTERS_ADMIT, .items = items, .item_count = 5};
    answer.states = states;
    answer.state_count = 5;
    rates_note(&rates, &q, &answer, NOW);
    return rates;
}

static void the_one_that_leaves_least_is_told(void)
{
    struct counters_state states[5] = {{.left = 9, .reset_s = 1}, {.left = 14900, .reset_s = 2}, {.left = 4, .reset_s = 900}};
    struct dialect_rates rates = note((struct counters_answer){.is_ok = true}, states);
    EXPECT_INT(1000, rates.requests.limit);
    EXPECT_INT(4, rates.requests.left);
    EXPECT_INT(NOW + 900 * S, rates.requests.reset_ns);
    EXPECT_INT(90000, rates.tokens.limit);
    EXPECT_INT(14900, rates.tokens.left);
    EXPECT(rates_are_told(&rates));
    states[0].left = states[2].left = 4; /* of two that leave as little, the one that takes longer */
    rates = note((struct counters_answer){.is_ok = true}, states);
    EXPECT_INT(1000, rates.requests.limit);
    states[0].left = 3;
    rates = note((struct counters_answer){.is_ok = true}, states);
    EXPECT_INT(60, rates.requests.limit);
}

/* One that has no room for this request may have more left than another. */
static void what_refused_is_told_before_all(void)
{
    struct counters_state states[5] = {{.left = 0, .reset_s = 10}, {.left = 90}, {.left = 0, .reset_s = 5000}};
    struct dialect_rates rates = note((struct counters_answer){.failed = 0}, states);
    EXPECT_INT(60, rates.requests.limit);
    EXPECT_INT(0, rates.requests.left);
    EXPECT_INT(90, rates.tokens.left);
    rates = note((struct counters_answer){.failed = 4}, states); /* a budget: the limits leave what they leave */
    EXPECT_INT(1000, rates.requests.limit);
}

static void what_does_not_bind_is_not_told(void)
{
    struct counters_state states[5] = {{.left = 9}, {.lost = COUNTERS_OPEN}, {.left = 4}};
    items[2].is_observed = true;
    struct dialect_rates rates = note((struct counters_answer){.is_ok = true}, states);
    items[2].is_observed = false;
    EXPECT_INT(60, rates.requests.limit);
    EXPECT_INT(0, rates.tokens.limit);
    rates = note((struct counters_answer){.error = "timeout"}, states);
    EXPECT(!rates_are_told(&rates));
    struct counters_question peek = {.operation = COUNTERS_PEEK, .items = items, .item_count = 5};
    struct counters_answer answer = {.is_ok = true, .states = states, .state_count = 5};
    rates_note(&rates, &peek, &answer, NOW);
    EXPECT(!rates_are_told(&rates));
}

/* A chain that limits twice: the tightest of both. */
static void later_admissions_add_to_earlier_ones(void)
{
    struct counters_state states[5] = {{.left = 9}, {.left = 500}, {.left = 40}};
    struct counters_question q = {.operation = COUNTERS_ADMIT, .items = items, .item_count = 1};
    struct counters_answer answer = {.is_ok = true, .states = states, .state_count = 1};
    struct dialect_rates rates = {0};
    rates_note(&rates, &q, &answer, NOW);
    q.items = &items[1];
    answer.states = &states[1];
    rates_note(&rates, &q, &answer, NOW);
    q.items = &items[2];
    answer.states = &states[2];
    rates_note(&rates, &q, &answer, NOW);
    EXPECT_INT(9, rates.requests.left);
    EXPECT_INT(500, rates.tokens.left);
}

int main(void)
{
    RUN(the_one_that_leaves_least_is_told);
    RUN(what_refused_is_told_before_all);
    RUN(what_does_not_bind_is_not_told);
    RUN(later_admissions_add_to_earlier_ones);
    return unit_close("rates");
}
