/*
 * One process's event loop: descriptors, timers, and work put off until the current callback has returned.
 *
 *     struct loop *loop = loop_new();
 *     loop_watch_init(&w, loop, fd, on_ready, arg);   loop_watch_set(&w, LOOP_READ);
 *     loop_timer_init(&t, loop, on_time, arg);        loop_timer_arm_ms(&t, 250);
 *     loop_defer(loop, thing_free, thing);            // the safe way to free something inside its own callback
 *     loop_run(loop);                                 // until loop_stop(), or nothing is watched any more
 *     loop_free(loop);
 *
 * Watches, timers and work are embedded in their owners and must be unset (loop_watch_set(w, 0), loop_timer_disarm(),
 * loop_work_drop()) before the owner's memory goes. A callback may unset, set again or give back to loop_defer()
 * anything, itself included.
 *
 * A turn lasts LIMIT_TURN_MS, and one callback of each kind at least: first what is urgent (accepting, timers, orders
 * of other processes), then what has just come in, then what stopped early in an earlier turn. What is not reached
 * keeps its place for the next turn, so that who floods waits for the others and the urgent comes round every few
 * milliseconds. It is for each callback to stop early: after some 64 KB, or a millisecond.
 * Stands on libevent, which no other floor sees. Not for several threads.
 */
#ifndef MOONGATE_NET_LOOP_H
#define MOONGATE_NET_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct loop;

typedef void (*loop_fn)(void *arg);

enum {
    LOOP_READ = 1,
    LOOP_WRITE = 2,
    LOOP_HANGUP = 4, /* the peer will send no more (FIN), noticed although nothing is read; a reset comes as READ */
    LOOP_EDGE = 8,   /* tell each change once, not as long as it lasts: for who remembers what it has not read */
    LOOP_URGENT = 16, /* before others in each turn: for the few that must come round whatever the others do */
};
/* `ready` is some of LOOP_READ, LOOP_WRITE, LOOP_HANGUP. */
typedef void (*loop_ready_fn)(void *arg, unsigned ready);

#define LOOP_EVENT_BYTES 128

/* Private to loop.c: room for libevent's event, whose header stays there. */
union loop_event {
    void *align;
    unsigned char bytes[LOOP_EVENT_BYTES];
};

/* Private to loop.c: a place among those that wait for their turn. */
struct loop_place {
    struct list_link link;
    void (*run)(struct loop_place *place);
};

struct loop_timer {
    union loop_event event;
    struct loop_place place;
    struct loop *loop;
    loop_fn fn;
    void *arg;
};

struct loop_watch {
    union loop_event event;
    struct loop_place place;
    struct loop *loop;
    loop_ready_fn fn;
    void *arg;
    int fd;
    unsigned interest, told, again_ready;
};

struct loop_work {
    struct loop_place place;
    struct loop *loop;
    loop_fn fn;
    void *arg;
};

struct loop *loop_new(void);
/* Runs what was deferred, then frees. Watches and timers must be unset. NULL is welcome. */
void loop_free(struct loop *loop);
/* Until loop_stop(), or until nothing is watched, armed or deferred. May be called again. */
void loop_run(struct loop *loop);
/* loop_run() returns once the current turn is over. */
void loop_stop(struct loop *loop);
/* Runs fn after the current callback has returned, in the order of the calls; at once in the next turn when no callback
 * is running. What deferred work defers runs in this turn too, unless that has taken long (LIMIT_TURN_MS), but work
 * that goes on deferring lets the others in between. */
void loop_defer(struct loop *loop, loop_fn fn, void *arg);
/* Runs fn at the end of every turn, behind all callbacks and before the loop waits again: for work that is cheaper done
 * once for many of them. One for each loop; NULL: none any more. It must not defer, arm or watch anything. */
void loop_at_turn_end(struct loop *loop, loop_fn fn, void *arg);
/* Monotonic, read once a turn: at most one turn old. */
uint64_t loop_now_ns(struct loop *loop);
/* Another number in each turn: for who may only do so much in one. */
uint64_t loop_turn(const struct loop *loop);
/* The callback under way has lasted for half a turn: for who is called many times in one. */
bool loop_is_long(const struct loop *loop);
/* Grows with every turn from now on: shows other processes that this one is busy and not hung. NULL: none any more. */
void loop_set_beat(struct loop *loop, _Atomic uint64_t *beat);
/* What the longest turn since the last look took, waiting apart. */
uint64_t loop_take_longest_ns(struct loop *loop);

void loop_timer_init(struct loop_timer *t, struct loop *loop, loop_fn fn, void *arg);
/* Once, after ms; an armed timer is armed anew. Granularity: a few milliseconds. 0: as loop_work_add(). */
void loop_timer_arm_ms(struct loop_timer *t, uint64_t ms);
/* Welcome on a timer that is not armed, and on one that is all zeros. */
void loop_timer_disarm(struct loop_timer *t);
bool loop_timer_is_armed(const struct loop_timer *t);

/* Watches nothing yet; the descriptor stays the owner's and is closed after loop_watch_set(w, 0). */
void loop_watch_init(struct loop_watch *w, struct loop *loop, int fd, loop_ready_fn fn, void *arg);
/* What to be told of from now on: an or of LOOP_READ, LOOP_WRITE, LOOP_HANGUP, LOOP_EDGE and LOOP_URGENT; 0: nothing,
 * also welcome on a watch that is all zeros. Costs nothing when nothing changes. */
void loop_watch_set(struct loop_watch *w, unsigned interest);
/* Calls the watch in the next turn as if it were ready, after others have had theirs: for who stopped early so that
 * others are not starved. Dropped by loop_watch_set(w, 0). */
void loop_watch_again(struct loop_watch *w, unsigned ready);

/* The same without a descriptor: fn once, in a later turn, behind what has just come in. */
void loop_work_init(struct loop_work *work, struct loop *loop, loop_fn fn, void *arg);
void loop_work_add(struct loop_work *work);
/* Welcome on work that was not added, and on one that is all zeros. */
void loop_work_drop(struct loop_work *work);

#endif
