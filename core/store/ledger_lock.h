/*
 * The data folder's lock, which a running gateway holds (server/supervisor_files.c): for commands that write there.
 *
 *     int lock = ledger_lock("data", &why);    // LEDGER_LOCK_HELD: a gateway runs; -1: the folder is not there
 *     close(lock);
 */
#ifndef MOONGATE_STORE_LEDGER_LOCK_H
#define MOONGATE_STORE_LEDGER_LOCK_H

#include "base/fault.h"

#define LEDGER_LOCK_HELD (-2)

int ledger_lock(const char *data_dir, struct fault *why);

#endif
