/*
 * Watches a fleet's registry in PostgreSQL from a loop, without ever blocking it: listens for what others commit, and
 * asks every LIMIT_REGISTRY_POLL_MS, since a notice may be lost, or a pooler stand in between.
 *
 *     struct registry_watch *w = registry_watch_new(loop, &events, arg, &why);
 *     on_seen:  seen->revision, seen->epoch …            // as often as it is asked, changed or not
 *     on_lost:  the database is away; it is tried again  // once a loss
 *     registry_watch_free(w);
 *
 * Where it is: registry_use(). Each minute it sends itself a notice; one that does not come back is logged once.
 */
#ifndef MOONGATE_STORE_REGISTRY_WATCH_H
#define MOONGATE_STORE_REGISTRY_WATCH_H

#include <stdbool.h>

#include "base/fault.h"
#include "store/confirmed.h"

struct loop;
struct registry_watch;

struct registry_watch_events {
    void (*on_seen)(void *arg, const struct confirmed_seen *seen);
    void (*on_empty)(void *arg); /* it answers, and has no registry yet */
    void (*on_lost)(void *arg, const struct fault *why);
};

/* events: borrowed until the end. NULL and *why: what is said of it is no connection string. */
struct registry_watch *registry_watch_new(struct loop *loop, const struct registry_watch_events *events, void *arg,
                                          struct fault *why);
/* Asks at once, or as soon as the question under way is answered. */
void registry_watch_look(struct registry_watch *w);
void registry_watch_free(struct registry_watch *w); /* NULL is welcome */

#endif
