#include "net/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/wait.h"

#define READ_BYTES (64u * KIB)
#define SEND_BYTES (1u * MIB) /* that the kernel may hold: what came while the other was busy is one batch for it */
#define READS_A_TURN 16   /* then others have theirs */
#define FDS_IN_FLIGHT 64 /* received and not yet claimed by a frame */
#define FDS_A_READ 8
#define FD_LOST (-2)     /* in the place of one that this process could not take */

/* Both ends are of one build on one machine: native byte order. */
struct frame {
    uint32_t len;
    uint8_t type;
    uint8_t has_fd; /* it travels with the frame's first byte */
    uint16_t zero;
};

struct outgoing_fd {
    uint64_t at; /* position in the stream */
    int fd;
};

struct pipe {
    struct loop *loop;
    struct loop_watch watch;
    const struct pipe_events *events;
    void *arg;
    int fd;
    size_t queue_bytes_max;
    struct buf in, out;
    uint64_t sent; /* position in the stream of the first byte in out */
    struct outgoing_fd *out_fds;
    size_t out_fd_count, out_fd_cap;
    int in_fds[FDS_IN_FLIGHT];
    size_t in_fd_count;
    bool has_ended, is_freed, is_flushing;
    bool is_paused;  /* its owner takes no more for now */
    bool is_blocked; /* the kernel took not all */
    bool is_deaf;    /* the other end takes nothing any more */
};

/* Of the system's own bound (net.core.wmem_max) it is as much as that. */
static void hold_more(int fd)
{
    int bytes = (int)SEND_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

bool pipe_pair(int fds[2], struct fault *why)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
        return fault_set(why, FAULT_INTERNAL, "no socket pair: %s", strerror(errno));
    hold_more(fds[0]);
    hold_more(fds[1]);
    return true;
}

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(FDS_A_READ * sizeof(int))];
};

/* One sendmsg(); fd -1: bytes alone. */
static ssize_t send_part(int to, struct slice bytes, int fd)
{
    union control control;
    struct iovec iov = {(void *)(uintptr_t)bytes.ptr, bytes.len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    ssize_t sent;
    do
        sent = sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent;
}

/* One recvmsg(); descriptors that came along are appended to fds. The kernel hands over those of one sendmsg() at a
 * time, and a sender's sendmsg() has at most one: where it says that control data was cut, that one is lost. -2: more
 * of them than may be. */
static ssize_t receive_part(int from, char *to, size_t len, int *fds, size_t *fd_count, size_t fd_max)
{
    union control control;
    struct iovec iov = {to, len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(from, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0) return -1;
    bool is_over = false, is_lost = m.msg_flags & MSG_CTRUNC;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (*fd_count < fd_max) {
                fds[(*fd_count)++] = fd;
            } else {
                close(fd);
                is_over = true;
            }
        }
    }
    if (is_lost && *fd_count < fd_max) fds[(*fd_count)++] = FD_LOST;
    return is_over ? -2 : got;
}

static void end(struct pipe *p, const struct fault *why)
{
    if (p->has_ended) return;
    p->has_ended = true;
    loop_watch_set(&p->watch, 0);
    if (p->events->on_end) p->events->on_end(p->arg, why);
}

static void break_off(struct pipe *p, const char *what)
{
    struct fault why;
    fault_set(&why, FAULT_INTERNAL, "a pipe between processes broke: %s", what);
    end(p, &why);
}

static void update_watch(struct pipe *p)
{
    unsigned interest = (p->is_paused ? 0u : LOOP_READ) | (p->is_blocked ? LOOP_WRITE : 0u);
    if (!p->has_ended) loop_watch_set(&p->watch, interest ? LOOP_URGENT | interest : 0u);
}

/* Up to the next descriptor, which must go with the first byte behind it. */
static struct slice next_part(const struct pipe *p, int *fd)
{
    struct slice part = buf_slice(&p->out);
    size_t first = 0;
    *fd = -1;
    if (p->out_fd_count && p->out_fds[0].at == p->sent) {
        *fd = p->out_fds[0].fd;
        first = 1;
    }
    if (first < p->out_fd_count && p->out_fds[first].at - p->sent < part.len)
        part.len = (size_t)(p->out_fds[first].at - p->sent);
    return part;
}

static void drop_first_fd(struct pipe *p)
{
    close(p->out_fds[0].fd);
    p->out_fd_count--;
    memmove(p->out_fds, p->out_fds + 1, p->out_fd_count * sizeof *p->out_fds);
}

/* False when the kernel takes no more now, or the pipe is broken (errno says which). */
static bool flush_some(struct pipe *p)
{
    while (buf_len(&p->out)) {
        int fd;
        struct slice part = next_part(p, &fd);
        ssize_t sent = send_part(p->fd, part, fd);
        if (sent < 0) return false;
        if (fd >= 0) drop_first_fd(p);
        p->sent += (uint64_t)sent;
        buf_consume(&p->out, (size_t)sent);
    }
    return true;
}

/* The other end is closed for writing, but what it sent before is still to be read. */
static void give_up_writing(struct pipe *p)
{
    p->is_deaf = true;
    buf_clear(&p->out);
    while (p->out_fd_count)
        drop_first_fd(p);
}

static void flush(struct pipe *p)
{
    bool is_empty = flush_some(p);
    if (!is_empty && errno != EAGAIN) {
        give_up_writing(p);
        is_empty = true;
    }
    p->is_blocked = !is_empty;
    if (is_empty && p->out.cap > READ_BYTES) buf_clear(&p->out);
    update_watch(p);
}

void pipe_flush(struct pipe *p)
{
    if (!p->has_ended && !p->is_freed) flush(p);
}

static void on_flush(void *arg)
{
    struct pipe *p = arg;
    p->is_flushing = false;
    pipe_flush(p);
}

static int claim_fd(struct pipe *p)
{
    int fd = p->in_fds[0];
    p->in_fd_count--;
    memmove(p->in_fds, p->in_fds + 1, p->in_fd_count * sizeof *p->in_fds);
    return fd;
}

static bool frame_is_good(const struct frame *f)
{
    return f->len <= LIMIT_PIPE_MESSAGE_BYTES && f->has_fd <= 1 && f->zero == 0;
}

static void give_messages(struct pipe *p)
{
    struct frame f;
    while (!p->is_freed && !p->has_ended && buf_len(&p->in) >= sizeof f) {
        memcpy(&f, buf_ptr(&p->in), sizeof f);
        if (!frame_is_good(&f) || (f.has_fd && p->in_fd_count == 0)) {
            break_off(p, "what came is not a message");
            return;
        }
        if (buf_len(&p->in) < sizeof f + f.len) return;
        int fd = f.has_fd ? claim_fd(p) : -1;
        struct slice body = slice_of(buf_ptr(&p->in) + sizeof f, f.len);
        struct pipe_message m = {f.type, body, fd == FD_LOST ? -1 : fd, fd == FD_LOST};
        p->events->on_message(p->arg, &m);
        if (!p->is_freed) buf_consume(&p->in, sizeof f + f.len);
    }
}

/* False when there is nothing more to read now. */
static bool read_some(struct pipe *p)
{
    char *to = buf_reserve(&p->in, READ_BYTES);
    ssize_t got = receive_part(p->fd, to, READ_BYTES, p->in_fds, &p->in_fd_count, FDS_IN_FLIGHT);
    if (got == -1 && errno == EAGAIN) return false;
    if (got == -2) {
        break_off(p, "more descriptors came than can be taken");
        return false;
    }
    if (got == -1 && errno != ECONNRESET) {
        break_off(p, strerror(errno));
        return false;
    }
    if (got <= 0) {
        if (buf_len(&p->in))
            break_off(p, "it ended within a message");
        else
            end(p, NULL);
        return false;
    }
    buf_grew(&p->in, (size_t)got);
    give_messages(p);
    return !p->is_freed && !p->has_ended && !p->is_paused && (size_t)got == READ_BYTES;
}

static void on_ready(void *arg, unsigned ready)
{
    struct pipe *p = arg;
    if (ready & LOOP_WRITE) flush(p);
    if (p->is_freed || p->has_ended || !(ready & LOOP_READ)) return;
    for (int i = 0; i < READS_A_TURN && read_some(p); i++)
        ;
    if (!p->is_freed && buf_len(&p->in) == 0 && p->in.cap > 2 * READ_BYTES) buf_clear(&p->in);
}

struct pipe *pipe_new(struct loop *loop, int fd, size_t queue_bytes_max, const struct pipe_events *events, void *arg)
{
    struct pipe *p = mem_zalloc(1, sizeof *p);
    *p = (struct pipe){.loop = loop, .fd = fd, .queue_bytes_max = queue_bytes_max, .events = events, .arg = arg};
    buf_init(&p->in);
    buf_init(&p->out);
    loop_watch_init(&p->watch, loop, fd, on_ready, p);
    update_watch(p);
    return p;
}

static void free_pipe(void *arg)
{
    struct pipe *p = arg;
    buf_clear(&p->in);
    buf_clear(&p->out);
    mem_free(p->out_fds);
    mem_free(p);
}

void pipe_free(struct pipe *p)
{
    if (!p || p->is_freed) return;
    p->is_freed = true;
    loop_watch_set(&p->watch, 0);
    close(p->fd);
    while (p->out_fd_count)
        drop_first_fd(p);
    while (p->in_fd_count) {
        int fd = claim_fd(p);
        if (fd >= 0) close(fd);
    }
    loop_defer(p->loop, free_pipe, p);
}

static void queue_fd(struct pipe *p, int fd)
{
    if (p->out_fd_count == p->out_fd_cap) {
        p->out_fd_cap = p->out_fd_cap ? p->out_fd_cap * 2 : 4;
        p->out_fds = mem_realloc(p->out_fds, p->out_fd_cap * sizeof *p->out_fds);
    }
    p->out_fds[p->out_fd_count++] = (struct outgoing_fd){p->sent + buf_len(&p->out), fd};
}

static bool has_room(const struct pipe *p, size_t body_len, struct fault *why)
{
    check(body_len <= LIMIT_PIPE_MESSAGE_BYTES);
    if (p->has_ended || p->is_freed || p->is_deaf)
        return fault_set(why, FAULT_INTERNAL, "the other process has closed its pipe");
    if (buf_len(&p->out) + sizeof(struct frame) + body_len > p->queue_bytes_max)
        return fault_set(why, FAULT_INTERNAL, "the other process does not take its messages: %zu bytes wait",
                         buf_len(&p->out));
    return true;
}

bool pipe_give(struct pipe *p, uint8_t type, struct slice body, int fd, struct fault *why)
{
    struct frame f = {(uint32_t)body.len, type, fd >= 0, 0};
    if (!has_room(p, body.len, why)) {
        if (fd >= 0) close(fd);
        return false;
    }
    if (fd >= 0) queue_fd(p, fd);
    buf_append(&p->out, slice_of((const char *)&f, sizeof f));
    buf_append(&p->out, body);
    if (!p->is_flushing && !p->is_blocked) {
        p->is_flushing = true;
        loop_defer(p->loop, on_flush, p);
    }
    return true;
}

bool pipe_send(struct pipe *p, uint8_t type, struct slice body, int fd, struct fault *why)
{
    int copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (fd >= 0 && copy < 0) return fault_set(why, FAULT_INTERNAL, "a descriptor to be sent: %s", strerror(errno));
    return pipe_give(p, type, body, copy, why);
}

void pipe_pause(struct pipe *p, bool is_paused)
{
    p->is_paused = is_paused;
    if (!p->is_freed) update_watch(p);
}

size_t pipe_queued_bytes(const struct pipe *p)
{
    return buf_len(&p->out);
}

bool pipe_has_ended(const struct pipe *p)
{
    return p->has_ended;
}

bool pipe_flush_wait(struct pipe *p, unsigned timeout_ms, struct fault *why)
{
    uint64_t deadline_ns = wait_deadline_ns(timeout_ms);
    if (p->has_ended || p->is_deaf) return fault_set(why, FAULT_INTERNAL, "the other process has closed its pipe");
    while (!flush_some(p)) {
        if (errno != EAGAIN) return fault_set(why, FAULT_INTERNAL, "a pipe broke: %s", strerror(errno));
        if (!wait_ready(p->fd, POLLOUT, deadline_ns, why)) return false;
    }
    return true;
}

static bool send_all(int to, struct slice bytes, int fd, uint64_t deadline_ns, struct fault *why)
{
    while (bytes.len) {
        ssize_t sent = send_part(to, bytes, fd);
        if (sent < 0 && errno != EAGAIN) return fault_set(why, FAULT_INTERNAL, "a pipe broke: %s", strerror(errno));
        if (sent < 0) {
            if (!wait_ready(to, POLLOUT, deadline_ns, why)) return false;
            continue;
        }
        bytes = slice_of(bytes.ptr + sent, bytes.len - (size_t)sent);
        fd = -1;
    }
    return true;
}

bool pipe_send_wait(int fd, const struct pipe_message *m, unsigned timeout_ms, struct fault *why)
{
    check(m->body.len <= LIMIT_PIPE_MESSAGE_BYTES);
    uint64_t deadline_ns = wait_deadline_ns(timeout_ms);
    struct frame f = {(uint32_t)m->body.len, m->type, m->fd >= 0, 0};
    return send_all(fd, slice_of((const char *)&f, sizeof f), m->fd, deadline_ns, why) &&
           send_all(fd, m->body, -1, deadline_ns, why);
}

static bool receive_all(int from, char *to, size_t len, int *fd, uint64_t deadline_ns, struct fault *why)
{
    for (size_t at = 0; at < len;) {
        size_t fd_count = *fd != -1;
        ssize_t got = receive_part(from, to + at, len - at, fd, &fd_count, 1);
        if (got == -2) return fault_set(why, FAULT_INTERNAL, "more descriptors came than can be taken");
        if (got == 0) return fault_set(why, FAULT_INTERNAL, "the other process has closed its pipe");
        if (got < 0 && errno != EAGAIN) return fault_set(why, FAULT_INTERNAL, "a pipe broke: %s", strerror(errno));
        if (got < 0) {
            if (!wait_ready(from, POLLIN, deadline_ns, why)) return false;
            continue;
        }
        at += (size_t)got;
    }
    return true;
}

bool pipe_receive_wait(int fd, struct pipe_message *m, struct buf *body, unsigned timeout_ms, struct fault *why)
{
    uint64_t deadline_ns = wait_deadline_ns(timeout_ms);
    struct frame f = {0};
    int passed = -1;
    bool is_good = receive_all(fd, (char *)&f, sizeof f, &passed, deadline_ns, why);
    if (is_good && passed == FD_LOST)
        is_good = fault_set(why, FAULT_INTERNAL, "a descriptor cannot be taken: too many are open (ulimit -n)");
    if (is_good && (!frame_is_good(&f) || f.has_fd != (passed >= 0)))
        is_good = fault_set(why, FAULT_INTERNAL, "what came through a pipe is not a message");
    buf_reset(body);
    if (is_good && f.len) {
        int none = -1;
        is_good = receive_all(fd, buf_reserve(body, f.len), f.len, &none, deadline_ns, why);
        if (none >= 0) close(none);
        if (is_good) buf_grew(body, f.len);
    }
    if (!is_good && passed >= 0) close(passed);
    if (is_good) *m = (struct pipe_message){f.type, buf_slice(body), passed, false};
    return is_good;
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t wrote = write(fd, bytes.ptr, bytes.len);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return false;
        bytes = slice_of(bytes.ptr + wrote, bytes.len - (size_t)wrote);
    }
    return true;
}

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int pipe_memfd_new(const char *name, struct slice bytes, struct fault *why)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && write_all(fd, bytes) && fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == 0) return fd;
    fault_set(why, FAULT_INTERNAL, "a memory file of %zu bytes: %s", bytes.len, strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
}

bool pipe_memfd_map(int fd, size_t bytes_max, struct slice *bytes, struct fault *why)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;
    if (seals < 0 || (seals & SEALS) != SEALS)
        return fault_set(why, FAULT_INTERNAL, "what came is not a sealed memory file");
    if (fstat(fd, &st) != 0 || st.st_size < 0 || (uint64_t)st.st_size > bytes_max)
        return fault_set(why, FAULT_INTERNAL, "a memory file is over %zu bytes", bytes_max);
    *bytes = slice_of("", 0);
    if (st.st_size == 0) return true;
    void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (at == MAP_FAILED) return fault_set(why, FAULT_INTERNAL, "a memory file cannot be mapped: %s", strerror(errno));
    *bytes = slice_of(at, (size_t)st.st_size);
    return true;
}

void pipe_memfd_unmap(struct slice bytes)
{
    if (bytes.len) munmap((void *)(uintptr_t)bytes.ptr, bytes.len);
}
