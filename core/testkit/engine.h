/*
 * The policy engine as specs see it: bundles loaded and requests decided in sandboxed states beside the spec's own.
 *
 *     engine_open(L);   // pushes a table of functions; scripts/test/kit.lua is made of them
 *
 * L is the spec's state, with full libraries; each engine is a second one, limited as in a worker. Values cross by
 * copy.
 */
#ifndef MOONGATE_TESTKIT_ENGINE_H
#define MOONGATE_TESTKIT_ENGINE_H

#include <lua.h>

void engine_open(lua_State *L);

#endif
