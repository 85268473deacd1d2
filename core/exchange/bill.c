#include "exchange/bill.h"

#include "exchange/terms.h"

const struct price *bill_price(const struct exchange *x)
{
    const struct terms *terms = x->target_index >= 0 ? x->verdict.targets[x->target_index].terms : NULL;
    return terms ? terms->price : NULL;
}

/* At most `whole` of it, which becomes less by as much. */
static int64_t take(int64_t reported, int64_t *whole)
{
    int64_t part = reported > 0 ? reported : 0;
    if (part > *whole) part = *whole;
    *whole -= part;
    return part;
}

bool bill_parts(const struct exchange *x, struct usage_parts *parts)
{
    const struct usage *u = &x->usage;
    *parts = (struct usage_parts){.is_suspect = u->is_suspect};
    if (!usage_is_known(u)) return false;
    int64_t input = u->input_tokens > 0 ? u->input_tokens : 0, output = usage_output_billed(u);
    if (output < 0) output = 0;
    parts->count[USAGE_CACHE_READ] = take(u->cached_tokens, &input);
    parts->count[USAGE_CACHE_WRITE_5M] = take(u->cache_write_tokens, &input);
    parts->count[USAGE_AUDIO_INPUT] = take(u->audio_input_tokens, &input);
    parts->count[USAGE_INPUT] = input;
    parts->count[USAGE_REASONING] = take(u->reasoning_tokens, &output);
    parts->count[USAGE_AUDIO_OUTPUT] = take(u->audio_output_tokens, &output);
    parts->count[USAGE_OUTPUT] = output;
    parts->count[USAGE_REQUESTS] = 1;
    return true;
}

struct cost bill_cost(const struct exchange *x, const struct usage_parts *parts)
{
    struct slice tier = x->service_tier.len ? x->service_tier : exchange_service_tier(x);
    return price_cost(bill_price(x), parts, tier, x->born_wall_ns);
}

bool bill_is_made(const struct exchange *x)
{
    return x->parts.count[USAGE_REQUESTS] > 0;
}
