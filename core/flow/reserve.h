/*
 * What a request's budgets hold while its targets are called: for each attempt what it may cost by its own target's
 * price, beside what those before have cost; of a stream whose policy wants it a slice at a time, one more whenever
 * half of the last one is used.
 *
 *     if (!reserve_attempt(job, target, &no)) …   // nobody is to be called: `no` is the budget's own refusal
 *     if (!reserve_stream(job, &no)) …            // after each piece of an answer: it is to end here
 *
 * Where a budget has no room for another slice, smaller ones are asked for, down to a sixteenth. A stream that its
 * policy lets finish goes on without, and is charged for what it comes to: an overrun that max_tokens bounds. One that
 * is to be cut uses up what it holds, and ends where the next read, as large as the last, would go beyond. Both are
 * said in the trace, once, and counted. While the counters cannot be asked nothing more is held, and nothing ends.
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_RESERVE_H
#define MOONGATE_FLOW_RESERVE_H

#include "flow/job.h"

/* The words of *no live as long as the exchange. */
bool reserve_attempt(struct job *job, const struct target *target, struct verdict *no);
bool reserve_stream(struct job *job, struct verdict *no);

#endif
