#include "store/counters/counters.h"

#include <string.h>

#include "base/clock.h"

static int64_t clamp(int64_t amount)
{
    return amount < 0 ? 0 : amount > COUNTERS_AMOUNT_MAX ? COUNTERS_AMOUNT_MAX : amount;
}

int64_t counters_sum(int64_t a, int64_t b)
{
    int64_t room = COUNTERS_AMOUNT_MAX - clamp(a);
    return clamp(b) > room ? COUNTERS_AMOUNT_MAX : clamp(a) + clamp(b);
}

int64_t counters_came_to(const struct counters_item *item, const struct counters_question *q)
{
    bool is_old = q->age_ns >= item->window_s * NS_PER_S;
    return is_old && q->held.tokens > q->totals.tokens ? q->held.tokens : q->totals.tokens;
}

struct counters_answer *counters_answer_copy(const struct counters_answer *answer, struct arena *arena)
{
    struct counters_answer *copy = arena_alloc(arena, sizeof *copy);
    *copy = *answer;
    if (answer->error) copy->error = arena_copy(arena, slice_str(answer->error)).ptr;
    if (answer->state_count) {
        struct counters_state *states = arena_alloc(arena, answer->state_count * sizeof *states);
        memcpy(states, answer->states, answer->state_count * sizeof *states);
        copy->states = states;
    }
    if (answer->items) {
        struct counters_item *items = arena_alloc(arena, answer->state_count * sizeof *items);
        memcpy(items, answer->items, answer->state_count * sizeof *items);
        copy->items = items;
    }
    return copy;
}

const char *counters_operation_name(enum counters_operation operation)
{
    switch (operation) {
    case COUNTERS_ADMIT: return "admit";
    case COUNTERS_PEEK: return "peek";
    case COUNTERS_EXTEND: return "extend";
    case COUNTERS_SETTLE: return "settle";
    case COUNTERS_RELEASE: return "release";
    }
    return "";
}

const char *counters_unit_name(enum counters_unit unit)
{
    switch (unit) {
    case COUNTERS_REQUESTS: return "requests";
    case COUNTERS_TOKENS: return "tokens";
    case COUNTERS_CONCURRENT: return "concurrent";
    case COUNTERS_MONEY: return "money";
    }
    return "";
}

const char *counters_loss_name(enum counters_loss loss)
{
    switch (loss) {
    case COUNTERS_NOT_LOST: return "";
    case COUNTERS_LOCAL: return "local";
    case COUNTERS_OPEN: return "open";
    case COUNTERS_CLOSED: return "closed";
    }
    return "";
}
