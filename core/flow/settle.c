/* The one exit: every exchange passes here once, whatever its ending, and leaves with its record. */
#include "flow/job.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/metrics.h"
#include "flow/record.h"

static void job_free(void *arg)
{
    struct job *job = arg;
    struct flow *flow = job->flow;
    stream_reset(job);
    settings_unref(job->settings);
    policy_set_unref(job->policies);
    exchange_free(job->x);
    mem_free(job);
    flow_job_gone(flow);
}

static void take_stream_facts(struct job *job)
{
    struct exchange *x = job->x;
    if (!job->dialect) return;
    x->usage = job->told.usage;
    x->response.finish_reason = arena_copy(&x->arena, slice_str(job->told.finish_reason));
}

static void record(struct flow *flow, const struct exchange *x)
{
    metrics_count(flow->metrics, x);
    if (record_write(flow->parts.audit_fd, x)) return;
    metrics_audit_failed(flow->metrics);
    log_event(LOG_ERROR, "audit_write_failed", "%s: its record is lost; is the disk full?", x->id);
}

void job_end(struct job *job, enum exchange_outcome outcome)
{
    struct exchange *x = job->x;
    struct flow *flow = job->flow;
    check(!job->is_ended);
    job->is_ended = true;
    decide_cancel(job);
    call_cancel(job);
    loop_timer_disarm(&job->keepalive);

    exchange_move(x, EXCHANGE_SETTLING);
    x->outcome = outcome;
    take_stream_facts(job);
    if (!job->is_unrecorded) record(flow, x);
    exchange_move(x, EXCHANGE_RECORDED);
    list_remove(&job->link);
    loop_defer(flow->parts.loop, job_free, job);
}
