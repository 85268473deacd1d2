/*
 * How bytes reach a peer: read, write and close, over a plain socket or what stands on one.
 *
 *     struct transport t;
 *     transport_plain(&t, fd);
 *     long n = transport_read(&t, to, size, &is_drained);
 *     n = transport_writev(&t, parts, count);
 *     transport_close(&t, false);
 *
 * Never waits: descriptors are non-blocking and watched by their owner for reading and writing alike, since another
 * transport may have to write in order to read. Owns the descriptor.
 */
#ifndef MOONGATE_NET_TRANSPORT_H
#define MOONGATE_NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#define TRANSPORT_AGAIN (-1L)  /* nothing now: wait for the descriptor */
#define TRANSPORT_BROKEN (-2L) /* reset or failed: close it */

struct iovec;
struct transport;

struct transport_kind {
    long (*read)(struct transport *t, void *to, size_t size, bool *is_drained);
    long (*drop)(struct transport *t, void *to, size_t size, bool *is_drained);
    long (*writev)(struct transport *t, const struct iovec *parts, int count);
    bool (*finish)(struct transport *t);
    void (*close)(struct transport *t, bool is_reset);
};

struct transport {
    const struct transport_kind *kind;
    void *state; /* the kind's own */
    int fd;      /* -1: closed */
};

/* Takes the descriptor, which must be a non-blocking stream socket. */
void transport_plain(struct transport *t, int fd);

/* Bytes read, 0 at the end, TRANSPORT_AGAIN or TRANSPORT_BROKEN. *is_drained: the next read would have to wait, as far
 * as can be known. */
static inline long transport_read(struct transport *t, void *to, size_t size, bool *is_drained)
{
    return t->kind->read(t, to, size, is_drained);
}

/* As transport_read(), of bytes that nobody wants: where it can be they are not even copied. */
static inline long transport_drop(struct transport *t, void *to, size_t size, bool *is_drained)
{
    return t->kind->drop(t, to, size, is_drained);
}

/* Bytes taken, fewer than given when the peer is slow; TRANSPORT_AGAIN or TRANSPORT_BROKEN. */
static inline long transport_writev(struct transport *t, const struct iovec *parts, int count)
{
    return t->kind->writev(t, parts, count);
}

/* Says that nothing more will be written; reading goes on. False: broken. */
static inline bool transport_finish(struct transport *t)
{
    return t->kind->finish(t);
}

/* is_reset: the peer sees an error, not an end. */
static inline void transport_close(struct transport *t, bool is_reset)
{
    t->kind->close(t, is_reset);
}

/* The socket has failed (a reset came) although nothing was read or written. */
bool transport_has_failed(struct transport *t);

#endif
