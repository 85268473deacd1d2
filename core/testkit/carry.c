#include "testkit/carry.h"

#include <lauxlib.h>

static bool carry(lua_State *from, int index, lua_State *to, int depth);

static bool carry_table(lua_State *from, int index, lua_State *to, int depth)
{
    bool ok = depth < CARRY_DEPTH_MAX && lua_checkstack(from, 4);
    luaL_checkstack(to, 4, "a value nests too deep");
    lua_newtable(to);
    if (!ok) return false;
    for (lua_pushnil(from); lua_next(from, index); lua_pop(from, 1)) {
        int top = lua_gettop(from);
        bool is_carried = carry(from, top - 1, to, depth + 1);
        is_carried = carry(from, top, to, depth + 1) && is_carried;
        if (is_carried)
            lua_rawset(to, -3);
        else
            lua_pop(to, 2);
        ok = ok && is_carried;
    }
    return ok;
}

/* index: absolute. Pushes exactly one value. */
static bool carry(lua_State *from, int index, lua_State *to, int depth)
{
    size_t len;
    const char *text;
    switch (lua_type(from, index)) {
    case LUA_TBOOLEAN: lua_pushboolean(to, lua_toboolean(from, index)); return true;
    case LUA_TNUMBER: lua_pushnumber(to, lua_tonumber(from, index)); return true;
    case LUA_TSTRING:
        text = lua_tolstring(from, index, &len);
        lua_pushlstring(to, text, len);
        return true;
    case LUA_TTABLE: return carry_table(from, index, to, depth);
    case LUA_TNIL: lua_pushnil(to); return true;
    default: lua_pushnil(to); return false;
    }
}

bool carry_value(lua_State *from, int index, lua_State *to)
{
    if (carry(from, index > 0 ? index : lua_gettop(from) + index + 1, to, 0)) return true;
    lua_pop(to, 1);
    lua_pushnil(to);
    return false;
}
