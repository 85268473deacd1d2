/*
 * Calls the targets that were decided on, one after the other: which is called, whether another is worth it, and what
 * becomes of the answer. A target that cannot be reached, or is overloaded, gives way to the next while nothing has
 * been sent to the client.
 *
 *     attempt_first(job);                               // decide: the verdict is to let it through
 *     attempt_cut(job, &why, OUTCOME_DRAINED);          // from the gateway's side, once the answer has begun
 *
 * The attempts' own facts are the exchange's (exchange/attempt.h). Private to core/flow.
 */
#ifndef MOONGATE_FLOW_ATTEMPT_H
#define MOONGATE_FLOW_ATTEMPT_H

#include "flow/job.h"

void attempt_first(struct job *job);
/* Ends an answer that has begun with the dialect's error event, or by breaking the connection where none can be told;
 * nothing happens when its last bytes are on their way. */
void attempt_cut(struct job *job, const struct fault *why, enum exchange_outcome outcome);

#endif
