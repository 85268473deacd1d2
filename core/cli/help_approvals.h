/*
 * What `moongate help` says of commands about approvals and grants.
 */
#ifndef MOONGATE_CLI_HELP_APPROVALS_H
#define MOONGATE_CLI_HELP_APPROVALS_H

extern const char help_approvals_list[], help_approvals_request[], help_approvals_show[], help_approvals_approve[],
    help_approvals_deny[], help_approvals_withdraw[], help_approvals_break_glass[], help_approvals_close[];
extern const char help_grants_list[], help_grants_show[], help_grants_revoke[], help_grants_shorten[];

/* Their rows in the table of commands. */
#define HELP_APPROVALS_COMMANDS                                                                                        \
    {"approvals list", "requests for models that need approval", help_approvals_list, command_approvals_list},         \
    {"approvals request", "ask for a grant", help_approvals_request, command_approvals_request},                       \
    {"approvals show", "all of one request", help_approvals_show, command_approvals_show},                             \
    {"approvals approve", "agree to one", help_approvals_approve, command_approvals_approve},                          \
    {"approvals deny", "or not", help_approvals_deny, command_approvals_deny},                                         \
    {"approvals withdraw", "take one back", help_approvals_withdraw, command_approvals_withdraw},                      \
    {"approvals break-glass", "a grant at once, which a second person closes",                                         \
     help_approvals_break_glass, command_approvals_break_glass},                                                       \
    {"approvals close", "close somebody's break-glass", help_approvals_close, command_approvals_close},                \
    {"grants list", "who may use what, until when", help_grants_list, command_grants_list},                            \
    {"grants show", "all of one grant", help_grants_show, command_grants_show},                                        \
    {"grants revoke", "end one now", help_grants_revoke, command_grants_revoke},                                       \
    {"grants shorten", "end one sooner", help_grants_shorten, command_grants_shorten}

#endif
