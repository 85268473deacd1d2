/*
 * What somebody's switches of provider accounts (store/provider_switches.h) mean for a request: the targets of one that
 * is off are passed over, the trace says so, and where nothing else is left the refusal does.
 *
 *     if (switched_is_off(job, i)) …          // that target is not to be called
 *     switched_pass(job, i);                  // another is, and the trace says why
 *     if (switched_refuse(job)) return;       // no target is left, by a switch
 *     each job: switched_cuts(job, &why)      // its call is to end: the account was cut
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_SWITCHED_H
#define MOONGATE_FLOW_SWITCHED_H

#include "flow/job.h"

bool switched_is_off(const struct job *job, size_t target);
/* Once for each target. */
void switched_pass(struct job *job, size_t target);
/* False: it is not by a switch that none is left. */
bool switched_refuse(struct job *job);
/* True: the call under way is to one that was switched off with all that runs there; *why says so. */
bool switched_cuts(const struct job *job, struct fault *why);

#endif
