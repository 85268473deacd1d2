/*
 * A large batch on its way into PostgreSQL: by COPY, which takes two thirds of what the one statement of
 * store/ledger/batch.h takes, for a gateway that has fallen behind.
 *
 *     struct ledger_pour *pour = ledger_pour_new(conn, types);
 *     ledger_pour_send(pour, &order, on_poured, arg);
 *     ledger_pour_free(pour);
 *
 * One transaction: entries and records are copied, the place is moved and the sums are added, which were added up here,
 * and only where the place could be moved is it committed. COPY knows no ON CONFLICT: where a record is there already
 * (POUR_KNOWN) all is rolled back, and the batch is one for the statement. Five round trips instead of one: nothing for
 * a batch that somebody waits for.
 */
#ifndef MOONGATE_STORE_LEDGER_POUR_H
#define MOONGATE_STORE_LEDGER_POUR_H

#include <stdint.h>

#include "store/postgres.h"

struct ledger_batch;
struct ledger_pour;

/* The parameters of ledger_postgres's "moved": $1 … $5. All is borrowed until the end. */
#define POUR_MOVED_PARAMS 5
struct ledger_pour_order {
    struct ledger_batch *batch;
    const char *moved; /* "WITH moved AS (…)" */
    int32_t gw;
    struct postgres_param params[POUR_MOVED_PARAMS];
};

enum ledger_poured {
    POUR_DONE,
    POUR_KNOWN,  /* nothing was done */
    POUR_TAKEN,  /* the place could not be moved; the transaction is still open: the connection is to be ended */
    POUR_FAILED, /* what the answer says; the same holds */
};

/* `others`: signed heads that are there with another hash. */
typedef void (*ledger_pour_fn)(void *arg, enum ledger_poured how, int64_t others, const struct postgres_answer *answer);

/* Numbers in pg_type of ledger_batch_sum_types[], and of BATCH_ANCHORS. */
struct ledger_pour *ledger_pour_new(struct postgres *conn, const uint32_t types[3]);
void ledger_pour_free(struct ledger_pour *pour); /* with the connection or before it; NULL is welcome */
void ledger_pour_send(struct ledger_pour *pour, const struct ledger_pour_order *order, ledger_pour_fn fn, void *arg);

#endif
