/* A client's connection in good order: framing in, framing out, keep-alive, pipelining, back-pressure, drain. */
#include "edge.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET10(path) "GET " path " HTTP/1.0\r\n\r\n"

static void a_request_is_answered_and_the_connection_kept(void)
{
    edge_open();
    struct client *c = client_connect();
    client_send(c, SLICE(GET("/a")));
    UNTIL(client_has(c, "\r\n\r\nok"));
    EXPECT(client_has(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: "));
    EXPECT(client_has(c, " GMT\r\nContent-Length: 2\r\n\r\nok"));
    EXPECT(!client_has(c, "Connection:"));
    EXPECT_STR("request:GET:/a end: replied ", edge_log());
    client_send(c, SLICE(GET("/b")));
    UNTIL(client_count(c, "\r\n\r\nok") == 2);
    EXPECT_STR("request:GET:/a end: replied request:GET:/b end: replied ", edge_log());
    EXPECT(!c->is_ended);
    struct conn_counts counts = conn_server_counts(edge.server);
    EXPECT_INT(1, counts.open);
    EXPECT_INT(1, counts.accepted);
    EXPECT_INT(2, counts.requests);
    client_close(c);
    UNTIL(conn_server_counts(edge.server).open == 0);
    EXPECT(!edge_logged("gone"));
    edge_close();
}

static struct client *pair_client(void)
{
    int fds[2];
    EXPECT_INT(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    conn_server_adopt(edge.server, fds[0], "unix");
    return client_add(fds[1]);
}

static const char *const requests[][2] = {
    {"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
     "request:POST:/x end:hello world replied "},
    {"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x\r\n world\r\n0\r\nT: "
     "v\r\n\r\n",
     "request:POST:/x end:hello world replied "},
    {GET("/1") GET("/2"), "request:GET:/1 end: replied request:GET:/2 end: replied "},
    {"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab" GET("/2"),
     "request:POST:/1 end:ab replied request:GET:/2 end: replied "},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "refused:400 replied "},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!",
     "request:POST:/ refused:400 replied "},
};

static void expect_cut(const char *input, size_t cut, size_t step, const char *log)
{
    edge_open();
    struct client *c = pair_client();
    size_t len = strlen(input);
    for (size_t at = 0; at < len;) {
        size_t end = step ? at + step : at < cut ? cut : len;
        client_send(c, slice_of(input + at, end - at));
        at = end;
        edge_turn();
    }
    UNTIL(strlen(edge_log()) >= strlen(log));
    EXPECT_STR(log, edge_log());
    edge_close();
}

static void cuts_do_not_matter(void)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const char *input = requests[i][0], *log = requests[i][1];
        /* What follows a refusal is never sent, so that the feed does not run into the closed connection. */
        size_t len = strlen(input);
        expect_cut(input, len, 0, log);
        expect_cut(input, len, 1, log);
        for (size_t cut = 1; cut < len; cut++)
            expect_cut(input, cut, 0, log);
    }
}

static void hold(struct conn *c)
{
    edge.last = c;
}

static void requests_are_answered_in_order(void)
{
    edge_open();
    edge.at_end = hold;
    struct client *c = client_connect();
    client_send(c, SLICE(GET("/1") GET("/2") GET("/3")));
    UNTIL(edge_logged("end:"));
    edge_turns(20);
    EXPECT_STR("request:GET:/1 end: ", edge_log());
    for (int i = 0; i < 3; i++) {
        UNTIL(edge.last != NULL);
        conn_reply(edge.last, 200 + i, NULL, 0, SLICE(""));
        UNTIL(client_count(c, "\r\n\r\n") == i + 1);
    }
    const char *got = client_got(c);
    EXPECT(strstr(got, " 200 ") && strstr(strstr(got, " 200 "), " 201 ") && strstr(strstr(got, " 201 "), " 202 "));
    EXPECT_STR("request:GET:/1 end: replied request:GET:/2 end: replied request:GET:/3 end: replied ", edge_log());
    edge_close();
}

/* One who sends many requests at once is served one a turn, so another is not kept waiting for all of them. */
static void a_pipeline_does_not_starve_others(void)
{
    edge_open();
    struct client *many = client_connect(), *one = client_connect();
    UNTIL(conn_server_counts(edge.server).open == 2);
    for (int i = 0; i < 50; i++)
        client_send(many, SLICE(GET("/many")));
    client_send(one, SLICE(GET("/one")));
    UNTIL(client_count(many, "\r\n\r\nok") == 50);
    const char *at = strstr(edge_log(), "/one");
    EXPECT(at && strstr(at, "/many"));
    edge_close();
}

static void reading_stops_while_a_request_is_answered(void)
{
    edge_open();
    edge.at_end = hold;
    struct client *c = client_connect();
    client_send(c, SLICE(GET("/1")));
    UNTIL(edge.last != NULL);
    static char many[1 << 20];
    memset(many, 'x', sizeof many);
    ssize_t sent = 0, n;
    for (int i = 0; i < 200; i++) {
        edge_turn();
        if ((n = send(c->fd, many, sizeof many, MSG_NOSIGNAL)) > 0) sent += n;
    }
    EXPECT(sent > 0);
    EXPECT(edge.last->in.cap <= LIMIT_PIPELINE_BYTES);
    edge_close();
}

static void head_has_no_body_and_204_no_length(void)
{
    edge_open();
    struct client *c = client_connect();
    client_send(c, SLICE("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"));
    UNTIL(client_has(c, "\r\n\r\n"));
    edge_turns(5);
    EXPECT(client_has(c, "Content-Length: 2\r\n\r\n"));
    EXPECT(!client_has(c, "ok"));
    edge.at_end = hold;
    buf_reset(&c->got);
    client_send(c, SLICE(GET("/")));
    UNTIL(edge.last != NULL);
    conn_reply(edge.last, 204, NULL, 0, SLICE("dropped"));
    UNTIL(client_has(c, "\r\n\r\n"));
    edge_turns(5);
    EXPECT(client_has(c, "HTTP/1.1 204 No Content\r\n"));
    EXPECT(!client_has(c, "Content-Length"));
    EXPECT(!client_has(c, "dropped"));
    EXPECT(!c->is_ended);
    edge_close();
}

static void stream(struct conn *c)
{
    conn_reply_head(c, 200, NULL, 0, CONN_STREAM);
    conn_write(c, SLICE("data: 1\n\n"));
    conn_write(c, SLICE(""));
    conn_write(c, SLICE("0123456789abcdef"));
    conn_end(c);
}

static void a_stream_is_chunked(void)
{
    edge_open();
    edge.at_end = stream;
    struct client *c = client_connect();
    client_send(c, SLICE(GET("/")));
    UNTIL(client_has(c, "0\r\n\r\n"));
    EXPECT(client_has(c, "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"));
    client_send(c, SLICE("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"));
    buf_reset(&c->got);
    UNTIL(client_has(c, "Transfer-Encoding: chunked\r\n\r\n"));
    edge_turns(5);
    EXPECT(!client_has(c, "data"));
    EXPECT(!c->is_ended);
    edge_close();
}

static void http_1_0_gets_what_it_understands(void)
{
    edge_open();
    struct client *plain = client_connect(), *kept = client_connect(), *streamed = client_connect();
    client_send(plain, SLICE(GET10("/")));
    UNTIL(plain->is_ended);
    EXPECT(client_has(plain, "Connection: close\r\n\r\nok"));
    EXPECT(!plain->is_reset);
    client_send(kept, SLICE("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    UNTIL(client_has(kept, "Connection: keep-alive\r\n\r\nok"));
    edge.at_end = stream;
    client_send(streamed, SLICE("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    UNTIL(streamed->is_ended);
    EXPECT(client_has(streamed, "Connection: close\r\n\r\ndata: 1\n\n0123456789abcdef"));
    EXPECT(!client_has(streamed, "chunked"));
    EXPECT(!streamed->is_reset && !kept->is_ended);
    edge_close();
}

static void connection_close_is_honoured(void)
{
    edge_open();
    struct client *asked = client_connect(), *told = client_connect();
    client_send(asked, SLICE("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    UNTIL(asked->is_ended);
    EXPECT(client_has(asked, "Connection: close\r\n\r\nok"));
    edge.at_end = hold;
    client_send(told, SLICE(GET("/")));
    UNTIL(edge.last != NULL);
    conn_close_after(edge.last);
    edge_reply_ok(edge.last);
    UNTIL(told->is_ended);
    EXPECT(client_has(told, "Connection: close\r\n\r\nok"));
    edge_close();
}

static void a_waiting_client_is_told_to_continue(void)
{
    edge_open();
    struct client *c = client_connect();
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    UNTIL(client_has(c, "HTTP/1.1 100 Continue\r\n\r\n"));
    client_send(c, SLICE("hi"));
    UNTIL(client_has(c, "\r\n\r\nok"));
    EXPECT_STR("request:POST:/ end:hi replied ", edge_log());
    buf_reset(&c->got);
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"));
    UNTIL(client_has(c, "\r\n\r\nok"));
    EXPECT(!client_has(c, "100 Continue"));
    edge_close();
}

static void reply_at_once(struct conn *c, const struct http_head *head)
{
    (void)head;
    conn_reply(c, 401, NULL, 0, SLICE("no"));
}

static void an_early_reply_ends_the_connection_unless_the_body_is_here(void)
{
    edge_open();
    edge.at_request = reply_at_once;
    struct client *c = client_connect();
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" GET("/next")));
    UNTIL(client_count(c, "\r\n\r\nno") == 2);
    EXPECT(!client_has(c, "close"));
    EXPECT_STR("request:POST:/ replied request:GET:/next replied ", edge_log());
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nhi"));
    UNTIL(c->is_ended || client_has(c, "Connection: close\r\n\r\nno"));
    EXPECT(!edge_logged("end:"));
    UNTIL(c->is_ended);
    EXPECT(!c->is_reset);
    edge_close();
}

static void reply_to_a_known_one(struct conn *c, const struct http_head *head)
{
    conn_set_known(c, true);
    reply_at_once(c, head);
}

/* Of a stranger less is read: test_strangers.c. */
static void a_refusal_reaches_a_client_that_is_still_sending(void)
{
    edge_open();
    edge.at_request = reply_to_a_known_one;
    struct client *c = client_connect();
    static char body[1 << 20];
    memset(body, 'x', sizeof body);
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n"));
    size_t sent = 0;
    c->is_deaf = true;
    for (int i = 0; i < WAIT_TURNS_MAX && sent < 4 * sizeof body; i++) {
        size_t left = 4 * sizeof body - sent;
        ssize_t n = send(c->fd, body, left < sizeof body ? left : sizeof body, MSG_NOSIGNAL);
        if (n > 0) sent += (size_t)n;
        edge_turn();
    }
    EXPECT_INT(4 * sizeof body, sent);
    c->is_deaf = false;
    UNTIL(client_has(c, "HTTP/1.1 401 Unauthorized\r\n") && client_has(c, "\r\n\r\nno"));
    shutdown(c->fd, SHUT_WR);
    UNTIL(c->is_ended);
    EXPECT(!c->is_reset);
    EXPECT_STR("request:POST:/ replied ", edge_log());
    UNTIL(conn_server_counts(edge.server).open == 0);
    edge_close();
}

static void own_framing_and_broken_headers_are_left_out(void)
{
    edge_open();
    edge.at_end = hold;
    struct client *c = client_connect();
    client_send(c, SLICE(GET("/")));
    UNTIL(edge.last != NULL);
    struct conn_header headers[] = {
        {SLICE("content-length"), SLICE("99")},
        {SLICE("Transfer-Encoding"), SLICE("gzip")},
        {SLICE("Connection"), SLICE("close")},
        {SLICE("Keep-Alive"), SLICE("timeout=1")},
        {SLICE("X"), SLICE("a\r\nEvil: 1")},
        {SLICE("Y Z"), SLICE("1")},
        {SLICE(""), SLICE("1")},
        {SLICE("date"), SLICE("yesterday")},
        {SLICE("Good"), SLICE("\xc3\xa9")},
    };
    conn_reply(edge.last, 200, headers, sizeof headers / sizeof headers[0], SLICE("ok"));
    UNTIL(client_has(c, "\r\n\r\nok"));
    EXPECT_STR("HTTP/1.1 200 OK\r\ndate: yesterday\r\nGood: \xc3\xa9\r\nContent-Length: 2\r\n\r\nok", client_got(c));
    edge_close();
}

/* ---- Back-pressure: what a slow client does not take waits under marks, and arrives whole. */

#define PIECE 32768
static size_t pieces_written;

static void write_pieces(struct conn *c)
{
    static char piece[PIECE];
    while (pieces_written < 128) {
        memset(piece, 'a' + (int)(pieces_written % 26), sizeof piece);
        pieces_written++;
        if (!conn_write(c, slice_of(piece, sizeof piece))) return;
    }
    conn_end(c);
}

static void write_many(struct conn *c)
{
    conn_reply_head(c, 200, NULL, 0, 128ll * PIECE);
    write_pieces(c);
}

static void a_slow_reader_holds_up_the_writer(void)
{
    edge_open();
    edge.at_end = write_many;
    edge.at_drained = write_pieces;
    pieces_written = 0;
    struct client *c = client_connect_small(4096);
    c->is_deaf = true;
    client_send(c, SLICE(GET("/")));
    UNTIL(edge_logged("end:"));
    edge_turns(50);
    EXPECT(pieces_written < 128);
    EXPECT(!edge_logged("drained"));
    EXPECT(conn_output_bytes(edge.last) > LIMIT_OUTPUT_HIGH_BYTES);
    EXPECT(conn_output_bytes(edge.last) <= LIMIT_OUTPUT_HIGH_BYTES + PIECE);
    c->is_deaf = false;
    UNTIL(edge_logged("replied"));
    size_t head_len = (size_t)(strstr(client_got(c), "\r\n\r\n") + 4 - client_got(c)); /* what is got may move */
    UNTIL(buf_len(&c->got) == head_len + 128 * PIECE);
    EXPECT(edge_logged("drained"));
    const char *body = strstr(client_got(c), "\r\n\r\n") + 4;
    size_t wrong = 0;
    for (size_t i = 0; i < 128 * PIECE; i++)
        wrong += body[i] != (char)('a' + i / PIECE % 26);
    EXPECT_INT(0, wrong);
    edge_close();
}

/* Where all together are slow, each may have less. */
static void many_slow_readers_have_less_each(void)
{
    edge_open();
    edge.at_end = write_many;
    edge.at_drained = write_pieces;
    pieces_written = 0;
    edge.server->output_bytes = LIMIT_OUTPUT_ALL_BYTES; /* of others */
    struct client *c = client_connect_small(4096);
    c->is_deaf = true;
    client_send(c, SLICE(GET("/")));
    UNTIL(edge_logged("end:"));
    edge_turns(50);
    EXPECT_INT(LIMIT_OUTPUT_CROWDED_BYTES, conn_output_max(edge.last));
    EXPECT(conn_output_bytes(edge.last) > LIMIT_OUTPUT_CROWDED_BYTES);
    EXPECT(conn_output_bytes(edge.last) <= LIMIT_OUTPUT_CROWDED_BYTES + PIECE);
    EXPECT_INT(LIMIT_OUTPUT_ALL_BYTES + conn_output_bytes(edge.last), edge.server->output_bytes);
    c->is_deaf = false;
    UNTIL(edge_logged("replied"));
    EXPECT_INT(LIMIT_OUTPUT_ALL_BYTES, edge.server->output_bytes);
    edge_close();
}

static void an_idle_connection_holds_no_buffers(void)
{
    edge_open();
    edge.at_end = hold;
    struct client *c = client_connect();
    static char body[100000];
    memset(body, 'x', sizeof body);
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"));
    client_send(c, slice_of(body, sizeof body));
    UNTIL(edge.last != NULL && edge_logged("end:100000"));
    struct conn *conn = edge.last;
    conn_reply_head(conn, 200, NULL, 0, CONN_STREAM);
    conn_write(conn, slice_of(body, sizeof body));
    UNTIL(conn_output_bytes(conn) == 0);
    EXPECT_INT(0, conn->in.cap);
    EXPECT(conn->out.cap <= 2048);
    conn_end(conn);
    UNTIL(edge_logged("replied"));
    EXPECT_INT(0, conn->in.cap);
    EXPECT_INT(0, conn->out.cap);
    EXPECT(sizeof(struct conn) <= 1024);
    edge_close();
}

static void drain_closes_the_idle_and_lets_the_rest_finish(void)
{
    edge_open();
    edge.at_end = hold;
    struct client *idle = client_connect(), *busy = client_connect(), *half = client_connect();
    client_send(busy, SLICE(GET("/busy")));
    client_send(half, SLICE("GET /half HTTP/1.1\r\n"));
    UNTIL(edge.last != NULL && conn_server_counts(edge.server).open == 3);
    struct conn *held = edge.last;
    edge_turns(5);
    conn_server_drain(edge.server);
    UNTIL(idle->is_ended);
    EXPECT(!busy->is_ended && !half->is_ended);
    edge.at_end = NULL;
    client_send(half, SLICE("Host: a\r\n\r\n"));
    UNTIL(half->is_ended);
    EXPECT(client_has(half, "Connection: close\r\n\r\nok"));
    edge_reply_ok(held);
    UNTIL(busy->is_ended);
    EXPECT(client_has(busy, "Connection: close\r\n\r\nok"));
    EXPECT_INT(0, conn_server_counts(edge.server).open);
    edge_close();
}

int main(void)
{
    RUN(a_request_is_answered_and_the_connection_kept);
    RUN(cuts_do_not_matter);
    RUN(requests_are_answered_in_order);
    RUN(a_pipeline_does_not_starve_others);
    RUN(reading_stops_while_a_request_is_answered);
    RUN(head_has_no_body_and_204_no_length);
    RUN(a_stream_is_chunked);
    RUN(http_1_0_gets_what_it_understands);
    RUN(connection_close_is_honoured);
    RUN(a_waiting_client_is_told_to_continue);
    RUN(an_early_reply_ends_the_connection_unless_the_body_is_here);
    RUN(a_refusal_reaches_a_client_that_is_still_sending);
    RUN(own_framing_and_broken_headers_are_left_out);
    RUN(a_slow_reader_holds_up_the_writer);
    RUN(many_slow_readers_have_less_each);
    RUN(an_idle_connection_holds_no_buffers);
    RUN(drain_closes_the_idle_and_lets_the_rest_finish);
    return unit_close("conn");
}
