/*
 * Whose request it is: an API key's SHA-256 names a record, or a token's claims make one. Policies never see either.
 *
 *     identify(job);           // goes on with estimate(), perhaps later
 *     identify_again(job);     // the keys that it waited for have come, or will not
 *
 * A token whose issuer's keys are not here, or have none of its id, makes the request wait while the admin process
 * fetches them: a change of keys at the issuer is not noticed by callers. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_IDENTIFY_H
#define MOONGATE_FLOW_IDENTIFY_H

#include "flow/job.h"

void identify(struct job *job);
void identify_again(struct job *job);

#endif
