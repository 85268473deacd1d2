/*
 * A worker's records on their way to the ledger process (store/ledger/link.h): formatted when an exchange is over, sent
 * together in the loop's next turn, and kept until the ledger says that it has them.
 *
 *     struct recorder *r = recorder_new(loop, &events, flow);
 *     recorder_attach(r, fd);                        // a fresh pipe's end, whenever there is one
 *     recorder_add(r, &(struct recorder_entry){.kind = CHAIN_EXCHANGE, .durability = DURABILITY_LOCAL, .x = x}, &wait);
 *     recorder_cancel(&wait);                        // whoever waited is gone; the record stands
 *     recorder_free(r);                              // names what was never acknowledged
 *
 * A ledger that dies takes nothing with it: on the next pipe all that is kept goes again, in its order. A worker that
 * is killed takes with it what had not been sent, and only that.
 * Bounded: LIMIT_LEDGER_HELD_BYTES are kept, and from three fourths of that on recorder_is_failing() says so; what
 * comes beyond the bound, or is larger than a message, is lost, told by id, and told to the ledger as a number
 * (CHAIN_LOSS) once it takes records again. Without an acknowledgement for LIMIT_LEDGER_STUCK_MS it is failing, too.
 * Never blocks, never touches a file.
 */
#ifndef MOONGATE_FLOW_RECORDER_H
#define MOONGATE_FLOW_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "exchange/exchange.h"
#include "net/loop.h"
#include "store/chain.h"
#include "store/ledger/link.h"

struct kept;
struct recorder;

struct recorder_events {
    /* A record will never be written, or a notice; `id` is its exchange's or its own, borrowed for the call. */
    void (*on_lost)(void *arg, struct slice id);
    void (*on_change)(void *arg); /* recorder_is_failing() says something else; from the loop */
    void (*on_idle)(void *arg);   /* all is acknowledged */
    /* LINK_TOLD: the answer to a question; NULL: its pipe is gone, and what was asked is not answered any more. */
    void (*on_told)(void *arg, const struct link_ask *ask, const struct owned *found);
    /* LINK_LISTED: likewise; objects: listed->count of them, whole. */
    void (*on_listed)(void *arg, const struct link_listed *listed, struct slice objects);
};

struct recorder_entry {
    enum chain_kind kind;       /* CHAIN_EXCHANGE or CHAIN_INTENT */
    enum durability durability; /* never UNSAID */
    const struct exchange *x;
};

/* Somebody who waits for a record; embedded in its owner. All zeros: nobody. */
struct recorder_wait {
    struct kept *kept; /* NULL: nothing is waited for */
    void (*fn)(void *arg);
    void *arg;
};

/* `events` is borrowed for ever. */
struct recorder *recorder_new(struct loop *loop, const struct recorder_events *events, void *arg);
void recorder_free(struct recorder *r); /* NULL is welcome; nobody who waits is told */
/* Takes the descriptor; a pipe of before is left. */
void recorder_attach(struct recorder *r, int fd);

/* fn(arg) once, from the loop, when the record is as durable as it says. wait NULL, or DURABILITY_ASYNC: nobody waits.
 * False: there is no room, and the record is lost. */
bool recorder_add(struct recorder *r, const struct recorder_entry *entry, struct recorder_wait *wait);
/* A notice of a budget, CHAIN_ALERT: its id, and its JSON, which begins with {"id":"… and is copied. Nobody waits for
 * it. False: there is no room; what is left is for records. */
bool recorder_tell(struct recorder *r, const uint8_t id[LINK_ID_BYTES], struct slice body);
/* Welcome when nothing is waited for. */
void recorder_cancel(struct recorder *r, struct recorder_wait *wait);
/* Asks the ledger whose objects these are: ask->count keys. False: it cannot be asked now. */
bool recorder_ask(struct recorder *r, const struct link_ask *ask, const struct owned_key *keys);
/* … and which an owner has, who is not empty. False: likewise. */
bool recorder_list(struct recorder *r, const struct link_list *list, struct slice owner);
/* A record of this durability could not be had now. Of DURABILITY_ASYNC: never. */
bool recorder_is_failing(const struct recorder *r, enum durability durability);
/* Of this process's instance, which the ledger knows it by: whose holds are this worker's (store/counters/table.h). */
uint64_t recorder_owner(const struct recorder *r);
/* Everything is acknowledged. */
bool recorder_is_idle(const struct recorder *r);

#endif
