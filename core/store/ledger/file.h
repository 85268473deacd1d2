/*
 * Whether the files that the ledger's writer has open are still those of their names. SQLite goes on writing to a file
 * that was removed or replaced, and what it commits there is found by nobody.
 *
 *     char *path = ledger_file_path("data");
 *     ledger_file_make(path, &why);                   // or it is there, and this user's own
 *     ledger_file_note(&files, path);                 // behind the first transaction: the log and its index are there
 *     ledger_file_is_same(&files, path, &why);        // before each batch
 *
 * A file that was moved is found again when it is put back. One that was written over in its place is not noticed.
 */
#ifndef MOONGATE_STORE_LEDGER_FILE_H
#define MOONGATE_STORE_LEDGER_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

#define LEDGER_FILE_PARTS 3 /* the database, its write-ahead log, and the log's index */

struct ledger_file {
    uint64_t device[LEDGER_FILE_PARTS], inode[LEDGER_FILE_PARTS];
};

/* <data>/ledger.db, to be freed. */
char *ledger_file_path(const char *data_dir);
/* SQLite would make it with the umask's mode. Its -wal and -shm take the mode of the file. */
bool ledger_file_make(const char *path, struct fault *why);
void ledger_file_note(struct ledger_file *files, const char *path);
bool ledger_file_is_same(const struct ledger_file *files, const char *path, struct fault *why);

#endif
