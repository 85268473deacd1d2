#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/slice.h"

#define HOST_BYTES 64
#define EXAMPLES "write for example 127.0.0.1:8090, 0.0.0.0:8090 or [::1]:8090"

struct listener {
    struct loop *loop;
    int fd;
    int reserve_fd; /* given up for a moment to accept and close what else could not be had */
    listener_accept_fn on_accept;
    void *arg;
    struct loop_watch watch;
    struct loop_timer pause;
    uint64_t dropped;
    bool is_freed, is_exhausted;
};

/* ---- Addresses */

/* "host:port" or "[host]:port", cut apart. */
static bool split_address(const char *text, char host[HOST_BYTES], struct slice *port, struct fault *why)
{
    bool is_bracketed = text[0] == '[';
    const char *colon = strrchr(text, ':');
    const char *end = is_bracketed ? strchr(text, ']') : colon;
    if (!colon || !end || (is_bracketed && end + 1 != colon))
        return fault_set(why, FAULT_INTERNAL, "listen address \"%s\" is not \"host:port\"; " EXAMPLES, text);
    struct slice name = slice_of(text + is_bracketed, (size_t)(end - text) - is_bracketed);
    if (!is_bracketed && memchr(name.ptr, ':', name.len))
        return fault_set(why, FAULT_INTERNAL, "listen address \"%s\": an IPv6 address goes into brackets; " EXAMPLES,
                         text);
    if (name.len == 0 || name.len >= HOST_BYTES)
        return fault_set(why, FAULT_INTERNAL, "listen address \"%s\" has no usable host; " EXAMPLES, text);
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    *port = slice_str(colon + 1);
    return true;
}

bool listener_parse(const char *text, struct listener_address *address, struct fault *why)
{
    char host[HOST_BYTES];
    struct slice port_text;
    uint64_t port;
    memset(address, 0, sizeof *address);
    if (!split_address(text, host, &port_text, why)) return false;
    if (!slice_to_u64(port_text, &port) || port > 65535)
        return fault_set(why, FAULT_INTERNAL, "listen address \"%s\": the port is a number from 0 to 65535", text);
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address->where;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->where;
    const char *name = strcmp(host, "localhost") == 0 ? "127.0.0.1" : strcmp(host, "*") == 0 ? "::" : host;
    if (text[0] != '[' && inet_pton(AF_INET, name, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        address->len = sizeof *v4;
        return true;
    }
    if ((text[0] == '[' || text[0] == '*') && inet_pton(AF_INET6, name, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        address->len = sizeof *v6;
        return true;
    }
    return fault_set(why, FAULT_INTERNAL, "listen address \"%s\": \"%s\" is not an IP address; " EXAMPLES, text, host);
}

void listener_format(const struct sockaddr *where, char text[LISTENER_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (where->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)where;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(text, LISTENER_TEXT_BYTES, "%s:%u", host, ntohs(v4->sin_port));
    } else if (where->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)where;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        /* A client that came by IPv4 to a socket for both is shown as what it is. */
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            snprintf(text, LISTENER_TEXT_BYTES, "%s:%u", host + sizeof "::ffff:" - 1, ntohs(v6->sin6_port));
        else
            snprintf(text, LISTENER_TEXT_BYTES, "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        snprintf(text, LISTENER_TEXT_BYTES, "unix");
    }
}

/* ---- Opening */

static bool say_why(const struct listener_address *address, const char *what, struct fault *why)
{
    char text[LISTENER_TEXT_BYTES];
    int error = errno;
    const char *cure = error == EADDRINUSE      ? ": another program listens there; stop it or choose another port"
                       : error == EACCES        ? ": ports under 1024 need CAP_NET_BIND_SERVICE; choose a higher one"
                       : error == EADDRNOTAVAIL ? ": this machine has no such address"
                                                : "";
    listener_format((const struct sockaddr *)&address->where, text);
    return fault_set(why, FAULT_INTERNAL, "%s: cannot %s: %s%s", text, what, strerror(error), cure);
}

static bool set_flag(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static int bound_socket(const struct listener_address *address, bool is_shared, struct fault *why)
{
    int fd = socket(address->where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return say_why(address, "make a socket", why), -1;
    /* [::] takes IPv4 too, whatever the machine's bindv6only says. */
    bool ok = set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (ok && address->where.ss_family == AF_INET6) ok = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (ok && is_shared) ok = set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1) && set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    /* Of clients that read nothing the kernel would keep some megabytes each. Connections have it from here. */
    if (ok && is_shared) set_flag(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, LIMIT_OUTPUT_KERNEL_BYTES);
    if (ok && bind(fd, (const struct sockaddr *)&address->where, address->len) == 0) return fd;
    say_why(address, "listen", why);
    close(fd);
    return -1;
}

/* Without SO_REUSEPORT a bind fails when any socket listens there, even one that would share. SO_REUSEADDR keeps the
 * remains of closed connections out of it. */
bool listener_probe(const struct listener_address *address, struct fault *why)
{
    int fd = bound_socket(address, false, why);
    if (fd < 0) return false;
    close(fd);
    return true;
}

int listener_open(const struct listener_address *address, struct fault *why)
{
    int fd = bound_socket(address, true, why);
    if (fd < 0) return -1;
    if (listen(fd, LISTENER_BACKLOG) == 0) return fd;
    say_why(address, "listen", why);
    close(fd);
    return -1;
}

int listener_port(int fd)
{
    struct sockaddr_storage where;
    socklen_t len = sizeof where;
    if (getsockname(fd, (struct sockaddr *)&where, &len) != 0) return -1;
    if (where.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&where)->sin_port);
    if (where.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&where)->sin6_port);
    return -1;
}

/* ---- Accepting */

static int open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_pause_end(void *arg)
{
    struct listener *l = arg;
    loop_watch_set(&l->watch, LOOP_READ | LOOP_URGENT);
}

/* No descriptor is left: the client that waits longest is turned away with the reserve, then others get time to end. */
static void turn_one_away(struct listener *l)
{
    if (!l->is_exhausted)
        log_event(LOG_WARN, "descriptors_exhausted", "connections are being refused: %s", strerror(errno));
    l->is_exhausted = true;
    if (l->reserve_fd >= 0) {
        close(l->reserve_fd);
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            l->dropped++;
            close(fd);
        }
    }
    l->reserve_fd = open_reserve();
    loop_watch_set(&l->watch, 0);
    loop_timer_arm_ms(&l->pause, LISTENER_PAUSE_MS);
}

static bool is_exhaustion(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_ready(void *arg, unsigned ready)
{
    struct listener *l = arg;
    (void)ready;
    for (int i = 0; i < LISTENER_BATCH && !l->is_freed; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof peer;
        int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            l->is_exhausted = false;
            l->on_accept(l->arg, fd, (const struct sockaddr *)&peer);
        } else if (is_exhaustion(errno)) {
            turn_one_away(l);
            return;
        } else if (errno == EAGAIN || errno == EINVAL || errno == EBADF) {
            return;
        }
        /* Any other error belongs to one connection that died in the queue (accept(2)): on to the next. */
    }
}

struct listener *listener_new(struct loop *loop, int fd, listener_accept_fn on_accept, void *arg)
{
    struct listener *l = mem_zalloc(1, sizeof *l);
    l->loop = loop;
    l->fd = fd;
    l->on_accept = on_accept;
    l->arg = arg;
    l->reserve_fd = open_reserve();
    loop_watch_init(&l->watch, loop, fd, on_ready, l);
    loop_timer_init(&l->pause, loop, on_pause_end, l);
    loop_watch_set(&l->watch, LOOP_READ | LOOP_URGENT);
    return l;
}

void listener_free(struct listener *l)
{
    if (!l || l->is_freed) return;
    l->is_freed = true;
    loop_watch_set(&l->watch, 0);
    loop_timer_disarm(&l->pause);
    if (l->reserve_fd >= 0) close(l->reserve_fd);
    loop_defer(l->loop, mem_free, l);
}

uint64_t listener_dropped(const struct listener *l)
{
    return l->dropped;
}
