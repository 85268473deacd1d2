/* A client's connection when things go wrong: leaving in every phase, timeouts, limits, aborts, overload. */
#include "edge.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct conn_options quick(void)
{
    struct conn_options options = CONN_OPTIONS_DEFAULT;
    options.header_timeout_ms = options.body_timeout_ms = options.idle_timeout_ms = options.write_timeout_ms = 30;
    return options;
}

static void hold(struct conn *c)
{
    edge.last = c;
}

/* ---- The client leaves */

enum leaving { LEAVE_FIN, LEAVE_HALF, LEAVE_RESET };

static void leave(struct client *c, enum leaving how)
{
    switch (how) {
    case LEAVE_FIN: client_close(c); return;
    case LEAVE_HALF: shutdown(c->fd, SHUT_WR); return;
    case LEAVE_RESET: client_reset(c); return;
    }
}

static void expect_gone(struct client *c, enum leaving how, const char *log)
{
    leave(c, how);
    UNTIL(edge_logged("gone"));
    EXPECT_STR(log, edge_log());
    UNTIL(conn_server_counts(edge.server).open == 0);
    edge_close();
}

static void leaving_is_noticed_while_the_owner_thinks(void)
{
    for (enum leaving how = LEAVE_FIN; how <= LEAVE_RESET; how++) {
        edge_open();
        edge.at_end = hold;
        struct client *c = client_connect();
        client_send(c, SLICE(GET));
        UNTIL(edge_logged("end:"));
        expect_gone(c, how, "request:GET:/ end: gone ");
    }
}

static void leaving_is_noticed_behind_requests_that_wait(void)
{
    for (enum leaving how = LEAVE_FIN; how <= LEAVE_RESET; how++) {
        edge_open();
        edge.at_end = hold;
        struct client *c = client_connect();
        client_send(c, SLICE(GET GET GET));
        UNTIL(edge_logged("end:"));
        client_send(c, SLICE(GET GET));
        edge_turns(5);
        expect_gone(c, how, "request:GET:/ end: gone ");
    }
}

static void leaving_is_noticed_in_the_middle_of_a_body(void)
{
    for (enum leaving how = LEAVE_FIN; how <= LEAVE_RESET; how++) {
        edge_open();
        struct client *c = client_connect();
        client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nhello"));
        UNTIL(edge_logged("request:"));
        expect_gone(c, how, "request:POST:/ gone ");
    }
}

static void begin_stream(struct conn *c)
{
    edge.last = c;
    conn_reply_head(c, 200, NULL, 0, CONN_STREAM);
    conn_write(c, SLICE("data: 1\n\n"));
}

static void leaving_is_noticed_while_a_stream_is_silent(void)
{
    for (enum leaving how = LEAVE_FIN; how <= LEAVE_RESET; how++) {
        edge_open();
        edge.at_end = begin_stream;
        struct client *c = client_connect();
        client_send(c, SLICE(GET));
        UNTIL(client_has(c, "data: 1"));
        expect_gone(c, how, "request:GET:/ end: gone ");
    }
}

static void flood(struct conn *c)
{
    static char piece[65536];
    edge.last = c;
    conn_reply_head(c, 200, NULL, 0, CONN_STREAM);
    while (conn_write(c, slice_of(piece, sizeof piece))) {
    }
}

static void leaving_is_noticed_while_output_waits(void)
{
    for (enum leaving how = LEAVE_FIN; how <= LEAVE_RESET; how++) {
        edge_open();
        edge.at_end = flood;
        struct client *c = client_connect_small(4096);
        c->is_deaf = true;
        client_send(c, SLICE(GET));
        UNTIL(edge_logged("end:"));
        edge_turns(5);
        expect_gone(c, how, "request:GET:/ end: gone ");
    }
}

static void leaving_in_the_head_concerns_nobody(void)
{
    for (enum leaving how = LEAVE_FIN; how <= LEAVE_RESET; how++) {
        edge_open();
        struct client *c = client_connect();
        client_send(c, SLICE("GET / HTTP/1.1\r\nHo"));
        edge_turns(3);
        EXPECT_INT(1, conn_server_counts(edge.server).open);
        leave(c, how);
        UNTIL(conn_server_counts(edge.server).open == 0);
        EXPECT_STR("", edge_log());
        edge_close();
    }
}

/* printf 'GET …' | nc closes its side at once: an answer that needs no waiting still reaches it. */
static void a_half_closed_client_gets_an_answer_that_is_ready(void)
{
    edge_open();
    struct client *c = client_connect();
    client_send(c, SLICE(GET));
    shutdown(c->fd, SHUT_WR);
    UNTIL(c->is_ended);
    EXPECT(client_has(c, "\r\n\r\nok"));
    EXPECT(!c->is_reset);
    EXPECT_STR("request:GET:/ end: replied ", edge_log());
    edge_close();
}

/* ---- Timeouts */

static void a_slow_head_is_answered_with_408(void)
{
    edge_open();
    struct conn_options options = quick();
    struct client *c = client_connect(), *silent = client_connect();
    conn_server_set_options(edge.server, &options);
    client_send(c, SLICE("GET / HTTP/1.1\r\nHost: a\r\n"));
    UNTIL(c->is_ended && silent->is_ended);
    EXPECT(client_has(c, "HTTP/1.1 408 Request Timeout\r\n"));
    EXPECT(client_has(c, "Connection: close\r\n\r\nthe request's head did not arrive within 30 ms"));
    EXPECT_STR("refused:408 replied ", edge_log());
    EXPECT_INT(0, buf_len(&silent->got));
    edge_close();
}

static void a_slow_body_is_answered_with_408(void)
{
    edge_open();
    struct conn_options options = quick();
    conn_server_set_options(edge.server, &options);
    struct client *c = client_connect();
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello"));
    UNTIL(c->is_ended);
    EXPECT(client_has(c, "HTTP/1.1 408 Request Timeout\r\n"));
    EXPECT_STR("request:POST:/ refused:408 replied ", edge_log());
    edge_close();
}

static void an_idle_connection_is_closed_silently(void)
{
    edge_open();
    struct conn_options options = quick();
    conn_server_set_options(edge.server, &options);
    struct client *c = client_connect();
    client_send(c, SLICE(GET));
    UNTIL(c->is_ended);
    EXPECT_INT(1, client_count(c, "HTTP/1.1"));
    EXPECT(!c->is_reset);
    EXPECT_STR("request:GET:/ end: replied ", edge_log());
    edge_close();
}

static void a_client_that_takes_nothing_is_given_up(void)
{
    edge_open();
    struct conn_options options = quick();
    conn_server_set_options(edge.server, &options);
    edge.at_end = flood;
    struct client *c = client_connect_small(4096);
    c->is_deaf = true;
    client_send(c, SLICE(GET));
    UNTIL(edge_logged("gone"));
    EXPECT_INT(0, conn_server_counts(edge.server).open);
    edge_close();
}

static void an_owner_may_think_longer_than_any_timeout(void)
{
    edge_open();
    struct conn_options options = quick();
    conn_server_set_options(edge.server, &options);
    edge.at_end = hold;
    struct client *c = client_connect();
    client_send(c, SLICE(GET));
    UNTIL(edge_logged("end:"));
    for (uint64_t began = loop_now_ns(edge.loop); loop_now_ns(edge.loop) - began < 100000000;)
        edge_turn();
    EXPECT_STR("request:GET:/ end: ", edge_log());
    edge_reply_ok(edge.last);
    UNTIL(client_has(c, "\r\n\r\nok"));
    edge_close();
}

/* ---- Limits */

static void a_body_over_the_limit_is_refused_by_its_length(void)
{
    edge_open();
    struct conn_options options = CONN_OPTIONS_DEFAULT;
    options.body_bytes_max = 10;
    conn_server_set_options(edge.server, &options);
    struct client *fits = client_connect(), *over = client_connect(), *waits = client_connect();
    client_send(fits, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"));
    UNTIL(client_has(fits, "\r\n\r\nok"));
    client_send(over, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"));
    UNTIL(client_has(over, "413 Content Too Large"));
    EXPECT(client_has(over, "over the limit of 10 bytes"));
    client_send(waits, SLICE("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n"));
    UNTIL(client_has(waits, "413 Content Too Large"));
    EXPECT(!client_has(waits, "100 Continue"));
    UNTIL(over->is_ended && waits->is_ended);
    EXPECT_STR("request:POST:/ end:0123456789 replied refused:413 replied refused:413 replied ", edge_log());
    edge_close();
}

static void a_chunked_body_over_the_limit_is_refused_when_it_is(void)
{
    edge_open();
    struct conn_options options = CONN_OPTIONS_DEFAULT;
    options.body_bytes_max = 10;
    conn_server_set_options(edge.server, &options);
    struct client *c = client_connect();
    client_send(c,
                SLICE("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n567890\r\n"));
    UNTIL(c->is_ended);
    EXPECT(client_has(c, "413 Content Too Large"));
    EXPECT(!c->is_reset);
    EXPECT_STR("request:POST:/ refused:413 replied ", edge_log());
    EXPECT_INT(1, conn_server_counts(edge.server).refused);
    edge_close();
}

static void refusals_are_readable_and_final(void)
{
    static const struct {
        struct slice input;
        const char *status;
    } rows[] = {
        {SLICE("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n" GET), "HTTP/1.1 400 Bad Request\r\n"},
        {SLICE("GET / HTTP/3.0\r\n\r\n" GET), "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
        {SLICE("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n" GET),
         "HTTP/1.1 501 Not Implemented\r\n"},
        {SLICE("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" GET),
         "HTTP/1.1 400 Bad Request\r\n"},
        {SLICE("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n" GET),
         "HTTP/1.1 400 Bad Request\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        edge_open();
        struct client *c = client_connect();
        client_send(c, rows[i].input);
        UNTIL(c->is_ended);
        EXPECT(!c->is_reset);
        EXPECT_INT(1, client_count(c, "\r\n\r\n"));
        EXPECT(client_has(c, rows[i].status));
        EXPECT(client_has(c, "Connection: close\r\n"));
        EXPECT(!edge_logged("GET"));
        edge_close();
    }
}

static void hold_refusal(struct conn *c, const struct fault *why)
{
    (void)why;
    edge.last = c;
}

static void a_refusal_may_be_answered_later(void)
{
    edge_open();
    edge.at_refused = hold_refusal;
    struct client *c = client_connect(), *d = client_connect();
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"));
    UNTIL(edge.last != NULL);
    edge_turns(5);
    EXPECT(!c->is_ended);
    conn_reply(edge.last, 400, NULL, 0, SLICE("later"));
    UNTIL(c->is_ended);
    EXPECT(client_has(c, "\r\n\r\nlater"));
    client_send(d, SLICE("GET\r\n"));
    UNTIL(edge.last != NULL);
    client_close(d);
    UNTIL(edge_logged("gone"));
    EXPECT_STR("refused:400 replied refused:400 gone ", edge_log());
    edge_close();
}

static void be_known(struct conn *c, const struct http_head *head)
{
    (void)head;
    conn_set_known(c, true);
}

static void too_many_connections_are_told_so(void)
{
    edge_open();
    edge.at_request = be_known;
    struct conn_options options = CONN_OPTIONS_DEFAULT;
    options.connections_max = 1;
    conn_server_set_options(edge.server, &options);
    struct client *first = client_connect();
    client_send(first, SLICE(GET));
    UNTIL(client_has(first, "\r\n\r\nok"));
    struct client *second = client_connect();
    client_send(second, SLICE(GET));
    UNTIL(second->is_ended);
    EXPECT(client_has(second, "HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT(client_has(second, "all the 1 connections"));
    EXPECT(!second->is_reset);
    EXPECT_INT(1, conn_server_counts(edge.server).open);
    client_close(first);
    UNTIL(conn_server_counts(edge.server).open == 0);
    struct client *third = client_connect();
    client_send(third, SLICE(GET));
    UNTIL(client_has(third, "\r\n\r\nok"));
    edge_close();
}

/* ---- The owner ends it */

static void an_aborted_stream_is_seen_to_be_cut(void)
{
    edge_open();
    edge.at_end = begin_stream;
    struct client *c = client_connect(), *old = client_connect();
    client_send(c, SLICE(GET));
    UNTIL(client_has(c, "data: 1"));
    conn_write(edge.last, SLICE("data: 2\n\n"));
    conn_abort(edge.last);
    UNTIL(c->is_ended);
    EXPECT(client_has(c, "data: 2\n\n"));
    EXPECT(!client_has(c, "0\r\n\r\n"));
    edge.last = NULL;
    client_send(old, SLICE("GET / HTTP/1.0\r\n\r\n"));
    UNTIL(client_has(old, "data: 1"));
    conn_abort(edge.last);
    UNTIL(old->is_ended);
    EXPECT(old->is_reset); /* without chunks only a reset tells a cut from an end */
    EXPECT(!edge_logged("gone") && !edge_logged("replied"));
    EXPECT_INT(0, conn_server_counts(edge.server).open);
    edge_close();
}

static void abort_in_event(struct conn *c, const struct http_head *head)
{
    (void)head;
    conn_abort(c);
}

static void the_owner_may_abort_inside_its_events(void)
{
    edge_open();
    edge.at_request = abort_in_event;
    struct client *c = client_connect();
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" GET));
    UNTIL(c->is_ended);
    edge.at_request = NULL;
    edge.at_body = conn_abort;
    struct client *d = client_connect();
    client_send(d,
                SLICE("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n1\r\ny\r\n0\r\n\r\n"));
    UNTIL(d->is_ended);
    EXPECT_STR("request:POST:/ request:POST:/ ", edge_log());
    edge_close();
}

static void end_short(struct conn *c)
{
    conn_reply_head(c, 200, NULL, 0, 10);
    conn_write(c, SLICE("short"));
    conn_end(c);
}

static void write_long(struct conn *c)
{
    conn_reply_head(c, 200, NULL, 0, 4);
    conn_write(c, SLICE("longer"));
    conn_write(c, SLICE("longer"));
    conn_end(c);
}

static void a_broken_promise_of_length_breaks_the_connection(void)
{
    edge_open();
    edge.at_end = end_short;
    struct client *c = client_connect(), *d = client_connect();
    client_send(c, SLICE(GET));
    UNTIL(c->is_ended);
    EXPECT(client_has(c, "Content-Length: 10\r\n\r\nshort"));
    edge.at_end = write_long;
    client_send(d, SLICE(GET));
    UNTIL(d->is_ended);
    EXPECT(client_has(d, "\r\n\r\nlong"));
    EXPECT(!client_has(d, "longe"));
    EXPECT_STR("request:GET:/ end: gone request:GET:/ end: gone ", edge_log());
    edge_close();
}

static void a_server_that_goes_raises_nothing(void)
{
    edge_open();
    edge.at_end = flood;
    struct client *c = client_connect(), *half = client_connect(), *idle = client_connect();
    c->is_deaf = true;
    client_send(c, SLICE(GET GET));
    client_send(half, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"));
    UNTIL(edge_logged("end:") && edge_logged("POST") && conn_server_counts(edge.server).open == 3);
    conn_server_free(edge.server);
    edge.server = NULL;
    UNTIL(half->is_ended && idle->is_ended);
    EXPECT(!edge_logged("gone") && !edge_logged("replied"));
    edge_close();
}

int main(void)
{
    RUN(leaving_is_noticed_while_the_owner_thinks);
    RUN(leaving_is_noticed_behind_requests_that_wait);
    RUN(leaving_is_noticed_in_the_middle_of_a_body);
    RUN(leaving_is_noticed_while_a_stream_is_silent);
    RUN(leaving_is_noticed_while_output_waits);
    RUN(leaving_in_the_head_concerns_nobody);
    RUN(a_half_closed_client_gets_an_answer_that_is_ready);
    RUN(a_slow_head_is_answered_with_408);
    RUN(a_slow_body_is_answered_with_408);
    RUN(an_idle_connection_is_closed_silently);
    RUN(a_client_that_takes_nothing_is_given_up);
    RUN(an_owner_may_think_longer_than_any_timeout);
    RUN(a_body_over_the_limit_is_refused_by_its_length);
    RUN(a_chunked_body_over_the_limit_is_refused_when_it_is);
    RUN(refusals_are_readable_and_final);
    RUN(a_refusal_may_be_answered_later);
    RUN(too_many_connections_are_told_so);
    RUN(an_aborted_stream_is_seen_to_be_cut);
    RUN(the_owner_may_abort_inside_its_events);
    RUN(a_broken_promise_of_length_breaks_the_connection);
    RUN(a_server_that_goes_raises_nothing);
    return unit_close("conn faults");
}
