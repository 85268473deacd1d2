/*
 * Masks in the answer what its policy says, and gives the caller back what was masked in the request, before anybody
 * else reads it: policies that judge the answer see it as the client will.
 *
 * What cannot be read cannot be masked: such an answer is refused (judge_refuse), never let through.
 */
#include "flow/job.h"

#include "wire/redact_answer.h"

bool redact_reads(const struct job *job)
{
    const struct exchange *x = job->x;
    if (!x->decision.redact || x->api == API_EMBEDDINGS) return false; /* numbers */
    const struct redact_rules *rules = redact_rules_of(x->decision.redact);
    return rules->response_finds || (rules->is_restoring && redact_masks(x->decision.redact));
}

static void on_relay(void *arg, const struct sse_event *event)
{
    stream_relay(arg, event);
}

static void on_out(void *arg, struct slice bytes, bool is_tail)
{
    struct job *job = arg;
    if (!job->conn || job->is_refused) return;
    if (!judge_reads(job)) {
        if (is_tail)
            buf_append(&job->answer, bytes);
        else
            stream_forward(job, bytes);
        return;
    }
    /* They read events, and these are no longer the provider's. */
    if (!job->redacted) job->redacted = sse_new();
    sse_feed(job->redacted, bytes, on_relay, job);
    if (is_tail) sse_finish(job->redacted, on_relay, job);
}

void redact_event(struct job *job, const struct sse_event *event)
{
    struct fault why;
    if (!job->redacting) job->redacting = redact_stream_new(job->x->decision.redact);
    if (!redact_stream_event(job->redacting, event, on_out, job, &why)) judge_refuse(job, why.text);
}

void redact_flush(struct job *job)
{
    if (job->redacting) redact_stream_flush(job->redacting, on_out, job);
}

bool redact_whole(struct job *job)
{
    struct buf answer;
    if (job->is_encoded) {
        judge_refuse(job, "the provider's answer has a content coding, and cannot be redacted");
        return false;
    }
    buf_init(&answer);
    if (redact_answer(job->x->decision.redact, buf_slice(&job->answer), &answer)) {
        buf_clear(&job->answer);
        job->answer = answer;
    }
    return true;
}

void redact_drop(struct job *job)
{
    redact_stream_free(job->redacting);
    sse_free(job->redacted);
    job->redacting = NULL;
    job->redacted = NULL;
}
