/*
 * What counters held for an exchange, read from its record: under which ids, and the budgets that it is charged to.
 *
 *     ledger_held_read(&tape, &arena, json_get(&tape, 0, SLICE("holds")), &held);
 *
 * The member is [{"id","money":[[key,start,stop,idle],…]},…] (flow/record.h writes it). Reading never fails: what is
 * not of that shape is left out, a budget that is there twice counts once, and no more than the limits below are read.
 */
#ifndef MOONGATE_STORE_LEDGER_HELD_H
#define MOONGATE_STORE_LEDGER_HELD_H

#include <stdint.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/slice.h"
#include "wire/json.h"

/* By its key and period (store/counters/counters.h), in seconds since 1970; a session has 0 and 0, and ends after a
 * silence. */
struct ledger_charge {
    struct slice key;
    int64_t start_s, stop_s, idle_s;
};

struct ledger_held {
    struct ledger_charge charges[LIMIT_COUNTERS_ITEMS];
    size_t charge_count;
    struct slice holds[LIMIT_LEDGER_HOLDS];
    size_t hold_count;
};

/* It borrows from tape and arena. list JSON_NONE: nothing was held. */
void ledger_held_read(const struct json_tape *tape, struct arena *arena, uint32_t list, struct ledger_held *held);

#endif
