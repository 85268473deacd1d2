/* The end of an answer may wait for its owner: what is held, what is not, and how it goes. */
#include "edge.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET10(path) "GET " path " HTTP/1.0\r\n\r\n"

static void hold(struct conn *c)
{
    (void)c;
}

/* What is written first goes as ever; the end, with the last bytes, waits for its owner's word. */
static void an_end_is_held_until_it_is_released(void)
{
    edge_open();
    edge.at_end = hold;
    struct client *c = client_connect();
    client_send(c, SLICE(GET("/1") GET("/2")));
    UNTIL(edge.last != NULL);
    struct conn *conn = edge.last;
    conn_reply_head(conn, 200, NULL, 0, CONN_STREAM);
    conn_write(conn, SLICE("first"));
    conn_hold_end(conn);
    conn_write(conn, SLICE("last"));
    UNTIL(client_has(c, "first"));
    edge_turns(10);
    EXPECT(!edge_logged("held"));
    conn_end(conn);
    UNTIL(edge_logged("held"));
    edge_turns(10);
    EXPECT(!client_has(c, "last") && !edge_logged("replied") && !edge_logged("/2"));
    conn_release_end(conn);
    UNTIL(edge_logged("/2"));
    EXPECT(client_has(c, "5\r\nfirst\r\n4\r\nlast\r\n0\r\n\r\n"));
    EXPECT_STR("request:GET:/1 end: held replied request:GET:/2 end: ", edge_log());
    edge_close();
}

/* Nothing of it is lost, and each word goes out whole, before what waits. */
static void a_word_may_go_before_the_end(void)
{
    static const char *const requests[] = {GET("/1"), GET10("/1")};
    static const char *const wanted[] = {"5\r\nfirst\r\n2\r\n: \r\n2\r\n: \r\n4\r\nlast\r\n0\r\n\r\n", "first: : last"};
    for (int i = 0; i < 2; i++) {
        edge_open();
        edge.at_end = hold;
        struct client *c = client_connect();
        client_send(c, slice_str(requests[i]));
        UNTIL(edge.last != NULL);
        struct conn *conn = edge.last;
        conn_reply_head(conn, 200, NULL, 0, CONN_STREAM);
        conn_write(conn, SLICE("first"));
        conn_hold_end(conn);
        conn_write(conn, SLICE("last"));
        conn_write_before_end(conn, SLICE("never")); /* what stands before it has not left yet */
        UNTIL(client_has(c, "first"));
        conn_write_before_end(conn, SLICE(": "));
        UNTIL(client_has(c, ": \r\n") || client_has(c, "first: "));
        conn_end(conn);
        UNTIL(edge_logged("held"));
        conn_write_before_end(conn, SLICE(": "));
        edge_turns(10);
        EXPECT(!client_has(c, "last") && !edge_logged("replied"));
        conn_release_end(conn);
        UNTIL(edge_logged("replied"));
        UNTIL(client_has(c, "last"));
        EXPECT(client_has(c, wanted[i]));
        edge_close();
    }
}

static char large[1 << 20];

static void a_whole_answer_is_held(void)
{
    edge_open();
    edge.at_end = hold;
    struct client *c = client_connect();
    memset(large, 'x', sizeof large);
    client_send(c, SLICE(GET("/1")));
    UNTIL(edge.last != NULL);
    struct conn *conn = edge.last;
    conn_hold_end(conn);
    conn_reply(conn, 200, NULL, 0, slice_of(large, sizeof large));
    UNTIL(edge_logged("held"));
    conn_write_before_end(conn, SLICE("never"));
    edge_turns(10);
    EXPECT_INT(0, buf_len(&c->got));
    conn_release_end(conn);
    UNTIL(edge_logged("replied"));
    UNTIL(buf_len(&c->got) > sizeof large);
    EXPECT(!memmem(buf_ptr(&c->got), buf_len(&c->got), "never", 5));
    edge_close();
}

/* Nobody takes half an answer for a whole one. */
static void what_is_held_is_never_sent_by_an_abort(void)
{
    edge_open();
    edge.at_end = hold;
    struct client *c = client_connect();
    client_send(c, SLICE(GET("/1")));
    UNTIL(edge.last != NULL);
    struct conn *conn = edge.last;
    conn_reply_head(conn, 200, NULL, 0, CONN_STREAM);
    conn_hold_end(conn);
    conn_write(conn, SLICE("last"));
    conn_end(conn);
    UNTIL(edge_logged("held"));
    conn_abort(conn);
    UNTIL(c->is_ended);
    EXPECT(client_has(c, "200") && !client_has(c, "last") && !client_has(c, "0\r\n"));
    edge_close();
}

static void a_client_may_leave_while_its_end_is_held(void)
{
    edge_open();
    edge.at_end = hold;
    struct client *c = client_connect();
    client_send(c, SLICE(GET("/1")));
    UNTIL(edge.last != NULL);
    conn_hold_end(edge.last);
    conn_reply(edge.last, 200, NULL, 0, SLICE("ok"));
    UNTIL(edge_logged("held"));
    client_close(c);
    UNTIL(edge_logged("gone"));
    EXPECT_INT(0, conn_server_counts(edge.server).open);
    edge_close();
}

int main(void)
{
    RUN(an_end_is_held_until_it_is_released);
    RUN(a_word_may_go_before_the_end);
    RUN(a_whole_answer_is_held);
    RUN(what_is_held_is_never_sent_by_an_abort);
    RUN(a_client_may_leave_while_its_end_is_held);
    return unit_close("conn held");
}
