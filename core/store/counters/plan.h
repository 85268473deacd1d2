/*
 * Where the items of a question are kept in Redis, for scripts and their replies (store/counters/script.h).
 *
 * Rates and what runs at once are cells of one hash: the requests, the tokens and how many run of one key are one cell.
 * Budgets are sums in the hashes of their periods. Of several items of one unit, key and period the first takes for all
 * of them: they are one cell or sum, and differ in their limits.
 */
#ifndef MOONGATE_STORE_COUNTERS_PLAN_H
#define MOONGATE_STORE_COUNTERS_PLAN_H

#include "base/arena.h"
#include "base/limits.h"
#include "store/counters/counters.h"

#define COUNTERS_PLACE "mg1:{p0}:" /* of all keys: one hash tag, so that one script may touch all of them */

struct counters_plan {
    const struct counters_item *items;
    size_t count, cell_count, kept_count, sum_count, period_count;
    uint8_t first[LIMIT_COUNTERS_ITEMS];  /* of each item: that which takes for it, perhaps itself */
    uint8_t place[LIMIT_COUNTERS_ITEMS];  /* of each item: its cell, or its sum */
    uint8_t cells[LIMIT_COUNTERS_ITEMS];  /* of each cell: one of its items … */
    uint8_t kept[LIMIT_COUNTERS_ITEMS];   /* … and its number among those of which something may come back, from 1 */
    uint8_t sums[LIMIT_COUNTERS_ITEMS];   /* of each sum: its first item; those of one period stand together */
    uint8_t periods[LIMIT_COUNTERS_ITEMS]; /* of each period: its first sum */
};

/* LIMIT_COUNTERS_ITEMS at most; the items are borrowed. */
void counters_plan(struct counters_plan *plan, const struct counters_item *items, size_t count);

/* "user=x;1m" as the cell's field; "mg1:{p0}:B:1790000000". */
struct slice counters_plan_field(const struct counters_plan *plan, size_t cell, struct arena *arena);
struct slice counters_plan_period(const struct counters_item *item, struct arena *arena);
size_t counters_plan_period_end(const struct counters_plan *plan, size_t period); /* the sum behind its last */

/* What an admission of these items would hold, as the scripts keep it (redis/parts/holds.lua). */
struct slice counters_plan_record(const struct counters_plan *plan, uint64_t owner, struct arena *arena);

#endif
