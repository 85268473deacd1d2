/*
 * The billing zone of each entry: the one that held when it was put. Days that were summed stay as they were when
 * another zone is configured (`meta` keeps from which entry on it holds).
 *
 *     ledger_days_read(&days, db, LEDGER_DAYS_ALL, &why);   // or the last zone alone: of what comes from now on
 *     day = ledger_days_of(&days, seq, time_us);      // yyyymmdd
 *     ledger_days_clear(&days);
 */
#ifndef MOONGATE_STORE_LEDGER_DAYS_H
#define MOONGATE_STORE_LEDGER_DAYS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

struct ledger_days {
    struct ledger_zone *zones; /* in the order of the entries */
    size_t count;
};

enum ledger_days_which {
    LEDGER_DAYS_ALL,  /* that the file has had */
    LEDGER_DAYS_LAST, /* whoever writes needs no more, and goes on where an older one is not installed any more */
};

bool ledger_days_read(struct ledger_days *days, sqlite3 *db, enum ledger_days_which which, struct fault *why);
void ledger_days_clear(struct ledger_days *days);
/* Before any zone is known it is UTC. */
int64_t ledger_days_of(const struct ledger_days *days, uint64_t seq, int64_t time_us);

#endif
