#include "exchange/bill.h"

#include <stddef.h>

#include "exchange/terms.h"
#include "store/counters/counters.h"
#include "wire/translate/translate.h"

const struct price *bill_price(const struct exchange *x, const struct attempt *attempt)
{
    const struct terms *terms = x->decision.verdict.targets[attempt->target].terms;
    return terms ? terms->price : NULL;
}

struct slice bill_asked_tier(const struct exchange *x, const struct terms *terms)
{
    const struct dialect *client = x->api->client, *spoken = exchange_spoken(x, terms);
    bool is_told = spoken == client || (spoken && translate_tells_tier(client, spoken));
    return is_told ? exchange_service_tier(x) : SLICE("");
}

uint64_t bill_output(const struct exchange *x, const struct terms *terms, uint64_t tokens)
{
    const struct dialect *client = x->api->client, *spoken = exchange_spoken(x, terms);
    bool is_raised = spoken && spoken != client && tokens && tokens < spoken->output_least;
    return is_raised ? spoken->output_least : tokens;
}

void bill_attempt(const struct exchange *x, struct attempt *attempt)
{
    /* What was asked for in another dialect's words its provider may not have heard as such. */
    bool is_told = !attempt->dialect || translate_tells_tier(x->api->client, attempt->dialect);
    struct slice asked = is_told ? exchange_service_tier(x) : SLICE("");
    struct slice told = usage_service_tier(&attempt->usage);
    struct slice tier = told.len ? told : asked;
    attempt->cost = price_cost(bill_price(x, attempt), &attempt->parts, tier, x->born_wall_ns);
}

static const size_t summed_counts[] = {
    offsetof(struct usage, input_tokens),  offsetof(struct usage, output_tokens),
    offsetof(struct usage, total_tokens),  offsetof(struct usage, cached_tokens),
    offsetof(struct usage, cache_write_tokens), offsetof(struct usage, reasoning_tokens),
};

static void add_usage(struct usage *sum, const struct usage *more)
{
    bool is_suspect = sum->is_suspect || more->is_suspect;
    if (!usage_is_known(sum)) {
        *sum = *more;
    } else {
        for (size_t i = 0; i < sizeof summed_counts / sizeof summed_counts[0]; i++) {
            int64_t *to = (int64_t *)(void *)((char *)sum + summed_counts[i]);
            int64_t count = *(const int64_t *)(const void *)((const char *)more + summed_counts[i]);
            if (count != USAGE_UNKNOWN) *to = *to == USAGE_UNKNOWN ? count : *to + count;
        }
    }
    sum->is_suspect = is_suspect;
}

static void add_parts(struct usage_parts *sum, const struct usage_parts *more)
{
    for (int part = 0; part < USAGE_PARTS; part++)
        sum->count[part] += more->count[part];
    sum->is_estimated |= more->is_estimated;
    sum->is_suspect |= more->is_suspect;
}

static unsigned bits_of(const struct usage_parts *parts)
{
    unsigned bits = 0;
    for (int part = 0; part < USAGE_PARTS; part++) {
        if (parts->count[part]) bits |= 1u << part;
    }
    return bits;
}

static void add_nano(struct cost *sum, int64_t nano)
{
    if (!__builtin_add_overflow(sum->nano, nano, &sum->nano)) return;
    sum->nano = INT64_MAX;
    sum->is_overflow = true;
}

/* Where one of two has no price, all of its parts are without a rate. */
static void add_cost(struct cost *sum, const struct usage_parts *so_far, const struct attempt *more)
{
    const struct cost *cost = &more->cost;
    bool is_unpriced = sum->state == COST_UNPRICED || cost->state == COST_UNPRICED;
    if (sum->state == COST_UNPRICED && cost->state == COST_UNPRICED) return;
    if (sum->state == COST_UNPRICED) sum->missing |= bits_of(so_far);
    if (cost->state == COST_UNPRICED) sum->missing |= bits_of(&more->parts);
    sum->missing |= cost->missing;
    if (is_unpriced || cost->state == COST_INCOMPLETE) sum->state = COST_INCOMPLETE;
    sum->is_tier_missing |= cost->is_tier_missing;
    sum->is_long |= cost->is_long;
    sum->is_overflow |= cost->is_overflow;
    add_nano(sum, cost->nano);
}

static void add_attempt(struct bill *bill, const struct attempt *a)
{
    add_usage(&bill->usage, &a->usage);
    if (a->parts.count[USAGE_REQUESTS] == 0) {
        bill->parts.is_suspect |= a->parts.is_suspect;
        return;
    }
    if (bill->parts.count[USAGE_REQUESTS] == 0)
        bill->cost = a->cost;
    else
        add_cost(&bill->cost, &bill->parts, a);
    add_parts(&bill->parts, &a->parts);
    bill->is_billed |= a->is_billed;
}

/* As it would be billed by what was reported until now. */
static struct attempt so_far(const struct exchange *x, const struct attempt *attempt)
{
    struct attempt a = *attempt;
    if (a.is_closed || a.parts.count[USAGE_REQUESTS] || x->api->is_free) return a;
    usage_normalise(&a.usage, &a.parts);
    if (a.parts.count[USAGE_REQUESTS]) bill_attempt(x, &a);
    return a;
}

struct bill bill_of(const struct exchange *x)
{
    struct bill bill = {.cost = {.state = COST_KNOWN}};
    usage_init(&bill.usage);
    for (size_t i = 0; i < x->attempt_count; i++) {
        struct attempt a = so_far(x, x->attempts[i]);
        add_attempt(&bill, &a);
    }
    return bill;
}

int64_t bill_tokens(const struct bill *bill)
{
    return counters_sum(usage_parts_input(&bill->parts), usage_parts_output(&bill->parts));
}
