/*
 * A provider that does as each test says, over raw sockets: it runs a function of the test in a thread of its own.
 *
 *     static void serve(struct upstream *u)
 *     {
 *         struct up_conn c = up_accept(u);
 *         up_read_request(&c);
 *         up_send(&c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
 *         u->saw_close = up_sees_close(&c);
 *         up_fin(&c);
 *     }
 *     up_open(&u, serve);  …  up_join(&u);  EXPECT(u.saw_close);  up_close(&u);
 *
 * Nothing waits longer than UP_PATIENCE_MS.
 */
#ifndef MOONGATE_TESTS_UPSTREAM_H
#define MOONGATE_TESTS_UPSTREAM_H

#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "base/buf.h"

#define UP_PATIENCE_MS 20000

struct upstream {
    int listen_fd, port;
    int told[2];  /* the test reads [0], up_tell() writes [1] */
    int asked[2]; /* up_wait_word() reads [0], the test writes [1] */
    pthread_t thread;
    bool is_running;
    void (*serve)(struct upstream *u);
    SSL_CTX *tls;       /* not NULL: up_accept() shakes hands */
    struct buf request; /* the last one read */
    unsigned accepted;
    atomic_size_t sent;
    bool saw_close;
};

struct up_conn {
    struct upstream *u;
    int fd;
    SSL *ssl;
};

static inline bool up_wait(int fd, short events)
{
    struct pollfd p = {fd, events, 0};
    return poll(&p, 1, UP_PATIENCE_MS) == 1;
}

static inline void *up_run(void *arg)
{
    struct upstream *u = arg;
    u->serve(u);
    return NULL;
}

static inline int up_listen(int backlog, int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, backlog) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        UNIT_FAIL("no listening socket: %s", strerror(errno));
    *port = ntohs(a.sin_port);
    return fd;
}

static inline void up_open(struct upstream *u, void (*serve)(struct upstream *u))
{
    *u = (struct upstream){.serve = serve};
    buf_init(&u->request);
    u->listen_fd = up_listen(64, &u->port);
    if (pipe(u->told) != 0 || pipe(u->asked) != 0) UNIT_FAIL("no pipe");
}

static inline void up_go(struct upstream *u)
{
    u->is_running = u->serve && pthread_create(&u->thread, NULL, up_run, u) == 0;
}

static inline void up_join(struct upstream *u)
{
    if (u->is_running) pthread_join(u->thread, NULL);
    u->is_running = false;
}

static inline void up_close(struct upstream *u)
{
    up_join(u);
    close(u->listen_fd);
    for (int i = 0; i < 2; i++) {
        close(u->told[i]);
        close(u->asked[i]);
    }
    buf_clear(&u->request);
    SSL_CTX_free(u->tls);
}

/* Says to the test that something has happened. */
static inline void up_tell(struct upstream *u)
{
    if (write(u->told[1], "!", 1) != 1) UNIT_FAIL("no word to the test");
}

static inline void up_wait_word(struct upstream *u)
{
    char word;
    if (!up_wait(u->asked[0], POLLIN) || read(u->asked[0], &word, 1) != 1) UNIT_FAIL("no word from the test");
}

static inline void up_say(struct upstream *u)
{
    if (write(u->asked[1], "!", 1) != 1) UNIT_FAIL("no word to the upstream");
}

static inline struct up_conn up_accept_raw(struct upstream *u)
{
    struct up_conn c = {u, -1, NULL};
    if (up_wait(u->listen_fd, POLLIN)) c.fd = accept4(u->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (c.fd < 0) UNIT_FAIL("nobody connected");
    if (c.fd >= 0) u->accepted++;
    struct timeval patience = {UP_PATIENCE_MS / 1000, 0};
    if (c.fd >= 0) setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (c.fd >= 0) setsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return c;
}

/* With TLS the handshake may fail: then ssl is NULL and everything else does nothing. */
static inline struct up_conn up_accept(struct upstream *u)
{
    struct up_conn c = up_accept_raw(u);
    if (!u->tls || c.fd < 0) return c;
    c.ssl = SSL_new(u->tls);
    SSL_set_fd(c.ssl, c.fd);
    if (SSL_accept(c.ssl) == 1) return c;
    SSL_free(c.ssl);
    c.ssl = NULL;
    return c;
}

static inline ssize_t up_recv(struct up_conn *c, char *to, size_t len)
{
    return c->ssl ? SSL_read(c->ssl, to, (int)len) : recv(c->fd, to, len, 0);
}

/* Head and, by its Content-Length, body. */
static inline bool up_read_request(struct up_conn *c)
{
    struct buf *r = &c->u->request;
    buf_reset(r);
    size_t want = SIZE_MAX;
    while (buf_len(r) < want) {
        ssize_t got = up_recv(c, buf_reserve(r, 65536), 65536);
        if (got <= 0) return false;
        buf_grew(r, (size_t)got);
        char *end = want == SIZE_MAX ? memmem(buf_ptr(r), buf_len(r), "\r\n\r\n", 4) : NULL;
        if (!end) continue;
        size_t head = (size_t)(end - buf_ptr(r)) + 4;
        char *length = memmem(buf_ptr(r), head, "Content-Length: ", 16);
        want = head + (length ? strtoul(length + 16, NULL, 10) : 0);
    }
    return true;
}

static inline bool up_send_bytes(struct up_conn *c, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t sent =
            c->ssl ? SSL_write(c->ssl, bytes + at, (int)(len - at)) : send(c->fd, bytes + at, len - at, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += (size_t)sent;
        c->u->sent += (size_t)sent;
    }
    return true;
}

static inline bool up_send(struct up_conn *c, const char *text)
{
    return up_send_bytes(c, text, strlen(text));
}

/* The peer has closed: by FIN or by reset, after whatever it may have sent before. */
static inline bool up_sees_close(struct up_conn *c)
{
    char bytes[65536];
    for (;;) {
        ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET)) return true;
        if (got < 0) return false;
    }
}

static inline void up_fin(struct up_conn *c)
{
    SSL_free(c->ssl);
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    c->ssl = NULL;
}

static inline void up_rst(struct up_conn *c)
{
    struct linger now = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    up_fin(c);
}

/* One request, one answer. */
static inline void up_answer(struct up_conn *c, const char *text)
{
    if (up_read_request(c)) up_send(c, text);
}

#define UP_OK "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

#endif
