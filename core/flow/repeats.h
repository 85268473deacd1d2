/*
 * A request's headers as everybody behind reads them: each name once.
 *
 *     if (!repeats_join(x, head, &why)) ... 400: two answers to a question that has one ...
 *
 * What came several times becomes one list (RFC 9110 5.3), in the order in which it came, at the place of the first:
 * who looks at one value has looked at all. Headers that have one value by their meaning (credentials, the body's type,
 * what x-moongate-* says of the request) are refused when there are two, also equal ones: policies, gateway and
 * provider might each take another. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_REPEATS_H
#define MOONGATE_FLOW_REPEATS_H

#include "exchange/exchange.h"
#include "wire/http.h"

/* Into x->head.headers, copied. False: FAULT_BAD_REQUEST, and the headers are those before the first of that name. */
bool repeats_join(struct exchange *x, const struct http_head *head, struct fault *why);

#endif
