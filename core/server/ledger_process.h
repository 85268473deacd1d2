/*
 * The ledger process: core/ledger on a loop of its own, obedience to the supervisor's control pipe (server/control.h),
 * and what it shows of itself on the board. Ends when it was told to stop, or, when the supervisor is gone, behind the
 * last of the workers.
 *
 *     exit(ledger_process_run(&parts));
 */
#ifndef MOONGATE_SERVER_LEDGER_PROCESS_H
#define MOONGATE_SERVER_LEDGER_PROCESS_H

#include "admin/board.h"

struct counters_shared;

struct ledger_process_parts {
    int control_fd; /* taken */
    const char *version;
    struct board_slot *slot; /* borrowed, as the next two: shared memory */
    struct board_ledger *board;
    void *segment;
    struct counters_shared *counters; /* of all processes */
    struct counters_post *post;       /* where they count with other gateways */
    struct breakers *breakers;        /* of provider accounts, of all processes */
};

/* The process's exit code. */
int ledger_process_run(const struct ledger_process_parts *parts);

#endif
