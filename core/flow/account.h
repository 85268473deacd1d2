/*
 * What an answer used and what that costs: the provider's own numbers, and where they never came the gateway's count,
 * marked as such. Billed is what a provider was given to work on and answered; its failures, and the text of its
 * errors, are not.
 *
 *     const struct vocabulary *v = account_begin(x); // an attempt begins: its estimate, what its answer is counted in
 *     account_settle(x, relay);                        // so far; may be asked again
 *     account_close(x, relay);                         // for good
 *
 * Of the exchange's last attempt that was called. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_ACCOUNT_H
#define MOONGATE_FLOW_ACCOUNT_H

#include "exchange/exchange.h"
#include "flow/relay/relay.h"

/* NULL: the answer says nothing that is counted. */
const struct vocabulary *account_begin(struct exchange *x);
/* r: of the attempt's answer; NULL: there was none. */
void account_settle(struct exchange *x, const struct relay *r);
void account_close(struct exchange *x, const struct relay *r);
/* Output as counted so far; what may still change is left out, so that this may be asked after every piece. */
uint64_t account_output_tokens(const struct exchange *x, const struct relay *r);
/* The same, as it would be charged now: what is not settled is counted anew each time. */
uint64_t account_output_now(const struct exchange *x, const struct relay *r);

#endif
