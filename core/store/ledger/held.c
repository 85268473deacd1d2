#include "store/ledger/held.h"

/* The number at *node, and on to the next; 0: it is none, or less. */
static int64_t take_number(const struct json_tape *tape, uint32_t *node)
{
    int64_t value = 0;
    if (*node == JSON_NONE) return 0;
    if (!json_is(tape, *node, JSON_NUMBER) || !json_to_i64(tape, *node, &value) || value < 0) value = 0;
    *node = json_next(tape, *node);
    return value;
}

static void add_charge(struct ledger_held *held, struct ledger_charge charge)
{
    for (size_t i = 0; i < held->charge_count; i++) {
        struct ledger_charge *known = &held->charges[i];
        if (known->start_s != charge.start_s || !slice_equal(known->key, charge.key)) continue;
        if (charge.stop_s > known->stop_s) known->stop_s = charge.stop_s; /* a day's, and the month's that began then */
        return;
    }
    if (charge.key.len && held->charge_count < LIMIT_COUNTERS_ITEMS) held->charges[held->charge_count++] = charge;
}

static void read_charge(const struct json_tape *tape, struct arena *arena, uint32_t list, struct ledger_held *held)
{
    if (!json_is(tape, list, JSON_ARRAY)) return;
    uint32_t node = json_first(tape, list);
    if (!json_is(tape, node, JSON_STRING)) return;
    struct ledger_charge charge = {.key = json_text(tape, node, arena)};
    node = json_next(tape, node);
    charge.start_s = take_number(tape, &node);
    charge.stop_s = take_number(tape, &node);
    charge.idle_s = take_number(tape, &node);
    if (charge.idle_s > UINT32_MAX) charge.idle_s = UINT32_MAX;
    add_charge(held, charge);
}

static void read_hold(const struct json_tape *tape, struct arena *arena, uint32_t hold, struct ledger_held *held)
{
    if (!json_is(tape, hold, JSON_OBJECT)) return;
    uint32_t id = json_get(tape, hold, SLICE("id")), money = json_get(tape, hold, SLICE("money"));
    if (json_is(tape, id, JSON_STRING) && held->hold_count < LIMIT_LEDGER_HOLDS)
        held->holds[held->hold_count++] = json_text(tape, id, arena);
    if (!json_is(tape, money, JSON_ARRAY)) return;
    for (uint32_t n = json_first(tape, money); n != JSON_NONE; n = json_next(tape, n))
        read_charge(tape, arena, n, held);
}

void ledger_held_read(const struct json_tape *tape, struct arena *arena, uint32_t list, struct ledger_held *held)
{
    held->charge_count = held->hold_count = 0;
    if (!json_is(tape, list, JSON_ARRAY)) return;
    for (uint32_t n = json_first(tape, list); n != JSON_NONE; n = json_next(tape, n))
        read_hold(tape, arena, n, held);
}
