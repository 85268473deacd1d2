/* The loop: order of deferred work, timers, watches by level and by edge, freeing inside callbacks. */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/loop.h"

static struct loop *loop;
static struct buf notes;

static void begin(void)
{
    loop = loop_new();
    buf_init(&notes);
}

static void finish(void)
{
    loop_free(loop);
    buf_clear(&notes);
}

static void note(void *arg)
{
    buf_append(&notes, slice_str(arg));
}

/* ---- Deferred work */

static void defer_more(void *arg)
{
    note(arg);
    loop_defer(loop, note, "c");
    note("-");
}

static void deferred_work_runs_in_order_and_after_the_callback(void)
{
    begin();
    loop_defer(loop, defer_more, "a");
    loop_defer(loop, note, "b");
    EXPECT_SLICE(SLICE(""), buf_slice(&notes));
    loop_run(loop); /* nothing is watched: it returns */
    EXPECT_SLICE(SLICE("a-bc"), buf_slice(&notes));
    finish();
}

static void what_is_deferred_last_runs_before_the_loop_goes(void)
{
    begin();
    loop_defer(loop, note, "a");
    loop_free(loop);
    EXPECT_SLICE(SLICE("a"), buf_slice(&notes));
    buf_clear(&notes);
}

static bool is_restless;

static void defer_again(void *arg)
{
    (void)arg;
    if (is_restless) loop_defer(loop, defer_again, NULL);
}

static void calm(void *arg)
{
    note(arg);
    is_restless = false;
}

/* Without an end to a round the timer would never come. */
static void work_that_goes_on_deferring_lets_others_in(void)
{
    struct loop_timer t;
    begin();
    is_restless = true;
    loop_timer_init(&t, loop, calm, "t");
    loop_timer_arm_ms(&t, 1);
    loop_defer(loop, defer_again, NULL);
    loop_run(loop);
    EXPECT_SLICE(SLICE("t"), buf_slice(&notes));
    finish();
}

static size_t noted_at_end;

static void on_turn_end(void *arg)
{
    (void)arg;
    noted_at_end = buf_len(&notes);
}

static void defer_deeper(void *arg)
{
    int *left = arg;
    note("x");
    if (--*left > 0) loop_defer(loop, defer_deeper, left);
}

static size_t noted_late;

static void on_late(void *arg)
{
    (void)arg;
    noted_late = noted_at_end; /* before the loop waited for this timer */
    loop_stop(loop);
}

/* Deferred from a timer, so deep; false: where the processor was away, both timers came in one turn. */
static bool ends_before_late(int depth, uint64_t late_ms)
{
    struct loop_timer soon, late;
    int left = depth;
    begin();
    noted_at_end = noted_late = 0;
    loop_at_turn_end(loop, on_turn_end, NULL);
    loop_timer_init(&soon, loop, defer_deeper, &left);
    loop_timer_init(&late, loop, on_late, NULL);
    loop_timer_arm_ms(&soon, 1);
    loop_timer_arm_ms(&late, late_ms);
    loop_run(loop);
    return noted_late == (size_t)depth;
}

/* Work that was deferred too deep runs at the beginning of the next turn, and the loop may wait long behind it. */
static void a_turn_ends_before_the_loop_waits(void)
{
    for (int depth = 1; depth < 20; depth++) {
        int left = 0;
        uint64_t late_ms = 20;
        while (!ends_before_late(depth, late_ms) && late_ms < 5000) {
            finish();
            late_ms *= 2;
        }
        EXPECT_INT(depth, noted_late);
        loop_defer(loop, defer_deeper, &left);
        loop_run(loop);
        EXPECT_INT(depth + 1, noted_at_end); /* and before it is left */
        finish();
    }
}

static void on_two_timers(void *arg)
{
    note(arg);
    loop_defer(loop, note, "|");
}

/* Each callback has its own deferred work done before the next one runs. */
static void deferred_work_comes_before_the_next_callback(void)
{
    struct loop_timer a, b;
    begin();
    loop_timer_init(&a, loop, on_two_timers, "a");
    loop_timer_init(&b, loop, on_two_timers, "b");
    loop_timer_arm_ms(&a, 0);
    loop_timer_arm_ms(&b, 0);
    loop_run(loop);
    EXPECT_SLICE(SLICE("a|b|"), buf_slice(&notes));
    finish();
}

/* ---- Timers */

static void timers_come_in_order_and_can_be_taken_back(void)
{
    struct loop_timer a, b, c, none = {0};
    begin();
    loop_timer_init(&a, loop, note, "a");
    loop_timer_init(&b, loop, note, "b");
    loop_timer_init(&c, loop, note, "c");
    EXPECT(!loop_timer_is_armed(&a));
    loop_timer_arm_ms(&a, 200);
    loop_timer_arm_ms(&b, 10);
    loop_timer_arm_ms(&c, 5);
    loop_timer_arm_ms(&a, 50); /* anew */
    EXPECT(loop_timer_is_armed(&c));
    loop_timer_disarm(&c);
    loop_timer_disarm(&c);
    loop_timer_disarm(&none);
    EXPECT(!loop_timer_is_armed(&c) && !loop_timer_is_armed(&none));
    loop_run(loop);
    EXPECT_SLICE(SLICE("ba"), buf_slice(&notes));
    EXPECT(!loop_timer_is_armed(&a));
    finish();
}

struct ticker {
    struct loop_timer timer;
    int count;
};

static void on_tick(void *arg)
{
    struct ticker *t = arg;
    if (++t->count < 5)
        loop_timer_arm_ms(&t->timer, 1);
    else
        loop_defer(loop, mem_free, t); /* its own memory, inside its own callback */
    buf_append_char(&notes, '.');
}

static void a_timer_may_arm_and_free_itself(void)
{
    begin();
    struct ticker *t = mem_zalloc(1, sizeof *t);
    loop_timer_init(&t->timer, loop, on_tick, t);
    loop_timer_arm_ms(&t->timer, 1);
    loop_run(loop);
    EXPECT_SLICE(SLICE("....."), buf_slice(&notes));
    finish();
}

/* ---- Watches */

struct end {
    struct loop_watch watch;
    int fd, calls, calls_max;
    unsigned ready;
};

static void on_ready(void *arg, unsigned ready)
{
    struct end *e = arg;
    e->ready |= ready;
    if (++e->calls >= e->calls_max) loop_stop(loop);
}

static void on_stop(void *arg)
{
    loop_stop(arg);
}

static void turns(int count)
{
    struct loop_timer stop;
    loop_timer_init(&stop, loop, on_stop, loop);
    for (int i = 0; i < count; i++) {
        loop_timer_arm_ms(&stop, 1);
        loop_run(loop);
    }
    loop_timer_disarm(&stop);
}

static int open_pair(struct end *e, int calls_max)
{
    int fds[2];
    EXPECT_INT(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    *e = (struct end){.fd = fds[0], .calls_max = calls_max};
    loop_watch_init(&e->watch, loop, e->fd, on_ready, e);
    return fds[1];
}

static void close_pair(struct end *e, int other)
{
    loop_watch_set(&e->watch, 0);
    close(e->fd);
    if (other >= 0) close(other);
}

static void a_level_is_told_as_long_as_it_lasts(void)
{
    struct end e;
    begin();
    int other = open_pair(&e, 3);
    loop_watch_set(&e.watch, LOOP_READ);
    EXPECT_INT(1, write(other, "x", 1));
    loop_run(loop);
    EXPECT_INT(3, e.calls);
    EXPECT_INT(LOOP_READ, e.ready);
    loop_watch_set(&e.watch, LOOP_READ | LOOP_WRITE);
    loop_run(loop);
    EXPECT_INT(LOOP_READ | LOOP_WRITE, e.ready);
    loop_watch_set(&e.watch, 0);
    e.calls = 0;
    turns(3);
    EXPECT_INT(0, e.calls);
    close_pair(&e, other);
    finish();
}

static void an_edge_is_told_once(void)
{
    struct end e;
    begin();
    int other = open_pair(&e, 100);
    loop_watch_set(&e.watch, LOOP_READ | LOOP_HANGUP | LOOP_EDGE);
    EXPECT_INT(1, write(other, "x", 1));
    turns(5);
    EXPECT_INT(1, e.calls);
    EXPECT_INT(1, write(other, "x", 1));
    turns(5);
    EXPECT_INT(2, e.calls);
    EXPECT_INT(LOOP_READ, e.ready);
    close(other); /* with two bytes unread */
    turns(5);
    EXPECT(e.ready & LOOP_HANGUP);
    close_pair(&e, -1);
    finish();
}

static void on_again(void *arg, unsigned ready)
{
    struct end *e = arg;
    e->ready |= ready;
    note(e->calls_max == 1 ? "a" : "b");
    if (++e->calls < 3) loop_watch_again(&e->watch, LOOP_READ);
}

/* Who stops early gets another turn, after the others. */
static void again_takes_turns(void)
{
    struct end a, b;
    begin();
    int other_a = open_pair(&a, 1), other_b = open_pair(&b, 2);
    a.watch.fn = b.watch.fn = on_again;
    loop_watch_again(&a.watch, LOOP_READ);
    loop_watch_again(&a.watch, LOOP_WRITE);
    loop_watch_again(&b.watch, LOOP_READ);
    loop_run(loop);
    EXPECT_SLICE(SLICE("ababab"), buf_slice(&notes));
    EXPECT_INT(LOOP_READ | LOOP_WRITE, a.ready);
    loop_watch_again(&a.watch, LOOP_READ);
    loop_watch_set(&a.watch, 0);
    loop_run(loop);
    EXPECT_INT(3, a.calls);
    close_pair(&a, other_a);
    close_pair(&b, other_b);
    finish();
}

/* ---- The whole */

static void stop_before_run_is_not_lost(void)
{
    struct end e;
    begin();
    int other = open_pair(&e, 1);
    loop_watch_set(&e.watch, LOOP_READ);
    loop_stop(loop);
    loop_run(loop);
    EXPECT_INT(0, e.calls);
    close_pair(&e, other);
    finish();
}

static uint64_t seen_ns[2];

static void on_look(void *arg)
{
    (void)arg;
    seen_ns[0] = loop_now_ns(loop);
    uint64_t before = clock_mono_ns();
    while (clock_mono_ns() - before < 3 * NS_PER_MS) {
    }
    seen_ns[1] = loop_now_ns(loop);
}

static void time_stands_still_within_a_turn(void)
{
    struct loop_timer t;
    begin();
    uint64_t before = clock_mono_ns();
    loop_timer_init(&t, loop, on_look, NULL);
    loop_timer_arm_ms(&t, 10);
    loop_run(loop);
    EXPECT(seen_ns[0] == seen_ns[1]);
    EXPECT(seen_ns[0] > before); /* read after the wait, not before it */
    loop_timer_arm_ms(&t, 0);
    uint64_t first = seen_ns[0];
    loop_run(loop);
    EXPECT(seen_ns[0] >= first + 3 * NS_PER_MS);
    finish();
}

static int ends_seen;

static void count_end(void *arg)
{
    ++*(int *)arg;
}

static void look_at_ends(void *arg)
{
    ends_seen = *(int *)arg;
}

static void take_long(void *arg)
{
    uint64_t began_ns = clock_mono_ns();
    while (clock_mono_ns() - began_ns < 2 * LIMIT_TURN_MS * NS_PER_MS) {}
    loop_defer(loop, look_at_ends, arg);
}

static void what_a_long_turn_defers_is_of_the_next(void)
{
    int ends = 0;
    loop = loop_new();
    loop_at_turn_end(loop, count_end, &ends);
    loop_defer(loop, take_long, &ends);
    loop_run(loop);
    EXPECT_INT(1, ends_seen);
    loop_at_turn_end(loop, NULL, NULL);
    loop_free(loop);
}

int main(void)
{
    RUN(deferred_work_runs_in_order_and_after_the_callback);
    RUN(what_is_deferred_last_runs_before_the_loop_goes);
    RUN(deferred_work_comes_before_the_next_callback);
    RUN(work_that_goes_on_deferring_lets_others_in);
    RUN(a_turn_ends_before_the_loop_waits);
    RUN(timers_come_in_order_and_can_be_taken_back);
    RUN(a_timer_may_arm_and_free_itself);
    RUN(a_level_is_told_as_long_as_it_lasts);
    RUN(an_edge_is_told_once);
    RUN(again_takes_turns);
    RUN(stop_before_run_is_not_lost);
    RUN(time_stands_still_within_a_turn);
    RUN(what_a_long_turn_defers_is_of_the_next);
    return unit_close("loop");
}
