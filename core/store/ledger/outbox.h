/*
 * What is still to be sent of notices: rows of the ledger's table `outbox`, a row a receiver, made with the notice
 * itself (store/ledger/alerts.h).
 *
 *     while (outbox_next(db, sink, now_us, out, &why)) …            // the oldest that is due for that sink
 *     outbox_drop(db, out->id, &why);                               // it was taken
 *     outbox_postpone(db, out->id, next_us, &why);                  // it was not
 *
 * Between batches; each write is a transaction of its own, and on the disk when it returns.
 */
#ifndef MOONGATE_STORE_LEDGER_OUTBOX_H
#define MOONGATE_STORE_LEDGER_OUTBOX_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"

struct outbox_item {
    int64_t id;
    uint64_t seq;   /* of its entry */
    uint32_t tries; /* that failed */
    struct buf receiver, body; /* body: the entry's; empty: it was deleted for its age */
};

void outbox_item_init(struct outbox_item *item);
void outbox_item_clear(struct outbox_item *item);
/* False: there is none, or why->code says that it failed. */
bool outbox_next(sqlite3 *db, struct slice sink, int64_t now_us, struct outbox_item *item, struct fault *why);
/* The first, whatever its sink, if it came before that time; false as above. The others are not looked through. */
bool outbox_oldest(sqlite3 *db, int64_t before_us, struct outbox_item *item, struct fault *why);
bool outbox_drop(sqlite3 *db, int64_t id, struct fault *why);
/* All of an entry's: another gateway gives it out. */
bool outbox_drop_entry(sqlite3 *db, uint64_t seq, struct fault *why);
/* One more try has failed. */
bool outbox_postpone(sqlite3 *db, int64_t id, int64_t next_us, struct fault *why);
/* All of a sink's. */
bool outbox_drop_all(sqlite3 *db, struct slice sink, struct fault *why);
bool outbox_count(sqlite3 *db, int64_t *count, struct fault *why);
/* Tells each sink that something waits for; its name is borrowed for the call. */
bool outbox_sinks(sqlite3 *db, void (*fn)(void *arg, struct slice sink), void *arg, struct fault *why);

#endif
