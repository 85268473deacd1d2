/*
 * The one process that starts the others: owns listening sockets and shared memory, replaces what dies, reloads,
 * drains, answers the control socket. It touches no request.
 *
 *     int code = supervisor_run(&(struct supervisor_parts){.config_path = "moongate.lua", .version = "0.1.0", ...});
 *
 * Signals: HUP reloads; TERM drains (a second one stops); INT stops. Control socket: <data>/control.sock, a JSON object
 * a line: {"cmd":"reload"|"status"|"drain"|"stop"|"registry_changed"}. <data>/listen.json says addresses and pids
 * while it runs. Exit codes: 0 after a drain or stop, 1 when it could not start.
 */
#ifndef MOONGATE_SERVER_SUPERVISOR_H
#define MOONGATE_SERVER_SUPERVISOR_H

#include <stdbool.h>

#include "server/report.h"

/* Borrowed during on_started. */
struct supervisor_started {
    const char *listen, *admin_listen; /* as bound: with the port that port 0 became */
    const char *data_dir, *policies_dir, *digest;
    unsigned workers, policy_files;
    unsigned start_ms;
};

struct supervisor_parts {
    const char *config_path;
    const char *version;
    /* The configuration or the policies are no good, or have warnings, at start. */
    void (*on_report)(void *arg, struct report *report);
    /* Requests are taken. */
    void (*on_started)(void *arg, const struct supervisor_started *started);
    void *arg;
};

/* Returns the exit code; also in forked children, which do not return but exit. */
int supervisor_run(const struct supervisor_parts *parts);

#endif
