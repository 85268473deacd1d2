#include "exchange/rates.h"

#define NS_PER_S UINT64_C(1000000000)

static struct dialect_rate *rate_of(struct dialect_rates *rates, enum counters_unit unit)
{
    switch (unit) {
    case COUNTERS_REQUESTS: return &rates->requests;
    case COUNTERS_TOKENS: return &rates->tokens;
    case COUNTERS_CONCURRENT:
    case COUNTERS_MONEY: break;
    }
    return NULL;
}

static bool is_told(const struct counters_item *item, const struct counters_state *state)
{
    bool was_reached = state->lost == COUNTERS_NOT_LOST || state->lost == COUNTERS_LOCAL;
    return !item->is_observed && item->limit > 0 && was_reached;
}

/* Of two that leave as little, the one that takes longer. */
static bool is_tighter(const struct dialect_rate *one, const struct dialect_rate *than)
{
    if (than->limit == 0) return true;
    return one->left < than->left || (one->left == than->left && one->reset_ns > than->reset_ns);
}

static struct dialect_rate read_rate(const struct counters_item *item, const struct counters_state *state,
                                     uint64_t now_ns)
{
    return (struct dialect_rate){.limit = state->part ? state->part : item->limit,
                                 .left = state->left > 0 ? state->left : 0,
                                 .reset_ns = now_ns + state->reset_s * NS_PER_S};
}

void rates_note(struct dialect_rates *rates, const struct counters_question *question,
                const struct counters_answer *answer, uint64_t now_ns)
{
    if (question->operation != COUNTERS_ADMIT || answer->error) return;
    for (size_t i = 0; i < question->item_count; i++) {
        const struct counters_item *item = &question->items[i];
        struct dialect_rate *known = rate_of(rates, item->unit), one;
        if (!known || !is_told(item, &answer->states[i])) continue;
        one = read_rate(item, &answer->states[i], now_ns);
        if (is_tighter(&one, known)) *known = one;
    }
    if (answer->is_ok) return;
    const struct counters_item *item = &question->items[answer->failed];
    struct dialect_rate *known = rate_of(rates, item->unit);
    if (known && is_told(item, &answer->states[answer->failed]))
        *known = read_rate(item, &answer->states[answer->failed], now_ns);
}

bool rates_are_told(const struct dialect_rates *rates)
{
    return rates->requests.limit || rates->tokens.limit;
}
