/*
 * Counts the request's tokens before anybody decides on them, in the vocabulary of the first target that it may lead to
 * (exchange/terms.h); a target of another one is counted for before it is called. What is above every context of the
 * catalogue is not counted to its end: no target takes it.
 *
 *     estimate(job);     // goes on with decide(), perhaps in a later turn
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_ESTIMATE_H
#define MOONGATE_FLOW_ESTIMATE_H

#include "flow/job.h"

void estimate(struct job *job);

#endif
