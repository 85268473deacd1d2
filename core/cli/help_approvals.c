#include "cli/help_approvals.h"

#define REASON                                                                                                         \
    "  --reason TEXT       what for: kept in the ledger, beside who did it (`moongate audit search kind:change`)\n"
#define COMMON                                                                                                         \
    "  -c, --config FILE   the configuration (for its data folder)\n"                                                  \
    "  --json              the same as one document\n"
#define REFUSED "\nExit code: 0 done, 1 no such id, 3 it may not be: the word of the refusal is in --json.\n"

const char help_approvals_list[] =
    "moongate approvals list\n"
    "moongate approvals list --all\n"
    "\n"
    "Requests for models whose row in access.lua says `approval`: which wait, for whom, by whom they are decided.\n"
    "\n"
    "  --all               also what is decided, withdrawn or over\n" COMMON
    "\nExit code: 0 nothing waits for you, 1 something does.\n";

const char help_approvals_request[] =
    "moongate approvals request large --for 7d --purpose \"tender: the new town hall\"\n"
    "moongate approvals request large --for 1d --purpose \"nightly evaluation\" --app nightly --department research\n"
    "\n"
    "Asks for a grant: yours, an app's or a department's, as the row has it. It begins when the last of those who must\n"
    "agree does, and ends to the second. You are the person of your login at this machine (`moongate people list`).\n"
    "\n"
    "  --for SPAN          how long the grant is to last\n"
    "  --purpose TEXT      what for, in 8 characters or more\n"
    "  --app A  --department D  --person ID     whose it is to be, and where the roles must cover it\n" COMMON REFUSED;

const char help_approvals_show[] =
    "moongate approvals show apr_7Q2fR8sT1uVw\n"
    "\n"
    "All that is known of a request, with what others said to it.\n"
    "\n" COMMON "\nExit code: 0, 1 it waits for you, or there is no such id.\n";

const char help_approvals_approve[] =
    "moongate approvals approve apr_7Q2fR8sT1uVw --comment \"agreed with the project\"\n"
    "\n"
    "Takes the role that the row names where it covers the department, and another person than who asked or would get\n"
    "it. Where a second role must agree, the grant begins with the second approval.\n"
    "\n"
    "  --comment TEXT      kept with the decision\n" COMMON REFUSED;

const char help_approvals_deny[] =
    "moongate approvals deny apr_7Q2fR8sT1uVw --comment \"use the small one\"\n"
    "\n"
    "One denial is enough. Who may approve may deny.\n"
    "\n"
    "  --comment TEXT      kept with the decision\n" COMMON REFUSED;

const char help_approvals_withdraw[] =
    "moongate approvals withdraw apr_7Q2fR8sT1uVw\n"
    "\n"
    "Takes a request back that you made.\n"
    "\n" REASON COMMON REFUSED;

const char help_approvals_break_glass[] =
    "moongate approvals break-glass large --reason \"production is down, ticket 4711\"\n"
    "\n"
    "A grant at once, without anybody's approval: for an hour at most, to who has the role that governance.lua names.\n"
    "Everybody sees it. A second person must close it (`moongate approvals close`) before you get another.\n"
    "\n"
    "  --reason TEXT       why, in 8 characters or more\n"
    "  --for SPAN          at most as long as governance.lua says (the default)\n"
    "  --app A  --department D     whose it is to be, as for `approvals request`\n" COMMON REFUSED;

const char help_approvals_close[] =
    "moongate approvals close gnt_7Q2fR8sT1uVw --reason \"looked at what was sent\"\n"
    "\n"
    "Closes somebody else's break-glass; what still runs ends with it.\n"
    "\n"
    "  --department D      where your role must cover it; else it is one for all\n" REASON COMMON REFUSED;

const char help_grants_list[] =
    "moongate grants list\n"
    "moongate grants list --all\n"
    "\n"
    "Who may use which model that needs approval, until when, and what for. What keys were approved for before there\n"
    "were grants stands below, as imported: it ends with the key.\n"
    "\n"
    "  --all               also what has ended\n" COMMON
    "\nExit code: 0, 1 there is break-glass that you could close.\n";

const char help_grants_show[] =
    "moongate grants show gnt_7Q2fR8sT1uVw\n"
    "\n" COMMON "\nExit code: 0, 1 it waits for you, or there is no such id.\n";

const char help_grants_revoke[] =
    "moongate grants revoke gnt_7Q2fR8sT1uVw --reason \"the project is over\"\n"
    "\n"
    "It opens nothing any more, within a second in all workers. Requests under way go on.\n"
    "\n" REASON COMMON REFUSED;

const char help_grants_shorten[] =
    "moongate grants shorten gnt_7Q2fR8sT1uVw --to 1h\n"
    "\n"
    "It ends that long from now. A grant is never lengthened: ask for another.\n"
    "\n"
    "  --to SPAN           before its end as it stands\n" REASON COMMON REFUSED;
