#include "net/loop.h"

#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

_Static_assert(sizeof(struct event) <= LOOP_EVENT_BYTES, "libevent's event has grown: raise LOOP_EVENT_BYTES");

#define TURN_NS (LIMIT_TURN_MS * NS_PER_MS)

struct deferred {
    loop_fn fn;
    void *arg;
};

struct loop {
    struct event_base *base;
    struct deferred *deferred;
    size_t deferred_count, deferred_cap;
    struct list_link urgent, fresh, again; /* places, in the order in which they came */
    loop_fn at_turn_end;
    void *at_turn_end_arg;
    _Atomic uint64_t *beat; /* NULL: nobody wants to know */
    uint64_t turn, longest_ns;
    uint64_t callback_ns; /* when the callback under way began */
    uint64_t now_ns; /* when this turn began; 0: nothing has happened in it */
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
    list_init(&loop->urgent);
    list_init(&loop->fresh);
    list_init(&loop->again);
    return loop;
}

/*
 * Work that is deferred while this runs joins the end of the same round, and so does what that defers, a few times
 * over. Then no more of it is done in this turn: a provider that sends as fast as its client takes keeps "flushed,
 * resumed, read, to be flushed" going for ever, and would go on behind each of the others' callbacks too. What is left
 * keeps its order, since things are freed behind their last use.
 */
#define DEFER_DEPTH 4

/* What goes on deferring, as curl does while bytes keep coming, may do so in a turn that has not taken long. */
static bool is_young(struct loop *loop)
{
    return clock_mono_ns() - loop_now_ns(loop) < TURN_NS;
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
    check(list_is_empty(&loop->urgent) && list_is_empty(&loop->fresh) && list_is_empty(&loop->again));
    event_base_free(loop->base);
    mem_free(loop->deferred);
    mem_free(loop);
}

/* Those before `end`, until the turn has had so much of its time; one at least. When a callback leaves too much behind
 * (run_deferred), that is enough for this turn. */
static void run_places(struct loop *loop, struct list_link *places, const struct list_link *end, uint64_t until_ns)
{
    while (places->next != end) {
        struct loop_place *place = LIST_OWNER(places->next, struct loop_place, link);
        list_remove(&place->link);
        place->run(place);
        run_deferred(loop);
        loop->callback_ns = clock_mono_ns();
        if (loop->is_worn || loop->callback_ns >= until_ns) break;
    }
}

static bool has_places(const struct loop *loop)
{
    return !list_is_empty(&loop->urgent) || !list_is_empty(&loop->fresh) || !list_is_empty(&loop->again);
}

/* Who comes in meanwhile has a later turn: behind the marks. */
static void run_turn(struct loop *loop)
{
    struct list_link urgent_end, fresh_end, again_end;
    if (!has_places(loop)) return;
    uint64_t began = loop_now_ns(loop), fresh_ns = list_is_empty(&loop->again) ? TURN_NS : TURN_NS * 3 / 4;
    loop->callback_ns = began;
    list_append(&loop->urgent, &urgent_end);
    list_append(&loop->fresh, &fresh_end);
    list_append(&loop->again, &again_end);
    run_places(loop, &loop->urgent, &urgent_end, began + TURN_NS / 2);
    run_places(loop, &loop->fresh, &fresh_end, began + fresh_ns);
    run_places(loop, &loop->again, &again_end, began + TURN_NS);
    list_remove(&urgent_end);
    list_remove(&fresh_end);
    list_remove(&again_end);
}

/* Behind what was left over for the next turn too: nothing may lie about while the loop waits. */
static void end_turn(struct loop *loop)
{
    if (loop->at_turn_end) loop->at_turn_end(loop->at_turn_end_arg);
    loop->turn++;
    if (loop->beat) atomic_store_explicit(loop->beat, loop->turn, memory_order_relaxed);
    if (loop->now_ns == 0) return;
    uint64_t took_ns = clock_mono_ns() - loop->now_ns;
    if (took_ns > loop->longest_ns) loop->longest_ns = took_ns;
    loop->now_ns = 0;
}

void loop_run(struct loop *loop)
{
    while (!loop->is_stopped) {
        loop->is_worn = false;
        run_deferred(loop);
        if (loop->is_stopped) break; /* what was deferred may stop, and nothing else need happen ever after */
        bool has_more = has_places(loop) || loop->deferred_count;
        end_turn(loop);
        int result = event_base_loop(loop->base, EVLOOP_ONCE | (has_more ? EVLOOP_NONBLOCK : 0));
        check(result >= 0);
        run_deferred(loop);
        run_turn(loop);
        if (result == 1 && !has_more && !has_places(loop) && loop->deferred_count == 0) break;
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

uint64_t loop_turn(const struct loop *loop)
{
    return loop->turn;
}

bool loop_is_long(const struct loop *loop)
{
    return clock_mono_ns() - loop->callback_ns >= TURN_NS / 2;
}

void loop_set_beat(struct loop *loop, _Atomic uint64_t *beat)
{
    loop->beat = beat;
}

uint64_t loop_take_longest_ns(struct loop *loop)
{
    uint64_t longest = loop->longest_ns;
    loop->longest_ns = 0;
    return longest;
}

/* libevent only tells; what is done about it is done in run_turn(). */
static void take_place(struct loop *loop, struct list_link *places, struct loop_place *place)
{
    loop_now_ns(loop);
    if (list_is_empty(&place->link)) list_append(places, &place->link);
}

static void run_timer(struct loop_place *place)
{
    struct loop_timer *t = LIST_OWNER(place, struct loop_timer, place);
    t->fn(t->arg);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *t = arg;
    (void)fd, (void)what;
    take_place(t->loop, &t->loop->urgent, &t->place);
}

void loop_timer_init(struct loop_timer *t, struct loop *loop, loop_fn fn, void *arg)
{
    t->loop = loop;
    t->fn = fn;
    t->arg = arg;
    t->place.run = run_timer;
    list_init(&t->place.link);
    check(event_assign(event_of(&t->event), loop->base, -1, 0, on_time, t) == 0);
}

/* No time at all is what work asks for that goes on in the next turn: it is nothing urgent. */
void loop_timer_arm_ms(struct loop_timer *t, uint64_t ms)
{
    struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
    list_remove(&t->place.link);
    if (ms == 0) {
        event_del(event_of(&t->event));
        list_append(&t->loop->again, &t->place.link);
        return;
    }
    check(event_add(event_of(&t->event), &tv) == 0);
}

void loop_timer_disarm(struct loop_timer *t)
{
    if (!t->loop) return;
    list_remove(&t->place.link);
    event_del(event_of(&t->event));
}

bool loop_timer_is_armed(const struct loop_timer *t)
{
    if (!t->loop) return false;
    return !list_is_empty(&t->place.link) || event_pending((const struct event *)&t->event, EV_TIMEOUT, NULL);
}

static void run_watch(struct loop_place *place)
{
    struct loop_watch *w = LIST_OWNER(place, struct loop_watch, place);
    unsigned ready = w->told | w->again_ready;
    w->told = w->again_ready = 0;
    w->fn(w->arg, ready);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct loop_watch *w = arg;
    struct loop *loop = w->loop;
    w->told |=
        (what & EV_READ ? LOOP_READ : 0u) | (what & EV_WRITE ? LOOP_WRITE : 0u) | (what & EV_CLOSED ? LOOP_HANGUP : 0u);
    (void)fd;
    take_place(loop, w->interest & LOOP_URGENT ? &loop->urgent : &loop->fresh, &w->place);
}

void loop_watch_init(struct loop_watch *w, struct loop *loop, int fd, loop_ready_fn fn, void *arg)
{
    *w = (struct loop_watch){.loop = loop, .fn = fn, .arg = arg, .fd = fd, .place.run = run_watch};
    list_init(&w->place.link);
}

void loop_watch_set(struct loop_watch *w, unsigned interest)
{
    if (!w->loop) return;
    if (interest == 0) {
        list_remove(&w->place.link);
        w->told = w->again_ready = 0;
    }
    if (interest == w->interest) return;
    /* What was told is of another interest, maybe of another socket with that number: it will be told again. */
    w->told = 0;
    if (!w->again_ready) list_remove(&w->place.link);
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
    if (list_is_empty(&w->place.link)) list_append(&w->loop->again, &w->place.link);
}

static void run_work(struct loop_place *place)
{
    struct loop_work *work = LIST_OWNER(place, struct loop_work, place);
    work->fn(work->arg);
}

void loop_work_init(struct loop_work *work, struct loop *loop, loop_fn fn, void *arg)
{
    *work = (struct loop_work){.loop = loop, .fn = fn, .arg = arg, .place.run = run_work};
    list_init(&work->place.link);
}

void loop_work_add(struct loop_work *work)
{
    if (list_is_empty(&work->place.link)) list_append(&work->loop->again, &work->place.link);
}

void loop_work_drop(struct loop_work *work)
{
    if (work->loop) list_remove(&work->place.link);
}
