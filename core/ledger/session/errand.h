/*
 * Questions of the ledger process to the counters that a fleet shares (store/counters/redis.h), one after the other:
 * each is put when the one before is answered.
 *
 *     errand_init(&e, redis, arg);
 *     struct counters_call call = counters_call_beat(&place, source, COUNTERS_GOES_ON, lease_ms, errand_arena(&e));
 *     if (!errand_ask(&e, &call, on_answer)) …       // nobody takes it now
 *     errand_drop(&e);                               // what is under way is not waited for any more
 *     errand_clear(&e);                              // when there is no counters_redis any more
 */
#ifndef MOONGATE_LEDGER_SESSION_ERRAND_H
#define MOONGATE_LEDGER_SESSION_ERRAND_H

#include "base/arena.h"
#include "base/list.h"
#include "store/counters/redis.h"

/* reply: borrowed; NULL: none will come. */
typedef void (*errand_fn)(void *arg, const struct redis_reply *reply);

struct errand_asked;

struct errand {
    struct counters_redis *redis;
    void *arg;
    struct arena arena;
    struct list_link all;
    struct errand_asked *now; /* NULL: nothing is waited for */
};

void errand_init(struct errand *e, struct counters_redis *redis, void *arg);
void errand_clear(struct errand *e);
/* For the next question alone; what was in it goes. */
struct arena *errand_arena(struct errand *e);
/* Nothing is under way. False: fn is not called. */
bool errand_ask(struct errand *e, const struct counters_call *call, errand_fn fn);
bool errand_is_asked(const struct errand *e);
void errand_drop(struct errand *e);

#endif
