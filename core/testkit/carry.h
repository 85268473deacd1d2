/*
 * Values carried from one Lua state into another, by copy: nil, booleans, numbers, texts, and tables of these.
 *
 *     if (!carry_value(from, -1, to)) return luaL_error(to, "a function cannot be carried over");
 *
 * Pushes the copy onto `to`. False, and nil pushed, when there is a function, a userdata or a thread in it, or tables
 * nest deeper than CARRY_DEPTH_MAX (so a table that holds itself is refused too). May raise in `to`, out of memory.
 */
#ifndef MOONGATE_TESTKIT_CARRY_H
#define MOONGATE_TESTKIT_CARRY_H

#include <stdbool.h>

#include <lua.h>

#define CARRY_DEPTH_MAX 16

bool carry_value(lua_State *from, int index, lua_State *to);

#endif
