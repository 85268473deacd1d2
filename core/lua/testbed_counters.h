/*
 * Counters for specs: what policies ask of them goes to a function of the spec, which keeps them in a table.
 *
 *     {"count_with", testbed_count_with}      // engine.count_with(fn | nil): for engines loaded from now on
 *     set = policy_set_load_tested(bundle, settings, watch, testbed_counters(L), &errors);
 *     testbed_counters_enter(L);              // before a request is decided: whose function answers
 *
 * fn(operation, table) gives the answer, or nil and why not (scripts/test/counters.lua). Values cross by copy.
 */
#ifndef MOONGATE_LUA_TESTBED_COUNTERS_H
#define MOONGATE_LUA_TESTBED_COUNTERS_H

#include <lua.h>

#include "lua/eval.h"

int testbed_count_with(lua_State *L);
void testbed_counters_enter(lua_State *L);
/* NULL when the specs count nothing. */
policy_counters_fn testbed_counters(lua_State *L);

#endif
