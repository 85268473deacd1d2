#include "cli/help_people.h"

#define REASON                                                                                                         \
    "  --reason TEXT       what for: kept in the ledger, beside who did it (`moongate audit search kind:change`)\n"
#define COMMON                                                                                                         \
    "  -c, --config FILE   the configuration (for its data folder)\n"                                                  \
    "  --json              as the admin API answers it\n"
#define EXIT_ID "\nExit code: 0 done (also before), 1 no such id, 3 it may not be.\n"

const char help_people_list[] =
    "moongate people list\n"
    "\n"
    "People and services, with the roles they have: approver@sales is an approver for the department sales, @* for all.\n"
    "\n" COMMON;

const char help_people_create[] =
    "moongate people create ana --name \"Ana Reis\" --department sales\n"
    "moongate people create 00u1x9 --issuer https://id.example.com\n"
    "moongate people create nightly --service\n"
    "\n"
    "A person is known by an issuer and what that calls him; without --issuer by the name of a login at this machine.\n"
    "Keys, roles and decisions belong to a person. A service may write and ask, and never decides.\n"
    "\n"
    "  --name, --email     as they are shown; --department D; --service\n"
    "  --issuer URL        an identity provider\n" REASON COMMON;

const char help_people_disable[] =
    "moongate people disable per_7Q2fR8sT1uVw --reason \"left\"\n"
    "\n"
    "No key, role or grant of this person counts any more, from this second on. `people enable` gives back what was not\n"
    "revoked by hand.\n"
    "\n" REASON COMMON EXIT_ID;

const char help_people_enable[] = "moongate people enable per_7Q2fR8sT1uVw\n"
                                  "\n" REASON COMMON EXIT_ID;

const char help_people_merge[] =
    "moongate people merge per_7Q2fR8sT1uVw per_x9AbCdEfGh12\n"
    "\n"
    "The first is the same person as the second, for good, and disabled: what either did counts as done by one.\n"
    "\n" REASON COMMON EXIT_ID;

const char help_roles_list[] = "moongate roles list\n"
                               "\n" COMMON;

const char help_roles_give[] =
    "moongate roles give per_7Q2fR8sT1uVw approver --scope sales --until 90d\n"
    "\n"
    "viewer, author, approver, admin, each with what the ones before may; or a word that policies ask for (manager,\n"
    "legal). Nobody gives himself one.\n"
    "\n"
    "  --scope DEPARTMENT  for which; * for all (unless said)\n"
    "  --until WHEN        12h, 30d, 2026-11-27 (UTC, all of that day)\n" REASON COMMON
    "\n"
    "Exit code: 0 given, 1 no such person, 3 it may not be.\n";

const char help_roles_take[] = "moongate roles take per_7Q2fR8sT1uVw approver --scope sales\n"
                               "\n"
                               "  --scope DEPARTMENT  for which; * for all (unless said)\n" REASON COMMON EXIT_ID;

const char help_provider_list[] = "moongate provider list\n"
                                  "\n"
                                  "Provider accounts that somebody has switched, off or on again.\n"
                                  "\n" COMMON;

const char help_provider_disable[] =
    "moongate provider disable openai --until 12h --reason \"incident 4711\"\n"
    "moongate provider disable openai --cut --reason \"they keep our texts\"\n"
    "\n"
    "All workers of the running gateway pass over its targets from now on; where no other is left, the refusal says so\n"
    "(503 provider_disabled). It survives restarts. What runs there goes on, unless it is cut.\n"
    "\n"
    "  --until WHEN        12h, 30d, 2026-11-27 (UTC, all of that day); until it is enabled unless said\n"
    "  --cut               what runs there ends within a second, streams with an error event\n" REASON COMMON
    "\n"
    "Exit code: 0 it is off, 2 it cannot be.\n";

const char help_provider_enable[] = "moongate provider enable openai\n"
                                    "\n" REASON COMMON "\n"
                                    "Exit code: 0 it is on, 1 nobody has switched it off.\n";
