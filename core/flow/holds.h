/*
 * What a worker's requests take from the counters: asked for by the policies that decide, made larger before another
 * target is called and while an answer streams (flow/reserve.h), closed once at the end.
 *
 *     struct holds *holds = holds_new(&options);
 *     holds_ask(holds, &question, ticket);        // a policy's: policy_counters_done() has the answer
 *     if (holds_extend(job, totals, &over) == HOLDS_REFUSED) …    // over.item has no room for that
 *     holds_close(job);                           // before its client has the last byte; welcome more than once
 *     holds_free(holds);
 *
 * Whatever was granted and is not heard any more goes back. While the counters are being rebuilt from the ledger, or
 * somebody was stopped with their lock, questions wait for LIMIT_COUNTERS_WAIT_MS, and no longer than their evaluation
 * may; then the answer says so and the limits' own rules decide. The loop is held for LIMIT_COUNTERS_LOCK_MS at most;
 * a hold that could not be closed then is forgotten when the ledger has the request's record.
 */
#ifndef MOONGATE_FLOW_HOLDS_H
#define MOONGATE_FLOW_HOLDS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"
#include "store/counters_shared.h"

struct flow_redis;
struct holds;
struct job;

/* Borrowed until holds_free(). */
struct holds_options {
    struct loop *loop;
    struct counters_shared *counters; /* of this machine's processes; NULL: nobody counts here */
    uint64_t owner;
    const struct flow_redis *redis; /* NULL: this gateway counts alone */
};

struct holds *holds_new(const struct holds_options *options);
void holds_free(struct holds *holds); /* NULL is welcome; nobody may be waiting */

/* As struct policy_host has them. */
void holds_ask(struct holds *holds, const struct counters_question *question, uint64_t ticket);
void holds_forget(struct holds *holds, uint64_t ticket);

/* A budget that refused. */
struct holds_over {
    const struct counters_item *item;
    struct counters_state state; /* of it: all that is spent and held, the job's own too */
    int64_t more;                /* nano-dollars that it has no room for */
};

/* What the job's attempts came to so far. */
struct counters_totals holds_paid(const struct job *job);
enum holds_word {
    HOLDS_GRANTED,
    HOLDS_REFUSED, /* *over has no room for them */
    HOLDS_UNHEARD, /* the counters could not be asked: nothing is held, and nothing refused */
};
/* All of the job's open holds have at least these totals, if they are granted. */
enum holds_word holds_extend(struct job *job, struct counters_totals totals, struct holds_over *over);
void holds_close(struct job *job);

#endif
