/*
 * How durable a request's record must be before its client has the whole answer, and which answers wait for that.
 *
 *     if (durable_is_failing(job)) …                   // it must not be sent: there would be no record of it
 *     if (durable_hold_end(job)) conn_reply(…);        // stays here until the record is written (flow/settle.h)
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_DURABLE_H
#define MOONGATE_FLOW_DURABLE_H

#include "flow/job.h"

/* What its policies want, else what moongate.lua says; never DURABILITY_UNSAID. */
enum durability durable_wanted(const struct job *job);
/* A record like that cannot be had now. */
bool durable_is_failing(const struct job *job);
/* What the client gets from now on waits for the record. False: it waits for nothing, as does the answer that there is
 * no record to be had (FAULT_LEDGER). Welcome more than once. */
bool durable_hold_end(struct job *job);
/* Nothing was paid for, and the ledger takes no record now: only that is answered. */
bool durable_is_pointless(const struct job *job);

#endif
