/*
 * What `moongate help` says of the checklist and of sinks.
 */
#ifndef MOONGATE_CLI_HELP_CHECKLIST_H
#define MOONGATE_CLI_HELP_CHECKLIST_H

extern const char help_checklist[], help_sinks_test[];

#endif
