/*
 * Clears sessions away that are over, in the counters that a fleet shares: each is fenced, so that whoever wakes up in
 * it takes nothing any more, and what it had taken goes back, a page at a time.
 *
 *     struct reclaim *r = reclaim_new(redis, &events, arg);
 *     reclaim_add(r, session, false);          // another gateway's, whose lease is over
 *     reclaim_add(r, session, true);           // this gateway's own: it is known to be over, and its sums are told
 *     reclaim_go(r);                           // also when something was not answered: what is left is tried again
 *     reclaim_free(r);                         // when there is no counters_redis any more
 *
 * Of another gateway's what is settled stays held: only its own ledger knows what it came to.
 */
#ifndef MOONGATE_LEDGER_SESSION_RECLAIM_H
#define MOONGATE_LEDGER_SESSION_RECLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "store/counters/redis.h"

struct reclaim;

struct reclaim_events {
    /* Nothing of it is left; so many requests' holds went back. */
    void (*on_cleared)(void *arg, const char *session, bool is_own, uint64_t returned);
};

/* All is borrowed until reclaim_free(). */
struct reclaim *reclaim_new(struct counters_redis *redis, const struct reclaim_events *events, void *arg);
void reclaim_free(struct reclaim *r); /* NULL is welcome */
/* Copied. One that is known becomes its own if it was not. The own come first; of others those that are too many, or
 * that cannot be cleared, are left out, and added again by who finds them. */
void reclaim_add(struct reclaim *r, const char *session, bool is_own);
/* Those that a beat has named, but for one's own; and goes. */
void reclaim_add_others(struct reclaim *r, const char *own, const struct redis_reply *names, size_t count);
void reclaim_go(struct reclaim *r);

#endif
