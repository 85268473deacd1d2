#include "lua/sandbox.h"

#include <luajit.h>
#include <lualib.h>

#include "base/limits.h"
#include "lua/bind.h"
#include "lua/frozen.h"
#include "lua/pattern.h"
#include "lua/vm.h"

#define SORT_MAX 50000
#define TABLE_WEIGHT 16 /* bytes of work that one element of a table is charged as */

/* --- charged versions of library functions --- */

static size_t text_bytes(lua_State *L, int count)
{
    size_t bytes = 0;
    for (int i = 1; i <= count; i++) {
        if (lua_type(L, i) == LUA_TSTRING) bytes += lua_objlen(L, i);
    }
    return bytes;
}

/* Upvalue: the library's own. What it looks at and what it makes is charged. */
static int on_charged_text(lua_State *L)
{
    int count = lua_gettop(L);
    vm_charge(L, text_bytes(L, count));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    vm_charge(L, text_bytes(L, lua_gettop(L)));
    return lua_gettop(L);
}

static int on_rep(lua_State *L)
{
    size_t len;
    luaL_checklstring(L, 1, &len);
    lua_Number count = luaL_checknumber(L, 2);
    if (count > 0 && (double)len * count > LIMIT_POLICY_STRING_BYTES) {
        return luaL_error(L, "string.rep: the result would be larger than %d bytes", (int)LIMIT_POLICY_STRING_BYTES);
    }
    vm_charge(L, count > 0 ? (size_t)((double)len * count) : 0);
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

/* Upvalue: table.concat, insert, remove or sort. Charged by the table's length before. */
static int on_charged_table(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    vm_charge(L, lua_objlen(L, 1) * TABLE_WEIGHT);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    vm_charge(L, text_bytes(L, lua_gettop(L)));
    return lua_gettop(L);
}

static int on_concat(lua_State *L)
{
    frozen_thaw(L, 1);
    return on_charged_table(L);
}

/* Taking the last element is cheap. */
static int on_remove(lua_State *L)
{
    if (lua_gettop(L) != 1) return on_charged_table(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    int last = (int)lua_objlen(L, 1);
    if (last == 0) return 0;
    lua_rawgeti(L, 1, last);
    lua_pushnil(L);
    lua_rawseti(L, 1, last);
    return 1;
}

/* Appending is what insert is used for, and cheap. */
static int on_insert(lua_State *L)
{
    if (lua_gettop(L) != 2) return on_charged_table(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_rawseti(L, 1, (int)lua_objlen(L, 1) + 1);
    return 0;
}

static int on_sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = lua_objlen(L, 1), levels = 1;
    if (count > SORT_MAX) return luaL_error(L, "table.sort: more than %d elements", SORT_MAX);
    while (count >> levels)
        levels++;
    vm_charge(L, count * levels * TABLE_WEIGHT);
    int args = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, args, 0);
    return 0;
}

static int on_unpack(lua_State *L)
{
    frozen_thaw(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer first = luaL_optinteger(L, 2, 1);
    lua_Integer last = lua_isnoneornil(L, 3) ? (lua_Integer)lua_objlen(L, 1) : luaL_checkinteger(L, 3);
    if (first > last) return 0;
    if (last - first >= 4000) return luaL_error(L, "unpack: too many values");
    int count = (int)(last - first) + 1;
    vm_charge(L, (size_t)count * TABLE_WEIGHT);
    luaL_checkstack(L, count, "unpack: too many values");
    for (lua_Integer i = first; i <= last; i++)
        lua_rawgeti(L, 1, (int)i);
    return count;
}

/* --- base functions that know the views --- */

static int on_type(lua_State *L)
{
    luaL_checkany(L, 1);
    if (lua_type(L, 1) == LUA_TUSERDATA)
        lua_pushliteral(L, "table");
    else
        lua_pushstring(L, luaL_typename(L, 1));
    return 1;
}

/* A number of a long text is read byte by byte. */
static int on_tonumber(lua_State *L)
{
    vm_charge(L, text_bytes(L, 1));
    int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, 1);
    return 1;
}

static int on_next(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TUSERDATA) return bind_view_next(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (lua_next(L, 1)) return 2;
    lua_pushnil(L);
    return 1;
}

/* Upvalues: the safe next, the library's own pairs. */
static int on_pairs(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TUSERDATA) {
        luaL_checktype(L, 1, LUA_TTABLE);
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

static int on_each(lua_State *L)
{
    lua_Integer at = luaL_checkinteger(L, 2) + 1;
    lua_pushinteger(L, at);
    lua_pushinteger(L, at);
    lua_gettable(L, 1);
    return lua_isnil(L, -1) ? 0 : 2;
}

/* Upvalue: the library's own. What a view stands for is not handed out. */
static int on_ipairs(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    if (lua_type(L, 1) != LUA_TUSERDATA) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_insert(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    lua_pushcfunction(L, on_each);
    lua_insert(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

static int on_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TTABLE);
    if (luaL_getmetafield(L, 1, "__metatable")) return luaL_error(L, "this table's metatable is protected");
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

/* --- opening --- */

static void open_library(lua_State *L, lua_CFunction open, const char *name)
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, name);
    lua_call(L, 1, 0);
}

/* Replaces field of the table on top by a closure of fn over the value it has. */
static void wrap(lua_State *L, const char *field, lua_CFunction fn)
{
    lua_getfield(L, -1, field);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, field);
}

static void remove_fields(lua_State *L, const char *const *names)
{
    for (; *names; names++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *names);
    }
}

static void guard_string(lua_State *L)
{
    static const char *const gone[] = {"dump", "gfind", NULL};
    static const char *const charged[] = {"upper", "lower", "reverse", "format", "sub", "byte", "char", NULL};
    lua_getglobal(L, LUA_STRLIBNAME); // string
    remove_fields(L, gone);
    for (const char *const *name = charged; *name; name++)
        wrap(L, *name, on_charged_text);
    wrap(L, "rep", on_rep);
    pattern_register(L);
    lua_pushliteral(L, "");    // string ""
    lua_getmetatable(L, -1);   // string "" metatable
    lua_pushboolean(L, false); // string "" metatable false
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 3);
}

static void guard_table(lua_State *L)
{
    static const char *const gone[] = {"foreach", "foreachi", "getn", "maxn", "move", NULL};
    lua_getglobal(L, LUA_TABLIBNAME);
    remove_fields(L, gone);
    wrap(L, "concat", on_concat);
    wrap(L, "insert", on_insert);
    wrap(L, "remove", on_remove);
    wrap(L, "sort", on_sort);
    lua_pop(L, 1);
}

static void guard_math(lua_State *L)
{
    lua_getglobal(L, LUA_MATHLIBNAME);
    lua_pushnil(L);
    lua_setfield(L, -2, "randomseed");
    lua_pushcfunction(L, bind_random);
    lua_setfield(L, -2, "random");
    lua_pop(L, 1);
}

void sandbox_open(lua_State *L)
{
    static const char *const gone[] = {"coroutine", "newproxy", "collectgarbage", "gcinfo",  "load",  "loadstring",
                                       "loadfile",  "dofile",   "module",         "require", "print", NULL};
    open_library(L, luaopen_base, "");
    open_library(L, luaopen_string, LUA_STRLIBNAME);
    open_library(L, luaopen_table, LUA_TABLIBNAME);
    open_library(L, luaopen_math, LUA_MATHLIBNAME);
    open_library(L, luaopen_bit, LUA_BITLIBNAME);
    lua_pushvalue(L, LUA_GLOBALSINDEX);
    remove_fields(L, gone);
    lua_pop(L, 1);
    guard_string(L);
    guard_table(L);
    guard_math(L);
}

static void copy_global(lua_State *L, const char *name)
{
    lua_getglobal(L, name);
    lua_setfield(L, -2, name);
}

void sandbox_push_safe(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"type", on_type}, {"next", on_next}, {"setmetatable", on_setmetatable}, {"unpack", on_unpack}, {NULL, NULL}};
    static const char *const stock[] = {"assert", "error", "select", "tostring", NULL};
    lua_newtable(L); // safe
    luaL_register(L, NULL, functions);
    for (const char *const *name = stock; *name; name++)
        copy_global(L, *name);
    lua_getglobal(L, "tonumber");
    lua_pushcclosure(L, on_tonumber, 1);
    lua_setfield(L, -2, "tonumber");
    lua_getfield(L, -1, "next"); // safe next
    lua_getglobal(L, "pairs");   // safe next pairs
    lua_pushcclosure(L, on_pairs, 2);
    lua_setfield(L, -2, "pairs");
    lua_getglobal(L, "ipairs");
    lua_pushcclosure(L, on_ipairs, 1);
    lua_setfield(L, -2, "ipairs");
}
