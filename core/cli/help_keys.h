/*
 * What `moongate help` says of the commands about keys.
 */
#ifndef MOONGATE_CLI_HELP_KEYS_H
#define MOONGATE_CLI_HELP_KEYS_H

extern const char help_keys_create[], help_keys_list[], help_keys_revoke[], help_keys_rotate[];

#endif
