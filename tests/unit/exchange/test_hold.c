/* Holds and amounts: opened by an answer, grown by totals, closed once, and never more than there is room for. */
#include "exchange/hold.h"

#include "../unit.h"

static struct arena arena;

static const struct counters_item items[] = {
    {.unit = COUNTERS_REQUESTS, .key = {"user=ana;1m", 11}, .amount = 1, .limit = 60},
    {.unit = COUNTERS_TOKENS, .key = {"user=ana;1m", 11}, .amount = 1200, .limit = 90000},
    {.unit = COUNTERS_CONCURRENT, .key = {"user=ana;", 9}, .amount = 1, .limit = 5},
    {.unit = COUNTERS_MONEY, .key = {"app=x", 5}, .amount = 4000, .limit = 100000},
    {.unit = COUNTERS_MONEY, .key = {"department=y", 12}, .amount = 4000, .limit = COUNTERS_NO_LIMIT},
};

static struct hold *open_hold(struct hold **holds, const char *id)
{
    struct counters_question admission = {.operation = COUNTERS_ADMIT, .items = items, .item_count = 5};
    struct counters_answer answer = {.is_ok = true};
    snprintf(answer.hold, sizeof answer.hold, "%s", id);
    return hold_open(holds, &admission, &answer, &arena);
}

static void it_holds_what_was_admitted(void)
{
    struct hold *holds = NULL, *first = open_hold(&holds, "req_1"), *second = open_hold(&holds, "req_1/2");
    EXPECT(holds == second && second->next == first && !first->next);
    EXPECT_STR("req_1", first->id);
    EXPECT_STR("req_1/2", second->id);
    EXPECT_INT(HOLD_OPEN, first->state);
    EXPECT_INT(1200, first->totals.tokens);
    EXPECT_INT(4000, first->totals.nano);
    EXPECT(first->items == items && first->item_count == 5);
}

/* Under less than was asked, when a gateway counts alone: it goes on under that. */
static void it_was_taken_as_the_answer_says(void)
{
    struct counters_item own = items[3];
    struct counters_question admission = {.operation = COUNTERS_ADMIT, .items = &items[3], .item_count = 1}, q;
    struct counters_state state = {.lost = COUNTERS_LOCAL};
    struct counters_answer answer = {
        .is_ok = true, .hold = "req_1/local", .items = &own, .states = &state, .state_count = 1};
    struct hold *holds = NULL;
    own.limit = 5000;
    struct hold *hold = hold_open(&holds, &admission, counters_answer_copy(&answer, &arena), &arena);
    own.limit = 0;
    EXPECT(hold_extend(hold, (struct counters_totals){0, 4500}, &q));
    EXPECT_STR("req_1/local", q.hold);
    EXPECT_INT(5000, q.items[0].limit);
    EXPECT_SLICE(items[3].key, q.items[0].key);
}

static void it_grows_to_totals_and_never_shrinks(void)
{
    struct hold *holds = NULL, *hold = open_hold(&holds, "req_1");
    struct counters_question q = {0}, again = {0};
    EXPECT(!hold_extend(hold, (struct counters_totals){1200, 4000}, &q));
    EXPECT(hold_extend(hold, (struct counters_totals){2000, 100}, &q));
    EXPECT_INT(COUNTERS_EXTEND, q.operation);
    EXPECT_STR("req_1", q.hold);
    EXPECT_INT(2000, q.totals.tokens);
    EXPECT_INT(4000, q.totals.nano);
    EXPECT_INT(5, q.item_count);
    EXPECT(hold_extend(hold, (struct counters_totals){2000, 100}, &again)); /* not granted yet: it is asked again … */
    EXPECT_INT(q.totals.tokens, again.totals.tokens);                       /* … for the same, not for more */
    hold_grow(hold, q.totals);
    EXPECT_INT(2000, hold->totals.tokens);
    EXPECT(!hold_extend(hold, (struct counters_totals){2000, 100}, &q));
    hold_grow(hold, (struct counters_totals){5, 5}); /* an older answer that comes late */
    EXPECT_INT(2000, hold->totals.tokens);
    EXPECT_INT(4000, hold->totals.nano);
}

static void what_only_runs_at_the_same_time_is_never_extended(void)
{
    static const struct counters_item one[] = {{.unit = COUNTERS_CONCURRENT, .amount = 1}};
    struct counters_question question = {.items = one, .item_count = 1}, q;
    struct counters_answer answer = {.is_ok = true, .hold = "req_2"};
    struct hold *holds = NULL, *hold = hold_open(&holds, &question, &answer, &arena);
    EXPECT(!hold_extend(hold, (struct counters_totals){2000, 100}, &q));
    EXPECT(hold_close(hold, NULL, &q));
}

static void it_closes_once(void)
{
    struct hold *holds = NULL, *hold = open_hold(&holds, "req_1");
    struct counters_question q = {0}, untouched = {.time_ns = 7};
    EXPECT(hold_close(hold, &(struct counters_totals){900, 2500}, &q));
    EXPECT_INT(COUNTERS_SETTLE, q.operation);
    EXPECT_STR("req_1", q.hold);
    EXPECT_INT(900, q.totals.tokens);
    EXPECT_INT(2500, q.totals.nano);
    EXPECT_INT(HOLD_CLOSED, hold->state);
    EXPECT(!hold_close(hold, &(struct counters_totals){900, 2500}, &untouched));
    EXPECT(!hold_close(hold, NULL, &untouched));
    EXPECT(!hold_extend(hold, (struct counters_totals){9000, 9000}, &untouched));
    EXPECT_INT(7, untouched.time_ns);
    hold_grow(hold, (struct counters_totals){9000, 9000});
    EXPECT_INT(1200, hold->totals.tokens);
}

static void it_is_given_back_whole(void)
{
    struct hold *holds = NULL, *hold = open_hold(&holds, "req_1");
    struct counters_question q = {0};
    EXPECT(hold_close(hold, NULL, &q));
    EXPECT_INT(COUNTERS_RELEASE, q.operation);
    EXPECT_INT(0, q.totals.tokens);
    EXPECT_INT(0, q.totals.nano);
}

static void amounts_stop_where_there_is_no_more_room(void)
{
    EXPECT_INT(5, counters_sum(2, 3));
    EXPECT_INT(COUNTERS_AMOUNT_MAX, counters_sum(COUNTERS_AMOUNT_MAX, 1));
    EXPECT_INT(COUNTERS_AMOUNT_MAX, counters_sum(INT64_MAX, INT64_MAX));
    EXPECT_INT(COUNTERS_AMOUNT_MAX - 1, counters_sum(COUNTERS_AMOUNT_MAX - 2, 1));
    EXPECT_INT(4, counters_sum(-3, 4));
    EXPECT_INT(0, counters_sum(INT64_MIN, INT64_MIN));
    struct hold *holds = NULL, *hold = open_hold(&holds, "req_1");
    struct counters_question q = {0};
    EXPECT(hold_extend(hold, (struct counters_totals){INT64_MAX, INT64_MAX}, &q));
    EXPECT_INT(COUNTERS_AMOUNT_MAX, q.totals.nano);
    EXPECT(hold_close(hold, &(struct counters_totals){-1, INT64_MAX}, &q));
    EXPECT_INT(0, q.totals.tokens);
    EXPECT_INT(COUNTERS_AMOUNT_MAX, q.totals.nano);
}

static void answers_are_copied(void)
{
    char why[] = "timeout";
    struct counters_state states[] = {{.spent = 1}, {.held = 2, .refusal = COUNTERS_CONTENDED}};
    struct counters_answer given = {.error = why, .states = states, .state_count = 2, .failed = 1};
    struct counters_answer *copy = counters_answer_copy(&given, &arena);
    memset(why, 'x', sizeof why - 1);
    memset(states, 0, sizeof states);
    EXPECT_STR("timeout", copy->error);
    EXPECT_INT(1, copy->failed);
    EXPECT_INT(1, copy->states[0].spent);
    EXPECT_INT(COUNTERS_CONTENDED, copy->states[1].refusal);
}

int main(void)
{
    arena_init(&arena);
    RUN(it_holds_what_was_admitted);
    RUN(it_was_taken_as_the_answer_says);
    RUN(it_grows_to_totals_and_never_shrinks);
    RUN(what_only_runs_at_the_same_time_is_never_extended);
    RUN(it_closes_once);
    RUN(it_is_given_back_whole);
    RUN(amounts_stop_where_there_is_no_more_room);
    RUN(answers_are_copied);
    arena_clear(&arena);
    return unit_close("hold");
}
