/*
 * What went wrong, by the names of AWS's exceptions: streams begin them with a small letter ("throttlingException"),
 * heads (x-amzn-errortype) and bodies ("__type") with a large one, in front of a URL or behind a namespace.
 *
 *     enum failure_kind kind = failure_of_status(status);
 *     exceptions_find(SLICE("ThrottlingException:http://internal.amazon.com/"), &kind);   // true: FAILURE_RATE
 *
 * The name says more than the status: 400 are quotas that are used up, and texts that are wrong. No state.
 * Source: Amazon Bedrock API reference, "Common error types", errors of Converse and InvokeModel,
 * ConverseStreamOutput; "Troubleshooting Amazon Bedrock API error codes"; AWS restJson1 protocol, "Operation error
 * serialization" (the header, namespace and URL).
 */
#ifndef MOONGATE_WIRE_EXCEPTIONS_H
#define MOONGATE_WIRE_EXCEPTIONS_H

#include "wire/translate/failure.h"

/* Without what stands around it; borrowed. */
struct slice exceptions_bare_name(struct slice type);
/* False: it is none that is known, and *kind stays as it is. */
bool exceptions_find(struct slice type, enum failure_kind *kind);
/* Does an event of that name tell of one, known or not? */
bool exceptions_has_name(struct slice name);

#endif
