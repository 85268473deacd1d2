#include "cli/help_reviews.h"

#define REASON                                                                                                         \
    "  --reason TEXT       what for: kept in the ledger, beside who did it (`moongate audit search kind:change`)\n"
#define COMMON                                                                                                         \
    "  -c, --config FILE   the configuration (for its data folder)\n"                                                  \
    "  --json              the same as one document\n"
#define REFUSED "\nExit code: 0 done, 1 no such id, 3 it may not be: the word of the refusal is in --json.\n"

const char help_reviews_list[] =
    "moongate reviews list\n"
    "\n"
    "Access reviews, the newest first: how much of each is answered, how much waits for you, and how many rows of\n"
    "policies are to go and are allowed still.\n"
    "\n" COMMON "\nExit code: 0 nothing waits for you, 1 something does.\n";

const char help_reviews_open[] =
    "moongate reviews open quarterly\n"
    "\n"
    "Asks of all that the plan names (`reviews` of policies/governance.lua) whether it is still wanted: each cell of the\n"
    "access matrix, each grant, key and role, frozen as it is now with what it was used for.\n"
    "\n" REASON COMMON "\nExit code: 0 opened, 1 no such plan, 3 one of that plan is open.\n";

const char help_reviews_show[] =
    "moongate reviews show rvw_7Q2fR8sT1uVw --mine\n"
    "\n"
    "Its items with what is recommended and what was answered; those that wait for you are marked.\n"
    "\n"
    "  --mine              these alone\n" COMMON
    "\nExit code: 0 nothing of it waits for you, 1 something does, or there is no such id.\n";

const char help_reviews_decide[] =
    "moongate reviews decide rvw_7Q2fR8sT1uVw keep 1-12 14 --note \"still in use\"\n"
    "moongate reviews decide rvw_7Q2fR8sT1uVw revoke recommended\n"
    "moongate reviews decide rvw_7Q2fR8sT1uVw reduce 7 --until 30d\n"
    "\n"
    "All of them or none, in one act. A grant, a key, a role goes at once; a row of a policy by `moongate reviews patch`.\n"
    "Items: numbers, spans, `all` that wait for you, or of these those for which this answer is `recommended`. Nobody\n"
    "answers for what is his own.\n"
    "\n"
    "  --note TEXT         why; needed to keep what is recommended to go\n"
    "  --until WHEN        reduce: the new end of a grant, a key, a role (12h, 30d, 2026-11-27); a key without one: a year\n"
    "  --scope DEPARTMENT  reduce: what is left of a role for all\n"
    "  --department D      reduce: who may still use a row that is for any; again for more\n" REASON COMMON REFUSED;

const char help_reviews_delegate[] =
    "moongate reviews delegate rvw_7Q2fR8sT1uVw per_7Q2fR8sT1uVw --until 7d --reason \"on leave\"\n"
    "\n"
    "That person may answer what you may, until then; it stands in the evidence. Not for what is yours, or his.\n"
    "\n"
    "  --until WHEN        12h, 30d, 2026-11-27 (UTC, all of that day); within a year\n" REASON COMMON REFUSED;

const char help_reviews_patch[] =
    "moongate reviews patch rvw_7Q2fR8sT1uVw > revoke.patch && git apply revoke.patch\n"
    "\n"
    "A unified diff of the rows that were revoked or reduced, on stdout; on stderr what `moongate diff` says of it, and\n"
    "rows that no file says as a table, with where to look. What comes of it is loaded first, with all examples. A row\n"
    "counts as gone when the gateway has loaded policies that do not allow it.\n"
    "\n" COMMON "\nExit code: 0 there is a patch, 1 nothing can be patched, 2 it would not load.\n";

const char help_reviews_complete[] =
    "moongate reviews complete rvw_7Q2fR8sT1uVw\n"
    "\n"
    "When all is answered, or it is due, and every row that is to go is allowed no more. Answers stay as they are.\n"
    "\n" REASON COMMON REFUSED;

const char help_reviews_evidence[] =
    "moongate reviews evidence rvw_7Q2fR8sT1uVw > evidence.json\n"
    "moongate reviews evidence rvw_7Q2fR8sT1uVw --as csv > evidence.csv\n"
    "\n"
    "What was asked, with what was known; who answered what, when and why; what was there afterwards; who never answered.\n"
    "Signed with the key of the ledger's anchors.\n"
    "\n"
    "  --as json|csv|md    json unless said: that is what `moongate reviews verify` checks\n" COMMON
    "\nExit code: 0, 1 there is none.\n";

const char help_reviews_verify[] =
    "moongate reviews verify evidence.json --key anchor.pub\n"
    "\n"
    "Needs no gateway, registry or ledger: SHA-256 over the canonical JSON, and the signature.\n"
    "\n"
    "  --key FILE          public keys that are trusted: a copy of <data>/anchor.pub. Without it only whether it was\n"
    "                      changed since it was signed by the key that it names\n"
    "  --json              the same as one document\n"
    "\nExit code: 0 it is as it was, 1 it is not.\n";
