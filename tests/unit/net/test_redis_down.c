/* A Redis that stops, dies, comes again, is slow, loads, becomes a replica, or fails over. */
#include "base/limits.h"
#include "redis_client.h"

/* ---- Deadlines. */

static void what_comes_late_is_told_apart(void)
{
    struct redis_server s;
    struct got before = {0}, stuck = {0}, after = {0};
    struct client c;
    redis_server_start(&s, NULL);
    client_open(&c, s.url);
    client_ask(&c, &before, 10000, "SET a b");
    WAIT(before.answers);
    kill(s.pid, SIGSTOP);
    client_ask(&c, &stuck, 20, "GET a");
    WAIT(stuck.answers);
    EXPECT_INT(REDIS_MISSED, stuck.outcome);
    EXPECT(stuck.is_sent);
    EXPECT_INT(0, stuck.late);
    EXPECT_INT(1, redis_status(c.redis).waiting);
    kill(s.pid, SIGCONT);
    WAIT(stuck.late);
    EXPECT_INT(REDIS_ANSWERED, stuck.late_outcome);
    EXPECT_STR("b", stuck.text);
    EXPECT_INT(1, stuck.answers);
    client_ask(&c, &after, 10000, "GET a");
    WAIT(after.answers);
    EXPECT_STR("b", after.text);
    EXPECT_INT(1, redis_status(c.redis).missed);
    EXPECT_INT(1, redis_status(c.redis).late);
    EXPECT_INT(1, c.ready);
    client_close(&c);
    redis_server_end(&s);
}

static void who_is_slow_is_left_alone_until_it_is_not(void)
{
    struct redis_server s;
    struct got got[LIMIT_REDIS_MISSES] = {{0}}, refused = {0}, after = {0};
    struct client c;
    redis_server_start(&s, NULL);
    client_open(&c, s.url);
    WAIT(c.ready);
    kill(s.pid, SIGSTOP);
    for (unsigned i = 0; i < LIMIT_REDIS_MISSES; i++) {
        EXPECT_INT(REDIS_TAKEN, client_ask(&c, &got[i], 10, "INCR n"));
        WAIT(got[i].answers);
    }
    EXPECT_INT(REDIS_SLOW, redis_status(c.redis).state);
    EXPECT_INT(REDIS_SLOW, client_ask(&c, &refused, 10, "INCR n"));
    EXPECT_INT(0, refused.answers);
    kill(s.pid, SIGCONT);
    WAIT(redis_status(c.redis).state == REDIS_TAKEN);
    client_ask(&c, &after, 10000, "INCR n");
    WAIT(after.answers);
    EXPECT_INT(LIMIT_REDIS_MISSES + 1, after.integer);
    EXPECT_INT(LIMIT_REDIS_MISSES, redis_status(c.redis).late);
    EXPECT_INT(1, redis_status(c.redis).opened);
    EXPECT_INT(1, redis_status(c.redis).refused);
    EXPECT_INT(0, c.down);
    client_close(&c);
    redis_server_end(&s);
}

static void who_says_nothing_is_cut(void)
{
    struct redis_server s;
    struct got got = {0}, after = {0};
    struct client c;
    redis_server_start(&s, NULL);
    client_open(&c, s.url);
    WAIT(c.ready);
    kill(s.pid, SIGSTOP);
    client_ask(&c, &got, 10, "SET a b");
    WAIT(c.down);
    EXPECT_INT(1, got.late);
    EXPECT_INT(REDIS_LOST, got.late_outcome);
    EXPECT(strstr(c.why.text, "says nothing") != NULL);
    WAIT(redis_status(c.redis).state == REDIS_DOWN); /* it accepts, and does not greet */
    EXPECT(strstr(redis_status(c.redis).why, "no answer in time") != NULL);
    kill(s.pid, SIGCONT);
    WAIT(c.ready == 2);
    client_ask(&c, &after, 10000, "GET a");
    WAIT(after.answers);
    EXPECT_STR("b", after.text); /* it was done after all */
    client_close(&c);
    redis_server_end(&s);
}

/* ---- Death. */

static void who_dies_is_looked_for_again(void)
{
    struct redis_server s;
    struct got stuck = {0}, refused = {0}, after = {0};
    struct client c;
    redis_server_start(&s, NULL);
    client_open(&c, s.url);
    client_ask(&c, &stuck, 60000, "BLPOP nothing 0");
    WAIT(redis_status(c.redis).is_connected);
    client_run(&c, 20);
    redis_server_kill(&s, SIGKILL);
    WAIT(stuck.answers);
    EXPECT_INT(REDIS_LOST, stuck.outcome);
    EXPECT(stuck.is_sent);
    EXPECT_INT(0, stuck.late);
    WAIT(redis_status(c.redis).state == REDIS_DOWN);
    EXPECT_INT(REDIS_DOWN, client_ask(&c, &refused, 1000, "PING"));
    EXPECT_INT(1, c.down);
    redis_server_again(&s, NULL);
    WAIT(c.ready == 2);
    client_ask(&c, &after, 10000, "PING");
    WAIT(after.answers);
    EXPECT_STR("PONG", after.text);
    EXPECT_INT(2, redis_status(c.redis).connections);
    EXPECT_INT(0, refused.answers);
    client_close(&c);
    redis_server_end(&s);
}

static void who_is_not_there_yet_is_waited_for(void)
{
    struct redis_server s;
    struct got first = {0}, later = {0};
    struct client c;
    redis_server_folder(&s);
    client_open(&c, s.url);
    EXPECT_INT(REDIS_TAKEN, client_ask(&c, &first, 60000, "PING")); /* as long as the first try lasts */
    WAIT(first.answers);
    EXPECT_INT(REDIS_LOST, first.outcome);
    EXPECT(!first.is_sent);
    EXPECT_INT(1, c.down);
    redis_server_again(&s, NULL);
    WAIT(c.ready);
    client_ask(&c, &later, 10000, "PING");
    WAIT(later.answers);
    EXPECT_STR("PONG", later.text);
    client_close(&c);
    redis_server_end(&s);
}

/* ---- Not ready. */

static void who_loads_is_waited_for(void)
{
    static const char *const slow[] = {"--key-load-delay", "300", "--loading-process-events-interval-bytes", "1024", NULL};
    struct redis_server s;
    struct got got = {0};
    struct client c;
    redis_server_start(&s, NULL);
    redis_server_say(&s, "EVAL \"for i = 1, 5000 do redis.call('SET', 'key' .. i, ('x'):rep(20)) end\" 0");
    EXPECT_STR("+OK", redis_server_say(&s, "SAVE"));
    redis_server_kill(&s, SIGKILL);
    redis_server_again(&s, slow);
    client_open(&c, s.url);
    WAIT(c.down);
    EXPECT(strstr(c.why.text, "LOADING") != NULL);
    WAIT(c.ready);
    client_ask(&c, &got, 10000, "DBSIZE");
    WAIT(got.answers);
    EXPECT_INT(5000, got.integer);
    client_close(&c);
    redis_server_end(&s);
}

static void who_becomes_a_replica_is_left(void)
{
    struct redis_server s;
    struct got got = {0}, after = {0};
    struct client c;
    redis_server_start(&s, NULL);
    client_open(&c, s.url);
    WAIT(c.ready);
    redis_server_say(&s, "REPLICAOF 127.0.0.1 1");
    client_ask(&c, &got, 10000, "SET a b");
    WAIT(got.answers);
    EXPECT_INT(REDIS_READONLY, got.error);
    WAIT(redis_status(c.redis).state == REDIS_DOWN);
    EXPECT(strstr(redis_status(c.redis).why, "replica") != NULL);
    redis_server_say(&s, "REPLICAOF NO ONE");
    WAIT(c.ready == 2);
    client_ask(&c, &after, 10000, "SET a b");
    WAIT(after.answers);
    EXPECT_STR("OK", after.text);
    client_close(&c);
    redis_server_end(&s);
}

/* ---- Several. */

struct networked {
    struct redis_server server;
    unsigned port;
};

static void start_networked(struct networked *n, unsigned master)
{
    static char port[2][8], of[2][32];
    static unsigned turn;
    unsigned at = turn++ % 2;
    n->port = redis_free_port();
    snprintf(port[at], sizeof port[at], "%u", n->port);
    snprintf(of[at], sizeof of[at], "127.0.0.1 %u", master);
    const char *const settings[] = {"--port", port[at], "--repl-diskless-sync-delay", "0",
                                    master ? "--replicaof" : NULL, of[at], NULL};
    redis_server_start(&n->server, settings);
}

static void of_several_the_master_counts(void)
{
    struct networked master, replica;
    struct client c;
    char url[128], place[64];
    start_networked(&master, 0);
    start_networked(&replica, master.port);
    snprintf(url, sizeof url, "redis://127.0.0.1:%u,localhost:%u/0", replica.port, master.port);
    snprintf(place, sizeof place, ":%u (", master.port);
    client_open(&c, url);
    WAIT(c.ready);
    EXPECT(strstr(redis_status(c.redis).place, place) != NULL);
    EXPECT_INT(0, c.down);
    client_close(&c);
    redis_server_end(&replica.server);
    redis_server_end(&master.server);
}

/* `more`: another line of its configuration. */
static struct networked start_sentinel(unsigned master, const char *more)
{
    struct networked n = {.port = redis_free_port()};
    char path[64];
    redis_server_folder(&n.server);
    snprintf(path, sizeof path, "%s/sentinel.conf", n.server.dir);
    FILE *file = fopen(path, "w");
    fprintf(file, "port %u\nunixsocket %s/redis.sock\ndir %s\nsentinel monitor mymaster 127.0.0.1 %u 1\n", n.port,
            n.server.dir, n.server.dir, master);
    fprintf(file, "%s\n", more);
    fprintf(file, "sentinel down-after-milliseconds mymaster 300\nsentinel failover-timeout mymaster 3000\n");
    fclose(file);
    const char *const settings[] = {"sentinel", path, NULL};
    redis_server_again(&n.server, settings);
    return n;
}

static bool knows_replica(const struct networked *sentinel, const struct networked *replica)
{
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%u", replica->port);
    const char *said = redis_server_said(&sentinel->server, "SENTINEL REPLICAS mymaster", true);
    return strstr(said, address) && strstr(said, "master-link-status\r\n$2\r\nok");
}

static void sentinels_say_who_is_master(void)
{
    struct networked master, replica, sentinel;
    struct got before = {0}, copied = {0}, after = {0};
    struct client c;
    char url[128], place[64];
    start_networked(&master, 0);
    start_networked(&replica, master.port);
    sentinel = start_sentinel(master.port, "");
    /* The first one is not there; the second one is asked. */
    snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:1,localhost:%u/mymaster", sentinel.port);
    client_open(&c, url);
    WAIT(c.ready);
    snprintf(place, sizeof place, "127.0.0.1:%u", master.port);
    EXPECT_STR(place, redis_status(c.redis).place);
    client_ask(&c, &before, 10000, "SET a b");
    WAIT(before.answers);
    while (!knows_replica(&sentinel, &replica))
        usleep(20000);
    client_ask(&c, &copied, 30000, "WAIT 1 20000"); /* until the replica has it */
    WAIT(copied.answers);
    EXPECT_INT(1, copied.integer);
    redis_server_kill(&master.server, SIGKILL);
    snprintf(place, sizeof place, "127.0.0.1:%u", replica.port);
    WAIT(redis_status(c.redis).is_connected && strcmp(redis_status(c.redis).place, place) == 0);
    do { /* Sentinels close the connections to who is promoted, once more */
        after = (struct got){0};
        WAIT(redis_status(c.redis).state == REDIS_TAKEN);
        EXPECT_INT(REDIS_TAKEN, client_ask(&c, &after, 10000, "GET a"));
        WAIT(after.answers);
    } while (after.outcome == REDIS_LOST);
    EXPECT_STR("b", after.text);
    client_close(&c);
    redis_server_end(&sentinel.server);
    redis_server_end(&replica.server);
    redis_server_end(&master.server);
}

/* One that is cut off from the others goes on naming a master that is gone. */
static void a_sentinel_that_is_mistaken_is_not_believed_for_ever(void)
{
    struct networked master, mistaken, right;
    struct client c;
    char url[128], place[64];
    start_networked(&master, 0);
    mistaken = start_sentinel(redis_free_port(), "");
    right = start_sentinel(master.port, "");
    snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:%u,127.0.0.1:%u/mymaster", mistaken.port, right.port);
    client_open(&c, url);
    WAIT(c.down && c.ready);
    snprintf(place, sizeof place, "127.0.0.1:%u", master.port);
    EXPECT_STR(place, redis_status(c.redis).place);
    client_close(&c);
    redis_server_end(&right.server);
    redis_server_end(&mistaken.server);
    redis_server_end(&master.server);
}

/* As behind a partition: the old one goes on answering. */
static void who_is_replaced_is_left_although_it_answers(void)
{
    struct networked old, new, sentinel;
    struct client c;
    char text[160], place[64];
    start_networked(&old, 0);
    start_networked(&new, 0);
    sentinel = start_sentinel(old.port, "");
    snprintf(text, sizeof text, "redis+sentinel://127.0.0.1:%u/mymaster", sentinel.port);
    client_open(&c, text);
    WAIT(c.ready);
    snprintf(text, sizeof text, "SENTINEL REMOVE mymaster\r\nSENTINEL MONITOR mymaster 127.0.0.1 %u 1", new.port);
    EXPECT_STR("+OK", redis_server_say(&sentinel.server, text));
    snprintf(place, sizeof place, "127.0.0.1:%u", new.port);
    WAIT(c.ready == 2);
    EXPECT_STR(place, redis_status(c.redis).place);
    EXPECT_INT(1, c.down);
    EXPECT(strstr(c.why.text, "another master") != NULL);
    client_close(&c);
    redis_server_end(&sentinel.server);
    redis_server_end(&new.server);
    redis_server_end(&old.server);
}

static void what_sentinels_do_not_know_is_said(void)
{
    struct networked sentinel = start_sentinel(redis_free_port(), "");
    struct client c;
    char url[128];
    snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:%u/other", sentinel.port);
    client_open(&c, url);
    WAIT(c.down);
    EXPECT(strstr(c.why.text, "knows no master of this name") != NULL);
    client_close(&c);
    snprintf(url, sizeof url, "redis://127.0.0.1:%u", sentinel.port);
    client_open(&c, url);
    WAIT(c.down);
    EXPECT(strstr(c.why.text, "it is a Sentinel") != NULL);
    client_close(&c);
    redis_server_end(&sentinel.server);
}

static void sentinels_have_passwords_of_their_own(void)
{
    static const char *const options[] = {"?sentinel_password=s3cret", "?sentinel_password=s3cret2", ""};
    struct networked master, sentinel;
    char url[128];
    start_networked(&master, 0);
    sentinel = start_sentinel(master.port, "requirepass s3cret");
    for (int i = 0; i < 3; i++) {
        struct client c;
        snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:%u/mymaster%s", sentinel.port, options[i]);
        client_open(&c, url);
        WAIT(c.ready || c.down);
        EXPECT_INT(i == 0, c.ready);
        EXPECT(i == 0 || strstr(c.why.text, "is refused"));
        EXPECT(!strstr(c.why.text, "s3cret"));
        client_close(&c);
    }
    redis_server_end(&sentinel.server);
    redis_server_end(&master.server);
}

int main(void)
{
    client_prepare();
    RUN(what_comes_late_is_told_apart);
    RUN(who_is_slow_is_left_alone_until_it_is_not);
    RUN(who_says_nothing_is_cut);
    RUN(who_dies_is_looked_for_again);
    RUN(who_is_not_there_yet_is_waited_for);
    RUN(who_loads_is_waited_for);
    RUN(who_becomes_a_replica_is_left);
    RUN(of_several_the_master_counts);
    RUN(sentinels_say_who_is_master);
    RUN(a_sentinel_that_is_mistaken_is_not_believed_for_ever);
    RUN(who_is_replaced_is_left_although_it_answers);
    RUN(what_sentinels_do_not_know_is_said);
    RUN(sentinels_have_passwords_of_their_own);
    return unit_close("redis_down");
}
