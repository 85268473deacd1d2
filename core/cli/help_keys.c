#include "cli/help_keys.h"

const char help_keys_create[] =
    "moongate keys create --app sales-copilot --department Sales --expires 90d\n"
    "\n"
    "Prints the key on stdout, once: only its SHA-256 is kept. A running gateway knows it within a second.\n"
    "\n"
    "  --app A --department D --user U --team T     whose key it is\n"
    "  --tier T --region R --clearance C --env E    what policies may ask of it\n"
    "  --role R            again for more\n"
    "  --label NAME=VALUE  again for more\n"
    "  --owner PERSON      the key lives only while this person does (`moongate people list` shows the ids)\n"
    "  --admin             a key of the admin API instead, with the roles of its --owner; only --expires goes with it\n"
    "  --approve MODEL     a model this holder is approved for; again for more\n"
    "  --expires 90d       default: never\n"
    "  --reason TEXT       what for: kept in the ledger, beside who made the key (`moongate audit search kind:change`)\n"
    "  --force             also for names that the policies do not know\n"
    "  -c, --config FILE   the configuration (for its data folder and its policies)\n"
    "  --json              key, id and expiry as one document\n";

const char help_keys_list[] =
    "moongate keys list\n"
    "\n"
    "On a terminal columns that no key fills are left out; into a pipe all come, with tabs between.\n"
    "\n"
    "  -c, --config FILE   the configuration (for its data folder)\n"
    "  --json              everything that is known of each\n";

const char help_keys_revoke[] =
    "moongate keys revoke key_7Q2fR8sT1uVw\n"
    "\n"
    "A running gateway refuses it within a second. Requests under way end as they would have, unless told otherwise.\n"
    "\n"
    "  --reason TEXT       what for: kept in the ledger, beside who did it (`moongate audit search kind:change`)\n"
    "  --end-requests      also what it has under way: streams end with an error event, the rest with 401\n"
    "  -c, --config FILE   the configuration (for its data folder)\n"
    "  --json              the id that was revoked\n"
    "\n"
    "Exit code: 0 revoked (also before), 1 no such id.\n";

const char help_keys_rotate[] =
    "moongate keys rotate key_7Q2fR8sT1uVw\n"
    "moongate keys rotate key_7Q2fR8sT1uVw --grace 7d\n"
    "\n"
    "Prints the new key on stdout, once. It stands for the same app, department, roles and all else, and lives as long\n"
    "from now as the old one was given when it was made. Both are good until the grace is over.\n"
    "\n"
    "  --reason TEXT       what for: kept in the ledger, beside who did it (`moongate audit search kind:change`)\n"
    "  --grace 24h         how long the old key is good still (default: 24h); 0: it ends now\n"
    "  -c, --config FILE   the configuration (for its data folder)\n"
    "  --json              the new key, its id, both expiries, as one document\n"
    "\n"
    "Exit code: 0 rotated, 1 no such id, or the key is revoked, expired, or rotated before.\n";
