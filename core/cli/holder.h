/*
 * Names that a new key would bear, put to the policies that will read them:
 * what they refute is said before the key is made.
 *
 *     if (!holder_is_known(common->config, question)) return CLI_USAGE;     // the reason stands on stderr
 *
 * Policies that are not there, or do not load, refute nothing. scripts/holder.lua answers.
 */
#ifndef MOONGATE_CLI_HOLDER_H
#define MOONGATE_CLI_HOLDER_H

#include <stdbool.h>

#include "base/slice.h"

/* question: { "app": …, "clearance": …, "labels": [ names ], "approvals": [ models ] }. config: -c, or NULL. */
bool holder_is_known(const char *config, struct slice question);

#endif
