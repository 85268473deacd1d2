/*
 * Sends notices of budgets to the sinks of moongate.lua: what stands in the ledger's outbox (store/ledger/outbox.h),
 * after commits, and until it was taken.
 *
 *     struct alerts *a = alerts_new(loop, stats, gateway);
 *     alerts_claim_by(a, claim, arg);          // where other gateways have the same budgets; then alerts_claimed()
 *     alerts_configure(a, sinks, count);       // also later: other sinks from now on
 *     alerts_open(a, ledger);
 *     alerts_committed(a);                     // behind each batch
 *     alerts_free(a);                          // what is under way is broken off, and sent at the next start
 *
 * Of a notice that is claimed first nothing is sent before it is this gateway's own: what another has claimed leaves
 * the outbox, what nobody can say waits. Whose it is stays with it in the ledger: when those who say it have lost their
 * memory, its owner claims it again, also while it waits, and nobody else does.
 * At least once: a notice leaves the outbox when its sink has taken it. Killed in between, it is sent once more, with
 * the same id. One at a time for each sink, so that a sink that is dead holds up nobody else and costs no memory. What
 * was not taken is tried again after LIMIT_NOTICE_RETRY_MS, then ever more seldom, less a random part; after
 * LIMIT_NOTICE_KEEP_S it is given up, counted and named in the log: its entry stays in the chain. A notice to a sink
 * that there is none of waits as long, for moongate.lua to have one; to `owner`, which need not be there, it does not.
 */
#ifndef MOONGATE_LEDGER_ALERTS_H
#define MOONGATE_LEDGER_ALERTS_H

#include <stddef.h>

#include "base/slice.h"
#include "base/stats.h"
#include "exchange/settings.h"
#include "store/ledger/alerts.h"

struct alerts;
struct ledger;
struct loop;

/* Whose is it? False: it cannot be asked now. seq: of its entry. */
typedef bool (*alerts_claim_fn)(void *arg, const struct ledger_alert *alert, uint64_t seq);

/* stats is borrowed. */
struct alerts *alerts_new(struct loop *loop, struct stats *stats, struct slice gateway);
void alerts_free(struct alerts *a); /* NULL is welcome */
void alerts_claim_by(struct alerts *a, alerts_claim_fn fn, void *arg);
/* Not from inside of fn. */
void alerts_claimed(struct alerts *a, uint64_t seq, enum alerts_whose whose);
/* Copied. */
void alerts_configure(struct alerts *a, const struct sink *sinks, size_t count);
/* Borrowed until alerts_free(). */
void alerts_open(struct alerts *a, struct ledger *ledger);
/* Not inside a batch. */
void alerts_committed(struct alerts *a);

#endif
