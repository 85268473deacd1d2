/*
 * Whose request it is: an API key's SHA-256 names a record, or a token's claims make one. Policies never see either.
 * Asked with the head, before there is a body to keep.
 *
 *     identify(job, then);     // then(job), perhaps later
 *     identify_again(job);     // the keys that it waited for have come, or will not
 *     if (identify_is_refused(job)) … nobody need wait for the body …
 *
 * A token whose issuer's keys are not here, or have none of its id, makes the request wait while the admin process
 * fetches them: a change of keys at the issuer is not noticed by callers. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_IDENTIFY_H
#define MOONGATE_FLOW_IDENTIFY_H

#include "flow/job.h"

void identify(struct job *job, void (*then)(struct job *job));
void identify_again(struct job *job);
/* The policies will refuse it, whatever else is in it: they ask for a credential, and there is no good one. */
bool identify_is_refused(const struct job *job);

#endif
