/*
 * Lua's patterns (Reference Manual 5.1, 5.4.1) for policies: find, match, gmatch, and gsub with a text to put in.
 *
 *     lua_newtable(L);
 *     pattern_register(L);   // adds find, match, gmatch, gsub, match_at to the table on top
 *
 * Own, because the library's run without hooks: here every step is charged to the evaluation (vm_charge), so a pattern
 * that backtracks for ever is stopped like a loop. Never calls Lua: the gsub here only takes a text; with a function or
 * table it is Lua's own loop over match_at (scripts/sandbox.lua). Limits: PATTERN_BYTES_MAX, PATTERN_CAPTURES,
 * PATTERN_DEPTH.
 */
#ifndef MOONGATE_LUA_PATTERN_H
#define MOONGATE_LUA_PATTERN_H

#include <lua.h>

#define PATTERN_BYTES_MAX 1024
#define PATTERN_CAPTURES 32
#define PATTERN_DEPTH 200

void pattern_register(lua_State *L);

#endif
