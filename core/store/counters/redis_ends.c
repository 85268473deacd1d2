#include "store/counters/redis_inner.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

#define AGAIN_MS 200u   /* what is unsaid is tried again so often … */
#define AGAIN_COUNT 64u /* … so many at a time */

void counters_asked_drop(struct counters_asked *asked)
{
    list_remove(&asked->link);
    arena_clear(&asked->arena);
    mem_free(asked);
}

void counters_asked_drop_waiting(struct counters_asked *asked)
{
    asked->c->waiting_count--;
    counters_asked_drop(asked);
}

const char *counters_redis_error(enum redis_taken taken)
{
    return taken == REDIS_FULL ? "full" : "unreachable";
}

/* --- ends of holds --- */

static void on_ended(void *arg, const struct redis_answer *answer);
static void on_ended_late(void *arg, const struct redis_answer *answer);

static void drop_ends(struct counters_ends *e)
{
    list_remove(&e->link);
    arena_clear(&e->arena);
    mem_free(e);
}

/* The first of a list, as many as one call may say. */
static struct counters_ends *gather(struct counters_redis *c, const struct list_link *list)
{
    struct counters_ends *e = mem_zalloc(1, sizeof *e);
    e->c = c;
    arena_init(&e->arena);
    list_append(&c->calls, &e->link);
    for (struct list_link *at = list->next; at != list && e->count < COUNTERS_ENDS; at = at->next) {
        struct counters_asked *asked = LIST_OWNER(at, struct counters_asked, link);
        if (e->count && strcmp(asked->session, e->asked[0]->session) != 0) break;
        e->asked[e->count++] = asked;
    }
    return e;
}

static enum redis_taken put_ends(struct counters_ends *e)
{
    struct counters_redis *c = e->c;
    struct counters_place place = {.session = e->asked[0]->session};
    const struct counters_end *ends[COUNTERS_ENDS];
    uint32_t timeout_ms = 0;
    for (size_t i = 0; i < e->count; i++) {
        ends[i] = &e->asked[i]->end;
        if (e->asked[i]->timeout_ms > timeout_ms) timeout_ms = e->asked[i]->timeout_ms;
    }
    struct counters_call call = counters_call_end(&place, ends, e->count, &e->arena);
    struct redis_question q = {.keys = call.keys, .key_count = call.key_count, .args = call.args,
                               .arg_count = call.arg_count, .timeout_ms = timeout_ms, .fn = on_ended,
                               .late = on_ended_late, .arg = e};
    return redis_eval(c->redis, c->scripts[call.script], &q);
}

/* Says the first of a list; they wait for their answer then. How many; 0: it was not taken. */
static size_t say(struct counters_redis *c, struct list_link *list)
{
    struct counters_ends *e = gather(c, list);
    if (put_ends(e) != REDIS_TAKEN) {
        drop_ends(e);
        return 0;
    }
    for (size_t i = 0; i < e->count; i++) {
        list_remove(&e->asked[i]->link);
        list_append(&c->waiting, &e->asked[i]->link);
        c->said_releases += e->asked[i]->operation == COUNTERS_RELEASE;
    }
    return e->count;
}

/* Whoever asks now asks behind what is over: a place that is free again is found free. */
void counters_ends_say(struct counters_redis *c)
{
    while (!list_is_empty(&c->ending) && say(c, &c->ending) > 0) {}
}

/* --- ends that could not be said --- */

static void note_unsaid(const struct counters_asked *asked, int one)
{
    asked->c->unsaid_count += (size_t)one;
    if (asked->operation == COUNTERS_RELEASE) asked->c->unsaid_releases += (size_t)one;
}

static void drop_unsaid(struct counters_asked *asked)
{
    note_unsaid(asked, -1);
    counters_asked_drop(asked);
}

/* It is in no list, and belongs to this one from here on. The oldest makes place. */
static void keep_unsaid(struct counters_asked *asked)
{
    struct counters_redis *c = asked->c;
    asked->q = NULL;
    asked->timeout_ms = LIMIT_COUNTERS_WAIT_MS;
    list_append(&c->unsaid, &asked->link);
    note_unsaid(asked, 1);
    if (c->unsaid_count > LIMIT_COUNTERS_UNSAID) {
        drop_unsaid(LIST_OWNER(c->unsaid.next, struct counters_asked, link));
        c->lost++;
    }
    if (!loop_timer_is_armed(&c->again)) loop_timer_arm_ms(&c->again, AGAIN_MS);
}

static void not_said(struct counters_asked *asked)
{
    list_remove(&asked->link);
    asked->c->waiting_count--;
    keep_unsaid(asked);
}

/* No answer says that it was done. */
static void not_done(struct counters_asked *asked)
{
    if (asked->is_forgone) counters_asked_drop_waiting(asked);
    else not_said(asked);
}

void counters_ends_again(struct counters_redis *c)
{
    for (size_t some, said = 0; said < AGAIN_COUNT && !list_is_empty(&c->unsaid); said += some) {
        some = say(c, &c->unsaid);
        if (some == 0) return;
        const struct counters_ends *e = LIST_OWNER(c->calls.prev, struct counters_ends, link);
        for (size_t i = 0; i < some; i++)
            note_unsaid(e->asked[i], -1);
        c->waiting_count += some;
    }
}

static void on_again(void *arg)
{
    struct counters_redis *c = arg;
    counters_ends_again(c);
    if (!list_is_empty(&c->unsaid)) loop_timer_arm_ms(&c->again, AGAIN_MS);
}

const char *counters_ends_add(struct counters_asked *asked)
{
    enum redis_taken taken = redis_status(asked->c->redis).state;
    if (taken != REDIS_TAKEN) {
        keep_unsaid(asked);
        return counters_redis_error(taken);
    }
    list_append(&asked->c->ending, &asked->link);
    asked->c->waiting_count++;
    loop_work_add(&asked->c->saying);
    return NULL;
}

static bool is_release(const struct counters_asked *asked, const char *hold)
{
    return asked->operation == COUNTERS_RELEASE && strcmp(asked->hold, hold) == 0;
}

/* What is under way comes before the admission, and is not to come behind it. */
static bool forgo(struct counters_redis *c, const char *hold)
{
    size_t left = c->said_releases;
    bool is_any = false;
    for (struct list_link *at = c->waiting.next; at != &c->waiting && left; at = at->next) {
        struct counters_asked *asked = LIST_OWNER(at, struct counters_asked, link);
        left -= asked->operation == COUNTERS_RELEASE;
        if (!is_release(asked, hold)) continue;
        asked->is_forgone = is_any = true;
    }
    return is_any;
}

/* After an outage thousands of ends may be there, and hardly one of them is a release. */
static bool unsay_kept(struct counters_redis *c, const char *hold)
{
    size_t before = c->unsaid_releases;
    struct list_link *next;
    for (struct list_link *at = c->unsaid.next; at != &c->unsaid && c->unsaid_releases; at = next) {
        struct counters_asked *asked = LIST_OWNER(at, struct counters_asked, link);
        next = at->next;
        if (is_release(asked, hold)) drop_unsaid(asked);
    }
    return c->unsaid_releases < before;
}

/* What found no room. */
static bool unsay_ending(struct counters_redis *c, const char *hold)
{
    bool is_any = false;
    struct list_link *next;
    for (struct list_link *at = c->ending.next; at != &c->ending; at = next) {
        struct counters_asked *asked = LIST_OWNER(at, struct counters_asked, link);
        next = at->next;
        if (!is_release(asked, hold) || asked->q) continue;
        counters_asked_drop_waiting(asked);
        is_any = true;
    }
    return is_any;
}

bool counters_ends_unsay(struct counters_redis *c, const char *hold)
{
    bool is_forgone = forgo(c, hold), is_kept = unsay_kept(c, hold), is_ending = unsay_ending(c, hold);
    return is_forgone || is_kept || is_ending;
}

/* --- answers --- */

/* An error that another Redis, or this one a little later, would not answer with. */
static bool is_passing(const struct redis_reply *reply)
{
    return reply->kind == REDIS_ERROR && reply->error != REDIS_FAILED;
}

static void note_told(struct counters_ends *e)
{
    for (size_t i = 0; i < e->count; i++) {
        struct counters_asked *asked = e->asked[i];
        e->told[i] = (struct counters_told){asked->q, asked->fn, asked->arg, asked->ticket, ""};
        memcpy(e->told[i].hold, asked->hold, sizeof asked->hold);
        asked->q = NULL;
    }
}

static void leave_all(struct counters_ends *e, bool is_done)
{
    for (size_t i = 0; i < e->count; i++) {
        e->c->said_releases -= e->asked[i]->operation == COUNTERS_RELEASE;
        if (is_done) counters_asked_drop_waiting(e->asked[i]);
        else not_done(e->asked[i]);
    }
}

static void tell_one(const struct counters_told *told, const struct redis_reply *reply, const char *error)
{
    struct counters_answer answer = {.error = error};
    if (!told->q || !told->fn) return;
    memcpy(answer.hold, told->hold, sizeof answer.hold);
    if (reply) counters_script_answer(told->q, reply, NULL, &answer);
    told->fn(told->arg, &answer);
}

/* Each may forget the others, or free all of this room. */
static bool tell_all(struct counters_ends *e, const struct redis_reply *reply, const char *error)
{
    struct counters_redis *c = e->c;
    c->telling = e;
    for (size_t i = 0; !c->is_freed && i < e->count; i++)
        tell_one(&e->told[i], reply, error);
    c->telling = NULL;
    return !c->is_freed;
}

static void on_ended(void *arg, const struct redis_answer *answer)
{
    struct counters_ends *e = arg;
    bool is_answered = answer->outcome == REDIS_ANSWERED;
    bool comes_late = answer->outcome == REDIS_MISSED && answer->is_sent;
    note_told(e);
    if (!comes_late) leave_all(e, is_answered && !is_passing(answer->reply));
    const char *error = answer->outcome == REDIS_MISSED ? "timeout" : "unreachable";
    if (tell_all(e, is_answered ? answer->reply : NULL, error) && !comes_late) drop_ends(e);
}

static void on_ended_late(void *arg, const struct redis_answer *answer)
{
    struct counters_ends *e = arg;
    leave_all(e, answer->outcome == REDIS_ANSWERED && !is_passing(answer->reply));
    drop_ends(e);
}

/* One that is not taken after all is told of, last. */
static void on_saying(void *arg)
{
    struct counters_redis *c = arg;
    counters_ends_say(c);
    if (list_is_empty(&c->ending)) return;
    struct counters_asked *asked = LIST_OWNER(c->ending.next, struct counters_asked, link);
    struct counters_told told = {asked->q, asked->fn, asked->arg, asked->ticket, ""};
    memcpy(told.hold, asked->hold, sizeof told.hold);
    const char *error = counters_redis_error(redis_status(c->redis).state);
    not_said(asked);
    loop_work_add(&c->saying);
    tell_one(&told, NULL, error);
}

/* --- its life --- */

static void forget_in(struct list_link *list, uint64_t ticket)
{
    for (struct list_link *at = list->next; at != list; at = at->next) {
        struct counters_asked *asked = LIST_OWNER(at, struct counters_asked, link);
        if (asked->ticket == ticket) asked->q = NULL;
    }
}

void counters_ends_forget(struct counters_redis *c, uint64_t ticket)
{
    forget_in(&c->ending, ticket);
    for (size_t i = 0; c->telling && i < c->telling->count; i++)
        if (c->telling->told[i].ticket == ticket) c->telling->told[i].q = NULL;
}

void counters_ends_init(struct counters_redis *c, struct loop *loop)
{
    list_init(&c->unsaid);
    list_init(&c->ending);
    list_init(&c->calls);
    loop_work_init(&c->saying, loop, on_saying, c);
    loop_timer_init(&c->again, loop, on_again, c);
}

static void drop_all(struct list_link *list)
{
    while (!list_is_empty(list))
        counters_asked_drop(LIST_OWNER(list->next, struct counters_asked, link));
}

void counters_ends_clear(struct counters_redis *c)
{
    loop_timer_disarm(&c->again);
    loop_work_drop(&c->saying);
    drop_all(&c->ending);
    drop_all(&c->unsaid);
    while (!list_is_empty(&c->calls))
        drop_ends(LIST_OWNER(c->calls.next, struct counters_ends, link));
}
