#include "lua/frozen.h"

#include <lauxlib.h>

#define KEY "frozen"

static int on_newindex(lua_State *L)
{
    return luaL_error(L, "what policies/%s.lua returned is shared and cannot be changed: make a copy",
                      lua_tostring(L, lua_upvalueindex(1)));
}

static int on_len(lua_State *L)
{
    lua_pushinteger(L, frozen_table(L, 1) ? (lua_Integer)lua_objlen(L, -1) : 0);
    return 1;
}

void frozen_push(lua_State *L, const char *name, int index)
{
    lua_pushvalue(L, index);   // table
    lua_newuserdata(L, 0);     // table frozen
    lua_createtable(L, 0, 5);  // table frozen metatable
    lua_pushvalue(L, -3);      // … table
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, KEY);
    lua_pushstring(L, name);
    lua_pushcclosure(L, on_newindex, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, on_len);
    lua_setfield(L, -2, "__len");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);   // table frozen
    lua_remove(L, -2);         // frozen
}

bool frozen_table(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TUSERDATA && luaL_getmetafield(L, index, KEY);
}

void frozen_thaw(lua_State *L, int index)
{
    if (frozen_table(L, index)) lua_replace(L, index);
}

static int on_freeze(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    frozen_push(L, name, 2);
    return 1;
}

static int on_thaw(lua_State *L)
{
    return frozen_table(L, 1) ? 1 : 0;
}

void frozen_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"freeze", on_freeze}, {"thaw", on_thaw}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
