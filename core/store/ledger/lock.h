/*
 * The data folder's lock, which a running gateway holds (server/supervisor_files.c): for commands that write there. And
 * beside it the mark of each ledger process that lives, for there may be two: the one of a supervisor that was killed
 * goes behind its last worker, and the next gateway has begun. While one of those lives nobody gets the lock either.
 *
 *     int lock = ledger_lock("data", &why);    // LEDGER_LOCK_HELD: a gateway runs; -1: it cannot be had
 *     int living = ledger_living("data", &why);    // -1: the file cannot be opened
 *     if (ledger_is_alone(living)) …
 *     close(living);
 */
#ifndef MOONGATE_STORE_LEDGER_LOCK_H
#define MOONGATE_STORE_LEDGER_LOCK_H

#include <stdbool.h>

#include "base/fault.h"

#define LEDGER_LOCK_HELD (-2)

int ledger_lock(const char *data_dir, struct fault *why);
int ledger_living(const char *data_dir, struct fault *why);
bool ledger_is_alone(int living);

#endif
