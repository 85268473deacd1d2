/*
 * Blocking on one descriptor up to a deadline: for commands, and for what happens before a loop runs or after it.
 *
 *     uint64_t deadline_ns = wait_deadline_ns(5000);
 *     while (… EAGAIN …) if (!wait_ready(fd, POLLIN, deadline_ns, &why)) return false;
 *
 * Never for a process that serves.
 */
#ifndef MOONGATE_NET_WAIT_H
#define MOONGATE_NET_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

uint64_t wait_deadline_ns(unsigned timeout_ms);
/* events: POLLIN, POLLOUT. False, with a fault, when the deadline passes first. */
bool wait_ready(int fd, short events, uint64_t deadline_ns, struct fault *why);

#endif
