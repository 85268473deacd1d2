/* Who has not shown a key yet: how many there may be, who goes first, and what is read of them. */
#include "edge.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define KEYED "GET /keyed HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"

static void know_the_keyed(struct conn *c, const struct http_head *head)
{
    conn_set_known(c, slice_equal(head->path, SLICE("/keyed")));
}

static void set_options(uint32_t strangers, uint32_t connections)
{
    struct conn_options options = CONN_OPTIONS_DEFAULT;
    options.strangers_max = strangers;
    options.connections_max = connections;
    conn_server_set_options(edge.server, &options);
}

static void the_oldest_makes_place(void)
{
    edge_open();
    edge.at_request = know_the_keyed;
    set_options(2, 100);
    struct client *keyed = client_connect();
    client_send(keyed, SLICE(KEYED));
    UNTIL(client_has(keyed, "ok"));
    struct client *silent = client_connect();
    UNTIL(conn_server_counts(edge.server).strangers == 1);
    struct client *half = client_connect();
    client_send(half, SLICE("GET / HT"));
    UNTIL(conn_server_counts(edge.server).strangers == 2);
    edge_turns(3);
    EXPECT(!silent->is_ended && !half->is_ended);
    struct client *third = client_connect();
    UNTIL(silent->is_ended);
    EXPECT(!half->is_ended);
    struct client *fourth = client_connect();
    UNTIL(half->is_ended);
    EXPECT(!third->is_ended && !fourth->is_ended && !keyed->is_ended);
    EXPECT_INT(2, conn_server_counts(edge.server).strangers);
    EXPECT_INT(2, conn_server_counts(edge.server).dropped);
    client_send(keyed, SLICE(KEYED));
    UNTIL(client_count(keyed, "\r\n\r\nok") == 2);
    edge_close();
}

static void long_heads_are_few(void)
{
    static char line[6000];
    memset(line, 'x', sizeof line);
    edge_open();
    edge.at_request = know_the_keyed;
    struct conn_options options = CONN_OPTIONS_DEFAULT;
    options.stranger_bytes_max = 32 * KIB;
    conn_server_set_options(edge.server, &options);
    struct client *heads[4], *keyed = client_connect();
    client_send(keyed, SLICE(KEYED));
    UNTIL(client_has(keyed, "ok"));
    for (int i = 0; i < 4; i++) {
        heads[i] = client_connect();
        client_send(heads[i], SLICE("GET / HTTP/1.1\r\nX-A: "));
        client_send(heads[i], slice_of(line, sizeof line));
        UNTIL(edge.server->counts.strangers > (unsigned)i || heads[0]->is_ended);
        edge_turns(3);
    }
    EXPECT(!heads[3]->is_ended && !keyed->is_ended);
    client_send(heads[3], SLICE("\r\nX-B: "));
    client_send(heads[3], slice_of(line, sizeof line)); /* its buffer doubles */
    UNTIL(heads[0]->is_ended);
    EXPECT(!heads[3]->is_ended && !keyed->is_ended);
    EXPECT(edge.server->stranger_bytes <= 32 * KIB);
    edge_close();
}

static void who_stops_being_known_is_a_stranger_again(void)
{
    edge_open();
    edge.at_request = know_the_keyed;
    set_options(1, 100);
    struct client *c = client_connect();
    client_send(c, SLICE(KEYED));
    UNTIL(client_has(c, "ok"));
    EXPECT_INT(0, conn_server_counts(edge.server).strangers);
    client_send(c, SLICE(GET));
    UNTIL(client_count(c, "\r\n\r\nok") == 2);
    EXPECT_INT(1, conn_server_counts(edge.server).strangers);
    client_connect();
    UNTIL(c->is_ended);
    edge_close();
}

static void a_full_house_has_place_for_one_in_a_strangers_stead(void)
{
    edge_open();
    edge.at_request = know_the_keyed;
    set_options(100, 2);
    struct client *keyed = client_connect(), *silent = client_connect();
    client_send(keyed, SLICE(KEYED));
    UNTIL(client_has(keyed, "ok") && conn_server_counts(edge.server).open == 2);
    struct client *next = client_connect();
    client_send(next, SLICE(KEYED));
    UNTIL(client_has(next, "ok"));
    UNTIL(silent->is_ended);
    struct client *late = client_connect();
    client_send(late, SLICE(KEYED));
    UNTIL(client_has(late, "HTTP/1.1 503 "));
    EXPECT(!keyed->is_ended && !next->is_ended);
    edge_close();
}

/* ---- Bodies that wait. */

static void hold_it(struct conn *c, const struct http_head *head)
{
    (void)head;
    conn_hold_body(c);
}

static void a_held_body_stays_with_its_client(void)
{
    edge_open();
    edge.at_request = hold_it;
    struct client *c = client_connect();
    client_send(c, SLICE(POST "Expect: 100-continue\r\n\r\n"));
    UNTIL(edge.last != NULL);
    edge_turns(5);
    EXPECT(!client_has(c, "100"));
    conn_take_body(edge.last);
    UNTIL(client_has(c, "HTTP/1.1 100 Continue\r\n\r\n"));
    client_send(c, SLICE("0123456789"));
    UNTIL(client_has(c, "\r\n\r\nok"));
    EXPECT_STR("request:POST:/ end:0123456789 replied ", edge_log());
    edge_close();
}

static void what_came_with_the_head_waits_with_it(void)
{
    edge_open();
    edge.at_request = hold_it;
    struct client *c = client_connect();
    client_send(c, SLICE(POST "\r\n01234"));
    UNTIL(edge.last != NULL);
    client_send(c, SLICE("56789" GET));
    edge_turns(5);
    EXPECT_STR("request:POST:/ ", edge_log());
    conn_take_body(edge.last);
    UNTIL(edge_logged("request:GET:/ end: replied "));
    EXPECT_STR("request:POST:/ end:0123456789 replied request:GET:/ end: replied ", edge_log());
    edge_close();
}

static void a_held_request_is_refused_without_its_body(void)
{
    edge_open();
    edge.at_request = hold_it;
    struct client *whole = client_connect(), *part = client_connect(), *invited = client_connect();
    client_send(whole, SLICE(POST "\r\n0123456789" GET));
    UNTIL(edge.last != NULL);
    edge_turns(2);
    conn_reply(edge.last, 401, NULL, 0, SLICE("no"));
    UNTIL(client_has(whole, "\r\n\r\nok")); /* the body that lay there was no request */
    EXPECT_STR("request:POST:/ replied request:GET:/ end: replied ", edge_log());
    client_send(part, SLICE(POST "\r\n0123"));
    UNTIL(edge.last != NULL);
    edge_turns(2);
    conn_reply(edge.last, 401, NULL, 0, SLICE("no"));
    UNTIL(client_has(part, "Connection: close\r\n\r\nno"));
    client_send(part, SLICE("456789" GET));
    UNTIL(part->is_ended);
    EXPECT_INT(1, client_count(part, "HTTP/1.1"));
    client_send(invited, SLICE(POST "Expect: 100-continue\r\n\r\n"));
    UNTIL(edge.last != NULL);
    conn_reply(edge.last, 401, NULL, 0, SLICE("no"));
    UNTIL(client_has(invited, "\r\n\r\nno"));
    EXPECT(!client_has(invited, " 100 "));
    edge_close();
}

static void who_leaves_while_held_is_gone(void)
{
    edge_open();
    edge.at_request = hold_it;
    struct client *c = client_connect();
    client_send(c, SLICE(POST "\r\n0123"));
    UNTIL(edge.last != NULL);
    client_close(c);
    UNTIL(edge_logged("gone"));
    EXPECT_INT(0, conn_server_counts(edge.server).open);
    edge_close();
}

static void refuse_at_once(struct conn *c, const struct http_head *head)
{
    (void)head;
    conn_reply(c, 401, NULL, 0, SLICE("no"));
}

/* Enough for most who have the wrong key; beyond, nobody is read for nothing. */
static void little_of_a_strangers_body_is_read_to_the_bin(void)
{
    static char body[LIMIT_LINGER_STRANGER_BYTES];
    memset(body, 'x', sizeof body);
    edge_open();
    edge.at_request = refuse_at_once;
    struct client *c = client_connect();
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n"));
    c->is_deaf = true;
    size_t sent = 0;
    for (int i = 0; i < WAIT_TURNS_MAX && sent < sizeof body; i++) {
        ssize_t n = send(c->fd, body, sizeof body - sent, MSG_NOSIGNAL);
        if (n > 0) sent += (size_t)n;
        edge_turn();
    }
    EXPECT_INT(sizeof body, sent);
    EXPECT_INT(1, conn_server_counts(edge.server).open);
    for (int i = 0; i < WAIT_TURNS_MAX && conn_server_counts(edge.server).open; i++) {
        ssize_t n = send(c->fd, body, sizeof body, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) break;
        edge_turn();
    }
    UNTIL(conn_server_counts(edge.server).open == 0);
    c->is_deaf = false;
    UNTIL(c->is_ended);
    EXPECT(client_has(c, "HTTP/1.1 401 Unauthorized\r\n"));
    edge_close();
}

/* ---- Slow bodies. */

static void a_byte_now_and_then_does_not_keep_a_place(void)
{
    edge_open();
    struct conn_options options = CONN_OPTIONS_DEFAULT;
    options.body_timeout_ms = 50;
    options.body_rate = 1u << 30;
    conn_server_set_options(edge.server, &options);
    struct client *c = client_connect();
    client_send(c, SLICE("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"));
    for (int i = 0; i < WAIT_TURNS_MAX && !edge_logged("refused"); i++) {
        send(c->fd, "x", 1, MSG_NOSIGNAL);
        edge_turn();
    }
    EXPECT(edge_logged("refused:408"));
    UNTIL(client_has(c, "comes too slowly"));
    EXPECT(client_has(c, "limits.body_rate"));
    edge_close();
}

int main(void)
{
    RUN(the_oldest_makes_place);
    RUN(long_heads_are_few);
    RUN(who_stops_being_known_is_a_stranger_again);
    RUN(a_full_house_has_place_for_one_in_a_strangers_stead);
    RUN(a_held_body_stays_with_its_client);
    RUN(what_came_with_the_head_waits_with_it);
    RUN(a_held_request_is_refused_without_its_body);
    RUN(who_leaves_while_held_is_gone);
    RUN(little_of_a_strangers_body_is_read_to_the_bin);
    RUN(a_byte_now_and_then_does_not_keep_a_place);
    return unit_close("strangers");
}
