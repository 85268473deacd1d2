/*
 * Reads an answer on although its client has gone, where a policy wants the provider's own numbers for it: within its
 * bounds of time and tokens, and then as if the call had been cancelled. Nothing is relayed, judged or tried again.
 */
#include "flow/job.h"

#include "base/limits.h"
#include "base/mem.h"

struct drained {
    struct loop_timer timer;
};

static void end(struct job *job)
{
    job_end(job, OUTCOME_CLIENT_CLOSED);
}

static void on_time(void *arg)
{
    end(arg);
}

bool drain_begin(struct job *job)
{
    struct exchange *x = job->x;
    bool is_called = job->fetch && (x->state == EXCHANGE_CALLING || x->state == EXCHANGE_STREAMING);
    if (!is_called || !x->decision.drain_seconds_max || job->is_refused || job->flow->is_draining) return false;
    job->drained = mem_zalloc(1, sizeof *job->drained);
    x->is_drained = true;
    loop_timer_disarm(&job->keepalive);
    ask_cancel(job);
    judge_drop(job);
    redact_drop(job);
    loop_timer_init(&job->drained->timer, job->flow->parts.loop, on_time, job);
    loop_timer_arm_ms(&job->drained->timer, (uint64_t)x->decision.drain_seconds_max * 1000);
    if (job->is_paused) fetch_resume(job->fetch);
    job->is_paused = false;
    return true;
}

void drain_head(struct job *job, const struct fetch_head *head)
{
    exchange_attempt(job->x)->status = head->status;
    stream_choose(job, head);
}

static void on_event(void *arg, const struct sse_event *event)
{
    stream_read(arg, event);
}

static void read_events(struct job *job, struct slice data)
{
    if (!job->sse) job->sse = sse_new();
    sse_feed(job->sse, data, on_event, job);
}

static void keep(struct job *job, struct slice data)
{
    if (buf_len(&job->answer) + data.len > LIMIT_RESPONSE_INSPECT_BYTES) {
        job->mode = RELAY_RAW;
        buf_clear(&job->answer);
    } else {
        buf_append(&job->answer, data);
    }
}

void drain_data(struct job *job, struct slice data)
{
    switch (job->mode) {
    case RELAY_NONE:
    case RELAY_RAW: break;
    case RELAY_SNIFFING:
    case RELAY_WHOLE: keep(job, data); break;
    case RELAY_EVENTS: read_events(job, data); break;
    }
    if (account_output_tokens(job) >= job->x->decision.drain_tokens_max) end(job);
}

void drain_end(struct job *job, const struct fault *why)
{
    call_ended(job, why ? why->code : FAULT_NONE);
    if (job->mode == RELAY_EVENTS && job->sse) sse_finish(job->sse, on_event, job);
    if (job->mode == RELAY_SNIFFING || job->mode == RELAY_WHOLE) stream_read_whole(job);
    end(job);
}

/* Its timer may be the one that is running. */
void drain_drop(struct job *job)
{
    if (!job->drained) return;
    loop_timer_disarm(&job->drained->timer);
    loop_defer(job->flow->parts.loop, mem_free, job->drained);
    job->drained = NULL;
}
