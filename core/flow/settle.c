#include "flow/settle.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/account.h"
#include "flow/ask.h"
#include "flow/audit.h"
#include "flow/call.h"
#include "flow/metrics.h"

static void job_free(void *arg)
{
    struct job *job = arg;
    struct flow *flow = job->flow;
    call_free(job->call);
    intake_leave(&job->hold);
    settings_unref(job->settings);
    policy_set_unref(job->policies);
    exchange_free(job->x);
    mem_free(job);
    flow->on_job_gone(flow);
}

static void record(struct flow *flow, const struct exchange *x)
{
    metrics_count(flow->metrics, x);
    audit_add(flow->audit, x);
}

static void finish(struct job *job)
{
    if (!job->is_unrecorded) record(job->flow, job->x);
    exchange_move(job->x, EXCHANGE_RECORDED);
    list_remove(&job->link);
    loop_defer(job->flow->parts.loop, job_free, job);
}

/* on_done's word counts for nothing; what it could not do was logged. */
static void on_done(struct job *job, const struct verdict *answer)
{
    if (answer->kind == VERDICT_FAULT)
        log_event(LOG_ERROR, "policy_error", "%s: %.*s", job->x->id, SLICE_FMT(answer->fault_text));
    finish(job);
}

/* Requests that the policies never saw are none of theirs. */
static void ask_done(struct job *job)
{
    if (job->x->entered_ns[EXCHANGE_DECIDING] && policy_has(job->policies, PHASE_DONE))
        ask(job, (struct policy_call){.phase = PHASE_DONE}, on_done);
    else
        finish(job);
}

static void on_response(struct job *job, const struct verdict *answer)
{
    if (answer->kind == VERDICT_FAULT)
        log_event(LOG_ERROR, "policy_error", "%s: %.*s", job->x->id, SLICE_FMT(answer->fault_text));
    ask_done(job);
}

static const struct relay *relay_of(const struct job *job)
{
    return job->call ? job->call->relay : NULL;
}

/* Of a stream that nobody held, now that the client has its last byte. */
static bool is_response_due(const struct job *job)
{
    const struct relay *relay = relay_of(job);
    if (job->x->outcome != OUTCOME_OK || !relay || !policy_has(job->policies, PHASE_RESPONSE)) return false;
    struct relay_report told = relay_report(relay);
    return told.is_stream && !told.is_judged;
}

void job_end(struct job *job, enum exchange_outcome outcome)
{
    struct exchange *x = job->x;
    check(!job->is_ended);
    job->is_ended = true;
    job_stop(job);
    exchange_end_attempt(x, x->fault.code);
    exchange_move(x, EXCHANGE_SETTLING);
    x->outcome = outcome;
    account_settle(x, relay_of(job));
    if (is_response_due(job))
        ask(job, (struct policy_call){.phase = PHASE_RESPONSE, .is_sent = true}, on_response);
    else
        ask_done(job);
}

void job_hurry(struct job *job)
{
    job_stop(job);
    finish(job);
}
