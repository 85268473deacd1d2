/*
 * The provider's answer on its way to the client: which of the ways of enum relay_mode it takes, when the first byte
 * commits to it, and how it ends. Commit point = first byte forwarded: before it a failure becomes the next target or a
 * clean error, after it only a dialect-correct error event, never an end marker of our own.
 */
#include "flow/job.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "flow/headers.h"
#include "flow/reply.h"
#include "wire/http.h"

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

static struct slice head_value(const struct fetch_head *head, struct slice name)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (slice_iequal(head->headers[i].name, name)) return head->headers[i].value;
    }
    return SLICE_NONE;
}

static bool is_encoded(const struct fetch_head *head)
{
    struct slice encoding = head_value(head, SLICE("content-encoding"));
    return encoding.len && !slice_iequal(encoding, SLICE("identity"));
}

static bool is_event_stream(const struct fetch_head *head)
{
    struct slice rest;
    struct slice type = slice_trim(slice_split(head_value(head, SLICE("content-type")), ';', &rest));
    return slice_iequal(type, SLICE("text/event-stream"));
}

static enum relay_mode choose_mode(const struct job *job, const struct fetch_head *head)
{
    if (!job->x->request.is_stream || !is_success(head->status)) return RELAY_WHOLE;
    if (is_encoded(head)) return RELAY_RAW;
    return is_event_stream(head) ? RELAY_EVENTS : RELAY_SNIFFING;
}

/* The provider's headers that may pass; the head itself is gone when this returns. */
static void keep_headers(struct job *job, const struct fetch_head *head)
{
    struct exchange *x = job->x;
    struct conn_header common[REPLY_HEADERS_MAX];
    job->reply_header_count = reply_common_headers(job, common);
    job->reply_headers =
        arena_alloc(&x->arena, (job->reply_header_count + head->header_count + 1) * sizeof *job->reply_headers);
    /* One more is for the cost. */
    memcpy(job->reply_headers, common, job->reply_header_count * sizeof *common);
    for (size_t i = 0; i < head->header_count; i++) {
        struct slice name = head->headers[i].name, value = head->headers[i].value;
        if (!headers_reach_client(name)) continue;
        value = arena_copy(&x->arena, value);
        job->reply_headers[job->reply_header_count++] = (struct conn_header){arena_copy(&x->arena, name), value};
        if (headers_is_request_id(name)) exchange_attempt(x)->request_id = value;
    }
}

void stream_choose(struct job *job, const struct fetch_head *head)
{
    job->mode = choose_mode(job, head);
    job->is_encoded = is_encoded(head);
}

/* Overload and failures of the provider's own are worth another target; a refusal of the request is not. */
static bool is_worth_another(int status)
{
    return status == 429 || status >= 500;
}

void stream_begin(struct job *job, const struct fetch_head *head)
{
    struct exchange *x = job->x;
    exchange_attempt(x)->status = head->status;
    if (is_worth_another(head->status) && call_has_next(job)) {
        call_ended(job, FAULT_NONE);
        call_next(job);
        return;
    }
    keep_headers(job, head);
    stream_choose(job, head);
    if (job->mode == RELAY_RAW && (judge_reads(job) || redact_reads(job)))
        judge_refuse(job, "the provider's stream has a content coding, and cannot be read by the policies");
}

static void note_progress(struct job *job, size_t bytes)
{
    struct exchange *x = job->x;
    if (!x->first_byte_ns) x->first_byte_ns = clock_mono_ns();
    x->response.bytes_out += bytes;
}

/* The commit point. */
static void commit(struct job *job)
{
    struct exchange *x = job->x;
    if (x->state == EXCHANGE_STREAMING) return;
    exchange_move(x, EXCHANGE_STREAMING);
    x->response.status = exchange_attempt(x)->status;
    conn_reply_head(job->conn, x->response.status, job->reply_headers, job->reply_header_count, CONN_STREAM);
    /* Streams are many and long: what no later hook can ask for goes. */
    if (!policy_has(job->policies, PHASE_DELTA) && !policy_has(job->policies, PHASE_RESPONSE) &&
        !policy_has(job->policies, PHASE_DONE)) {
        json_clear(&x->request.tape);
        count_free(x->count);
        x->count = NULL;
        if (!job->fetch || fetch_has_body(job->fetch)) buf_clear(&x->body); /* else the upload goes on */
    }
    keepalive_begin(job);
}

void stream_forward(struct job *job, struct slice bytes)
{
    if (!bytes.len) return;
    commit(job);
    note_progress(job, bytes.len);
    job->last_write_ns = loop_now_ns(job->flow->parts.loop);
    conn_write(job->conn, bytes);
}

/* What the client has not taken is bounded: above the mark nothing more is read from the provider. */
static void hold_back(struct job *job)
{
    if (job->is_paused || !job->fetch) return;
    if (conn_output_bytes(job->conn) + judge_held_bytes(job) <= LIMIT_OUTPUT_HIGH_BYTES) return;
    job->is_paused = true;
    fetch_pause(job->fetch);
}

void stream_let_flow(struct job *job)
{
    if (conn_output_bytes(job->conn) <= LIMIT_OUTPUT_LOW_BYTES) stream_drained(job);
}

void stream_drained(struct job *job)
{
    if (!job->is_paused || judge_held_bytes(job) > LIMIT_OUTPUT_HIGH_BYTES) return;
    job->is_paused = false;
    if (job->fetch) fetch_resume(job->fetch);
}

void stream_relay(struct job *job, const struct sse_event *event)
{
    if (!job->conn || job->is_refused) return;
    if (judge_reads(job) && !judge_event(job, event) && !event->is_tail) return;
    if (event->is_tail)
        buf_append(&job->answer, event->raw); /* end_events() knows whose it is */
    else
        stream_forward(job, event->raw);
}

unsigned stream_read(struct job *job, const struct sse_event *event)
{
    unsigned what = 0;
    if (event->is_comment_only || event->is_raw) return 0;
    what = job->dialect->inspect_event(&job->told, event->name, event->data);
    if (what & DIALECT_UNREADABLE) job->x->response.inspect_errors++;
    if (job->meter && !(what & (DIALECT_DONE | DIALECT_ERROR | DIALECT_USAGE_ONLY)))
        job->dialect->each_text(event->data, meter_text, job->meter);
    return what;
}

static void on_event(void *arg, const struct sse_event *event)
{
    struct job *job = arg;
    struct exchange *x = job->x;
    if (!job->conn || job->is_refused) return; /* what came in the same piece of bytes as what was refused */
    if ((stream_read(job, event) & DIALECT_USAGE_ONLY) && job->asked_usage) return;
    if (event->ends && !event->is_comment_only) exchange_attempt(x)->events++;
    if (redact_reads(job))
        redact_event(job, event);
    else
        stream_relay(job, event);
}

static void keep_whole(struct job *job, struct slice data)
{
    buf_append(&job->answer, data);
    if (buf_len(&job->answer) <= LIMIT_RESPONSE_INSPECT_BYTES) return;
    job->x->response.inspect_errors++;
    if (redact_reads(job)) {
        judge_refuse(job, "the answer is too large to be redacted");
        return;
    }
    if (is_success(exchange_attempt(job->x)->status) && policy_has(job->policies, PHASE_RESPONSE)) {
        judge_refuse(job, "the answer is too large to be kept for a policy's on_response");
        return;
    }
    job->mode = RELAY_RAW;
    stream_forward(job, buf_slice(&job->answer));
    buf_clear(&job->answer);
}

/* A JSON text begins with a brace or bracket, an event stream never does. */
static void sniff(struct job *job, struct slice data)
{
    size_t at = 0;
    while (at < data.len &&
           (data.ptr[at] == ' ' || data.ptr[at] == '\t' || data.ptr[at] == '\r' || data.ptr[at] == '\n'))
        at++;
    buf_append(&job->answer, data);
    if (at == data.len && buf_len(&job->answer) < LIMIT_EVENT_BYTES) return;
    bool is_json = at < data.len && (data.ptr[at] == '{' || data.ptr[at] == '[');
    job->mode = is_json ? RELAY_WHOLE : RELAY_EVENTS;
    if (is_json) return;
    struct buf held = job->answer;
    buf_init(&job->answer);
    stream_data(job, buf_slice(&held));
    buf_clear(&held);
}

void stream_data(struct job *job, struct slice data)
{
    switch (job->mode) {
    case RELAY_NONE: check(!"bytes before a head"); break;
    case RELAY_SNIFFING: sniff(job, data); break;
    case RELAY_WHOLE: keep_whole(job, data); break;
    case RELAY_RAW: stream_forward(job, data); break;
    case RELAY_EVENTS:
        if (!job->sse) job->sse = sse_new();
        sse_feed(job->sse, data, on_event, job);
        break;
    }
    hold_back(job);
}

/* The client's end of an answer in flight; the job ends when its last byte has left (conn's on_reply_end). What it cost is
 * known only now: for clients that read trailers (RFC 9110 6.5.1). */
static void finish(struct job *job, enum exchange_outcome outcome)
{
    struct conn_header trailer;
    char usd[MONEY_TEXT_BYTES];
    job->outcome = outcome;
    account_settle(job);
    bool is_wanted = http_list_has(exchange_header(job->x, SLICE("te")), SLICE("trailers"));
    conn_end_with(job->conn, &trailer, is_wanted && reply_cost_header(job->x, &trailer, usd) ? 1 : 0);
}

static void cut_with(struct job *job, const struct dialect_error *error, enum exchange_outcome outcome)
{
    struct buf event;
    buf_init(&event);
    job->dialect->write_event_error(&event, error);
    stream_forward(job, buf_slice(&event));
    buf_clear(&event);
    finish(job, outcome);
}

void stream_cut(struct job *job, const struct fault *why, enum exchange_outcome outcome)
{
    bool can_tell = job->mode == RELAY_EVENTS && (!job->sse || sse_is_at_boundary(job->sse));
    job->x->fault = *why;
    call_cancel(job);
    if (can_tell && !judge_reads(job)) redact_flush(job);
    judge_drop(job);
    if (can_tell) {
        struct dialect_error error = reply_error_of(job, why);
        cut_with(job, &error, outcome);
        return;
    }
    /* In the middle of bytes that an error could not be told from: only a broken connection says so. */
    conn_abort(job->conn);
    job->conn = NULL;
    job_end(job, outcome);
}

void stream_refuse(struct job *job, const struct verdict *answer)
{
    struct fault why = {.code = FAULT_POLICY};
    bool is_denied = answer->kind == VERDICT_DENY;
    call_cancel(job);
    judge_drop(job);
    job->is_refused = true;
    if (job->x->state != EXCHANGE_STREAMING) {
        reply_answer(job, answer);
        return;
    }
    reply_take(job->x, answer);
    if (!is_denied) reply_log_fault(job);
    struct dialect_error error = is_denied ? reply_denial_of(job) : reply_error_of(job, &why);
    cut_with(job, &error, is_denied ? OUTCOME_DENIED : OUTCOME_POLICY_ERROR);
}

static void finish_events(struct job *job, enum exchange_outcome outcome)
{
    stream_forward(job, buf_slice(&job->answer));
    finish(job, outcome);
}

/* An event that no blank line ended goes out with a stream that is whole; of a broken one it is half an event, and an
 * error event behind it would be glued to it. */
void stream_end_judged(struct job *job, const struct fault *why)
{
    struct fault cut = {.code = FAULT_STREAM_INCOMPLETE};
    switch (job->dialect->judge_end(&job->told)) {
    case DIALECT_COMPLETE: finish_events(job, OUTCOME_OK); return;
    case DIALECT_FAILED: finish_events(job, OUTCOME_UPSTREAM_ERROR); return;
    case DIALECT_COMPLETE_UNMARKED:
        if (!why) {
            finish_events(job, OUTCOME_OK);
            return;
        }
        break;
    case DIALECT_CUT: break;
    }
    stream_cut(job, why ? why : &cut, OUTCOME_INCOMPLETE);
}

static void end_events(struct job *job, const struct fault *why)
{
    if (job->sse) sse_finish(job->sse, on_event, job);
    if (!job->is_refused) redact_flush(job);
    if (job->is_refused) return;
    if (judge_holds(job))
        judge_end(job, why);
    else
        stream_end_judged(job, why);
}

bool stream_read_whole(struct job *job)
{
    struct slice body = buf_slice(&job->answer);
    bool is_answer = is_success(exchange_attempt(job->x)->status);
    bool is_readable = !job->is_encoded && job->dialect->inspect_body(&job->told, body);
    if (!is_readable && is_answer) job->x->response.inspect_errors++;
    /* Its own numbers do; counting is for an answer without. */
    if (is_readable && is_answer && job->meter && !usage_has_output(&job->told.usage))
        job->dialect->each_text(body, meter_text, job->meter);
    return is_readable;
}

static void end_whole(struct job *job)
{
    struct exchange *x = job->x;
    bool is_readable = stream_read_whole(job);
    if (redact_reads(job) && !redact_whole(job)) return;
    if (!is_success(exchange_attempt(x)->status) || judge_whole(job, is_readable)) stream_send_whole(job);
}

void stream_send_whole(struct job *job)
{
    struct exchange *x = job->x;
    char usd[MONEY_TEXT_BYTES];
    exchange_move(x, EXCHANGE_STREAMING);
    x->response.status = exchange_attempt(x)->status;
    note_progress(job, buf_len(&job->answer));
    job->outcome = is_success(x->response.status) ? OUTCOME_OK : OUTCOME_UPSTREAM_ERROR;
    account_settle(job);
    if (reply_cost_header(x, &job->reply_headers[job->reply_header_count], usd)) job->reply_header_count++;
    conn_reply(job->conn, x->response.status, job->reply_headers, job->reply_header_count, buf_slice(&job->answer));
}

void stream_end(struct job *job, const struct fault *why)
{
    struct fault empty = {.code = FAULT_STREAM_INCOMPLETE};
    bool is_committed = job->x->state == EXCHANGE_STREAMING;
    loop_timer_disarm(&job->keepalive);
    call_ended(job, why ? why->code : FAULT_NONE);
    if (!why && job->mode == RELAY_SNIFFING) job->mode = RELAY_WHOLE;
    if (!why && job->mode == RELAY_WHOLE) {
        end_whole(job);
    } else if (job->mode == RELAY_EVENTS && (is_committed || (judge_has(job) && (!why || job->told.has_done)))) {
        end_events(job, why);
    } else if (is_committed && why) {
        stream_cut(job, why, OUTCOME_INCOMPLETE);
    } else if (is_committed) {
        finish(job, OUTCOME_OK);
    } else if (call_has_next(job)) {
        call_next(job);
    } else {
        reply_fault(job, why ? why : &empty);
    }
}

void stream_reset(struct job *job)
{
    loop_timer_disarm(&job->keepalive);
    redact_drop(job);
    judge_drop(job);
    meter_free(job->meter);
    job->meter = NULL;
    buf_reset(&job->x->response.text);
    job->is_refused = job->is_response_judged = false;
    sse_free(job->sse);
    job->sse = NULL;
    buf_clear(&job->answer);
    job->mode = RELAY_NONE;
    job->is_encoded = job->is_paused = false;
}
