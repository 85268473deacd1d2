#include "cli/help_checklist.h"

const char help_checklist[] =
    "moongate checklist\n"
    "moongate checklist --require access.rows,audit.trail      in a pipeline: fails when one of them does\n"
    "moongate checklist --report md --since 2026-09-01 > governance.md\n"
    "\n"
    "Facts of governance, computed from registry, ledger, configuration and policies: each with what is so, what is\n"
    "wanted, where to look, and the cure. What cannot be told is unknown, and says why. Reports carry what a fact\n"
    "supports of the EU AI Act, ISO/IEC 42001, SOC 2 and NIST's framework, and a hash of all of it.\n"
    "\n"
    "  --require IDS       only these decide the exit code (default: checklist.require of governance.lua, else all)\n"
    "  --since DAY         traffic from that day on (default: 90 days)\n"
    "  --report FORMAT     md, html or json\n"
    "  -c, --config FILE   the configuration\n"
    "  --json              the same as --report json\n"
    "\n"
    "Exit code: 0 well, 1 something that is required fails or is unknown, 2 wrong words, 3 nothing can be read.\n";

const char help_sinks_test[] =
    "moongate sinks test --reason \"once a week\"\n"
    "\n"
    "Sends a notice to each sink of `notify` in moongate.lua, on the way of those of approvals, break-glass, prompts and\n"
    "reviews: a running gateway sends it, 8 times within a day where it is not taken. `moongate checklist` says when each\n"
    "took one (alerts.arrive).\n"
    "\n"
    "  --reason TEXT       what for; the ledger keeps it\n"
    "  -c, --config FILE   the configuration (for its data folder)\n"
    "  --json              revision\n";
