/*
 * The request on its way to a provider: its own headers by allow-list, the body as it came but for the named edits.
 *
 *     call->fetch = send_request(call, target, &events, job);
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_SEND_H
#define MOONGATE_FLOW_SEND_H

#include "flow/call.h"

/* False: FAULT_UNCARRIED, its account has no way for what is asked. */
bool send_can(const struct call *call, const struct target *target, struct fault *why);
/* The stream's usage is asked for where its client does not. */
bool send_asks_usage(const struct call *call);
/* A form is written before it is sent, since an edit may not fit into it: FAULT_BAD_BODY. True of all else. */
bool send_write(struct call *call, const struct target *target, struct fault *why);
/* Sets call->asks_usage. */
struct fetch *send_request(struct call *call, const struct target *target, const struct fetch_events *events,
                           void *arg);

#endif
