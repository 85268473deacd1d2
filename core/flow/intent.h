/*
 * Before a provider is called: whether that may be recorded at all, and, where a policy wants it, a row of it first, so
 * that even a crash in the middle of the answer leaves who asked for what.
 *
 *     intent_first(job, attempt_first);     // or a refusal: FAULT_LEDGER
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_INTENT_H
#define MOONGATE_FLOW_INTENT_H

#include "flow/job.h"

/* then(job), maybe before this returns; another answer when there can be no record, or no row in
 * its time (timeouts.record). */
void intent_first(struct job *job, void (*then)(struct job *job));
/* The ledger takes records again, or takes none: who waits for a row in vain is refused. */
void intent_ledger_changed(struct job *job);

#endif
