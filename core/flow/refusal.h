/*
 * What a client is told of a fault or a denial, in the parts that every dialect's error object has.
 *
 *     struct dialect_error error = refusal_of_fault(x, &why);
 *     dialect->write_body_error(&body, &error);
 *
 * Where a provider lives, what the transport said, files and lines are for the record and for explain, never in here.
 * Slices are borrowed from the exchange, the fault and the verdict. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_REFUSAL_H
#define MOONGATE_FLOW_REFUSAL_H

#include "exchange/exchange.h"
#include "wire/dialect.h"

struct dialect_error refusal_of_fault(const struct exchange *x, const struct fault *why);
/* v is a denial. */
struct dialect_error refusal_of_denial(const struct exchange *x, const struct verdict *v);

/* Asking again, unchanged, will be answered alike: clients are told so where the status alone says the contrary. */
bool refusal_is_final(enum fault_code code);
/* A denial that says when to come, soon enough for clients that wait. */
bool refusal_may_repeat(const struct verdict *v);

#endif
