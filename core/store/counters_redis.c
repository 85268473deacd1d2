#include "store/counters_redis.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/loop.h"

#define AGAIN_MS 200u /* what is unsaid is tried again so often … */
#define AGAIN_COUNT 64u /* … so many at a time */

/* A question under way, or the end of a hold that is to be said again. */
struct asked {
    struct list_link link;
    struct counters_redis *c;
    const struct counters_question *q; /* NULL: nobody waits for it any more */
    counters_redis_fn fn;
    void *arg;
    uint64_t ticket;
    enum counters_operation operation;
    char hold[COUNTERS_HOLD_BYTES];
    struct arena arena; /* of the call */
    struct counters_call call;
    uint32_t timeout_ms;
};

struct counters_redis {
    struct loop *loop;
    struct redis *redis;
    const struct redis_script *scripts[COUNTERS_SCRIPTS];
    const struct counters_redis_events *events;
    void *arg;
    char session[COUNTERS_NAME_BYTES], epoch[COUNTERS_NAME_BYTES];
    uint64_t owner, tickets, lost;
    struct list_link waiting, unsaid;
    size_t waiting_count, unsaid_count, unsaid_releases;
    struct loop_timer again;
    bool is_freed;
};

/* --- what is under way --- */

static struct asked *new_asked(struct counters_redis *c, const struct counters_question *q, counters_redis_fn fn,
                               void *arg)
{
    struct asked *asked = mem_zalloc(1, sizeof *asked);
    struct counters_place place = counters_redis_place(c);
    *asked = (struct asked){.c = c, .fn = fn, .arg = arg, .ticket = ++c->tickets, .operation = q->operation};
    asked->q = fn ? q : NULL;
    asked->timeout_ms = q->timeout_ms ? q->timeout_ms : LIMIT_COUNTERS_WAIT_MS;
    memcpy(asked->hold, q->hold, sizeof asked->hold);
    list_init(&asked->link);
    arena_init(&asked->arena);
    asked->call = counters_call_ask(q, &place, &asked->arena);
    return asked;
}

static void drop(struct asked *asked)
{
    list_remove(&asked->link);
    arena_clear(&asked->arena);
    mem_free(asked);
}

static void drop_waiting(struct asked *asked)
{
    asked->c->waiting_count--;
    drop(asked);
}

static void take_from_unsaid(struct asked *asked)
{
    asked->c->unsaid_count--;
    asked->c->unsaid_releases -= asked->operation == COUNTERS_RELEASE;
    list_remove(&asked->link);
}

static void drop_unsaid(struct asked *asked)
{
    take_from_unsaid(asked);
    drop(asked);
}

static bool is_end(const struct asked *asked)
{
    return asked->operation == COUNTERS_SETTLE || asked->operation == COUNTERS_RELEASE;
}

static void on_answer(void *arg, const struct redis_answer *answer);
static void on_late(void *arg, const struct redis_answer *answer);

static enum redis_taken put(struct asked *asked)
{
    struct counters_redis *c = asked->c;
    struct redis_question q = {.keys = asked->call.keys, .key_count = asked->call.key_count, .args = asked->call.args,
                               .arg_count = asked->call.arg_count, .timeout_ms = asked->timeout_ms, .fn = on_answer,
                               .late = on_late, .arg = asked};
    enum redis_taken taken = redis_eval(c->redis, c->scripts[asked->call.script], &q);
    if (taken != REDIS_TAKEN) return taken;
    list_append(&c->waiting, &asked->link);
    c->waiting_count++;
    return REDIS_TAKEN;
}

/* --- ends that could not be said --- */

/* It is in no list, and belongs to this one from here on. The oldest makes place. */
static void keep_unsaid(struct asked *asked)
{
    struct counters_redis *c = asked->c;
    asked->q = NULL;
    asked->timeout_ms = LIMIT_COUNTERS_WAIT_MS;
    list_append(&c->unsaid, &asked->link);
    c->unsaid_releases += asked->operation == COUNTERS_RELEASE;
    if (++c->unsaid_count > LIMIT_COUNTERS_UNSAID) {
        drop_unsaid(LIST_OWNER(c->unsaid.next, struct asked, link));
        c->lost++;
    }
    if (!loop_timer_is_armed(&c->again)) loop_timer_arm_ms(&c->again, AGAIN_MS);
}

static void not_said(struct asked *asked)
{
    list_remove(&asked->link);
    asked->c->waiting_count--;
    keep_unsaid(asked);
}

static void say_unsaid(struct counters_redis *c)
{
    for (unsigned i = 0; i < AGAIN_COUNT && !list_is_empty(&c->unsaid); i++) {
        struct asked *asked = LIST_OWNER(c->unsaid.next, struct asked, link);
        take_from_unsaid(asked);
        if (put(asked) == REDIS_TAKEN) continue;
        list_prepend(&c->unsaid, &asked->link);
        c->unsaid_count++;
        c->unsaid_releases += asked->operation == COUNTERS_RELEASE;
        return;
    }
}

static void on_again(void *arg)
{
    struct counters_redis *c = arg;
    say_unsaid(c);
    if (!list_is_empty(&c->unsaid)) loop_timer_arm_ms(&c->again, AGAIN_MS);
}

/* The hold is wanted after all: what was to be said of an earlier try for it is not. After an outage thousands of ends
 * may be there, and hardly one of them is a release. */
static void unsay(struct counters_redis *c, const char *hold)
{
    struct list_link *next;
    for (struct list_link *at = c->unsaid.next; at != &c->unsaid && c->unsaid_releases; at = next) {
        struct asked *asked = LIST_OWNER(at, struct asked, link);
        next = at->next;
        if (asked->operation == COUNTERS_RELEASE && strcmp(asked->hold, hold) == 0) drop_unsaid(asked);
    }
}

/* Behind the admission, and before any other by the same id. */
static void release(struct counters_redis *c, const char *hold)
{
    struct counters_question q = {.operation = COUNTERS_RELEASE};
    memcpy(q.hold, hold, sizeof q.hold);
    struct asked *asked = new_asked(c, &q, NULL, NULL);
    if (put(asked) != REDIS_TAKEN) keep_unsaid(asked);
}

/* --- answers --- */

static void tell(struct asked *asked, const struct counters_answer *answer)
{
    const struct counters_question *q = asked->q;
    asked->q = NULL;
    if (q && asked->fn) asked->fn(asked->arg, answer);
}

static void tell_error(struct asked *asked, const char *error)
{
    struct counters_answer answer = {.error = error};
    memcpy(answer.hold, asked->hold, sizeof answer.hold);
    tell(asked, &answer);
}

static void tell_unknown(struct counters_redis *c, const struct redis_reply *reply)
{
    enum counters_reply code = counters_script_reply(reply);
    bool is_unknown = code == COUNTERS_REPLY_FENCED || code == COUNTERS_REPLY_NOT_SEEDED;
    if (is_unknown && c->events && c->events->on_unknown) c->events->on_unknown(c->arg, code == COUNTERS_REPLY_FENCED);
}

/* An error that another Redis, or this one a little later, would not answer with. */
static bool is_passing(const struct redis_reply *reply)
{
    return reply->kind == REDIS_ERROR && reply->error != REDIS_FAILED;
}

static bool is_taken(const struct redis_reply *reply)
{
    enum counters_reply code = counters_script_reply(reply);
    return code == COUNTERS_REPLY_OK || code == COUNTERS_REPLY_AGAIN;
}

/* The owner may free all of this room in what he is told: told last, and of a copy. What an admission took that nobody
 * waits for, or whose answer cannot be read, goes back. */
static void answered(struct asked *asked, const struct redis_reply *reply)
{
    struct counters_redis *c = asked->c;
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_answer answer = {.error = "unreachable"};
    struct asked told = {.q = asked->q, .fn = asked->fn, .arg = asked->arg};
    if (asked->q) counters_script_answer(asked->q, reply, states, &answer);
    if (answer.error && asked->operation == COUNTERS_ADMIT && is_taken(reply)) release(c, asked->hold);
    if (is_end(asked) && is_passing(reply)) not_said(asked);
    else drop_waiting(asked);
    tell_unknown(c, reply);
    if (told.q && !c->is_freed) tell(&told, &answer);
}

/* Sent, and never answered: whether it was done is not known. */
static void unanswered(struct asked *asked, const char *error, bool is_sent, bool comes_late)
{
    struct asked told = {.q = asked->q, .fn = asked->fn, .arg = asked->arg};
    memcpy(told.hold, asked->hold, sizeof told.hold);
    asked->q = NULL;
    if (is_sent && asked->operation == COUNTERS_ADMIT) release(asked->c, asked->hold);
    if (!comes_late && is_end(asked)) not_said(asked);
    else if (!comes_late) drop_waiting(asked);
    tell_error(&told, error);
}

static void on_answer(void *arg, const struct redis_answer *answer)
{
    struct asked *asked = arg;
    switch (answer->outcome) {
    case REDIS_ANSWERED: answered(asked, answer->reply); return;
    case REDIS_MISSED: unanswered(asked, "timeout", answer->is_sent, answer->is_sent); return;
    case REDIS_LOST: unanswered(asked, "unreachable", answer->is_sent, false); return;
    }
}

/* What an admission took is on its way back already. */
static void on_late(void *arg, const struct redis_answer *answer)
{
    struct asked *asked = arg;
    bool is_done = answer->outcome == REDIS_ANSWERED && !is_passing(answer->reply);
    if (is_end(asked) && !is_done) not_said(asked);
    else drop_waiting(asked);
}

/* --- questions --- */

static const char *error_of(enum redis_taken taken)
{
    return taken == REDIS_FULL ? "full" : "unreachable";
}

const char *counters_redis_ask(struct counters_redis *c, const struct counters_question *q, counters_redis_fn fn,
                               void *arg, uint64_t *ticket)
{
    if (q->item_count > LIMIT_COUNTERS_ITEMS) return "more items than one question may have";
    struct asked *asked = new_asked(c, q, fn, arg);
    if (ticket) *ticket = asked->ticket;
    enum redis_taken taken = put(asked);
    if (taken == REDIS_TAKEN && q->operation == COUNTERS_ADMIT) unsay(c, q->hold);
    if (taken == REDIS_TAKEN) return NULL;
    if (is_end(asked)) keep_unsaid(asked);
    else drop(asked);
    return error_of(taken);
}

void counters_redis_forget(struct counters_redis *c, uint64_t ticket)
{
    for (struct list_link *at = c->waiting.next; at != &c->waiting; at = at->next) {
        struct asked *asked = LIST_OWNER(at, struct asked, link);
        if (asked->ticket != ticket) continue;
        asked->q = NULL;
        return;
    }
}

enum redis_taken counters_redis_call(struct counters_redis *c, const struct counters_call *call, uint32_t timeout_ms,
                                     redis_fn fn, void *arg)
{
    struct redis_question q = {.keys = call->keys, .key_count = call->key_count, .args = call->args,
                               .arg_count = call->arg_count, .timeout_ms = timeout_ms, .fn = fn, .arg = arg};
    return redis_eval(c->redis, c->scripts[call->script], &q);
}

/* --- its life --- */

static void on_ready(void *arg)
{
    struct counters_redis *c = arg;
    say_unsaid(c);
    if (c->events && c->events->on_ready) c->events->on_ready(c->arg);
}

static void on_down(void *arg, const struct fault *why)
{
    struct counters_redis *c = arg;
    if (c->events && c->events->on_down) c->events->on_down(c->arg, why);
}

struct counters_redis *counters_redis_new(struct loop *loop, const char *url, uint64_t owner,
                                          const struct counters_redis_events *events, void *arg, struct fault *why)
{
    static const struct redis_events on = {.on_ready = on_ready, .on_down = on_down};
    struct counters_redis *c = mem_zalloc(1, sizeof *c);
    c->redis = redis_new(loop, url, &on, c, why);
    if (!c->redis) {
        mem_free(c);
        return NULL;
    }
    for (int i = 0; i < COUNTERS_SCRIPTS; i++)
        c->scripts[i] = redis_script(c->redis, counters_script_source((enum counters_script)i));
    c->loop = loop;
    c->events = events;
    c->arg = arg;
    c->owner = owner;
    list_init(&c->waiting);
    list_init(&c->unsaid);
    loop_timer_init(&c->again, loop, on_again, c);
    return c;
}

void counters_redis_free(struct counters_redis *c)
{
    if (!c) return;
    redis_free(c->redis);
    loop_timer_disarm(&c->again);
    while (!list_is_empty(&c->waiting))
        drop(LIST_OWNER(c->waiting.next, struct asked, link));
    while (!list_is_empty(&c->unsaid))
        drop(LIST_OWNER(c->unsaid.next, struct asked, link));
    c->is_freed = true;
    loop_defer(c->loop, mem_free, c);
}

void counters_redis_enter(struct counters_redis *c, const char *session, const char *epoch)
{
    check(strlen(session) < sizeof c->session && strlen(epoch) < sizeof c->epoch);
    snprintf(c->session, sizeof c->session, "%s", session);
    snprintf(c->epoch, sizeof c->epoch, "%s", epoch);
}

struct counters_place counters_redis_place(const struct counters_redis *c)
{
    return (struct counters_place){.session = c->session, .epoch = c->epoch, .owner = c->owner};
}

struct counters_redis_use counters_redis_use(const struct counters_redis *c)
{
    return (struct counters_redis_use){c->waiting_count, c->unsaid_count, c->lost};
}

struct redis_status counters_redis_status(const struct counters_redis *c)
{
    return redis_status(c->redis);
}
