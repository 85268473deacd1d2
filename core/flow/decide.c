/* Lets the policies decide, one slice a turn of the loop, so that a long evaluation never holds up its neighbours. */
#include "flow/job.h"

#include "base/log.h"
#include "flow/reply.h"

static void act(struct job *job)
{
    const struct verdict *v = &job->x->verdict;
    switch (v->kind) {
    case VERDICT_ALLOW:
        if (job->x->api == API_MODELS || job->x->api == API_MODEL)
            reply_models(job);
        else
            call(job, 0);
        return;
    case VERDICT_DENY: reply_denied(job); return;
    case VERDICT_NONE:
    case VERDICT_FAULT: {
        struct fault why = {.code = FAULT_POLICY};
        log_event(LOG_ERROR, "policy_error", "%s: %.*s", job->x->id, SLICE_FMT(v->fault_text));
        reply_fault(job, &why);
        return;
    }
    }
}

static void step(void *arg)
{
    struct job *job = arg;
    switch (policy_eval_step(job->eval)) {
    case POLICY_MORE: loop_timer_arm_ms(&job->decide_timer, 0); return;
    case POLICY_DONE:
        decide_cancel(job);
        act(job);
        return;
    }
}

void decide(struct job *job)
{
    exchange_move(job->x, EXCHANGE_DECIDING);
    loop_timer_init(&job->decide_timer, job->flow->parts.loop, step, job);
    job->eval = policy_decide(job->policies, job->x);
    step(job);
}

void decide_cancel(struct job *job)
{
    if (!job->eval) return;
    loop_timer_disarm(&job->decide_timer);
    policy_eval_free(job->eval);
    job->eval = NULL;
}
