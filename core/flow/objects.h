/*
 * Whose the objects are that providers keep, as a worker asks for it. Three places know, and are asked in this order:
 *
 *  1. memory that the processes of this gateway share (store/owned.h): what was made a moment ago, by any of its
 *     workers, and what was asked for; at once;
 *  2. the Redis of a fleet, where moongate.lua names one: "mg1:o:" and the key, until the object is over: what other
 *     gateways have made;
 *  3. the ledger process (store/ledger/objects.h): all that this gateway has made; survives restarts.
 *
 * Why these: an object must be known before its answer's end has left, since the client's next turn may come to any
 * worker; the record alone comes too late for that, and memory alone forgets. What is nowhere is nobody's. Where one of
 * the two could not be asked, and nobody else knew, that is said, and the request is refused: nothing passes unasked.
 *
 *     objects_claim(o, owner, made);                            // known here at once, in a fleet soon …
 *     if (!objects_is_reached(o, &wait, on_reached, job)) …     // … on_reached comes when it is
 *     objects_ask(o, owner, named, count, &question);           // question->then, now or later
 *     objects_leave(&question);
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_OBJECTS_H
#define MOONGATE_FLOW_OBJECTS_H

#include "base/list.h"
#include "exchange/objects.h"
#include "net/loop.h"
#include "store/ledger/link.h"
#include "store/owned.h"

struct asked_redis;
struct objects;
struct recorder;

struct objects_options {
    struct loop *loop;
    struct owned_table *table;
    struct recorder *recorder;
    const char *redis_url; /* a secret; NULL: this gateway is alone */
    uint32_t redis_ms;     /* for this an answer is waited for */
};

enum objects_state {
    OBJECTS_KNOWN,   /* found: each is its owner's */
    OBJECTS_UNKNOWN, /* the one at `missing` is not */
    OBJECTS_UNASKED, /* … and somebody who may know it could not be asked */
};

/* Embedded in its owner, who leaves it before it goes. */
struct objects_question {
    struct list_link link;
    struct loop_timer timer;
    struct objects *objects;
    uint64_t number;
    struct owned_key keys[LIMIT_KEPT];
    uint64_t given[LIMIT_KEPT];     /* set by the asker: the account of what is known to be there; 0: it is asked for */
    struct owned found[LIMIT_KEPT]; /* account 0: not yet */
    size_t count, missing;
    bool is_unsure; /* somebody could not be asked */
    bool is_waiting;
    struct asked_redis *at_redis; /* NULL: Redis is not being asked */
    void (*then)(void *arg, enum objects_state state);
    void *arg;
};

struct objects *objects_new(const struct objects_options *options);
void objects_free(struct objects *o); /* NULL is welcome */

/* The owner has made it: all processes of this gateway know now, the fleet's Redis is told. What Redis does not take is
 * told again, up to LIMIT_OBJECTS_TELLING of them; the ledger knows by the record. */
void objects_claim(struct objects *o, struct slice owner, const struct object_made *made);
void objects_forget(struct objects *o, struct slice owner, struct slice id);

/* Redis has not taken all of it yet, nor refused it. */
bool objects_are_behind(const struct objects *o);
/* Somebody who waits until Redis was told; embedded in its owner, zeroed. */
struct objects_wait {
    struct list_link link;
    uint64_t claims;
    void (*then)(void *arg);
    void *arg;
};
/* True: Redis knows of all claims of before, or has failed at them. False: then(arg) comes from the loop. */
bool objects_is_reached(struct objects *o, struct objects_wait *wait, void (*then)(void *arg), void *arg);
void objects_wait_leave(struct objects_wait *wait); /* also where nothing is waited for */

/* question->then, ->arg and ->given are set; then may come before this returns. */
void objects_ask(struct objects *o, struct slice owner, const struct kept_object *named, size_t count,
                 struct objects_question *question);
void objects_leave(struct objects_question *question); /* also where nothing is asked */
/* The ledger's answer; ask NULL: its pipe is gone. */
void objects_told(struct objects *o, const struct link_ask *ask, const struct owned *found);

#endif
