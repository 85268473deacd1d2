/*
 * The bench's streaming client: holds many SSE streams open at once and counts events for a while.
 *
 *     build/bench/streams PORT STREAMS SECONDS KEY     # the key may be "-"
 *     open 1000                                        # every stream has had its first event
 *     start                                            # now counting
 *     end {"events":20012,"seconds":1.0,"lost":0,"p50_us":180,"p99_us":1400}
 *
 * After each of the first two lines it waits for a line on stdin, so that whoever measures can look at the processes
 * in between. Latency is the time between an event's stamp (tests/bench/upstream.c) and its arrival here.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
#define SAMPLES_MAX (1 << 21)

static const char MARK[] = "\"stamp\":\"";
enum { MARK_LEN = sizeof MARK - 1, STAMP_LEN = 20 };

struct stream {
    int fd;
    bool is_open;                    /* has had an event */
    char tail[MARK_LEN + STAMP_LEN]; /* the end of the last read, where a stamp may be cut */
    size_t tail_len;
};

static struct stream *streams;
static unsigned stream_count, opened, lost;
static bool is_counting;
static uint32_t *samples;
static size_t sample_count, event_count;
static char request[1024];
static size_t request_len;

static void count_event(struct stream *s, const char *stamp)
{
    if (!s->is_open) {
        s->is_open = true;
        opened++;
    }
    if (!is_counting) return;
    event_count++;
    uint64_t sent = strtoull(stamp, NULL, 10), now = clock_mono_ns();
    if (sample_count < SAMPLES_MAX) samples[sample_count++] = (uint32_t)((now - sent) / 1000);
}

static void take(struct stream *s, char *bytes, size_t len)
{
    char *at = bytes, *end = bytes + len, *found;
    while ((found = memmem(at, (size_t)(end - at), MARK, MARK_LEN))) {
        if (end - found < MARK_LEN + STAMP_LEN) break;
        at = found + MARK_LEN + STAMP_LEN;
        count_event(s, found + MARK_LEN);
    }
    size_t keep = (size_t)(end - at);
    if (keep > sizeof s->tail - 1) keep = sizeof s->tail - 1;
    memcpy(s->tail, end - keep, keep);
    s->tail_len = keep;
}

static void on_readable(struct stream *s)
{
    static char in[65536 + 1];
    memcpy(in, s->tail, s->tail_len);
    ssize_t got = recv(s->fd, in + s->tail_len, sizeof in - 1 - s->tail_len, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        close(s->fd);
        s->fd = -1;
        lost++;
        return;
    }
    in[s->tail_len + (size_t)got] = '\0';
    take(s, in, s->tail_len + (size_t)got);
}

static void stream_open(struct stream *s, int poller, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(s->fd, (struct sockaddr *)&a, sizeof a) ||
        send(s->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len) {
        perror("streams");
        exit(1);
    }
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
    epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &e);
}

static void turn(int poller, int timeout_ms)
{
    struct epoll_event batch[256];
    int n = epoll_wait(poller, batch, 256, timeout_ms);
    for (int i = 0; i < n; i++)
        if (((struct stream *)batch[i].data.ptr)->fd >= 0) on_readable(batch[i].data.ptr);
}

/* Prints the line, then keeps reading streams until a line comes on stdin. */
static void say_and_wait(int poller, const char *line)
{
    puts(line);
    fflush(stdout);
    struct stream in = {.fd = 0};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &in}, batch[64];
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &e);
    for (bool is_waiting = true; is_waiting;) {
        int n = epoll_wait(poller, batch, 64, -1);
        for (int i = 0; i < n; i++) {
            struct stream *s = batch[i].data.ptr;
            char answer[64];
            if (s == &in)
                is_waiting = read(0, answer, sizeof answer) <= 0 ? (exit(1), false) : false;
            else if (s->fd >= 0)
                on_readable(s);
        }
    }
    epoll_ctl(poller, EPOLL_CTL_DEL, 0, NULL);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void make_request(unsigned port, const char *key)
{
    static const char body[] =
        "{\"model\":\"auto\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
        "\"Say something long, one word at a time.\"}]}";
    request_len = (size_t)snprintf(request, sizeof request,
                                   "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer "
                                   "%s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                                   port, key, sizeof body - 1, body);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: streams PORT STREAMS SECONDS KEY\n", stderr);
        return 2;
    }
    unsigned port = (unsigned)strtoul(argv[1], NULL, 10), wanted = (unsigned)strtoul(argv[2], NULL, 10);
    double seconds = strtod(argv[3], NULL);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    make_request(port, argv[4]);
    streams = mem_zalloc(wanted, sizeof *streams);
    samples = mem_alloc(SAMPLES_MAX * sizeof *samples);

    int poller = epoll_create1(0);
    uint64_t deadline = clock_mono_ns() + 20000000000u;
    while (opened < wanted && clock_mono_ns() < deadline && lost == 0) {
        while (stream_count < wanted && stream_count - opened < CONNECTING_MAX)
            stream_open(&streams[stream_count++], poller, port);
        turn(poller, 10);
    }
    char line[128];
    snprintf(line, sizeof line, "open %u", opened);
    say_and_wait(poller, line);
    say_and_wait(poller, "start");
    is_counting = true;
    uint64_t began = clock_mono_ns(), end = began + (uint64_t)(seconds * 1e9);
    while (clock_mono_ns() < end)
        turn(poller, 10);
    double took = (double)(clock_mono_ns() - began) / 1e9;
    qsort(samples, sample_count, sizeof *samples, by_size);
    printf("end {\"events\":%zu,\"seconds\":%.3f,\"lost\":%u,\"p50_us\":%u,\"p99_us\":%u}\n", event_count, took, lost,
           sample_count ? samples[sample_count / 2] : 0, sample_count ? samples[sample_count * 99 / 100] : 0);
    fflush(stdout);
    mem_free(samples);
    mem_free(streams);
    return 0;
}
