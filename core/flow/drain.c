#include "flow/drain.h"

#include "flow/account.h"
#include "flow/settle.h"

static void on_time(void *arg)
{
    job_end(arg, OUTCOME_CLIENT_CLOSED);
}

static bool may_drain(const struct job *job)
{
    const struct exchange *x = job->x;
    bool is_called = job->call && job->call->fetch && (x->state == EXCHANGE_CALLING || x->state == EXCHANGE_STREAMING);
    bool is_over = is_called && job->call->relay && relay_is_over(job->call->relay);
    return is_called && !is_over && x->decision.drain_seconds_max && !job->flow->is_draining;
}

bool drain_begin(struct job *job)
{
    struct call *call = job->call;
    if (!may_drain(job)) return false;
    call->is_drained = job->x->is_drained = true;
    if (call->relay) relay_detach(call->relay);
    loop_timer_disarm(&call->timer);
    loop_timer_init(&call->timer, job->flow->parts.loop, on_time, job);
    loop_timer_arm_ms(&call->timer, (uint64_t)job->x->decision.drain_seconds_max * 1000);
    if (call->is_paused) fetch_resume(call->fetch);
    call->is_paused = false;
    return true;
}

bool drain_is_on(const struct job *job)
{
    return job->call && job->call->is_drained;
}

bool drain_is_enough(const struct call *call)
{
    const struct exchange *x = call->job->x;
    return account_output_tokens(x, call->relay) >= x->decision.drain_tokens_max;
}
