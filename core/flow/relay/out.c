/*
 * The last stage: the first byte commits the answer to its sink, and what has begun ends as its dialect says, with an
 * error event where it does not come to its end, never with an end marker of our own.
 */
#include "flow/relay/relay_inner.h"

#include "base/mem.h"
#include "flow/refusal.h"
#include "wire/conceal.h"

struct out {
    struct stage stage;
    struct conceal secrets;
    struct buf tail; /* of a stream, what no blank line ended */
};

static void write_bytes(struct relay *r, struct slice bytes, int64_t length)
{
    if (!r->is_committed) {
        r->is_committed = true;
        r->parts.sink->head(r->parts.sink_arg, &r->head, length);
    }
    if (bytes.len && relay_is_heard(r)) r->parts.sink->write(r->parts.sink_arg, bytes);
}

/* What is written from now on is the end. */
static void begin_tail(struct relay *r)
{
    if (r->is_tail || !relay_is_heard(r)) return;
    r->is_tail = true;
    if (r->parts.sink->tail) r->parts.sink->tail(r->parts.sink_arg);
}

/* Its end marker, or its word of an error; of what was held and judged, all from there on. */
static bool is_end(const struct relay *r, const struct piece *p)
{
    if (r->form != FORM_EVENTS) return false;
    if (p->event) return !p->event->is_tail && p->said && relay_is_last(r, p->said);
    enum dialect_end end = relay_judge_end(r);
    return !p->precedes_end && (end == DIALECT_COMPLETE || end == DIALECT_FAILED);
}

/* A run of a text that goes on in the next piece. */
static bool goes_on(const struct relay *r, const struct piece *p)
{
    return p->event ? !p->event->ends && !p->event->is_tail : r->form != FORM_WHOLE;
}

static bool on_feed(struct stage *s, const struct piece *p)
{
    struct out *out = (struct out *)s;
    struct relay *r = s->relay;
    struct slice bytes = conceal_pass(&out->secrets, p->bytes, goes_on(r, p));
    if (p->event && !p->event->is_tail) r->is_inside = !p->event->ends;
    if (bytes.len && is_end(r, p)) begin_tail(r);
    if (p->event && p->event->is_tail)
        buf_append(&out->tail, bytes);
    else if (r->form == FORM_WHOLE)
        write_bytes(r, bytes, (int64_t)bytes.len);
    else if (bytes.len)
        write_bytes(r, bytes, CONN_STREAM);
    return relay_is_heard(r);
}

static void finish_as(struct relay *r, enum relay_how how, enum exchange_outcome outcome, const struct fault *why)
{
    relay_end_with(r, &(struct relay_end){.how = how, .outcome = outcome, .why = why});
}

/* Of a stream that is an array the error is its last element: the array is whole, and no answer. */
static void write_error(struct relay *r, struct buf *out, const struct dialect_error *error)
{
    if (!relay_leaves_as_list(r)) {
        r->parts.client->write_event_error(out, error);
        return;
    }
    buf_append(out, SLICE(",\r\n"));
    r->parts.client->write_body_error(out, error);
    buf_append(out, SLICE("]"));
}

static void tell(struct relay *r, const struct dialect_error *error)
{
    struct buf event;
    buf_init(&event);
    write_error(r, &event, error);
    begin_tail(r);
    write_bytes(r, buf_slice(&event), CONN_STREAM);
    buf_clear(&event);
}

void out_cut(struct stage *s, const struct fault *why, enum exchange_outcome outcome)
{
    struct relay *r = s->relay;
    if (r->is_ending) return;
    r->is_ending = true;
    if (!r->is_committed) {
        finish_as(r, RELAY_UNSENT, outcome, why);
    } else if (relay_is_between_events(r)) {
        struct dialect_error error = refusal_of_fault(r->parts.x, why);
        tell(r, &error);
        finish_as(r, RELAY_SENT, outcome, why);
    } else {
        finish_as(r, RELAY_BROKEN, outcome, why);
    }
}

static struct dialect_error error_of(const struct exchange *x, const struct verdict *word)
{
    struct fault why = {.code = FAULT_POLICY};
    return word->kind == VERDICT_DENY ? refusal_of_denial(x, word) : refusal_of_fault(x, &why);
}

static void refuse(struct relay *r, const struct verdict *word)
{
    enum exchange_outcome outcome = word->kind == VERDICT_DENY ? OUTCOME_DENIED : OUTCOME_POLICY_ERROR;
    struct relay_end end = {.how = RELAY_UNSENT, .outcome = outcome, .refusal = word};
    if (r->is_ending) return;
    r->is_ending = true;
    if (r->is_committed) {
        struct dialect_error error = error_of(r->parts.x, word);
        bool can_tell = relay_is_between_events(r);
        if (can_tell) tell(r, &error);
        end.how = can_tell ? RELAY_SENT : RELAY_BROKEN;
    }
    relay_end_with(r, &end);
}

bool out_refuse(struct relay *r, const struct verdict *word)
{
    struct arena *arena = &r->parts.x->arena;
    struct verdict *kept = r->is_over ? NULL : arena_alloc(arena, sizeof *kept);
    if (!kept) return false;
    *kept = *word;
    kept->code = arena_copy(arena, word->code);
    kept->reason = arena_copy(arena, word->reason);
    kept->policy = arena_copy(arena, word->policy);
    kept->rule = arena_copy(arena, word->rule);
    kept->fault_text = arena_copy(arena, word->fault_text);
    refuse(r, kept);
    return false;
}

bool out_refuse_unreadable(struct relay *r, const char *text)
{
    return out_refuse(r, &(struct verdict){.kind = VERDICT_FAULT, .fault_text = slice_str(text)});
}

/* An event that no blank line ended goes out with a stream that is whole; of a broken one it is half an event, and an
 * error event behind it would be glued to it. */
static void finish_events(struct out *out, enum exchange_outcome outcome)
{
    struct relay *r = out->stage.relay;
    r->is_ending = true;
    if (buf_len(&out->tail)) begin_tail(r);
    write_bytes(r, buf_slice(&out->tail), CONN_STREAM);
    finish_as(r, RELAY_SENT, outcome, NULL);
}

static void end_events(struct out *out, const struct fault *why)
{
    struct fault cut = {.code = FAULT_STREAM_INCOMPLETE};
    struct relay *r = out->stage.relay;
    if (!r->is_committed && !buf_len(&out->tail)) {
        out_cut(&out->stage, why ? why : &cut, OUTCOME_UPSTREAM_ERROR);
        return;
    }
    switch (relay_judge_end(r)) {
    case DIALECT_COMPLETE: finish_events(out, OUTCOME_OK); return;
    case DIALECT_FAILED: finish_events(out, OUTCOME_UPSTREAM_ERROR); return;
    case DIALECT_COMPLETE_UNMARKED:
        if (!why) {
            finish_events(out, OUTCOME_OK);
            return;
        }
        break;
    case DIALECT_CUT: break;
    }
    out_cut(&out->stage, why ? why : &cut, OUTCOME_INCOMPLETE);
}

static void end_bytes(struct out *out, const struct fault *why)
{
    struct fault empty = {.code = FAULT_STREAM_INCOMPLETE};
    struct relay *r = out->stage.relay;
    struct slice rest = conceal_rest(&out->secrets);
    if (rest.len) write_bytes(r, rest, CONN_STREAM);
    if (r->is_blind && !r->is_committed && !why) write_bytes(r, SLICE_NONE, 0); /* an empty file is one */
    if (r->is_committed && why)
        finish_as(r, RELAY_BROKEN, OUTCOME_INCOMPLETE, why);
    else if (r->is_committed)
        finish_as(r, RELAY_SENT, relay_is_success(r) ? OUTCOME_OK : OUTCOME_UPSTREAM_ERROR, NULL);
    else
        finish_as(r, RELAY_UNSENT, OUTCOME_UPSTREAM_ERROR, why ? why : &empty);
}

static void on_finish(struct stage *s, const struct fault *why)
{
    if (s->relay->form == FORM_EVENTS)
        end_events((struct out *)s, why);
    else
        end_bytes((struct out *)s, why);
}

static void on_drop(struct stage *s)
{
    struct out *out = (struct out *)s;
    buf_clear(&out->tail);
    conceal_clear(&out->secrets);
    mem_free(out);
}

struct stage *out_new(struct relay *r)
{
    struct out *out = mem_zalloc(1, sizeof *out);
    out->stage = (struct stage){.relay = r, .feed = on_feed, .finish = on_finish, .drop = on_drop};
    conceal_init(&out->secrets, r->parts.secrets, r->parts.secret_count);
    if (!relay_is_success(r)) conceal_encoded(&out->secrets);
    return &out->stage;
}
