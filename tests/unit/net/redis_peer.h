/*
 * A peer that says one text to everybody, and then something else for ever, or nothing. For test_redis_*.c.
 *
 *     struct peer p = start_peer(GREETING ":1\r\n", NULL);      // what a client without scripts asks first, and more
 *     client_open(&c, p.url);  …
 *     end_peer(&p);
 */
#ifndef MOONGATE_TESTS_REDIS_PEER_H
#define MOONGATE_TESTS_REDIS_PEER_H

#include "redis_client.h"

#define GREETING                                                                                                       \
    "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n" /* ROLE */                                                                    \
    "*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n"                                                           \
    "$0\r\n\r\n" /* INFO */                                                                                            \
    "+PONG\r\n"

struct peer {
    char dir[32], url[64];
    pid_t pid;
};

static inline bool say(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n <= 0) return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static inline void serve_one(int fd, const char *first, const char *then)
{
    char ignored[4096], piece[8192];
    size_t each = then ? strlen(then) : 0, len = 0;
    if (read(fd, ignored, sizeof ignored) <= 0 || !say(fd, first, strlen(first))) return;
    for (; each && len + each <= sizeof piece; len += each)
        memcpy(piece + len, then, each);
    while (each && say(fd, piece, len))
        continue;
    while (!each && read(fd, ignored, sizeof ignored) > 0)
        continue;
}

/* A byte of a reply now and then. */
static inline void serve_drops(int fd, const char *first, const char *then)
{
    char ignored[4096];
    (void)then;
    if (read(fd, ignored, sizeof ignored) <= 0 || !say(fd, first, strlen(first))) return;
    while (say(fd, "x", 1))
        usleep(200000);
}

static inline void serve_and_end(int fd, const char *first, const char *then)
{
    char ignored[4096];
    (void)then;
    if (read(fd, ignored, sizeof ignored) > 0) say(fd, first, strlen(first));
}

static inline struct peer start_peer_by(void (*serve)(int fd, const char *first, const char *then), const char *first,
                                        const char *then)
{
    struct peer p = {.dir = "/tmp/moongate-redis-XXXXXX"};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (!mkdtemp(p.dir)) abort();
    snprintf(a.sun_path, sizeof a.sun_path, "%s/redis.sock", p.dir);
    snprintf(p.url, sizeof p.url, "unix://%s/redis.sock", p.dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 8) != 0) abort();
    p.pid = fork();
    while (p.pid == 0) {
        int client = accept(fd, NULL, NULL);
        if (client < 0) _exit(0);
        serve(client, first, then);
        close(client);
    }
    close(fd);
    return p;
}

static inline struct peer start_peer(const char *first, const char *then)
{
    return start_peer_by(serve_one, first, then);
}

static inline void end_peer(struct peer *p)
{
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    nftw(p->dir, redis_server_remove, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
