/*
 * One worker's pipe to the ledger process (store/ledger/link.h), as the ledger sees it.
 *
 *     struct link *link = link_new(loop, fd, &who, &events, arg);  // says its state with the next link_say()
 *     link_waits(link, 1);  link_committed(link, number);          // for each entry: it is queued; it is on the disk
 *     link_acknowledge(link, head);                                // one message for all of a batch
 *     link_free(link);
 *
 * A worker numbers its entries from 1, without gaps; a pipe on which something else comes is closed, and the worker's
 * records wait for the next one. After the end of the pipe a link stays until its last entry is committed, so that what
 * came before a worker's death counts.
 */
#ifndef MOONGATE_LEDGER_LINK_H
#define MOONGATE_LEDGER_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/slice.h"
#include "store/ledger/link.h"

struct link;
struct loop;

struct link_who {
    uint32_t slot;
    pid_t pid;
};

/* One entry as it came; all borrowed for the call. */
struct link_item {
    struct link_entry head;
    struct slice body, prompt, answer, subject;
};

struct link_events {
    void (*on_entry)(void *arg, struct link *link, const struct link_item *item);
    /* A worker asks whose objects are: link_tell() answers. keys: borrowed for the call. */
    void (*on_ask)(void *arg, struct link *link, const struct link_ask *ask, const struct owned_key *keys);
    /* … and which an owner has: link_tell_list() answers. */
    void (*on_list)(void *arg, struct link *link, const struct link_list *list, struct slice owner);
    /* The pipe has ended, and nothing of it waits any more: the link is still to be freed. */
    void (*on_over)(void *arg, struct link *link);
};

/* Takes the descriptor. `events` is borrowed until link_free(). */
struct link *link_new(struct loop *loop, int fd, const struct link_who *who, const struct link_events *events,
                      void *arg);
void link_free(struct link *link); /* closes; NULL is welcome */

const struct link_who *link_who(const struct link *link);
/* NULL: it has not said yet who it is. */
const uint8_t *link_instance(const struct link *link);
bool link_has_ended(const struct link *link);

/* Reads no more for now: too much waits. */
void link_pause(struct link *link, bool is_paused);
void link_waits(struct link *link, unsigned entries);
/* An entry that waited is on the disk, and all before it. */
void link_committed(struct link *link, uint64_t number);
/* Tells the worker, if there is news. head: the seq of the last commit, with which its entries stand behind it; 0: they
 * go nowhere else. May call on_over: the link is gone then. */
void link_acknowledge(struct link *link, uint64_t head);
/* All entries up to this seq are in PostgreSQL: the worker is told of its own. */
void link_shipped(struct link *link, uint64_t seq);
/* The answer to a question: ask->count of them, none where it is failing. */
void link_tell(struct link *link, const struct link_ask *ask, const struct owned *found);
/* objects: listed->count of them, each a struct link_object and its id. */
void link_tell_list(struct link *link, const struct link_listed *listed, struct slice objects);
void link_say(struct link *link, const struct link_state *state, struct slice reason);

/* For lists of their owner. */
struct list_link *link_place(struct link *link);
struct link *link_at(struct list_link *place);

#endif
