/*
 * Whose the objects are that providers keep, in memory that the processes of a gateway share: responses, conversations,
 * files, containers, by whoever made them. A bounded table, of which the ledger has all (store/ledger/objects.h): here
 * stand those that were made or asked for last, so that the client's next turn may come to another worker the moment
 * this one's answer has begun.
 *
 *     owned_key(&key, SLICE("app:writer"), SLICE("resp_1"));
 *     owned_put(table, &key, &(struct owned){.account = owned_account(name), .until_s = then}, now_s);
 *     if (owned_find(table, &key, now_s, &found)) … found.account …
 *
 * The key is made of owner and id: another owner's object is not found, whoever knows its id, and two who have the same
 * id each have their own. Nobody waits: an entry is written by compare-and-swap of its version and read between two
 * looks at it; a process that dies in the middle of a write leaves an entry that is nobody's, for good. Of a full
 * bucket the entry goes that is over first. Zeroed memory is an empty table.
 */
#ifndef MOONGATE_STORE_OWNED_H
#define MOONGATE_STORE_OWNED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"

#define OWNED_KEY_BYTES 16
#define OWNED_WAYS 8u /* entries of a bucket */

struct owned_key {
    uint8_t bytes[OWNED_KEY_BYTES];
};

struct owned {
    uint64_t account; /* of moongate.lua, by the hash of its name: owned_account() */
    uint32_t until_s; /* since 1970 */
    uint32_t kind;    /* enum kept_kind (wire/kept.h) */
};

struct owned_slot {
    _Atomic uint64_t version; /* odd: being written */
    _Atomic uint64_t words[4]; /* the key, the account, until and kind; a key of zeros: nobody's */
};

struct owned_table {
    struct owned_slot slots[LIMIT_OWNED];
};

/* SHA-256 of both, so that nobody can make up an id that stands for another one's. */
void owned_key(struct owned_key *key, struct slice owner, struct slice id);
uint64_t owned_account(struct slice name);

/* Replaces what is there under that key. False: every entry that could be taken is being written. */
bool owned_put(struct owned_table *table, const struct owned_key *key, const struct owned *owned, uint64_t now_s);
/* False: it is not here; who needs to know asks the ledger. */
bool owned_find(const struct owned_table *table, const struct owned_key *key, uint64_t now_s, struct owned *owned);
void owned_forget(struct owned_table *table, const struct owned_key *key);

#endif
