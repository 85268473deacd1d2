/*
 * What each process shows of itself to the others: a piece of shared memory, made by the supervisor before it forks.
 *
 *     struct board *board = area.base;                       // zeroed; board_bytes(workers) long
 *     atomic_fetch_add(&board->slots[i].beat, 1);            // a worker, from its loop: it is alive
 *     shared_text_set(&board->digest, digest);                // one writer each
 *     shared_text_get(&board->digest, text, sizeof text);     // any reader, at any time, always a whole text
 *
 * Nobody waits on anybody here: a stopped or killed writer leaves the last whole text readable.
 */
#ifndef MOONGATE_ADMIN_BOARD_H
#define MOONGATE_ADMIN_BOARD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/shared_text.h"
#include "store/breakers.h"
#include "store/confirmed.h"
#include "store/counters/post.h"
#include "store/access_tokens.h"
#include "store/owned.h"
#include "store/provider_switches.h"

enum board_state { BOARD_STARTING, BOARD_READY, BOARD_DRAINING, BOARD_STOPPING };

enum board_slot_state { BOARD_SLOT_DOWN, BOARD_SLOT_STARTING, BOARD_SLOT_READY, BOARD_SLOT_LEAVING };

struct board_slot {
    _Atomic uint64_t beat;  /* the process: grows while its loop turns */
    _Atomic int pid;        /* the supervisor, as the next two */
    _Atomic uint32_t state; /* of enum board_slot_state */
    _Atomic uint32_t restarts;
    _Atomic uint64_t generation; /* the process: what it decides with now */
    _Atomic uint64_t live_generations;
    _Atomic uint32_t clients_max; /* the process: so many may be connected */
    /* The process may have no more than these, so that its clients are fewer than was asked; 0: enough. */
    _Atomic uint64_t descriptors;
    _Atomic uint32_t records_failing; /* 1: its records cannot be written, and wait */
    struct shared_text digest;
    struct shared_text redis_trouble; /* the process: why what it asks the fleet's counters does not reach them; "" */
};

/* Something that waits behind the ledger. */
struct board_lag {
    _Atomic uint32_t is_failing;
    struct shared_text reason;
};

/* What the ledger process shows of itself. */
struct board_ledger {
    _Atomic uint32_t is_failing; /* nothing can be committed now */
    _Atomic uint64_t failing_since_ns; /* wall */
    _Atomic uint64_t commit_began_ns; /* monotonic: of the commit under way; 0: none */
    _Atomic uint64_t waiting; /* entries that came and are not committed */
    struct shared_text reason;
    struct board_lag copy, ship, witness; /* ship: to PostgreSQL */
};

struct board {
    _Atomic uint32_t state; /* of enum board_state */
    uint32_t worker_count;  /* set before the first fork, as the next */
    uint32_t ledger_slot;
    _Atomic uint64_t started_wall_ns;
    _Atomic uint64_t generation;
    struct shared_text digest;          /* of the policies in force */
    _Atomic uint64_t reloaded_wall_ns; /* of the last attempt, good or bad */
    struct shared_text reload_error;    /* "" when the last attempt was accepted */
    struct board_ledger ledger;
    struct counters_post counters; /* of a fleet */
    struct breakers breakers;      /* of provider accounts */
    struct provider_switches switches; /* which of them are off: the admin process writes */
    struct confirmed registry;     /* of a fleet: when what workers have of it was last all there is */
    struct access_tokens access_tokens; /* their tokens: the admin process writes */
    struct owned_table owned;      /* whose the objects are that providers keep */
    struct board_slot slots[];
};

size_t board_bytes(unsigned worker_count);
/* "starting", "ready" … */
const char *board_state_name(enum board_state state);
const char *board_slot_state_name(enum board_slot_state state);

#endif
