/* What people are told of a Redis that answers with errors: what it is, where, and what can be done; and not too
 * often. */
#include <fcntl.h>

#include "redis_peer.h"

static struct redis_server server;
static int said_fd, own_stderr;

/* Everything that is logged from here on is kept, and not shown. */
static void listen_to_log(void)
{
    fflush(stderr);
    if (ftruncate(said_fd, 0) != 0 || lseek(said_fd, 0, SEEK_SET) != 0 || dup2(said_fd, 2) != 2) abort();
}

static const char *heard(void)
{
    static char text[65536];
    dup2(own_stderr, 2);
    ssize_t n = pread(said_fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static unsigned times(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

static const char *said_of(const char *url, const char *const *commands)
{
    struct got got;
    struct client c;
    listen_to_log();
    client_open(&c, url);
    const struct redis_script *script = redis_script(c.redis, SLICE("#!lua\nreturn redis.call('SET', KEYS[1], ARGV[1])"));
    WAIT(c.ready);
    for (; *commands; commands++) {
        got = (struct got){0};
        if (strcmp(*commands, "script") == 0) client_eval(&c, &got, script, "{p0}k", "v");
        else client_ask(&c, &got, 20000, *commands);
        WAIT(got.answers);
    }
    client_close(&c);
    return heard();
}

static void expect_once(const char *text, const char *const *parts)
{
    for (; *parts; parts++)
        if (times(text, *parts) != 1) UNIT_FAIL("%u times \"%s\" in: %s", times(text, *parts), *parts, text);
}

#define LIST(...) (const char *const[]){__VA_ARGS__, NULL}

static void a_full_memory_is_told_once(void)
{
    redis_server_say(&server, "CONFIG SET maxmemory 1");
    const char *text = said_of(server.url, LIST("SET a b", "SET a b", "script", "script"));
    redis_server_say(&server, "CONFIG SET maxmemory 0");
    expect_once(text, LIST("redis_error", "OOM command not allowed", "raise its maxmemory", "redis.sock: OOM"));
}

static void a_right_that_is_missing_is_told_with_those_that_are_wanted(void)
{
    char url[160];
    redis_server_say(&server, "ACL SETUSER narrow on >s3cret ~* +@all -evalsha -eval -script");
    snprintf(url, sizeof url, "%s?user=narrow&password=s3cret", server.url);
    const char *text = said_of(url, LIST("script", "script"));
    expect_once(text, LIST("redis_error", "redis_script", "does not take a script: NOPERM", "run the 'evalsha' command"));
    EXPECT_INT(2, times(text, "+@all -@dangerous +role +info +config|get"));
    EXPECT_INT(0, times(text, "s3cret"));
}

/* Those are enough. */
static void the_rights_that_are_told_suffice(void)
{
    char url[160];
    redis_server_say(&server, "ACL SETUSER told on >s3cret ~{p0}* +@all -@dangerous +role +info +config|get");
    snprintf(url, sizeof url, "%s?user=told&password=s3cret", server.url);
    const char *text = said_of(url, LIST("script", "script"));
    EXPECT_INT(0, times(text, "\"warn\""));
    EXPECT_INT(1, times(text, "redis_ready"));
}

static void too_few_replicas_are_told(void)
{
    redis_server_say(&server, "CONFIG SET min-replicas-to-write 1");
    const char *text = said_of(server.url, LIST("script", "SET a b"));
    redis_server_say(&server, "CONFIG SET min-replicas-to-write 0");
    expect_once(text, LIST("redis_error", "NOREPLICAS", "min-replicas-to-write asks for"));
}

/* ---- A cluster. */

struct node {
    struct redis_server server;
    unsigned port, bus;
    char url[48];
};

static void start_node(struct node *n, const char *slots)
{
    char port[8], bus[8], command[64];
    n->port = redis_free_port();
    n->bus = redis_free_port();
    snprintf(port, sizeof port, "%u", n->port);
    snprintf(bus, sizeof bus, "%u", n->bus);
    snprintf(n->url, sizeof n->url, "redis://127.0.0.1:%u", n->port);
    const char *const settings[] = {"--cluster-enabled", "yes", "--port", port, "--cluster-port", bus, NULL};
    redis_server_start(&n->server, settings);
    snprintf(command, sizeof command, "CLUSTER ADDSLOTSRANGE %s", slots);
    EXPECT_STR("+OK", redis_server_say(&n->server, command));
}

static bool is_whole(const struct node *n)
{
    return strstr(redis_server_said(&n->server, "CLUSTER INFO", true), "cluster_state:ok") != NULL;
}

static void of_a_cluster_its_only_node_serves_and_another_one_is_told(void)
{
    struct node all, one, other;
    char command[64];
    start_node(&all, "0 16383");
    while (!is_whole(&all))
        usleep(10000);
    EXPECT_INT(0, times(said_of(all.url, LIST("SET {p0}k v", "script")), "\"warn\""));
    redis_server_end(&all.server);
    start_node(&one, "0 8191");
    start_node(&other, "8192 16383");
    snprintf(command, sizeof command, "CLUSTER MEET 127.0.0.1 %u %u", other.port, other.bus);
    EXPECT_STR("+OK", redis_server_say(&one.server, command));
    while (!is_whole(&one) || !is_whole(&other))
        usleep(10000);
    const char *wrong = strstr(redis_server_say(&one.server, "GET {p0}k"), "MOVED") ? one.url : other.url;
    const char *text = said_of(wrong, LIST("script", "SET {p0}k v"));
    expect_once(text, LIST("redis_error", ": MOVED ", "redis.url is to name a Redis without a cluster"));
    redis_server_end(&other.server);
    redis_server_end(&one.server);
}

/* A script's own mistake, in its own words. */
static void other_errors_are_told_in_their_words(void)
{
    const char *text = said_of(server.url, LIST("SET kind x", "LPUSH kind y", "LPUSH kind z"));
    expect_once(text, LIST("redis_error", "WRONGTYPE"));
}

/* ---- Who is turned away at the door. */

static const char *outage(const char *url)
{
    static char said[FAULT_TEXT_BYTES];
    struct client c;
    listen_to_log();
    client_open(&c, url);
    WAIT(c.down);
    snprintf(said, sizeof said, "%s", c.why.text);
    client_close(&c);
    EXPECT_INT(1, times(heard(), "redis_down"));
    return said;
}

static void too_many_clients_are_no_wrong_password(void)
{
    static const char *const settings[] = {"--maxclients", "1", "--requirepass", "s3cret", NULL};
    struct redis_server full;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char url[96];
    redis_server_start(&full, settings);
    snprintf(a.sun_path, sizeof a.sun_path, "%s/redis.sock", full.dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    do {
        close(fd);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_INT(0, connect(fd, (struct sockaddr *)&a, sizeof a));
        dprintf(fd, "PING\r\n");
        EXPECT(read(fd, url, sizeof url) > 0);
    } while (strncmp(url, "-ERR", 4) == 0); /* those who asked before are still there */
    snprintf(url, sizeof url, "%s?password=s3cret", full.url);
    EXPECT(strstr(outage(url), "as many clients as it takes (maxclients)") != NULL);
    close(fd);
    redis_server_end(&full);
}

static void protected_mode_is_told(void)
{
    struct peer p = start_peer("-DENIED Redis is running in protected mode because no password is set\r\n", NULL);
    EXPECT(strstr(outage(p.url), "protected mode: give it a password") != NULL);
    end_peer(&p);
}

static void an_old_server_is_told(void)
{
    static const char greeting[] = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
                                   "-ERR Error compiling script (new function): user_script:1: unexpected symbol\r\n"
                                   "*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n$0\r\n\r\n+PONG\r\n"
                                   "-ERR Error compiling script\r\n";
    struct peer p = start_peer(greeting, NULL);
    struct client c;
    listen_to_log();
    client_open(&c, p.url);
    redis_script(c.redis, SLICE("#!lua\nreturn 1"));
    WAIT(c.ready);
    client_close(&c);
    const char *text = heard();
    expect_once(text, LIST("redis_script", "Redis 7 or newer, or Valkey, is needed"));
    end_peer(&p);
}

int main(void)
{
    setenv("MOONGATE_LOG", "info", 1);
    setenv("MOONGATE_LOG_FORMAT", "json", 1);
    client_prepare();
    own_stderr = dup(2);
    said_fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    redis_server_start(&server, NULL);
    RUN(a_full_memory_is_told_once);
    RUN(a_right_that_is_missing_is_told_with_those_that_are_wanted);
    RUN(the_rights_that_are_told_suffice);
    RUN(too_few_replicas_are_told);
    RUN(of_a_cluster_its_only_node_serves_and_another_one_is_told);
    RUN(other_errors_are_told_in_their_words);
    RUN(too_many_clients_are_no_wrong_password);
    RUN(protected_mode_is_told);
    RUN(an_old_server_is_told);
    redis_server_end(&server);
    return unit_close("redis_told");
}
