/* What is no Redis, or one that lies; how much may wait; and freeing the client at any time. */
#include "base/limits.h"
#include "base/mem.h"
#include "redis_peer.h"

/* ---- Replies. */

static const char *outage(const char *first, const char *then)
{
    static char said[FAULT_TEXT_BYTES];
    struct client c;
    struct peer p = start_peer(first, then);
    client_open(&c, p.url);
    WAIT(c.down);
    EXPECT_INT(0, c.ready);
    snprintf(said, sizeof said, "%s", c.why.text);
    client_close(&c);
    end_peer(&p);
    return said;
}

static void what_is_not_the_protocol_is_cut(void)
{
    static const char *const texts[] = {
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "*-5\r\n",
        "$-2\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
        "%1\r\n+a\r\n+b\r\n",
        "$11111111111111111111111111111111111111111111111111111111",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *said = outage(texts[i], NULL);
        if (!strstr(said, "not Redis's protocol")) UNIT_FAIL("%s: %s", texts[i], said);
    }
}

static void what_has_no_end_is_cut(void)
{
    EXPECT(strstr(outage("+", "aaaaaaaa"), "a line without an end") != NULL);
    EXPECT(strstr(outage(":", "11111111"), "a line without an end") != NULL);
    EXPECT(strstr(outage("$2000000000\r\n", "aaaaaaaa"), "too large") != NULL);
    EXPECT(strstr(outage("*65536\r\n", "$100\r\n"), "too large") != NULL); /* 17 of them are one's text */
    EXPECT(strstr(outage("*65537\r\n", NULL), "too many items") != NULL);
    EXPECT(strstr(outage("*2000000000\r\n", "+a\r\n"), "too many items") != NULL);
    EXPECT(strstr(outage("*60000\r\n", "*1000\r\n"), "too many items") != NULL);
}

static void what_nobody_asked_for_is_cut(void)
{
    struct client c;
    struct peer p = start_peer(GREETING ":1\r\n", NULL);
    client_open(&c, p.url);
    WAIT(c.down);
    EXPECT(strstr(c.why.text, "nobody has asked for") != NULL);
    client_close(&c);
    end_peer(&p);
}

static void who_floods_lets_the_loop_turn(void)
{
    struct client c;
    struct peer p = start_peer("*3\r\n$6\r\nmaster\r\n:0\r\n", "*0\r\n");
    client_open(&c, p.url);
    for (unsigned i = 0; i < 50; i++)
        client_run(&c, 2); /* comes back */
    WAIT(c.down);
    client_close(&c);
    end_peer(&p);
}

static void who_says_nothing_is_given_up(void)
{
    EXPECT(strstr(outage("", NULL), "no answer in time") != NULL);
}

/* ---- Bounds. */

static void questions_are_bounded(void)
{
    static struct got got;
    struct client c;
    struct peer p = start_peer(GREETING, NULL);
    client_open(&c, p.url);
    WAIT(c.ready);
    for (unsigned i = 0; i < LIMIT_REDIS_QUESTIONS; i++)
        EXPECT_INT(REDIS_TAKEN, client_ask(&c, &got, 60000, "GET a"));
    EXPECT_INT(REDIS_FULL, client_ask(&c, &got, 60000, "GET a"));
    EXPECT_INT(LIMIT_REDIS_QUESTIONS, redis_status(c.redis).waiting);
    client_close(&c);
    EXPECT_INT(0, got.answers);
    end_peer(&p);
}

static void bytes_are_bounded(void)
{
    static struct got got[8];
    struct client c;
    struct peer p = start_peer("", NULL);
    size_t len = LIMIT_REDIS_QUEUE_BYTES / 4;
    char *text = mem_alloc(4 * len + 1);
    memset(text, 'x', 4 * len);
    client_open(&c, p.url);
    struct slice args[] = {SLICE("ECHO"), slice_of(text, 4 * len)};
    struct redis_question q = {.args = args, .arg_count = 2, .timeout_ms = 60000, .fn = client_on_answer, .arg = &got[0]};
    EXPECT_INT(REDIS_FULL, redis_ask(c.redis, &q));
    args[1].len = len;
    for (int i = 0; i < 3; i++)
        EXPECT_INT(REDIS_TAKEN, redis_ask(c.redis, &q));
    EXPECT_INT(REDIS_FULL, redis_ask(c.redis, &q));
    EXPECT_INT(3, redis_status(c.redis).waiting);
    EXPECT(redis_status(c.redis).waiting_bytes <= LIMIT_REDIS_QUEUE_BYTES);
    client_close(&c);
    mem_free(text);
    end_peer(&p);
}

/* What fits to the byte leaves no room, not all the room there is. */
static void bytes_that_just_fit_are_counted(void)
{
    static struct got got;
    struct client c;
    struct peer p = start_peer("", NULL);
    char *text = mem_alloc(LIMIT_REDIS_QUEUE_BYTES);
    memset(text, 'x', LIMIT_REDIS_QUEUE_BYTES);
    client_open(&c, p.url);
    const struct redis_script *script = redis_script(c.redis, SLICE("return 1"));
    struct slice large = slice_of(text, LIMIT_REDIS_QUEUE_BYTES);
    struct redis_question q = {.args = &large, .arg_count = 1, .timeout_ms = 60000, .fn = client_on_answer, .arg = &got};
    while (redis_eval(c.redis, script, &q) != REDIS_TAKEN)
        large.len--;
    EXPECT(redis_status(c.redis).waiting_bytes <= LIMIT_REDIS_QUEUE_BYTES);
    EXPECT_INT(REDIS_FULL, redis_eval(c.redis, script, &q));
    EXPECT_INT(1, redis_status(c.redis).waiting);
    client_close(&c);
    mem_free(text);
    end_peer(&p);
}

/* What was never sent may be dropped when its time is over: nobody hears of it any more. */
static void what_waits_expires_unsent(void)
{
    struct got got = {0};
    struct client c;
    struct peer p = start_peer("", NULL);
    client_open(&c, p.url);
    EXPECT_INT(REDIS_TAKEN, client_ask(&c, &got, 20, "SET a b"));
    WAIT(got.answers);
    EXPECT_INT(REDIS_MISSED, got.outcome);
    EXPECT(!got.is_sent);
    EXPECT_INT(0, redis_status(c.redis).waiting);
    EXPECT_INT(REDIS_TAKEN, redis_status(c.redis).state);
    client_close(&c);
    EXPECT_INT(0, got.late);
    end_peer(&p);
}

/* ---- Freed inside what it calls. */

static struct client *freed;
static unsigned calls;

static void free_in_answer(void *arg, const struct redis_answer *answer)
{
    (void)arg, (void)answer;
    calls++;
    redis_free(freed->redis);
    freed->redis = NULL;
}

static void ask_two(struct client *c, uint32_t timeout_ms)
{
    static const struct slice args[] = {SLICE("PING")};
    struct redis_question q = {.args = args, .arg_count = 1, .timeout_ms = timeout_ms, .fn = free_in_answer};
    freed = c;
    calls = 0;
    EXPECT_INT(REDIS_TAKEN, redis_ask(c->redis, &q));
    EXPECT_INT(REDIS_TAKEN, redis_ask(c->redis, &q));
}

static void it_may_be_freed_in_answers(void)
{
    struct client c;
    struct peer p = start_peer(GREETING "+PONG\r\n+PONG\r\n", NULL);
    client_open(&c, p.url);
    ask_two(&c, 10000);
    WAIT(!c.redis || c.down);
    client_close(&c);
    EXPECT_INT(1, calls);
    end_peer(&p);
}

static void it_may_be_freed_when_time_is_over(void)
{
    struct client c;
    struct peer p = start_peer(GREETING, NULL);
    client_open(&c, p.url);
    WAIT(c.ready);
    ask_two(&c, 5);
    WAIT(!c.redis);
    client_close(&c);
    EXPECT_INT(1, calls);
    end_peer(&p);
}

static void it_may_be_freed_when_all_is_lost(void)
{
    struct client c;
    struct peer p = start_peer(GREETING, NULL);
    client_open(&c, p.url);
    WAIT(c.ready);
    ask_two(&c, 60000);
    client_run(&c, 10);
    end_peer(&p);
    WAIT(!c.redis);
    client_close(&c);
    EXPECT_INT(1, calls);
}

static void on_ready_free(void *arg)
{
    calls++;
    redis_free(*(struct redis **)arg);
}

static void on_down_free(void *arg, const struct fault *why)
{
    (void)why;
    on_ready_free(arg);
}

static void free_in_event(const char *url)
{
    static const struct redis_events events = {on_ready_free, on_down_free};
    struct fault why = {0};
    struct loop *loop = loop_new();
    struct redis *r = redis_new(loop, url, &events, &r, &why);
    calls = 0;
    loop_run(loop);
    EXPECT_INT(1, calls);
    loop_free(loop);
}

static void it_may_be_freed_in_events(void)
{
    struct peer p = start_peer(GREETING, NULL);
    free_in_event(p.url);
    free_in_event("redis://127.0.0.1:1");
    free_in_event("redis://no-such-host.invalid");
    free_in_event("redis+sentinel://127.0.0.1:1,[::1]:1/name");
    end_peer(&p);
}

static void it_may_be_freed_at_once(void)
{
    static const char *const urls[] = {"redis://localhost:1", "redis+sentinel://localhost:1/x", "redis://127.0.0.1:1"};
    for (unsigned i = 0; i < 9; i++) {
        struct client c;
        client_open(&c, urls[i / 3]);
        client_run(&c, 1 + i % 3);
        client_close(&c);
    }
    redis_free(NULL);
}

int main(void)
{
    client_prepare();
    RUN(what_is_not_the_protocol_is_cut);
    RUN(what_has_no_end_is_cut);
    RUN(what_nobody_asked_for_is_cut);
    RUN(who_floods_lets_the_loop_turn);
    RUN(who_says_nothing_is_given_up);
    RUN(questions_are_bounded);
    RUN(bytes_are_bounded);
    RUN(bytes_that_just_fit_are_counted);
    RUN(what_waits_expires_unsent);
    RUN(it_may_be_freed_in_answers);
    RUN(it_may_be_freed_when_time_is_over);
    RUN(it_may_be_freed_when_all_is_lost);
    RUN(it_may_be_freed_in_events);
    RUN(it_may_be_freed_at_once);
    return unit_close("redis_peers");
}
