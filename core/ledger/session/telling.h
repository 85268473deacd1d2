/*
 * Tells the counters that a fleet shares all that the ledger knows: its budgets' sums, which
 * notices of them it has given out, which holds are over because
 * their records are there, and what is held by processes that died. A page at a time, each when the one before is
 * answered, so that neither the loop nor the queue to Redis is kept by a ledger of many sums.
 *
 *     struct telling *t = telling_new(loop, redis, &events, arg);
 *     telling_start(t, ledger, session, source, is_exact); // all of it; then on_end
 *     telling_audit(t, ledger, session, source);           // holds alone; then on_end
 *     telling_commit(t, ledger, session, source);          // what the last batch was charged, at once
 *     telling_stop(t);                                     // no on_end
 *     telling_free(t);                                     // when there is no counters_redis any more
 *
 * Sums are absolute: what is committed meanwhile is told beside it, in any order.
 */
#ifndef MOONGATE_LEDGER_SESSION_TELLING_H
#define MOONGATE_LEDGER_SESSION_TELLING_H

#include <stdbool.h>
#include <stdint.h>

#include "store/counters/redis.h"

struct ledger;
struct loop;
struct telling;

struct telling_events {
    /* A process of that owner lives, or what it sent may not be on the disk yet. */
    bool (*is_claimed)(void *arg, uint64_t owner);
    /* why: "" when all was told. */
    void (*on_end)(void *arg, const char *why);
    /* Something of a commit was not told, or may not have been: all is to be told again. */
    void (*on_lost)(void *arg, const char *why);
};

/* All is borrowed until telling_free(). */
struct telling *telling_new(struct loop *loop, struct counters_redis *redis, const struct telling_events *events,
                            void *arg);
void telling_free(struct telling *t); /* NULL is welcome */
/* The ledger is borrowed until the end, the names are copied. is_exact: sums that are less than what was told count,
 * too. What was under way is stopped. */
void telling_start(struct telling *t, struct ledger *ledger, const char *session, const char *source, bool is_exact);
void telling_audit(struct telling *t, struct ledger *ledger, const char *session, const char *source);
/* Pipelined: nobody waits for the one before. May call on_lost. */
void telling_commit(struct telling *t, struct ledger *ledger, const char *session, const char *source);
/* Not what was told of commits. */
void telling_stop(struct telling *t);
bool telling_is_under_way(const struct telling *t);

/* Why a reply, or none, is no good; "" when it is. Borrowed until the next call. */
const char *telling_fault(const struct redis_reply *reply);

#endif
