/* Limits and budgets while the fleet's counters are out of reach: each by its own rule, and what a share is. */
#include "flow/fallback.h"

#include "../unit.h"
#include "store/counters/shared.h"

#define NS INT64_C(1000000000)
#define T0 (INT64_C(1790000000) * NS)
#define HEARD_NS UINT64_C(5000000000) /* of the monotonic clock */

static struct counters_shared *counters;
static struct fallback *f;
static struct fallback_here here;
static struct fallback_space space;

static void open_machine(unsigned workers, uint32_t gateways)
{
    struct fault why;
    counters = counters_shared_new(1000, 1000, &why);
    counters_shared_seed(counters);
    f = fallback_new(workers);
    here = (struct fallback_here){
        .counters = counters, .owner = 7, .wall_ns = T0, .now_ns = HEARD_NS, .gateways = gateways};
}

static void close_machine(void)
{
    fallback_free(f);
    counters_shared_free(counters);
}

static struct counters_item money(const char *key, int64_t amount, int64_t limit)
{
    return (struct counters_item){.unit = COUNTERS_MONEY, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .start_s = 1789000000, .stop_s = 1792000000, .on_loss = COUNTERS_LOCAL};
}

static struct counters_item rate(enum counters_unit unit, int64_t amount, int64_t limit, int64_t burst)
{
    return (struct counters_item){.unit = unit, .key = SLICE("user=a"), .amount = amount, .limit = limit,
                                  .window_s = 60, .burst = burst, .on_loss = COUNTERS_LOCAL};
}

static struct counters_answer ask(enum counters_operation operation, const char *hold,
                                  const struct counters_item *items, size_t count)
{
    struct counters_question q = {.operation = operation, .items = items, .item_count = count};
    struct counters_answer answer;
    snprintf(q.hold, sizeof q.hold, "%s", hold);
    fallback_ask(f, &here, &q, &space, &answer);
    return answer;
}

static struct counters_answer admit(const char *hold, const struct counters_item *item)
{
    return ask(COUNTERS_ADMIT, hold, item, 1);
}

/* What the fleet's counters said last. */
static void hear(const struct counters_item *item, int64_t spent, int64_t held)
{
    struct counters_question q = {.operation = COUNTERS_ADMIT, .items = item, .item_count = 1};
    struct counters_state state = {.spent = spent, .held = held};
    struct counters_answer answer = {.is_ok = true, .states = &state, .state_count = 1};
    fallback_note(f, &q, &answer, here.now_ns);
}

/* Of an admission that was granted here: it is over, as the hold was taken. */
static void settle(const struct counters_answer *answer, size_t count, struct counters_totals totals)
{
    struct counters_question q = {
        .operation = COUNTERS_SETTLE, .items = answer->items, .item_count = count, .totals = totals};
    struct counters_state states[4];
    struct counters_answer said;
    memcpy(q.hold, answer->hold, sizeof q.hold);
    counters_shared_ask(counters, &q, (struct counters_asker){.owner = 7, .now_ns = here.wall_ns}, states, &said);
    EXPECT(said.is_ok);
}

static void what_is_open_passes_uncounted(void)
{
    open_machine(1, 1);
    struct counters_item item = money("app=a", 5000, 1000);
    item.on_loss = COUNTERS_OPEN;
    struct counters_answer answer = admit("r1", &item);
    EXPECT(answer.is_ok && answer.state_count == 1);
    EXPECT_INT(COUNTERS_OPEN, answer.states[0].lost);
    EXPECT_INT(COUNTERS_FITS, answer.states[0].refusal);
    close_machine();
}

static void what_is_local_says_its_part(void)
{
    open_machine(1, 2);
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, 1, 10, 2), money("app=a", 1, 1000)};
    hear(&items[1], 0, 0);
    struct counters_answer answer = ask(COUNTERS_ADMIT, "r1", items, 2);
    EXPECT(answer.is_ok);
    EXPECT_INT(5, answer.states[0].part);
    EXPECT_INT(0, answer.states[1].part);
    answer = admit("r2", &items[0]);
    EXPECT(!answer.is_ok);
    EXPECT_INT(COUNTERS_OVER, answer.states[0].refusal);
    EXPECT_INT(5, answer.states[0].part);
    close_machine();
}

static void what_is_closed_is_refused_and_takes_nothing(void)
{
    open_machine(1, 1);
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, 1, 60, 10), money("app=a", 1, 1000)};
    items[1].on_loss = COUNTERS_CLOSED;
    struct counters_answer answer = ask(COUNTERS_ADMIT, "r1", items, 2);
    EXPECT(!answer.is_ok && answer.failed == 1 && answer.retry_after_s == 0);
    EXPECT_INT(COUNTERS_SHUT, answer.states[1].refusal);
    EXPECT_INT(COUNTERS_CLOSED, answer.states[1].lost);
    EXPECT_INT(COUNTERS_LOCAL, answer.states[0].lost);
    EXPECT_INT(10, answer.states[0].left);
    EXPECT_INT(0, counters_shared_use(counters).holds);
    items[1].is_observed = true;
    answer = ask(COUNTERS_ADMIT, "r2", items, 2);
    EXPECT(answer.is_ok);
    EXPECT_INT(COUNTERS_CLOSED, answer.states[1].lost);
    EXPECT_INT(COUNTERS_SHUT, answer.states[1].refusal); /* it would have been */
    EXPECT_INT(9, answer.states[0].left);
    close_machine();
}

/* The first in order refuses, whatever its rule. */
static void one_before_it_may_refuse(void)
{
    open_machine(1, 1);
    struct counters_item items[] = {rate(COUNTERS_CONCURRENT, 1, 1, 0), money("app=a", 1, 1000)};
    items[1].on_loss = COUNTERS_CLOSED;
    struct counters_item alone = items[0];
    EXPECT(admit("r1", &alone).is_ok);
    struct counters_answer answer = ask(COUNTERS_ADMIT, "r2", items, 2);
    EXPECT(!answer.is_ok && answer.failed == 0);
    EXPECT_INT(COUNTERS_OVER, answer.states[0].refusal);
    EXPECT_INT(1, answer.retry_after_s);
    close_machine();
}

static unsigned passed(struct counters_item item, unsigned tries)
{
    static unsigned no;
    unsigned count = 0;
    char id[16];
    for (unsigned i = 0; i < tries; i++) {
        snprintf(id, sizeof id, "r%u", no++);
        count += admit(id, &item).is_ok;
    }
    return count;
}

static void rates_are_parted_among_gateways(void)
{
    open_machine(4, 3);
    EXPECT_INT(4, passed(rate(COUNTERS_REQUESTS, 1, 60, 12), 20));
    EXPECT_INT(3, passed(rate(COUNTERS_CONCURRENT, 1, 10, 0), 20));
    EXPECT_INT(1, passed((struct counters_item){.unit = COUNTERS_CONCURRENT, .key = SLICE("user=b"), .amount = 1,
                                                .limit = 2, .on_loss = COUNTERS_LOCAL},
                         20)); /* one at least */
    close_machine();
}

/* Tokens that the whole limit would let pass are no caller's mistake. */
static void what_is_too_large_for_a_part_may_come_again(void)
{
    open_machine(1, 4);
    struct counters_item item = rate(COUNTERS_TOKENS, 600, 1000, 100);
    struct counters_answer answer = admit("r1", &item);
    EXPECT(!answer.is_ok);
    EXPECT_INT(COUNTERS_SHUT, answer.states[0].refusal);
    EXPECT_INT(COUNTERS_LOCAL, answer.states[0].lost);
    item.amount = 2000;
    EXPECT(!admit("r2", &item).is_ok);
    EXPECT_INT(COUNTERS_TOO_LARGE, space.states[0].refusal);
    item.amount = 200;
    EXPECT(admit("r3", &item).is_ok);
    close_machine();
}

/* Its end gives back what it has taken, by the part and not by the whole. */
static void a_hold_ends_as_it_was_taken(void)
{
    open_machine(1, 4);
    struct counters_item items[] = {rate(COUNTERS_TOKENS, 100, 1000, 100), rate(COUNTERS_CONCURRENT, 1, 4, 0)};
    struct counters_answer answer = ask(COUNTERS_ADMIT, "req_1/2", items, 2);
    EXPECT(answer.is_ok && fallback_is_own(answer.hold) && !fallback_is_own("req_1/2"));
    EXPECT_STR("req_1/2/local", answer.hold);
    EXPECT_INT(250, answer.items[0].limit);
    EXPECT_INT(25, answer.items[0].burst);
    EXPECT_INT(24, answer.states[0].reset_s);
    settle(&answer, 2, (struct counters_totals){.tokens = 50});
    answer = ask(COUNTERS_PEEK, "", items, 2);
    EXPECT_INT(12, answer.states[0].reset_s);
    EXPECT_INT(1, answer.states[1].left);
    close_machine();
}

static void money_is_a_fifth_of_what_was_left(void)
{
    open_machine(1, 1);
    struct counters_item item = money("app=a", 50, 1000);
    hear(&item, 400, 100);
    EXPECT(admit("r1", &item).is_ok);
    EXPECT_INT(400, space.states[0].spent); /* as the fleet would say it */
    EXPECT_INT(150, space.states[0].held);
    EXPECT_INT(COUNTERS_LOCAL, space.states[0].lost);
    EXPECT(admit("r2", &item).is_ok);
    struct counters_answer answer = admit("r3", &item);
    EXPECT(!answer.is_ok);
    EXPECT_INT(COUNTERS_SHUT, answer.states[0].refusal);
    EXPECT_INT(200, answer.states[0].held);
    item.amount = 650;
    EXPECT(!admit("r4", &item).is_ok);
    EXPECT_INT(COUNTERS_OVER, space.states[0].refusal); /* that is more than all of it */
    item.amount = 450;
    EXPECT(!admit("r5", &item).is_ok);
    EXPECT_INT(COUNTERS_CONTENDED, space.states[0].refusal);
    close_machine();
}

/* A top-up that came while the fleet was out of reach, and its end. */
static void a_raised_limit_leaves_more(void)
{
    open_machine(1, 1);
    struct counters_item item = money("app=a", 50, 1000), raised = item;
    raised.limit = 1500;
    hear(&item, 1000, 0);
    EXPECT(!admit("r1", &item).is_ok);
    EXPECT_INT(COUNTERS_OVER, space.states[0].refusal);
    EXPECT(admit("r2", &raised).is_ok);
    EXPECT(admit("r3", &raised).is_ok);
    EXPECT(!admit("r4", &raised).is_ok); /* a fifth of 500 */
    EXPECT_INT(COUNTERS_SHUT, space.states[0].refusal);
    EXPECT(!admit("r5", &item).is_ok);
    EXPECT_INT(COUNTERS_OVER, space.states[0].refusal);
    close_machine();
}

/* What was spent here before, and is in what was heard, is no part of the share. What is held here is one: a Redis that
 * comes and goes would give it away again each time. */
static void what_was_spent_here_before_does_not_count_twice(void)
{
    open_machine(2, 2);
    struct counters_item item = money("app=a", 50, 1000);
    struct counters_spent sum = {
        .key = SLICE("app=a"), .start_s = 1789000000, .stop_s = 1792000000, .nano = 300};
    EXPECT(counters_shared_spend(counters, NULL, 0, &sum, 1, T0));
    hear(&item, 0, 0);
    EXPECT(admit("r1", &item).is_ok);
    EXPECT_INT(0, space.states[0].spent);
    EXPECT(!admit("r2", &item).is_ok); /* 1000 / 5 / 2 / 2 */
    hear(&item, 200, 0);
    item.amount = 40;
    EXPECT(!admit("r3", &item).is_ok); /* 40 less the 50 of r1 */
    char over[1][COUNTERS_HOLD_BYTES] = {"r1/local"};
    sum.nano = 350;
    EXPECT(counters_shared_spend(counters, (const char(*)[COUNTERS_HOLD_BYTES])over, 1, &sum, 1, T0));
    hear(&item, 200, 0);
    EXPECT(admit("r4", &item).is_ok);
    EXPECT(!admit("r5", &item).is_ok);
    close_machine();
}

static void after_a_minute_it_is_closed(void)
{
    open_machine(1, 1);
    struct counters_item item = money("app=a", 1, 1000), other = money("app=b", 1, 1000);
    hear(&item, 0, 0);
    EXPECT(!admit("r0", &other).is_ok); /* nothing was ever heard of it */
    EXPECT_INT(COUNTERS_SHUT, space.states[0].refusal);
    EXPECT_INT(COUNTERS_CLOSED, space.states[0].lost);
    here.now_ns = HEARD_NS + UINT64_C(59999999999);
    EXPECT(admit("r1", &item).is_ok);
    here.now_ns = HEARD_NS + UINT64_C(60000000000);
    EXPECT(!admit("r2", &item).is_ok);
    EXPECT_INT(COUNTERS_CLOSED, space.states[0].lost);
    item.limit = COUNTERS_NO_LIMIT;
    EXPECT(admit("r3", &item).is_ok); /* it never refuses anything */
    close_machine();
}

/* A day's and the month's that begin together are one sum under two limits. */
static void two_limits_on_one_sum(void)
{
    open_machine(1, 1);
    struct counters_item items[] = {money("app=a", 50, 500), money("app=a", 50, 5000)};
    hear(&items[0], 0, 0);
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 2).is_ok);
    EXPECT(ask(COUNTERS_ADMIT, "r2", items, 2).is_ok);
    struct counters_answer answer = ask(COUNTERS_ADMIT, "r3", items, 2);
    EXPECT(!answer.is_ok && answer.failed == 0);
    EXPECT(admit("r4", &items[1]).is_ok);
    close_machine();
}

/* What only is observed says what the whole limit would. */
static void what_is_observed_refuses_nothing(void)
{
    open_machine(1, 1);
    struct counters_item item = money("app=a", 300, 1000);
    item.is_observed = true;
    hear(&item, 0, 0);
    EXPECT(admit("r1", &item).is_ok);
    EXPECT_INT(COUNTERS_FITS, space.states[0].refusal);
    item.amount = 800;
    EXPECT(admit("r2", &item).is_ok);
    EXPECT_INT(COUNTERS_CONTENDED, space.states[0].refusal);
    close_machine();
}

static void the_counters_here_may_be_starting(void)
{
    struct fault why;
    open_machine(1, 1);
    struct counters_shared *seeded = counters;
    here.counters = counters_shared_new(10, 10, &why);
    struct counters_item item = money("app=a", 1, 1000);
    hear(&item, 0, 0);
    EXPECT_STR("starting", admit("r1", &item).error);
    counters_shared_free(here.counters);
    counters = seeded;
    close_machine();
}

/* Known are the last LIMIT_COUNTERS_SEEN: who asks for ever more keys makes the gateway strict, not large. */
static void so_many_are_known(void)
{
    open_machine(1, 1);
    char key[32];
    struct counters_item first = money("app=first", 1, 1000), last = first;
    hear(&first, 0, 0);
    for (unsigned i = 0; i < LIMIT_COUNTERS_SEEN; i++) {
        snprintf(key, sizeof key, "app=%u", i);
        last = money(key, 1, 1000);
        hear(&last, 0, 0);
    }
    EXPECT(admit("r1", &last).is_ok);
    EXPECT(!admit("r2", &first).is_ok);
    close_machine();
}

int main(void)
{
    RUN(what_is_open_passes_uncounted);
    RUN(what_is_local_says_its_part);
    RUN(what_is_closed_is_refused_and_takes_nothing);
    RUN(one_before_it_may_refuse);
    RUN(rates_are_parted_among_gateways);
    RUN(what_is_too_large_for_a_part_may_come_again);
    RUN(a_hold_ends_as_it_was_taken);
    RUN(money_is_a_fifth_of_what_was_left);
    RUN(a_raised_limit_leaves_more);
    RUN(what_was_spent_here_before_does_not_count_twice);
    RUN(after_a_minute_it_is_closed);
    RUN(two_limits_on_one_sum);
    RUN(what_is_observed_refuses_nothing);
    RUN(the_counters_here_may_be_starting);
    RUN(so_many_are_known);
    return unit_close("fallback");
}
