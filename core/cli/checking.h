/*
 * What the checklist goes by, gathered by a command: configuration, policies, registry, gate, and the processes of a
 * gateway that runs there.
 *
 *     struct checking c;
 *     if (!checking_open(&c, common.config)) return CLI_UNREACHABLE;     // the message was printed
 *     … checklist_new(c.loaded.set, &c.parts, …) …
 *     checking_close(&c);
 */
#ifndef MOONGATE_CLI_CHECKING_H
#define MOONGATE_CLI_CHECKING_H

#include "admin/checklist/checklist.h"
#include "base/fault.h"
#include "cli/ask.h"
#include "cli/cli.h"

struct checking {
    struct ask_loaded loaded;
    struct checklist_parts parts;
    struct registry *registry;
    struct json_t *config, *gate, *nodes;
    char trouble[FAULT_TEXT_BYTES];
};

bool checking_open(struct checking *c, const char *config);
void checking_close(struct checking *c);

#endif
