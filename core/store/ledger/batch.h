/*
 * Entries of the ledger on their way to PostgreSQL: what one statement of store/ledger/postgres.h takes, as rows.
 *
 *     struct ledger_batch *batch = ledger_batch_new();
 *     ledger_batch_add(batch, &entry);                  // in the order of seq, without gaps, until it is full
 *     ledger_batch_param_list(batch, types, params);    // borrowed until the next add or reset
 *     ledger_batch_reset(batch);                        // keeps the memory
 *
 * Each entry is copied as it stands. Of those that have a row in `records` the row is made again from the entry's JSON,
 * by the same reading (store/ledger/record.h), and with it what it adds to the sums: one line for each target that was
 * paid, beside the one where the request is counted.
 */
#ifndef MOONGATE_STORE_LEDGER_BATCH_H
#define MOONGATE_STORE_LEDGER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "store/chain.h"
#include "store/postgres.h"

/* Its kinds of rows, each a composite type in the database and a parameter of the statement. */
enum ledger_batch_rows { BATCH_AUDIT, BATCH_RECORDS, BATCH_LINES, BATCH_LABELS, BATCH_ANCHORS, BATCH_KINDS };
extern const char *const ledger_batch_types[BATCH_KINDS];

struct buf;
struct ledger_batch;
struct ledger_rollup;
struct postgres_rows;

struct ledger_batch_entry {
    uint64_t seq;
    enum chain_kind kind;
    struct slice body;
    const uint8_t *hash; /* CHAIN_HASH_BYTES */
    const uint8_t *id;   /* of its row in `records`, and that row's day; NULL: it has none */
    int64_t day;
};

struct ledger_batch_anchor {
    uint64_t seq;
    int64_t time_us;
    const uint8_t *hash; /* CHAIN_HASH_BYTES */
    struct slice signature;
};

struct ledger_batch *ledger_batch_new(void);
void ledger_batch_free(struct ledger_batch *b); /* NULL is welcome */
void ledger_batch_reset(struct ledger_batch *b);

/* Copies. */
void ledger_batch_add(struct ledger_batch *b, const struct ledger_batch_entry *entry);
void ledger_batch_add_anchor(struct ledger_batch *b, const struct ledger_batch_anchor *anchor);
/* LIMIT_SHIP_ROWS, LIMIT_SHIP_BYTES or LIMIT_SHIP_DAYS: no more may be added. */
bool ledger_batch_is_full(const struct ledger_batch *b);

size_t ledger_batch_rows(const struct ledger_batch *b);
size_t ledger_batch_anchors(const struct ledger_batch *b);
uint64_t ledger_batch_last(const struct ledger_batch *b, uint8_t hash[CHAIN_HASH_BYTES]);
/* Partitions that it needs: distinct days since 1970, UTC. Borrowed. */
const int32_t *ledger_batch_days(const struct ledger_batch *b, size_t *count);

/* The SQL behind "WITH moved AS (…)", whose parameters are numbered from `first` on, in the order of the kinds. It
 * answers with how many places were moved, and how many signed heads are there with another hash. */
void ledger_batch_sql(struct buf *sql, unsigned first);
/* `types`: the composite types' numbers in pg_type. */
void ledger_batch_param_list(struct ledger_batch *b, const uint32_t types[BATCH_KINDS],
                             struct postgres_param params[BATCH_KINDS]);

/* ---- The same in pieces, for store/ledger/pour.h. */

/* "moongate.audit(gw, seq, …)" or "moongate.records(gw, seq, …)": the columns of its rows, behind the gateway. */
void ledger_batch_target(struct buf *sql, enum ledger_batch_rows kind);
/* As ledger_batch_sql(), when entries and records are there: three parameters, which are sums as rows of the tables'
 * own types, and signed heads. */
extern const char *const ledger_batch_sum_types[2];
void ledger_batch_sums_sql(struct buf *sql, unsigned first);
struct postgres_rows *ledger_batch_rows_of(struct ledger_batch *b, enum ledger_batch_rows kind);
const struct ledger_rollup *ledger_batch_sums(const struct ledger_batch *b);
#endif
