/*
 * Notices of budgets that are to be told when so much was spent, and not before: when it is only held, the requests
 * under way may come to less. Their budgets are looked at every LIMIT_NOTICE_AWAIT_MS, where the tally counts.
 *
 *     struct await *a = await_new(loop, tally, notices);
 *     await_notice(a, &notice);                 // one with `from`; copied
 *     await_free(a);
 *
 * One goes as soon as it is told, when nothing is held any more or its period is over: the next request that may reach
 * it brings it again. Of what was spent while the counters were out of reach nothing is held: it stays for
 * LIMIT_NOTICE_UNCOUNTED_S, while requests may still be under way that ledgers tell of when they end. Of one threshold
 * in one period there is one here; of more than LIMIT_NOTICES_AWAITED, half of them uncounted, the others are left to
 * later requests. What the counters cannot say is asked again.
 */
#ifndef MOONGATE_FLOW_AWAIT_H
#define MOONGATE_FLOW_AWAIT_H

#include "flow/notices.h"
#include "flow/tally.h"

struct await;

/* All three are borrowed until await_free(). */
struct await *await_new(struct loop *loop, struct tally *tally, struct notices *notices);
void await_free(struct await *a); /* NULL is welcome */
void await_notice(struct await *a, const struct counters_notice *notice);

#endif
