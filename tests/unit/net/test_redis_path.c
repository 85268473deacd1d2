/* What lies between us and Redis: proxies that stall, cut and drip; bytes that are still on their way when a
 * connection is given up; who lets in everybody and cuts him off. */
#include <errno.h>

#include "base/limits.h"
#include "redis_peer.h"
#include "redis_proxy.h"

static struct redis_server server;

/* ---- In the middle of a reply. */

static void expect_lost(enum proxy_harm harm, int marked)
{
    struct got got = {0}, after = {0};
    struct client c;
    struct proxy p = start_proxy(&server, harm, marked);
    client_open(&c, p.url);
    WAIT(c.ready == 1);
    client_ask(&c, &got, 60000, "ECHO MARK-AND-MORE");
    WAIT(c.down == 1);
    EXPECT_INT(1, got.answers);
    EXPECT_INT(REDIS_LOST, got.outcome);
    EXPECT(got.is_sent);
    WAIT(c.ready == 2);
    client_ask(&c, &after, 60000, "ECHO MARK-AND-MORE");
    WAIT(after.answers);
    EXPECT_STR("MARK-AND-MORE", after.text);
    EXPECT_INT(0, got.late);
    client_close(&c);
    end_proxy(&p);
}

static void a_reply_that_breaks_off_is_none(void)
{
    for (int marked = 0; marked <= 4; marked++) {
        expect_lost(PROXY_END, marked);
        expect_lost(PROXY_RESET, marked);
    }
}

static void a_reply_that_stalls_is_given_up(void)
{
    expect_lost(PROXY_STALL, 2);
}

/* A byte now and then is life, but no answer. */
static void a_reply_that_drips_is_given_up(void)
{
    static const char reply[] = GREETING "$9999\r\n";
    struct got got = {0};
    struct client c;
    struct peer p = start_peer_by(serve_drops, reply, NULL);
    client_open(&c, p.url);
    client_ask(&c, &got, 100, "GET a");
    WAIT(c.down);
    EXPECT_INT(1, c.ready);
    EXPECT(strstr(c.why.text, "never comes to an end") != NULL);
    EXPECT_INT(1, got.late);
    EXPECT_INT(REDIS_LOST, got.late_outcome);
    client_close(&c);
    end_peer(&p);
}

/* ---- Bytes on their way. */

#define WINDOW 2048

/* Greets, reads nothing more until it is told to, and says how what it reads then ends: "reset", or "all" there was. */
static void serve_late(int listener, int told, int says)
{
    char bytes[8192];
    int client = accept(listener, NULL, NULL);
    if (client < 0 || read(client, bytes, sizeof bytes) <= 0 || !say(client, GREETING, sizeof GREETING - 1)) _exit(1);
    if (read(told, bytes, 1) != 1) _exit(1);
    ssize_t n;
    while ((n = read(client, bytes, sizeof bytes)) > 0)
        continue;
    dprintf(says, "%s", n < 0 && errno == ECONNRESET ? "reset" : "all");
    _exit(0);
}

/* What was given up may have been asked again, and released, by another connection: it must not come behind that. */
static void what_is_given_up_does_not_come_later(void)
{
    int to[2], from[2], window = WINDOW;
    unsigned port = redis_free_port();
    char url[64], said[8] = "", filler[5 * WINDOW];
    struct got got = {0};
    struct client c;
    int fd = proxy_listen(port);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    if (pipe(to) != 0 || pipe(from) != 0) abort();
    pid_t pid = fork();
    if (pid == 0) serve_late(fd, to[0], from[1]);
    snprintf(url, sizeof url, "redis://127.0.0.1:%u", port);
    client_open(&c, url);
    WAIT(c.ready);
    memset(filler, 'x', sizeof filler);
    const struct slice echo[] = {SLICE("ECHO"), slice_of(filler, sizeof filler)};
    struct redis_question q = {.args = echo, .arg_count = 2, .timeout_ms = 20};
    EXPECT_INT(REDIS_TAKEN, redis_ask(c.redis, &q));
    EXPECT_INT(REDIS_TAKEN, client_ask(&c, &got, 20, "SET late 1"));
    WAIT(c.down);
    EXPECT_INT(1, got.late);
    close(fd);
    EXPECT_INT(1, write(to[1], "", 1));
    EXPECT(read(from[0], said, sizeof said - 1) > 0);
    EXPECT_STR("reset", said);
    client_close(&c);
    waitpid(pid, NULL, 0);
    for (int i = 0; i < 2; i++) {
        close(to[i]);
        close(from[i]);
    }
}

/* ---- Connections that do not stand. */

static void who_cuts_off_everybody_is_called_on_seldom(void)
{
    struct client c;
    struct peer p = start_peer_by(serve_and_end, GREETING, NULL);
    client_open(&c, p.url);
    WAIT(c.ready == 2);
    client_run(&c, 1500);
    EXPECT(c.ready <= 8); /* after 25, 50, 100, 200, 400, 800 ms at least */
    EXPECT_INT(REDIS_DOWN, redis_status(c.redis).state);
    client_close(&c);
    end_peer(&p);
}

/* ---- Names. */

static volatile sig_atomic_t children;

static void on_child(int number)
{
    (void)number;
    children++;
}

/* Each lookup is a process, and every worker makes its own. */
static void names_are_not_looked_up_at_each_try(void)
{
    struct client c;
    char url[64];
    snprintf(url, sizeof url, "redis://localhost:%u", redis_free_port());
    signal(SIGCHLD, on_child);
    children = 0;
    client_open(&c, url);
    WAIT(c.down);
    client_run(&c, 1500);
    EXPECT_INT(1, children);
    WAIT(children == 2); /* but they are, in the end */
    client_close(&c);
    signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
    client_prepare();
    redis_server_start(&server, NULL);
    RUN(a_reply_that_breaks_off_is_none);
    RUN(a_reply_that_stalls_is_given_up);
    RUN(a_reply_that_drips_is_given_up);
    RUN(what_is_given_up_does_not_come_later);
    RUN(who_cuts_off_everybody_is_called_on_seldom);
    RUN(names_are_not_looked_up_at_each_try);
    redis_server_end(&server);
    return unit_close("redis_path");
}
