/*
 * Calls that are signed (wire/sigv4.h) where the account has access keys, and what else Amazon's APIs want in a head.
 *
 *     request.header_count = signature_add(call, &request, headers);   // room for SIGNATURE_HEADERS more
 *
 * Of other accounts nothing is added. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_SIGNATURE_H
#define MOONGATE_FLOW_SIGNATURE_H

#include "flow/call.h"

#define SIGNATURE_HEADERS 4u

/* Returns how many there are now; what they are made of lies in call->passing. Reads the clock. */
size_t signature_add(struct call *call, const struct fetch_request *request, struct fetch_header *headers);

#endif
