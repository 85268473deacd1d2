/* Attempts own their money, and the exchange's bill is their sum. */
#include "../unit.h"

#include "base/clock.h"
#include "exchange/bill.h"
#include "exchange/terms.h"

static struct exchange *asked(size_t targets)
{
    struct exchange *x = exchange_new(clock_mono_ns(), clock_wall_ns());
    x->decision.verdict.targets = arena_zalloc(&x->arena, targets * sizeof *x->decision.verdict.targets);
    for (size_t i = 0; i < targets; i++)
        x->decision.verdict.targets[i] = (struct target){SLICE("p/m"), SLICE("p"), SLICE("m"), NULL};
    x->decision.verdict.target_count = targets;
    return x;
}

static void forget(struct exchange *x)
{
    exchange_move(x, EXCHANGE_SETTLING);
    exchange_move(x, EXCHANGE_RECORDED);
    exchange_free(x);
}

static struct attempt *call(struct exchange *x)
{
    x->target_index++;
    return exchange_add_attempt(x);
}

static struct attempt *billed(struct exchange *x, int64_t input, int64_t output, struct cost cost)
{
    struct attempt *a = call(x);
    a->parts = (struct usage_parts){.count = {[USAGE_INPUT] = input, [USAGE_OUTPUT] = output, [USAGE_REQUESTS] = 1}};
    a->cost = cost;
    a->is_billed = a->is_closed = true;
    return a;
}

/* Translated, the tier is not said: what the client named has no price there. */
static void a_tier_is_asked_for_in_the_clients_own_dialect(void)
{
    struct exchange *x = asked(1);
    struct terms own = {.kind = SLICE("openai")}, other = {.kind = SLICE("anthropic")}, unknown = {.price = NULL};
    struct terms told = {.kind = SLICE("openai_responses")};
    x->request.service_tier = SLICE("flex");
    EXPECT_SLICE(SLICE("flex"), bill_asked_tier(x, NULL));
    EXPECT_SLICE(SLICE("flex"), bill_asked_tier(x, &unknown));
    EXPECT_SLICE(SLICE("flex"), bill_asked_tier(x, &own));
    EXPECT_SLICE(SLICE(""), bill_asked_tier(x, &other));
    EXPECT_SLICE(SLICE("flex"), bill_asked_tier(x, &told));
    EXPECT(exchange_edit(x, SLICE("service_tier"), SLICE("\"priority\"")));
    EXPECT_SLICE(SLICE("priority"), bill_asked_tier(x, &own));
    EXPECT_SLICE(SLICE(""), bill_asked_tier(x, &other));
    forget(x);
}

/* A translated request for a token or two asks for as many as there is a word for, and may cost as many. */
static void an_answer_is_as_long_as_its_provider_lets_it_be_asked_for(void)
{
    struct exchange *x = asked(1);
    struct terms own = {.kind = SLICE("openai")}, told = {.kind = SLICE("openai_responses")};
    EXPECT_INT(1, bill_output(x, NULL, 1));
    EXPECT_INT(1, bill_output(x, &own, 1));
    EXPECT_INT(16, bill_output(x, &told, 1));
    EXPECT_INT(17, bill_output(x, &told, 17));
    EXPECT_INT(0, bill_output(x, &told, 0));
    forget(x);
}

static const struct cost cheap = {.state = COST_KNOWN, .nano = 100}, dear = {.state = COST_KNOWN, .nano = 2500};

static void nothing_called_costs_nothing(void)
{
    struct exchange *x = asked(1);
    struct bill bill = bill_of(x);
    EXPECT(!bill.is_billed && !usage_is_known(&bill.usage));
    EXPECT_INT(COST_KNOWN, bill.cost.state);
    EXPECT_INT(0, bill.cost.nano);
    EXPECT(!exchange_attempt(x));
    forget(x);
}

static void the_last_attempt_is_the_last_that_was_called(void)
{
    struct exchange *x = asked(3);
    x->estimate.input_tokens = 7;
    call(x)->is_denied = true;
    EXPECT(!exchange_attempt(x));
    EXPECT(exchange_estimate(x) == &x->estimate);
    struct attempt *second = call(x);
    EXPECT_INT(7, second->estimate.input_tokens);
    second->estimate.input_tokens = 9; /* by its own target's rules */
    call(x)->is_denied = true;
    EXPECT(exchange_attempt(x) == second);
    EXPECT_INT(9, exchange_estimate(x)->input_tokens);
    EXPECT_INT(7, x->estimate.input_tokens);
    forget(x);
}

static void what_an_earlier_attempt_took_is_not_lost(void)
{
    struct exchange *x = asked(3);
    billed(x, 10, 5, cheap)->parts.is_estimated = true;
    call(x)->is_closed = true; /* failed, and is not paid for */
    billed(x, 12, 30, dear);
    struct bill bill = bill_of(x);
    EXPECT(bill.is_billed && bill.parts.is_estimated);
    EXPECT_INT(22, bill.parts.count[USAGE_INPUT]);
    EXPECT_INT(35, bill.parts.count[USAGE_OUTPUT]);
    EXPECT_INT(2, bill.parts.count[USAGE_REQUESTS]);
    EXPECT_INT(COST_KNOWN, bill.cost.state);
    EXPECT_INT(2600, bill.cost.nano);
    forget(x);
}

static void reports_are_added_up(void)
{
    struct exchange *x = asked(3);
    struct attempt *first = call(x), *second = call(x);
    first->usage.input_tokens = 10;
    first->usage.output_tokens = 2;
    first->usage.is_suspect = true;
    second->usage.input_tokens = 20;
    second->usage.cached_tokens = 5;
    call(x); /* says nothing */
    struct bill bill = bill_of(x);
    EXPECT_INT(30, bill.usage.input_tokens);
    EXPECT_INT(2, bill.usage.output_tokens);
    EXPECT_INT(5, bill.usage.cached_tokens);
    EXPECT_INT(USAGE_UNKNOWN, bill.usage.reasoning_tokens);
    EXPECT(bill.usage.is_suspect);
    EXPECT_INT(25, bill.parts.count[USAGE_INPUT]); /* before they are settled, too */
    EXPECT_INT(5, bill.parts.count[USAGE_CACHE_READ]);
    EXPECT_INT(0, first->parts.count[USAGE_INPUT]);
    forget(x);
}

static void one_without_a_price_makes_the_sum_incomplete(void)
{
    const struct cost unpriced = {.state = COST_UNPRICED};
    struct exchange *x = asked(2);
    billed(x, 10, 0, unpriced);
    EXPECT_INT(COST_UNPRICED, bill_of(x).cost.state);
    billed(x, 10, 5, cheap);
    struct bill bill = bill_of(x);
    EXPECT_INT(COST_INCOMPLETE, bill.cost.state);
    EXPECT_INT(100, bill.cost.nano);
    EXPECT_INT(1u << USAGE_INPUT | 1u << USAGE_REQUESTS, bill.cost.missing);
    forget(x);
    x = asked(2);
    billed(x, 10, 5, cheap);
    billed(x, 0, 5, unpriced);
    bill = bill_of(x);
    EXPECT_INT(COST_INCOMPLETE, bill.cost.state);
    EXPECT_INT(1u << USAGE_OUTPUT | 1u << USAGE_REQUESTS, bill.cost.missing);
    forget(x);
}

static void a_sum_beyond_all_numbers_says_so(void)
{
    struct exchange *x = asked(2);
    billed(x, 1, 1, (struct cost){.state = COST_KNOWN, .nano = INT64_MAX - 50});
    billed(x, 1, 1, cheap);
    struct bill bill = bill_of(x);
    EXPECT(bill.cost.is_overflow);
    EXPECT(bill.cost.nano == INT64_MAX);
    forget(x);
}

int main(void)
{
    RUN(a_tier_is_asked_for_in_the_clients_own_dialect);
    RUN(an_answer_is_as_long_as_its_provider_lets_it_be_asked_for);
    RUN(nothing_called_costs_nothing);
    RUN(the_last_attempt_is_the_last_that_was_called);
    RUN(what_an_earlier_attempt_took_is_not_lost);
    RUN(reports_are_added_up);
    RUN(one_without_a_price_makes_the_sum_incomplete);
    RUN(a_sum_beyond_all_numbers_says_so);
    return unit_close("bill");
}
