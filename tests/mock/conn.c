#include "conn.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_BYTES (64u * 1024u)
#define LINGER_S 2

struct conn {
    struct event_base *base;
    int fd;
    SSL *ssl;
    struct conn_hooks hooks;
    void *arg;
    struct event *readable, *writable, *pause;
    struct event *flush; /* a timer, for event_active() would let one busy connection starve the others */
    struct buf in, out;
    size_t write_max;
    uint32_t write_gap_us;
    uint64_t bytes_in, bytes_out;
    bool is_finishing; /* FIN when out is empty */
    bool is_shut;      /* FIN is sent */
    bool is_closed;
    bool wants_write_to_read; /* TLS: a read needs the socket writable first */
};

static void closed(struct conn *c)
{
    if (c->is_closed) return;
    c->is_closed = true;
    event_del(c->readable);
    event_del(c->writable);
    event_del(c->pause);
    event_del(c->flush);
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    c->hooks.on_closed(c->arg);
}

/* > 0 bytes, 0 end, -1 not now, -2 broken. */
static ssize_t read_some(struct conn *c, void *at, size_t len)
{
    if (!c->ssl) {
        ssize_t n = recv(c->fd, at, len, 0);
        if (n >= 0) return n;
        return errno == EAGAIN || errno == EINTR ? -1 : -2;
    }
    int n = SSL_read(c->ssl, at, (int)len);
    if (n > 0) return n;
    int why = SSL_get_error(c->ssl, n);
    c->wants_write_to_read = why == SSL_ERROR_WANT_WRITE;
    if (c->wants_write_to_read) event_add(c->writable, NULL);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return -1;
    return why == SSL_ERROR_ZERO_RETURN ? 0 : -2;
}

static ssize_t write_some(struct conn *c, const void *at, size_t len)
{
    if (!c->ssl) {
        ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);
        if (n >= 0) return n;
        return errno == EAGAIN || errno == EINTR ? -1 : -2;
    }
    int n = SSL_write(c->ssl, at, (int)len);
    if (n > 0) return n;
    int why = SSL_get_error(c->ssl, n);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : -2;
}

static void shut(struct conn *c)
{
    struct timeval linger = {LINGER_S, 0};
    c->is_shut = true;
    if (c->ssl) SSL_shutdown(c->ssl);
    shutdown(c->fd, SHUT_WR);
    event_add(c->pause, &linger);
}

static void write_out(struct conn *c)
{
    while (buf_len(&c->out)) {
        size_t len = buf_len(&c->out);
        if (c->write_max && len > c->write_max) len = c->write_max;
        ssize_t n = write_some(c, buf_ptr(&c->out), len);
        if (n == -1) {
            event_add(c->writable, NULL);
            return;
        }
        if (n < 0) {
            closed(c);
            return;
        }
        c->bytes_out += (uint64_t)n;
        buf_consume(&c->out, (size_t)n);
        if (c->write_max && buf_len(&c->out)) {
            struct timeval gap = {0, c->write_gap_us};
            event_add(c->pause, &gap);
            return;
        }
    }
    buf_reset(&c->out);
    if (c->is_finishing && !c->is_shut) shut(c);
    if (!c->is_finishing) c->hooks.on_drained(c->arg);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    (void)fd, (void)what;
    for (;;) {
        ssize_t n = read_some(c, buf_reserve(&c->in, READ_BYTES), READ_BYTES);
        if (n == -1) break;
        if (n <= 0) {
            closed(c);
            return;
        }
        c->bytes_in += (uint64_t)n;
        if (c->is_shut) continue;
        buf_grew(&c->in, (size_t)n);
        if (!c->ssl) break; /* level-triggered: the loop comes back; TLS may hold bytes that the loop cannot see */
    }
    if (buf_len(&c->in)) c->hooks.on_read(c->arg);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    if (c->wants_write_to_read) {
        c->wants_write_to_read = false;
        on_readable(fd, what, c);
    }
    if (!c->is_closed && buf_len(&c->out)) write_out(c);
}

/* The gap between two writes is over, or the peer did not answer our FIN. */
static void on_pause(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    (void)fd, (void)what;
    if (c->is_shut)
        closed(c);
    else
        write_out(c);
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    (void)fd, (void)what;
    if (buf_len(&c->out)) write_out(c);
}

struct conn *conn_new(struct event_base *base, int fd, SSL_CTX *tls, const struct conn_hooks *hooks, void *arg)
{
    struct conn *c = mem_zalloc(1, sizeof *c);
    c->base = base;
    c->fd = fd;
    c->hooks = *hooks;
    c->arg = arg;
    buf_init(&c->in);
    buf_init(&c->out);
    c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(base, fd, EV_WRITE, on_writable, c);
    c->pause = evtimer_new(base, on_pause, c);
    c->flush = evtimer_new(base, on_flush, c);
    if (tls) {
        c->ssl = SSL_new(tls);
        SSL_set_fd(c->ssl, fd);
        SSL_set_accept_state(c->ssl);
        SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    event_add(c->readable, NULL);
    return c;
}

void conn_free(struct conn *c)
{
    if (!c) return;
    event_free(c->readable);
    event_free(c->writable);
    event_free(c->pause);
    event_free(c->flush);
    SSL_free(c->ssl);
    if (c->fd >= 0) close(c->fd);
    buf_clear(&c->in);
    buf_clear(&c->out);
    mem_free(c);
}

struct buf *conn_input(struct conn *c)
{
    return &c->in;
}

void conn_send(struct conn *c, struct slice bytes)
{
    if (c->is_closed || c->is_finishing) return;
    static const struct timeval at_once = {0, 0};
    bool is_waiting = buf_len(&c->out) > 0;
    buf_append(&c->out, bytes);
    if (!is_waiting) event_add(c->flush, &at_once);
}

size_t conn_unsent(const struct conn *c)
{
    return buf_len(&c->out);
}

void conn_set_write(struct conn *c, size_t bytes_max, uint32_t gap_us)
{
    c->write_max = bytes_max;
    c->write_gap_us = gap_us;
}

void conn_finish(struct conn *c)
{
    if (c->is_closed || c->is_finishing) return;
    c->is_finishing = true;
    if (buf_len(&c->out) == 0) shut(c);
}

void conn_reset(struct conn *c)
{
    struct linger at_once = {1, 0};
    if (c->is_closed) return;
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    closed(c);
}

uint64_t conn_bytes_in(const struct conn *c)
{
    return c->bytes_in;
}

uint64_t conn_bytes_out(const struct conn *c)
{
    return c->bytes_out;
}
