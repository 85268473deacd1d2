#include "lua/globals.h"

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <lualib.h>

#include "lua/script.h"

struct search {
    struct slice text;
    char *out;
    size_t size, len;
};

static void open_library(lua_State *L, lua_CFunction open, const char *name)
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, name);
    lua_call(L, 1, 0);
}

#define WALK "globals.walk"

/* Protected. scripts/globals.lua needs jit.util. */
static int open_state(lua_State *L)
{
    const struct embedded_script *script = script_find(SLICE("scripts/globals.lua"));
    open_library(L, luaopen_base, "");
    open_library(L, luaopen_package, LUA_LOADLIBNAME);
    open_library(L, luaopen_string, LUA_STRLIBNAME);
    open_library(L, luaopen_table, LUA_TABLIBNAME);
    open_library(L, luaopen_bit, LUA_BITLIBNAME);
    open_library(L, luaopen_jit, LUA_JITLIBNAME);
    luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    if (!script || luaL_loadbuffer(L, script->text, script->len, "@scripts/globals.lua") != 0) return lua_error(L);
    lua_call(L, 0, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, WALK);
    return 0;
}

/* For the life of the process. */
static lua_State *inspector(void)
{
    static lua_State *L;
    if (L) return L;
    lua_State *made = luaL_newstate();
    if (!made) return NULL;
    if (lua_cpcall(made, open_state, NULL) == 0) return L = made;
    lua_close(made);
    return NULL;
}

/* Protected. The text is compiled and looked at, never called. */
static int search(lua_State *L)
{
    struct search *s = lua_touserdata(L, 1);
    size_t len;
    lua_getfield(L, LUA_REGISTRYINDEX, WALK);
    if (luaL_loadbufferx(L, s->text.ptr, s->text.len, "=policy", "t") != 0) return 0;
    lua_call(L, 1, 1);
    const char *found = lua_tolstring(L, -1, &len);
    while (len > s->size) { /* whole lines */
        len = s->size;
        while (len && found[len - 1] != '\n')
            len--;
    }
    if (len) memcpy(s->out, found, len);
    s->len = len;
    return 0;
}

size_t globals_find(struct slice text, char *out, size_t size)
{
    struct search s = {.text = text, .out = out, .size = size};
    lua_State *L = inspector();
    if (!L) return 0;
    if (lua_cpcall(L, search, &s) != 0) {
        s.len = 0;
        lua_settop(L, 0);
    }
    return s.len;
}
