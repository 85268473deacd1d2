#include "reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "coding.h"
#include "head.h"

#define UNSENT_MAX (128u * 1024u)
#define STEPS_PER_TURN 64

enum framing { FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_CLOSE };

struct reply {
    struct event_base *base;
    struct conn *conn;
    struct source *source;
    struct script script;
    struct event *timer;
    reply_done_fn *on_done;
    void *arg;
    uint64_t serial;
    bool is_keep_alive;

    enum { PHASE_HEAD, PHASE_BODY, PHASE_STALLED, PHASE_CUT, PHASE_OVER } phase;
    enum framing framing;
    struct buf pending; /* body bytes that are not framed yet */
    struct buf event;   /* scratch: the event being made */
    struct gzip gzip;
    bool is_ended; /* the source, or the script, has no more */
    bool is_cut;   /* what is pending is the last, and then the cut comes */
    bool is_bad_sent, is_gzip_ended;
    const char *split_at; /* what is left of the list */
    uint64_t events, body_bytes;
    uint64_t body_start_ns, due_ns;
};

static void arm(struct reply *r, uint64_t after_ns)
{
    struct timeval after = {(time_t)(after_ns / NS_PER_S), (suseconds_t)(after_ns % NS_PER_S / 1000)};
    event_add(r->timer, &after);
}

/* ---- the head ---- */

static void choose_framing(struct reply *r)
{
    const char *wanted = r->script.framing;
    r->framing = r->source->is_stream ? FRAMING_CHUNKED : FRAMING_LENGTH;
    if (r->script.gzip && r->framing == FRAMING_LENGTH) r->framing = FRAMING_CHUNKED;
    if (script_is(wanted, "chunked")) r->framing = FRAMING_CHUNKED;
    if (script_is(wanted, "length") && !r->script.endless) r->framing = FRAMING_LENGTH;
    if (script_is(wanted, "close")) r->framing = FRAMING_CLOSE;
}

static bool make_event(struct reply *r);

/* With a Content-Length the whole body is made first. */
static size_t make_whole_body(struct reply *r)
{
    size_t len;
    while (make_event(r))
        continue;
    len = buf_len(&r->pending);
    if (r->is_cut) {
        /* The length that was promised is of the whole. */
        struct buf rest;
        buf_init(&rest);
        while (source_next(r->source, &rest))
            continue;
        len += buf_len(&r->event) + buf_len(&rest);
        buf_clear(&rest);
    }
    return len;
}

static void send_head(struct reply *r)
{
    struct buf head;
    struct head_parts parts = {.serial = r->serial,
                               .status = (int)(r->script.status != 200 ? r->script.status : r->source->status),
                               .source = r->source,
                               .script = &r->script,
                               .is_close = !r->is_keep_alive || r->framing == FRAMING_CLOSE,
                               .content_length = -1,
                               .is_chunked = r->framing == FRAMING_CHUNKED};
    buf_init(&head);
    if (r->script.gzip) gzip_begin(&r->gzip, &r->pending);
    if (r->framing == FRAMING_LENGTH) parts.content_length = (int64_t)make_whole_body(r) + r->script.length_off;
    head_append(&head, &parts);
    conn_send(r->conn, buf_slice(&head));
    buf_clear(&head);
}

/* ---- the body ---- */

static void append_bad(struct reply *r)
{
    if (r->source->append_bad) {
        r->source->append_bad(&r->event);
        return;
    }
    const char *text =
        r->script.bad_text ? r->script.bad_text : "{\"id\":\"chatcmpl-bad\",\"choices\":[{\"delta\":{\"conte";
    buf_printf(&r->event, "data: %s\n\n", text);
}

static void append_in_stream_error(struct reply *r)
{
    const struct script *s = &r->script;
    const char *text =
        s->error_message ? s->error_message : "The server had an error while processing your request.";
    if (r->source->append_error) {
        r->source->append_error(&r->event, s->error_type, text);
        return;
    }
    buf_append(&r->event, SLICE("data: "));
    source_append_error(&r->event, s->error_type ? s->error_type : "server_error", s->error_code, text);
    buf_append(&r->event, SLICE("\n\n"));
}

static void remove_space(struct buf *event)
{
    if (!slice_starts(buf_slice(event), SLICE("data: "))) return;
    memmove(buf_ptr(event) + 1, buf_ptr(event), 5);
    buf_consume(event, 1);
}

/* What the source has for us, or what the script puts in its place; false at the end. */
static bool fill_event(struct reply *r)
{
    struct script *s = &r->script;
    if (s->bad_event == (int64_t)r->events && !r->is_bad_sent) {
        r->is_bad_sent = true;
        append_bad(r);
        return true;
    }
    if (s->error_event == (int64_t)r->events) {
        r->is_ended = true;
        append_in_stream_error(r);
        return true;
    }
    return source_next(r->source, &r->event);
}

/* What is legal and odd: comments before an event, no space after the colon, other line ends. */
static void bend_event(struct reply *r)
{
    struct script *s = &r->script;
    struct buf bent;
    if (!r->source->is_stream) return;
    if (!s->space) remove_space(&r->event);
    if (s->comment_every > 0 && r->events % (uint64_t)s->comment_every == 0) {
        buf_init(&bent);
        buf_printf(&bent, "%s\n\n", s->comment ? s->comment : ": keep-alive");
        buf_append(&bent, buf_slice(&r->event));
        buf_clear(&r->event);
        r->event = bent;
    }
    coding_line_ends(&r->event, s->line_end);
}

static void finish_gzip(struct reply *r)
{
    if (!r->script.gzip || r->is_gzip_ended) return;
    r->is_gzip_ended = true;
    gzip_end(&r->gzip, &r->pending);
}

/* Makes one event and adds it to what is pending; false: there is no more. */
static bool make_event(struct reply *r)
{
    struct script *s = &r->script;
    if (r->is_ended || r->is_cut) return false;
    buf_reset(&r->event);
    if (!fill_event(r)) {
        r->is_ended = true;
        if (s->cut && s->cut_event == SCRIPT_AT_END)
            r->is_cut = true;
        else
            finish_gzip(r);
        return false;
    }
    bend_event(r);
    struct slice bytes = buf_slice(&r->event);
    if (s->cut && s->cut_event == (int64_t)r->events) {
        if ((size_t)s->cut_byte < bytes.len) bytes.len = (size_t)s->cut_byte;
        r->is_cut = true;
    }
    if (s->bom && r->events == 0) buf_append(&r->pending, SLICE("\xef\xbb\xbf"));
    if (s->gzip)
        gzip_add(&r->gzip, &r->pending, bytes);
    else
        buf_append(&r->pending, bytes);
    r->events += r->is_cut ? 0 : 1;
    if (r->is_cut) buf_consume(&r->event, bytes.len);
    if (r->is_ended) finish_gzip(r);
    return true;
}

static void send_piece(struct reply *r, size_t len)
{
    struct slice piece = slice_of(buf_ptr(&r->pending), len);
    struct buf framed;
    r->body_bytes += len;
    if (r->framing != FRAMING_CHUNKED) {
        conn_send(r->conn, piece);
        buf_consume(&r->pending, len);
        return;
    }
    buf_init(&framed);
    buf_printf(&framed, "%zx\r\n", len);
    buf_append(&framed, piece);
    buf_append(&framed, SLICE("\r\n"));
    conn_send(r->conn, buf_slice(&framed));
    buf_clear(&framed);
    buf_consume(&r->pending, len);
}

static bool is_split(const struct reply *r)
{
    return r->script.split > 0 || (r->split_at && *r->split_at);
}

/* How many body bytes the next piece must have. */
static size_t piece_len(const struct reply *r)
{
    if (r->script.split > 0) return (size_t)r->script.split;
    if (!is_split(r)) return buf_len(&r->pending);
    uint64_t at = strtoull(r->split_at, NULL, 10);
    return at > r->body_bytes ? (size_t)(at - r->body_bytes) : 1;
}

static void next_split(struct reply *r)
{
    while (r->split_at && *r->split_at && strtoull(r->split_at, NULL, 10) <= r->body_bytes) {
        const char *comma = strchr(r->split_at, ',');
        r->split_at = comma ? comma + 1 : "";
    }
}

static void done(struct reply *r, enum reply_end end)
{
    r->phase = PHASE_OVER;
    r->on_done(r->arg, end);
}

/* ---- the steps ---- */

enum step { STEP_AGAIN, STEP_WAIT };

static enum step finish(struct reply *r)
{
    if (r->is_cut) {
        if (script_is(r->script.cut, "stall")) {
            r->phase = PHASE_STALLED;
            return STEP_WAIT;
        }
        /* Let the peer take what was sent first: a reset throws away what is still under way. */
        r->phase = PHASE_CUT;
        if (conn_unsent(r->conn) == 0) arm(r, (uint64_t)r->script.cut_delay_ms * NS_PER_MS);
        return STEP_WAIT;
    }
    if (r->framing == FRAMING_CHUNKED) conn_send(r->conn, SLICE("0\r\n\r\n"));
    bool is_close = r->script.close || !r->is_keep_alive || r->framing == FRAMING_CLOSE || r->script.length_off;
    done(r, is_close ? REPLY_CLOSE : REPLY_COMPLETE);
    return STEP_WAIT;
}

/* Not before its time: each delay_ms after the one before, or rate events a second from the head on. */
static bool is_due(struct reply *r)
{
    uint64_t now = clock_mono_ns();
    if (!r->source->is_stream || r->is_ended || now >= r->due_ns) return true;
    arm(r, r->due_ns - now);
    return false;
}

static void set_due(struct reply *r)
{
    if (r->script.rate > 0) r->due_ns = r->body_start_ns + r->events * NS_PER_S / (uint64_t)r->script.rate;
    if (r->script.delay_ms > 0) r->due_ns = clock_mono_ns() + (uint64_t)r->script.delay_ms * NS_PER_MS;
}

static enum step send_pending(struct reply *r)
{
    bool is_alone = is_split(r);
    size_t len = piece_len(r);
    send_piece(r, len < buf_len(&r->pending) ? len : buf_len(&r->pending));
    next_split(r);
    if (!is_alone) return STEP_AGAIN;
    if (r->script.split_gap_us) arm(r, (uint64_t)r->script.split_gap_us * 1000);
    return STEP_WAIT; /* the next piece when this one is written */
}

static enum step step_body(struct reply *r)
{
    bool is_last = r->is_ended || r->is_cut;
    if (is_split(r) && conn_unsent(r->conn)) return STEP_WAIT;
    if (buf_len(&r->pending) && (is_last || buf_len(&r->pending) >= piece_len(r))) return send_pending(r);
    if (is_last) return finish(r);
    if (conn_unsent(r->conn) > UNSENT_MAX) return STEP_WAIT;
    if (!is_due(r)) return STEP_WAIT;
    if (make_event(r)) set_due(r);
    return STEP_AGAIN;
}

static void send_raw(struct reply *r)
{
    conn_send(r->conn, slice_of(r->script.raw, r->script.raw_len));
    r->body_bytes = r->script.raw_len;
    done(r, REPLY_CLOSE);
}

static void begin_body(struct reply *r)
{
    if (r->script.cut && r->script.cut_event < 0) { /* before the head */
        r->is_cut = true;
        r->phase = PHASE_BODY;
        finish(r);
        return;
    }
    if (r->script.raw) {
        send_raw(r);
        return;
    }
    choose_framing(r);
    send_head(r);
    r->phase = PHASE_BODY;
    r->body_start_ns = clock_mono_ns();
    set_due(r);
    arm(r, 0);
}

static void run(struct reply *r)
{
    for (int i = 0; i < STEPS_PER_TURN; i++) {
        if (r->phase != PHASE_BODY || step_body(r) == STEP_WAIT) return;
    }
    arm(r, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct reply *r = arg;
    (void)fd, (void)what;
    if (r->phase == PHASE_HEAD)
        begin_body(r);
    else if (r->phase == PHASE_CUT)
        done(r, script_is(r->script.cut, "rst") ? REPLY_CUT_RST : REPLY_CUT_FIN);
    else
        run(r);
}

void reply_drained(struct reply *r)
{
    if (event_pending(r->timer, EV_TIMEOUT, NULL)) return;
    if (r->phase == PHASE_CUT)
        arm(r, (uint64_t)r->script.cut_delay_ms * NS_PER_MS);
    else if (r->phase == PHASE_BODY)
        run(r);
}

struct reply *reply_new(struct event_base *base, struct conn *conn, struct source *source, const struct script *script,
                        uint64_t serial, bool is_keep_alive, reply_done_fn *on_done, void *arg)
{
    struct reply *r = mem_zalloc(1, sizeof *r);
    r->base = base;
    r->conn = conn;
    r->source = source;
    script_copy(&r->script, script);
    r->timer = evtimer_new(base, on_timer, r);
    r->on_done = on_done;
    r->arg = arg;
    r->serial = serial;
    r->is_keep_alive = is_keep_alive && !script->close;
    r->split_at = r->script.split_at;
    conn_set_write(conn, (size_t)script->write_bytes, (uint32_t)script->write_gap_us);
    if (!script->hold) arm(r, (uint64_t)script->head_delay_ms * NS_PER_MS);
    return r;
}

void reply_free(struct reply *r)
{
    if (!r) return;
    event_free(r->timer);
    source_free(r->source);
    script_clear(&r->script);
    buf_clear(&r->pending);
    buf_clear(&r->event);
    mem_free(r);
}

struct reply_progress reply_progress(const struct reply *r)
{
    static const char *const phases[] = {"head", "body", "stalled", "cut", "over"};
    int status = (int)(r->script.status != 200 ? r->script.status : r->source->status);
    return (struct reply_progress){r->phase == PHASE_HEAD ? 0 : status, r->events, r->body_bytes, r->source->tokens,
                                   phases[r->phase]};
}
