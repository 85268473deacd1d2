/* Request heads: what is understood, what is refused, and that neither depends on how the bytes came. */
#include "../unit.h"

#include "base/buf.h"
#include "base/mem.h"
#include "wire/http.h"

struct outcome {
    enum http_result result;
    struct fault why;
    size_t head_bytes;
    struct buf shown; /* the head in words, so that outcomes can be compared */
};

static void show(struct buf *b, const struct http_head *head)
{
    buf_reset(b);
    buf_printf(b, "%.*s|%.*s|%.*s|%.*s|1.%d|%lld|%d%d%d|%.*s", SLICE_FMT(head->method), SLICE_FMT(head->target),
               SLICE_FMT(head->path), SLICE_FMT(head->query), head->minor, (long long)head->content_length,
               head->is_chunked, head->keep_alive, head->expect_continue, SLICE_FMT(head->host));
    for (size_t i = 0; i < head->header_count; i++)
        buf_printf(b, "|%.*s=%.*s", SLICE_FMT(head->headers[i].name), SLICE_FMT(head->headers[i].value));
}

/* Gives the first `len` bytes at an address of their own, so that a sanitizer sees every step too far. */
static enum http_result feed(struct http_parser *p, struct slice input, size_t len, struct outcome *o)
{
    static struct http_head head;
    char *copy = mem_alloc(len ? len : 1);
    memcpy(copy, input.ptr, len);
    memset(&head, 0xA5, sizeof head);
    o->result = http_parse(p, slice_of(copy, len), &head, &o->why);
    o->head_bytes = p->head_bytes;
    if (o->result == HTTP_DONE) show(&o->shown, &head);
    mem_free(copy);
    return o->result;
}

static void begin(struct http_parser *p, struct outcome *o)
{
    http_parser_init(p);
    buf_reset(&o->shown);
    o->why = (struct fault){0};
}

static void expect_same(const struct outcome *want, const struct outcome *got, struct slice input, const char *how)
{
    if (want->result == got->result && want->why.code == got->why.code && want->head_bytes == got->head_bytes &&
        strcmp(want->why.text, got->why.text) == 0 && slice_equal(buf_slice(&want->shown), buf_slice(&got->shown)))
        return;
    UNIT_FAIL("%s differs for %.*s: %d \"%s\" %.*s, whole: %d \"%s\" %.*s", how, SLICE_FMT(input), got->result,
              got->why.text, SLICE_FMT(buf_slice(&got->shown)), want->result, want->why.text,
              SLICE_FMT(buf_slice(&want->shown)));
}

/* Three feeds: whole, byte by byte, cut at every position. `whole` is left for the caller to look at. */
static void feed_all(struct slice input, struct outcome *whole)
{
    struct outcome other = {0};
    struct http_parser p;
    begin(&p, whole);
    feed(&p, input, input.len, whole);
    begin(&p, &other);
    for (size_t len = 0; len <= input.len && feed(&p, input, len, &other) == HTTP_MORE;)
        len++;
    expect_same(whole, &other, input, "byte by byte");
    for (size_t cut = 0; cut <= input.len; cut++) {
        begin(&p, &other);
        if (feed(&p, input, cut, &other) == HTTP_MORE) feed(&p, input, input.len, &other);
        expect_same(whole, &other, input, "cut");
    }
    buf_clear(&other.shown);
}

/* ---- Understood */

static const struct {
    const char *input, *shown;
} good[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET|/|/||1.1|-1|010|a|Host=a"},
    {"POST /v1/chat/completions?x=1&y=%20 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 12\r\n\r\nhello",
     "POST|/v1/chat/completions?x=1&y=%20|/v1/chat/completions|x=1&y=%20|1.1|12|010|a:80|Host=a:80|Content-Length=12"},
    {"POST / HTTP/1.1\r\nhost:a\r\ntransfer-ENCODING:\t ChunkeD \t\r\n\r\n",
     "POST|/|/||1.1|-1|110|a|host=a|transfer-ENCODING=ChunkeD"},
    {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 0\r\n\r\n",
     "POST|/|/||1.1|0|011|a|Host=a|Expect=100-Continue|Content-Length=0"},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", "GET|/|/||1.1|-1|000|a|Host=a|Connection=x, CLOSE"},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", "GET|/|/||1.1|-1|010|a|Host=a|Connection=closed"},
    {"GET / HTTP/1.0\r\n\r\n", "GET|/|/||1.0|-1|000|"},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nHost: b\r\n\r\n",
     "GET|/|/||1.0|-1|010|b|Connection=Keep-Alive|Host=b"},
    {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "GET|/|/||1.0|-1|000||Connection=keep-alive, close"},
    {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
     "POST|/|/||1.0|1|000||Expect=100-continue|Content-Length=1"},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS|*|*||1.1|-1|010|a|Host=a"},
    {"GET http://A.b:8090/x?y HTTP/1.1\r\nHost: a.B:8090\r\n\r\n",
     "GET|http://A.b:8090/x?y|/x|y|1.1|-1|010|a.B:8090|Host=a.B:8090"},
    {"GET https://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET|https://a|/||1.1|-1|010|a|Host=a"},
    {"GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n", "GET|http://a?q|/|q|1.1|-1|010|a|Host=a"},
    {"GET http://a/ HTTP/1.0\r\n\r\n", "GET|http://a/|/||1.0|-1|000|a"},
    {"GET //x/../y?? HTTP/1.1\r\nHost: [::1]:8090\r\n\r\n",
     "GET|//x/../y??|//x/../y|?|1.1|-1|010|[::1]:8090|Host=[::1]:8090"},
    {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET|/|/||1.1|-1|010|a|Host=a"},
    {"GET / HTTP/1.1\r\nHost: a\r\nEmpty:\r\nBlank:  \r\nText: \xc3\xa9\tb  c\r\n\r\n",
     "GET|/|/||1.1|-1|010|a|Host=a|Empty=|Blank=|Text=\xc3\xa9\tb  c"},
    {"X-m!#$%&'*+.^_`|~9 / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~: v\r\n\r\n",
     "X-m!#$%&'*+.^_`|~9|/|/||1.1|-1|010|a|Host=a|!#$%&'*+-.^_`|~=v"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n",
     "POST|/|/||1.1|9223372036854775807|010|a|Host=a|Content-Length=9223372036854775807"},
};

static void heads_are_understood(void)
{
    struct outcome o = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        feed_all(slice_str(good[i].input), &o);
        EXPECT_INT(HTTP_DONE, o.result);
        EXPECT_SLICE(slice_str(good[i].shown), buf_slice(&o.shown));
        if (o.result == HTTP_BAD) fprintf(stderr, "  %s\n", o.why.text);
        const char *end = strstr(good[i].input, "\r\n\r\n");
        EXPECT_INT(end + 4 - good[i].input, o.head_bytes);
    }
    buf_clear(&o.shown);
}

/* ---- Refused: each line ends as 400 unless it says otherwise; `text` must be in what the client is told. */

struct bad {
    int status;
    struct slice input;
    const char *text;
};

#define H "Host: a\r\n"
#define GET1 "GET / HTTP/1.1\r\n"
#define POST1 "POST / HTTP/1.1\r\n" H
#define REFUSED(status, input, text)                                                                                   \
    {                                                                                                                  \
        status, SLICE(input), text                                                                                     \
    }

static const struct bad corpus[] = {
    /* Framing: two readers, two lengths */
    REFUSED(400, POST1 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "exclude"),
    REFUSED(400, POST1 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "exclude"),
    REFUSED(400, POST1 "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n", "exclude"),
    REFUSED(400, POST1 "Transfer-Encoding:\r\nContent-Length: 5\r\n\r\n", "exclude"),
    REFUSED(400, POST1 "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "more than one Content-Length"),
    REFUSED(400, POST1 "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", "more than one Content-Length"),
    REFUSED(400, POST1 "Content-Length: 5, 5\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: 5,6\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: +5\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: -5\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: 0x5\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: 5 5\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: 5.0\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: 1e3\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: \"5\"\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: 5\xc2\xa0\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length:\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: 9223372036854775808\r\n\r\n", "decimal"),
    REFUSED(400, POST1 "Content-Length: 18446744073709551621\r\n\r\n", "decimal"),
    REFUSED(400, "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", "HTTP/1.0"),
    REFUSED(400, "POST / HTTP/1.0\r\n" H "Transfer-Encoding: gzip\r\n\r\n", "HTTP/1.0"),
    REFUSED(501, POST1 "Transfer-Encoding: gzip, chunked\r\n\r\n", "chunked"),
    REFUSED(501, POST1 "Transfer-Encoding: chunked, gzip\r\n\r\n", "chunked"),
    REFUSED(501, POST1 "Transfer-Encoding: chunked, chunked\r\n\r\n", "chunked"),
    REFUSED(501, POST1 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "chunked"),
    REFUSED(501, POST1 "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", "chunked"),
    REFUSED(501, POST1 "Transfer-Encoding: identity\r\n\r\n", "chunked"),
    REFUSED(501, POST1 "Transfer-Encoding: xchunked\r\n\r\n", "chunked"),
    REFUSED(501, POST1 "Transfer-Encoding: \"chunked\"\r\n\r\n", "chunked"),
    REFUSED(501, POST1 "Transfer-Encoding: chunked;q=1\r\n\r\n", "chunked"),
    REFUSED(501, POST1 "Transfer-Encoding: chunked,\r\n\r\n", "chunked"),
    REFUSED(501, POST1 "Transfer-Encoding:\r\n\r\n", "chunked"),
    REFUSED(501,
            POST1 "Transfer-Encoding: \xc2\xa0"
                  "chunked\r\n\r\n",
            "chunked"),
    /* Lines */
    REFUSED(400, "GET / HTTP/1.1\nHost: a\n\n", "LF alone"),
    REFUSED(400, GET1 "Host: a\n\r\n", "LF alone"),
    REFUSED(400, GET1 H "X: a\nTransfer-Encoding: chunked\r\n\r\n", "LF alone"),
    REFUSED(400, GET1 H "\n", "LF alone"),
    REFUSED(400, "\nGET / HTTP/1.1\r\n" H "\r\n", "LF alone"),
    REFUSED(400, GET1 H "X: a\rb\r\n\r\n", "CR without LF"),
    REFUSED(400, GET1 H "X: a\r\r\n\r\n", "CR without LF"),
    REFUSED(400, "GET / HTTP/1.1\r" H "\r\n\r\n", "CR without LF"),
    REFUSED(400, GET1 H "\rX", "CR without LF"),
    REFUSED(400, "\r\n\r\n" GET1 H "\r\n", "empty lines"),
    REFUSED(400, GET1 H "X: a\r\n b\r\n\r\n", "folding"),
    REFUSED(400, GET1 H "X: a\r\n\tb\r\n\r\n", "folding"),
    REFUSED(400, GET1 H "Transfer-Encoding:\r\n chunked\r\n\r\n", "folding"),
    REFUSED(400, GET1 " Host: a\r\n\r\n", "folding"),
    REFUSED(400, GET1 H " \r\n\r\n", "folding"),
    REFUSED(400, GET1 H "X: a\0b\r\n\r\n", "NUL"),
    REFUSED(400, GET1 H "X\0: a\r\n\r\n", "NUL"),
    REFUSED(400, "GET /\0 HTTP/1.1\r\n" H "\r\n", "NUL"),
    REFUSED(400, GET1 H "X: a\x01\r\n\r\n", "control character, 0x01"),
    REFUSED(400, GET1 H "X: a\x7f\r\n\r\n", "control character, 0x7f"),
    REFUSED(400,
            GET1 H "Transfer-Encoding: \x0b"
                   "chunked\r\n\r\n",
            "control character, 0x0b"),
    REFUSED(400, GET1 H "Transfer-Encoding: chunked\x0c\r\n\r\n", "control character, 0x0c"),
    /* Names */
    REFUSED(400, GET1 "Host : a\r\n\r\n", "blank stands between"),
    REFUSED(400, GET1 H "Content-Length\t: 5\r\n\r\n", "blank stands between"),
    REFUSED(400, GET1 H ": x\r\n\r\n", "no name"),
    REFUSED(400, GET1 H "X\r\n\r\n", "no colon"),
    REFUSED(400, GET1 H "X Y: a\r\n\r\n", "not a token"),
    REFUSED(400, GET1 H "Content_Length\xff: 5\r\n\r\n", "not a token"),
    REFUSED(400, GET1 H "(x): a\r\n\r\n", "not a token"),
    REFUSED(400, GET1 H "Transfer-Encoding\xc2\xa0: chunked\r\n\r\n", "not a token"),
    /* Host */
    REFUSED(400, GET1 "\r\n", "no Host"),
    REFUSED(400, GET1 "Hos: a\r\n\r\n", "no Host"),
    REFUSED(400, GET1 H H "\r\n", "more than one Host"),
    REFUSED(400, GET1 H "hOST: b\r\n\r\n", "more than one Host"),
    REFUSED(400, "GET / HTTP/1.0\r\n" H H "\r\n", "more than one Host"),
    REFUSED(400, GET1 "Host:\r\n\r\n", "Host header is not"),
    REFUSED(400, GET1 "Host: a b\r\n\r\n", "Host header is not"),
    REFUSED(400, GET1 "Host: a/b\r\n\r\n", "Host header is not"),
    REFUSED(400, GET1 "Host: u@a\r\n\r\n", "Host header is not"),
    REFUSED(400, GET1 "Host: a:80x\r\n\r\n", "Host header is not"),
    REFUSED(400, GET1 "Host: a:80:80\r\n\r\n", "Host header is not"),
    REFUSED(400, GET1 "Host: :80\r\n\r\n", "Host header is not"),
    REFUSED(400, GET1 "Host: [::1\r\n\r\n", "Host header is not"),
    REFUSED(400, GET1 "Host: [::1]x\r\n\r\n", "Host header is not"),
    REFUSED(400, GET1 "Host: []\r\n\r\n", "Host header is not"),
    REFUSED(400, "GET http://b/ HTTP/1.1\r\n" H "\r\n", "another host"),
    /* Request line */
    REFUSED(400, "GET http:///x HTTP/1.1\r\n" H "\r\n", "no valid host"),
    REFUSED(400, "GET http://u@a/ HTTP/1.1\r\n" H "\r\n", "no valid host"),
    REFUSED(400, "GET ftp://a/ HTTP/1.1\r\n" H "\r\n", "neither a path"),
    REFUSED(400, "GET x HTTP/1.1\r\n" H "\r\n", "neither a path"),
    REFUSED(400, "GET a:80 HTTP/1.1\r\n" H "\r\n", "neither a path"),
    REFUSED(400, "GET  HTTP/1.1\r\n" H "\r\n", "neither a path"),
    REFUSED(400, "GET * HTTP/1.1\r\n" H "\r\n", "OPTIONS alone"),
    REFUSED(400, "CONNECT a:80 HTTP/1.1\r\n" H "\r\n", "CONNECT"),
    REFUSED(400, "CONNECT / HTTP/1.1\r\n" H "\r\n", "CONNECT"),
    REFUSED(400, "GET /#x HTTP/1.1\r\n" H "\r\n", "percent-encoded"),
    REFUSED(400, "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", "percent-encoded"),
    REFUSED(400, "GET /\tx HTTP/1.1\r\n" H "\r\n", "percent-encoded"),
    REFUSED(400, "GET /  HTTP/1.1\r\n" H "\r\n", "does not end in"),
    REFUSED(400, "GET  / HTTP/1.1\r\n" H "\r\n", "does not end in"),
    REFUSED(400, "GET /a b HTTP/1.1\r\n" H "\r\n", "does not end in"),
    REFUSED(400, "GET /\r\n", "does not end in"),
    REFUSED(400, "GET\r\n", "does not end in"),
    REFUSED(400, "GET / HTTP/1.1 \r\n" H "\r\n", "does not end in"),
    REFUSED(400, "GET / http/1.1\r\n" H "\r\n", "does not end in"),
    REFUSED(400, "GET / HTTP/11\r\n" H "\r\n", "does not end in"),
    REFUSED(400, "GET / HTTP/1.10\r\n" H "\r\n", "does not end in"),
    REFUSED(400, " GET / HTTP/1.1\r\n" H "\r\n", "begin with a method"),
    REFUSED(400, "G(T / HTTP/1.1\r\n" H "\r\n", "begin with a method"),
    REFUSED(400, "\x16\x03\x01\x02", "control character, 0x16"), /* TLS, spoken to a plain port */
    REFUSED(505, "GET / HTTP/2.0\r\n" H "\r\n", "HTTP/2.0"),
    REFUSED(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2.0"),
    REFUSED(505, "GET / HTTP/1.2\r\n" H "\r\n", "HTTP/1.2"),
    REFUSED(505, "GET / HTTP/0.9\r\n" H "\r\n", "HTTP/0.9"),
};

static void ambiguity_is_refused(void)
{
    struct outcome o = {0};
    size_t count = sizeof corpus / sizeof corpus[0];
    EXPECT(count >= 60);
    for (size_t i = 0; i < count; i++) {
        feed_all(corpus[i].input, &o);
        if (o.result == HTTP_BAD && fault_info(o.why.code)->status == corpus[i].status &&
            strstr(o.why.text, corpus[i].text))
            continue;
        UNIT_FAIL("row %zu, %.*s: expected %d \"%s\", got result %d, %d \"%s\"", i, SLICE_FMT(corpus[i].input),
                  corpus[i].status, corpus[i].text, o.result, fault_info(o.why.code)->status, o.why.text);
    }
    buf_clear(&o.shown);
}

/* ---- Limits: exactly at the bound is fine, one more is not, and the text names the bound. */

static void fill(struct buf *b, char c, size_t count)
{
    memset(buf_reserve(b, count), c, count);
    buf_grew(b, count);
}

/* Whole, and byte by byte; cutting everywhere would be quadratic here. */
static void expect_limit(struct buf *input, enum http_result result, int status, const char *text)
{
    struct outcome whole = {0}, other = {0};
    struct http_parser p;
    struct slice s = buf_slice(input);
    begin(&p, &whole);
    feed(&p, s, s.len, &whole);
    EXPECT_INT(result, whole.result);
    if (result == HTTP_BAD) {
        EXPECT_INT(status, fault_info(whole.why.code)->status);
        if (!strstr(whole.why.text, text)) UNIT_FAIL("expected \"%s\" in \"%s\"", text, whole.why.text);
    }
    static struct http_head head;
    begin(&p, &other);
    other.result = HTTP_MORE;
    for (size_t len = 0; len <= s.len && other.result == HTTP_MORE; len++)
        other.result = http_parse(&p, slice_of(s.ptr, len), &head, &other.why);
    EXPECT_INT(whole.result, other.result);
    EXPECT_STR(whole.why.text, other.why.text);
    buf_clear(&whole.shown);
}

static void the_request_line_is_bounded(void)
{
    for (size_t over = 0; over <= 1; over++) {
        struct buf b = {0};
        buf_append(&b, SLICE("GET /"));
        fill(&b, 'x', LIMIT_REQUEST_LINE_BYTES - sizeof "GET / HTTP/1.1" + 1 + over);
        buf_append(&b, SLICE(" HTTP/1.1\r\nHost: a\r\n\r\n"));
        expect_limit(&b, over ? HTTP_BAD : HTTP_DONE, 414, "request line is over the limit of 8192 bytes");
        buf_clear(&b);
    }
}

static void a_header_line_is_bounded(void)
{
    for (size_t over = 0; over <= 1; over++) {
        struct buf b = {0};
        buf_append(&b, SLICE("GET / HTTP/1.1\r\nHost: a\r\nX:"));
        fill(&b, 'x', LIMIT_HEADER_LINE_BYTES - 2 + over);
        buf_append(&b, SLICE("\r\n\r\n"));
        expect_limit(&b, over ? HTTP_BAD : HTTP_DONE, 431, "header line is over the limit of 8192 bytes");
        buf_clear(&b);
    }
}

static void all_headers_together_are_bounded(void)
{
    for (size_t over = 0; over <= 1; over++) {
        struct buf b = {0};
        buf_append(&b, SLICE("GET / HTTP/1.1\r\nHost: a\r\n"));
        size_t left = LIMIT_HEADERS_BYTES - (sizeof "Host: a\r\n" - 1);
        while (left > 8000) {
            buf_append(&b, SLICE("X:"));
            fill(&b, 'x', 4000 - 4);
            buf_append(&b, SLICE("\r\n"));
            left -= 4000;
        }
        buf_append(&b, SLICE("X:"));
        fill(&b, 'x', left - 2 + over);
        buf_append(&b, SLICE("\r\n\r\n"));
        expect_limit(&b, over ? HTTP_BAD : HTTP_DONE, 431, "headers together are over the limit of 32768 bytes");
        buf_clear(&b);
    }
}

static void headers_are_counted(void)
{
    for (size_t over = 0; over <= 1; over++) {
        struct buf b = {0};
        buf_append(&b, SLICE("GET / HTTP/1.1\r\nHost: a\r\n"));
        for (size_t i = 1; i < LIMIT_HEADERS_COUNT + over; i++)
            buf_append(&b, SLICE("X:\r\n"));
        buf_append(&b, SLICE("\r\n"));
        expect_limit(&b, over ? HTTP_BAD : HTTP_DONE, 431, "limit of 100 headers");
        buf_clear(&b);
    }
}

/* A peer that sends no line end must not be waited for beyond the bound. */
static void an_endless_line_is_cut_at_the_bound(void)
{
    struct buf b = {0};
    fill(&b, 'x', LIMIT_REQUEST_LINE_BYTES);
    expect_limit(&b, HTTP_MORE, 0, "");
    fill(&b, 'x', 1);
    expect_limit(&b, HTTP_BAD, 414, "request line");
    buf_clear(&b);
}

/* ---- Helpers */

static void segments_are_encoded(void)
{
    struct buf out;
    buf_init(&out);
    http_encode_segment(&out, SLICE("aZ09-._~/? %\xC3\xBC\n"));
    EXPECT_SLICE(SLICE("aZ09-._~%2F%3F%20%25%C3%BC%0A"), buf_slice(&out));
    buf_clear(&out);
}

static void segments_are_decoded(void)
{
    struct arena a;
    struct slice s;
    arena_init(&a);
    EXPECT(http_decode_segment(&a, SLICE("a%2Fb%20c%C3%a9+"), &s));
    EXPECT_SLICE(SLICE("a/b c\xc3\xa9+"), s);
    EXPECT(http_decode_segment(&a, SLICE(""), &s));
    EXPECT_INT(0, s.len);
    EXPECT(http_decode_segment(&a, SLICE("%41"), &s));
    EXPECT_SLICE(SLICE("A"), s);
    EXPECT(!http_decode_segment(&a, SLICE("%"), &s));
    EXPECT(!http_decode_segment(&a, SLICE("%4"), &s));
    EXPECT(!http_decode_segment(&a, SLICE("%4g"), &s));
    EXPECT(!http_decode_segment(&a, SLICE("%+1"), &s));
    EXPECT(!http_decode_segment(&a, SLICE("a%00b"), &s));
    EXPECT(!http_decode_segment(&a, SLICE("a%0d%0ab"), &s));
    EXPECT(!http_decode_segment(&a, SLICE("%7f"), &s));
    arena_clear(&a);
}

static void every_fault_has_a_reason(void)
{
#define X(name, status, type, code, sentence)                                                                          \
    if (status != 499) EXPECT(strcmp(http_reason(status), "Unknown") != 0);
    FAULTS(X)
#undef X
    EXPECT_STR("OK", http_reason(200));
    EXPECT_STR("Unknown", http_reason(499));
}

static void lists_hold_whole_tokens(void)
{
    EXPECT(http_list_has(SLICE("a, b ,c"), SLICE("B")));
    EXPECT(http_list_has(SLICE("close"), SLICE("close")));
    EXPECT(!http_list_has(SLICE("closed, x-close"), SLICE("close")));
    EXPECT(!http_list_has(SLICE(""), SLICE("close")));
}

static void headers_are_found_by_name(void)
{
    static struct http_head head;
    struct http_parser p;
    struct fault why;
    http_parser_init(&p);
    struct slice input = SLICE("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\n\r\n");
    EXPECT_INT(HTTP_DONE, http_parse(&p, input, &head, &why));
    EXPECT_SLICE(SLICE("1"), http_find(&head, SLICE("x")));
    EXPECT(http_find(&head, SLICE("y")).ptr == NULL);
}

int main(void)
{
    RUN(heads_are_understood);
    RUN(ambiguity_is_refused);
    RUN(the_request_line_is_bounded);
    RUN(a_header_line_is_bounded);
    RUN(all_headers_together_are_bounded);
    RUN(headers_are_counted);
    RUN(an_endless_line_is_cut_at_the_bound);
    RUN(segments_are_decoded);
    RUN(segments_are_encoded);
    RUN(every_fault_has_a_reason);
    RUN(lists_hold_whole_tokens);
    RUN(headers_are_found_by_name);
    return unit_close("http");
}
