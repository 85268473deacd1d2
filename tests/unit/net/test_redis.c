/* A Redis client before a real Redis: what is asked, and what is answered. */
#include "net/redis.h"

#include "base/limits.h"
#include "base/mem.h"
#include "redis_client.h"

static struct redis_server server;

/* ---- Replies. */

static void questions_are_answered_in_their_order(void)
{
    static struct got got[2000];
    struct client c;
    client_open(&c, server.url);
    memset(got, 0, sizeof got);
    got_turn = 0;
    redis_server_say(&server, "DEL count");
    for (unsigned i = 0; i < 2000; i++)
        EXPECT_INT(REDIS_TAKEN, client_ask(&c, &got[i], 20000, i % 100 == 7 ? "INCR count 1" : "INCR count"));
    EXPECT_INT(0, got_turn); /* never from inside the call */
    WAIT(got_turn == 2000);
    for (unsigned i = 0, counted = 0; i < 2000; i++) {
        EXPECT_INT(i + 1, got[i].turn);
        EXPECT_INT(i % 100 == 7 ? REDIS_ERROR : REDIS_INTEGER, got[i].kind);
        if (got[i].kind == REDIS_INTEGER) EXPECT_INT(++counted, got[i].integer);
    }
    EXPECT_INT(0, redis_status(c.redis).waiting);
    EXPECT_INT(0, redis_status(c.redis).waiting_bytes);
    client_close(&c);
}

static void each_kind_of_reply_is_told(void)
{
    struct got status = {0}, nil = {0}, text = {0}, number = {0}, error = {0};
    struct client c;
    client_open(&c, server.url);
    client_ask(&c, &status, 10000, "SET kind value");
    client_ask(&c, &text, 10000, "GET kind");
    client_ask(&c, &nil, 10000, "GET nothing");
    client_ask(&c, &number, 10000, "STRLEN kind");
    client_ask(&c, &error, 10000, "INCR kind");
    WAIT(error.answers);
    EXPECT_INT(REDIS_STATUS, status.kind);
    EXPECT_STR("OK", status.text);
    EXPECT_INT(REDIS_TEXT, text.kind);
    EXPECT_STR("value", text.text);
    EXPECT_INT(REDIS_NIL, nil.kind);
    EXPECT_INT(5, number.integer);
    EXPECT_INT(REDIS_ERROR, error.kind);
    EXPECT_INT(REDIS_FAILED, error.error);
    EXPECT_STR("ERR value is not an integer or out of range", error.text);
    client_close(&c);
}

static bool has_seen;

static void on_nested(void *arg, const struct redis_answer *answer)
{
    const struct redis_reply *r = answer->reply;
    (void)arg;
    has_seen = true;
    if (r->kind != REDIS_ARRAY || r->count != 4 || r->items[1].count != 3) {
        UNIT_FAIL("not the array that was returned");
        return;
    }
    EXPECT_INT(-7, r->items[0].integer);
    EXPECT_SLICE(SLICE("a\0b"), r->items[1].items[0].text);
    EXPECT_INT(REDIS_NIL, r->items[1].items[1].kind);
    EXPECT_INT(0, r->items[1].items[2].count);
    EXPECT_INT(REDIS_ARRAY, r->items[1].items[2].kind);
    EXPECT_INT(REDIS_STATUS, r->items[2].kind);
    EXPECT_INT(REDIS_ERROR, r->items[3].kind);
    EXPECT_INT(REDIS_OOM, r->items[3].error);
}

static void arrays_hold_arrays(void)
{
    static const struct slice args[] = {
        SLICE("EVAL"), SLICE("return {-7,{'a\\0b',false,{}},{ok='fine'},{err='OOM of some kind'}}"), SLICE("0")};
    struct redis_question q = {.args = args, .arg_count = 3, .timeout_ms = 10000, .fn = on_nested};
    struct client c;
    client_open(&c, server.url);
    has_seen = false;
    EXPECT_INT(REDIS_TAKEN, redis_ask(c.redis, &q));
    WAIT(has_seen);
    client_close(&c);
}

static size_t long_bytes;

static void on_long(void *arg, const struct redis_answer *answer)
{
    (void)arg;
    long_bytes = answer->reply && answer->reply->kind == REDIS_TEXT ? answer->reply->text.len : 1;
}

static void what_is_long_passes_in_pieces(void)
{
    size_t len = 2u * MIB;
    char *text = mem_alloc(len);
    memset(text, 'x', len);
    const struct slice set[] = {SLICE("SET"), SLICE("long"), slice_of(text, len)}, get[] = {SLICE("GET"), SLICE("long")};
    struct redis_question ask = {.args = set, .arg_count = 3, .timeout_ms = 20000};
    struct client c;
    client_open(&c, server.url);
    long_bytes = 0;
    EXPECT_INT(REDIS_TAKEN, redis_ask(c.redis, &ask)); /* nobody wants to know */
    ask = (struct redis_question){.args = get, .arg_count = 2, .timeout_ms = 20000, .fn = on_long};
    EXPECT_INT(REDIS_TAKEN, redis_ask(c.redis, &ask));
    WAIT(long_bytes);
    EXPECT_INT(len, long_bytes);
    mem_free(text);
    redis_server_say(&server, "DEL long");
    client_close(&c);
}

/* ---- Scripts. */

static const char *const source = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1]) .. '!'";

static void scripts_are_loaded_and_loaded_again(void)
{
    struct got first = {0}, again[3] = {{0}}, between = {0};
    struct client c;
    redis_server_say(&server, "SCRIPT FLUSH");
    client_open(&c, server.url);
    const struct redis_script *script = redis_script(c.redis, slice_str(source));
    WAIT(c.ready);
    client_eval(&c, &first, script, "k", "one");
    WAIT(first.answers);
    EXPECT_STR("one!", first.text);
    EXPECT_INT(0, redis_status(c.redis).sent_again); /* it was there, by its hash */
    redis_server_say(&server, "SCRIPT FLUSH");
    client_eval(&c, &again[0], script, "k", "two");
    client_ask(&c, &between, 10000, "PING");
    client_eval(&c, &again[1], script, "k", "three");
    WAIT(again[1].answers);
    client_eval(&c, &again[2], script, "k", "four");
    WAIT(again[2].answers && between.answers);
    EXPECT_STR("two!", again[0].text);
    EXPECT_STR("three!", again[1].text);
    EXPECT_STR("four!", again[2].text);
    EXPECT_INT(1, again[0].answers);
    EXPECT_STR("PONG", between.text);
    EXPECT_INT(2, redis_status(c.redis).sent_again);
    EXPECT_INT(0, redis_status(c.redis).waiting_bytes);
    client_close(&c);
}

static void what_a_script_says_is_told(void)
{
    struct got wrong = {0}, failing = {0};
    struct client c;
    client_open(&c, server.url);
    const struct redis_script *broken = redis_script(c.redis, SLICE("return ("));
    const struct redis_script *raising = redis_script(c.redis, SLICE("return {err='LOADING no, I am not'}"));
    client_eval(&c, &wrong, broken, "k", "v");
    WAIT(wrong.answers);
    EXPECT_INT(REDIS_ERROR, wrong.kind);
    EXPECT(strstr(wrong.text, "compiling") != NULL);
    client_eval(&c, &failing, raising, "k", "v");
    WAIT(failing.answers);
    EXPECT_INT(REDIS_LOADING, failing.error);
    client_close(&c);
}

/* ---- Memory of the server. */

static void a_full_server_says_so(void)
{
    struct got plain = {0}, script = {0}, allowed = {0};
    struct client c;
    client_open(&c, server.url);
    const struct redis_script *strict = redis_script(c.redis, SLICE("#!lua\nreturn redis.call('SET', KEYS[1], ARGV[1])"));
    const struct redis_script *loose =
        redis_script(c.redis, SLICE("#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], ARGV[1])"));
    WAIT(c.ready);
    EXPECT_INT(REDIS_EVICTS_NOTHING, redis_status(c.redis).eviction);
    redis_server_say(&server, "CONFIG SET maxmemory 1");
    client_ask(&c, &plain, 10000, "SET a b");
    client_eval(&c, &script, strict, "k", "v");
    client_eval(&c, &allowed, loose, "k", "v");
    WAIT(allowed.answers);
    EXPECT_INT(REDIS_OOM, plain.error);
    EXPECT_INT(REDIS_ERROR, script.kind);
    EXPECT_INT(REDIS_OOM, script.error);
    EXPECT_STR("OK", allowed.text);
    EXPECT(redis_status(c.redis).is_connected);
    redis_server_say(&server, "CONFIG SET maxmemory 0");
    client_close(&c);
}

static enum redis_eviction eviction_at(const char *url)
{
    struct client c;
    client_open(&c, url);
    WAIT(c.ready);
    enum redis_eviction seen = redis_status(c.redis).eviction;
    client_close(&c);
    return seen;
}

static void eviction_is_asked_for(void)
{
    char url[128];
    redis_server_say(&server, "CONFIG SET maxmemory-policy allkeys-lru");
    EXPECT_INT(REDIS_EVICTS, eviction_at(server.url));
    redis_server_say(&server, "ACL SETUSER info on >secret ~* +@all -config");
    snprintf(url, sizeof url, "%s?user=info&password=secret", server.url);
    EXPECT_INT(REDIS_EVICTS, eviction_at(url));
    redis_server_say(&server, "ACL SETUSER narrow on >secret ~* +@all -@dangerous -ping");
    snprintf(url, sizeof url, "%s?user=narrow&password=secret", server.url);
    EXPECT_INT(REDIS_EVICTION_UNKNOWN, eviction_at(url));
    redis_server_say(&server, "CONFIG SET maxmemory-policy noeviction");
    EXPECT_INT(REDIS_EVICTS_NOTHING, eviction_at(server.url));
}

/* ---- Who we are. */

static void databases_are_apart(void)
{
    struct got got = {0};
    struct client c;
    char url[96];
    snprintf(url, sizeof url, "%s?db=3", server.url);
    client_open(&c, url);
    client_ask(&c, &got, 10000, "SET here three");
    WAIT(got.answers);
    EXPECT_STR("$-1", redis_server_say(&server, "GET here"));
    EXPECT(strstr(redis_server_said(&server, "SELECT 3\r\nGET here", true), "three") != NULL);
    client_close(&c);
}

/* What a try comes to: "" when it is let in. */
static const char *entry(const char *options)
{
    static char said[FAULT_TEXT_BYTES];
    struct client c;
    char url[160];
    snprintf(url, sizeof url, "%s%s", server.url, options);
    client_open(&c, url);
    WAIT(c.ready || c.down);
    snprintf(said, sizeof said, "%s", c.ready ? "" : c.why.text);
    EXPECT(!strstr(said, "s3cret"));
    client_close(&c);
    return said;
}

static void users_and_passwords_are_checked(void)
{
    redis_server_say(&server, "ACL SETUSER moongate on >s3cret ~* +@all");
    EXPECT_STR("", entry("?user=moongate&password=s3cret"));
    EXPECT(strstr(entry("?user=moongate&password=s3cret2"), "refused") != NULL);
    EXPECT(strstr(entry("?user=nobody&password=s3cret"), "refused") != NULL);
    EXPECT(strstr(entry("?password=s3cret"), "takes none") != NULL);
    EXPECT(strstr(entry("?db=99"), "database") != NULL);
    redis_server_say(&server, "CONFIG SET requirepass s3cret-too");
    EXPECT(strstr(entry(""), "wants a password") != NULL);
    EXPECT_STR("", entry("?password=s3cret-too"));
    EXPECT(strstr(entry("?password=s3cret"), "refused") != NULL);
    redis_server_say(&server, "AUTH s3cret-too\r\nCONFIG SET requirepass \"\"");
    EXPECT_STR("", entry(""));
}

static void a_right_that_is_missing_is_an_answer(void)
{
    struct got got = {0};
    struct client c;
    char url[128];
    redis_server_say(&server, "ACL SETUSER reader on >secret ~* +@all -set");
    snprintf(url, sizeof url, "%s?user=reader&password=secret", server.url);
    client_open(&c, url);
    client_ask(&c, &got, 10000, "SET a b");
    WAIT(got.answers);
    EXPECT_INT(REDIS_NOPERM, got.error);
    EXPECT(redis_status(c.redis).is_connected);
    client_close(&c);
}

int main(void)
{
    client_prepare();
    redis_server_start(&server, NULL);
    RUN(questions_are_answered_in_their_order);
    RUN(each_kind_of_reply_is_told);
    RUN(arrays_hold_arrays);
    RUN(what_is_long_passes_in_pieces);
    RUN(scripts_are_loaded_and_loaded_again);
    RUN(what_a_script_says_is_told);
    RUN(a_full_server_says_so);
    RUN(eviction_is_asked_for);
    RUN(databases_are_apart);
    RUN(users_and_passwords_are_checked);
    RUN(a_right_that_is_missing_is_an_answer);
    redis_server_end(&server);
    return unit_close("redis");
}
