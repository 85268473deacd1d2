#include "server.h"

#include <errno.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "session.h"

#define BACKLOG 4096
#define ACCEPTS_PER_TURN 64

struct server {
    struct mock *mock;
    struct event *readable;
    int fd;
    bool is_control;
};

/* true: the script has dealt with fd. */
static bool apply_accept_script(struct mock *mock, int fd)
{
    struct script script;
    struct linger at_once = {1, 0};
    script_init(&script);
    bool is_taken = scripts_take_accept(mock->scripts, &script);
    if (is_taken) {
        mock->connections++;
        journal_add(mock->journal, json_pack("{s:s, s:s}", "event", "accept", "how", script.accept));
    }
    if (is_taken && script_is(script.accept, "hold")) {
        buf_append(&mock->held, slice_of((char *)&fd, sizeof fd));
    } else if (is_taken) {
        if (script_is(script.accept, "rst")) setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
    }
    script_clear(&script);
    return is_taken;
}

static void on_acceptable(evutil_socket_t listener, short what, void *arg)
{
    struct server *s = arg;
    int on = 1;
    (void)what;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (s->is_control || !apply_accept_script(s->mock, fd)) session_open(s->mock, fd, s->is_control);
    }
}

/* "127.0.0.1:8080"; port 0 asks the kernel for one. */
static bool parse_address(const char *text, struct sockaddr_in *at)
{
    char host[INET_ADDRSTRLEN];
    struct slice port, name = slice_split(slice_str(text), ':', &port);
    uint64_t number;
    if (name.len >= sizeof host || !slice_to_u64(port, &number) || number > UINT16_MAX) return false;
    snprintf(host, sizeof host, "%.*s", SLICE_FMT(name));
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
    return inet_pton(AF_INET, host, &at->sin_addr) == 1;
}

static int open_listener(const char *address, char bound[64])
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    char host[INET_ADDRSTRLEN];
    int on = 1;
    if (!parse_address(address, &at)) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        close(fd);
        return -1;
    }
    inet_ntop(AF_INET, &at.sin_addr, host, sizeof host);
    snprintf(bound, 64, "%s:%u", host, (unsigned)ntohs(at.sin_port));
    return fd;
}

struct server *server_listen(struct mock *mock, const char *address, bool is_control, char bound[64], struct fault *why)
{
    int fd = open_listener(address, bound);
    if (fd < 0) {
        fault_set(why, FAULT_INTERNAL, "cannot listen on %s: %s (an IPv4 address and port is wanted)", address,
                  strerror(errno));
        return NULL;
    }
    struct server *s = mem_zalloc(1, sizeof *s);
    s->mock = mock;
    s->fd = fd;
    s->is_control = is_control;
    s->readable = event_new(mock->base, fd, EV_READ | EV_PERSIST, on_acceptable, s);
    event_add(s->readable, NULL);
    return s;
}

void server_free(struct server *s)
{
    if (!s) return;
    event_free(s->readable);
    close(s->fd);
    mem_free(s);
}
