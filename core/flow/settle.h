/*
 * The one exit: every exchange passes here once, whatever its ending, and leaves with its record. Where its client's
 * last bytes are held back (flow/durable.h) they go when the record is written; a client that leaves before changes
 * nothing of it, and one whose record is not written in its time (timeouts.record) is broken off.
 *
 *     job_end(job, OUTCOME_OK);      // on_response and on_done have their say, it is counted and recorded; job goes
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_SETTLE_H
#define MOONGATE_FLOW_SETTLE_H

#include "flow/job.h"

/* Exactly once: the client is gone, or has its answer, or has all of it but what is held back. */
void job_end(struct job *job, enum exchange_outcome outcome);
/* job_end() was called, and its client has the rest now, or has gone without. */
void job_client_left(struct job *job);
/* job_end() was called: policies that are still at work are cut short, and a client that waits is broken off. */
void job_hurry(struct job *job);

#endif
