#include "net/loop.h"

#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

_Static_assert(sizeof(struct event) <= LOOP_EVENT_BYTES, "libevent's event has grown: raise LOOP_EVENT_BYTES");

struct deferred {
    loop_fn fn;
    void *arg;
};

struct loop {
    struct event_base *base;
    struct deferred *deferred;
    size_t deferred_count, deferred_cap;
    struct list_link again;
    loop_fn at_turn_end;
    void *at_turn_end_arg;
    uint64_t now_ns; /* 0: not read in this turn */
    bool is_stopped, is_deferring;
    bool is_worn; /* what is deferred waits for the next turn */
};

static struct event *event_of(union loop_event *e)
{
    return (struct event *)e;
}

struct loop *loop_new(void)
{
    struct event_config *config = event_config_new();
    check(config);
    /* epoll is the only method with both; the environment must not choose another. */
    check(event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE) == 0);
    check(event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0);
    struct loop *loop = mem_zalloc(1, sizeof *loop);
    loop->base = event_base_new_with_config(config);
    check(loop->base);
    event_config_free(config);
    list_init(&loop->again);
    return loop;
}

/*
 * Work that is deferred while this runs joins the end of the same round, and so does what that defers, a few times over.
 * Then no more of it is done in this turn: a provider that sends as fast as its client takes keeps "flushed, resumed,
 * read, to be flushed" going for ever, and would go on behind each of the others' callbacks too. What is left keeps its
 * order, since things are freed behind their last use.
 */
#define DEFER_DEPTH 4

/* What goes on deferring, as curl does while bytes keep coming, may do so in a turn that has not taken long. */
static bool is_young(struct loop *loop)
{
    return clock_mono_ns() - loop_now_ns(loop) < LIMIT_TURN_MS * NS_PER_MS;
}

static void run_deferred(struct loop *loop)
{
    size_t done = 0;
    if (loop->is_deferring || loop->is_worn || loop->deferred_count == 0) return;
    loop->is_deferring = true;
    for (int depth = 0; depth < DEFER_DEPTH && done < loop->deferred_count && (!depth || is_young(loop)); depth++) {
        for (size_t end = loop->deferred_count; done < end; done++) {
            struct deferred d = loop->deferred[done];
            d.fn(d.arg);
        }
    }
    loop->deferred_count -= done;
    memmove(loop->deferred, loop->deferred + done, loop->deferred_count * sizeof *loop->deferred);
    loop->is_worn = loop->deferred_count > 0;
    loop->is_deferring = false;
}

void loop_free(struct loop *loop)
{
    if (!loop) return;
    while (loop->deferred_count) {
        loop->is_worn = false;
        run_deferred(loop);
    }
    check(list_is_empty(&loop->again));
    event_base_free(loop->base);
    mem_free(loop->deferred);
    mem_free(loop);
}

static void run_again(struct loop *loop)
{
    struct list_link now;
    list_init(&now);
    while (!list_is_empty(&loop->again)) {
        struct list_link *link = loop->again.next;
        list_remove(link);
        list_append(&now, link);
    }
    while (!list_is_empty(&now)) {
        struct loop_watch *w = LIST_OWNER(now.next, struct loop_watch, again);
        unsigned ready = w->again_ready;
        list_remove(&w->again);
        w->again_ready = 0;
        w->fn(w->arg, ready);
        run_deferred(loop);
    }
}

/* Behind what was left over for the next turn too: nothing may lie about while the loop waits. */
static void end_turn(struct loop *loop)
{
    if (loop->at_turn_end) loop->at_turn_end(loop->at_turn_end_arg);
}

void loop_run(struct loop *loop)
{
    while (!loop->is_stopped) {
        loop->is_worn = false;
        run_deferred(loop);
        if (loop->is_stopped) break; /* what was deferred may stop, and nothing else need happen ever after */
        bool has_again = !list_is_empty(&loop->again) || loop->deferred_count;
        end_turn(loop);
        loop->now_ns = 0;
        int result = event_base_loop(loop->base, EVLOOP_ONCE | (has_again ? EVLOOP_NONBLOCK : 0));
        check(result >= 0);
        run_deferred(loop);
        run_again(loop);
        if (result == 1 && !has_again && loop->deferred_count == 0) break;
    }
    end_turn(loop);
    loop->is_stopped = false;
}

void loop_stop(struct loop *loop)
{
    loop->is_stopped = true;
}

void loop_defer(struct loop *loop, loop_fn fn, void *arg)
{
    if (loop->deferred_count == loop->deferred_cap) {
        loop->deferred_cap = loop->deferred_cap ? loop->deferred_cap * 2 : 32;
        loop->deferred = mem_realloc(loop->deferred, loop->deferred_cap * sizeof *loop->deferred);
    }
    loop->deferred[loop->deferred_count++] = (struct deferred){fn, arg};
}

void loop_at_turn_end(struct loop *loop, loop_fn fn, void *arg)
{
    check(!fn || !loop->at_turn_end);
    loop->at_turn_end = fn;
    loop->at_turn_end_arg = arg;
}

uint64_t loop_now_ns(struct loop *loop)
{
    if (loop->now_ns == 0) loop->now_ns = clock_mono_ns();
    return loop->now_ns;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *t = arg;
    struct loop *loop = t->loop;
    (void)fd, (void)what;
    t->fn(t->arg);
    run_deferred(loop);
}

void loop_timer_init(struct loop_timer *t, struct loop *loop, loop_fn fn, void *arg)
{
    t->loop = loop;
    t->fn = fn;
    t->arg = arg;
    check(event_assign(event_of(&t->event), loop->base, -1, 0, on_time, t) == 0);
}

void loop_timer_arm_ms(struct loop_timer *t, uint64_t ms)
{
    struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
    check(event_add(event_of(&t->event), &tv) == 0);
}

void loop_timer_disarm(struct loop_timer *t)
{
    if (t->loop) event_del(event_of(&t->event));
}

bool loop_timer_is_armed(const struct loop_timer *t)
{
    return t->loop && event_pending((const struct event *)&t->event, EV_TIMEOUT, NULL);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct loop_watch *w = arg;
    struct loop *loop = w->loop;
    unsigned ready =
        (what & EV_READ ? LOOP_READ : 0u) | (what & EV_WRITE ? LOOP_WRITE : 0u) | (what & EV_CLOSED ? LOOP_HANGUP : 0u);
    (void)fd;
    w->fn(w->arg, ready);
    run_deferred(loop);
}

void loop_watch_init(struct loop_watch *w, struct loop *loop, int fd, loop_ready_fn fn, void *arg)
{
    *w = (struct loop_watch){.loop = loop, .fn = fn, .arg = arg, .fd = fd};
    list_init(&w->again);
}

void loop_watch_set(struct loop_watch *w, unsigned interest)
{
    if (!w->loop) return;
    if (interest == 0) list_remove(&w->again);
    if (interest == w->interest) return;
    if (w->interest) event_del(event_of(&w->event));
    w->interest = interest;
    if (!interest) return;
    short what = EV_PERSIST;
    if (interest & LOOP_READ) what |= EV_READ;
    if (interest & LOOP_WRITE) what |= EV_WRITE;
    if (interest & LOOP_HANGUP) what |= EV_CLOSED;
    if (interest & LOOP_EDGE) what |= EV_ET;
    check(event_assign(event_of(&w->event), w->loop->base, w->fd, what, on_event, w) == 0);
    check(event_add(event_of(&w->event), NULL) == 0);
}

void loop_watch_again(struct loop_watch *w, unsigned ready)
{
    w->again_ready |= ready;
    if (list_is_empty(&w->again)) list_append(&w->loop->again, &w->again);
}
