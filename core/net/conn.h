/*
 * One client's connection, and the server that holds them all: requests in, answers out, in order.
 *
 *     struct conn_server *s = conn_server_new(loop, &options, &events, arg);
 *     conn_server_listen(s, listen_fd);
 *
 *     on_request(c, head, arg): conn_set_context(c, job);
 *     on_body(c, bytes, arg) ... on_body_end(c, arg)
 *     conn_reply(c, 200, headers, count, body);                                     a whole answer, or
 *     conn_reply_head(c, 200, headers, count, CONN_STREAM); conn_write(c, event) ... conn_end(c);
 *     on_reply_end(c, arg)                                                          over; c is not the owner's any more
 *
 * Each on_request (or on_refused that came without one) is closed by exactly one of on_reply_end, on_gone, or the
 * owner's own conn_abort(); after that the owner must not use the conn. Events never come from inside a verb.
 * What is written in one callback leaves in one system call when that callback has returned.
 *
 * An answer's end may have to wait for something else: what is written behind conn_hold_end(), and the end itself,
 * stays here until conn_release_end(), and on_end_held says when the client has all that stands before it.
 *
 * Framing is this room's own: Content-Length, Transfer-Encoding, Connection, Keep-Alive and Date (unless given) are set
 * here; such headers from the owner, and headers that would break the head, are left out. HEAD, 204 and 304 get no
 * body, whatever is written. HTTP/1.0 gets no chunks: a stream without length ends with the connection.
 * A reply begun before the request's body was read ends the connection, after a bounded linger so that the client can
 * read it. Nothing is read while a request is answered; the client's leaving is noticed all the same.
 *
 * Whose connections these are, only the owner knows. All are strangers' until conn_set_known(): there are at most
 * strangers_max of them, with at most stranger_bytes_max of heads, and whoever has been one for longest makes place
 * for the next. While the owner finds out who asks, conn_hold_body() leaves the body with the client.
 *
 * Never knows what a request means. Bounds: those of wire/http.h and wire/chunked.h, body_bytes_max, the timeouts,
 * connections_max, LIMIT_PIPELINE_BYTES of read-ahead, LIMIT_LINGER_BYTES and LIMIT_LINGER_MS. Output has only marks:
 * the owner stops when conn_write() says false and goes on at on_drained.
 */
#ifndef MOONGATE_NET_CONN_H
#define MOONGATE_NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/limits.h"
#include "base/slice.h"
#include "net/loop.h"
#include "wire/http.h"

struct conn;
struct conn_server;

/* All may change while connections are open. */
struct conn_options {
    uint64_t body_bytes_max;
    uint32_t header_timeout_ms; /* from a request's first byte, or from accept, to the end of its head */
    uint32_t body_timeout_ms;   /* between two reads of a body; and for all of it, with a second more … */
    uint64_t body_rate;         /* … for so many bytes that have come. Not 0 */
    uint32_t idle_timeout_ms;   /* a kept connection without a request */
    uint32_t write_timeout_ms;  /* a client that takes nothing */
    uint32_t connections_max;
    uint32_t strangers_max; /* of them: without a conn_set_known() yet */
    size_t stranger_bytes_max; /* that all of these have sent of heads */
    uint32_t overloaded_max; /* beyond connections_max: are told so before they are closed */
};

#define CONN_OPTIONS_DEFAULT                                                                                           \
    ((struct conn_options){LIMIT_BODY_BYTES, LIMIT_HEADER_TIMEOUT_MS, LIMIT_BODY_TIMEOUT_MS, LIMIT_BODY_RATE,          \
                           LIMIT_IDLE_TIMEOUT_MS, LIMIT_WRITE_TIMEOUT_MS, LIMIT_CONNECTIONS, LIMIT_STRANGERS,          \
                           LIMIT_STRANGERS_BYTES, LIMIT_OVERLOADED})

/* Every one but the last must be given. */
struct conn_events {
    /* A head is complete; its slices are valid only during the call. Replying here is fine. */
    void (*on_request)(struct conn *c, const struct http_head *head, void *arg);
    /* Body bytes without their framing, never empty, valid only during the call. None once a reply has begun. */
    void (*on_body)(struct conn *c, struct slice bytes, void *arg);
    /* The body is complete, also when there was none. Not once a reply has begun. */
    void (*on_body_end)(struct conn *c, void *arg);
    /* The parser, a limit or a timeout says no: answer fault_info(why->code)->status with the same verbs, now or later;
     * the connection closes afterwards. Comes instead of on_request, or after it while the body is read
     * (conn_context() tells). */
    void (*on_refused)(struct conn *c, const struct fault *why, void *arg);
    /* The output fell under a fourth of conn_output_max() after conn_write() had said false, or as was asked for. */
    void (*on_drained)(struct conn *c, void *arg);
    /* The client closed, was reset, or took nothing for write_timeout_ms: the exchange is over. */
    void (*on_gone)(struct conn *c, void *arg);
    /* The answer's last byte was handed to the kernel. */
    void (*on_reply_end)(struct conn *c, void *arg);
    /* conn_end() was called behind conn_hold_end(), and all that was written before that was handed to the kernel;
     * once. May be left out by who never holds an end. */
    void (*on_end_held)(struct conn *c, void *arg);
};

struct conn_header {
    struct slice name, value;
};

struct conn_counts {
    uint32_t open;      /* connections now */
    uint32_t strangers; /* of these */
    uint64_t accepted;  /* connections, ever */
    uint64_t requests;  /* on_request, ever */
    uint64_t refused;   /* on_refused, and connections closed unanswered above the cap, ever */
    uint64_t dropped;   /* strangers that had to make place, ever */
};

/* `options` is copied, `events` borrowed for ever. */
struct conn_server *conn_server_new(struct loop *loop, const struct conn_options *options,
                                    const struct conn_events *events, void *arg);
/* Closes everything without events; the memory goes when the current callback has returned. NULL is welcome. */
void conn_server_free(struct conn_server *s);
void conn_server_set_options(struct conn_server *s, const struct conn_options *options);
/* Accepts on a listening socket, which is borrowed; -1 stops accepting. */
void conn_server_listen(struct conn_server *s, int fd);
/* Serves a connected stream socket, which it takes. */
void conn_server_adopt(struct conn_server *s, int fd, const char *peer);
/* No keep-alive from now on: idle connections are closed, others after the answer they are on. Accepting goes on until
 * conn_server_listen(s, -1). */
void conn_server_drain(struct conn_server *s);
struct conn_counts conn_server_counts(const struct conn_server *s);

/* The owner's pointer for the current request; NULL at its beginning. */
void conn_set_context(struct conn *c, void *context);
void *conn_context(const struct conn *c);
/* "127.0.0.1:51234", "unix"; valid as long as the conn. */
const char *conn_peer(const struct conn *c);
/* Of a Unix socket: whose process connected, as the kernel says (SO_PEERCRED, unix(7)). False: it is no such socket. */
bool conn_user(const struct conn *c, uint32_t *uid);

/* Inside on_request: nothing of the body is read, and the client is not told to go on (RFC 9110 10.1.1), before
 * conn_take_body() or the reply. What came with the head waits with it, at most LIMIT_PIPELINE_BYTES. */
void conn_hold_body(struct conn *c);
void conn_take_body(struct conn *c);
/* The client has shown who it is, or with false has not: it keeps its place while strangers come and go. */
void conn_set_known(struct conn *c, bool is_known);

#define CONN_STREAM ((int64_t)-1)

/* A whole answer at once. Once for each request. */
void conn_reply(struct conn *c, int status, const struct conn_header *headers, size_t count, struct slice body);
/* Begins an answer of `length` bytes, or CONN_STREAM for one whose length is not known. Once for each request;
 * conn_write() and conn_end() follow. All slices are copied. */
void conn_reply_head(struct conn *c, int status, const struct conn_header *headers, size_t count, int64_t length);
/* Copies what the kernel does not take at once. False: more than conn_output_max() wait, stop until on_drained
 * (nothing is lost when one goes on). Bytes beyond the promised length break the connection, as does conn_end() short
 * of it. */
bool conn_write(struct conn *c, struct slice bytes);
void conn_end(struct conn *c);
/* conn_end() with trailer fields behind the last chunk (RFC 9110 6.5); an answer that is not chunked ends without. Only
 * what the client may do without, and only for one that said "TE: trailers". */
void conn_end_with(struct conn *c, const struct conn_header *trailers, size_t count);
/* Between two writes, or before the head: what comes now waits, and so does the end. Once for each answer. */
void conn_hold_end(struct conn *c);
/* Of a stream: what may stand before what is held, and leaves now. Nothing is sent where the head is held too, and to a
 * client that has not taken all that may leave. */
void conn_write_before_end(struct conn *c, struct slice bytes);
/* What was held leaves; on_reply_end follows when it has. Behind on_end_held. */
void conn_release_end(struct conn *c);
/* Written and not yet taken by the kernel, with framing. */
size_t conn_output_bytes(const struct conn *c);
/* So much may wait: LIMIT_OUTPUT_HIGH_BYTES, and LIMIT_OUTPUT_CROWDED_BYTES while many clients together are slow. */
size_t conn_output_max(const struct conn *c);
/* on_drained comes as soon as little waits, which may be at once. */
void conn_await_drained(struct conn *c);
/* Inside on_gone: it is given up because it took nothing for write_timeout_ms. */
bool conn_has_stalled(const struct conn *c);
/* No further request on this connection; announced when said before the reply. */
void conn_close_after(struct conn *c);
/* Ends the connection so that the client sees a cut answer and not a complete one; what was written before is sent as
 * far as the kernel takes it, what is held is not. No event follows. */
void conn_abort(struct conn *c);

#endif
