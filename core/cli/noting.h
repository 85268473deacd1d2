/*
 * What a command has done that the checklist asks for, noted in the registry of the data folder: the chain was
 * verified, a backup was made, a restore was tried.
 *
 *     noting(data_dir, "ledger.backup", "ledger", json_pack("{s:s}", "file", to));
 *
 * Where there is no registry nothing is noted; where it cannot be written a warning says so, and the command has done
 * its work all the same.
 */
#ifndef MOONGATE_CLI_NOTING_H
#define MOONGATE_CLI_NOTING_H

struct json_t;

/* Takes `after`. */
void noting(const char *data_dir, const char *action, const char *object, struct json_t *after);

#endif
