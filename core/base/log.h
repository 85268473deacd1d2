/*
 * The gateway's own log: one line an event on stderr, text on a terminal, JSON otherwise. Not the ledger's records.
 *
 *     log_event(LOG_WARN, "worker_replaced", "slot %d, pid %d: %s", slot, pid, why);
 *
 * Never give it a secret, a prompt or an answer.
 */
#ifndef MOONGATE_BASE_LOG_H
#define MOONGATE_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* `who` stands in each line: "supervisor", "worker 0"; borrowed for ever. Reads MOONGATE_LOG (error|warn|info|debug)
 * and MOONGATE_LOG_FORMAT (text|json). */
void log_init(const char *who);
bool log_is_on(enum log_level level);
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
