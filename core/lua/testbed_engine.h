/*
 * The policy engine as specs see it: bundles loaded and requests decided in sandboxed states beside the spec's own.
 *
 *     testbed_engine_open(L);   // pushes a table of functions; scripts/test/kit.lua is made of them
 *
 * L is the spec's state, with full libraries; each engine is a second one, limited as in a worker. Values cross by copy.
 */
#ifndef MOONGATE_LUA_TESTBED_ENGINE_H
#define MOONGATE_LUA_TESTBED_ENGINE_H

#include <lua.h>

void testbed_engine_open(lua_State *L);

#endif
