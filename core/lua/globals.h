/*
 * Which globals a chunk of Lua reads and sets, in all its functions, without running it: a misspelt name inside a hook
 * is found when the file is loaded, not when the hook first comes that way.
 *
 *     char out[GLOBALS_BYTES_MAX];
 *     size_t len = globals_find(L, out, sizeof out);   // "12\tget\tpcall\n", a line each
 *
 * Looks at its bytecode in a Lua state of its own, made once for the process: that says what is global, so scopes are
 * those of Lua itself. Of a name that stands in many places, the first twenty. Single-threaded, and rests on a fiber:
 * only one caller at a time. What does not fit is left out.
 */
#ifndef MOONGATE_LUA_GLOBALS_H
#define MOONGATE_LUA_GLOBALS_H

#include <stddef.h>

#include <lua.h>

#define GLOBALS_BYTES_MAX 16384u

/* Of the function on top of L's stack, which stays there. May raise. */
size_t globals_find(lua_State *L, char *out, size_t size);

#endif
