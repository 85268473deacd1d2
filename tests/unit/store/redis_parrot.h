/*
 * A Redis that answers three scripts at once, with what it was told to, and then nothing more.
 *
 *     struct parrot p = start_parrot(SLICE(HELD("1") NOTHING_DONE HELD("2")));
 *     c = counters_redis_new(loop, p.url, 7, &events, NULL, &why);
 *     end_parrot(&p);
 */
#ifndef MOONGATE_TESTS_REDIS_PARROT_H
#define MOONGATE_TESTS_REDIS_PARROT_H

#include "../redis_kit.h"
#include "base/buf.h"
#include "base/slice.h"
#include "store/counters/script.h"

#define NULS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define HELD(code) "*2\r\n:" code "\r\n$28\r\n" NULS "0 0 \r\n"
#define NOTHING_DONE "-BUSY Redis is busy running a script.\r\n"

static inline size_t count_asked(struct buf *heard)
{
    size_t count = 0;
    const char *end = buf_ptr(heard) + buf_len(heard);
    for (const char *at = buf_ptr(heard); (at = memmem(at, (size_t)(end - at), "EVALSHA", 7)); at++)
        count++;
    return count;
}

/* What a client of the counters asks first. */
static inline bool greet(int fd)
{
    struct buf said;
    buf_init(&said);
    buf_append(&said, SLICE("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"));
    for (int i = 0; i < COUNTERS_SCRIPTS; i++)
        buf_append(&said, SLICE("+loaded\r\n"));
    buf_append(&said, SLICE("*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n$0\r\n\r\n+PONG\r\n"));
    bool is_good = write(fd, buf_ptr(&said), buf_len(&said)) > 0;
    buf_clear(&said);
    return is_good;
}

/* It answers three questions at once, and no more. */
static inline void say_to(int fd, struct slice answers)
{
    static char bytes[65536];
    struct buf heard;
    buf_init(&heard);
    for (ssize_t n, told = 0; (n = read(fd, bytes, sizeof bytes)) > 0;) {
        buf_append(&heard, slice_of(bytes, (size_t)n));
        if (told == 0 && greet(fd)) told = 1;
        if (told == 1 && count_asked(&heard) >= 3 && write(fd, answers.ptr, answers.len) > 0) told = 2;
    }
    _exit(0);
}

struct parrot {
    pid_t pid;
    char dir[32], url[64];
};

static inline struct parrot start_parrot(struct slice answers)
{
    struct parrot p = {.dir = "/tmp/moongate-redis-XXXXXX"};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (!mkdtemp(p.dir)) abort();
    snprintf(a.sun_path, sizeof a.sun_path, "%s/redis.sock", p.dir);
    snprintf(p.url, sizeof p.url, "unix://%s/redis.sock", p.dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 1) != 0) abort();
    p.pid = fork();
    if (p.pid == 0) say_to(accept(fd, NULL, NULL), answers);
    close(fd);
    return p;
}

static inline void end_parrot(struct parrot *p)
{
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    nftw(p->dir, redis_server_remove, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
