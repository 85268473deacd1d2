/*
 * Puts a question to the policies and goes on when they have answered: one slice a turn of the loop, so that a long
 * evaluation never holds up its neighbours, and none at all while they wait for a service.
 *
 *     ask(job, (struct policy_call){.phase = PHASE_REQUEST}, on_decided);
 *
 * One question a job at a time. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_ASK_H
#define MOONGATE_FLOW_ASK_H

#include "flow/job.h"

/* then(job, answer) when they have answered, which may be before this returns; the answer is borrowed for that call.
 * The caller sets phase, delta, is_sent. */
void ask(struct job *job, struct policy_call how, answer_fn then);
/* Whatever is being asked is not wanted any more. */
void ask_cancel(struct job *job);

#endif
