#include "net/line.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "net/line_path.h"
#include "net/wait.h"

#define READ_BYTES (16u * KIB)

struct line_client {
    int fd;
    struct buf in;
};

struct line_client *line_client_open(const char *path, unsigned timeout_ms, struct fault *why)
{
    int fd = line_path_connect(path, timeout_ms);
    if (fd < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            fault_set(why, FAULT_INTERNAL, "nobody listens at %s: is moongate running?", path);
        else if (errno == EACCES || errno == EPERM)
            fault_set(why, FAULT_INTERNAL, "no right to use %s: run this as the user that moongate runs as", path);
        else
            fault_set(why, FAULT_INTERNAL, "%s: %s", path, errno == EAGAIN ? "no answer in time" : strerror(errno));
        return NULL;
    }
    struct line_client *c = mem_zalloc(1, sizeof *c);
    c->fd = fd;
    buf_init(&c->in);
    return c;
}

bool line_is_served(const char *path, unsigned timeout_ms)
{
    int fd = line_path_connect(path, timeout_ms);
    if (fd >= 0) close(fd);
    return fd >= 0 || (errno != ENOENT && errno != ECONNREFUSED);
}

static bool send_all(int fd, struct slice bytes, uint64_t deadline_ns, struct fault *why)
{
    while (bytes.len) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return fault_set(why, FAULT_INTERNAL, "moongate has closed the connection: %s", strerror(errno));
        if (sent < 0 && !wait_ready(fd, POLLOUT, deadline_ns, why)) return false;
        if (sent > 0) bytes = slice_of(bytes.ptr + sent, bytes.len - (size_t)sent);
    }
    return true;
}

bool line_client_send(struct line_client *c, struct slice line, unsigned timeout_ms, struct fault *why)
{
    uint64_t deadline_ns = wait_deadline_ns(timeout_ms);
    if (line.len > LIMIT_CONTROL_LINE_BYTES || (line.len && memchr(line.ptr, '\n', line.len)))
        return fault_set(why, FAULT_INTERNAL, "a control line must be one line of at most %u bytes",
                         LIMIT_CONTROL_LINE_BYTES);
    return send_all(c->fd, line, deadline_ns, why) && send_all(c->fd, SLICE("\n"), deadline_ns, why);
}

static bool read_some(struct line_client *c, uint64_t deadline_ns, struct fault *why)
{
    if (buf_len(&c->in) > LIMIT_CONTROL_ANSWER_BYTES)
        return fault_set(why, FAULT_INTERNAL, "an answer over %u bytes", LIMIT_CONTROL_ANSWER_BYTES);
    if (!wait_ready(c->fd, POLLIN, deadline_ns, why)) return false;
    ssize_t got = recv(c->fd, buf_reserve(&c->in, READ_BYTES), READ_BYTES, MSG_DONTWAIT);
    if (got > 0) buf_grew(&c->in, (size_t)got);
    if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN))) return true;
    return fault_set(why, FAULT_INTERNAL, "moongate has closed the connection without an answer");
}

bool line_client_read(struct line_client *c, struct buf *line, unsigned timeout_ms, struct fault *why)
{
    uint64_t deadline_ns = wait_deadline_ns(timeout_ms);
    size_t searched = 0;
    for (;;) {
        struct slice all = buf_slice(&c->in);
        const char *end = all.len > searched ? memchr(all.ptr + searched, '\n', all.len - searched) : NULL;
        if (end) {
            size_t len = (size_t)(end - all.ptr);
            buf_reset(line);
            buf_append(line, slice_of(all.ptr, len));
            buf_consume(&c->in, len + 1);
            return true;
        }
        searched = all.len;
        if (!read_some(c, deadline_ns, why)) return false;
    }
}

bool line_client_call(struct line_client *c, struct slice line, struct buf *answer, unsigned timeout_ms,
                      struct fault *why)
{
    return line_client_send(c, line, timeout_ms, why) && line_client_read(c, answer, timeout_ms, why);
}

void line_client_close(struct line_client *c)
{
    if (!c) return;
    close(c->fd);
    buf_clear(&c->in);
    mem_free(c);
}
