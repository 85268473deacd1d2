/*
 * Counters in memory that the processes of one machine share: made by the supervisor, asked by workers, settled by the
 * ledger process. Rebuilt from the ledger when the gateway starts; nothing of it is on a disk.
 *
 *     struct counters_shared *shared = counters_shared_new(&why);                 // before anybody is forked
 *     counters_shared_ask(shared, &question, asker, states, &answer);             // a worker; never waits for long
 *     counters_shared_spend(shared, ids, id_count, sums, sum_count, now_ns)       // the ledger process, after a commit
 *     counters_shared_seeded(shared)                                              // … has brought in what was spent
 *
 * One lock guards it, held for microseconds. Who is killed with it leaves holds that are whole, and the next one makes
 * the sums of them anew (store/counters/memory.h). Who is stopped with it keeps all others out: they wait a few
 * milliseconds for it, not at all once it has been kept for LIMIT_COUNTERS_KEPT_MS, and are answered "unreachable";
 * whoever watches over the processes sees in counters_shared_holder() whom to kill. Until the ledger's sums are in, the
 * answer is "starting". Both questions may be put again a little later.
 */
#ifndef MOONGATE_STORE_COUNTERS_SHARED_H
#define MOONGATE_STORE_COUNTERS_SHARED_H

#include <sys/types.h>

#include "base/fault.h"
#include "store/counters/table.h"

struct counters_shared;

/* NULL: there is no memory for it. cells, holds 0: LIMIT_COUNTERS_CELLS, LIMIT_COUNTERS_HOLDS. */
struct counters_shared *counters_shared_new(uint32_t cells, uint32_t holds, struct fault *why);
/* This process's view of it. NULL is welcome. */
void counters_shared_free(struct counters_shared *shared);

/* As counters_table_ask(). Rates are reckoned by a clock that begins with the memory, shows the same to all processes
 * and is read under the lock, so that it never goes back from one question to the next; asker.steady_ns sets it for
 * tests. */
void counters_shared_ask(struct counters_shared *shared, const struct counters_question *q,
                         struct counters_asker asker, struct counters_state *states, struct counters_answer *answer);
/* As counters_table_spend() and _return(). False: the lock cannot be had; nothing was done. */
bool counters_shared_spend(struct counters_shared *shared, const char (*holds)[COUNTERS_HOLD_BYTES],
                           size_t hold_count, const struct counters_spent *spent, size_t count, int64_t now_ns);
bool counters_shared_return(struct counters_shared *shared, bool (*is_gone)(void *arg, uint64_t owner), void *arg,
                            uint32_t *returned);
/* The ids of all holds that stand, at most `max`. False: as above. */
bool counters_shared_holds(struct counters_shared *shared, char (*ids)[COUNTERS_HOLD_BYTES], size_t max,
                           size_t *count);

/* What was spent is in it, and it answers from now on; for ever. */
void counters_shared_seed(struct counters_shared *shared);
bool counters_shared_is_seeded(const struct counters_shared *shared);
/* Who has the lock, and since when (monotonic) this process has found it there each time it looked; 0: nobody. Without
 * the lock. */
pid_t counters_shared_holder(struct counters_shared *shared, uint64_t *since_ns);
/* How many sums have found no place when they were told. */
uint64_t counters_shared_missed(const struct counters_shared *shared);
/* How often sums were made anew because somebody was killed. */
uint64_t counters_shared_mended(const struct counters_shared *shared);
struct counters_use counters_shared_use(const struct counters_shared *shared);

#endif
