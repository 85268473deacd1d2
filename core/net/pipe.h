/*
 * Messages between moongate's own processes: length-framed, typed, with a file descriptor when one must travel.
 *
 *     int fds[2];
 *     pipe_pair(fds, &why);                                   before fork; each side closes the other's end
 *     struct pipe *p = pipe_new(loop, fds[0], LIMIT_PIPE_QUEUE_BYTES, &events, worker);
 *     pipe_send(p, CONTROL_DRAIN, SLICE_NONE, -1, &why);
 *     pipe_free(p);
 *
 * Messages sent in one loop turn leave in one write. Before a loop runs, the blocking pair pipe_send_wait() and
 * pipe_receive_wait() speaks the same frames on the bare descriptor. What is larger than a message travels as a sealed
 * memory file (pipe_memfd_new).
 * A descriptor that cannot be taken, because too many are open here, is lost alone: its message comes and says so.
 * Never trusts a length: a frame over LIMIT_PIPE_MESSAGE_BYTES ends the pipe with a fault.
 * Not for peers outside of moongate.
 */
#ifndef MOONGATE_NET_PIPE_H
#define MOONGATE_NET_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"

struct loop;
struct pipe;

struct pipe_message {
    uint8_t type;      /* the users' own numbering */
    struct slice body; /* at most LIMIT_PIPE_MESSAGE_BYTES */
    int fd;            /* -1: none */
    bool is_fd_lost;   /* one was sent, and this process has no place for it: too many are open */
};

struct pipe_events {
    /* The body is borrowed until the return; the descriptor, if any, is the callee's to close. */
    void (*on_message)(void *arg, const struct pipe_message *message);
    /* Once, last: NULL for an orderly end of file, a fault for a broken pipe or a bad frame. The pipe is still to be
     * freed. May be left out. */
    void (*on_end)(void *arg, const struct fault *why);
};

/* Two connected ends, close-on-exec and non-blocking. */
bool pipe_pair(int fds[2], struct fault *why);

/* Takes the descriptor. `events` is borrowed until pipe_free(). */
struct pipe *pipe_new(struct loop *loop, int fd, size_t queue_bytes_max, const struct pipe_events *events, void *arg);
/* Closes. Safe inside the pipe's callbacks; none follows. What is still queued is lost: see pipe_flush_wait(). */
void pipe_free(struct pipe *p);

/* Copies the body and duplicates the descriptor (-1: none); the caller keeps its own. False, and nothing sent, when the
 * queue would grow over its bound or the pipe has ended. */
bool pipe_send(struct pipe *p, uint8_t type, struct slice body, int fd, struct fault *why);
/* Takes the descriptor, whatever becomes of it: for who keeps none, and may have none to spare. */
bool pipe_give(struct pipe *p, uint8_t type, struct slice body, int fd, struct fault *why);
/* Reads no more until it is called again, neither messages nor the end: what was read already may still come. */
void pipe_pause(struct pipe *p, bool is_paused);
/* Not yet taken by the kernel. */
size_t pipe_queued_bytes(const struct pipe *p);
bool pipe_has_ended(const struct pipe *p);
/* What is sent goes at the turn's end. Now, as far as the kernel takes it: for who tells a third one of it next. */
void pipe_flush(struct pipe *p);
/* Blocks until the queue is empty: for the last words of a process. False when the time is over or the pipe broke. */
bool pipe_flush_wait(struct pipe *p, unsigned timeout_ms, struct fault *why);

/* One message on a bare descriptor, whole or a fault. */
bool pipe_send_wait(int fd, const struct pipe_message *message, unsigned timeout_ms, struct fault *why);
/* *message's body lies in `body`, which is overwritten; a descriptor is the caller's. Reads not one byte further than
 * the message, so that a pipe_new() may follow. End of file is a fault. */
bool pipe_receive_wait(int fd, struct pipe_message *message, struct buf *body, unsigned timeout_ms, struct fault *why);

/* A memory file with these bytes, sealed: nobody can change them any more. -1 on failure. The caller closes it. */
int pipe_memfd_new(const char *name, struct slice bytes, struct fault *why);
/* Maps such a file for reading; refused when it is not sealed or larger than bytes_max. The descriptor may be closed
 * afterwards. An empty file gives an empty slice. */
bool pipe_memfd_map(int fd, size_t bytes_max, struct slice *bytes, struct fault *why);
void pipe_memfd_unmap(struct slice bytes);

#endif
