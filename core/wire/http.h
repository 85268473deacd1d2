/*
 * Strict, incremental parser of HTTP/1.1 request heads: anything that two readers could frame differently is refused.
 *
 *     struct http_parser p;
 *     http_parser_init(&p);
 *     switch (http_parse(&p, bytes, &head, &why)) {      // bytes: all of the head that has come, from its first byte
 *     case HTTP_MORE: ...                                // call again with the same bytes and those that followed
 *     case HTTP_DONE: ... bytes.ptr + p.head_bytes ...   // the body begins here; head's slices point into bytes
 *     case HTTP_BAD:  ... why ...                        // answer fault_info(why.code)->status and close
 *     }
 *
 * The result never depends on how the input was cut. Each byte is looked at once, and once more at the end when the
 * head came in several pieces. Never allocates, never changes the input, never guesses: line ends are CRLF only.
 *
 * Refused with 400: line folding, stray CR or LF, NUL and other control characters, space before the colon, empty or
 * non-token names, Content-Length twice or not a number, Content-Length with Transfer-Encoding, Transfer-Encoding in
 * HTTP/1.0, no Host, two or an impossible one, a target that is not a path, a URL, or `*` for OPTIONS; with 501: a
 * transfer coding other than one `chunked`; with 505: another version; with 414 and 431: lines over LIMIT_REQUEST_LINE_
 * BYTES and LIMIT_HEADER_LINE_BYTES, all headers over LIMIT_HEADERS_BYTES or LIMIT_HEADERS_COUNT.
 * Sources: RFC 9110 (semantics), RFC 9112 (HTTP/1.1).
 */
#ifndef MOONGATE_WIRE_HTTP_H
#define MOONGATE_WIRE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/slice.h"

/* More than this a head cannot have when http_parse() says HTTP_MORE. */
#define HTTP_HEAD_BYTES_MAX (2 + LIMIT_REQUEST_LINE_BYTES + 2 + LIMIT_HEADERS_BYTES + 4)

struct http_header {
    struct slice name, value; /* the name as it came; the value without the blanks around it, perhaps empty */
};

struct http_head {
    struct slice method;    /* "POST": case matters */
    struct slice target;    /* as it came */
    struct slice path;      /* of the target, still percent-encoded; "*" for OPTIONS * */
    struct slice query;     /* without the '?'; empty when there is none */
    int minor;              /* HTTP/1.minor: 0 or 1 */
    int64_t content_length; /* -1: not said */
    bool is_chunked;
    bool keep_alive;      /* the client would go on after this request */
    bool expect_continue; /* it waits for 100 Continue before it sends the body */
    struct slice host;    /* with its port, if any; SLICE_NONE: HTTP/1.0 without Host */
    size_t header_count;
    struct http_header headers[LIMIT_HEADERS_COUNT];
};

struct http_parser {
    size_t head_bytes; /* after HTTP_DONE: the length of the head with its empty line */
    size_t at;         /* everything before was looked at */
    size_t line_start;
    size_t headers_start;
    uint32_t line_count; /* lines that ended so far */
    uint32_t header_count;
    bool has_skipped; /* one empty line before the request line is forgiven (RFC 9112 2.2) */
    bool is_resumed;  /* a call before this one saw a part */
    bool has_cr;      /* the byte before `at` was a CR that must be followed by LF */
};

enum http_result { HTTP_MORE, HTTP_DONE, HTTP_BAD };

/* Also makes a parser ready for the next request. */
void http_parser_init(struct http_parser *p);
/* `bytes` starts where the head starts and holds at least what the call before held (it may have moved). `head` is
 * filled on HTTP_DONE only and needs no preparation; `why` is set on HTTP_BAD only. */
enum http_result http_parse(struct http_parser *p, struct slice bytes, struct http_head *head, struct fault *why);

/* The value of the first header of that name (ASCII case ignored), or SLICE_NONE. */
struct slice http_find(const struct http_head *head, struct slice name);
/* Undoes percent-encoding of one path segment into the arena. False: malformed, or it hides a control character. */
bool http_decode_segment(struct arena *arena, struct slice segment, struct slice *decoded);
/* The other way round: whatever is in the text, it stays one segment (RFC 3986 2.3). */
void http_encode_segment(struct buf *out, struct slice text);
/* "Not Found"; "Unknown" for a status without a registered phrase (RFC 9110 15). */
const char *http_reason(int status);
/* RFC 9110 5.6.2. */
bool http_is_token(struct slice s);
/* May stand in a header's value: no control character but the tab (RFC 9110 5.5). */
bool http_is_field_value(struct slice s);
/* Headers that hold credentials, by what they are called everywhere. */
bool http_is_credential(struct slice name);
/* True when a comma-separated list holds that token, ASCII case ignored. */
bool http_list_has(struct slice list, struct slice token);

#endif
