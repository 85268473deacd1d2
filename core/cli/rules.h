/*
 * The rules of governance that the policies of a configuration say, for commands that decide upon the registry itself.
 *
 *     struct governance *rules = rules_load(common.config);     // NULL after a message: nothing is decided without
 *     registry_govern(registry, rules);
 *     … registry_close(registry); governance_free(rules);
 */
#ifndef MOONGATE_CLI_RULES_H
#define MOONGATE_CLI_RULES_H

#include "store/governance.h"

/* config: of -c, or NULL. */
struct governance *rules_load(const char *config);

#endif
