/* Listening sockets: addresses and their errors, sharing a port, refusing a second instance, running out. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../unit.h"

#include "net/listener.h"

static void addresses_are_understood(void)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"127.0.0.1:8090", "127.0.0.1:8090"}, {"0.0.0.0:0", "0.0.0.0:0"}, {"localhost:65535", "127.0.0.1:65535"},
        {"[::1]:8090", "[::1]:8090"},         {"[::]:1", "[::]:1"},       {"*:8090", "[::]:8090"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct listener_address a;
        struct fault why = {0};
        char text[LISTENER_TEXT_BYTES];
        EXPECT(listener_parse(rows[i].text, &a, &why));
        listener_format((struct sockaddr *)&a.where, text);
        EXPECT_STR(rows[i].shown, text);
    }
}

static void wrong_addresses_say_what_is_wrong(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "not \"host:port\""},
        {"8090", "not \"host:port\""},
        {":8090", "no usable host"},
        {"127.0.0.1", "not \"host:port\""},
        {"127.0.0.1:", "port is a number"},
        {"127.0.0.1:65536", "port is a number"},
        {"127.0.0.1:-1", "port is a number"},
        {"127.0.0.1:80x", "port is a number"},
        {"127.0.0.1:99999999999999999999", "port is a number"},
        {"127.0.0.256:80", "\"127.0.0.256\" is not an IP address"},
        {"gateway.example:80", "\"gateway.example\" is not an IP address; write for example"},
        {"::1:8090", "goes into brackets"},
        {"[::1]", "not \"host:port\""},
        {"[::1]8090", "not \"host:port\""},
        {"[::1:8090", "not \"host:port\""},
        {"[]:80", "no usable host"},
        {"[127.0.0.1]:80", "not an IP address"},
        {"[::g]:80", "not an IP address"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct listener_address a;
        struct fault why = {0};
        if (listener_parse(rows[i].text, &a, &why)) UNIT_FAIL("\"%s\" was taken", rows[i].text);
        if (!strstr(why.text, rows[i].says))
            UNIT_FAIL("%s: expected \"%s\" in \"%s\"", rows[i].text, rows[i].says, why.text);
        if (!strstr(why.text, rows[i].text)) UNIT_FAIL("%s is not named in \"%s\"", rows[i].text, why.text);
    }
}

static struct listener_address any_port(const char *host)
{
    struct listener_address a;
    struct fault why = {0};
    char text[80];
    snprintf(text, sizeof text, "%s:0", host);
    EXPECT(listener_parse(text, &a, &why));
    return a;
}

static struct listener_address same_port(int fd)
{
    struct listener_address a = any_port("127.0.0.1");
    ((struct sockaddr_in *)&a.where)->sin_port = htons((uint16_t)listener_port(fd));
    return a;
}

static int connect_to(int listen_fd)
{
    struct listener_address a = same_port(listen_fd);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_INT(0, connect(fd, (struct sockaddr *)&a.where, a.len));
    return fd;
}

static int flag(int fd, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
    getsockopt(fd, level, option, &value, &len);
    return value;
}

static void sockets_are_as_promised(void)
{
    struct fault why = {0};
    struct listener_address a = any_port("127.0.0.1");
    int fd = listener_open(&a, &why);
    EXPECT(fd >= 0);
    EXPECT(listener_port(fd) > 0);
    EXPECT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    EXPECT(fcntl(fd, F_GETFL) & O_NONBLOCK);
    EXPECT_INT(1, flag(fd, SOL_SOCKET, SO_REUSEPORT));
    EXPECT_INT(1, flag(fd, IPPROTO_TCP, TCP_NODELAY));
    EXPECT_INT(1, flag(fd, SOL_SOCKET, SO_ACCEPTCONN));
    close(fd);
    EXPECT_INT(-1, listener_port(-1));
}

/* "[::]" takes IPv4 too: the client below comes over it. Machines without IPv6 have nothing to show here. */
static void both_families_are_taken(void)
{
    struct fault why = {0};
    struct listener_address a = any_port("*");
    int fd = listener_open(&a, &why);
    if (fd < 0) {
        fprintf(stderr, "no IPv6 here: %s\n", why.text);
        return;
    }
    int client = connect_to(fd);
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    char text[LISTENER_TEXT_BYTES];
    int served = accept(fd, (struct sockaddr *)&peer, &len);
    EXPECT(served >= 0);
    listener_format((struct sockaddr *)&peer, text);
    EXPECT(strncmp(text, "127.0.0.1:", 10) == 0);
    close(served);
    close(client);
    close(fd);
}

static void workers_share_a_port_and_strangers_do_not(void)
{
    struct fault why = {0};
    struct listener_address a = any_port("127.0.0.1");
    int first = listener_open(&a, &why);
    struct listener_address taken = same_port(first);
    int second = listener_open(&taken, &why);
    EXPECT(second >= 0);
    EXPECT(!listener_probe(&taken, &why));
    EXPECT(strstr(why.text, "another program listens there"));
    char text[LISTENER_TEXT_BYTES];
    listener_format((struct sockaddr *)&taken.where, text);
    EXPECT(strstr(why.text, text));
    struct listener_address wide = any_port("0.0.0.0");
    ((struct sockaddr_in *)&wide.where)->sin_port = ((struct sockaddr_in *)&taken.where)->sin_port;
    EXPECT(!listener_probe(&wide, &why));
    close(second);
    EXPECT(!listener_probe(&taken, &why));
    /* A connection that was served leaves its port in TIME_WAIT; that does not keep anybody out. */
    int client = connect_to(first), served = accept(first, NULL, NULL);
    close(served);
    close(first);
    EXPECT(listener_probe(&taken, &why));
    close(client);
    int again = listener_open(&taken, &why);
    EXPECT(again >= 0);
    close(again);
}

static void an_address_of_another_machine_is_named(void)
{
    struct listener_address a;
    struct fault why = {0};
    EXPECT(listener_parse("192.0.2.1:0", &a, &why));
    EXPECT_INT(-1, listener_open(&a, &why));
    EXPECT(strstr(why.text, "192.0.2.1:0: cannot listen"));
    EXPECT(strstr(why.text, "no such address"));
}

/* ---- Accepting */

static struct loop *loop;
static int accepted[256], accepted_count;
static struct listener *listener;

static void on_accept(void *arg, int fd, const struct sockaddr *peer)
{
    EXPECT(arg == &accepted_count);
    EXPECT_INT(AF_INET, peer->sa_family);
    EXPECT(fcntl(fd, F_GETFL) & O_NONBLOCK);
    EXPECT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    EXPECT_INT(1, flag(fd, IPPROTO_TCP, TCP_NODELAY));
    accepted[accepted_count++] = fd;
}

static void on_stop(void *arg)
{
    loop_stop(arg);
}

static void turns_until(int count)
{
    struct loop_timer stop;
    loop_timer_init(&stop, loop, on_stop, loop);
    for (int i = 0; i < 10000 && accepted_count < count; i++) {
        loop_timer_arm_ms(&stop, 1);
        loop_run(loop);
    }
    loop_timer_disarm(&stop);
    EXPECT_INT(count, accepted_count);
}

static void close_accepted(void)
{
    for (int i = 0; i < accepted_count; i++)
        close(accepted[i]);
    accepted_count = 0;
}

static void connections_are_handed_over(void)
{
    struct fault why = {0};
    struct listener_address a = any_port("127.0.0.1");
    int fd = listener_open(&a, &why), clients[100];
    loop = loop_new();
    listener = listener_new(loop, fd, on_accept, &accepted_count);
    for (int i = 0; i < 100; i++)
        clients[i] = connect_to(fd); /* more than one batch */
    turns_until(100);
    for (int i = 0; i < 100; i++)
        close(clients[i]);
    close_accepted();
    listener_free(listener);
    loop_free(loop);
    EXPECT(listener_port(fd) > 0); /* borrowed: still open */
    close(fd);
}

static void on_accept_once(void *arg, int fd, const struct sockaddr *peer)
{
    on_accept(arg, fd, peer);
    listener_free(listener);
}

static void a_listener_may_go_inside_its_callback(void)
{
    struct fault why = {0};
    struct listener_address a = any_port("127.0.0.1");
    int fd = listener_open(&a, &why);
    loop = loop_new();
    listener = listener_new(loop, fd, on_accept_once, &accepted_count);
    int first = connect_to(fd), second = connect_to(fd);
    turns_until(1);
    close(first);
    close(second);
    close_accepted();
    loop_free(loop);
    close(fd);
}

/* No descriptor is left: the client is told by a closed connection, and service goes on when there are some again. */
static void running_out_of_descriptors_is_survived(void)
{
    struct fault why = {0};
    struct listener_address a = any_port("127.0.0.1");
    int fd = listener_open(&a, &why), hogs[64], hog_count = 0;
    struct rlimit before, low;
    loop = loop_new();
    listener = listener_new(loop, fd, on_accept, &accepted_count);
    int lost = connect_to(fd);
    getrlimit(RLIMIT_NOFILE, &before);
    low = (struct rlimit){.rlim_cur = 48, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    while (hog_count < 64 && (hogs[hog_count] = dup(fd)) >= 0)
        hog_count++;
    EXPECT(hog_count < 64);
    struct loop_timer stop;
    loop_timer_init(&stop, loop, on_stop, loop);
    for (int i = 0; i < 10000 && listener_dropped(listener) == 0; i++) {
        loop_timer_arm_ms(&stop, 1);
        loop_run(loop);
    }
    loop_timer_disarm(&stop);
    EXPECT_INT(1, listener_dropped(listener));
    char byte;
    EXPECT(recv(lost, &byte, 1, 0) <= 0);
    while (hog_count)
        close(hogs[--hog_count]);
    setrlimit(RLIMIT_NOFILE, &before);
    int served = connect_to(fd);
    turns_until(1);
    close(served);
    close(lost);
    close_accepted();
    listener_free(listener);
    loop_free(loop);
    close(fd);
}

int main(void)
{
    RUN(addresses_are_understood);
    RUN(wrong_addresses_say_what_is_wrong);
    RUN(sockets_are_as_promised);
    RUN(both_families_are_taken);
    RUN(workers_share_a_port_and_strangers_do_not);
    RUN(an_address_of_another_machine_is_named);
    RUN(connections_are_handed_over);
    RUN(a_listener_may_go_inside_its_callback);
    RUN(running_out_of_descriptors_is_survived);
    return unit_close("listener");
}
