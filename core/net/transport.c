#include "net/transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static long outcome(ssize_t n)
{
    if (n >= 0) return n;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? TRANSPORT_AGAIN : TRANSPORT_BROKEN;
}

/* A stream socket that gave less than was asked for has no more: what comes later is told as a new edge (epoll(7)). */
static long receive(struct transport *t, void *to, size_t size, int flags, bool *is_drained)
{
    ssize_t n;
    do {
        n = recv(t->fd, to, size, flags);
    } while (n < 0 && errno == EINTR);
    *is_drained = n < (ssize_t)size;
    return outcome(n);
}

static long plain_read(struct transport *t, void *to, size_t size, bool *is_drained)
{
    return receive(t, to, size, 0, is_drained);
}

/* tcp(7): with MSG_TRUNC the bytes are discarded where they lie. Other sockets put them into `to`. */
static long plain_drop(struct transport *t, void *to, size_t size, bool *is_drained)
{
    return receive(t, to, size, MSG_TRUNC, is_drained);
}

static long plain_writev(struct transport *t, const struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    ssize_t n;
    do {
        n = sendmsg(t->fd, &message, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return outcome(n);
}

static bool plain_finish(struct transport *t)
{
    return shutdown(t->fd, SHUT_WR) == 0;
}

static void plain_close(struct transport *t, bool is_reset)
{
    if (t->fd < 0) return;
    if (is_reset) {
        struct linger none = {.l_onoff = 1, .l_linger = 0};
        setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    close(t->fd);
    t->fd = -1;
}

static const struct transport_kind plain = {plain_read, plain_drop, plain_writev, plain_finish, plain_close};

void transport_plain(struct transport *t, int fd)
{
    *t = (struct transport){.kind = &plain, .fd = fd};
}

bool transport_has_failed(struct transport *t)
{
    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0;
}
