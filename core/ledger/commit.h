/*
 * The queue of the ledger's writer: what has come since the last commit goes into the next one, together.
 *
 *     struct commit *c = commit_new(loop, &events, arg);
 *     commit_open(c, ledger, texts);
 *     commit_add(c, &(struct commit_entry){.kind = CHAIN_EXCHANGE, .link = link, .number = 7, .id = id, .body = body});
 *     commit_free(c);                                   // what could not be committed is lost: commit_waiting() first
 *
 * At most LIMIT_LEDGER_BATCH entries a commit; in a batch the order of their coming. A commit that fails changes
 * nothing and acknowledges nothing: it is tried again every LIMIT_LEDGER_RETRY_MS, a few entries at a time, until it
 * succeeds.
 * Beyond LIMIT_LEDGER_QUEUE_BYTES commit_is_full() says so, and whoever brings entries stops.
 */
#ifndef MOONGATE_LEDGER_COMMIT_H
#define MOONGATE_LEDGER_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "ledger/link.h"
#include "store/ledger/ledger.h"

struct commit;
struct loop;

struct commit_entry {
    enum chain_kind kind;
    struct link *link; /* whose it is; NULL: this process's own */
    uint64_t number;   /* the link's */
    const uint8_t *id, *instance; /* of LINK_ID_BYTES, or NULL; copied, as the rest */
    struct slice body;
    struct slice prompt, answer, subject; /* texts to be sealed; empty: none */
};

struct commit_batch {
    unsigned entries, stored;
    uint64_t began_ns, ended_ns; /* monotonic */
};

struct commit_events {
    void (*on_begin)(void *arg); /* a commit begins, which may take as long as the disk does */
    void (*on_batch)(void *arg, const struct commit_batch *batch);
    /* Another answer, or another reason; `why` is "" when all is well. */
    void (*on_state)(void *arg, bool is_failing, const char *why);
};

/* `events` is borrowed until commit_free(). */
struct commit *commit_new(struct loop *loop, const struct commit_events *events, void *arg);
void commit_free(struct commit *c); /* NULL is welcome; the links must be there still */
struct texts;
/* Both are borrowed. ledger NULL: there is none for now, and entries wait; texts NULL: none are kept. */
void commit_open(struct commit *c, struct ledger *ledger, struct texts *texts);
void commit_add(struct commit *c, const struct commit_entry *entry);
bool commit_is_full(const struct commit *c);
/* While nothing comes: is the file there still? */
void commit_look(struct commit *c);
bool commit_is_failing(const struct commit *c);
uint64_t commit_waiting(const struct commit *c); /* entries */
/* Ever: who notes the one behind his last entry knows by the other when that is on the disk. */
uint64_t commit_added(const struct commit *c);
uint64_t commit_done(const struct commit *c);

#endif
