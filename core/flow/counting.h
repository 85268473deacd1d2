/*
 * Counts a request's tokens between turns of the loop: some thousands of bytes at a time, and all requests of a worker
 * together no longer than a few milliseconds a turn, so that neither a long prompt nor many at once hold up the others.
 *
 *     counting_run(job, then);                      // job->x->count to its end, then(job): at once, or in a later turn
 *     counting_for_target(job, target, then);       // the same where that target counts in a vocabulary of its own
 *     counting_steps(job, step, then);              // other work on its body, in turns with those
 *
 * job->stop is this room's while a job waits; `then` finds it cleared, or as it was when nothing had to be waited for.
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_COUNTING_H
#define MOONGATE_FLOW_COUNTING_H

#include "flow/job.h"

void counting_run(struct job *job, void (*then)(struct job *job));
/* step: some thousands of bytes; true when it is done. */
void counting_steps(struct job *job, bool (*step)(struct job *job), void (*then)(struct job *job));
void counting_for_target(struct job *job, const struct target *target, void (*then)(struct job *job));

/* Of a flow: who waits for the next turn. */
void counting_init(struct flow *flow);
void counting_clear(struct flow *flow); /* nobody waits any more */

#endif
