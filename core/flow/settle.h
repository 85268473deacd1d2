/*
 * The one exit: every exchange passes here once, whatever its ending, and leaves with its record.
 *
 *     job_end(job, OUTCOME_OK);      // on_response and on_done have their say, it is counted and recorded; job goes
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_SETTLE_H
#define MOONGATE_FLOW_SETTLE_H

#include "flow/job.h"

/* Exactly once. */
void job_end(struct job *job, enum exchange_outcome outcome);
/* job_end() was called and policies are still at work: cuts them short, and the record is written. */
void job_hurry(struct job *job);

#endif
