/*
 * What a worker's requests take from the counters: asked for by the policies that decide, made larger before another
 * target is called and while an answer streams (flow/reserve.h), closed once at the end.
 *
 *     struct holds *holds = holds_new(&options);
 *     holds_ask(holds, &question, ticket);        // a policy's: policy_counters_done() has the answer
 *     word = holds_extend(job, totals, then, &over);  // HOLDS_ASKED: then(job, word, over) later; else at once
 *     holds_leave(job);                           // nobody waits for that any more
 *     holds_close(job);                           // before its client has the last byte; welcome more than once
 *     holds_free(holds);
 *
 * Where the counters are, and what holds while they cannot be asked, is flow/tally.h's. Whatever was granted and is not
 * heard any more goes back. The loop is held for LIMIT_COUNTERS_LOCK_MS at most; a hold that could not be closed then
 * is forgotten when the ledger has the request's record.
 */
#ifndef MOONGATE_FLOW_HOLDS_H
#define MOONGATE_FLOW_HOLDS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"
#include "store/counters/shared.h"

struct flow_redis;
struct holds;
struct job;
struct metrics;
struct tally;

/* Borrowed until holds_free(). */
struct holds_options {
    struct loop *loop;
    struct counters_shared *counters; /* of this machine's processes; NULL: nobody counts here */
    uint64_t owner;
    const struct flow_redis *redis; /* NULL: this gateway counts alone */
    struct metrics *metrics;
};

struct holds *holds_new(const struct holds_options *options);
void holds_free(struct holds *holds); /* NULL is welcome; nobody may be waiting */

/* Where they are asked for; borrowed until holds_free(). */
struct tally *holds_tally(const struct holds *holds);
/* As tally_trouble(). */
const char *holds_trouble(const struct holds *holds);

/* As struct policy_host has them. */
void holds_ask(struct holds *holds, const struct counters_question *question, uint64_t ticket);
void holds_forget(struct holds *holds, uint64_t ticket);

/* A budget that refused. */
struct holds_over {
    const struct counters_item *item;
    struct counters_state state; /* of it: all that is spent and held, the job's own too */
    int64_t more;                /* nano-dollars that it has no room for … */
    int64_t own;                 /* … beside these, which the job holds of it */
    bool is_unknown; /* nobody said how it stands */
    bool is_own; /* counted by this gateway alone, with its part: state and limit are those of the part */
};

/* What the job's attempts came to so far. */
struct counters_totals holds_paid(const struct job *job);
enum holds_word {
    HOLDS_GRANTED,
    HOLDS_REFUSED, /* *over has no room for them */
    HOLDS_UNHEARD, /* the counters could not be asked: nothing is held, and nothing refused */
    HOLDS_ASKED,   /* one of these will be said */
};
typedef void (*holds_fn)(struct job *job, enum holds_word word, const struct holds_over *over);
/* All of the job's open holds have at least these totals, if they are granted. *over: of a refusal, good until more is
 * asked for. `then` is not called from inside of this; nothing else may be asked for before it. */
enum holds_word holds_extend(struct job *job, struct counters_totals totals, holds_fn then,
                             const struct holds_over **over);
void holds_leave(struct job *job);
void holds_close(struct job *job);

#endif
