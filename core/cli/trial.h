/*
 * A folder of its own for a restore that is only tried: `registry restore --try`, `ledger restore --try`.
 *
 *     char *folder = trial_new();            // NULL after a message
 *     … registry_restore(folder, from, …) …
 *     trial_end(folder);                     // with all that is in it
 */
#ifndef MOONGATE_CLI_TRIAL_H
#define MOONGATE_CLI_TRIAL_H

/* 0700, in $TMPDIR or /tmp. */
char *trial_new(void);
void trial_end(char *folder); /* NULL is welcome */

#endif
