#include "flow/intent.h"

#include "flow/durable.h"
#include "flow/metrics.h"
#include "flow/reply.h"

/* Written before it is sent, in any case; in PostgreSQL where the record must be. */
static enum durability durability_of(const struct job *job)
{
    return durable_wanted(job) == DURABILITY_REMOTE ? DURABILITY_REMOTE : DURABILITY_LOCAL;
}

static void cancel(struct job *job)
{
    recorder_cancel(job->flow->recorder, &job->end.record);
    loop_timer_disarm(&job->timer);
}

static void refuse(struct job *job)
{
    struct fault why = {.code = FAULT_LEDGER};
    reply_fault(job, &why);
}

static void on_late(void *arg)
{
    refuse(arg);
}

static void on_written(void *arg)
{
    struct job *job = arg;
    void (*then)(struct job *) = job->wait.then;
    loop_timer_disarm(&job->timer);
    job->stop = NULL;
    then(job);
}

static bool add(struct job *job)
{
    struct exchange *x = job->x;
    struct recorder_entry entry = {.kind = CHAIN_INTENT, .durability = durability_of(job), .x = x};
    x->decision.record.durability = durable_wanted(job);
    job->end.record = (struct recorder_wait){.fn = on_written, .arg = job};
    x->outcome = OUTCOME_INTENT;
    bool is_kept = recorder_add(job->flow->recorder, &entry, &job->end.record);
    x->outcome = OUTCOME_NONE;
    return is_kept;
}

static void write_row(struct job *job, void (*then)(struct job *job))
{
    job->wait.then = then;
    job->stop = cancel;
    loop_timer_init(&job->timer, job->flow->parts.loop, on_late, job);
    loop_timer_arm_ms(&job->timer, job->settings->record_timeout_ms);
    if (!add(job)) refuse(job);
}

static bool is_failing(const struct job *job)
{
    return durable_is_failing(job) ||
           (job->x->decision.record.has_intent && recorder_is_failing(job->flow->recorder, durability_of(job)));
}

/* What cannot be recorded is not sent. */
void intent_first(struct job *job, void (*then)(struct job *job))
{
    if (is_failing(job)) {
        refuse(job);
        return;
    }
    if (recorder_is_failing(job->flow->recorder, DURABILITY_LOCAL)) metrics_record_unwritten(job->flow->metrics);
    if (job->x->decision.record.has_intent)
        write_row(job, then);
    else
        then(job);
}

void intent_ledger_changed(struct job *job)
{
    if (job->stop == cancel && is_failing(job)) refuse(job);
}
