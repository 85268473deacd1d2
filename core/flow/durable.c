#include "flow/durable.h"

#include "flow/owning.h"

enum durability durable_wanted(const struct job *job)
{
    enum durability wanted = job->x->decision.record.durability;
    return wanted == DURABILITY_UNSAID ? (enum durability)job->settings->durability : wanted;
}

bool durable_is_failing(const struct job *job)
{
    return recorder_is_failing(job->flow->recorder, durable_wanted(job));
}

bool durable_is_pointless(const struct job *job)
{
    return !job->is_unrecorded && !exchange_attempt(job->x) && durable_is_failing(job);
}

bool durable_hold_end(struct job *job)
{
    if (job->end.is_held) return true;
    bool is_told = job->x->fault.code == FAULT_LEDGER;
    bool waits = durable_wanted(job) != DURABILITY_ASYNC || owning_is_behind(job);
    if (job->is_unrecorded || !waits || is_told) return false;
    conn_hold_end(job->conn);
    job->end.is_held = true;
    return true;
}
