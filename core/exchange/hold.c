#include "exchange/hold.h"

#include <string.h>

#include "base/clock.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool has(const struct hold *hold, enum counters_unit unit)
{
    for (size_t i = 0; i < hold->item_count; i++)
        if (hold->items[i].unit == unit) return true;
    return false;
}

/* The items of one unit all take the same: what the request may come to. */
static struct counters_totals estimate(const struct counters_item *items, size_t count)
{
    struct counters_totals totals = {0, 0};
    for (size_t i = 0; i < count; i++) {
        if (items[i].unit == COUNTERS_TOKENS) totals.tokens = larger(totals.tokens, items[i].amount);
        if (items[i].unit == COUNTERS_MONEY) totals.nano = larger(totals.nano, items[i].amount);
    }
    return totals;
}

struct hold *hold_open(struct hold **holds, const struct counters_question *question,
                       const struct counters_answer *answer, struct arena *arena)
{
    struct hold *hold = arena_alloc(arena, sizeof *hold);
    *hold = (struct hold){.next = *holds,
                          .items = answer->items ? answer->items : question->items,
                          .item_count = question->item_count,
                          .estimate = estimate(question->items, question->item_count),
                          .since_ns = clock_mono_ns()};
    hold->totals = hold->estimate;
    memcpy(hold->id, answer->hold, sizeof hold->id);
    *holds = hold;
    return hold;
}

static struct counters_question question_of(const struct hold *hold, enum counters_operation operation)
{
    struct counters_question question = {
        .operation = operation, .items = hold->items, .item_count = hold->item_count, .totals = hold->totals};
    memcpy(question.hold, hold->id, sizeof question.hold);
    return question;
}

bool hold_extend(const struct hold *hold, struct counters_totals totals, struct counters_question *question)
{
    if (hold->state == HOLD_CLOSED) return false;
    bool has_more = (totals.tokens > hold->totals.tokens && has(hold, COUNTERS_TOKENS)) ||
                    (totals.nano > hold->totals.nano && has(hold, COUNTERS_MONEY));
    if (!has_more) return false;
    *question = question_of(hold, COUNTERS_EXTEND);
    question->totals.tokens = counters_sum(larger(totals.tokens, hold->totals.tokens), 0);
    question->totals.nano = counters_sum(larger(totals.nano, hold->totals.nano), 0);
    return true;
}

void hold_grow(struct hold *hold, struct counters_totals totals)
{
    if (hold->state == HOLD_CLOSED) return;
    hold->totals.tokens = counters_sum(larger(totals.tokens, hold->totals.tokens), 0);
    hold->totals.nano = counters_sum(larger(totals.nano, hold->totals.nano), 0);
}

bool hold_close(struct hold *hold, const struct counters_totals *actual, struct counters_question *question)
{
    if (hold->state == HOLD_CLOSED) return false;
    hold->state = HOLD_CLOSED;
    *question = question_of(hold, actual ? COUNTERS_SETTLE : COUNTERS_RELEASE);
    question->totals = actual ? (struct counters_totals){counters_sum(actual->tokens, 0), counters_sum(actual->nano, 0)}
                              : (struct counters_totals){0, 0};
    question->held = hold->totals;
    question->age_ns = clock_mono_ns() - hold->since_ns;
    return true;
}
