/*
 * The token that a call goes out with where its account has a key file (store/grants.h): looked up, and waited for
 * where none has been given yet.
 *
 *     grant_await(call, on_granted);      // call->token; at once where none is needed, or one is there
 *     grant_refused(call);                // the provider did not take it: another is asked for
 *
 * It is waited LIMIT_GRANT_WAIT_MS at most, and not at all where the last question for one has failed: then on_granted
 * has FAULT_UPSTREAM_ACCOUNT, and another target may serve. Whoever stops the call (call_stop()) ends the wait.
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_GRANT_H
#define MOONGATE_FLOW_GRANT_H

#include "flow/call.h"

/* why NULL: the call may go out. */
typedef void (*grant_fn)(struct job *job, const struct fault *why);

void grant_await(struct call *call, grant_fn then);
void grant_refused(const struct call *call);

#endif
