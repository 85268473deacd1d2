#include <sys/uio.h>

#include "base/check.h"
#include "net/conn_inner.h"

#define FLUSH_BYTES (64u * KIB) /* queued bytes are offered to the kernel at the latest from here on */
#define KEEP_BYTES (2u * KIB)   /* an output buffer up to this is kept for the stream's next event */

/* ---- Sending */

bool conn_flush(struct conn *c)
{
    bool has_progress = false;
    while (conn_free_bytes(c) && !c->is_blocked && !c->is_broken) {
        struct iovec all = {buf_ptr(&c->out), conn_free_bytes(c)};
        long n = transport_writev(&c->transport, &all, 1);
        if (n >= 0) {
            buf_consume(&c->out, (size_t)n);
            has_progress = true;
        } else if (n == TRANSPORT_AGAIN) {
            c->is_blocked = true;
        } else {
            c->is_broken = true;
        }
    }
    if (buf_len(&c->out) == 0 && c->out.cap > KEEP_BYTES) buf_clear(&c->out);
    return has_progress;
}

/* What has just been appended. */
static void note_held(struct conn *c, size_t before)
{
    if (c->is_holding) c->held += buf_len(&c->out) - before;
}

/* Appends what the kernel has not taken of the pieces: `taken` counts from the first one. */
static void keep_rest(struct conn *c, const struct slice *pieces, size_t count, size_t taken)
{
    size_t before = buf_len(&c->out);
    for (size_t i = 0; i < count; i++) {
        size_t skip = taken < pieces[i].len ? taken : pieces[i].len;
        buf_append(&c->out, slice_of(pieces[i].ptr + skip, pieces[i].len - skip));
        taken -= skip;
    }
    note_held(c, before);
}

/* Small pieces wait for the end of the callback, where one system call sends them all; a large one goes at once, since
 * copying it would cost more. */
#define PIECES_MAX 3
static void send_pieces(struct conn *c, const struct slice *pieces, size_t count)
{
    size_t total = 0, queued = buf_len(&c->out);
    for (size_t i = 0; i < count; i++)
        total += pieces[i].len;
    conn_settle_later(c);
    if (c->is_broken) return;
    if (total < CONN_DIRECT_BYTES || c->is_blocked || c->is_holding) {
        keep_rest(c, pieces, count, 0);
        if (buf_len(&c->out) >= FLUSH_BYTES) conn_flush(c);
        return;
    }
    struct iovec all[PIECES_MAX + 1];
    all[0] = (struct iovec){queued ? buf_ptr(&c->out) : NULL, queued};
    for (size_t i = 0; i < count; i++)
        all[i + 1] = (struct iovec){(void *)pieces[i].ptr, pieces[i].len};
    long n = transport_writev(&c->transport, all, (int)count + 1);
    if (n == TRANSPORT_BROKEN) {
        c->is_broken = true;
        return;
    }
    size_t taken = n > 0 ? (size_t)n : 0, of_queue = taken < queued ? taken : queued;
    if (of_queue) buf_consume(&c->out, of_queue);
    keep_rest(c, pieces, count, taken - of_queue);
    if (buf_len(&c->out)) conn_flush(c);
}

/* ---- Heads */

/* Framing is decided here alone, so the owner's (or a provider's) word on it does not count. */
static bool is_framing(struct slice name)
{
    switch (name.len) {
    case 7: return slice_iequal(name, SLICE("trailer")) || slice_iequal(name, SLICE("upgrade"));
    case 10: return slice_iequal(name, SLICE("connection")) || slice_iequal(name, SLICE("keep-alive"));
    case 14: return slice_iequal(name, SLICE("content-length"));
    case 16: return slice_iequal(name, SLICE("proxy-connection"));
    case 17: return slice_iequal(name, SLICE("transfer-encoding"));
    default: return false;
    }
}

static void append_header(struct buf *out, struct slice name, struct slice value)
{
    buf_append(out, name);
    buf_append(out, SLICE(": "));
    buf_append(out, value);
    buf_append(out, SLICE("\r\n"));
}

static void append_owner_headers(struct conn *c, const struct conn_header *headers, size_t count)
{
    bool has_date = false;
    for (size_t i = 0; i < count; i++) {
        struct slice name = headers[i].name, value = headers[i].value;
        if (is_framing(name) || !http_is_token(name) || !http_is_field_value(value)) continue;
        has_date |= slice_iequal(name, SLICE("date"));
        append_header(&c->out, name, value);
    }
    if (!has_date) append_header(&c->out, SLICE("Date"), slice_str(conn_server_date(c->server)));
}

/* RFC 9112 6.3, RFC 9110 8.6: which body the status, the method and the version allow, and how its end is told. */
static void decide_framing(struct conn *c, int status, int64_t length)
{
    bool may_have_body = status >= 200 && status != 204 && status != 304;
    c->has_body = may_have_body && !c->is_head_method;
    c->is_chunked_out = may_have_body && length < 0 && c->minor == 1;
    c->is_until_close = c->has_body && length < 0 && c->minor == 0;
    c->reply_left = c->has_body ? length : -1;
}

/* The request's body was read, or lies whole in what was read and is passed over: by take(), or here and now when it
 * was held. */
static bool is_body_done(struct conn *c)
{
    if (c->input == INPUT_CLOSED) return true;
    if (!c->is_taking) return conn_skip_body(c);
    return !c->is_chunked_in && c->body_left <= c->at_hand;
}

static void decide_closing(struct conn *c)
{
    if (!is_body_done(c)) c->is_lingering_after = true;
    c->is_closing =
        c->is_last || !c->wants_keep_alive || c->server->is_draining || c->is_until_close || c->is_lingering_after;
}

static void append_status(struct conn *c, int status)
{
    const char *reason = http_reason(status);
    check(status >= 200 && status <= 999);
    buf_append(&c->out, SLICE("HTTP/1.1 "));
    buf_append_u64(&c->out, (uint64_t)status);
    buf_append_char(&c->out, ' ');
    buf_append(&c->out, slice_str(reason));
    buf_append(&c->out, SLICE("\r\n"));
}

void conn_reply_head(struct conn *c, int status, const struct conn_header *headers, size_t count, int64_t length)
{
    check(c->is_active && c->output == OUTPUT_NONE);
    size_t before = buf_len(&c->out);
    decide_framing(c, status, length);
    decide_closing(c);
    c->output = OUTPUT_OPEN;
    conn_set_clock(c, CLOCK_NONE);
    append_status(c, status);
    append_owner_headers(c, headers, count);
    if (c->is_chunked_out) {
        append_header(&c->out, SLICE("Transfer-Encoding"), SLICE("chunked"));
    } else if (length >= 0 && status != 204 && status != 304) {
        buf_append(&c->out, SLICE("Content-Length: "));
        buf_append_u64(&c->out, (uint64_t)length);
        buf_append(&c->out, SLICE("\r\n"));
    }
    /* RFC 9110 15.5.22: it must say to what; we stay where we are. */
    if (status == 426) append_header(&c->out, SLICE("Upgrade"), SLICE("HTTP/1.1"));
    if (status == 426) append_header(&c->out, SLICE("Connection"), SLICE("Upgrade"));
    if (c->is_closing)
        append_header(&c->out, SLICE("Connection"), SLICE("close"));
    else if (c->minor == 0)
        append_header(&c->out, SLICE("Connection"), SLICE("keep-alive"));
    buf_append(&c->out, SLICE("\r\n"));
    c->is_head_held = c->is_holding;
    note_held(c, before);
    conn_settle_later(c);
}

/* ---- Bodies */

static void write_plain(struct conn *c, struct slice bytes)
{
    bool is_too_much = c->reply_left >= 0 && bytes.len > (uint64_t)c->reply_left;
    if (is_too_much) bytes.len = (size_t)c->reply_left;
    if (c->reply_left >= 0) c->reply_left -= (int64_t)bytes.len;
    if (bytes.len) send_pieces(c, &bytes, 1);
    if (is_too_much) {
        conn_flush(c);
        c->is_broken = true;
        conn_settle_later(c);
    }
}

static void write_body(struct conn *c, struct slice bytes)
{
    if (c->has_body && bytes.len && c->is_chunked_out) {
        char head[CHUNKED_HEAD_BYTES];
        struct slice pieces[PIECES_MAX] = {slice_of(head, chunked_head(head, bytes.len)), bytes, CHUNKED_TAIL};
        send_pieces(c, pieces, PIECES_MAX);
    } else if (c->has_body && bytes.len) {
        write_plain(c, bytes);
    }
}

bool conn_write(struct conn *c, struct slice bytes)
{
    check(c->output == OUTPUT_OPEN);
    write_body(c, bytes);
    if (buf_len(&c->out) <= conn_output_max(c)) return true;
    c->was_over = true;
    return false;
}

/* RFC 9112 7.1.2: the last chunk, the trailer fields, an empty line. */
static void append_last_chunk(struct conn *c, const struct conn_header *trailers, size_t count)
{
    if (!count) {
        buf_append(&c->out, CHUNKED_LAST);
        return;
    }
    buf_append(&c->out, SLICE("0\r\n"));
    for (size_t i = 0; i < count; i++) {
        struct slice name = trailers[i].name, value = trailers[i].value;
        if (!is_framing(name) && http_is_token(name) && http_is_field_value(value)) append_header(&c->out, name, value);
    }
    buf_append(&c->out, SLICE("\r\n"));
}

void conn_end(struct conn *c)
{
    conn_end_with(c, NULL, 0);
}

void conn_end_with(struct conn *c, const struct conn_header *trailers, size_t count)
{
    check(c->output == OUTPUT_OPEN);
    c->output = OUTPUT_ENDED;
    if (c->reply_left > 0) {
        conn_flush(c);
        c->is_broken = true;
    } else if (c->is_chunked_out && c->has_body && !c->is_broken) {
        size_t before = buf_len(&c->out);
        append_last_chunk(c, trailers, count);
        note_held(c, before);
    }
    conn_settle_later(c);
}

void conn_hold_end(struct conn *c)
{
    check(c->is_active && c->output != OUTPUT_ENDED && !c->is_holding);
    c->is_holding = true;
}

void conn_write_before_end(struct conn *c, struct slice bytes)
{
    struct buf end = c->out;
    size_t held = c->held;
    check(c->is_holding);
    if (c->output == OUTPUT_NONE || c->is_head_held || c->reply_left >= 0 || conn_free_bytes(c) > 0) return;
    buf_init(&c->out);
    c->is_holding = false;
    c->held = 0;
    write_body(c, bytes);
    c->is_holding = true;
    c->held = held;
    buf_append(&c->out, buf_slice(&end));
    buf_clear(&end);
}

void conn_release_end(struct conn *c)
{
    check(c->has_told_held);
    c->is_holding = c->has_told_held = false;
    c->held = 0;
    conn_settle_later(c);
}

void conn_reply(struct conn *c, int status, const struct conn_header *headers, size_t count, struct slice body)
{
    conn_reply_head(c, status, headers, count, (int64_t)body.len);
    conn_write(c, body);
    conn_end(c);
}

size_t conn_output_bytes(const struct conn *c)
{
    return buf_len(&c->out);
}

size_t conn_output_max(const struct conn *c)
{
    bool is_crowded = c->server->output_bytes >= LIMIT_OUTPUT_ALL_BYTES;
    return is_crowded ? LIMIT_OUTPUT_CROWDED_BYTES : LIMIT_OUTPUT_HIGH_BYTES;
}

void conn_await_drained(struct conn *c)
{
    c->was_over = true;
    conn_settle_later(c);
}

void conn_note_output(struct conn *c)
{
    c->server->output_bytes += buf_len(&c->out) - c->out_noted;
    c->out_noted = buf_len(&c->out);
}

void conn_close_after(struct conn *c)
{
    c->is_last = c->is_closing = true;
}

void conn_abort(struct conn *c)
{
    conn_flush(c);
    conn_kill(c, c->is_until_close && c->output != OUTPUT_NONE);
}
