/*
 * Reads an answer on although its client has gone, where a policy wants the provider's own numbers for it: within its
 * bounds of time and tokens, and then as if the call had been cancelled. Nothing is relayed, judged or tried again.
 *
 *     if (!drain_begin(job)) job_end(job, OUTCOME_CLIENT_CLOSED);
 *     … relay_feed(…); if (drain_is_enough(call)) …
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_DRAIN_H
#define MOONGATE_FLOW_DRAIN_H

#include "flow/call.h"

/* True: the answer is read on, and job_end() comes later. */
bool drain_begin(struct job *job);
bool drain_is_on(const struct job *job);
/* More than the policy lets be read. */
bool drain_is_enough(const struct call *call);

#endif
