/*
 * Notices of budgets on their way to the ledger, which gives each out once (store/ledger/alerts.h): made an entry
 * (CHAIN_ALERT), and left out where this worker told the same a short time ago, so that a flood of requests above a
 * threshold is none of entries.
 *
 *     struct notices *n = notices_new(recorder, stats);
 *     notices_tell(n, &notice);
 *     notices_free(n);
 *
 * The entry is {"id":"alert_…","time","key","period","at","to":["slack:#ai-spend",…],"text","budget","threshold",
 * "rule","app","owner","request"}. The id is the same for the same threshold of a budget in the same period, whoever
 * tells it; of a session, which may begin anew under its key, it is another each time.
 * Of the last LIMIT_NOTICES_KNOWN it is known for LIMIT_NOTICES_KNOWN_MS that they were told. Nobody waits for one;
 * what finds no room is counted, named in the log, and told again by the next request above its threshold.
 */
#ifndef MOONGATE_FLOW_NOTICES_H
#define MOONGATE_FLOW_NOTICES_H

#include "base/stats.h"
#include "flow/recorder.h"
#include "store/counters/counters.h"

struct notices;

/* Both are borrowed until notices_free(). */
struct notices *notices_new(struct recorder *recorder, struct stats *stats);
void notices_free(struct notices *n); /* NULL is welcome */
void notices_tell(struct notices *n, const struct counters_notice *notice);
/* The worker ends before the ledger had that one. */
void notices_lost(struct notices *n, struct slice id);
/* Is it one's, and no request's? */
bool notices_is_id(struct slice id);

#endif
