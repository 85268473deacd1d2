/*
 * What the circuit breakers of provider accounts (store/breaker.h) say of a request's targets, and what its calls say
 * to them.
 *
 *     if (breaking_is_open(job, i)) …      // another target comes first
 *     breaking_pass(job, i);               // it does, and the trace says so
 *     breaking_begin(job, i);              // this one is to be called: perhaps as its account's probe
 *     breaking_head(job, is_failure);      // the call's head
 *     breaking_told(job, is_limited);      // … the answer's own word that it failed, under a status that it did not
 *     breaking_end(job, why);              // … its end; NULL: it came to it
 *     breaking_leave(job);                 // nobody is called after all, or no more comes of it
 *     breaking_renew(flow);                // now and then: the probes of this worker are still under way
 *
 * Failures are: not reached, no answer in time, 5xx, the account refused, also where an error under 200 says so. A 429
 * says only that the account is there, and so does every other 4xx: those are the caller's. A call counts once. Whoever
 * opens or closes a breaker logs it. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_BREAKING_H
#define MOONGATE_FLOW_BREAKING_H

#include "flow/job.h"

bool breaking_is_open(const struct job *job, size_t target);
/* Once for each target. */
void breaking_pass(struct job *job, size_t target);
void breaking_begin(struct job *job, size_t target);
void breaking_head(struct job *job, bool is_failure);
void breaking_told(void *job, bool is_limited);
void breaking_end(struct job *job, const struct fault *why);
void breaking_leave(struct job *job);
void breaking_renew(struct flow *flow);

#endif
