/*
 * The ledger's one writer: <data>/ledger.db (SQLite, WAL, synchronous=FULL, 0600), written by the ledger process alone.
 *
 *     struct ledger *l = ledger_open(&options, &why);           // makes or migrates it
 *     ledger_begin(l, &why) && ledger_put(l, &entry, &why) … && ledger_commit(l, &why);
 *     ledger_close(l);
 *
 * ledger_put() appends to the hash chain (store/chain.h) and makes from the entry's JSON what is searched and summed:
 * records and rollups. An entry whose id is there already, of that kind, is not stored twice (a change is known by the
 * id in its body, a notice by its budget, period and threshold). When anything fails the whole batch is rolled back and
 * is to be put again: nothing of it is stored.
 * Another process that writes too (an old ledger process on its way out) is waited for, and its entries are seen: the
 * chain has one head whoever extends it.
 * Blocking; never on a worker.
 */
#ifndef MOONGATE_STORE_LEDGER_LEDGER_H
#define MOONGATE_STORE_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"
#include "store/chain.h"

struct ledger;
struct ledger_charges;

struct ledger_options {
    const char *data_dir;
    const char *zone;            /* IANA name of the billing zone; NULL: UTC */
    struct slice gateway;        /* its name in a fleet; kept when the file is made, and refused when it is another */
    struct slice key_fingerprint; /* of the anchors' key, for the genesis */
    uint32_t pages_max;          /* PRAGMA max_page_count, for tests of a full disk; 0: no bound */
};

struct ledger_entry {
    enum chain_kind kind;
    const uint8_t *id;       /* 16 bytes; NULL for kinds without one */
    const uint8_t *instance; /* of the worker: for intents */
    struct slice body;       /* canonical JSON */
};

enum ledger_put { LEDGER_STORED, LEDGER_KNOWN, LEDGER_FAILED };

struct ledger *ledger_open(const struct ledger_options *options, struct fault *why);
void ledger_close(struct ledger *l); /* NULL is welcome */

/* The files that are written to are those of their names still; ledger_begin() looks by itself. */
bool ledger_is_in_place(const struct ledger *l, struct fault *why);
bool ledger_begin(struct ledger *l, struct fault *why);
/* LEDGER_FAILED: the batch is rolled back. */
enum ledger_put ledger_put(struct ledger *l, const struct ledger_entry *entry, struct fault *why);
bool ledger_commit(struct ledger *l, struct fault *why);
/* Gives the batch up, for who failed at something of his own between begin and commit; without one it does nothing. */
void ledger_rollback(struct ledger *l);

/* Of the last commit; 0 before the first entry. */
uint64_t ledger_head(const struct ledger *l, uint8_t hash[CHAIN_HASH_BYTES]);

/* For the rooms beside it that keep tables of their own in the file (anchors, witnesses, texts): what they write
 * between ledger_begin() and ledger_commit() is of that batch. */
struct sqlite3 *ledger_connection(struct ledger *l);
/* What the last batch was charged to budgets (store/ledger/charges.h); between batches. */
struct ledger_charges *ledger_last_charges(struct ledger *l);
/* It brought notices that are to be sent (store/ledger/outbox.h). */
bool ledger_has_posted(const struct ledger *l);

#endif
