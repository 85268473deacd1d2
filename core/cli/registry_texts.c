#include "cli/registry_texts.h"

const char registry_check_text[] =
    "moongate registry check\n"
    "\n"
    "Asked of the database itself, beside a running gateway too: each approved text was approved by somebody who did\n"
    "not write it (V1), production points at approved versions and shares come to 1000 (V2), each grant has another\n"
    "person's decision (V3) and lasts no longer than was asked for (V4), each revision has one event (V5), and nobody\n"
    "decided on his own (V7). `intact`: the file can be read whole.\n"
    "\n"
    "  -c, --config FILE   the configuration (for its data folder, or its registry)\n"
    "  --json              ok, findings, epoch, revision, rows, waiting, told: rule, what, object\n"
    "\n"
    "Exit code: 0 all of it holds, 1 something does not, 2 it cannot be read.\n";

const char registry_backup_text[] =
    "moongate registry backup /backup/registry-2026-11-29.db\n"
    "\n"
    "Writes a new file, for its owner alone; nothing is ever overwritten. It is a SQLite file, also where the registry\n"
    "is in PostgreSQL. Keys are in it as hashes only.\n"
    "\n"
    "  -c, --config FILE   the configuration (for its data folder, or its registry)\n"
    "  --json              file, epoch, revision, rows, bytes\n";

const char registry_restore_text[] =
    "moongate registry restore /backup/registry-2026-11-29.db --yes\n"
    "\n"
    "Checks the file first. What the ledger knows to have come after the backup and took something from somebody is done\n"
    "once more: keys revoked or rotated, people disabled or merged, roles taken, grants and top-ups ended, requests\n"
    "denied. All else that came after it is listed, and gone. A fleet's PostgreSQL has its own backups.\n"
    "\n"
    "  -y, --yes           without being asked\n"
    "  --reason TEXT       what for; the ledger keeps it\n"
    "  -c, --config FILE   the configuration (for its data folder)\n"
    "  --try               into a folder that goes again: is the backup good? noted for `moongate checklist`\n"
    "  --json              restored, epoch, revision, rows, replayed, lost: time, action, target\n"
    "\n"
    "Exit code: 0 nothing was lost, 1 something was, 2 it was not restored.\n";

const char registry_move_text[] =
    "moongate registry move --to postgres\n"
    "\n"
    "moongate.lua says where: registry = { url = env \"MOONGATE_REGISTRY\" }, which other gateways of the fleet then name\n"
    "too. The database must be empty of changes. All is copied in one transaction; registry.db is read-only afterwards.\n"
    "\n"
    "  -y, --yes           without being asked\n"
    "  -c, --config FILE   the configuration\n"
    "  --json              moved_to, epoch, revision, rows\n";
