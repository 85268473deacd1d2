/*
 * The bench's provider: raw epoll, no parsing beyond the frame, so that the proxies in front of it are what is
 * measured.
 *
 *     build/bench/upstream --rate 20 --events 400      # prints "listening on 127.0.0.1:PORT"
 *
 * Reads the whole request, then answers a fixed chat.completion of about 570 bytes; a body that says "stream":true gets
 * `events` SSE chunks of about 275 bytes, `rate` a second, each carrying CLOCK_MONOTONIC in nanoseconds
 * ("stamp":"0000…"), then a usage chunk and [DONE]. Requests must carry Content-Length. Ends on TERM.
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
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define IN_BYTES (128 * 1024)
#define SLOTS_MAX 1000 /* one a millisecond: streams of one slot send together */

struct stream {
    struct stream *next, **prev;
    int fd;
    unsigned sent;
    size_t len; /* bytes of the request that have come */
    char *in;
};

static struct stream *slots[SLOTS_MAX];
static unsigned slot_count = 50, slot_now, slot_next, events_per_stream = 400;
static char answer[1024];
static size_t answer_len;

static void make_answer(void)
{
    static const char body[] =
        "{\"id\":\"chatcmpl-BenchBenchBenchBenchBench01\",\"object\":\"chat.completion\",\"created\":1700000000,"
        "\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
        "\"The quick brown fox jumps over the lazy dog, and then it does so again because the bench asked for a reply "
        "of "
        "ordinary length.\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{"
        "\"prompt_tokens\":52,\"completion_tokens\":22,\"total_tokens\":74,\"prompt_tokens_details\":{"
        "\"cached_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0}},\"system_fingerprint\":\"fp_0\"}";
    answer_len = (size_t)snprintf(answer, sizeof answer,
                                  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                                  sizeof body - 1, body);
}

static void slot_leave(struct stream *s)
{
    if (!s->prev) return;
    *s->prev = s->next;
    if (s->next) s->next->prev = s->prev;
    s->prev = NULL;
}

static void slot_enter(struct stream *s)
{
    struct stream **head = &slots[slot_next++ % slot_count];
    s->next = *head;
    s->prev = head;
    if (s->next) s->next->prev = &s->next;
    *head = s;
    s->sent = 0;
}

static void stream_free(struct stream *s)
{
    slot_leave(s);
    close(s->fd);
    mem_free(s->in);
    mem_free(s);
}

/* A peer that does not take a few hundred bytes has fallen far behind: it is dropped, which the client counts. */
static bool stream_send(struct stream *s, const char *bytes, size_t len)
{
    return send(s->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool send_chunk(struct stream *s)
{
    char event[512], chunk[640];
    int len;
    if (s->sent < events_per_stream) {
        len = snprintf(event, sizeof event,
                       "data: {\"id\":\"chatcmpl-BenchBenchBenchBenchBench01\",\"object\":\"chat.completion.chunk\","
                       "\"created\":1700000000,\"model\":\"bench-model\",\"service_tier\":\"default\","
                       "\"system_fingerprint\":\"fp_0\",\"stamp\":\"%020llu\",\"choices\":[{\"index\":0,\"delta\":{"
                       "\"content\":\" lazy\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
                       (unsigned long long)clock_mono_ns());
    } else {
        len =
            snprintf(event, sizeof event,
                     "data: {\"id\":\"chatcmpl-BenchBenchBenchBenchBench01\",\"object\":\"chat.completion.chunk\","
                     "\"created\":1700000000,\"model\":\"bench-model\",\"choices\":[],\"usage\":{\"prompt_tokens\":52,"
                     "\"completion_tokens\":%u,\"total_tokens\":%u}}\n\ndata: [DONE]\n\n",
                     events_per_stream, events_per_stream + 52);
    }
    bool is_last = s->sent++ == events_per_stream;
    int total = snprintf(chunk, sizeof chunk, "%x\r\n%s\r\n%s", (unsigned)len, event, is_last ? "0\r\n\r\n" : "");
    if (is_last) slot_leave(s);
    return stream_send(s, chunk, (size_t)total);
}

/* The length of head and body once the head is there, else 0. */
static size_t request_len(const struct stream *s)
{
    const char *end = memmem(s->in, s->len, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end - s->in) + 4, body = 0;
    for (const char *line = s->in; line && line < end; line = memchr(line, '\n', (size_t)(end - line))) {
        if (*line == '\n') line++;
        if (strncasecmp(line, "content-length:", 15) == 0) body = strtoul(line + 15, NULL, 10);
    }
    return head + body;
}

static bool stream_answer(struct stream *s, size_t request)
{
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    bool is_stream = memmem(s->in, request, "\"stream\":true", 13) || memmem(s->in, request, "\"stream\": true", 14);
    s->len -= request;
    memmove(s->in, s->in + request, s->len);
    if (!is_stream) return stream_send(s, answer, answer_len);
    slot_enter(s);
    return stream_send(s, head, sizeof head - 1) && send_chunk(s);
}

static void on_readable(struct stream *s)
{
    ssize_t got = recv(s->fd, s->in + s->len, IN_BYTES - s->len, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        stream_free(s);
        return;
    }
    s->len += (size_t)got;
    for (size_t request; (request = request_len(s)) && request <= s->len;) {
        if (!stream_answer(s, request)) {
            stream_free(s);
            return;
        }
    }
}

static void on_tick(int timer)
{
    uint64_t ticks;
    if (read(timer, &ticks, sizeof ticks) != sizeof ticks) return;
    if (ticks > slot_count) ticks = slot_count;
    for (; ticks; ticks--) {
        struct stream *next, *s = slots[slot_now++ % slot_count];
        for (; s; s = next) {
            next = s->next;
            if (!send_chunk(s)) stream_free(s);
        }
    }
}

static void on_connect(int poller, int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct stream *s = mem_zalloc(1, sizeof *s);
        s->fd = fd;
        s->in = mem_alloc(IN_BYTES);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
    }
}

static int listen_on_any_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)&a, &len)) {
        perror("upstream");
        exit(1);
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        unsigned value = (unsigned)strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--rate") == 0 && value > 0 && value <= 1000) slot_count = 1000 / value;
        if (strcmp(argv[i], "--events") == 0) events_per_stream = value;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    make_answer();

    int poller = epoll_create1(0), listener = listen_on_any_port(),
        timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec every = {{0, 1000000}, {0, 1000000}};
    timerfd_settime(timer, 0, &every, NULL);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &listener}, batch[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
    e.data.ptr = &timer;
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &e);
    for (;;) {
        int n = epoll_wait(poller, batch, 256, -1);
        bool has_tick = false; /* last: a tick may free a stream that the batch still names */
        for (int i = 0; i < n; i++) {
            if (batch[i].data.ptr == &listener)
                on_connect(poller, listener);
            else if (batch[i].data.ptr == &timer)
                has_tick = true;
            else
                on_readable(batch[i].data.ptr);
        }
        if (has_tick) on_tick(timer);
    }
}
