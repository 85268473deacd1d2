/*
 * The data folder that a command is about.
 *
 *     char *dir = folder_find(common.config);           // NULL after a message: the configuration is not there
 *     char *dir = folder_with_ledger(common.config);    // … or no ledger is
 *     mem_free(dir);
 *
 * A configuration that was named must be there: what is mistyped would be another gateway's folder, or a new one. That
 * it loads is not asked.
 */
#ifndef MOONGATE_CLI_FOLDER_H
#define MOONGATE_CLI_FOLDER_H

char *folder_find(const char *config);
char *folder_with_ledger(const char *config);

#endif
