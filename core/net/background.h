/*
 * Long work between the turns of a loop: one piece after the other, each on a fiber, a slice a turn.
 *
 *     background_init(&background, loop);
 *     background_add(&background, &work, load_policies, on_loaded, arg);
 *     background_cancel(&work);                   // on_end comes all the same, soon
 *     background_clear(&background);
 *
 * A slice is LIMIT_BACKGROUND_SLICE_MS as long as the work rests often enough (base/fiber.h). What was added first ends
 * first: no two pieces are under way at a time, so they may share what only one can use. Works are embedded in their
 * owners.
 */
#ifndef MOONGATE_NET_BACKGROUND_H
#define MOONGATE_NET_BACKGROUND_H

#include <stdbool.h>

#include "base/list.h"
#include "net/loop.h"

struct fiber;

struct background {
    struct loop_timer timer;
    struct list_link works; /* the first is under way */
};

struct background_work {
    struct list_link link;
    struct fiber *fiber;
    loop_fn on_end;
    void *arg;
};

void background_init(struct background *background, struct loop *loop);
/* Ends all works, at once: their on_end is called as ever. Welcome on one that is all zeros. */
void background_clear(struct background *background);

/* run is called on a fiber in later turns, then on_end, from the loop: there the work's memory may go. */
void background_add(struct background *background, struct background_work *work, loop_fn run, loop_fn on_end,
                    void *arg);
void background_cancel(struct background_work *work);
bool background_is_idle(const struct background *background);

#endif
