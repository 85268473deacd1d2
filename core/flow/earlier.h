/*
 * What the last call came to that another target was to make good: where none can be asked after all, the caller is
 * told of that call, and not why the others were passed over. His request was good, and 429 or 503 says that it may be
 * sent again.
 *
 *     earlier_keep_answer(job, head);      // its provider answered with a failure, whose body nobody waits for
 *     earlier_keep_fault(job, &why);       // it came to no answer
 *     if (earlier_reply(job)) return;      // nobody else can be asked; false: no call was made before
 *
 * Kept in the exchange's arena. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_EARLIER_H
#define MOONGATE_FLOW_EARLIER_H

#include "flow/call.h"

/* Of job->call. When to come again is kept as the provider says it. */
void earlier_keep_answer(struct job *job, const struct fetch_head *head);
void earlier_keep_fault(struct job *job, const struct fault *why);
bool earlier_reply(struct job *job);

#endif
