#include "base/check.h"
#include "base/clock.h"
#include "net/conn_inner.h"

void conn_refuse(struct conn *c, const struct fault *why)
{
    struct conn_server *s = c->server;
    c->input = INPUT_CLOSED;
    c->is_active = true;
    c->is_held = false;
    c->is_last = c->is_lingering_after = true;
    s->counts.refused++;
    conn_set_clock(c, CLOCK_NONE);
    s->events->on_refused(c, why, s->arg);
}

/* ---- Bodies */

static void body_complete(struct conn *c)
{
    struct conn_server *s = c->server;
    c->input = INPUT_CLOSED;
    conn_set_clock(c, CLOCK_NONE);
    if (c->output == OUTPUT_NONE) s->events->on_body_end(c, s->arg);
}

static void refuse_body(struct conn *c)
{
    struct fault why;
    fault_set(&why, FAULT_BODY_TOO_LARGE, "the request's body is over the limit of %llu bytes",
              (unsigned long long)c->server->options.body_bytes_max);
    conn_refuse(c, &why);
}

bool conn_skip_body(struct conn *c)
{
    if (c->is_chunked_in || c->body_left > buf_len(&c->in)) return false;
    buf_consume(&c->in, (size_t)c->body_left);
    c->body_left = 0;
    c->input = INPUT_CLOSED;
    return true;
}

static void begin_body(struct conn *c)
{
    c->body_since_ns = loop_now_ns(c->server->loop);
    c->body_came = 0;
    conn_set_clock(c, CLOCK_BODY);
}

/* RFC 9110 10.1.1: not when the body is on its way already. */
static void invite_body(struct conn *c, size_t at_hand)
{
    if (!c->wants_continue || at_hand > 0) return;
    buf_append(&c->out, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
    conn_settle_later(c);
}

void conn_hold_body(struct conn *c)
{
    if (c->input != INPUT_BODY) return;
    c->is_held = true;
    conn_set_clock(c, CLOCK_NONE);
}

/* Inside on_request nothing has to be set going again. */
void conn_take_body(struct conn *c)
{
    if (!c->is_held || c->is_dead || c->output != OUTPUT_NONE) return;
    c->is_held = false;
    begin_body(c);
    if (c->is_taking) return;
    invite_body(c, buf_len(&c->in));
    c->has_unparsed = buf_len(&c->in) > 0;
    if (c->has_unparsed || c->is_readable) loop_watch_again(&c->watch, LOOP_READ);
}

/* Silence is the clock's; here a body that comes, and does not come to an end. */
static void note_progress(struct conn *c, size_t len)
{
    const struct conn_options *o = &c->server->options;
    struct fault why;
    uint64_t taken_ms = (loop_now_ns(c->server->loop) - c->body_since_ns) / NS_PER_MS;
    c->body_came += len;
    if (taken_ms <= o->body_timeout_ms + c->body_came * 1000 / o->body_rate) {
        conn_set_clock(c, CLOCK_BODY);
        return;
    }
    fault_set(&why, FAULT_REQUEST_TIMEOUT,
              "the request's body comes too slowly: %llu bytes in %llu ms; it has %u ms and a second for each %llu "
              "bytes (timeouts.body, limits.body_rate)",
              (unsigned long long)c->body_came, (unsigned long long)taken_ms, o->body_timeout_ms,
              (unsigned long long)o->body_rate);
    conn_refuse(c, &why);
}

/* Returns how many bytes were the body's. A body that is answered already is passed over when it is all here. */
static size_t take_counted_body(struct conn *c, struct slice bytes)
{
    struct conn_server *s = c->server;
    size_t len = bytes.len < c->body_left ? bytes.len : (size_t)c->body_left;
    c->body_left -= len;
    c->at_hand = bytes.len - len;
    if (c->output == OUTPUT_NONE && len) s->events->on_body(c, slice_of(bytes.ptr, len), s->arg);
    if (!c->is_dead && c->body_left == 0) body_complete(c);
    return len;
}

static size_t take_chunked_body(struct conn *c, struct slice bytes)
{
    struct conn_server *s = c->server;
    struct slice rest = bytes, span;
    struct fault why;
    c->at_hand = 0;
    while (conn_is_reading(c)) {
        enum chunked_result result = chunked_next(&c->chunked, &rest, &span, &why);
        if (result == CHUNKED_MORE) break;
        switch (result) {
        case CHUNKED_MORE: break;
        case CHUNKED_BAD: conn_refuse(c, &why); break;
        case CHUNKED_END: body_complete(c); break;
        case CHUNKED_BODY:
            c->body_read += span.len;
            if (c->body_read > s->options.body_bytes_max)
                refuse_body(c);
            else
                s->events->on_body(c, span, s->arg);
            break;
        }
    }
    return bytes.len - rest.len;
}

/* ---- Heads */

static void note_request(struct conn *c, const struct http_head *head)
{
    c->minor = (uint8_t)head->minor;
    c->is_head_method = slice_equal(head->method, SLICE("HEAD"));
    c->wants_keep_alive = head->keep_alive;
    c->wants_continue = head->expect_continue;
    c->is_chunked_in = head->is_chunked;
    c->body_left = head->content_length > 0 ? (uint64_t)head->content_length : 0;
    c->body_read = 0;
    chunked_init(&c->chunked);
    http_parser_init(&c->parser);
}

/* `rest`: what was read behind the head. */
static void begin_request(struct conn *c, const struct http_head *head, size_t rest)
{
    struct conn_server *s = c->server;
    note_request(c, head);
    if (c->body_left > s->options.body_bytes_max) {
        refuse_body(c);
        return;
    }
    bool has_body = c->is_chunked_in || c->body_left > 0;
    c->input = has_body ? INPUT_BODY : INPUT_CLOSED;
    c->is_active = true;
    c->at_hand = rest;
    s->counts.requests++;
    conn_set_clock(c, CLOCK_NONE);
    if (has_body) begin_body(c);
    s->events->on_request(c, head, s->arg);
    if (c->is_dead || c->output != OUTPUT_NONE) return;
    if (!has_body)
        s->events->on_body_end(c, s->arg);
    else if (!c->is_held)
        invite_body(c, rest);
}

static size_t take_head(struct conn *c, struct slice bytes)
{
    struct conn_server *s = c->server;
    struct fault why;
    switch (http_parse(&c->parser, bytes, &s->head, &why)) {
    case HTTP_MORE:
        if (c->clock != CLOCK_HEAD) conn_set_clock(c, CLOCK_HEAD);
        return 0;
    case HTTP_BAD: conn_refuse(c, &why); return 0;
    case HTTP_DONE: break;
    }
    size_t len = c->parser.head_bytes;
    begin_request(c, &s->head, bytes.len - len);
    return len;
}

/* ---- Bytes */

/* True while a reply that has begun may still find the rest of the request's body in what was read. */
static bool is_passing_over(const struct conn *c)
{
    return c->input == INPUT_BODY && c->output != OUTPUT_NONE && !c->is_chunked_in && !c->is_lingering_after;
}

/* Returns how many bytes were used; the rest is an unfinished head, or requests that came early. */
static size_t take(struct conn *c, struct slice bytes)
{
    size_t used = 0;
    while (used < bytes.len && (conn_is_reading(c) || (!c->is_dead && is_passing_over(c)))) {
        struct slice rest = slice_of(bytes.ptr + used, bytes.len - used);
        if (c->input == INPUT_HEAD) {
            size_t len = take_head(c, rest);
            if (len == 0) break;
            used += len;
        } else if (c->is_chunked_in) {
            used += take_chunked_body(c, rest);
        } else {
            used += take_counted_body(c, rest);
        }
    }
    c->at_hand = 0;
    return used;
}

static void take_and_keep(struct conn *c, struct slice bytes)
{
    bool is_kept = buf_len(&c->in) > 0;
    size_t came = bytes.len;
    if (is_kept) {
        buf_append(&c->in, bytes);
        bytes = buf_slice(&c->in);
    }
    c->is_taking = true;
    size_t used = take(c, bytes);
    c->is_taking = false;
    if (c->is_dead || c->is_lingering_after)
        buf_clear(&c->in);
    else if (is_kept)
        buf_consume(&c->in, used);
    else
        buf_append(&c->in, slice_of(bytes.ptr + used, bytes.len - used));
    if (buf_len(&c->in) == 0) buf_clear(&c->in);
    if (c->input == INPUT_BODY && conn_is_reading(c)) note_progress(c, came);
    if (!c->is_dead) conn_stranger_holds(c);
}

/* Fills the scratch as far as this connection may be read ahead. 0: nothing came, and what that means was done. */
static size_t read_some(struct conn *c)
{
    size_t room = CONN_SCRATCH_BYTES - buf_len(&c->in);
    bool is_drained;
    long n = c->is_lingering ? transport_drop(&c->transport, c->server->scratch, room, &is_drained)
                             : transport_read(&c->transport, c->server->scratch, room, &is_drained);
    if (n == 0 || n == TRANSPORT_BROKEN) {
        conn_lost(c, false);
        return 0;
    }
    /* After a hang-up the end is still to be read, and no further edge will tell of it. */
    if (n == TRANSPORT_AGAIN || (is_drained && !c->has_hung_up)) c->is_readable = false;
    return n > 0 ? (size_t)n : 0;
}

void conn_read(struct conn *c)
{
    struct conn_server *s = c->server;
    if (c->has_unparsed) {
        c->has_unparsed = false;
        take_and_keep(c, SLICE_NONE);
    } else {
        size_t len = read_some(c);
        if (len == 0) return;
        if (c->input == INPUT_OVERLOADED) {
            struct fault why;
            fault_set(&why, FAULT_OVERLOADED, "the gateway has all the %u connections it may have",
                      s->options.connections_max);
            conn_refuse(c, &why);
        } else {
            take_and_keep(c, slice_of(s->scratch, len));
        }
    }
    if (conn_is_reading(c) && c->is_readable) loop_watch_again(&c->watch, LOOP_READ);
}

/* What goes to the bin may take only so much of a turn, whoever and how many they are: the rest comes in later ones. */
static bool may_linger_now(struct conn_server *s)
{
    uint64_t now_ns = loop_now_ns(s->loop);
    if (s->linger_turn_ns != now_ns) s->linger_turn_bytes = 0;
    s->linger_turn_ns = now_ns;
    return s->linger_turn_bytes < LIMIT_LINGER_TURN_BYTES;
}

void conn_read_lingering(struct conn *c)
{
    if (!may_linger_now(c->server)) {
        loop_watch_again(&c->watch, LOOP_READ);
        return;
    }
    size_t len = read_some(c);
    c->server->linger_turn_bytes += len;
    if (c->is_dead) return;
    if (len > c->linger_left) {
        conn_kill(c, false);
        return;
    }
    c->linger_left -= len;
    if (c->is_readable) loop_watch_again(&c->watch, LOOP_READ);
}
