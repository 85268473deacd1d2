#include "net/line.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/line_path.h"
#include "net/loop.h"

#define READ_BYTES (16u * KIB)
#define BACKLOG 16

struct line_peer {
    struct line_server *server;
    struct list_link link;
    struct loop_watch watch;
    struct buf in, out;
    void *data;
    int fd;
    uid_t uid;
    unsigned unanswered; /* lines */
    bool had_line;
    bool is_shut;    /* it sends no more */
    bool is_closing; /* as soon as `out` is empty */
    bool is_gone;
};

struct line_server {
    struct loop *loop;
    struct loop_watch watch;
    const struct line_events *events;
    void *arg;
    char *path;
    int fd;
    struct list_link peers;
    unsigned peer_count;
};

static void free_peer(void *arg)
{
    struct line_peer *peer = arg;
    buf_clear(&peer->in);
    buf_clear(&peer->out);
    mem_free(peer);
}

static void drop(struct line_peer *peer)
{
    if (peer->is_gone) return;
    struct line_server *s = peer->server;
    peer->is_gone = true;
    loop_watch_set(&peer->watch, 0);
    close(peer->fd);
    list_remove(&peer->link);
    s->peer_count--;
    if (peer->had_line && s->events->on_gone) s->events->on_gone(s->arg, peer);
    loop_defer(s->loop, free_peer, peer);
}

/* Sends what it can and settles what to wait for. */
static void tend(struct line_peer *peer)
{
    while (buf_len(&peer->out)) {
        ssize_t sent = send(peer->fd, buf_ptr(&peer->out), buf_len(&peer->out), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) break;
        if (sent < 0) {
            drop(peer);
            return;
        }
        buf_consume(&peer->out, (size_t)sent);
    }
    bool is_drained = buf_len(&peer->out) == 0;
    if (is_drained && (peer->is_closing || (peer->is_shut && peer->unanswered == 0))) {
        drop(peer);
        return;
    }
    bool is_reading = !peer->is_shut && !peer->is_closing;
    loop_watch_set(&peer->watch, (is_reading ? LOOP_READ : 0u) | (is_drained ? 0u : LOOP_WRITE));
}

static void append_line(struct line_peer *peer, struct slice line)
{
    buf_append(&peer->out, line);
    buf_append_char(&peer->out, '\n');
}

void line_reply(struct line_peer *peer, struct slice line)
{
    if (peer->is_gone || peer->is_closing) return;
    if (peer->unanswered) peer->unanswered--;
    if (buf_len(&peer->out) + line.len + 1 > LIMIT_CONTROL_ANSWER_BYTES) {
        drop(peer);
        return;
    }
    append_line(peer, line);
    tend(peer);
}

void line_close(struct line_peer *peer)
{
    if (peer->is_gone) return;
    peer->is_closing = true;
    tend(peer);
}

void line_set_data(struct line_peer *peer, void *data)
{
    peer->data = data;
}

void *line_data(const struct line_peer *peer)
{
    return peer->data;
}

uid_t line_uid(const struct line_peer *peer)
{
    return peer->uid;
}

static void refuse(struct line_peer *peer, const char *what)
{
    buf_printf(&peer->out, "{\"error\":\"%s\"}\n", what);
    line_close(peer);
}

static void give_lines(struct line_peer *peer)
{
    while (!peer->is_gone && !peer->is_closing) {
        struct slice all = buf_slice(&peer->in);
        const char *end = memchr(all.ptr, '\n', all.len);
        size_t len = end ? (size_t)(end - all.ptr) : all.len;
        if (len > LIMIT_CONTROL_LINE_BYTES) {
            refuse(peer, "the line is too long");
            return;
        }
        if (!end) return;
        peer->had_line = true;
        peer->unanswered++;
        peer->server->events->on_line(peer->server->arg, peer, slice_of(all.ptr, len));
        if (!peer->is_gone) buf_consume(&peer->in, len + 1);
    }
}

static void read_some(struct line_peer *peer)
{
    ssize_t got = recv(peer->fd, buf_reserve(&peer->in, READ_BYTES), READ_BYTES, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) {
        drop(peer);
        return;
    }
    if (got == 0) {
        peer->is_shut = true;
        return;
    }
    buf_grew(&peer->in, (size_t)got);
    give_lines(peer);
}

static void on_peer_ready(void *arg, unsigned ready)
{
    struct line_peer *peer = arg;
    if (ready & LOOP_READ && !peer->is_shut && !peer->is_closing) read_some(peer);
    if (!peer->is_gone) tend(peer);
}

/* The mode of the socket file says the same; this holds also where a file system does not. */
static bool is_welcome(int fd, struct ucred *who)
{
    socklen_t len = sizeof *who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &len) != 0) return false;
    return who->uid == 0 || who->uid == geteuid();
}

static void add_peer(struct line_server *s, int fd, uid_t uid)
{
    struct line_peer *peer = mem_zalloc(1, sizeof *peer);
    peer->server = s;
    peer->fd = fd;
    peer->uid = uid;
    buf_init(&peer->in);
    buf_init(&peer->out);
    list_append(&s->peers, &peer->link);
    s->peer_count++;
    loop_watch_init(&peer->watch, s->loop, fd, on_peer_ready, peer);
    if (s->peer_count > LIMIT_CONTROL_CLIENTS)
        refuse(peer, "too many clients at once");
    else
        tend(peer);
}

static void on_knock(void *arg, unsigned ready)
{
    (void)ready;
    struct line_server *s = arg;
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct ucred who;
    if (fd < 0) return;
    if (is_welcome(fd, &who))
        add_peer(s, fd, who.uid);
    else
        close(fd);
}

struct line_server *line_server_new(struct loop *loop, const char *path, const struct line_events *events, void *arg,
                                    struct fault *why)
{
    int fd = line_path_listen(path, BACKLOG, why);
    if (fd < 0) return NULL;
    struct line_server *s = mem_zalloc(1, sizeof *s);
    s->loop = loop;
    s->events = events;
    s->arg = arg;
    s->path = mem_strdup(path);
    s->fd = fd;
    list_init(&s->peers);
    loop_watch_init(&s->watch, loop, fd, on_knock, s);
    loop_watch_set(&s->watch, LOOP_READ);
    return s;
}

static void free_server(void *arg)
{
    mem_free(arg);
}

void line_server_free(struct line_server *s)
{
    if (!s) return;
    loop_watch_set(&s->watch, 0);
    close(s->fd);
    unlink(s->path);
    while (!list_is_empty(&s->peers)) {
        struct line_peer *peer = LIST_OWNER(s->peers.next, struct line_peer, link);
        peer->had_line = false; /* no on_gone */
        peer->is_closing = true;
        tend(peer);
        drop(peer);
    }
    mem_free(s->path);
    loop_defer(s->loop, free_server, s);
}
