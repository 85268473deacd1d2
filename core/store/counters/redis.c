#include "store/counters/redis_inner.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"

/* --- what is under way --- */

static bool is_end(const struct counters_asked *asked)
{
    return asked->operation == COUNTERS_SETTLE || asked->operation == COUNTERS_RELEASE;
}

static struct counters_asked *new_asked(struct counters_redis *c, const struct counters_question *q,
                                        counters_redis_fn fn, void *arg)
{
    struct counters_asked *asked = mem_zalloc(1, sizeof *asked);
    struct counters_place place = counters_redis_place(c);
    *asked = (struct counters_asked){.c = c, .fn = fn, .arg = arg, .ticket = ++c->tickets, .operation = q->operation};
    asked->q = fn ? q : NULL;
    asked->timeout_ms = q->timeout_ms ? q->timeout_ms : LIMIT_COUNTERS_WAIT_MS;
    memcpy(asked->hold, q->hold, sizeof asked->hold);
    list_init(&asked->link);
    arena_init(&asked->arena);
    if (is_end(asked)) {
        asked->end = counters_end_of(q, &asked->arena);
        asked->session = arena_copy(&asked->arena, slice_str(c->session)).ptr;
    } else {
        asked->call = counters_call_ask(q, &place, &asked->arena);
    }
    return asked;
}

static void on_answer(void *arg, const struct redis_answer *answer);
static void on_late(void *arg, const struct redis_answer *answer);

static enum redis_taken put(struct counters_asked *asked)
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

/* Behind the admission, and before any other by the same id. */
static void release(struct counters_redis *c, const char *hold)
{
    struct counters_question q = {.operation = COUNTERS_RELEASE};
    memcpy(q.hold, hold, sizeof q.hold);
    counters_ends_add(new_asked(c, &q, NULL, NULL));
}

/* --- answers --- */

static void tell(struct counters_asked *asked, const struct counters_answer *answer)
{
    const struct counters_question *q = asked->q;
    asked->q = NULL;
    if (q && asked->fn) asked->fn(asked->arg, answer);
}

static void tell_error(struct counters_asked *asked, const char *error)
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

/* What an admission took that nobody waits for, or whose answer cannot be read; and what an earlier try for the same
 * hold may have taken, where this one says nothing of it. */
static bool leaves_a_hold(const struct counters_asked *asked, const struct redis_reply *reply, const char *error)
{
    enum counters_reply code = counters_script_reply(reply);
    if (asked->operation != COUNTERS_ADMIT || code == COUNTERS_REPLY_NO) return false;
    return code == COUNTERS_REPLY_OK || code == COUNTERS_REPLY_AGAIN ? error != NULL : asked->owes_release;
}

/* The owner may free all of this room in what he is told: told last, and of a copy. */
static void answered(struct counters_asked *asked, const struct redis_reply *reply)
{
    struct counters_redis *c = asked->c;
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_answer answer = {.error = "unreachable"};
    struct counters_asked told = {.q = asked->q, .fn = asked->fn, .arg = asked->arg};
    if (asked->q) counters_script_answer(asked->q, reply, states, &answer);
    if (leaves_a_hold(asked, reply, answer.error)) release(c, asked->hold);
    counters_asked_drop_waiting(asked);
    tell_unknown(c, reply);
    if (told.q && !c->is_freed) tell(&told, &answer);
}

/* Sent, and never answered: whether it was done is not known. */
static void unanswered(struct counters_asked *asked, const char *error, bool is_sent, bool comes_late)
{
    struct counters_asked told = {.q = asked->q, .fn = asked->fn, .arg = asked->arg};
    memcpy(told.hold, asked->hold, sizeof told.hold);
    asked->q = NULL;
    if ((is_sent && asked->operation == COUNTERS_ADMIT) || asked->owes_release) release(asked->c, asked->hold);
    if (!comes_late) counters_asked_drop_waiting(asked);
    tell_error(&told, error);
}

static void on_answer(void *arg, const struct redis_answer *answer)
{
    struct counters_asked *asked = arg;
    switch (answer->outcome) {
    case REDIS_ANSWERED: answered(asked, answer->reply); return;
    case REDIS_MISSED: unanswered(asked, "timeout", answer->is_sent, answer->is_sent); return;
    case REDIS_LOST: unanswered(asked, "unreachable", answer->is_sent, false); return;
    }
}

/* What an admission took is on its way back already. */
static void on_late(void *arg, const struct redis_answer *answer)
{
    (void)answer;
    counters_asked_drop_waiting(arg);
}

/* --- questions --- */

const char *counters_redis_ask(struct counters_redis *c, const struct counters_question *q, counters_redis_fn fn,
                               void *arg, uint64_t *ticket)
{
    if (q->item_count > LIMIT_COUNTERS_ITEMS) return "more items than one question may have";
    struct counters_asked *asked = new_asked(c, q, fn, arg);
    if (ticket) *ticket = asked->ticket;
    if (is_end(asked)) return counters_ends_add(asked);
    counters_ends_say(c);
    enum redis_taken taken = put(asked);
    if (taken == REDIS_TAKEN && q->operation == COUNTERS_ADMIT) asked->owes_release = counters_ends_unsay(c, q->hold);
    if (taken == REDIS_TAKEN) return NULL;
    counters_asked_drop(asked);
    return counters_redis_error(taken);
}

void counters_redis_forget(struct counters_redis *c, uint64_t ticket)
{
    counters_ends_forget(c, ticket);
    for (struct list_link *at = c->waiting.next; at != &c->waiting; at = at->next) {
        struct counters_asked *asked = LIST_OWNER(at, struct counters_asked, link);
        if (asked->ticket == ticket) asked->q = NULL;
    }
}

enum redis_taken counters_redis_call(struct counters_redis *c, const struct counters_call *call, uint32_t timeout_ms,
                                     redis_fn fn, void *arg)
{
    counters_ends_say(c);
    struct redis_question q = {.keys = call->keys, .key_count = call->key_count, .args = call->args,
                               .arg_count = call->arg_count, .timeout_ms = timeout_ms, .fn = fn, .arg = arg};
    return redis_eval(c->redis, c->scripts[call->script], &q);
}

/* --- its life --- */

static void on_ready(void *arg)
{
    struct counters_redis *c = arg;
    counters_ends_again(c);
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
    counters_ends_init(c, loop);
    return c;
}

void counters_redis_free(struct counters_redis *c)
{
    if (!c) return;
    redis_free(c->redis);
    while (!list_is_empty(&c->waiting))
        counters_asked_drop(LIST_OWNER(c->waiting.next, struct counters_asked, link));
    counters_ends_clear(c);
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
