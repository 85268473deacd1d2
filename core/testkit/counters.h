/*
 * Counters for specs: what policies ask of them goes to a function of the spec, which keeps them in a table.
 *
 *     {"count_with", counters_count_with}      // engine.count_with(fn | nil): for engines loaded from now on
 *     observer.counters = counters_asked(L);
 *     counters_enter(L);              // before a request is decided: whose function answers
 *
 * fn(operation, table) gives the answer, or nil and why not (scripts/test/counters.lua). Values cross by copy.
 */
#ifndef MOONGATE_TESTKIT_COUNTERS_H
#define MOONGATE_TESTKIT_COUNTERS_H

#include <lua.h>

#include "lua/observe.h"

int counters_count_with(lua_State *L);
void counters_enter(lua_State *L);
/* NULL when the specs count nothing. */
policy_counters_fn counters_asked(lua_State *L);

#endif
