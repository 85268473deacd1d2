/*
 * What `moongate help` says of the checklist.
 */
#ifndef MOONGATE_CLI_HELP_CHECKLIST_H
#define MOONGATE_CLI_HELP_CHECKLIST_H

extern const char help_checklist[];

#endif
