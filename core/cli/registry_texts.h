/*
 * What `moongate help registry ...` says, for cli.c's table of commands.
 */
#ifndef MOONGATE_CLI_REGISTRY_TEXTS_H
#define MOONGATE_CLI_REGISTRY_TEXTS_H

extern const char registry_check_text[];
extern const char registry_backup_text[];
extern const char registry_restore_text[];
extern const char registry_move_text[];

#endif
