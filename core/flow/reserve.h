/*
 * What a request's budgets hold while its targets are called: for each attempt what it may cost by its own target's
 * price, beside what those before have cost; of a stream whose policy wants it a slice at a time, one more whenever
 * half of the last one is used.
 *
 *     reserve_attempt(job, then);           // then(job, no): NULL, or nobody is to be called and it is the refusal
 *     if (!reserve_stream(job, &no)) …      // after each piece of an answer: it is to end here
 *
 * `then` comes at once, or when counters in Redis have answered: job->stop is how that is not waited for any more. A
 * stream never waits: what was answered meanwhile counts at its next piece.
 *
 * Where a budget has no room for another slice, smaller ones are asked for, down to a sixteenth. A stream that its
 * policy lets finish goes on without, and is charged for what it comes to: an overrun that max_tokens bounds. One that
 * is to be cut uses up what it holds, and ends where the next read, as large as the last, would go beyond. Both are
 * said in the trace, once, and counted. An answer that ends before Redis has said whether there is room is neither: it
 * is charged for what it came to, and nothing is asked for it any more. While the counters cannot be asked nothing more
 * is held, and nothing ends.
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_RESERVE_H
#define MOONGATE_FLOW_RESERVE_H

#include "flow/job.h"

/* For job->x->target_index. The words of *no live as long as the exchange. */
void reserve_attempt(struct job *job, reserve_fn then);
bool reserve_stream(struct job *job, struct verdict *no);

#endif
