/*
 * Whose the objects are that providers keep, as the ledger has them: all that records have said was made, until it is
 * over or was deleted. In ledger.db, written in the commit of the record that says so: an object is known as surely as
 * its making is recorded, and what a worker has forgotten, or a restart, is found again.
 *
 *     ledger_objects_note(&l->objects, reader, node, seq, time_us)      // a record's "objects" (flow/record.h)
 *     ledger_find_object(l, &key, now_s, &owned)                        // between batches or in one
 *     ledger_list_objects(l, &page, now_s, on_object, arg)              // an owner's own, a page of them
 *
 * Records may be deleted for their age before their objects are over; then the rows alone know of them, and `moongate
 * ledger check` cannot make these anew.
 * For core/store/ledger and the ledger process. Blocking.
 */
#ifndef MOONGATE_STORE_LEDGER_OBJECTS_H
#define MOONGATE_STORE_LEDGER_OBJECTS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/ledger/record.h"
#include "store/owned.h"

struct ledger;

struct ledger_objects {
    sqlite3 *db;
    sqlite3_stmt *put, *get, *drop, *cut, *place, *newest, *oldest;
};

/* False: SQLite says why. */
bool ledger_objects_install(struct ledger_objects *o, sqlite3 *db);
void ledger_objects_clear(struct ledger_objects *o);
/* What a record says of them: "made" and "gone"; node JSON_NONE: nothing. A row comes once under its owner and id: of
 * two the later counts, but for the time and the place of its making: a batch is told of again whenever it is looked
 * at. With each that comes a few that are over go. False: SQLite says why. */
bool ledger_objects_note(struct ledger_objects *o, struct ledger_reader *reader, uint32_t node, uint64_t seq,
                         int64_t time_us);

enum ledger_found { LEDGER_OBJECT_FOUND, LEDGER_OBJECT_UNKNOWN, LEDGER_OBJECT_UNREAD };
enum ledger_found ledger_find_object(struct ledger *l, const struct owned_key *key, uint64_t now_s,
                                     struct owned *owned);

/* The newest first, or the oldest; of one record those are in the order of their keys. */
struct ledger_page {
    struct slice owner;
    int kind; /* enum kept_kind */
    const struct owned_key *after; /* they begin behind that one; NULL: with the first */
    bool is_ascending;
    uint32_t limit;
};
/* made_s: since 1970, when its making was recorded; id: borrowed for the call. */
typedef void (*ledger_object_fn)(void *arg, struct slice id, int64_t made_s);
/* UNKNOWN: `after` is none of the owner's. fn comes for each, at most limit + 1 times: for one more where there are
 * more. UNREAD: it may have come for some. */
enum ledger_found ledger_list_objects(struct ledger *l, const struct ledger_page *page, uint64_t now_s,
                                      ledger_object_fn fn, void *arg);

#endif
