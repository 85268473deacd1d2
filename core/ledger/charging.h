/*
 * Brings into the counters what the ledger knows: after each commit what it charged to budgets, at a start all that
 * still counts, and when a worker has died what it held.
 *
 *     struct charging *c = charging_new(loop, counters);      // counters NULL: nobody counts, and nothing is done
 *     charging_open(c, ledger);                               // NULL: there is none any more
 *     charging_committed(c);                                  // entries were committed
 *     charging_claim(c, is_claimed, arg);                     // workers have died, and all that they sent is committed
 *     charging_free(c);
 *
 * Sums are absolute, and a hold that is dropped is not known any more, so that anything may be said twice: where the
 * counters cannot be had (somebody has stopped with their lock) all of it is said again, every LIMIT_LEDGER_RETRY_MS.
 * Sums that find no place are named in the log, hinder no others, and are said again every LIMIT_COUNTERS_FULL_MS.
 */
#ifndef MOONGATE_LEDGER_CHARGING_H
#define MOONGATE_LEDGER_CHARGING_H

#include <stdbool.h>
#include <stdint.h>

struct charging;
struct counters_shared;
struct ledger;
struct loop;

/* counters is borrowed until charging_free(), the ledger until another is given. */
struct charging *charging_new(struct loop *loop, struct counters_shared *counters);
void charging_free(struct charging *c); /* NULL is welcome */
void charging_open(struct charging *c, struct ledger *ledger);
void charging_committed(struct charging *c);
/* What owners hold that nobody claims is given back. Every living worker has said who it is. False: the counters cannot
 * be had; ask again. */
bool charging_claim(struct charging *c, bool (*is_claimed)(void *arg, uint64_t owner), void *arg);

#endif
