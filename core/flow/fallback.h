/*
 * Limits and budgets while the counters that a fleet shares are out of reach: each by its own `on_store_loss`, all of a
 * request in one question to the counters of this machine.
 *
 *     struct fallback *f = fallback_new(workers);
 *     fallback_note(f, &question, &answer, now_ns);        // whenever the shared ones have answered
 *     fallback_ask(f, &here, &question, &space, &answer);  // while they do not
 *     if (fallback_is_own(hold)) …                         // it was admitted here, and its end is to be said here
 *     fallback_free(f);
 *
 * open    passes, whatever is counted.
 * closed  is refused unseen.
 * local   is counted by this machine alone, with its part of the limit: of rates and of what runs at once the limit by
 *         the number of gateways; of money a fifth of what was left when this worker last heard of it, by gateways and
 *         workers, beyond what is spent here when it is first asked for. What is held here already is a part of that:
 *         a Redis that comes and goes does not give it away again and again. After LIMIT_COUNTERS_SEEN_MS, and where
 *         nothing was heard of, it is closed. All gateways together give away a fifth at most.
 *
 * What the answer says of money is what was heard last, and what came here since. What can pass by the whole limit, and
 * not by the part, is COUNTERS_SHUT. A hold has an id of its own, "req_…/2/local", and is taken under the parts: the
 * answer's items.
 */
#ifndef MOONGATE_FLOW_FALLBACK_H
#define MOONGATE_FLOW_FALLBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "store/counters/counters.h"

struct counters_shared;
struct fallback;

struct fallback *fallback_new(unsigned workers);
void fallback_free(struct fallback *f); /* NULL is welcome */

/* now_ns: monotonic. Nothing is noted of an answer that is none. */
void fallback_note(struct fallback *f, const struct counters_question *q, const struct counters_answer *answer,
                   uint64_t now_ns);

/* Where it is asked meanwhile. */
struct fallback_here {
    struct counters_shared *counters;
    uint64_t owner;
    int64_t wall_ns;
    uint64_t now_ns;
    uint32_t gateways; /* at least 1 */
};
/* What an answer borrows. */
struct fallback_space {
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_item items[LIMIT_COUNTERS_ITEMS];
};
/* An admission or a peek. An error of the counters here is the answer then. */
void fallback_ask(struct fallback *f, const struct fallback_here *here, const struct counters_question *q,
                  struct fallback_space *space, struct counters_answer *answer);
bool fallback_is_own(const char *hold);

#endif
