/*
 * What an exchange came to: tokens at the price of the target that answered, at the tier it was served at, and at what held
 * when the request came.
 *
 *     struct usage_parts parts = …;                 // wire/usage.h
 *     x->parts = parts, x->cost = bill_cost(x, &parts);
 *
 * The price is that of the generation that admitted the request (exchange/terms.h), which whoever calls must hold.
 */
#ifndef MOONGATE_EXCHANGE_BILL_H
#define MOONGATE_EXCHANGE_BILL_H

#include "exchange/exchange.h"

/* What the provider has reported so far, as disjoint parts of one request; false: it has reported nothing. */
bool bill_parts(const struct exchange *x, struct usage_parts *parts);
/* COST_UNPRICED when no target was called, or it has no price. */
struct cost bill_cost(const struct exchange *x, const struct usage_parts *parts);
/* The price it is billed at; NULL: none. */
const struct price *bill_price(const struct exchange *x);
/* Are parts and cost of x filled in? */
bool bill_is_made(const struct exchange *x);

#endif
