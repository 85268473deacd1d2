#include "flow/policy_redis.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/redis.h"
#include "wire/json.h"

#define ARGS_MAX 4u

struct policy_redis {
    struct loop *loop;
    const char *url;
    struct redis *redis; /* NULL until somebody asks */
    const struct redis_script *incr;
    struct list_link calls;
};

struct policy_redis_call {
    struct list_link link;
    uint64_t ticket;
    bool is_forgotten;
};

/* A counter ends when it was to end at its first step, however often it is stepped. */
#define INCR                                                                                                           \
    "#!lua\n"                                                                                                          \
    "local sum = redis.call('INCRBY', KEYS[1], ARGV[1])\n"                                                             \
    "if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end\n"                            \
    "return sum\n"

struct policy_redis *policy_redis_new(struct loop *loop, const char *url)
{
    struct policy_redis *r = mem_zalloc(1, sizeof *r);
    r->loop = loop;
    r->url = url;
    list_init(&r->calls);
    return r;
}

static void drop(struct policy_redis_call *call)
{
    list_remove(&call->link);
    mem_free(call);
}

void policy_redis_free(struct policy_redis *r)
{
    if (!r) return;
    redis_free(r->redis);
    while (!list_is_empty(&r->calls))
        drop(LIST_OWNER(r->calls.next, struct policy_redis_call, link));
    mem_free(r);
}

/* --- answers --- */

static void say(uint64_t ticket, int status, struct slice body)
{
    if (body.len > LIMIT_POLICY_REDIS_BYTES)
        policy_http_done(ticket, &(struct policy_http_reply){.error = "limit"});
    else
        policy_http_done(ticket, &(struct policy_http_reply){.status = status, .body = body});
}

static void say_reply(uint64_t ticket, const struct redis_reply *reply)
{
    char number[24];
    switch (reply->kind) {
    case REDIS_NIL: say(ticket, 404, SLICE("")); return;
    case REDIS_INTEGER:
        snprintf(number, sizeof number, "%lld", (long long)reply->integer);
        say(ticket, 200, slice_str(number));
        return;
    case REDIS_TEXT:
    case REDIS_STATUS: say(ticket, 200, reply->text); return;
    case REDIS_ERROR: say(ticket, 500, reply->text); return;
    case REDIS_ARRAY: break; /* none of these commands has one */
    }
    policy_http_done(ticket, &(struct policy_http_reply){.error = "closed"});
}

static void on_answer(void *arg, const struct redis_answer *answer)
{
    struct policy_redis_call *call = arg;
    uint64_t ticket = call->ticket;
    bool is_forgotten = call->is_forgotten;
    drop(call);
    if (is_forgotten) return;
    if (answer->outcome == REDIS_ANSWERED)
        say_reply(ticket, answer->reply);
    else
        policy_http_done(ticket, &(struct policy_http_reply){.error = answer->outcome == REDIS_MISSED ? "timeout"
                                                                                                     : "closed"});
}

/* --- questions --- */

/* A URL that is none was refused when the configuration was read. */
static void connect(struct policy_redis *r)
{
    struct fault why;
    if (r->redis) return;
    r->redis = redis_new(r->loop, r->url, NULL, NULL, &why);
    check(r->redis != NULL);
    r->incr = redis_script(r->redis, SLICE(INCR));
}

/* A list of texts and whole numbers. False: it is none. */
static bool read_args(struct slice json, struct arena *arena, struct slice *args, size_t *count)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    bool is_good = json_parse(&tape, json, &why) && json_is(&tape, 0, JSON_ARRAY);
    for (uint32_t at = is_good ? json_first(&tape, 0) : JSON_NONE; at != JSON_NONE; at = json_next(&tape, at)) {
        is_good = is_good && *count < ARGS_MAX;
        if (!is_good) break;
        args[(*count)++] = json_is(&tape, at, JSON_STRING) ? json_text(&tape, at, arena)
                                                           : arena_copy(arena, json_raw(&tape, at));
    }
    json_clear(&tape);
    return is_good;
}

static enum redis_taken put(struct policy_redis *r, struct slice command, const struct slice *args, size_t count,
                            struct redis_question *q)
{
    struct slice words[ARGS_MAX + 1];
    if (slice_equal(command, SLICE("incr")) && count == 3) {
        q->keys = args, q->key_count = 1, q->args = args + 1, q->arg_count = 2;
        return redis_eval(r->redis, r->incr, q);
    }
    q->args = words;
    if (slice_equal(command, SLICE("set")) && count == 3) {
        words[0] = SLICE("SET"), words[1] = args[0], words[2] = args[1], words[3] = SLICE("PX"), words[4] = args[2];
        q->arg_count = 5;
    } else if (slice_equal(command, SLICE("get")) && count == 1) {
        words[0] = SLICE("GET"), words[1] = args[0];
        q->arg_count = 2;
    } else if (slice_equal(command, SLICE("delete")) && count == 1) {
        words[0] = SLICE("DEL"), words[1] = args[0];
        q->arg_count = 2;
    } else {
        return REDIS_FULL;
    }
    return redis_ask(r->redis, q);
}

void *policy_redis_start(struct policy_redis *r, const struct policy_http_request *request, uint64_t ticket)
{
    struct arena arena;
    struct slice args[ARGS_MAX], command;
    size_t count = 0;
    enum redis_taken taken = REDIS_DOWN;
    struct policy_redis_call *call = mem_zalloc(1, sizeof *call);
    struct redis_question q = {.timeout_ms = request->timeout_ms, .fn = on_answer, .arg = call};
    call->ticket = ticket;
    list_append(&r->calls, &call->link);
    arena_init(&arena);
    slice_split(request->url, ':', &command);
    connect(r);
    if (read_args(request->body, &arena, args, &count)) taken = put(r, command, args, count, &q);
    arena_clear(&arena);
    if (taken == REDIS_TAKEN) return call;
    drop(call);
    policy_http_done(ticket, &(struct policy_http_reply){.error = taken == REDIS_FULL ? "limit" : "refused"});
    return NULL;
}

bool policy_redis_forget(struct policy_redis *r, const void *call)
{
    for (struct list_link *at = r->calls.next; at != &r->calls; at = at->next) {
        struct policy_redis_call *each = LIST_OWNER(at, struct policy_redis_call, link);
        if (each != call) continue;
        each->is_forgotten = true;
        return true;
    }
    return false;
}
