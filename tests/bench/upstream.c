/*
 * The bench's provider: raw epoll, no parsing beyond the frame, so that the proxies in front of it are what is
 * measured.
 *
 *     build/bench/upstream --rate 20 --events 400 --sound 0 --text FILE     # prints "listening on 127.0.0.1:PORT"
 *
 * Reads the whole request, then answers a fixed chat.completion of about 570 bytes; a body that says "stream":true gets
 * `events` SSE chunks of about 275 bytes, `rate` a second, each carrying CLOCK_MONOTONIC in nanoseconds
 * ("stamp":"0000…"), then a usage chunk and [DONE]. A chunk says one word, or what FILE holds, as JSON spells it, and may
 * have `sound` bytes of audio beside it, which is no text. Requests must carry Content-Length. Ends on TERM.
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

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#define IN_BYTES (64 * 1024) /* of a request, at first */
#define SMALL_CHUNK 4096 /* the kernel's own buffers hold many of them */
#define SLOTS_MAX 1000 /* one a millisecond: streams of one slot send together */

struct stream {
    struct stream *next, **prev;
    int fd;
    unsigned sent;
    size_t len, cap; /* bytes of the request that have come, and room */
    char *in;
};

static struct stream *slots[SLOTS_MAX];
static unsigned slot_count = 50, slot_now, slot_next, events_per_stream = 400;
static size_t sound_bytes;
static const char *text_path; /* NULL: a word */
static char answer[1024];
static size_t answer_len;
static struct buf chunk; /* an event, framed; its stamp is written anew each time */
static size_t stamp_at;

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

#define STAMP "00000000000000000000"

static void append_text(struct buf *to)
{
    FILE *file = text_path ? fopen(text_path, "rb") : NULL;
    size_t got;
    if (text_path && !file) {
        perror(text_path);
        exit(1);
    }
    while (file && (got = fread(buf_reserve(to, 65536), 1, 65536, file)) > 0)
        buf_grew(to, got);
    if (file) fclose(file);
    else buf_append(to, SLICE(" lazy"));
}

static void append_sound(struct buf *to)
{
    static const char base64[] = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA";
    buf_append(to, SLICE(",\"audio\":{\"id\":\"audio_0\",\"data\":\""));
    for (size_t i = 0; i < sound_bytes; i++)
        buf_append_char(to, base64[i % (sizeof base64 - 1)]);
    buf_append(to, SLICE("\"}"));
}

static void make_chunk(void)
{
    struct buf event;
    buf_init(&event);
    buf_printf(&event, "data: {\"id\":\"chatcmpl-BenchBenchBenchBenchBench01\",\"object\":\"chat.completion.chunk\","
                       "\"created\":1700000000,\"model\":\"bench-model\",\"service_tier\":\"default\","
                       "\"system_fingerprint\":\"fp_0\",\"stamp\":\"" STAMP "\",\"choices\":[{\"index\":0,\"delta\":{"
                       "\"content\":\"");
    append_text(&event);
    buf_append(&event, SLICE("\""));
    if (sound_bytes) append_sound(&event);
    buf_append(&event, SLICE("},\"logprobs\":null,\"finish_reason\":null}]}\n\n"));
    buf_init(&chunk);
    buf_printf(&chunk, "%zx\r\n", buf_len(&event));
    buf_append(&chunk, buf_slice(&event));
    buf_append(&chunk, SLICE("\r\n"));
    buf_clear(&event);
    stamp_at = (size_t)((char *)memmem(buf_ptr(&chunk), buf_len(&chunk), STAMP, sizeof STAMP - 1) - buf_ptr(&chunk));
}

static bool send_event(struct stream *s)
{
    char stamp[sizeof STAMP];
    snprintf(stamp, sizeof stamp, "%020llu", (unsigned long long)clock_mono_ns());
    memcpy(buf_ptr(&chunk) + stamp_at, stamp, sizeof stamp - 1);
    return stream_send(s, buf_ptr(&chunk), buf_len(&chunk));
}

static bool send_last(struct stream *s)
{
    char event[512], framed[640];
    int len = snprintf(event, sizeof event,
                       "data: {\"id\":\"chatcmpl-BenchBenchBenchBenchBench01\",\"object\":\"chat.completion.chunk\","
                       "\"created\":1700000000,\"model\":\"bench-model\",\"choices\":[],\"usage\":{\"prompt_tokens\":52,"
                       "\"completion_tokens\":%u,\"total_tokens\":%u}}\n\ndata: [DONE]\n\n",
                       events_per_stream, events_per_stream + 52);
    int total = snprintf(framed, sizeof framed, "%x\r\n%s\r\n0\r\n\r\n", (unsigned)len, event);
    slot_leave(s);
    return stream_send(s, framed, (size_t)total);
}

static bool send_chunk(struct stream *s)
{
    return s->sent++ < events_per_stream ? send_event(s) : send_last(s);
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
    if (s->len == s->cap) s->in = mem_realloc(s->in, s->cap *= 2);
    ssize_t got = recv(s->fd, s->in + s->len, s->cap - s->len, 0);
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
        s->cap = IN_BYTES;
        s->in = mem_alloc(s->cap);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        if (buf_len(&chunk) > SMALL_CHUNK) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){8 * (int)buf_len(&chunk)}, sizeof(int));
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
        if (strcmp(argv[i], "--sound") == 0) sound_bytes = value;
        if (strcmp(argv[i], "--text") == 0) text_path = argv[i + 1];
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    make_answer();
    make_chunk();

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
