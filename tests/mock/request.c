#include "request.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES_MAX (1024u * 1024u)
#define LINE_BYTES_MAX (64u * 1024u)

void request_init(struct request *r)
{
    memset(r, 0, sizeof *r);
    buf_init(&r->head);
    buf_init(&r->body);
}

void request_clear(struct request *r)
{
    buf_clear(&r->head);
    buf_clear(&r->body);
}

void request_reset(struct request *r)
{
    buf_reset(&r->head);
    buf_reset(&r->body);
    r->method = r->target = r->path = r->query = SLICE_NONE;
    r->header_count = 0;
    r->has_head = r->is_keep_alive = r->is_chunked = r->wants_continue = false;
    r->body_left = 0;
    r->body_state = BODY_NONE;
}

struct slice request_header(const struct request *r, struct slice name)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (slice_iequal(r->headers[i].name, name)) return r->headers[i].value;
    }
    return SLICE_NONE;
}

static bool parse_request_line(struct request *r, struct slice line)
{
    struct slice rest, version;
    r->method = slice_split(line, ' ', &rest);
    r->target = slice_split(rest, ' ', &version);
    r->path = slice_split(r->target, '?', &r->query);
    r->is_keep_alive = slice_equal(version, SLICE("HTTP/1.1"));
    return r->method.len && r->target.len && (r->is_keep_alive || slice_equal(version, SLICE("HTTP/1.0")));
}

static bool parse_header(struct request *r, struct slice line)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    if (!colon || colon == line.ptr || r->header_count == REQUEST_HEADERS_MAX) return false;
    struct request_header *h = &r->headers[r->header_count++];
    h->name = slice_of(line.ptr, (size_t)(colon - line.ptr));
    h->value = slice_trim(slice_of(colon + 1, (size_t)(line.ptr + line.len - colon - 1)));
    return true;
}

static bool read_framing(struct request *r)
{
    struct slice length = request_header(r, SLICE("content-length"));
    struct slice coding = request_header(r, SLICE("transfer-encoding"));
    r->wants_continue = slice_iequal(request_header(r, SLICE("expect")), SLICE("100-continue"));
    if (slice_iequal(request_header(r, SLICE("connection")), SLICE("close"))) r->is_keep_alive = false;
    if (coding.ptr) {
        r->is_chunked = true;
        r->body_state = BODY_CHUNK_SIZE;
        return slice_iequal(coding, SLICE("chunked")) && !length.ptr;
    }
    if (!length.ptr) return true;
    if (!slice_to_u64(length, &r->body_left)) return false;
    r->body_state = r->body_left ? BODY_LENGTH : BODY_NONE;
    return true;
}

static bool parse_head(struct request *r)
{
    struct slice rest = buf_slice(&r->head);
    bool is_first = true;
    while (rest.len) {
        const char *end = memmem(rest.ptr, rest.len, "\r\n", 2);
        struct slice line = slice_of(rest.ptr, (size_t)(end - rest.ptr));
        rest = slice_of(end + 2, rest.len - line.len - 2);
        if (is_first ? !parse_request_line(r, line) : line.len && !parse_header(r, line)) return false;
        is_first = false;
    }
    return read_framing(r);
}

static enum request_progress feed_head(struct request *r, struct buf *in)
{
    const char *end = memmem(buf_ptr(in), buf_len(in), "\r\n\r\n", 4);
    if (!end) return buf_len(in) > HEAD_BYTES_MAX ? REQUEST_BAD : REQUEST_MORE;
    size_t len = (size_t)(end - buf_ptr(in)) + 4;
    buf_append(&r->head, slice_of(buf_ptr(in), len));
    buf_consume(in, len);
    r->has_head = true;
    return parse_head(r) ? REQUEST_WHOLE : REQUEST_BAD;
}

/* Moves what is there of the body, or chunk; false when more must come. */
static bool take_body(struct request *r, struct buf *in)
{
    size_t len = buf_len(in) < r->body_left ? buf_len(in) : (size_t)r->body_left;
    buf_append(&r->body, slice_of(buf_ptr(in), len));
    buf_consume(in, len);
    r->body_left -= len;
    return r->body_left == 0;
}

/* One line up to CRLF, consumed by the caller as line.len + 2; ptr NULL when it is not whole yet. */
static struct slice peek_line(const struct buf *in)
{
    const char *end = buf_len(in) ? memmem(buf_ptr(in), buf_len(in), "\r\n", 2) : NULL;
    return end ? slice_of(buf_ptr(in), (size_t)(end - buf_ptr(in))) : SLICE_NONE;
}

static bool parse_chunk_size(struct request *r, struct slice line)
{
    char digits[17] = "", *end;
    struct slice rest, size = slice_trim(slice_split(line, ';', &rest));
    if (size.len == 0 || size.len >= sizeof digits) return false;
    memcpy(digits, size.ptr, size.len);
    r->body_left = strtoull(digits, &end, 16);
    return *end == '\0';
}

static enum request_progress feed_chunked(struct request *r, struct buf *in)
{
    for (;;) {
        if (r->body_state == BODY_CHUNK) {
            if (!take_body(r, in)) return REQUEST_MORE;
            r->body_state = BODY_CHUNK_END;
        }
        struct slice line = peek_line(in);
        if (!line.ptr) return buf_len(in) > LINE_BYTES_MAX ? REQUEST_BAD : REQUEST_MORE;
        size_t len = line.len;
        if (r->body_state == BODY_CHUNK_END) {
            if (len) return REQUEST_BAD;
            r->body_state = BODY_CHUNK_SIZE;
        } else if (r->body_state == BODY_CHUNK_SIZE) {
            if (!parse_chunk_size(r, line)) return REQUEST_BAD;
            r->body_state = r->body_left ? BODY_CHUNK : BODY_TRAILER;
        }
        bool is_end = r->body_state == BODY_TRAILER && len == 0;
        buf_consume(in, len + 2);
        if (is_end) return REQUEST_WHOLE;
    }
}

enum request_progress request_feed(struct request *r, struct buf *in)
{
    if (!r->has_head) {
        enum request_progress head = feed_head(r, in);
        if (head != REQUEST_WHOLE) return head;
    }
    if (r->body_state == BODY_NONE) return REQUEST_WHOLE;
    if (r->body_state == BODY_LENGTH) return take_body(r, in) ? REQUEST_WHOLE : REQUEST_MORE;
    return feed_chunked(r, in);
}
