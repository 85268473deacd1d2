/*
 * The bench's crowd: clients of streams that never end, of which some read as fast as they can and some nothing at all.
 *
 *     build/bench/crowd PORT READERS SLEEPERS KEY MOCK      # MOCK: what the mock is asked for, "endless=1&event_bytes=4000"
 *     open 2000                                             # every reader has had bytes, every sleeper was sent
 *     end {"bytes":123456789,"lost":0}                      # behind a line on stdin: what readers got since "open"
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

#define CONNECTING_MAX 50
#define SLEEPER_BUFFER 4096 /* what such a client's kernel takes by itself */

struct member {
    int fd;
    bool has_read;
};

static struct member *readers, *sleepers;
static unsigned reader_count, sleeper_count, open_readers, lost;
static uint64_t byte_count;
static char request[2048];
static size_t request_len;
static unsigned port;

static void on_readable(struct member *m)
{
    static char in[256 * 1024];
    ssize_t got = recv(m->fd, in, sizeof in, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        close(m->fd);
        m->fd = -1;
        lost++;
        return;
    }
    if (!m->has_read) open_readers++;
    m->has_read = true;
    byte_count += (uint64_t)got;
}

static void join(struct member *m, int buffer)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    m->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (buffer) setsockopt(m->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (connect(m->fd, (struct sockaddr *)&a, sizeof a) ||
        send(m->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len) {
        perror("crowd");
        exit(1);
    }
}

static void turn(int poller, int timeout_ms)
{
    struct epoll_event batch[256];
    int n = epoll_wait(poller, batch, 256, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct member *m = batch[i].data.ptr;
        if (!m) exit(1); /* nobody measures any more */
        if (m->fd >= 0) on_readable(m);
    }
}

static void join_readers(int poller)
{
    unsigned asked = 0;
    uint64_t deadline = clock_mono_ns() + 60 * NS_PER_S;
    while (open_readers < reader_count && lost == 0 && clock_mono_ns() < deadline) {
        while (asked < reader_count && asked - open_readers < CONNECTING_MAX) {
            struct member *m = &readers[asked++];
            struct epoll_event e = {.events = EPOLLIN, .data.ptr = m};
            join(m, 0);
            epoll_ctl(poller, EPOLL_CTL_ADD, m->fd, &e);
        }
        turn(poller, 10);
    }
}

/* Reads on until a line comes on stdin. */
static void read_on(int poller)
{
    struct member in = {.fd = 0};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &in}, batch[64];
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &e);
    for (;;) {
        int n = epoll_wait(poller, batch, 64, -1);
        for (int i = 0; i < n; i++) {
            struct member *m = batch[i].data.ptr;
            if (m == &in) return;
            if (m->fd >= 0) on_readable(m);
        }
    }
}

static void make_request(const char *key, const char *mock)
{
    char body[1024];
    int len = snprintf(body, sizeof body,
                       "{\"model\":\"auto\",\"stream\":true,\"metadata\":{\"mock\":\"%s\"},\"messages\":[{\"role\":\"user\","
                       "\"content\":\"Go on for ever.\"}]}",
                       mock);
    request_len = (size_t)snprintf(request, sizeof request,
                                   "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer "
                                   "%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                                   port, key, len, body);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("usage: crowd PORT READERS SLEEPERS KEY MOCK\n", stderr);
        return 2;
    }
    port = (unsigned)strtoul(argv[1], NULL, 10);
    reader_count = (unsigned)strtoul(argv[2], NULL, 10);
    sleeper_count = (unsigned)strtoul(argv[3], NULL, 10);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    make_request(argv[4], argv[5]);
    readers = mem_zalloc(reader_count + 1, sizeof *readers);
    sleepers = mem_zalloc(sleeper_count + 1, sizeof *sleepers);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < sleeper_count; i++)
        join(&sleepers[i], SLEEPER_BUFFER);
    join_readers(poller);
    printf("open %u\n", open_readers + sleeper_count);
    fflush(stdout);
    uint64_t before = byte_count;
    read_on(poller);
    printf("end {\"bytes\":%llu,\"lost\":%u}\n", (unsigned long long)(byte_count - before), lost);
    fflush(stdout);
    return 0;
}
