/*
 * What waits for the policies' word before it goes on. Text of a stream is judged in batches (on_delta), so whole
 * events are held until theirs was let through; a stream that some on_response wants whole is held to its end, and an
 * answer in one piece until on_response has spoken. Nothing that was refused has left.
 */
#include "flow/relay/relay_inner.h"

#include "base/limits.h"
#include "base/mem.h"

struct hold {
    struct stage stage;
    struct buf held;   /* whole events that may not leave yet */
    struct slice whole; /* FORM_WHOLE: the answer, until on_response has spoken; empty: nobody is asked */
    struct buf text;   /* what they say, as far as nobody was asked about it */
    struct buf judged; /* the text that on_delta is being asked about */
    size_t asked;      /* bytes of held that wait for that answer only */
    size_t end_at;     /* … and where in held the end begins; SIZE_MAX: it is not there */
    bool is_asking, has_ended;
    bool has_any; /* of a stream: there is something that may leave */
    struct fault end_why; /* has_ended: FAULT_NONE when the provider's part is complete */
    struct loop_timer timer;
};

static const struct relay_hooks *hooks_of(const struct hold *h)
{
    return &h->stage.relay->parts.hooks;
}

static bool is_buffered(const struct hold *h)
{
    return hooks_of(h)->buffers && hooks_of(h)->has_response;
}

/* Of a stream: its events may not leave at once. */
static bool holds(const struct hold *h)
{
    return hooks_of(h)->has_delta || is_buffered(h);
}

static struct buf *response_text(const struct hold *h)
{
    return &h->stage.relay->parts.x->response.text;
}

static void ask(struct hold *h, const struct policy_call *how, relay_word_fn then)
{
    h->is_asking = true;
    hooks_of(h)->ask(hooks_of(h)->arg, how, then, h);
}

static bool forward_run(struct hold *h, struct slice bytes, bool precedes_end)
{
    struct stage *next = h->stage.next;
    return !bytes.len || next->feed(next, &(struct piece){.bytes = bytes, .precedes_end = precedes_end});
}

/* What held had in front. */
static bool forward(struct hold *h, struct slice bytes)
{
    size_t before = h->end_at < bytes.len ? h->end_at : bytes.len;
    if (h->end_at != SIZE_MAX) h->end_at -= before;
    return forward_run(h, slice_of(bytes.ptr, before), true) &&
           forward_run(h, slice_of(bytes.ptr + before, bytes.len - before), false);
}

/* --- batches of a stream --- */

static void ask_delta(struct hold *h);
static void end(struct hold *h);

/* What was let through goes out, unless all of it must wait for the end. */
static bool release(struct hold *h)
{
    struct buf free_now = h->held;
    if (is_buffered(h) || !h->asked) return true;
    /* The rest is held anew: writing may ask how much is held. */
    buf_init(&h->held);
    buf_append(&h->held, slice_of(buf_ptr(&free_now) + h->asked, buf_len(&free_now) - h->asked));
    bool goes_on = forward(h, slice_of(buf_ptr(&free_now), h->asked));
    h->asked = 0;
    buf_clear(&free_now);
    return goes_on;
}

/* Events without text need no question; they only keep their place. Before anything has left they wait a moment for the
 * first text, so that its refusal can have a status of its own. */
static bool go_on(struct hold *h)
{
    bool has_text = buf_len(&h->text) > 0;
    if (h->is_asking) return true;
    h->asked = buf_len(&h->held);
    if (has_text && (buf_len(&h->text) >= LIMIT_DELTA_BYTES || h->has_ended)) {
        ask_delta(h);
    } else if (!has_text && (h->stage.relay->is_committed || h->has_ended)) {
        if (!release(h)) return false;
        if (h->has_ended) end(h);
    } else if (!loop_timer_is_armed(&h->timer)) {
        loop_timer_arm_ms(&h->timer, LIMIT_DELTA_MS);
    }
    return relay_is_heard(h->stage.relay);
}

static void on_judged(void *arg, const struct verdict *word)
{
    struct hold *h = arg;
    buf_clear(&h->judged);
    h->is_asking = false;
    if (word->kind != VERDICT_ALLOW)
        out_refuse(h->stage.relay, word);
    else if (release(h))
        go_on(h);
}

static void ask_delta(struct hold *h)
{
    loop_timer_disarm(&h->timer);
    h->asked = buf_len(&h->held);
    h->judged = h->text;
    buf_init(&h->text);
    ask(h, &(struct policy_call){.phase = PHASE_DELTA, .delta = buf_slice(&h->judged)}, on_judged);
}

static void on_time(void *arg)
{
    struct hold *h = arg;
    if (h->is_asking) return;
    if (buf_len(&h->text)) {
        ask_delta(h);
    } else {
        h->asked = buf_len(&h->held);
        release(h);
    }
}

void hold_pass_time(struct stage *s)
{
    struct hold *h = (struct hold *)s;
    if (loop_timer_is_armed(&h->timer)) on_time(h);
}

static void read_text(struct hold *h, const struct said *said)
{
    struct buf text;
    buf_init(&text);
    said_append_text(said, &text);
    if (hooks_of(h)->has_delta) buf_append(&h->text, buf_slice(&text));
    if (hooks_of(h)->has_response) buf_append(response_text(h), buf_slice(&text));
    buf_clear(&text);
}

static bool feed_event(struct hold *h, const struct piece *p)
{
    struct relay *r = h->stage.relay;
    bool is_held = holds(h);
    if (p->event->is_raw)
        return out_refuse_unreadable(r, "an event of the provider's stream is too large for the policies to read");
    if (holds(h) && piece_hides_text(p))
        return out_refuse_unreadable(r, "an event of the provider's stream is nothing that the policies can read");
    h->has_any = true;
    if (p->said) read_text(h, p->said);
    if (buf_len(response_text(h)) > LIMIT_RESPONSE_INSPECT_BYTES || buf_len(&h->held) > LIMIT_RESPONSE_INSPECT_BYTES)
        return out_refuse_unreadable(r, "the answer is too large to be kept for a policy's on_response");
    /* What no blank line ended is the last stage's to send or to drop. */
    if (!is_held || p->event->is_tail) return h->stage.next->feed(h->stage.next, p);
    if (p->said && relay_is_last(h->stage.relay, p->said) && h->end_at == SIZE_MAX) h->end_at = buf_len(&h->held);
    if (!buf_try_append(&h->held, p->bytes, LIMIT_RESPONSE_INSPECT_BYTES))
        return out_refuse_unreadable(r, "there is no memory to keep the answer until the policies have spoken");
    return go_on(h);
}

static bool feed_whole(struct hold *h, const struct piece *p)
{
    if (!hooks_of(h)->has_response || !relay_is_success(h->stage.relay)) return h->stage.next->feed(h->stage.next, p);
    if (p->said->what & SAID_UNREADABLE)
        return out_refuse_unreadable(h->stage.relay, "the provider's answer is none that the policies can read");
    said_append_text(p->said, response_text(h));
    h->whole = p->bytes;
    return true;
}

static bool feed_unread(struct hold *h, const struct piece *p)
{
    struct relay *r = h->stage.relay;
    if (r->is_encoded && !r->is_large)
        return out_refuse_unreadable(
            r, "the provider's stream has a content coding, and cannot be read by the policies");
    if (hooks_of(h)->has_response && relay_is_success(r))
        return out_refuse_unreadable(r, "the answer is too large to be kept for a policy's on_response");
    return h->stage.next->feed(h->stage.next, p);
}

static bool on_feed(struct stage *s, const struct piece *p)
{
    struct hold *h = (struct hold *)s;
    if (p->event) return feed_event(h, p);
    return s->relay->form == FORM_WHOLE ? feed_whole(h, p) : feed_unread(h, p);
}

/* --- the end --- */

static void on_response(void *arg, const struct verdict *word)
{
    struct hold *h = arg;
    struct stage *next = h->stage.next;
    struct buf held = h->held;
    bool is_whole = h->stage.relay->form == FORM_WHOLE;
    h->is_asking = false;
    h->stage.relay->is_judged = true;
    if (word->kind != VERDICT_ALLOW) {
        out_refuse(h->stage.relay, word);
        return;
    }
    buf_init(&h->held);
    if (forward(h, is_whole ? h->whole : buf_slice(&held))) next->finish(next, NULL);
    buf_clear(&held);
}

/* All text was let through. on_response is only asked about answers whose provider's part is complete. */
static void end(struct hold *h)
{
    struct stage *next = h->stage.next;
    bool is_complete = h->end_why.code == FAULT_NONE;
    bool is_stream = h->stage.relay->form == FORM_EVENTS && h->has_any;
    if (is_complete && (h->whole.len || (is_buffered(h) && is_stream)))
        ask(h, &(struct policy_call){.phase = PHASE_RESPONSE}, on_response);
    else
        next->finish(next, is_complete ? NULL : &h->end_why);
}

static void on_finish(struct stage *s, const struct fault *why)
{
    struct hold *h = (struct hold *)s;
    h->has_ended = true;
    h->end_why = why ? *why : (struct fault){.code = FAULT_NONE};
    if (s->relay->form == FORM_EVENTS && holds(h))
        go_on(h);
    else
        end(h);
}

/* What waits for the end of the answer must not hold up its coming. */
static size_t on_held(const struct stage *s)
{
    const struct hold *h = (const struct hold *)s;
    return is_buffered(h) ? 0 : buf_len(&h->held);
}

static void on_stop(struct stage *s)
{
    struct hold *h = (struct hold *)s;
    loop_timer_disarm(&h->timer);
    if (h->is_asking) hooks_of(h)->cancel(hooks_of(h)->arg);
    h->is_asking = false;
}

static void on_drop(struct stage *s)
{
    struct hold *h = (struct hold *)s;
    buf_clear(&h->held);
    buf_clear(&h->text);
    buf_clear(&h->judged);
    mem_free(h);
}

struct stage *hold_new(struct relay *r)
{
    struct hold *h = mem_zalloc(1, sizeof *h);
    h->stage = (struct stage){.relay = r,
                              .feed = on_feed,
                              .finish = on_finish,
                              .held = on_held,
                              .stop = on_stop,
                              .drop = on_drop};
    h->end_at = SIZE_MAX;
    loop_timer_init(&h->timer, r->parts.loop, on_time, h);
    return &h->stage;
}
