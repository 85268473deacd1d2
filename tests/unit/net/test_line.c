#include "net/line.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fds.h"
#include "net/line_path.h"
#include "net/loop.h"

/* A server that upper-cases; "later" is answered with the next line, "large" with too much, "bye" closes, "stop" ends
 * the loop. */
struct host {
    struct loop *loop;
    struct line_server *server;
    struct line_peer *waiting;
    unsigned lines, gone;
};

static void answer(struct line_peer *peer, struct slice line)
{
    char text[64];
    size_t len = line.len < sizeof text ? line.len : sizeof text;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(line.ptr[i] >= 'a' && line.ptr[i] <= 'z' ? line.ptr[i] - 32 : line.ptr[i]);
    line_reply(peer, slice_of(text, len));
}

static void on_line(void *arg, struct line_peer *peer, struct slice line)
{
    struct host *h = arg;
    h->lines++;
    line_set_data(peer, (char *)line_data(peer) + 1);
    if (h->waiting) {
        line_reply(h->waiting, SLICE("LATER"));
        h->waiting = NULL;
    }
    if (slice_equal(line, SLICE("later"))) {
        h->waiting = peer;
        return;
    }
    if (slice_equal(line, SLICE("large"))) {
        char *large = mem_alloc(3 * MIB);
        memset(large, 'x', 3 * MIB);
        line_reply(peer, slice_of(large, 3 * MIB));
        line_reply(peer, slice_of(large, 3 * MIB));
        mem_free(large);
        return;
    }
    answer(peer, line);
    if (slice_equal(line, SLICE("bye"))) line_close(peer);
    if (slice_equal(line, SLICE("stop"))) loop_stop(h->loop);
}

static void on_gone(void *arg, struct line_peer *peer)
{
    struct host *h = arg;
    if (h->waiting == peer) h->waiting = NULL;
    EXPECT(line_data(peer) != NULL);
    h->gone++;
}

static const struct line_events events = {on_line, on_gone};

static char dir[] = "/tmp/moongate-line-XXXXXX";
static char path[256];

/* The commands' side runs in its own thread, as it blocks. */
static void with_server(struct host *h, void *(*client)(void *))
{
    int before = count_fds();
    struct fault why;
    *h = (struct host){.loop = loop_new()};
    h->server = line_server_new(h->loop, path, &events, h, &why);
    EXPECT(h->server != NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, client, NULL);
    loop_run(h->loop);
    pthread_join(thread, NULL);
    line_server_free(h->server);
    loop_free(h->loop);
    EXPECT(access(path, F_OK) != 0);
    EXPECT_INT(before, count_fds());
}

static struct line_client *open_client(void)
{
    struct fault why;
    struct line_client *c = line_client_open(path, 5000, &why);
    if (!c) UNIT_FAIL("%s", why.text);
    return c;
}

static void expect_call(struct line_client *c, const char *line, const char *answer_wanted)
{
    struct fault why;
    struct buf text;
    buf_init(&text);
    if (line_client_call(c, slice_str(line), &text, 5000, &why))
        EXPECT_SLICE(slice_str(answer_wanted), buf_slice(&text));
    else
        UNIT_FAIL("%s: %s", line, why.text);
    buf_clear(&text);
}

static void stop_server(void)
{
    struct line_client *c = open_client();
    expect_call(c, "stop", "STOP");
    line_client_close(c);
}

static void *call_some(void *arg)
{
    (void)arg;
    struct line_client *c = open_client(), *other = open_client();
    struct fault why;
    struct buf text;
    buf_init(&text);
    expect_call(c, "one", "ONE");
    expect_call(c, "", "");
    EXPECT(line_client_send(c, SLICE("later"), 1000, &why));
    expect_call(other, "two", "TWO");
    EXPECT(line_client_read(c, &text, 5000, &why));
    EXPECT_SLICE(SLICE("LATER"), buf_slice(&text));
    EXPECT(!line_client_send(c, SLICE("two\nlines"), 1000, &why));
    /* three lines at once, three answers */
    EXPECT(line_client_send(c, SLICE("a"), 1000, &why));
    EXPECT(line_client_send(c, SLICE("b"), 1000, &why));
    EXPECT(line_client_send(c, SLICE("c"), 1000, &why));
    for (int i = 0; i < 3; i++)
        EXPECT(line_client_read(c, &text, 5000, &why));
    EXPECT_SLICE(SLICE("C"), buf_slice(&text));
    EXPECT(!line_client_read(c, &text, 20, &why));
    EXPECT(strstr(why.text, "in time") != NULL);
    expect_call(c, "bye", "BYE");
    EXPECT(!line_client_read(c, &text, 5000, &why));
    EXPECT(strstr(why.text, "closed") != NULL);
    line_client_close(c);
    line_client_close(other);
    buf_clear(&text);
    stop_server();
    return NULL;
}

static void answers_lines(void)
{
    struct host h;
    with_server(&h, call_some);
    EXPECT_INT(9, h.lines);
    EXPECT(h.gone >= 2);
}

static void *misbehave(void *arg)
{
    (void)arg;
    struct fault why;
    struct buf text;
    buf_init(&text);
    /* a line that never ends */
    int fd = line_path_connect(path, 1000);
    char *much = mem_alloc(2 * LIMIT_CONTROL_LINE_BYTES);
    memset(much, 'x', 2 * LIMIT_CONTROL_LINE_BYTES);
    ssize_t sent = send(fd, much, 2 * LIMIT_CONTROL_LINE_BYTES, MSG_NOSIGNAL);
    EXPECT(sent > 0);
    char reply[128] = "";
    EXPECT(recv(fd, reply, sizeof reply - 1, 0) > 0);
    EXPECT(strstr(reply, "{\"error\":\"the line is too long\"}\n") != NULL);
    close(fd);
    mem_free(much);
    /* answers that nobody could want */
    struct line_client *c = open_client();
    EXPECT(line_client_send(c, SLICE("large"), 1000, &why));
    EXPECT(!line_client_read(c, &text, 5000, &why) || !line_client_read(c, &text, 5000, &why));
    line_client_close(c);
    /* one too many */
    struct line_client *crowd[LIMIT_CONTROL_CLIENTS];
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++) {
        crowd[i] = open_client();
        expect_call(crowd[i], "hello", "HELLO");
    }
    c = open_client();
    EXPECT(line_client_read(c, &text, 5000, &why));
    EXPECT_SLICE(SLICE("{\"error\":\"too many clients at once\"}"), buf_slice(&text));
    line_client_close(c);
    /* it sends its line, shuts its side, and still has its answer */
    expect_call(crowd[0], "bye", "BYE");
    EXPECT(!line_client_read(crowd[0], &text, 5000, &why));
    fd = line_path_connect(path, 1000);
    EXPECT_INT(6, send(fd, "later\n", 6, MSG_NOSIGNAL));
    shutdown(fd, SHUT_WR);
    /* Whoever comes first is read first: ask until the other's line has come. */
    struct pollfd answered = {.fd = fd, .events = POLLIN};
    for (int i = 0; i < 500 && poll(&answered, 1, 10) == 0; i++)
        expect_call(crowd[1], "x", "X");
    memset(reply, 0, sizeof reply);
    EXPECT_INT(6, recv(fd, reply, 6, MSG_WAITALL));
    EXPECT_STR("LATER\n", reply);
    EXPECT_INT(0, recv(fd, reply, 1, 0));
    close(fd);
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        line_client_close(crowd[i]);
    buf_clear(&text);
    stop_server();
    return NULL;
}

static void survives_bad_peers(void)
{
    struct host h;
    with_server(&h, misbehave);
}

static void guards_its_path(void)
{
    struct loop *loop = loop_new();
    struct fault why;
    struct stat st;
    struct line_server *s = line_server_new(loop, path, &events, NULL, &why);
    EXPECT(s && stat(path, &st) == 0);
    EXPECT_INT(0600, st.st_mode & 0777);
    EXPECT(!line_server_new(loop, path, &events, NULL, &why));
    EXPECT(strstr(why.text, "another instance") != NULL);
    EXPECT(access(path, F_OK) == 0);
    line_server_free(s);
    /* a file is not removed */
    fclose(fopen(path, "w"));
    EXPECT(!line_server_new(loop, path, &events, NULL, &why));
    EXPECT(strstr(why.text, "in the way") != NULL);
    EXPECT(access(path, F_OK) == 0);
    unlink(path);
    /* what a killed instance left is */
    close(line_path_listen(path, 1, &why));
    EXPECT(!line_client_open(path, 100, &why));
    EXPECT(strstr(why.text, "is moongate running") != NULL);
    s = line_server_new(loop, path, &events, NULL, &why);
    EXPECT(s != NULL);
    line_server_free(s);
    EXPECT(!line_client_open(path, 100, &why));
    EXPECT(strstr(why.text, "is moongate running") != NULL);
    EXPECT(!line_server_new(loop, "/nonexistent/control.sock", &events, NULL, &why));
    loop_free(loop);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(dir)) return 1;
    snprintf(path, sizeof path, "%s/control.sock", dir);
    RUN(answers_lines);
    RUN(survives_bad_peers);
    RUN(guards_its_path);
    /* over the 107 bytes of an address */
    char deep[200];
    snprintf(deep, sizeof deep, "%s/%0150d", dir, 7);
    EXPECT_INT(0, mkdir(deep, 0700));
    snprintf(path, sizeof path, "%s/control.sock", deep);
    RUN(answers_lines);
    RUN(guards_its_path);
    rmdir(deep);
    EXPECT_INT(0, rmdir(dir));
    return unit_close("line");
}
