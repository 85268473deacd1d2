/*
 * The admin process: the admin listener's answers on a loop of their own, until the supervisor says stop or is gone.
 *
 *     exit(admin_process_run(control_fd, &parts, &board->...));
 */
#ifndef MOONGATE_SERVER_ADMIN_PROCESS_H
#define MOONGATE_SERVER_ADMIN_PROCESS_H

#include <stdatomic.h>
#include <stdint.h>

#include "admin/admin.h"

/* Takes control_fd; parts->loop is set here. The process's exit code. */
int admin_process_run(int control_fd, const struct admin_parts *parts, _Atomic uint64_t *beat);

#endif
