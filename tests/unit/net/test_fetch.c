/* What is sent, what is understood, what is refused, which connections serve again. */
#include "net/fetch.h"

#include "base/limits.h"
#include "caller.h"
#include "scripted.h"

static void serve_ok(struct upstream *u)
{
    struct up_conn c = up_accept(u);
    up_answer(&c, UP_OK);
    up_sees_close(&c);
    up_fin(&c);
}

static bool has(struct buf *b, const char *text)
{
    return buf_len(b) && memmem(buf_ptr(b), buf_len(b), text, strlen(text));
}

static void gets_an_answer(void)
{
    struct world w;
    struct call c;
    world_open(&w, serve_ok);
    call_whole(&w, &c);
    EXPECT(c.complete);
    EXPECT_INT(200, c.status);
    EXPECT_SLICE(SLICE("Content-Length=5\n"), buf_slice(&c.head));
    EXPECT_SLICE(SLICE("hello"), buf_slice(&c.body));
    char address[64], request[256];
    snprintf(address, sizeof address, "127.0.0.1:%d", w.up.port);
    EXPECT_INT(1, fetch_pool_stats(w.pool).connections_open);
    EXPECT_INT(0, fetch_pool_stats(w.pool).fetches_active);
    fetch_pool_free(w.pool);
    w.pool = NULL;
    up_join(&w.up);
    snprintf(request, sizeof request,
             "GET /v1/x HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\nUser-Agent: moongate/test\r\n\r\n", address);
    EXPECT_SLICE(slice_str(request), buf_slice(&w.up.request));
    call_clear(&c);
    world_close(&w);
}

static void sends_headers_and_a_small_body(void)
{
    const struct fetch_header headers[] = {{SLICE("Authorization"), SLICE("Bearer secret")},
                                           {SLICE("Content-Type"), SLICE("application/json")},
                                           {SLICE("X-Empty"), SLICE("")},
                                           {SLICE("User-Agent"), SLICE("other/2")},
                                           {SLICE("content-length"), SLICE("999")},
                                           {SLICE("Transfer-Encoding"), SLICE("chunked")},
                                           {SLICE("Expect"), SLICE("100-continue")},
                                           {SLICE("Accept"), SLICE("text/event-stream")}};
    const struct slice body[] = {SLICE("{\"model\":"), SLICE_NONE, SLICE("\"m\""), SLICE("}")};
    struct world w;
    struct call c;
    char request[512];
    world_open(&w, serve_ok);
    call_init(&w, &c);
    c.request.method = SLICE("POST");
    c.request.headers = headers;
    c.request.header_count = sizeof headers / sizeof *headers;
    c.request.body = body;
    c.request.body_count = 4;
    call_go(&c);
    world_run(&w);
    EXPECT(c.complete);
    fetch_pool_free(w.pool);
    w.pool = NULL;
    up_join(&w.up);
    snprintf(request, sizeof request,
             "POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer secret\r\n"
             "Content-Type: application/json\r\nX-Empty:\r\nUser-Agent: other/2\r\nAccept: text/event-stream\r\n"
             "Content-Length: 13\r\n\r\n{\"model\":\"m\"}",
             w.up.port);
    EXPECT_SLICE(slice_str(request), buf_slice(&w.up.request));
    call_clear(&c);
    world_close(&w);
}

static void serve_methods(struct upstream *u)
{
    static const char *const starts[] = {"PUT /v1/x HTTP/1.1\r\n", "DELETE /v1/x HTTP/1.1\r\n",
                                         "HEAD /v1/x HTTP/1.1\r\n", "POST /v1/x HTTP/1.1\r\n",
                                         "GET /v1/x HTTP/1.1\r\n"};
    struct up_conn c = up_accept(u);
    for (int i = 0; i < 5; i++) {
        EXPECT(up_read_request(&c) && slice_starts(buf_slice(&u->request), slice_str(starts[i])));
        bool has_length = i == 0 || i == 3;
        EXPECT_INT(has_length, has(&u->request, "Content-Length: 0\r\n"));
        EXPECT(!has(&u->request, "urlencoded"));
        up_send(&c, i == 2 ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : UP_OK);
    }
    up_fin(&c);
}

/* One handle serves them all: nothing of one request may stay for the next. */
static void knows_methods(void)
{
    static const struct slice methods[] = {{"PUT", 3}, {"DELETE", 6}, {"HEAD", 4}, {"POST", 4}, {"GET", 3}};
    struct world w;
    world_open(&w, serve_methods);
    for (int i = 0; i < 5; i++) {
        struct call c;
        call_init(&w, &c);
        c.request.method = methods[i];
        call_go(&c);
        world_run(&w);
        EXPECT(c.complete);
        EXPECT_INT(i == 2 ? 0 : 5, buf_len(&c.body));
        EXPECT_INT(i > 0, c.was_reused);
        call_clear(&c);
    }
    EXPECT_INT(1, fetch_pool_stats(w.pool).connections_created);
    EXPECT_INT(4, fetch_pool_stats(w.pool).connections_reused);
    world_close(&w);
}

static void body_is_given_back(struct call *c)
{
    EXPECT(fetch_has_body(c->f));
}

static void sends_a_large_body_in_pieces(void)
{
    struct world w;
    struct call c;
    struct slice pieces[7];
    char *bytes = mem_alloc(1000000);
    for (size_t i = 0; i < 1000000; i++)
        bytes[i] = (char)('a' + i * i % 23);
    size_t at = 0;
    for (int i = 0; i < 6; i++) {
        pieces[i] = slice_of(bytes + at, (size_t)i * 50000);
        at += (size_t)i * 50000;
    }
    pieces[6] = slice_of(bytes + at, 1000000 - at);
    world_open(&w, serve_ok);
    call_init(&w, &c);
    c.request.method = SLICE("POST");
    c.request.body = pieces;
    c.request.body_count = 7;
    c.on_data = body_is_given_back;
    call_go(&c);
    EXPECT(!fetch_has_body(c.f));
    world_run(&w);
    EXPECT(c.complete);
    fetch_pool_free(w.pool);
    w.pool = NULL;
    up_join(&w.up);
    struct slice got = buf_slice(&w.up.request);
    EXPECT(has(&w.up.request, "Content-Length: 1000000\r\n"));
    EXPECT(got.len > 1000000 && memcmp(got.ptr + got.len - 1000000, bytes, 1000000) == 0);
    mem_free(bytes);
    call_clear(&c);
    world_close(&w);
}

static void refuses_to_send(const char *url, struct fetch_header header, enum fault_code code)
{
    struct world w;
    struct call c;
    world_open(&w, NULL);
    call_init(&w, &c);
    if (url) snprintf(c.url, sizeof c.url, "%s", url);
    c.request.headers = &header;
    c.request.header_count = 1;
    call_go(&c);
    world_run(&w);
    EXPECT_INT(1, c.ends);
    if (code != c.code) UNIT_FAIL("%s: expected %d, got %d (%s)", url ? url : "(default)", code, c.code, c.text);
    EXPECT(!strstr(c.text, "secret"));
    EXPECT(!c.was_sent);
    struct pollfd p = {w.up.listen_fd, POLLIN, 0};
    EXPECT_INT(0, poll(&p, 1, 0));
    call_clear(&c);
    world_close(&w);
}

static void refuses_bad_requests(void)
{
    struct fetch_header good = {SLICE("A"), SLICE("b")};
    refuses_to_send(NULL, (struct fetch_header){SLICE("A"), SLICE("b\r\nX: y")}, FAULT_INTERNAL);
    refuses_to_send(NULL, (struct fetch_header){SLICE("A b"), SLICE("b")}, FAULT_INTERNAL);
    refuses_to_send(NULL, (struct fetch_header){SLICE(""), SLICE("b")}, FAULT_INTERNAL);
    refuses_to_send("http://127.0.0.1 /", good, FAULT_INTERNAL);
    refuses_to_send("", good, FAULT_INTERNAL);
    refuses_to_send("ftp://127.0.0.1/secret", good, FAULT_UPSTREAM_CONNECT);
    refuses_to_send("file:///etc/hostname", good, FAULT_UPSTREAM_CONNECT);
    refuses_to_send("http://user:secret@127.0.0.1:1/", good, FAULT_UPSTREAM_CONNECT);
    refuses_to_send("http://[bad/secret", good, FAULT_UPSTREAM_CONNECT);
}

/* The answer in as many writes as it has bytes; Nagle is off. */
static void serve_bytes(struct upstream *u)
{
    struct up_conn c = up_accept(u);
    static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A:  b \r\nX-A: c\r\n\r\n"
                                 "5;ext=1\r\nhello\r\n1\r\n \r\n00A\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n";
    up_read_request(&c);
    for (size_t i = 0; i < sizeof answer - 1; i++) {
        up_send_bytes(&c, answer + i, 1);
        usleep(200);
    }
    up_answer(&c, UP_OK);
    up_fin(&c);
}

static void understands_chunks_byte_by_byte(void)
{
    struct world w;
    struct call c, again;
    world_open(&w, serve_bytes);
    call_whole(&w, &c);
    EXPECT(c.complete);
    EXPECT_INT(1, c.heads);
    EXPECT_SLICE(SLICE("Transfer-Encoding=chunked\nX-A=b\nX-A=c\n"), buf_slice(&c.head));
    EXPECT_SLICE(SLICE("hello 0123456789"), buf_slice(&c.body));
    call_whole(&w, &again);
    EXPECT(again.was_reused);
    call_clear(&c);
    call_clear(&again);
    world_close(&w);
}

static void answers_n(const char *text, size_t len, bool rst, enum fault_code code, const char *body)
{
    struct world w;
    struct call c, again;
    scripted = text;
    scripted_len = len;
    scripted_rst = rst;
    world_open(&w, serve_scripted);
    call_whole(&w, &c);
    if (code != c.code) UNIT_FAIL("%.60s…: expected %d, got %d (%s)", text, code, c.code, c.text);
    EXPECT_SLICE(slice_str(body), buf_slice(&c.body));
    EXPECT(c.was_sent);
    EXPECT(code == FAULT_NONE || slice_starts(slice_str(c.text), SLICE("127.0.0.1:")));
    call_whole(&w, &again);
    EXPECT(again.complete);
    EXPECT(!again.was_reused);
    up_join(&w.up);
    EXPECT_INT(2, w.up.accepted);
    call_clear(&c);
    call_clear(&again);
    world_close(&w);
}

static void answers(const char *text, enum fault_code code, const char *body)
{
    answers_n(text, strlen(text), false, code, body);
}

#define OK_LINE "HTTP/1.1 200 OK\r\n"

static void names_what_ends_early(void)
{
    const enum fault_code closed = FAULT_UPSTREAM_CLOSED;
    answers("", closed, "");
    answers("HTTP/1.1 20", closed, "");
    answers(OK_LINE "Content-Le", closed, "");
    answers(OK_LINE "Content-Length: 10\r\n\r\n", closed, "");
    answers(OK_LINE "Content-Length: 10\r\n\r\nhello", closed, "hello");
    answers(OK_LINE "Transfer-Encoding: chunked\r\n\r\n", closed, "");
    answers(OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello", closed, "hello");
    answers(OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", closed, "hello");
    answers(OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", closed, "hello");
    answers("HTTP/1.1 100 Continue\r\n\r\n", closed, "");
    /* an answer without a length ends with its connection */
    answers(OK_LINE "\r\nhello", FAULT_NONE, "hello");
    answers(OK_LINE "Connection: close\r\nContent-Length: 5\r\n\r\nhello", FAULT_NONE, "hello");
}

static void knows_that_nobody_was_there(void)
{
    struct world w;
    struct call c;
    world_open(&w, NULL);
    call_init(&w, &c);
    close(w.up.listen_fd);
    w.up.listen_fd = -1;
    c.request.url = slice_str(c.url);
    w.active++;
    c.f = fetch_start(w.pool, &c.request, &call_events, &c);
    world_run(&w);
    EXPECT_INT(FAULT_UPSTREAM_CONNECT, c.code);
    EXPECT(!c.was_sent);
    call_clear(&c);
    world_close(&w);
}

static void names_a_reset(void)
{
    static const char *const texts[] = {"", OK_LINE "Content-Length: 10\r\n\r\n", OK_LINE "\r\nhello",
                                        OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct world w;
        struct call c;
        scripted = texts[i];
        scripted_len = strlen(texts[i]);
        scripted_rst = true;
        world_open(&w, serve_scripted);
        call_whole(&w, &c);
        EXPECT_INT(FAULT_UPSTREAM_CLOSED, c.code);
        EXPECT(!c.complete);
        call_clear(&c);
        call_whole(&w, &c);
        EXPECT(c.complete);
        EXPECT(!c.was_reused);
        call_clear(&c);
        world_close(&w);
    }
}

static void names_bad_http(void)
{
    const enum fault_code bad = FAULT_UPSTREAM_PROTOCOL;
    answers("hello, I am no web server\r\n\r\n", bad, "");
    answers("SSH-2.0-OpenSSH_9.2\r\n", bad, "");
    answers("HTTP/9.9 200 OK\r\n\r\n", bad, "");
    answers("HTTP/1.1 2000 OK\r\n\r\n", bad, "");
    answers("HTTP/1.1 999 What\r\n\r\n", bad, "");
    answers("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", bad, "");
    answers(OK_LINE "no colon here\r\n\r\n", bad, "");
    answers(OK_LINE "Bad Name: x\r\n\r\n", bad, "");
    answers(OK_LINE "A: b\r\n c\r\n\r\n", bad, "");
    answers(OK_LINE "A: b\rc\r\n\r\n", bad, "");
    answers(OK_LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", bad, "");
    answers(OK_LINE "Content-Length: five\r\n\r\nhello", bad, "");
    answers(OK_LINE "Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello", bad, "");
    answers(OK_LINE "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello", bad, "");
    answers_n(OK_LINE "A: b\0c\r\n\r\n", sizeof OK_LINE + 9, false, bad, "");
}

static void bounds_heads(void)
{
    char *text = mem_alloc(200000);
    int len = snprintf(text, 200000, OK_LINE);
    for (unsigned i = 0; i < LIMIT_RESPONSE_HEADERS_COUNT + 1; i++)
        len += snprintf(text + len, 200000 - (size_t)len, "A: %u\r\n", i);
    snprintf(text + len, 200000 - (size_t)len, "Content-Length: 0\r\n\r\n");
    answers(text, FAULT_UPSTREAM_PROTOCOL, "");
    len = snprintf(text, 200000, OK_LINE "A: %0*d\r\nContent-Length: 0\r\n\r\n", (int)LIMIT_RESPONSE_HEAD_BYTES, 1);
    answers(text, FAULT_UPSTREAM_PROTOCOL, "");
    len = snprintf(text, 200000, OK_LINE "A: %0*d\r\nContent-Length: 0\r\n\r\n", 150000, 1); /* more than curl keeps */
    answers(text, FAULT_UPSTREAM_PROTOCOL, "");
    /* interim answers are counted too */
    len = 0;
    while (len < (int)LIMIT_RESPONSE_HEAD_BYTES)
        len += snprintf(text + len, 200000 - (size_t)len, "HTTP/1.1 102 Processing\r\n\r\n");
    snprintf(text + len, 200000 - (size_t)len, "%s", UP_OK);
    answers(text, FAULT_UPSTREAM_PROTOCOL, "");
    /* and trailers */
    len = snprintf(text, 200000, OK_LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n");
    while (len < 2 * (int)LIMIT_RESPONSE_HEAD_BYTES)
        len += snprintf(text + len, 200000 - (size_t)len, "X-Trailer: %0100d\r\n", 1);
    snprintf(text + len, 200000 - (size_t)len, "\r\n");
    answers(text, FAULT_UPSTREAM_PROTOCOL, "");
    mem_free(text);
}

static void leaves_redirects_and_errors_to_the_caller(void)
{
    answers("HTTP/1.1 302 Found\r\nLocation: /other\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", FAULT_NONE,
            "no");
    answers("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
            FAULT_NONE, "no");
    answers("HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", FAULT_NONE, "no");
    answers("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", FAULT_NONE, "");
    /* not undone */
    answers(OK_LINE "Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: 2\r\n\r\n\x1f\x8b", FAULT_NONE,
            "\x1f\x8b");
}

/* The provider closes a kept connection, before or after bytes that nobody asked for. */
static bool scripted_extra;

static void serve_then_close(struct upstream *u)
{
    struct up_conn c = up_accept(u);
    up_answer(&c, UP_OK);
    up_wait_word(u);
    if (scripted_extra) up_send(&c, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsmuggle");
    if (!scripted_extra) shutdown(c.fd, SHUT_WR);
    up_tell(u);
    struct up_conn d = up_accept(u);
    up_answer(&d, UP_OK);
    u->saw_close = up_sees_close(&c);
    up_fin(&c);
    up_fin(&d);
}

static void stop(struct world *w)
{
    loop_stop(w->loop);
}

static void shuns_kept_connections_that_closed(void)
{
    for (int i = 0; i < 4; i++) {
        bool is_noticed_first = i & 1;
        struct world w;
        struct call c, again;
        scripted_extra = i & 2;
        world_open(&w, serve_then_close);
        call_whole(&w, &c);
        EXPECT_INT(1, fetch_pool_stats(w.pool).connections_open);
        up_say(&w.up);
        w.on_told = stop;
        world_run(&w);
        w.on_told = NULL;
        if (is_noticed_first && !scripted_extra) {
            /* the loop sees the end of the idle connection */
            for (int turns = 0; turns < 1000 && fetch_pool_stats(w.pool).connections_open; turns++) {
                loop_timer_arm_ms(&w.guard, 1);
                loop_stop(w.loop);
                loop_run(w.loop);
            }
            EXPECT_INT(0, fetch_pool_stats(w.pool).connections_open);
        }
        call_whole(&w, &again);
        EXPECT(again.complete);
        EXPECT(!again.was_reused);
        EXPECT_SLICE(SLICE("hello"), buf_slice(&again.body));
        up_join(&w.up);
        EXPECT(w.up.saw_close);
        EXPECT_INT(2, w.up.accepted);
        call_clear(&c);
        call_clear(&again);
        world_close(&w);
    }
}

/* The second of two requests is answered on the first's connection when that is free, not before. */
static void serve_two_at_once(struct upstream *u)
{
    struct up_conn c = up_accept(u), d = up_accept(u);
    up_read_request(&c);
    up_read_request(&d);
    up_send(&c, UP_OK);
    up_send(&d, UP_OK);
    for (int i = 0; i < 2; i++)
        EXPECT(up_sees_close(i ? &d : &c));
    up_fin(&c);
    up_fin(&d);
}

static void runs_calls_side_by_side(void)
{
    struct world w;
    struct call a, b;
    world_open(&w, serve_two_at_once);
    call_start(&w, &a);
    call_start(&w, &b);
    EXPECT_INT(2, fetch_pool_stats(w.pool).fetches_active);
    world_run(&w);
    EXPECT(a.complete && b.complete);
    EXPECT_INT(2, fetch_pool_stats(w.pool).connections_created);
    EXPECT_INT(2, fetch_pool_stats(w.pool).connections_open);
    fetch_pool_free(w.pool);
    w.pool = NULL;
    call_clear(&a);
    call_clear(&b);
    world_close(&w);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(gets_an_answer);
    RUN(sends_headers_and_a_small_body);
    RUN(knows_methods);
    RUN(sends_a_large_body_in_pieces);
    RUN(refuses_bad_requests);
    RUN(understands_chunks_byte_by_byte);
    RUN(names_what_ends_early);
    RUN(knows_that_nobody_was_there);
    RUN(names_a_reset);
    RUN(names_bad_http);
    RUN(bounds_heads);
    RUN(leaves_redirects_and_errors_to_the_caller);
    RUN(shuns_kept_connections_that_closed);
    RUN(runs_calls_side_by_side);
    return unit_close("fetch");
}
