#include "exchange/bill.h"

#include "exchange/terms.h"

const struct price *bill_price(const struct exchange *x)
{
    const struct terms *terms = x->target_index >= 0 ? x->verdict.targets[x->target_index].terms : NULL;
    return terms ? terms->price : NULL;
}

bool bill_parts(const struct exchange *x, struct usage_parts *parts)
{
    usage_normalise(&x->usage, parts);
    return parts->count[USAGE_REQUESTS] > 0;
}

struct cost bill_cost(const struct exchange *x, const struct usage_parts *parts)
{
    struct slice told = usage_service_tier(&x->usage);
    return price_cost(bill_price(x), parts, told.len ? told : exchange_service_tier(x), x->born_wall_ns);
}

bool bill_is_made(const struct exchange *x)
{
    return x->parts.count[USAGE_REQUESTS] > 0;
}
