/* The ledger's metrics: what was committed, how long it took, what waits. */
#ifndef MOONGATE_LEDGER_GAUGES_H
#define MOONGATE_LEDGER_GAUGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/stats.h"
#include "ledger/commit.h"

struct gauges;

struct gauges *gauges_new(struct stats *stats); /* borrowed */
void gauges_free(struct gauges *g);
void gauges_batch(struct gauges *g, const struct commit_batch *batch, const struct ledger *ledger, uint64_t waiting);
void gauges_failing(struct gauges *g, bool is_failing);
/* {"count":…} of a CHAIN_LOSS */
void gauges_lost(struct gauges *g, struct slice body);
struct ship_state;
/* Once a second. NULL: nothing is shipped. */
void gauges_ship(struct gauges *g, const struct ship_state *state);
/* Once a second. ledger NULL: it is not open; copied: the seq that the copy has come to, UINT64_MAX: there is none. */
void gauges_tick(struct gauges *g, const struct ledger *ledger, uint64_t copied);

#endif
