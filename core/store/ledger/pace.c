#include "store/ledger/pace.h"

#include "base/limits.h"

#define FIRST 16u

uint32_t ledger_pace_count(struct ledger_pace *p, uint32_t max)
{
    if (!p->count) p->count = FIRST;
    if (p->count > max) p->count = max;
    return p->count;
}

void ledger_pace_took(struct ledger_pace *p, uint64_t ns)
{
    uint64_t us = ns / 1000 + 1, fits = (uint64_t)p->count * LIMIT_LEDGER_STEP_US / us, most = 2 * (uint64_t)p->count;
    if (fits > most) fits = most;
    if (fits > UINT32_MAX) fits = UINT32_MAX;
    p->count = fits ? (uint32_t)fits : 1;
}
