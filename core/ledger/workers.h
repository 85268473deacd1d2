/*
 * The pipes of all workers (ledger/link.h), together: what all of them are told, and whether each is known.
 *
 *     struct workers *w = workers_new(loop, &events, arg);
 *     workers_add(w, slot, pid, fd);             // takes the descriptor; the worker is told what was said last
 *     workers_say(w, &state, reason);            // all of them, and those that come later
 *     workers_acknowledge(w, head);              // behind a commit
 *     workers_free(w);
 *
 * A pipe that has ended stays until nothing of it waits (on_gone). A process that was killed counts as a worker until
 * the system knows it no more.
 */
#ifndef MOONGATE_LEDGER_WORKERS_H
#define MOONGATE_LEDGER_WORKERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"
#include "ledger/link.h"

struct workers;

struct workers_events {
    void (*on_entry)(void *arg, struct link *link, const struct link_item *item);
    /* Whose objects are: link_tell() answers (ledger/link.h). */
    void (*on_ask)(void *arg, struct link *link, const struct link_ask *ask, const struct owned_key *keys);
    void (*on_list)(void *arg, struct link *link, const struct link_list *list, struct slice owner);
    void (*on_gone)(void *arg); /* one of the pipes has ended, and everything of it is on the disk */
};

/* `events` is borrowed until workers_free(). */
struct workers *workers_new(struct loop *loop, const struct workers_events *events, void *arg);
void workers_free(struct workers *w); /* NULL is welcome */
void workers_add(struct workers *w, uint32_t slot, pid_t pid, int fd);
/* reason: copied, up to FAULT_TEXT_BYTES. */
void workers_say(struct workers *w, const struct link_state *state, const char *reason);
/* Nothing more is read from them until it is said again. */
void workers_pause(struct workers *w, bool is_paused);
bool workers_are_paused(const struct workers *w);
/* As link_acknowledge(), of all. May call on_gone. */
void workers_acknowledge(struct workers *w, uint64_t head);
void workers_shipped(struct workers *w, uint64_t seq);
/* Each worker that lives has a pipe on which it has said who it is. */
bool workers_are_known(const struct workers *w);
/* One of this instance lives, or what it sent before its death is not on the disk yet. `w` is a struct workers: for
 * ledger/abandoned.h. */
bool workers_have(void *w, const uint8_t instance[LINK_ID_BYTES]);
/* The same of what counters know it by. */
bool workers_have_owner(void *w, uint64_t owner);
/* No pipe is left. */
bool workers_are_gone(const struct workers *w);

#endif
