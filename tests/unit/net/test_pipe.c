#include "net/pipe.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "net/loop.h"
#include "fds.h"
#include "../unit.h"

/* One end with what it saw. */
struct end {
    struct loop *loop;
    struct pipe *pipe;
    unsigned messages, types_sum, in_order, ends, faults, lost;
    size_t bytes;
    int last_fd;
    bool frees_itself, stops_at_end;
    unsigned stop_after;
};

static void on_message(void *arg, const struct pipe_message *m)
{
    struct end *e = arg;
    e->messages++;
    e->types_sum += m->type;
    e->bytes += m->body.len;
    e->lost += m->is_fd_lost;
    uint32_t number = 0;
    if (m->body.len >= sizeof number) memcpy(&number, m->body.ptr, sizeof number);
    if (number == e->messages) e->in_order++;
    if (m->fd >= 0) {
        if (e->last_fd >= 0) close(e->last_fd);
        e->last_fd = m->fd;
    }
    if (e->frees_itself) {
        pipe_free(e->pipe);
        e->pipe = NULL;
    }
    if (e->messages == e->stop_after) loop_stop(e->loop);
}

static void on_end(void *arg, const struct fault *why)
{
    struct end *e = arg;
    e->ends++;
    if (why) e->faults++;
    if (e->stops_at_end) loop_stop(e->loop);
}

static const struct pipe_events events = {on_message, on_end};

static struct end start(struct loop *loop)
{
    return (struct end){.loop = loop, .last_fd = -1};
}

static void open_end(struct end *e, int fd)
{
    e->pipe = pipe_new(e->loop, fd, LIMIT_PIPE_QUEUE_BYTES, &events, e);
}

static void open_both(struct loop *loop, struct end *a, struct end *b)
{
    int fds[2];
    struct fault why;
    EXPECT(pipe_pair(fds, &why));
    *a = start(loop);
    *b = start(loop);
    open_end(a, fds[0]);
    open_end(b, fds[1]);
}

static void carries_messages_in_order(void)
{
    int before = count_fds();
    struct loop *loop = loop_new();
    struct end a, b;
    open_both(loop, &a, &b);
    char *large = mem_zalloc(1, LIMIT_PIPE_MESSAGE_BYTES);
    size_t bytes = 0;
    for (uint32_t i = 1; i <= 1000; i++) {
        size_t len = i % 100 == 0 ? LIMIT_PIPE_MESSAGE_BYTES : 4 + i;
        memcpy(large, &i, sizeof i);
        EXPECT(pipe_send(a.pipe, (uint8_t)(i % 7), slice_of(large, len), -1, NULL));
        bytes += len;
    }
    EXPECT(pipe_send(a.pipe, 9, SLICE_NONE, -1, NULL));
    b.stop_after = 1001;
    loop_run(loop);
    EXPECT_INT(1001, b.messages);
    EXPECT_INT(1000, b.in_order);
    EXPECT_INT(bytes, b.bytes);
    EXPECT_INT(0, pipe_queued_bytes(a.pipe));
    pipe_free(a.pipe);
    b.stops_at_end = true;
    loop_run(loop);
    EXPECT_INT(1, b.ends);
    EXPECT_INT(0, b.faults);
    EXPECT(pipe_has_ended(b.pipe));
    struct fault why;
    EXPECT(!pipe_send(b.pipe, 1, SLICE("x"), -1, &why));
    pipe_free(b.pipe);
    loop_free(loop);
    mem_free(large);
    EXPECT_INT(before, count_fds());
}

static void carries_descriptors_with_their_messages(void)
{
    int before = count_fds();
    struct loop *loop = loop_new();
    struct end a, b;
    struct fault why;
    open_both(loop, &a, &b);
    for (int i = 0; i < 30; i++) {
        char text[32];
        snprintf(text, sizeof text, "bytes %d", i);
        int fd = pipe_memfd_new("test", slice_str(text), &why);
        EXPECT(fd >= 0);
        EXPECT(pipe_send(a.pipe, 1, SLICE("before"), -1, &why));
        if (i % 2) {
            EXPECT(pipe_give(a.pipe, 2, SLICE("with"), fd, &why));
            continue;
        }
        EXPECT(pipe_send(a.pipe, 2, SLICE("with"), fd, &why));
        close(fd);
    }
    b.stop_after = 60;
    loop_run(loop);
    EXPECT_INT(60, b.messages);
    EXPECT_INT(30 * 3, b.types_sum);
    struct slice bytes;
    EXPECT(pipe_memfd_map(b.last_fd, 100, &bytes, &why));
    EXPECT_SLICE(SLICE("bytes 29"), bytes);
    pipe_memfd_unmap(bytes);
    close(b.last_fd);
    /* queued, never sent */
    EXPECT(pipe_send(a.pipe, 2, SLICE("lost"), 0, &why));
    EXPECT(pipe_give(a.pipe, 2, SLICE("lost"), pipe_memfd_new("test", SLICE_NONE, &why), &why));
    pipe_free(a.pipe);
    b.stops_at_end = true;
    loop_run(loop);
    EXPECT(!pipe_give(b.pipe, 2, SLICE("never"), pipe_memfd_new("test", SLICE_NONE, &why), &why));
    pipe_free(b.pipe);
    loop_free(loop);
    EXPECT_INT(before, count_fds());
}

static void takes_only_sealed_memory(void)
{
    struct fault why;
    struct slice bytes;
    int plain = memfd_create("plain", MFD_CLOEXEC);
    EXPECT(!pipe_memfd_map(plain, 100, &bytes, &why));
    EXPECT(!pipe_memfd_map(0, 100, &bytes, &why));
    close(plain);
    int sealed = pipe_memfd_new("sealed", SLICE("0123456789"), &why);
    EXPECT(!pipe_memfd_map(sealed, 9, &bytes, &why));
    EXPECT(pipe_memfd_map(sealed, 10, &bytes, &why));
    EXPECT_INT(-1, write(sealed, "x", 1));
    EXPECT_INT(-1, ftruncate(sealed, 3));
    close(sealed);
    EXPECT_SLICE(SLICE("0123456789"), bytes);
    pipe_memfd_unmap(bytes);
    int empty = pipe_memfd_new("empty", SLICE_NONE, &why);
    EXPECT(pipe_memfd_map(empty, 10, &bytes, &why));
    EXPECT_INT(0, bytes.len);
    close(empty);
}

static void bounds_its_queue(void)
{
    struct loop *loop = loop_new();
    int fds[2];
    struct fault why;
    struct end a = start(loop);
    EXPECT(pipe_pair(fds, &why));
    a.pipe = pipe_new(loop, fds[0], 100000, &events, &a);
    char block[10000] = {0};
    int taken = 0;
    while (taken < 1000 && pipe_send(a.pipe, 1, slice_of(block, sizeof block), -1, &why))
        taken++;
    EXPECT_INT(9, taken);
    EXPECT(strstr(why.text, "does not take") != NULL);
    /* nothing of the refused one may be in it */
    struct end b = start(loop);
    open_end(&b, fds[1]);
    b.stop_after = 9;
    loop_run(loop);
    EXPECT_INT(9, b.messages);
    EXPECT(pipe_send(a.pipe, 1, slice_of(block, sizeof block), -1, &why));
    pipe_free(a.pipe);
    pipe_free(b.pipe);
    loop_free(loop);
}

static void may_be_freed_in_its_own_callback(void)
{
    struct loop *loop = loop_new();
    struct end a, b;
    open_both(loop, &a, &b);
    b.frees_itself = true;
    a.stops_at_end = true;
    for (int i = 0; i < 3; i++)
        EXPECT(pipe_send(a.pipe, 1, SLICE("x"), -1, NULL));
    loop_run(loop);
    EXPECT_INT(1, b.messages);
    EXPECT_INT(0, b.ends);
    EXPECT_INT(1, a.ends);
    pipe_free(a.pipe);
    loop_free(loop);
}

/* The last words of a process that dies are read although writing to it has failed already. */
static void reads_to_the_end_of_a_dead_process(void)
{
    struct loop *loop = loop_new();
    struct fault why;
    int fds[2];
    EXPECT(pipe_pair(fds, &why));
    for (int i = 0; i < 50; i++)
        EXPECT(pipe_send_wait(fds[1], &(struct pipe_message){3, SLICE("record"), -1, false}, 1000, &why));
    close(fds[1]);
    struct end a = start(loop);
    open_end(&a, fds[0]);
    EXPECT(pipe_send(a.pipe, 1, SLICE("into the void"), -1, &why));
    a.stops_at_end = true;
    loop_run(loop);
    EXPECT_INT(50, a.messages);
    EXPECT_INT(1, a.ends);
    pipe_free(a.pipe);
    loop_free(loop);
}

static void sees(const char *bytes, size_t len, unsigned messages, unsigned faults)
{
    struct loop *loop = loop_new();
    struct fault why;
    int fds[2];
    EXPECT(pipe_pair(fds, &why));
    EXPECT_INT(len, write(fds[1], bytes, len));
    close(fds[1]);
    struct end a = start(loop);
    open_end(&a, fds[0]);
    a.stops_at_end = true;
    loop_run(loop);
    EXPECT_INT(messages, a.messages);
    EXPECT_INT(1, a.ends);
    EXPECT_INT(faults, a.faults);
    pipe_free(a.pipe);
    loop_free(loop);
}

static void refuses_what_is_no_message(void)
{
    sees("\1\0\0\0\5\0\0\0x", 9, 1, 0);
    sees("\1\0\0\0\5\0\0\0x\1\0", 11, 1, 1);              /* cut in the frame */
    sees("\2\0\0\0\5\0\0\0x", 9, 0, 1);                   /* cut in the body */
    sees("\xff\xff\xff\xff\5\0\0\0x", 9, 0, 1);           /* too long */
    sees("\1\0\0\0\5\1\0\0x", 9, 0, 1);                   /* a descriptor that did not come */
    sees("\1\0\0\0\5\0\0\0x\1\0\0\0\5\0\7\0y", 18, 1, 1); /* not zero */
    sees("", 0, 0, 0);
}

static void speaks_without_a_loop(void)
{
    int before = count_fds();
    struct fault why;
    int fds[2];
    EXPECT(pipe_pair(fds, &why));
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        char *large = mem_zalloc(1, LIMIT_PIPE_MESSAGE_BYTES);
        int fd = pipe_memfd_new("test", SLICE("policies"), &why);
        bool is_good = pipe_send_wait(fds[1], &(struct pipe_message){4, slice_of(large, LIMIT_PIPE_MESSAGE_BYTES), fd, false},
                                      5000, &why) &&
                       pipe_send_wait(fds[1], &(struct pipe_message){5, SLICE_NONE, -1, false}, 5000, &why);
        mem_free(large);
        _exit(is_good ? 0 : 1);
    }
    close(fds[1]);
    struct buf body;
    buf_init(&body);
    struct pipe_message m = {0};
    EXPECT(pipe_receive_wait(fds[0], &m, &body, 5000, &why));
    EXPECT_INT(4, m.type);
    EXPECT_INT(LIMIT_PIPE_MESSAGE_BYTES, m.body.len);
    struct slice bytes = SLICE_NONE;
    EXPECT(m.fd >= 0 && pipe_memfd_map(m.fd, 100, &bytes, &why));
    EXPECT_SLICE(SLICE("policies"), bytes);
    pipe_memfd_unmap(bytes);
    close(m.fd);
    EXPECT(pipe_receive_wait(fds[0], &m, &body, 5000, &why));
    EXPECT_INT(5, m.type);
    EXPECT_INT(0, m.body.len);
    EXPECT_INT(-1, m.fd);
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_INT(0, status);
    EXPECT(!pipe_receive_wait(fds[0], &m, &body, 5000, &why));
    EXPECT(strstr(why.text, "closed") != NULL);
    close(fds[0]);
    EXPECT(pipe_pair(fds, &why));
    EXPECT(!pipe_receive_wait(fds[0], &m, &body, 20, &why));
    EXPECT(strstr(why.text, "in time") != NULL);
    close(fds[0]);
    close(fds[1]);
    buf_clear(&body);
    EXPECT_INT(before, count_fds());
}

static void flushes_its_last_words(void)
{
    struct loop *loop = loop_new();
    struct end a, b;
    struct fault why;
    open_both(loop, &a, &b);
    EXPECT(pipe_send(a.pipe, 1, SLICE("bye"), -1, &why));
    EXPECT(pipe_flush_wait(a.pipe, 1000, &why));
    EXPECT_INT(0, pipe_queued_bytes(a.pipe));
    pipe_free(a.pipe);
    b.stops_at_end = true;
    loop_run(loop);
    EXPECT_INT(1, b.messages);
    pipe_free(b.pipe);
    loop_free(loop);
}

/* The message says that its descriptor is lost; those before and behind it have theirs. */
static void loses_a_descriptor_and_nothing_else(void)
{
    struct loop *loop = loop_new();
    struct end a, b;
    struct fault why;
    struct rlimit before, few;
    open_both(loop, &a, &b);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT(pipe_send(a.pipe, 1, SLICE(""), fd, &why));
    EXPECT(pipe_flush_wait(a.pipe, 1000, &why));
    EXPECT_INT(0, getrlimit(RLIMIT_NOFILE, &before));
    few = (struct rlimit){3, before.rlim_max};
    EXPECT_INT(0, setrlimit(RLIMIT_NOFILE, &few));
    b.stop_after = 1;
    loop_run(loop);
    EXPECT_INT(0, setrlimit(RLIMIT_NOFILE, &before));
    EXPECT_INT(1, b.messages);
    EXPECT_INT(1, b.lost);
    EXPECT_INT(-1, b.last_fd);
    EXPECT_INT(0, b.ends);
    EXPECT(pipe_send(a.pipe, 2, SLICE(""), fd, &why));
    b.stop_after = 2;
    loop_run(loop);
    EXPECT_INT(2, b.messages);
    EXPECT_INT(1, b.lost);
    EXPECT(b.last_fd >= 0);
    close(b.last_fd);
    close(fd);
    pipe_free(a.pipe);
    pipe_free(b.pipe);
    loop_free(loop);
}

static void waits_while_it_is_paused(void)
{
    struct loop *loop = loop_new();
    struct fault why;
    struct end a, b;
    open_both(loop, &a, &b);
    pipe_pause(b.pipe, true);
    for (uint32_t i = 1; i <= 3; i++)
        EXPECT(pipe_send(a.pipe, 1, slice_of((const char *)&i, sizeof i), -1, &why));
    EXPECT(pipe_flush_wait(a.pipe, 1000, &why));
    pipe_free(a.pipe);
    loop_run(loop); /* nobody watches anything: neither messages nor the end are seen */
    EXPECT_INT(0, b.messages);
    EXPECT_INT(0, b.ends);
    b.stops_at_end = true;
    pipe_pause(b.pipe, false);
    loop_run(loop);
    EXPECT_INT(3, b.in_order);
    EXPECT_INT(1, b.ends);
    EXPECT_INT(0, b.faults);
    pipe_free(b.pipe);
    loop_free(loop);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(waits_while_it_is_paused);
    RUN(carries_messages_in_order);
    RUN(carries_descriptors_with_their_messages);
    RUN(takes_only_sealed_memory);
    RUN(bounds_its_queue);
    RUN(may_be_freed_in_its_own_callback);
    RUN(reads_to_the_end_of_a_dead_process);
    RUN(refuses_what_is_no_message);
    RUN(speaks_without_a_loop);
    RUN(flushes_its_last_words);
    RUN(loses_a_descriptor_and_nothing_else);
    return unit_close("pipe");
}
