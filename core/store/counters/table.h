/*
 * Counters kept in memory of this machine: what is asked of them (store/counters/counters.h), answered at once.
 *
 *     struct counters_state states[LIMIT_COUNTERS_ITEMS];
 *     struct counters_answer answer = {.states = states};
 *     counters_table_ask(memory, &question, (struct counters_asker){.owner = me, .now_ns = now}, states, &answer);
 *
 * An admission by the id of a hold that stands is granted again and takes nothing, if it asks for the same. A hold that
 * is settled gives back what ran at the same time and corrects its tokens; its money stays held, as what it came to,
 * until whoever writes the ledger says what was spent in all (counters_table_spend()), so that spent and held together
 * are right at any moment. `spent` has that one writer, who gives absolute sums: said twice is said once.
 *
 * Nothing is allocated; without a place left in the memory the answer is an error ("full"), and nothing was taken.
 */
#ifndef MOONGATE_STORE_COUNTERS_TABLE_H
#define MOONGATE_STORE_COUNTERS_TABLE_H

#include "store/counters/memory.h"

struct counters_asker {
    uint64_t owner; /* of the holds that it opens: whose they are when it dies */
    int64_t now_ns; /* since 1970 */
    int64_t steady_ns; /* what rates are reckoned by (store/counters/memory.h); 0: now_ns, or shared counters' own */
};

/* `states`: as many as there are items. The answer borrows them. */
void counters_table_ask(struct counters_memory *m, const struct counters_question *q, struct counters_asker asker,
                        struct counters_state *states, struct counters_answer *answer);

/* What is spent of one budget in one period in all, as the ledger sums it. */
struct counters_spent {
    struct slice key;
    int64_t start_s, stop_s; /* the item's; 0 of a session … */
    int64_t last_s;          /* … when something was spent last … */
    int64_t begun_s;         /* … and when its sum began: by that it is known from the one before; 0: not noted */
    uint32_t idle_s;
    int64_t nano;
};

/* The holds of these ids are over, and so much is spent then; what is not known of either is left out. How many sums
 * found no place: until they are told again, what they count seems not to be spent. */
uint32_t counters_table_spend(struct counters_memory *m, const char (*holds)[COUNTERS_HOLD_BYTES], size_t hold_count,
                              const struct counters_spent *spent, size_t count, struct counters_time now);
/* Everything that is held by owners that `is_gone` names goes back. How many holds those were. */
uint32_t counters_table_return(struct counters_memory *m, bool (*is_gone)(void *arg, uint64_t owner), void *arg);

#endif
