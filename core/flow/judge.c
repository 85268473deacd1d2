/*
 * What waits for the policies' word before it goes to the client. Text of a stream is judged in batches (on_delta), so
 * whole events are held until theirs was let through; a stream that some on_response wants whole is held to its end, and
 * an answer in one piece until on_response has spoken. Nothing that was refused has left.
 */
#include "flow/job.h"

#include "base/limits.h"
#include "base/mem.h"
#include "flow/reply.h"

static bool is_buffered(const struct job *job)
{
    return policy_buffers(job->policies) && policy_has(job->policies, PHASE_RESPONSE);
}

bool judge_reads(const struct job *job)
{
    return policy_has(job->policies, PHASE_DELTA) || policy_has(job->policies, PHASE_RESPONSE);
}

bool judge_holds(const struct job *job)
{
    return policy_has(job->policies, PHASE_DELTA) || is_buffered(job);
}

/* Most answers are never judged, and carry none. */
static struct judging *open_judging(struct job *job)
{
    if (job->judging) return job->judging;
    job->judging = mem_zalloc(1, sizeof *job->judging);
    return job->judging;
}

/* Its timer may be the one that is running, and callers further out may still look at it. */
void judge_drop(struct job *job)
{
    struct judging *j = job->judging;
    if (!j) return;
    if (j->is_asking) ask_cancel(job);
    job->judging = NULL;
    loop_timer_disarm(&j->timer);
    buf_clear(&j->held);
    buf_clear(&j->text);
    buf_clear(&j->judged);
    loop_defer(job->flow->parts.loop, mem_free, j);
}

/* A refusal that has nothing to do with what was said: the answer is none that the policies can read. */
void judge_refuse(struct job *job, const char *text)
{
    struct verdict fault = {.kind = VERDICT_FAULT, .fault_text = slice_str(text)};
    stream_refuse(job, &fault);
}

/* --- batches of a stream --- */

static void ask_delta(struct job *job);

/* What was let through goes out, unless all of it must wait for the end. */
static void release(struct job *job)
{
    struct judging *j = job->judging;
    if (is_buffered(job)) return;
    stream_forward(job, slice_of(buf_ptr(&j->held), j->asked));
    buf_consume(&j->held, j->asked);
}

/* Events without text need no question; they only keep their place. Before anything has left they wait a moment for the
 * first text, so that its refusal can have a status of its own. */
static void go_on(struct job *job)
{
    struct judging *j = job->judging;
    bool has_text = buf_len(&j->text) > 0, is_committed = job->x->state == EXCHANGE_STREAMING;
    if (j->is_asking) return;
    j->asked = buf_len(&j->held);
    if (has_text && (buf_len(&j->text) >= LIMIT_DELTA_BYTES || j->has_ended)) {
        ask_delta(job);
    } else if (!has_text && (is_committed || j->has_ended)) {
        release(job);
        if (j->has_ended) judge_finish(job);
    } else if (!loop_timer_is_armed(&j->timer)) {
        loop_timer_arm_ms(&j->timer, LIMIT_DELTA_MS);
    }
}

static void on_judged(struct job *job, const struct verdict *answer)
{
    struct judging *j = job->judging;
    buf_clear(&j->judged);
    j->is_asking = false;
    if (answer->kind != VERDICT_ALLOW) {
        stream_refuse(job, answer);
        return;
    }
    release(job);
    go_on(job);
    if (!job->is_ended && job->conn) stream_let_flow(job);
}

static void ask_delta(struct job *job)
{
    struct judging *j = job->judging;
    loop_timer_disarm(&j->timer);
    j->asked = buf_len(&j->held);
    j->judged = j->text;
    buf_init(&j->text);
    j->is_asking = true;
    ask(job, (struct policy_call){.phase = PHASE_DELTA, .delta = buf_slice(&j->judged)}, on_judged);
}

static void on_time(void *arg)
{
    struct job *job = arg;
    struct judging *j = job->judging;
    if (j->is_asking) return;
    if (buf_len(&j->text)) {
        ask_delta(job);
    } else {
        j->asked = buf_len(&j->held);
        release(job);
    }
}

static void read_text(struct job *job, struct slice data)
{
    struct judging *j = job->judging;
    struct buf *whole = &job->x->response.text;
    struct buf text;
    buf_init(&text);
    dialect_append_text(job->dialect, data, &text);
    if (policy_has(job->policies, PHASE_DELTA)) buf_append(&j->text, buf_slice(&text));
    if (policy_has(job->policies, PHASE_RESPONSE)) buf_append(whole, buf_slice(&text));
    buf_clear(&text);
}

bool judge_event(struct job *job, const struct sse_event *event)
{
    bool is_held = judge_holds(job);
    struct judging *j = is_held ? open_judging(job) : NULL;
    if (event->is_raw) {
        judge_refuse(job, "an event of the provider's stream is too large for the policies to read");
        return false;
    }
    if (!event->is_comment_only) read_text(job, event->data);
    if (buf_len(&job->x->response.text) > LIMIT_RESPONSE_INSPECT_BYTES ||
        (is_held && buf_len(&j->held) > LIMIT_RESPONSE_INSPECT_BYTES)) {
        judge_refuse(job, "the answer is too large to be kept for a policy's on_response");
        return false;
    }
    if (!is_held) return true;
    if (!j->timer.fn) loop_timer_init(&j->timer, job->flow->parts.loop, on_time, job);
    if (event->is_tail) return false; /* stream_end() knows whose it is */
    buf_append(&j->held, event->raw);
    go_on(job);
    return false;
}

bool judge_has(const struct job *job)
{
    return job->judging && (job->judging->is_asking || buf_len(&job->judging->held) > 0);
}

size_t judge_held_bytes(const struct job *job)
{
    return !job->judging || is_buffered(job) ? 0 : buf_len(&job->judging->held);
}

/* --- the end --- */

static void on_response(struct job *job, const struct verdict *answer)
{
    struct judging *j = job->judging;
    j->is_asking = false;
    job->is_response_judged = true;
    if (answer->kind != VERDICT_ALLOW) {
        stream_refuse(job, answer);
    } else if (job->mode == RELAY_WHOLE) {
        stream_send_whole(job);
    } else {
        stream_forward(job, buf_slice(&j->held));
        buf_clear(&j->held);
        stream_end_judged(job, NULL);
    }
}

/* Only of answers whose provider's part is complete. */
static void ask_response(struct job *job)
{
    open_judging(job)->is_asking = true;
    account_settle(job);
    ask(job, (struct policy_call){.phase = PHASE_RESPONSE}, on_response);
}

/* All text was let through. */
void judge_finish(struct job *job)
{
    struct judging *j = job->judging;
    struct fault why = j->end_why;
    if (is_buffered(job) && why.code == FAULT_NONE)
        ask_response(job);
    else
        stream_end_judged(job, why.code == FAULT_NONE ? NULL : &why);
}

void judge_end(struct job *job, const struct fault *why)
{
    struct judging *j = open_judging(job);
    j->has_ended = true;
    j->end_why = why ? *why : (struct fault){.code = FAULT_NONE};
    go_on(job);
}

bool judge_whole(struct job *job, bool is_readable)
{
    if (!policy_has(job->policies, PHASE_RESPONSE)) return true;
    if (!is_readable) {
        judge_refuse(job, "the provider's answer is none that the policies can read");
        return false;
    }
    dialect_append_text(job->dialect, buf_slice(&job->answer), &job->x->response.text);
    ask_response(job);
    return false;
}
