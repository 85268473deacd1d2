/*
 * The sums of a batch, added up in memory before they meet the table: one upsert for each row that the batch touched,
 * and not one for each record.
 *
 *     ledger_rollup_add(&sums, &record);              // record->day is set
 *     if (ledger_rollup_is_full(&sums)) …             // LIMIT_LEDGER_SUMS rows: write them now
 *     ledger_rollup_write(&sums)                      // and forget them; false: sqlite3_errmsg(db) says why
 *     ledger_rollup_reset(&sums);                     // the batch was given up
 *
 * Sums end at INT64_MAX, and the log says so. ledger_rollup_install() comes first.
 */
#ifndef MOONGATE_STORE_LEDGER_ROLLUP_H
#define MOONGATE_STORE_LEDGER_ROLLUP_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "store/ledger/record.h"

#define ROLLUP_SUMS 10
#define ROLLUP_TEXTS 6 /* department, app, user, model, provider, key_id */
#define LABEL_SUMS 4
#define LABEL_TEXTS 2

/* One table's. */
struct ledger_sums {
    struct map map;
    struct buf keys;
    struct ledger_sum {
        size_t key, key_bytes; /* in keys: the day, then each text with its length before it */
        int64_t sums[ROLLUP_SUMS];
    } *rows;
    uint32_t count, cap;
};

struct ledger_rollup {
    struct ledger_sums days, labels;
    struct ledger_into {
        sqlite3 *db;
        sqlite3_stmt *add, *make; /* to a row that is there, and a new one */
    } day_table, label_table; /* prepared by ledger_rollup_install() */
};

void ledger_rollup_init(struct ledger_rollup *rollup);
void ledger_rollup_clear(struct ledger_rollup *rollup);
/* Into tables of those names, with the columns of store/ledger/schema.h. */
bool ledger_rollup_install(struct ledger_rollup *rollup, sqlite3 *db, const char *days, const char *labels);
void ledger_rollup_add(struct ledger_rollup *rollup, const struct ledger_record *record);
bool ledger_rollup_is_full(const struct ledger_rollup *rollup);
bool ledger_rollup_write(struct ledger_rollup *rollup);
/* The i-th row of one table's: its day and texts, which are borrowed. */
int64_t ledger_sums_key(const struct ledger_sums *sums, uint32_t i, struct slice *texts, size_t count);
/* Forgets what was not written. */
void ledger_rollup_reset(struct ledger_rollup *rollup);

#endif
