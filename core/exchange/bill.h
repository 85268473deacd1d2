/*
 * What an exchange came to: the sum over its attempts, each at the price of its own target, at the tier it was served
 * at, and at what held when the request came.
 *
 *     attempt->parts = …;                    // wire/usage.h
 *     bill_attempt(x, attempt);              // attempt->cost
 *     struct bill bill = bill_of(x);         // of all, at any time
 *
 * Prices are those of the generation that admitted the request (exchange/terms.h), which whoever calls must hold.
 */
#ifndef MOONGATE_EXCHANGE_BILL_H
#define MOONGATE_EXCHANGE_BILL_H

#include "exchange/exchange.h"

struct terms; /* exchange/terms.h */

struct bill {
    struct usage usage;       /* of what was reported, the counts that records name; all else is the first report's */
    struct usage_parts parts; /* USAGE_REQUESTS: how many attempts are paid for */
    /* COST_INCOMPLETE too when some attempt has a price and another none. Nothing billed costs a COST_KNOWN of 0. */
    struct cost cost;
    bool is_billed;
};

/* The cost of its parts; COST_UNPRICED when its target has no price. */
void bill_attempt(const struct exchange *x, struct attempt *attempt);
/* All attempts together. One whose parts are not made yet counts with what its provider has reported so far. */
struct bill bill_of(const struct exchange *x);
/* Read and written, at most COUNTERS_AMOUNT_MAX: what limits on tokens count. */
int64_t bill_tokens(const struct bill *bill);
/* The tier of service that a target is asked for: what the request says, in its client's own dialect, or one that is
 * told it; to others it is not said (wire/translate), whatever the client named: empty, the usual one. terms NULL:
 * nobody knows the target's account, and it is taken to speak as the client does. Valid as long as the exchange. */
struct slice bill_asked_tier(const struct exchange *x, const struct terms *terms);
/* What a target of those terms writes at most where an answer is asked for that is at most so long: where it is
 * translated, no less than its API takes for a bound. 0 stays 0. */
uint64_t bill_output(const struct exchange *x, const struct terms *terms, uint64_t tokens);
/* The price that an attempt is billed at; NULL: none. */
const struct price *bill_price(const struct exchange *x, const struct attempt *attempt);

#endif
