/*
 * Puts a worker's questions to the counters (store/counters/counters.h), wherever they are: in memory of this machine,
 * or in the Redis that a fleet shares; and while that is out of reach to this machine's, by the rules of
 * flow/fallback.h.
 *
 *     struct tally *tally = tally_new(&options);
 *     if (!tally_now(tally, &question, &space, &answer))   // there and then, where nobody is to be waited for; else:
 *         tally_wait(tally, &asked);                       // asked.fn has the answer later
 *     tally_forget(tally, &asked);                         // nobody waits any more: what was taken goes back
 *     tally_end(tally, &question);                         // settled, released: to whom admitted it
 *     tally_free(tally);
 *
 * Admissions wait for LIMIT_COUNTERS_WAIT_MS at most, and no longer than they say, while counters are being rebuilt,
 * and here while somebody was stopped with their lock; for an answer of Redis as long as struct flow_redis says. An
 * extension is asked of whom has its hold, once. The gateway's place in Redis is read from the board before each
 * question.
 */
#ifndef MOONGATE_FLOW_TALLY_H
#define MOONGATE_FLOW_TALLY_H

#include "base/list.h"
#include "flow/fallback.h"

struct flow_redis;
struct loop;
struct metrics;
struct tally;

/* Borrowed until tally_free(). */
struct tally_options {
    struct loop *loop;
    struct counters_shared *counters; /* NULL: nobody counts here */
    uint64_t owner;
    const struct flow_redis *redis; /* NULL: this gateway counts alone */
    struct metrics *metrics;
};

struct tally *tally_new(const struct tally_options *options);
void tally_free(struct tally *tally); /* NULL is welcome; nobody may be waiting */
/* Why Redis, as seen from here, is not asked now; "": it is, or there is none. Borrowed until the next turn. */
const char *tally_trouble(const struct tally *tally);

/* The answer, and what it borrows, are good for the call. */
typedef void (*tally_fn)(void *arg, const struct counters_answer *answer);

/* A question that is waited for; its owner's, whole until the answer or tally_forget(). */
struct tally_asked {
    struct counters_question question;
    tally_fn fn; /* once, never from inside of tally_wait(); from where it is, all of this may go */
    void *arg;

    /* the tally's */
    struct tally *tally;
    struct list_link link;
    uint64_t until_ns; /* 0: nobody waits, but for Redis */
    uint64_t ticket, place;
    bool is_asked; /* Redis is */
    bool is_lost;  /* it has not answered */
};

/* False: the answer is to be waited for. It borrows *space. */
bool tally_now(struct tally *tally, const struct counters_question *q, struct fallback_space *space,
               struct counters_answer *answer);
void tally_wait(struct tally *tally, struct tally_asked *asked);
void tally_forget(struct tally *tally, struct tally_asked *asked);
/* COUNTERS_SETTLE, COUNTERS_RELEASE. */
void tally_end(struct tally *tally, const struct counters_question *q);

#endif
