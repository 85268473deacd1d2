/*
 * Who runs this command and what for, as the ledger's chain will say it (store/change.h).
 *
 *     struct change_by by;
 *     if (!caller_read(reason, &by)) return CLI_USAGE;       // the message was printed
 *
 * The texts are this process's own, and one at a time. A reason is UTF-8 of at most LIMIT_REASON_BYTES; NULL: none.
 */
#ifndef MOONGATE_CLI_CALLER_H
#define MOONGATE_CLI_CALLER_H

#include <stdbool.h>

#include "store/change.h"

bool caller_read(const char *reason, struct change_by *by);

#endif
