/*
 * One socket of the mock, plain or TLS: bytes in, bytes out in writes of a chosen size, an end of a chosen kind.
 *
 *     struct conn *c = conn_new(base, fd, tls, &hooks, session);
 *     conn_set_write(c, 1, 0);                   // one byte per write from here on
 *     conn_send(c, SLICE("HTTP/1.1 200 OK\r\n"));
 *     conn_finish(c);                            // FIN once everything is out, or
 *     conn_reset(c);                             // RST at once
 *     conn_free(c);                              // never inside a hook
 *
 * It never knows what the bytes mean. What is sent is kept until the peer takes it: callers watch conn_unsent().
 */
#ifndef MOONGATE_MOCK_CONN_H
#define MOONGATE_MOCK_CONN_H

#include <event2/event.h>
#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/slice.h"

struct conn;

struct conn_hooks {
    void (*on_read)(void *arg);    /* conn_input() has grown */
    void (*on_drained)(void *arg); /* everything sent has been written */
    void (*on_closed)(void *arg);  /* the peer closed or reset, or a close of ours is done; said once */
};

/* Takes fd. tls NULL: plain. */
struct conn *conn_new(struct event_base *base, int fd, SSL_CTX *tls, const struct conn_hooks *hooks, void *arg);
void conn_free(struct conn *c);

/* Unread input; the reader consumes. */
struct buf *conn_input(struct conn *c);
void conn_send(struct conn *c, struct slice bytes);
size_t conn_unsent(const struct conn *c);
/* At most bytes_max bytes per write (0: all there is), gap_us between writes. */
void conn_set_write(struct conn *c, size_t bytes_max, uint32_t gap_us);
/* Sends what is left, then FIN, then waits a little for the peer's own. */
void conn_finish(struct conn *c);
/* Throws away what is unsent and resets. */
void conn_reset(struct conn *c);

uint64_t conn_bytes_in(const struct conn *c);
uint64_t conn_bytes_out(const struct conn *c);

#endif
