/*
 * A file that a batch is to be made of is read line by line (exchange/lines.h), in turns of the loop, before it is
 * counted and decided on: what its lines ask for is asked for by the file.
 *
 *     batched_first(job, then);      // then(job), or a refusal; at once where it is no such file
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_BATCHED_H
#define MOONGATE_FLOW_BATCHED_H

#include "flow/job.h"

void batched_first(struct job *job, void (*then)(struct job *job));

#endif
