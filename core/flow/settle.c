#include "flow/settle.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/account.h"
#include "flow/ask.h"
#include "flow/breaking.h"
#include "flow/call.h"
#include "flow/durable.h"
#include "flow/earlier.h"
#include "flow/holds.h"
#include "flow/keepalive.h"
#include "flow/metrics.h"
#include "flow/owning.h"

static void job_free(void *arg)
{
    struct job *job = arg;
    struct flow *flow = job->flow;
    call_free(job->call);
    earlier_free(job);
    intake_leave(&job->hold);
    settings_unref(job->settings);
    policy_set_unref(job->policies);
    exchange_free(job->x);
    mem_free(job);
    flow->on_job_gone(flow);
}

static void leave(struct job *job)
{
    recorder_cancel(job->flow->recorder, &job->end.record);
    owning_leave(job);
    loop_timer_disarm(&job->timer);
    keepalive_end(job);
    list_remove(&job->link);
    loop_defer(job->flow->parts.loop, job_free, job);
}

/* The client must not take what it has for all of it. */
static void break_off(struct job *job)
{
    conn_abort(job->conn);
    job->conn = NULL;
    leave(job);
}

static void on_known(void *arg)
{
    struct job *job = arg;
    loop_timer_disarm(&job->timer);
    keepalive_end(job);
    conn_release_end(job->conn); /* then job_client_left() */
}

/* The client's next turn may come to another gateway of the fleet. */
static void on_recorded(void *arg)
{
    struct job *job = arg;
    if (owning_is_known(job, on_known)) on_known(job);
}

static void on_waited(void *arg)
{
    struct job *job = arg;
    log_event(LOG_ERROR, "record_late", "%s: its record is not written yet, and its client was broken off",
              job->x->id);
    break_off(job);
}

/* Of a record that nobody waits for: what was made is to be known all the same. */
static void on_unwaited(void *arg)
{
    on_recorded(arg);
}

static bool record(struct job *job)
{
    struct exchange *x = job->x;
    struct recorder_entry entry = {.kind = CHAIN_EXCHANGE, .durability = durable_wanted(job), .x = x};
    x->decision.record.durability = entry.durability;
    job->end.record = (struct recorder_wait){.fn = on_recorded, .arg = job};
    metrics_count(job->flow->metrics, x);
    return recorder_add(job->flow->recorder, &entry, job->conn ? &job->end.record : NULL);
}

static void finish(struct job *job)
{
    bool is_kept = job->is_unrecorded || record(job);
    exchange_move(job->x, EXCHANGE_RECORDED);
    if (!job->conn) {
        leave(job);
    } else if (!is_kept) {
        break_off(job);
    } else {
        bool is_waited = durable_wanted(job) != DURABILITY_ASYNC;
        loop_timer_init(&job->timer, job->flow->parts.loop, is_waited ? on_waited : on_unwaited, job);
        loop_timer_arm_ms(&job->timer, is_waited ? job->settings->record_timeout_ms : 0);
        keepalive_wait(job);
    }
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

/* Of a stream that nobody held, now that its client has all of it but what waits for the record. */
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
    check(!job->end.is_over);
    job->end.is_over = true;
    job_stop(job);
    breaking_leave(job);
    exchange_end_attempt(x, x->fault.code);
    exchange_move(x, EXCHANGE_SETTLING);
    x->outcome = outcome;
    account_settle(x, relay_of(job));
    holds_close(job); /* hooks that have their say now change nothing of it */
    if (is_response_due(job))
        ask(job, (struct policy_call){.phase = PHASE_RESPONSE, .is_sent = true}, on_response);
    else
        ask_done(job);
}

void job_client_left(struct job *job)
{
    job->conn = NULL;
    if (job->x->state == EXCHANGE_RECORDED) leave(job);
}

void job_hurry(struct job *job)
{
    bool is_recorded = job->x->state == EXCHANGE_RECORDED;
    if (job->conn) conn_abort(job->conn);
    job->conn = NULL;
    job_stop(job);
    if (is_recorded)
        leave(job);
    else
        finish(job);
}
