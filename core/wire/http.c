#include "wire/http.h"

#include "base/check.h"
#include "wire/http_rules.h"

void http_parser_init(struct http_parser *p)
{
    *p = (struct http_parser){0};
}

/* ---- The request line (RFC 9112 3) */

static bool version_parse(struct slice version, struct http_head *head, struct fault *why)
{
    const char *v = version.ptr;
    if (version.len != 8 || memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' || v[5] > '9' || v[6] != '.' || v[7] < '0' ||
        v[7] > '9')
        return fault_set(why, FAULT_BAD_REQUEST, "the request line does not end in \"HTTP/1.1\" or \"HTTP/1.0\"");
    if (v[5] != '1' || v[7] > '1')
        return fault_set(why, FAULT_HTTP_VERSION, "HTTP/%c.%c is not understood, only HTTP/1.1 and HTTP/1.0", v[5],
                         v[7]);
    head->minor = v[7] - '0';
    return true;
}

static bool starts_ignoring_case(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_iequal(slice_of(s.ptr, prefix.len), prefix);
}

/* RFC 9112 3.2.2: servers must take a URL. Its authority stands in head->host until the Host header is compared. */
static bool absolute_form(struct slice target, struct http_head *head, struct fault *why)
{
    size_t scheme = starts_ignoring_case(target, SLICE("http://"))    ? 7
                    : starts_ignoring_case(target, SLICE("https://")) ? 8
                                                                      : 0;
    if (scheme == 0)
        return fault_set(why, FAULT_BAD_REQUEST, "the request target is neither a path that begins with / nor a URL");
    struct slice rest = slice_of(target.ptr + scheme, target.len - scheme);
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?')
        end++;
    head->host = slice_of(rest.ptr, end);
    if (!http_is_host(head->host))
        return fault_set(why, FAULT_BAD_REQUEST, "the URL in the request line has no valid host");
    if (end == rest.len) {
        head->path = SLICE("/");
    } else if (rest.ptr[end] == '?') {
        head->path = SLICE("/");
        head->query = slice_of(rest.ptr + end + 1, rest.len - end - 1);
    } else {
        head->path = slice_split(slice_of(rest.ptr + end, rest.len - end), '?', &head->query);
    }
    return true;
}

/* Printable ASCII, and no fragment: that is the client's own (RFC 9112 3.2, RFC 3986). */
static bool target_parse(struct slice target, struct http_head *head, struct fault *why)
{
    head->target = target;
    head->host = head->query = SLICE_NONE;
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];
        if (c <= 0x20 || c >= 0x7F || c == '#')
            return fault_set(why, FAULT_BAD_REQUEST, "byte %zu of the request target, 0x%02x, must be percent-encoded",
                             i + 1, c);
    }
    if (slice_equal(head->method, SLICE("CONNECT")))
        return fault_set(why, FAULT_BAD_REQUEST, "CONNECT is for proxies; moongate is none");
    if (target.len && target.ptr[0] == '/') {
        head->path = slice_split(target, '?', &head->query);
        return true;
    }
    if (slice_equal(target, SLICE("*"))) {
        if (!slice_equal(head->method, SLICE("OPTIONS")))
            return fault_set(why, FAULT_BAD_REQUEST, "the request target \"*\" is for OPTIONS alone");
        head->path = target;
        return true;
    }
    return absolute_form(target, head, why);
}

static bool request_line(struct slice line, struct http_head *head, struct fault *why)
{
    struct slice rest, version, target;
    head->method = slice_split(line, ' ', &rest);
    target = slice_split(rest, ' ', &version);
    if (!http_is_token(head->method))
        return fault_set(why, FAULT_BAD_REQUEST, "the request line does not begin with a method");
    return version_parse(version, head, why) && target_parse(target, head, why);
}

/* ---- One header line (RFC 9112 5) */

static bool header_line(struct slice line, struct http_header *header, struct fault *why)
{
    struct slice value;
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return fault_set(why, FAULT_BAD_REQUEST, "a header line begins with a blank: line folding is not accepted");
    struct slice name = slice_split(line, ':', &value);
    if (name.len == line.len) return fault_set(why, FAULT_BAD_REQUEST, "a header line has no colon");
    if (name.len == 0) return fault_set(why, FAULT_BAD_REQUEST, "a header has no name");
    if (name.ptr[name.len - 1] == ' ' || name.ptr[name.len - 1] == '\t')
        return fault_set(why, FAULT_BAD_REQUEST, "a blank stands between a header's name and its colon");
    if (!http_is_token(name)) return fault_set(why, FAULT_BAD_REQUEST, "a header's name is not a token");
    header->name = name;
    header->value = slice_trim(value);
    return true;
}

/* ---- Lines */

/* Where the line that begins at line_start must have its CR at the latest, and what to say when it has not. */
static size_t line_end_max(const struct http_parser *p)
{
    if (p->line_count == 0) return p->line_start + LIMIT_REQUEST_LINE_BYTES;
    size_t line = p->line_start + LIMIT_HEADER_LINE_BYTES, all = p->headers_start + LIMIT_HEADERS_BYTES;
    if (p->header_count == LIMIT_HEADERS_COUNT) return p->line_start;
    return line < all ? line : all;
}

static void too_long(const struct http_parser *p, struct fault *why)
{
    if (p->line_count == 0)
        fault_set(why, FAULT_URI_TOO_LONG, "the request line is over the limit of %u bytes", LIMIT_REQUEST_LINE_BYTES);
    else if (p->header_count == LIMIT_HEADERS_COUNT)
        fault_set(why, FAULT_HEADERS_TOO_LARGE, "the request has more than the limit of %u headers",
                  LIMIT_HEADERS_COUNT);
    else if (p->at - p->line_start >= LIMIT_HEADER_LINE_BYTES)
        fault_set(why, FAULT_HEADERS_TOO_LARGE, "a header line is over the limit of %u bytes", LIMIT_HEADER_LINE_BYTES);
    else
        fault_set(why, FAULT_HEADERS_TOO_LARGE, "the headers together are over the limit of %u bytes",
                  LIMIT_HEADERS_BYTES);
}

static void bad_byte(unsigned char c, struct fault *why)
{
    if (c == '\n')
        fault_set(why, FAULT_BAD_REQUEST, "a line ends in LF alone; lines end in CRLF");
    else if (c == '\0')
        fault_set(why, FAULT_BAD_REQUEST, "there is a NUL in the head");
    else
        fault_set(why, FAULT_BAD_REQUEST, "there is a control character, 0x%02x, in the head", c);
}

/* Moves `at` to the CR that ends the line. HTTP_DONE: it stands there. */
static enum http_result find_line_end(struct http_parser *p, struct slice bytes, struct fault *why)
{
    size_t max = line_end_max(p), stop = max < bytes.len ? max : bytes.len, at = p->at;
    while (at < stop && http_is_text((unsigned char)bytes.ptr[at]))
        at++;
    p->at = at;
    if (at == bytes.len) return HTTP_MORE;
    if (bytes.ptr[at] == '\r') return HTTP_DONE;
    if (at >= max)
        too_long(p, why);
    else
        bad_byte((unsigned char)bytes.ptr[at], why);
    return HTTP_BAD;
}

/* The next whole line, without its end. */
static enum http_result next_line(struct http_parser *p, struct slice bytes, struct slice *line, struct fault *why)
{
    if (!p->has_cr) {
        enum http_result result = find_line_end(p, bytes, why);
        if (result != HTTP_DONE) return result;
        p->at++;
        p->has_cr = true;
    }
    if (p->at == bytes.len) return HTTP_MORE;
    if (bytes.ptr[p->at] != '\n') {
        fault_set(why, FAULT_BAD_REQUEST, "there is a CR without LF; lines end in CRLF");
        return HTTP_BAD;
    }
    *line = slice_of(bytes.ptr + p->line_start, p->at - 1 - p->line_start);
    p->has_cr = false;
    p->line_start = ++p->at;
    return HTTP_DONE;
}

static enum http_result skip_line(struct http_parser *p, struct fault *why)
{
    if (!p->has_skipped) {
        p->has_skipped = true;
        return HTTP_MORE;
    }
    fault_set(why, FAULT_BAD_REQUEST, "there are empty lines where a request line should be");
    return HTTP_BAD;
}

/* HTTP_DONE: that was the empty line. */
static enum http_result take_line(struct http_parser *p, struct slice line, struct http_head *head, struct fault *why)
{
    if (line.len == 0 && p->line_count > 0) return HTTP_DONE;
    if (p->line_count == 0) {
        if (line.len == 0) return skip_line(p, why);
        if (!request_line(line, head, why)) return HTTP_BAD;
        p->headers_start = p->line_start;
    } else {
        if (!header_line(line, &head->headers[p->header_count], why)) return HTTP_BAD;
        p->header_count++;
    }
    p->line_count++;
    return HTTP_MORE;
}

static enum http_result parse_lines(struct http_parser *p, struct slice bytes, struct http_head *head,
                                    struct fault *why)
{
    for (;;) {
        struct slice line;
        enum http_result result = next_line(p, bytes, &line, why);
        if (result != HTTP_DONE) return result;
        result = take_line(p, line, head, why);
        if (result != HTTP_MORE) return result;
    }
}

/* Lines that came in an earlier call lie where the caller's buffer was then, and `head` may have been another: a head
 * in pieces is read a second time once it is whole. */
enum http_result http_parse(struct http_parser *p, struct slice bytes, struct http_head *head, struct fault *why)
{
    enum http_result result = parse_lines(p, bytes, head, why);
    if (result == HTTP_DONE && p->is_resumed) {
        http_parser_init(p);
        result = parse_lines(p, bytes, head, why);
        check(result == HTTP_DONE);
    }
    p->is_resumed = true;
    if (result != HTTP_DONE) return result;
    p->head_bytes = p->at;
    head->header_count = p->header_count;
    return http_apply_rules(head, why) ? HTTP_DONE : HTTP_BAD;
}
