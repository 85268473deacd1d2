/*
 * Carries what the ledger has committed to PostgreSQL: in order, exactly once, catching up after every outage.
 *
 *     struct ship *ship = ship_new(loop, &options, &events, arg, &why);
 *     ship_committed(ship, is_awaited);         // behind each commit: entries or signed heads have come
 *     on_shipped(arg, seq):                     // all up to seq are in PostgreSQL: for `remote`, and for retention
 *     ship_free(ship);
 *
 * Reads ledger.db itself (store/ledger/feed.h), from where PostgreSQL says it was left, so that nothing but that place
 * need be known after a crash, here or there. One statement is under way while the next batch is read; memory is that
 * of two batches, whatever waits. While PostgreSQL fails it is tried again, from LIMIT_SHIP_RETRY_MS on up to
 * LIMIT_SHIP_RETRY_MS_MAX. What is there and lies not on this ledger's chain is refused, loudly, and asked for again
 * every LIMIT_SHIP_REFUSED_MS: an older ledger.db was put back, or another gateway has the same name.
 * Never blocks for PostgreSQL. The same loop's other work waits for reads of LIMIT_SHIP_SLICE_ROWS entries at a time.
 */
#ifndef MOONGATE_LEDGER_SHIP_H
#define MOONGATE_LEDGER_SHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct loop;
struct ship;

struct ship_state {
    bool is_failing; /* not connected, refused, or without an answer for LIMIT_SHIP_SLOW_MS */
    bool is_refused; /* … and only people can mend it */
    const char *why; /* "" when all is well; never a secret */
    uint64_t shipped, head;   /* seq of what PostgreSQL has, and of what is committed */
    uint64_t lag_rows, lag_ms; /* what PostgreSQL lacks, and how long ago the first of it came */
    uint64_t statements, failures; /* ever */
};

struct ship_options {
    const char *data_dir;
    struct slice gateway;
    const char *conninfo;   /* a secret */
    uint64_t retain_s;      /* partitions of days that are over for so long are dropped; 0: none ever */
    uint64_t shipped;       /* what on_shipped told last, before this process: until PostgreSQL says it itself */
};

struct ship_events {
    /* Grows; first with what was there before this process began. */
    void (*on_shipped)(void *arg, uint64_t seq);
    /* Failing or not, or another reason. */
    void (*on_state)(void *arg, const struct ship_state *state);
};

/* ledger.db is there already. NULL and *why: conninfo is none that may be used (store/postgres.h). Copies the options;
 * `events` is borrowed until ship_free(). */
struct ship *ship_new(struct loop *loop, const struct ship_options *options, const struct ship_events *events,
                      void *arg, struct fault *why);
/* What is under way is left to PostgreSQL: the next one sees how it ended. Not inside its events. NULL is welcome. */
void ship_free(struct ship *s);

/* is_awaited: somebody waits for it to be there, so that it goes at once. */
void ship_committed(struct ship *s, bool is_awaited);
/* Nothing is left that could be shipped now: for the end of the process. */
bool ship_is_done(struct ship *s);
/* Reads ledger.db for the lag. Borrowed until the next call. */
const struct ship_state *ship_state(struct ship *s);

#endif
