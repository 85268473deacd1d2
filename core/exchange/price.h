/*
 * What the tokens of one target cost, and what one answer cost. Integers only; rounded up once, at the end.
 *
 *     struct cost cost = price_cost(price, &parts, admitted_wall_ns);    // price NULL: COST_UNPRICED
 *     if (cost.state != COST_UNPRICED) ... cost.nano ...                 // nano-dollars
 *
 * Units: rates are pico-dollars (10^-12 USD) a token, so "0.075" USD per million tokens is 75,000; a cost is
 * nano-dollars (10^-9 USD). The sum over parts is made in 128 bits. A price is immutable once built, and belongs to the
 * generation of policies that names it: whoever keeps one holds that generation.
 * Nothing here knows a model or a provider.
 */
#ifndef MOONGATE_EXCHANGE_PRICE_H
#define MOONGATE_EXCHANGE_PRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "wire/chat.h"
#include "wire/usage.h"

#define PRICE_UNSET (-1)                 /* no rate: tokens of that part make the cost COST_INCOMPLETE */
#define PRICE_RATE_MAX 1000000000000000  /* 10^15 pico-dollars: 1,000 USD a token, and a picture or a request */
#define PRICE_REVISION_BYTES 13          /* 12 hex digits and the NUL */
#define PRICE_TIER_BYTES 24 /* of a name, with its NUL */
#define PRICE_LONGS_MAX 4u
#define PRICE_TIERS_MAX 8u

/* Pico-dollars for one of each part; USAGE_REQUESTS: for one request, USAGE_IMAGES…: see usage.h. */
struct price_rates {
    int64_t pico[USAGE_PARTS];
};

/* Rates for all parts of a request whose whole input (cached tokens included) is above the threshold. */
struct price_long {
    uint64_t input_tokens;
    bool is_inclusive; /* true: also at exactly so many tokens */
    struct price_rates rates;
};

/* One tier of service: "" is the usual one, others as providers report them ("batch", "flex", "priority"). */
struct price_tier {
    char name[PRICE_TIER_BYTES];
    struct price_rates rates;
    struct price_long longs[PRICE_LONGS_MAX]; /* by rising threshold: the last that applies holds */
    size_t long_count;
};

/* What holds from one moment to the next period's. */
struct price_period {
    int64_t from_s; /* Unix time, inclusive; INT64_MIN: from ever */
    struct price_tier tiers[PRICE_TIERS_MAX]; /* [0] is the usual one */
    size_t tier_count;
};

struct price {
    struct price_period *periods; /* by rising time; the last that has begun holds. At least one */
    size_t period_count;
    char revision[PRICE_REVISION_BYTES]; /* names these very figures: changes when any of them does */
};

enum cost_state {
    COST_UNPRICED,   /* no price, or none yet at that time: nano is 0 and means nothing */
    COST_KNOWN,      /* exact */
    COST_INCOMPLETE, /* some part has no rate, or the tier has none: nano is the cost of the others */
};

struct cost {
    enum cost_state state;
    int64_t nano;
    unsigned missing;    /* COST_INCOMPLETE: one bit a part without a rate, 1 << USAGE_… */
    bool is_tier_missing; /* the usual rates were taken for a tier that the price does not name */
    bool is_overflow;    /* beyond int64: nano is INT64_MAX */
    bool is_long;        /* a long-context rate was taken */
};

/* tier: what the provider reported, else what was asked for, in either case of letters; "on_demand_" before it counts
 * for nothing. What the price does not name itself of "", "default", "auto", "standard", "scale" and "on_demand" is the
 * usual one. when_ns: wall clock of the admission. Long-context rates are chosen once, by usage_parts_input(). A rate
 * that is unset counts only for a part that there is any of. */
struct cost price_cost(const struct price *price, const struct usage_parts *parts, struct slice tier, uint64_t when_ns);
/* The rates that price_cost() would take; NULL when there is no period yet. */
const struct price_rates *price_rates_at(const struct price *price, uint64_t input_tokens, struct slice tier,
                                         uint64_t when_ns);
/* What a request may come to. */
struct price_ask {
    enum chat_kind kind;
    uint64_t input_tokens, output_tokens;
    unsigned uses;             /* enum chat_uses */
    struct chat_pieces pieces; /* each counts where the price has a rate for one */
    struct slice tier;
    uint64_t when_ns;
};
/* At most: so much input and so much output, each at the dearest rate that it may be billed at, and what its provider
 * may search and call; at the tier that is asked for or, where that is dearer, the usual one, which a provider may
 * serve instead. COST_UNPRICED too where
 * the price has no rate that such an answer is paid by: pictures that are made neither by the piece nor by their
 * tokens. */
struct cost price_at_most(const struct price *price, const struct price_ask *ask);
int64_t price_searches_at_most(const struct chat_pieces *pieces);
/* What such a price would have to name, for people: "per_image or image_output"; NULL: nothing is missing, or there is
 * no price. */
const char *price_lacks(const struct price *price, const struct price_ask *ask);
/* The part that its input's tokens cost at most as: written into a cache where it asks for that, or the price has one
 * rate for all writes; sound and pictures where there are any. */
enum usage_part price_dearest_input(const struct price_rates *rates, unsigned uses);
/* The part that its answer's tokens cost at most as: text, reasoning, pictures; sound where it uses that. */
enum usage_part price_dearest_output(const struct price_rates *rates, unsigned uses);
/* Fills the revision, from all figures and names: call it once the price is built. */
void price_seal(struct price *price);

#endif
