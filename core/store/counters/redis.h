/*
 * Counters in a Redis that all gateways share: what is asked of them (store/counters/counters.h), answered when it has.
 *
 *     struct counters_redis *c = counters_redis_new(loop, url, owner, &events, arg, &why);
 *     counters_redis_enter(c, session, epoch);                // its place (store/counters/script.h), once there is one
 *     const char *refused = counters_redis_ask(c, &question, on_answer, arg, &ticket);
 *     if (refused) …                                          // "unreachable", "full": on_answer is not called
 *     counters_redis_free(c);                                 // no callback follows
 *
 * An answer that comes too late is "timeout", one that never comes "unreachable". What an admission took all the same
 * goes back without anybody's doing; the same question may be put again before it has. Ends of holds (settled,
 * released) that come in one turn are said together, and before any other question that is put behind them. Those that
 * could not be said are kept, LIMIT_COUNTERS_UNSAID of them, and said when Redis can be reached again; what is beyond
 * that goes with the ledger's sums, or with the session. Before counters_redis_enter() and in a memory that was lost
 * all answers are "starting", and on_unknown says so.
 *
 * For one process and its loop. Counts nothing itself, and begins no session: whoever owns it does, and tells its
 * ledger's sums, by counters_redis_call().
 */
#ifndef MOONGATE_STORE_COUNTERS_REDIS_H
#define MOONGATE_STORE_COUNTERS_REDIS_H

#include "store/counters/script.h"

struct counters_redis;
struct loop;

struct counters_redis_events {
    void (*on_ready)(void *arg); /* connected, once more: it may be another memory, or have lost something */
    void (*on_down)(void *arg, const struct fault *why); /* once for each outage */
    void (*on_unknown)(void *arg, bool is_fenced);       /* by an answer: the session is to begin anew */
};

/* The answer and its states are borrowed for the call. */
typedef void (*counters_redis_fn)(void *arg, const struct counters_answer *answer);

/* NULL: there is no such URL (net/redis.h); whatever else is wrong is told as an outage. `events` is borrowed until the
 * end; each of its functions may be NULL. */
struct counters_redis *counters_redis_new(struct loop *loop, const char *url, uint64_t owner,
                                          const struct counters_redis_events *events, void *arg, struct fault *why);
/* Safe inside all of them. NULL is welcome. */
void counters_redis_free(struct counters_redis *c);

/* Questions are asked for that session, in that memory from now on. Both are copied; COUNTERS_NAME_BYTES at most. */
void counters_redis_enter(struct counters_redis *c, const char *session, const char *epoch);
struct counters_place counters_redis_place(const struct counters_redis *c);

/* NULL: `fn` will be told, once, and not from inside of this call; the question is borrowed until then. Else why not.
 * `ticket` names it then; NULL: nobody will forget it. Without `fn` nobody waits, and nothing is borrowed. */
const char *counters_redis_ask(struct counters_redis *c, const struct counters_question *q, counters_redis_fn fn,
                               void *arg, uint64_t *ticket);
/* Nobody waits for that any more: `fn` is not called, and what was taken goes back. */
void counters_redis_forget(struct counters_redis *c, uint64_t ticket);

/* Any other call; `fn` as in net/redis.h. */
enum redis_taken counters_redis_call(struct counters_redis *c, const struct counters_call *call, uint32_t timeout_ms,
                                     redis_fn fn, void *arg);

struct counters_redis_use {
    size_t waiting; /* questions without an answer */
    size_t unsaid;  /* ends of holds that are to be said yet */
    uint64_t lost;  /* those that were too many */
};
struct counters_redis_use counters_redis_use(const struct counters_redis *c);
struct redis_status counters_redis_status(const struct counters_redis *c);

#endif
