/*
 * What one finished exchange adds to the worker's metrics, and the gauges that follow its life.
 *
 *     struct metrics *m = metrics_new(stats);
 *     metrics_opened(m);            // an exchange began
 *     metrics_count(m, x);          // it is over: requests, durations, tokens, errors, decisions
 *     metrics_free(m);
 *
 * Labels are bounded: model names come from the policies' table, never from the request.
 */
#ifndef MOONGATE_FLOW_METRICS_H
#define MOONGATE_FLOW_METRICS_H

#include "base/stats.h"
#include "exchange/exchange.h"

struct metrics;

struct metrics *metrics_new(struct stats *stats);
void metrics_free(struct metrics *m);
void metrics_opened(struct metrics *m);
void metrics_count(struct metrics *m, const struct exchange *x);
/* Nobody will write it. */
void metrics_record_lost(struct metrics *m);
/* It waits for a ledger that takes none, and its request went on all the same. */
void metrics_record_unwritten(struct metrics *m);
/* A stream for which its budgets had no more room. */
void metrics_budget_overrun(struct metrics *m, bool is_cut);
/* A question to counters in Redis, by what came of it; a limit or budget that was decided without them, by its rule. */
void metrics_counters_asked(struct metrics *m, const char *outcome);
void metrics_counters_lost(struct metrics *m, const char *mode);
/* reason: one of a fixed few words. */
void metrics_auth_failed(struct metrics *m, struct slice reason);
/* A request whose key may be revoked, for all that is known. */
void metrics_registry_unknown(struct metrics *m, bool is_served);
/* status: 401, 402, 403 or 407. */
void metrics_account_refused(struct metrics *m, struct slice provider, int status);
void metrics_breaker_tripped(struct metrics *m, struct slice provider);
/* What others keep count of. */
struct metrics_gauges {
    int64_t clients, strangers; /* connections; of those, without a good key */
    uint64_t dropped;           /* strangers that made place, ever */
    int64_t held_bytes;
    int64_t calls, upstreams; /* calls of providers, connections to them */
    int64_t generations;      /* of policies */
};
void metrics_gauges(struct metrics *m, const struct metrics_gauges *now);
/* What the longest turn of the loop took since the last such look, of so many in a minute. */
void metrics_turn(struct metrics *m, uint64_t longest_ns, unsigned looks_a_minute);

#endif
