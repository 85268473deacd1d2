/*
 * A proxy on a port of 127.0.0.1 before a Redis, which harms the first connection in the middle of a reply, and passes
 * on all that comes later. For test_redis_path.c.
 *
 *     struct proxy p = start_proxy(&server, PROXY_STALL, 3);   // once three bytes of MARK have been passed on
 *     client_open(&c, p.url);
 *     client_ask(&c, &got, 1000, "ECHO MARK-AND-MORE");
 *     end_proxy(&p);
 */
#ifndef MOONGATE_TESTS_REDIS_PROXY_H
#define MOONGATE_TESTS_REDIS_PROXY_H

#include <poll.h>
#include <sys/prctl.h>

#include "redis_client.h"

enum proxy_harm { PROXY_STALL, PROXY_END, PROXY_RESET };

struct proxy {
    char url[64];
    pid_t pid;
};

static inline int proxy_listen(unsigned port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 16) != 0) abort();
    return fd;
}

static inline int proxy_connect(const struct redis_server *server)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/redis.sock", server->dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) _exit(1);
    return fd;
}

static inline bool proxy_write(int fd, const char *bytes, size_t len)
{
    for (ssize_t n; len; bytes += n, len -= (size_t)n)
        if ((n = write(fd, bytes, len)) <= 0) return false;
    return true;
}

static inline void proxy_harm(int client, enum proxy_harm harm)
{
    struct linger none = {.l_onoff = 1};
    char ignored[4096];
    if (harm == PROXY_STALL)
        while (read(client, ignored, sizeof ignored) > 0)
            continue;
    if (harm == PROXY_RESET) setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(client);
    _exit(0);
}

/* In one direction; false: it is over. `marked`: so many bytes of MARK, then the harm; -1: none. */
static inline bool proxy_pass(int from, int to, int marked, enum proxy_harm harm)
{
    char bytes[65536];
    ssize_t n = read(from, bytes, sizeof bytes);
    if (n <= 0) return false;
    const char *mark = marked < 0 ? NULL : memmem(bytes, (size_t)n, "MARK", 4);
    if (!mark) return proxy_write(to, bytes, (size_t)n);
    proxy_write(to, bytes, (size_t)(mark - bytes) + (size_t)marked);
    proxy_harm(to, harm);
    return false;
}

static inline void proxy_serve(int client, const struct redis_server *server, int marked, enum proxy_harm harm)
{
    struct pollfd ends[] = {{client, POLLIN, 0}, {proxy_connect(server), POLLIN, 0}};
    for (bool goes_on = true; goes_on && poll(ends, 2, -1) > 0;) {
        if (ends[0].revents) goes_on = proxy_pass(client, ends[1].fd, -1, harm);
        if (goes_on && ends[1].revents) goes_on = proxy_pass(ends[1].fd, client, marked, harm);
    }
    _exit(0);
}

static inline struct proxy start_proxy(const struct redis_server *server, enum proxy_harm harm, int marked)
{
    struct proxy p;
    unsigned port = redis_free_port();
    int fd = proxy_listen(port);
    snprintf(p.url, sizeof p.url, "redis://127.0.0.1:%u", port);
    p.pid = fork();
    if (p.pid) {
        close(fd);
        return p;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    for (;; marked = -1) {
        int client = accept(fd, NULL, NULL);
        if (client < 0) _exit(1);
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            proxy_serve(client, server, marked, harm);
        }
        close(client);
    }
}

static inline void end_proxy(struct proxy *p)
{
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
}

#endif
