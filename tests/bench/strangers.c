/*
 * The bench's unwelcome clients: many connections that send as much as is taken of them, or as little as they can.
 *
 *     build/bench/strangers PORT 3000 bodies         # a head without a key, Content-Length 32 MB, then blanks
 *     build/bench/strangers PORT 3000 heads          # a head that gets one byte longer each second
 *     build/bench/strangers PORT 100 keyed KEY       # as bodies, with a key: all but the last byte
 *     open 3000                                      # each has sent what was taken in its first second
 *     end {"opened":4200,"refused":1200,"sent":3145728000}
 *
 * Who is closed comes again within COME_AGAIN_MS, each after a time of its own, so that there is never a pause. After the first line it goes on until a line comes on stdin.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define BODY_BYTES (32u << 20)
#define PIECE_BYTES (64u << 10)
/* More often, and the client that is measured waits for its own core and not for the gateway. */
#define COME_AGAIN_MS 20000u
#define BYTE_MS 1000u

struct stranger {
    int fd;
    size_t sent; /* of the body */
    uint64_t due_ns; /* when it comes again, or sends its next byte */
};

static struct stranger *strangers;
static unsigned count;
static struct sockaddr_in where;
static char head[512];
static size_t head_len;
static bool has_bodies;
static int poller;
static uint64_t opened, refused, sent;

static void leave(struct stranger *s)
{
    close(s->fd);
    s->fd = -1;
    refused++;
    s->due_ns = clock_mono_ns() + (uint64_t)rand() % COME_AGAIN_MS * NS_PER_MS;
}

static void come(struct stranger *s)
{
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    s->sent = 0;
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&where, sizeof where)) {
        perror("strangers");
        exit(1);
    }
    opened++;
    if (send(s->fd, head, head_len, MSG_NOSIGNAL) != (ssize_t)head_len) leave(s);
    if (s->fd < 0) return;
    struct epoll_event e = {.events = EPOLLIN | (has_bodies ? EPOLLOUT | EPOLLET : 0u), .data.ptr = s};
    epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &e);
    s->due_ns = clock_mono_ns() + BYTE_MS * NS_PER_MS;
}

static void push(struct stranger *s)
{
    static char blanks[PIECE_BYTES];
    memset(blanks, ' ', sizeof blanks);
    while (s->fd >= 0 && s->sent < BODY_BYTES - 1) {
        size_t left = BODY_BYTES - 1 - s->sent;
        ssize_t n = send(s->fd, blanks, left < sizeof blanks ? left : sizeof blanks, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) {
            leave(s);
            return;
        }
        s->sent += (size_t)n;
        sent += (uint64_t)n;
    }
}

/* An answer is no reason to stop sending; an end is. */
static void hear(struct stranger *s)
{
    char in[4096];
    ssize_t n;
    while ((n = recv(s->fd, in, sizeof in, MSG_DONTWAIT)) > 0)
        ;
    if (n == 0 && has_bodies) return;
    if (n == 0 || errno != EAGAIN) leave(s);
}

static void do_what_is_due(struct stranger *s, uint64_t now)
{
    if (now < s->due_ns) return;
    if (s->fd < 0) {
        come(s);
    } else if (!has_bodies) {
        s->due_ns = now + BYTE_MS * NS_PER_MS;
        if (send(s->fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) leave(s);
    }
}

/* False: a line has come on stdin. */
static bool turn(void)
{
    struct epoll_event batch[256];
    int n = epoll_wait(poller, batch, 256, 20);
    bool goes_on = true;
    for (int i = 0; i < n; i++) {
        struct stranger *s = batch[i].data.ptr;
        if (!s) goes_on = false;
        if (s && s->fd >= 0 && batch[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) hear(s);
        if (s && s->fd >= 0 && batch[i].events & EPOLLOUT) push(s);
    }
    uint64_t now = clock_mono_ns();
    for (unsigned i = 0; i < count; i++)
        do_what_is_due(&strangers[i], now);
    return goes_on;
}

static void write_head(const char *kind, const char *key)
{
    has_bodies = strcmp(kind, "heads") != 0;
    head_len = (size_t)snprintf(head, sizeof head, "POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\n%s%s%s",
                                key ? "Authorization: Bearer " : "", key ? key : "", key ? "\r\n" : "");
    if (has_bodies)
        head_len += (size_t)snprintf(head + head_len, sizeof head - head_len,
                                     "Content-Type: application/json\r\nContent-Length: %u\r\n\r\n", BODY_BYTES);
    else
        head_len += (size_t)snprintf(head + head_len, sizeof head - head_len, "X-A: ");
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (argc < 4 || argc > 5) return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    where = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10))};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    count = (unsigned)strtoul(argv[2], NULL, 10);
    write_head(argv[3], argc == 5 ? argv[4] : NULL);
    poller = epoll_create1(EPOLL_CLOEXEC);
    strangers = mem_zalloc(count, sizeof *strangers);
    for (unsigned i = 0; i < count; i++)
        come(&strangers[i]);
    uint64_t until = clock_mono_ns() + NS_PER_S;
    while (clock_mono_ns() < until)
        turn();
    printf("open %u\n", count);
    fflush(stdout);
    struct epoll_event e = {.events = EPOLLIN};
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &e);
    while (turn())
        ;
    printf("end {\"opened\":%llu,\"refused\":%llu,\"sent\":%llu}\n", (unsigned long long)opened,
           (unsigned long long)refused, (unsigned long long)sent);
    return 0;
}
