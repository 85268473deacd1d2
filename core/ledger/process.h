/*
 * The ledger process's work: takes what workers send, commits it together, and follows with what stands behind the
 * ledger. The control pipe and the shared memory around it are the server's (server/ledger_process.h).
 *
 *     struct process *p = process_new(loop, stats, &options, &events, arg);
 *     process_add_worker(p, slot, pid, fd);        // a pipe to one of them, whenever there is a new one
 *     process_configure(p, &options);              // moongate.lua was read anew
 *     changes_look(process_changes(p));            // keys were changed
 *     process_leave(p, true);                      // then on_end
 *     process_free(p);
 *
 * A ledger that cannot be opened is tried again, and workers are told why nothing can be committed. Blocking, in its
 * own process: a turn lasts as long as the disk takes for one commit.
 */
#ifndef MOONGATE_LEDGER_PROCESS_H
#define MOONGATE_LEDGER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"
#include "base/stats.h"
#include "ledger/anchors.h"

struct change_end;
struct changes;
struct breakers;
struct counters_post;
struct counters_shared;
struct loop;
struct sink;
struct process;

/* Copied. */
struct process_options {
    const char *version;
    struct slice data_dir, gateway, zone; /* those that process_new() was given count */
    struct slice copy;                    /* absolute, or in the data folder; empty: none */
    struct slice postgres;                /* a secret; empty: nothing is shipped */
    uint64_t retain_ms, retain_texts_ms;  /* 0: for ever */
    struct anchors_options witnesses;
    const struct sink *sinks;             /* that notices of budgets go to */
    size_t sink_count;
    struct slice redis;                   /* a secret: counters that a fleet shares; empty: it shares none */
    uint32_t redis_lease_ms;
    struct counters_post *post;           /* borrowed: where this gateway counts in them */
    struct breakers *breakers;            /* borrowed: of provider accounts; NULL: there are none */
    struct counters_shared *counters;     /* borrowed, the first time's; NULL: nobody counts */
};

struct process_state {
    bool is_failing;         /* nothing can be committed now */
    const char *why;         /* "" when all is well */
    const char *copy_why;    /* the same of the copy … */
    const char *ship_why;    /* … of PostgreSQL … */
    const char *witness_why; /* … and of the anchors' witnesses */
    bool is_committing;
    uint64_t waiting; /* entries */
};

struct process_events {
    void (*on_open)(void *arg);                  /* once */
    void (*on_shut)(void *arg, const char *why); /* it could not be opened */
    void (*on_state)(void *arg, const struct process_state *state);
    void (*on_end)(void *arg); /* everything is committed, or was given up */
    void (*on_change_end)(void *arg, const struct change_end *end); /* of changes_tell() */
};

/* `events` and `stats` are borrowed until process_free(). */
struct process *process_new(struct loop *loop, struct stats *stats, const struct process_options *options,
                            const struct process_events *events, void *arg);
void process_free(struct process *p); /* NULL is welcome */
void process_configure(struct process *p, const struct process_options *options);
/* Takes the descriptor. */
void process_add_worker(struct process *p, uint32_t slot, pid_t pid, int fd);
/* Somebody may have renamed the copy. */
void process_reopen(struct process *p);
/* For whom the supervisor tells of them; a start looks by itself. */
struct changes *process_changes(struct process *p);
/* Commits what comes until all workers have gone, then ends. are_workers_gone: they have, and what a disk does not take
 * is given up after LIMIT_LEDGER_STOP_MS. */
void process_leave(struct process *p, bool are_workers_gone);

#endif
