/*
 * A small edge under test: a connection server with an owner that notes every event, and real clients of it.
 *
 *     edge_open();
 *     struct client *c = client_connect();
 *     client_send(c, SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
 *     UNTIL(client_has(c, "ok"));
 *     EXPECT_STR("request:GET:/ end: replied ", edge_log());
 *     edge_close();
 *
 * The owner's behaviour is what the hooks in `edge` say; by default each request is answered with 200 and "ok" once its
 * body is complete, and each refusal with its status. Waits end by what happens; their bound only ends a failed test.
 */
#ifndef MOONGATE_TESTS_UNIT_NET_EDGE_H
#define MOONGATE_TESTS_UNIT_NET_EDGE_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"

#include "base/mem.h"
#include "net/conn.h"
#include "net/conn_inner.h"
#include "net/listener.h"

#define CLIENTS_MAX 32
#define WAIT_TURNS_MAX 10000

struct client {
    int fd;
    struct buf got;
    bool is_ended, is_reset, is_deaf; /* deaf: reads nothing */
};

static struct {
    struct loop *loop;
    struct conn_server *server;
    struct loop_timer stop;
    struct buf log, body;
    struct conn *last; /* of the latest event */
    int listen_fd, client_count;
    struct client clients[CLIENTS_MAX];
    /* NULL: the default */
    void (*at_request)(struct conn *c, const struct http_head *head);
    void (*at_body)(struct conn *c);
    void (*at_end)(struct conn *c);
    void (*at_refused)(struct conn *c, const struct fault *why);
    void (*at_drained)(struct conn *c);
} edge;

static inline void edge_reply_ok(struct conn *c)
{
    struct conn_header headers[] = {{SLICE("Content-Type"), SLICE("text/plain")}};
    conn_reply(c, 200, headers, 1, SLICE("ok"));
}

static inline void edge_nothing(struct conn *c)
{
    (void)c;
}

static void edge_on_request(struct conn *c, const struct http_head *head, void *arg)
{
    (void)arg;
    edge.last = c;
    buf_reset(&edge.body);
    buf_printf(&edge.log, "request:%.*s:%.*s ", SLICE_FMT(head->method), SLICE_FMT(head->path));
    if (edge.at_request) edge.at_request(c, head);
}

static void edge_on_body(struct conn *c, struct slice bytes, void *arg)
{
    (void)arg;
    edge.last = c;
    buf_append(&edge.body, bytes);
    if (edge.at_body) edge.at_body(c);
}

static void edge_on_body_end(struct conn *c, void *arg)
{
    (void)arg;
    edge.last = c;
    if (buf_len(&edge.body) < 64)
        buf_printf(&edge.log, "end:%.*s ", SLICE_FMT(buf_slice(&edge.body)));
    else
        buf_printf(&edge.log, "end:%zu ", buf_len(&edge.body));
    if (edge.at_end)
        edge.at_end(c);
    else
        edge_reply_ok(c);
}

static void edge_on_refused(struct conn *c, const struct fault *why, void *arg)
{
    (void)arg;
    edge.last = c;
    buf_printf(&edge.log, "refused:%d ", fault_info(why->code)->status);
    if (edge.at_refused)
        edge.at_refused(c, why);
    else
        conn_reply(c, fault_info(why->code)->status, NULL, 0, slice_str(why->text));
}

static void edge_on_drained(struct conn *c, void *arg)
{
    (void)arg;
    buf_append(&edge.log, SLICE("drained "));
    if (edge.at_drained) edge.at_drained(c);
}

static void edge_on_gone(struct conn *c, void *arg)
{
    (void)c, (void)arg;
    edge.last = NULL;
    buf_append(&edge.log, SLICE("gone "));
}

static void edge_on_reply_end(struct conn *c, void *arg)
{
    (void)c, (void)arg;
    edge.last = NULL;
    buf_append(&edge.log, SLICE("replied "));
}

static void edge_on_end_held(struct conn *c, void *arg)
{
    (void)c, (void)arg;
    buf_append(&edge.log, SLICE("held "));
}

static const struct conn_events edge_events = {edge_on_request, edge_on_body, edge_on_body_end, edge_on_refused,
                                               edge_on_drained, edge_on_gone, edge_on_reply_end,
                                               edge_on_end_held};

static void edge_on_stop(void *arg)
{
    loop_stop(arg);
}

static inline void edge_open(void)
{
    struct listener_address address;
    struct fault why;
    memset(&edge, 0, sizeof edge);
    signal(SIGPIPE, SIG_IGN);
    edge.loop = loop_new();
    loop_timer_init(&edge.stop, edge.loop, edge_on_stop, edge.loop);
    edge.server = conn_server_new(edge.loop, &CONN_OPTIONS_DEFAULT, &edge_events, NULL);
    EXPECT(listener_parse("127.0.0.1:0", &address, &why));
    edge.listen_fd = listener_open(&address, &why);
    EXPECT(edge.listen_fd >= 0);
    conn_server_listen(edge.server, edge.listen_fd);
}

static inline void client_close(struct client *c)
{
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

static inline void edge_close(void)
{
    for (int i = 0; i < edge.client_count; i++) {
        client_close(&edge.clients[i]);
        buf_clear(&edge.clients[i].got);
    }
    conn_server_free(edge.server);
    loop_timer_disarm(&edge.stop);
    loop_free(edge.loop);
    close(edge.listen_fd);
    buf_clear(&edge.log);
    buf_clear(&edge.body);
}

static inline struct client *client_add(int fd)
{
    struct client *c = &edge.clients[edge.client_count++];
    if (edge.client_count > CLIENTS_MAX) UNIT_FAIL("too many clients");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    c->fd = fd;
    return c;
}

/* Over TCP; small socket buffers when `bytes` is not 0. */
static inline struct client *client_connect_small(int bytes)
{
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)listener_port(edge.listen_fd)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bytes) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    EXPECT_INT(0, connect(fd, (struct sockaddr *)&where, sizeof where));
    return client_add(fd);
}

static inline struct client *client_connect(void)
{
    return client_connect_small(0);
}

static inline void client_send(struct client *c, struct slice bytes)
{
    EXPECT_INT(bytes.len, send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL));
}

/* The kernel sends RST. */
static inline void client_reset(struct client *c)
{
    struct linger none = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    client_close(c);
}

static inline void client_read(struct client *c)
{
    while (c->fd >= 0 && !c->is_ended && !c->is_deaf) {
        char *to = buf_reserve(&c->got, 65536);
        ssize_t n = recv(c->fd, to, 65536, 0);
        if (n > 0) {
            buf_grew(&c->got, (size_t)n);
        } else if (n < 0 && errno == EAGAIN) {
            return;
        } else {
            c->is_ended = true;
            c->is_reset = n < 0;
        }
    }
}

/* About a millisecond of the edge's life. */
static inline void edge_turn(void)
{
    loop_timer_arm_ms(&edge.stop, 1);
    loop_run(edge.loop);
    for (int i = 0; i < edge.client_count; i++)
        client_read(&edge.clients[i]);
}

static inline void edge_turns(int count)
{
    while (count-- > 0)
        edge_turn();
}

#define UNTIL(condition)                                                                                               \
    do {                                                                                                               \
        for (int unit_turn = 0; unit_turn < WAIT_TURNS_MAX && !(condition); unit_turn++)                               \
            edge_turn();                                                                                               \
        EXPECT(condition);                                                                                             \
    } while (0)

static inline const char *text_of(struct buf *b)
{
    *buf_reserve(b, 1) = '\0';
    return buf_ptr(b);
}

static inline const char *edge_log(void)
{
    return text_of(&edge.log);
}

static inline bool edge_logged(const char *text)
{
    return strstr(edge_log(), text) != NULL;
}

static inline const char *client_got(struct client *c)
{
    return text_of(&c->got);
}

static inline bool client_has(struct client *c, const char *text)
{
    return strstr(client_got(c), text) != NULL;
}

static inline int client_count(struct client *c, const char *text)
{
    int count = 0;
    for (const char *at = client_got(c); (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    return count;
}

#endif
