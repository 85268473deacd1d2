/*
 * A fleet's ledger in PostgreSQL, as one gateway writes to it: makes the tables, knows how far it has come, adds
 * batches of entries, each exactly once.
 *
 *     struct ledger_postgres *lp = ledger_postgres_new(loop, &options, &events, arg, &why);
 *     on_open(arg, place):   is place on our chain? (store/ledger/feed.h)    ledger_postgres_claim(lp);
 *     on_idle(arg):          ledger_postgres_send(lp, batch); or ledger_postgres_keep(lp, …);
 *     on_end(arg, end, why): ledger_postgres_free(lp), and a new one later, which sees how far this one came
 *
 * A batch is one transaction: one statement, and for a large one several (store/ledger/pour.h). It moves the gateway's
 * place from the entry before the batch to its last, in the epoch that was claimed, and copies, counts and sums only if
 * that could be moved. Whatever became of an earlier statement, of another process or of an answer that was lost, a
 * place is passed once. What lies in the tables already under the same time and id (of a ledger that was given another
 * name) is not counted twice.
 *
 * One statement at a time. Any failure ends it: what it was about is known from the place that the next one reads.
 */
#ifndef MOONGATE_STORE_LEDGER_POSTGRES_H
#define MOONGATE_STORE_LEDGER_POSTGRES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"
#include "store/chain.h"

struct ledger_batch;
struct ledger_postgres;
struct loop;

struct ledger_postgres_place {
    uint64_t seq; /* 0: nothing yet */
    uint8_t hash[CHAIN_HASH_BYTES];
    uint64_t anchor; /* seq of the last signed head that is there */
};

enum ledger_postgres_end {
    POSTGRES_FAILED,  /* not reached, lost, refused for now: the same may go well in a moment */
    POSTGRES_TAKEN,   /* another process has claimed the gateway's name, or moved its place */
    POSTGRES_REFUSED, /* people must mend it: tables of a newer moongate, an encoding not UTF8, missing rights */
};

struct ledger_postgres_events {
    void (*on_open)(void *arg, const struct ledger_postgres_place *place);
    void (*on_idle)(void *arg); /* claimed, or the last statement is done */
    void (*on_end)(void *arg, enum ledger_postgres_end end, const struct fault *why);
};

/* Borrowed during the call; conninfo is a secret. */
struct ledger_postgres_options {
    const char *conninfo;
    struct slice gateway;
};

struct ledger_postgres *ledger_postgres_new(struct loop *loop, const struct ledger_postgres_options *options,
                                            const struct ledger_postgres_events *events, void *arg, struct fault *why);
void ledger_postgres_free(struct ledger_postgres *lp); /* NULL is welcome; safe in all callbacks */

/* From now on the name is ours, until another claims it. */
void ledger_postgres_claim(struct ledger_postgres *lp);
/* Entries behind the place, and signed heads; may be without entries. Borrows the batch until on_idle or on_end. */
void ledger_postgres_send(struct ledger_postgres *lp, struct ledger_batch *batch);
/* Makes partitions of the days ahead; drops those of days before `before`, days since 1970, UTC (0: none), as far as
 * the database's clock agrees. */
void ledger_postgres_keep(struct ledger_postgres *lp, int64_t before);
/* As far as the last batch that was done. */
const struct ledger_postgres_place *ledger_postgres_place(const struct ledger_postgres *lp);

#endif
