/*
 * The token that a call goes out with where its account has a key file (store/access_tokens.h): looked up, and waited
 * for where none has been given yet.
 *
 *     access_token_await(call, on_token);  // call->token; at once where none is needed, or one is there
 *     access_token_refused(call);          // the provider did not take it: another is asked for
 *
 * It is waited LIMIT_ACCESS_TOKEN_WAIT_MS at most, and not at all where the last question for one has failed: then
 * on_token has FAULT_UPSTREAM_ACCOUNT, and another target may serve. Whoever stops the call (call_stop()) ends the
 * wait.
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_ACCESS_TOKEN_H
#define MOONGATE_FLOW_ACCESS_TOKEN_H

#include "flow/call.h"

/* why NULL: the call may go out. */
typedef void (*access_token_fn)(struct job *job, const struct fault *why);

void access_token_await(struct call *call, access_token_fn then);
void access_token_refused(const struct call *call);

#endif
