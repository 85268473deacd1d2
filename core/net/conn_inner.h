/*
 * What the parts of the connection room share: struct conn, struct conn_server, and the calls between the files.
 *
 *     conn_server.c   the server: accepting, options, drain, the clocks of all connections
 *     conn.c          one connection's life: events of the descriptor, what follows an answer, closing
 *     conn_read.c     bytes in: heads, bodies, refusals
 *     conn_strangers.c  who has not shown a key yet, and makes place for others
 *     conn_write.c    bytes out: the reply verbs
 *
 * A connection is either the owner's (is_active: from on_request or on_refused to the exchange's end) or this room's.
 * Verbs only queue and note; events are raised from the descriptor, from conn_settle() (deferred by the verbs to the
 * end of the current callback) and from the clocks.
 */
#ifndef MOONGATE_NET_CONN_INNER_H
#define MOONGATE_NET_CONN_INNER_H

#include "base/buf.h"
#include "base/list.h"
#include "net/conn.h"
#include "net/listener.h"
#include "net/transport.h"
#include "wire/chunked.h"

#define CONN_SCRATCH_BYTES LIMIT_PIPELINE_BYTES /* one read; also what a connection gets in one turn */
#define CONN_DIRECT_BYTES (16u * KIB) /* pieces from here on are offered to the kernel before they are copied */
#define CONN_DATE_BYTES 30            /* "Sun, 06 Nov 1994 08:49:37 GMT" with its NUL */

enum conn_input {
    INPUT_OVERLOADED, /* above the cap: the first byte brings the refusal, so that the answer follows a request */
    INPUT_HEAD,       /* between requests, or in a head */
    INPUT_BODY,
    INPUT_CLOSED, /* the request is complete or refused: nothing is read until it is answered */
};

enum conn_output { OUTPUT_NONE, OUTPUT_OPEN, OUTPUT_ENDED };

/* What a connection is waiting for. Each has one duration, so a list in the order of beginning is in the order of
 * expiry: setting a clock is two list operations, and one timer serves all connections. */
enum conn_clock { CLOCK_NONE, CLOCK_HEAD, CLOCK_IDLE, CLOCK_BODY, CLOCK_WRITE, CLOCK_LINGER };
#define CONN_CLOCKS (CLOCK_LINGER + 1)

struct conn {
    struct conn_server *server;
    struct list_link link;
    struct transport transport;
    struct loop_watch watch;
    struct list_link clock_link;
    uint64_t clock_since_ns;
    enum conn_clock clock;
    enum conn_input input;
    enum conn_output output;

    void *context;
    struct http_parser parser;
    struct chunked chunked;
    struct buf in;      /* an unfinished head, or requests that came early; empty otherwise */
    struct buf out;     /* not yet taken by the kernel */
    size_t held;        /* of them at its end: they wait for conn_release_end() */
    size_t out_noted;   /* of them the server knows */
    uint64_t body_left; /* Content-Length: not yet read */
    uint64_t body_read; /* chunked: so far */
    uint64_t body_since_ns, body_came; /* since the body is being read: the time, and its bytes with their framing */
    size_t at_hand;     /* inside an event: bytes already read that follow those of the event */
    int64_t reply_left; /* -1: length not promised */
    uint64_t linger_left;
    struct list_link stranger_link; /* in server->strangers, until it is known */
    size_t stranger_bytes;          /* of `in`, counted in server->stranger_bytes */

    /* The request */
    uint8_t minor;
    bool is_head_method, wants_keep_alive, is_chunked_in, wants_continue;
    /* The reply */
    bool has_body, is_chunked_out, is_until_close, is_closing, is_lingering_after;
    bool is_holding, has_told_held; /* the end waits; the owner knows that it is the end alone */
    bool is_head_held;              /* … the head is behind it, too */
    /* The connection */
    bool is_active, is_overloaded, is_last, is_lingering, is_dead, is_broken, is_held, is_taking;
    bool is_readable, has_hung_up, is_blocked, has_unparsed, is_settling, was_over, has_stalled;
    char peer[LISTENER_TEXT_BYTES];
};

struct conn_server {
    struct loop *loop;
    struct conn_options options;
    const struct conn_events *events;
    void *arg;
    struct listener *listener;
    struct list_link conns;
    struct list_link strangers; /* who has been one for longest stands in front */
    size_t stranger_bytes;
    struct list_link clocks[CONN_CLOCKS];
    struct loop_timer sweep;
    uint64_t sweep_due_ns;
    struct conn_counts counts;
    uint32_t overloaded_open;
    uint64_t output_bytes; /* that wait for all clients */
    uint64_t linger_turn_ns; /* the turn in which … */
    size_t linger_turn_bytes; /* … so much was read to the bin */
    bool is_draining;
    time_t date_of;
    char date[CONN_DATE_BYTES];
    struct http_head head;            /* the one being looked at */
    char scratch[CONN_SCRATCH_BYTES]; /* the bytes being looked at */
};

/* conn_server.c */
void conn_set_clock(struct conn *c, enum conn_clock clock);
const char *conn_server_date(struct conn_server *s);

/* conn.c */
struct conn *conn_new(struct conn_server *s, int fd, const char *peer, bool is_overloaded);
/* Closes; no event follows; the memory goes when the current callback has returned. */
void conn_kill(struct conn *c, bool is_reset);
/* The client has left: tells the owner if the connection is its, then closes. is_reset: without waiting for what the
 * client did not take; never for one that has only closed its side, since answers may still be on their way to it. */
void conn_lost(struct conn *c, bool is_reset);
/* Sends, raises what is due and goes on with the next request, once the current callback has returned. */
void conn_settle_later(struct conn *c);
void conn_expire(struct conn *c, enum conn_clock clock);
/* True while bytes from the client are wanted. */
bool conn_is_reading(const struct conn *c);

/* conn_read.c */
/* One read, or what is left of an earlier one, and the events it brings. */
void conn_read(struct conn *c);
/* One read to be dropped. */
void conn_read_lingering(struct conn *c);
void conn_refuse(struct conn *c, const struct fault *why);

/* All of the request's body came with its head and is passed over: the next request follows. Outside of take(). */
bool conn_skip_body(struct conn *c);

/* conn_strangers.c */
void conn_be_stranger(struct conn *c);
void conn_be_none(struct conn *c);
/* What it keeps of a head has changed. Others may have to go. */
void conn_stranger_holds(struct conn *c);
/* The one who has been a stranger for longest goes, unless it is `but`. False: there is none. */
bool conn_drop_stranger(struct conn_server *s, const struct conn *but);

/* conn_write.c */
/* What may leave now. */
static inline size_t conn_free_bytes(const struct conn *c)
{
    return buf_len(&c->out) - c->held;
}
/* What waits counts among all that waits. */
void conn_note_output(struct conn *c);
/* Offers what is queued to the kernel; a failure is noted in is_broken. True: some was taken. */
bool conn_flush(struct conn *c);

#endif
