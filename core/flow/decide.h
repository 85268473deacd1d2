/*
 * Lets the policies decide, and does what they say.
 *
 *     decide(job);     // goes on with attempt_first(), or with a reply
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_DECIDE_H
#define MOONGATE_FLOW_DECIDE_H

#include "flow/job.h"

void decide(struct job *job);

#endif
