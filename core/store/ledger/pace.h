/*
 * How much of a long work is done at a time where nobody knows what a piece of it costs: as much as takes about
 * LIMIT_LEDGER_STEP_US, by what the piece before took.
 *
 *     struct ledger_pace pace = {0};
 *     uint32_t count = ledger_pace_count(&pace, max);     // at the beginning a few
 *     uint64_t began_ns = clock_mono_ns();                // … does `count` of it
 *     ledger_pace_took(&pace, clock_mono_ns() - began_ns);
 *
 * It grows to the double of what it was at most, and shrinks at once; never below 1, never above `max`.
 */
#ifndef MOONGATE_STORE_LEDGER_PACE_H
#define MOONGATE_STORE_LEDGER_PACE_H

#include <stdint.h>

struct ledger_pace {
    uint32_t count; /* of the last piece, or what the next may be; 0: none was done yet */
};

uint32_t ledger_pace_count(struct ledger_pace *p, uint32_t max);
void ledger_pace_took(struct ledger_pace *p, uint64_t ns);

#endif
