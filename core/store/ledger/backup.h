/*
 * A copy of the ledger while it is written, and the way back: one file, 0600, that is whole or is not there.
 *
 *     ledger_backup("data", "/backup/ledger-2026-11-29.db", &about, &why);
 *     ledger_restore("data", "/backup/ledger-2026-11-29.db", false, &about, &why);   // while no gateway runs
 *
 * The copy is of one moment, whatever is put meanwhile; until it is done the write-ahead log cannot begin anew. Keys of
 * texts stand in another file (store/texts/texts.h), which no backup has: what was erased stays so. What is restored is
 * checked first: SQLite's own integrity_check, and each hash of the chain. Blocking, for commands.
 */
#ifndef MOONGATE_STORE_LEDGER_BACKUP_H
#define MOONGATE_STORE_LEDGER_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "store/chain.h"

struct ledger_backup {
    uint64_t first, head; /* seq of the first and the last entry; 0: it is empty */
    uint8_t hash[CHAIN_HASH_BYTES];
    uint64_t bytes;
};

/* Refused when `to` is there already. */
bool ledger_backup(const char *data_dir, const char *to, struct ledger_backup *about, struct fault *why);
/* Refused when there is a ledger already, unless forced, and always under a running gateway. */
bool ledger_restore(const char *data_dir, const char *from, bool is_forced, struct ledger_backup *about,
                    struct fault *why);

#endif
