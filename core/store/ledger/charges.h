/*
 * What each budget was spent in each of its periods: added up from the records of a batch, in the batch's own
 * transaction, so that what is charged and what is recorded are one.
 *
 *     ledger_charges_init(&charges);
 *     ledger_charges_install(&charges, db, "charges");    // a table of store/ledger/schema.h
 *     ledger_charges_add(&charges, &record)               // for each that is stored, inside of the transaction
 *     ledger_charges_write(&charges)                      // before the commit; false: sqlite3_errmsg(db) says why
 *     … ledger_charges_sums(&charges, &count), ledger_charges_holds(&charges, &count) …   // what the batch came to
 *     ledger_charges_reset(&charges);                     // the next begins, or it was given up
 *
 * A session's sum begins anew when nothing was spent for as long as the record before says, each by its own time: a
 * batch comes to the same as its records one by one. Sums end below COUNTERS_AMOUNT_MAX. What of them is of entries
 * that were deleted for their age is summed once more in charges_cut, until both are forgotten.
 */
#ifndef MOONGATE_STORE_LEDGER_CHARGES_H
#define MOONGATE_STORE_LEDGER_CHARGES_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/map.h"
#include "store/counters/table.h"
#include "store/ledger/record.h"

struct ledger_charges {
    struct map map;
    struct buf keys;
    struct ledger_charged {
        size_t key, key_bytes; /* in keys: its period's begin, then its text */
        int64_t stop_s, idle_s, first_s, last_s; /* first_s: of the batch, or of its last session */
        int64_t nano; /* since first_s; once written, in all … */
        int64_t begun_s; /* … since then, of a session */
    } *rows;
    uint32_t count, cap;
    char (*holds)[COUNTERS_HOLD_BYTES];
    size_t hold_count, hold_cap;
    struct counters_spent *sums; /* made by ledger_charges_sums() */
    uint32_t sum_cap;
    sqlite3_stmt *put;
    int64_t after_s; /* what stopped counting before that is left out; 0: nothing */
};

void ledger_charges_init(struct ledger_charges *charges);
void ledger_charges_clear(struct ledger_charges *charges);
bool ledger_charges_install(struct ledger_charges *charges, sqlite3 *db, const char *table);
/* False: sqlite3_errmsg(db) says why. */
bool ledger_charges_add(struct ledger_charges *charges, const struct ledger_record *record);
bool ledger_charges_write(struct ledger_charges *charges);
void ledger_charges_reset(struct ledger_charges *charges);
/* Both borrowed until the next batch. */
const struct counters_spent *ledger_charges_sums(struct ledger_charges *charges, size_t *count);
const char (*ledger_charges_holds(const struct ledger_charges *charges, size_t *count))[COUNTERS_HOLD_BYTES];

/* All sums that still count at that time, told one by one; their keys are borrowed for the call. */
bool ledger_charges_each(sqlite3 *db, int64_t now_s, void (*fn)(void *arg, const struct counters_spent *spent),
                         void *arg);
/* That of one key and period, if it counts. */
bool ledger_charges_one(sqlite3 *db, struct slice key, int64_t start_s, int64_t now_s,
                        void (*fn)(void *arg, const struct counters_spent *spent), void *arg);
/* So many of all sums, behind that one in the order of their keys and periods; a key without a pointer: from the first.
 * Which of them still count is told with them. Both are borrowed, `after` until the first of them is told. */
bool ledger_charges_page(sqlite3 *db, const struct counters_spent *after, int64_t now_s, uint32_t max,
                         void (*fn)(void *arg, const struct counters_spent *spent, bool counts), void *arg);
/* Keeps of so many holds' ids those whose record is there. */
bool ledger_charges_recorded(sqlite3 *db, char (*ids)[COUNTERS_HOLD_BYTES], size_t *count);
/* Forgets at most `max` of each table that stopped counting before that time. How many those were. */
bool ledger_charges_forget(sqlite3 *db, int64_t before_s, uint32_t max, uint32_t *count);
/* What stopped counting before that may have been forgotten; 0: nothing was. */
bool ledger_charges_before(sqlite3 *db, int64_t *before_s);

#endif
