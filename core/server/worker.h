/*
 * One worker process: a loop, a flow on it, and obedience to the supervisor's control pipe (server/control.h).
 *
 *     exit(worker_run(&(struct worker_parts){.control_fd = fd, .listen_fd = listen_fd, ...}));
 *
 * Takes requests from the first CONTROL_COMMIT on. Ends by itself when a drain is over, when told to stop, and, after
 * a drain, when the supervisor is gone. Gives everything back before it returns, so that a leak is seen.
 */
#ifndef MOONGATE_SERVER_WORKER_H
#define MOONGATE_SERVER_WORKER_H

#include "admin/board.h"

struct breakers;
struct provider_switches;
struct access_tokens;
struct confirmed;
struct owned_table;
struct counters_shared;

struct worker_parts {
    int control_fd;          /* taken */
    int listen_fd;           /* taken */
    struct board_slot *slot; /* borrowed: shared memory */
    void *segment;           /* borrowed: this slot's metrics */
    struct counters_shared *counters;  /* borrowed: of all processes */
    const struct counters_post *post;  /* borrowed: where they count with other gateways */
    const struct provider_switches *switches; /* borrowed: which of them are off */
    const struct confirmed *confirmed; /* borrowed: when what they have of the registry was last all there is */
    struct breakers *breakers;         /* borrowed: of provider accounts, of all processes */
    struct access_tokens *access_tokens; /* borrowed: their tokens */
    struct owned_table *owned;         /* borrowed: whose the objects are that providers keep */
    unsigned workers;                  /* how many there are of this kind */
};

/* The process's exit code. */
int worker_run(const struct worker_parts *parts);

#endif
