#include "lua/globals.h"

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <lualib.h>

#include "base/buf.h"
#include "base/fiber.h"
#include "lua/script.h"

#define PIECE_BYTES 16384u

struct search {
    struct slice code;
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

#define REST_ALLOCATIONS 32u

static void *on_alloc(void *arg, void *ptr, size_t old_size, size_t new_size)
{
    static unsigned count;
    (void)arg, (void)old_size;
    if (++count % REST_ALLOCATIONS == 0) fiber_rest();
    if (new_size > 0) return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

/* For the life of the process. */
static lua_State *inspector(void)
{
    static lua_State *L;
    if (L) return L;
    lua_State *made = lua_newstate(on_alloc, NULL);
    if (!made) return NULL;
    if (lua_cpcall(made, open_state, NULL) == 0) return L = made;
    lua_close(made);
    return NULL;
}

static const char *read_piece(lua_State *L, void *arg, size_t *len)
{
    struct slice *rest = arg;
    const char *piece = rest->ptr;
    (void)L;
    fiber_rest();
    *len = rest->len < PIECE_BYTES ? rest->len : PIECE_BYTES;
    *rest = slice_of(rest->ptr + *len, rest->len - *len);
    return piece;
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    (void)L, (void)ar;
    fiber_rest();
}

/* Protected. The chunk is looked at, never called. */
static int search(lua_State *L)
{
    struct search *s = lua_touserdata(L, 1);
    size_t len;
    lua_getfield(L, LUA_REGISTRYINDEX, WALK);
    if (lua_loadx(L, read_piece, &s->code, "=policy", "b") != 0) return 0;
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1000);
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

/* Protected. A chunk may be of megabytes, and the next one comes at the next load. */
static int collect(lua_State *L)
{
    while (!lua_gc(L, LUA_GCSTEP, 0))
        fiber_rest();
    lua_gc(L, LUA_GCSTOP, 0);
    return 0;
}

static int on_dump(lua_State *L, const void *bytes, size_t len, void *arg)
{
    (void)L;
    buf_append(arg, slice_of(bytes, len));
    return 0;
}

size_t globals_find(lua_State *L, char *out, size_t size)
{
    static struct buf code; /* not on the stack: lua_dump may raise */
    lua_State *inner = inspector();
    if (!inner) return 0;
    buf_clear(&code);
    fiber_pause(); /* what follows does not rest: it has a slice of its own */
    lua_dump(L, on_dump, &code);
    struct search s = {.code = buf_slice(&code), .out = out, .size = size};
    if (lua_cpcall(inner, search, &s) != 0) s.len = 0;
    lua_settop(inner, 0);
    if (lua_cpcall(inner, collect, NULL) != 0) lua_settop(inner, 0);
    buf_clear(&code);
    return s.len;
}
