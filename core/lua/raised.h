/*
 * What a raise that no script of ours made is about: Lua raises texts, so this is the one place where a finding is read
 * off what a text says.
 *
 *     raised_finding(SLICE("policies/access.lua:3: attempt to call a nil value"))   // FINDING_UNDEFINED_NAME
 *
 * Raises of scripts/ carry their finding themselves (scripts/raise.lua), those of configuration files in
 * struct configfile_error; what does not compile is FINDING_NOT_LUA where it is compiled.
 */
#ifndef MOONGATE_LUA_RAISED_H
#define MOONGATE_LUA_RAISED_H

#include "base/finding.h"

/* With or without the place before it. FINDING_OTHER_ERROR for what nobody foresaw, as error() of a policy. */
enum finding raised_finding(struct slice message);

#endif
