/*
 * What an admission took from the counters for one exchange, from there to its end: opened once, grown while an answer
 * streams, closed once.
 *
 *     hold_open(&x->holds, &question, &answer, &x->arena);   // where the admission's answer arrives
 *     if (hold_extend(hold, totals, &question)) … ask, and when it is granted: hold_grow(hold, totals);
 *     for (struct hold *hold = x->holds; hold; hold = hold->next)  // in one place, whatever the exchange's end
 *         if (hold_close(hold, &actual, &question)) … ask; nobody waits for its answer
 *
 * It keeps facts and makes questions (store/counters/counters.h); it asks nobody. An exchange has more than one when
 * its chain limits, lets others speak, and limits again.
 */
#ifndef MOONGATE_EXCHANGE_HOLD_H
#define MOONGATE_EXCHANGE_HOLD_H

#include "base/arena.h"
#include "store/counters/counters.h"

enum hold_state { HOLD_OPEN, HOLD_CLOSED };

struct hold {
    struct hold *next; /* the one opened before */
    enum hold_state state;
    char id[COUNTERS_HOLD_BYTES];
    const struct counters_item *items; /* what it was admitted under; the question's, or the answer's own */
    size_t item_count;
    struct counters_totals estimate; /* of one call: what it was admitted for */
    struct counters_totals totals; /* what is held: the estimate at first */
    uint64_t since_ns; /* by the monotonic clock */
};

/* A hold of what the answer says was taken, first in the list, now. The question's items, and the
 * answer's, live as long as the arena. */
struct hold *hold_open(struct hold **holds, const struct counters_question *question,
                       const struct counters_answer *answer, struct arena *arena);
/* The question that makes it hold these totals. False: it does already, or has nothing of that kind, or is closed;
 * nothing is to be asked. */
bool hold_extend(const struct hold *hold, struct counters_totals totals, struct counters_question *question);
/* They are held now. Totals never shrink; of a closed hold nothing changes. */
void hold_grow(struct hold *hold, struct counters_totals totals);
/* The question that ends it: with what it really was, or NULL to give all of it back. True the first time only. */
bool hold_close(struct hold *hold, const struct counters_totals *actual, struct counters_question *question);

#endif
