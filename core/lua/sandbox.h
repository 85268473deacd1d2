/*
 * The library that policies may touch: what is safe of Lua's own, charged where it works without bytecodes.
 *
 *     sandbox_open(L);          // opens what scripts use, takes the dangerous out of the real tables
 *     sandbox_push_safe(L);     // pushes the table of functions for policy environments (scripts/sandbox.lua)
 *
 * Gone for everybody in the state, because methods of a text reach the real string table whatever the environment says:
 * string.dump, the stock find, match, gmatch and gsub, collectgarbage, newproxy, coroutine, load and its kin.
 * Both functions may raise.
 */
#ifndef MOONGATE_LUA_SANDBOX_H
#define MOONGATE_LUA_SANDBOX_H

#include <lua.h>

void sandbox_open(lua_State *L);
void sandbox_push_safe(lua_State *L);

#endif
