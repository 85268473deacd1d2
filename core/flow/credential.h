/*
 * Answers that are about the credentials that the gateway has sent, never about the caller's: what is logged of them,
 * and what the caller is told.
 *
 *     if (credential_is_refused(head->status)) …
 *     credential_report(job, head->status);         // counted, and logged for whoever runs the gateway
 *     credential_fault(job, head->status, &why);    // FAULT_UPSTREAM_ACCOUNT, for the caller
 *
 * All are of job->call. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_CREDENTIAL_H
#define MOONGATE_FLOW_CREDENTIAL_H

#include "flow/call.h"

bool credential_is_refused(int status);
void credential_report(struct job *job, int status);
/* The provider's own words are about the gateway's key, and may repeat it: they are not told. */
void credential_fault(const struct job *job, int status, struct fault *why);
/* The attempt is over, and the caller is told so. */
void credential_refuse(struct job *job, int status);

#endif
