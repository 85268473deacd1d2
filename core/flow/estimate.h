/*
 * Counts the request's tokens before anybody decides on them: some thousands of bytes at a time, and never longer than a
 * few milliseconds a turn of the loop, so that a long prompt holds up nobody else. What is above every context of the
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
