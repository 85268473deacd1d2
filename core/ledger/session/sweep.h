/*
 * Forgets in the counters that a fleet shares what would not be missed, a page every few seconds, and the next at once
 * where there was something, for half a second at a time: keys of limits of which nothing is used up, and budgets'
 * sessions that were over long ago. Every gateway does; it costs nothing to find less.
 *
 *     struct sweep *s = sweep_new(redis);
 *     sweep_go(s, now_ns);                // the next pages, when it is time and those before are answered
 *     sweep_free(s);                      // when there is no counters_redis any more
 */
#ifndef MOONGATE_LEDGER_SESSION_SWEEP_H
#define MOONGATE_LEDGER_SESSION_SWEEP_H

#include <stdint.h>

struct counters_redis;
struct sweep;

struct sweep *sweep_new(struct counters_redis *redis); /* borrowed */
void sweep_free(struct sweep *s); /* NULL is welcome */
void sweep_go(struct sweep *s, uint64_t now_ns);

#endif
