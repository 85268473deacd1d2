/*
 * A client under test, what it was told, and waiting for a state of it. For test_redis*.c.
 *
 *     struct client c;
 *     client_open(&c, url);
 *     WAIT(redis_status(c.redis).is_connected);
 *     struct got got = {0};
 *     client_ask(&c, &got, 1000, "SET name value");    WAIT(got.answers);
 *     EXPECT_STR("OK", got.text);
 *     client_close(&c);
 */
#ifndef MOONGATE_TESTS_REDIS_CLIENT_H
#define MOONGATE_TESTS_REDIS_CLIENT_H

#include "../redis_kit.h"
#include "base/log.h"
#include "net/loop.h"
#include "net/redis.h"

#define CLIENT_PATIENCE_MS 30000

struct client {
    struct loop *loop;
    struct loop_timer tick;
    struct redis *redis;
    unsigned ready, down;
    struct fault why; /* of the last outage */
};

/* What came of one question. */
struct got {
    unsigned answers, late;
    enum redis_outcome outcome, late_outcome;
    bool is_sent;
    enum redis_kind kind;
    enum redis_error error;
    int64_t integer;
    char text[512];
    unsigned turn; /* the how manieth answer of all */
};

static unsigned got_turn;

/* Outages are what these tests are about: they need not be told of. */
static inline void client_prepare(void)
{
    signal(SIGPIPE, SIG_IGN);
    setenv("MOONGATE_LOG", "error", 0);
    log_init("test");
}

static inline void client_on_tick(void *arg)
{
    struct client *c = arg;
    loop_stop(c->loop);
}

static inline void client_run(struct client *c, unsigned ms)
{
    loop_timer_arm_ms(&c->tick, ms);
    loop_run(c->loop);
}

/* For a client that is called c. */
#define WAIT(condition)                                                                                                \
    do {                                                                                                               \
        unsigned waited = 0;                                                                                           \
        while (!(condition) && waited < CLIENT_PATIENCE_MS) {                                                          \
            client_run(&c, 2);                                                                                         \
            waited += 2;                                                                                               \
        }                                                                                                              \
        EXPECT(condition);                                                                                             \
    } while (0)

static inline void client_on_ready(void *arg)
{
    struct client *c = arg;
    c->ready++;
}

static inline void client_on_down(void *arg, const struct fault *why)
{
    struct client *c = arg;
    c->down++;
    c->why = *why;
}

static inline void client_open(struct client *c, const char *url)
{
    static const struct redis_events events = {client_on_ready, client_on_down};
    struct fault why = {0};
    *c = (struct client){.loop = loop_new()};
    loop_timer_init(&c->tick, c->loop, client_on_tick, c);
    c->redis = redis_new(c->loop, url, &events, c, &why);
    if (!c->redis) UNIT_FAIL("%s: %s", url, fault_message(&why));
}

static inline void client_close(struct client *c)
{
    redis_free(c->redis);
    loop_timer_disarm(&c->tick);
    loop_free(c->loop);
}

static inline void got_reply(struct got *g, const struct redis_reply *reply)
{
    g->kind = reply->kind;
    g->error = reply->error;
    g->integer = reply->integer;
    size_t len = reply->text.len < sizeof g->text - 1 ? reply->text.len : sizeof g->text - 1;
    if (len) memcpy(g->text, reply->text.ptr, len);
    g->text[len] = '\0';
}

static inline void client_on_answer(void *arg, const struct redis_answer *answer)
{
    struct got *g = arg;
    g->answers++;
    g->turn = ++got_turn;
    g->outcome = answer->outcome;
    g->is_sent = answer->is_sent;
    EXPECT_INT(answer->outcome == REDIS_ANSWERED, answer->reply != NULL);
    if (answer->reply) got_reply(g, answer->reply);
}

static inline void client_on_late(void *arg, const struct redis_answer *answer)
{
    struct got *g = arg;
    g->late++;
    g->late_outcome = answer->outcome;
    if (answer->reply) got_reply(g, answer->reply);
}

/* Words with blanks between them. */
static inline enum redis_taken client_ask(struct client *c, struct got *g, uint32_t timeout_ms, const char *words)
{
    struct slice args[16], rest = slice_str(words);
    struct redis_question q = {.args = args, .timeout_ms = timeout_ms, .fn = client_on_answer, .late = client_on_late};
    q.arg = g;
    while (rest.len && q.arg_count < 16)
        args[q.arg_count++] = slice_split(rest, ' ', &rest);
    return redis_ask(c->redis, &q);
}

static inline enum redis_taken client_eval(struct client *c, struct got *g, const struct redis_script *script,
                                           const char *key, const char *value)
{
    struct slice keys[] = {slice_str(key)}, args[] = {slice_str(value)};
    struct redis_question q = {.keys = keys, .key_count = 1, .args = args, .arg_count = 1, .timeout_ms = 10000};
    q.fn = client_on_answer;
    q.late = client_on_late;
    q.arg = g;
    return redis_eval(c->redis, script, &q);
}

#endif
