#include "lua/configfile.h"

#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <lualib.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "lua/raised.h"
#include "lua/script.h"

#define CHUNK "config"
#define HOOK_BYTECODES 1000

struct room {
    size_t used;
    unsigned hooks;
    struct slice text;
    const struct embedded_script *words; /* called with the environment, to add to it; NULL: nothing is added */
    json_t *tree;
    enum finding refused; /* why it was refused, when it was we who raised */
};

static void *allocate(void *arg, void *ptr, size_t old_size, size_t new_size)
{
    struct room *room = arg;
    if (new_size == 0) {
        room->used -= old_size;
        free(ptr);
        return NULL;
    }
    if (new_size > old_size && room->used + (new_size - old_size) > LIMIT_CONFIG_STATE_BYTES) return NULL;
    void *moved = realloc(ptr, new_size);
    if (moved) room->used = room->used - old_size + new_size;
    return moved;
}

static struct room *room_of(lua_State *L)
{
    void *arg;
    lua_getallocf(L, &arg);
    return arg;
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    if (++room_of(L)->hooks <= LIMIT_CONFIG_BYTECODES / HOOK_BYTECODES) return;
    lua_getinfo(L, "Sl", ar);
    room_of(L)->refused = FINDING_STOPPED;
    lua_pushfstring(L, "%s:%d: too much work for a configuration file: an endless loop?", ar->short_src,
                    ar->currentline);
    lua_error(L);
}

/* Raises as luaL_error() does. There is no pcall: nothing can follow it but the end. */
static int refuse(lua_State *L, enum finding finding, const char *format, ...)
{
    va_list args;
    room_of(L)->refused = finding;
    luaL_where(L, 1);
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    lua_concat(L, 2);
    return lua_error(L);
}

/* A misspelt name must not become nil, which is no field at all. */
static int refuse_name(lua_State *L)
{
    return refuse(L, FINDING_UNDEFINED_NAME, "a configuration file knows no `%s`", luaL_checkstring(L, 2));
}

static int make_handle(lua_State *L, const char *what, enum finding finding, const char *example)
{
    if (lua_gettop(L) != 1 || lua_type(L, 1) != LUA_TSTRING || lua_objlen(L, 1) == 0) {
        return refuse(L, finding, "write %s", example);
    }
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, what);
    return 1;
}

static int call_env(lua_State *L)
{
    return make_handle(L, "$env", FINDING_BAD_SECRET, "env \"NAME\", with the name of one environment variable");
}

static int call_file(lua_State *L)
{
    return make_handle(L, "$file", FINDING_BAD_SECRET, "file \"path\", with the path of one file");
}

static int call_config(lua_State *L)
{
    if (lua_gettop(L) != 1 || !lua_istable(L, 1))
        return refuse(L, FINDING_BAD_VALUE, "write moongate.config { … }");
    return 1;
}

static void open_library(lua_State *L, lua_CFunction open, const char *name)
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, name);
    lua_call(L, 1, 0);
}

static void keep_global(lua_State *L, int env, const char *name)
{
    lua_getfield(L, LUA_GLOBALSINDEX, name);
    lua_setfield(L, env, name);
}

static void drop_member(lua_State *L, const char *library, const char *member)
{
    lua_getfield(L, LUA_GLOBALSINDEX, library);
    lua_pushnil(L);
    lua_setfield(L, -2, member);
    lua_pop(L, 1);
}

/* Before the environment refuses names that it does not know. */
static void add_words(lua_State *L, int env, const struct embedded_script *words)
{
    if (!words) return;
    if (luaL_loadbuffer(L, words->text, words->len, words->name) != 0) lua_error(L);
    lua_pushvalue(L, env);
    lua_call(L, 1, 0);
}

/* Leaves the table of what a configuration file may name on the stack; any other name raises. */
static void push_environment(lua_State *L, const struct embedded_script *words)
{
    static const char *const kept[] = {"string", "table",    "math",   "pairs", "ipairs", "type",  "tostring",
                                       "select", "tonumber", "unpack", "next",  "error",  "assert"};
    open_library(L, luaopen_base, "");
    open_library(L, luaopen_string, LUA_STRLIBNAME);
    open_library(L, luaopen_table, LUA_TABLIBNAME);
    open_library(L, luaopen_math, LUA_MATHLIBNAME);
    drop_member(L, "string", "dump");
    drop_member(L, "math", "random");
    drop_member(L, "math", "randomseed");
    lua_newtable(L);
    int env = lua_gettop(L);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        keep_global(L, env, kept[i]);
    lua_pushcfunction(L, call_env);
    lua_setfield(L, env, "env");
    lua_pushcfunction(L, call_file);
    lua_setfield(L, env, "file");
    lua_newtable(L);
    lua_pushcfunction(L, call_config);
    lua_setfield(L, -2, "config");
    lua_setfield(L, env, "moongate");
    add_words(L, env, words);
    lua_newtable(L);
    lua_pushcfunction(L, refuse_name);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, env);
}

/* The value at the top of the stack is put into `parent` at once, so that an error raised later frees it with the
 * tree: nothing is held across a call that may raise. */
static void put(lua_State *L, json_t *parent, const char *key, size_t key_len, json_t *value, const char *path)
{
    int failed = key ? json_object_setn_new(parent, key, key_len, value) : json_array_append_new(parent, value);
    if (failed) refuse(L, FINDING_BAD_VALUE, "%s: text that is not UTF-8", path);
}

static void fill(lua_State *L, json_t *into, const char *path, unsigned depth);

/* A list, or a table of names? Anything between raises. */
static bool is_list(lua_State *L, const char *path)
{
    size_t length = lua_objlen(L, -1), positions = 0;
    bool has_names = false;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TNUMBER) {
            positions++;
        } else if (lua_type(L, -1) == LUA_TSTRING) {
            has_names = true;
        } else {
            refuse(L, FINDING_BAD_VALUE, "%s: a field's name must be text, not a %s", path, luaL_typename(L, -1));
        }
    }
    if (positions && has_names) refuse(L, FINDING_BAD_LIST, "%s: a table with both names and positions", path);
    if (positions != length) refuse(L, FINDING_BAD_LIST, "%s: a list with holes", path);
    return positions > 0;
}

/* Puts the value at the top of the stack; leaves the stack as it was. */
static void convert(lua_State *L, json_t *parent, const char *key, size_t key_len, const char *path, unsigned depth)
{
    size_t len;
    const char *text;
    lua_Number number;
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &len);
        put(L, parent, key, key_len, json_stringn(text, len), path);
        return;
    case LUA_TBOOLEAN: put(L, parent, key, key_len, json_boolean(lua_toboolean(L, -1)), path); return;
    case LUA_TNUMBER:
        number = lua_tonumber(L, -1);
        if (!isfinite(number)) refuse(L, FINDING_BAD_VALUE, "%s: not a finite number", path);
        if (number == floor(number) && fabs(number) < 9e15) {
            put(L, parent, key, key_len, json_integer((json_int_t)number), path);
        } else {
            put(L, parent, key, key_len, json_real(number), path);
        }
        return;
    case LUA_TTABLE: {
        if (depth >= LIMIT_CONFIG_DEPTH)
            refuse(L, FINDING_BAD_VALUE, "%s: tables nested too deep, or inside themselves", path);
        json_t *table = is_list(L, path) ? json_array() : json_object();
        put(L, parent, key, key_len, table, path);
        fill(L, table, path, depth + 1);
        return;
    }
    default: refuse(L, FINDING_BAD_VALUE, "%s: a %s has no meaning here", path, luaL_typename(L, -1));
    }
}

static void fill(lua_State *L, json_t *into, const char *path, unsigned depth)
{
    luaL_checkstack(L, 8, "tables nested too deep");
    if (json_is_array(into)) {
        int length = (int)lua_objlen(L, -1);
        for (int i = 1; i <= length; i++) {
            const char *here = lua_pushfstring(L, "%s[%d]", path, i);
            lua_rawgeti(L, -2, i);
            convert(L, into, NULL, 0, here, depth);
            lua_pop(L, 2);
        }
        return;
    }
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        size_t len;
        const char *key = lua_tolstring(L, -2, &len);
        const char *here = *path ? lua_pushfstring(L, "%s.%s", path, key) : lua_pushfstring(L, "%s", key);
        lua_pushvalue(L, -2);
        convert(L, into, key, len, here, depth);
        lua_pop(L, 3);
    }
}

static int evaluate(lua_State *L)
{
    struct room *room = lua_touserdata(L, 1);
    lua_settop(L, 0);
    push_environment(L, room->words);
    if (luaL_loadbufferx(L, room->text.ptr, room->text.len, "=" CHUNK, "t") != 0) {
        room->refused = FINDING_NOT_LUA;
        return lua_error(L);
    }
    lua_pushvalue(L, 1);
    lua_setfenv(L, 2);
    lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_BYTECODES);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1)) {
        return refuse(L, FINDING_NO_POLICY, "the file must end with `return { … }`, it gives back %s",
                      luaL_typename(L, -1));
    }
    if (is_list(L, "the configuration"))
        return refuse(L, FINDING_BAD_VALUE, "the configuration must be named fields, not a list");
    fill(L, room->tree, "", 1);
    return 0;
}

/* "config:12: text" into line and text. */
static void explain(lua_State *L, struct configfile_error *why)
{
    const char *text = lua_isstring(L, -1) ? lua_tostring(L, -1) : "an error that is not text was raised";
    why->line = 0;
    if (strncmp(text, CHUNK ":", sizeof CHUNK) == 0) {
        char *end;
        long line = strtol(text + sizeof CHUNK, &end, 10);
        if (*end == ':' && line > 0) {
            why->line = (int)line;
            text = end[1] == ' ' ? end + 2 : end + 1;
        }
    }
    snprintf(why->text, sizeof why->text, "%s", text);
    why->finding = room_of(L)->refused ? room_of(L)->refused : raised_finding(slice_str(text));
}

static json_t *eval(struct slice text, const struct embedded_script *words, struct configfile_error *why)
{
    struct room room = {.text = text, .words = words, .tree = json_object()};
    lua_State *L = lua_newstate(allocate, &room);
    if (!L) {
        *why = (struct configfile_error){.finding = FINDING_STOPPED, .text = "out of memory"};
        json_decref(room.tree);
        return NULL;
    }
    luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    if (lua_cpcall(L, evaluate, &room) != 0) {
        explain(L, why);
        json_decref(room.tree);
        room.tree = NULL;
    }
    lua_close(L);
    return room.tree;
}

json_t *configfile_eval(struct slice text, struct configfile_error *why)
{
    return eval(text, NULL, why);
}

json_t *configfile_eval_with(struct slice text, struct slice words, struct configfile_error *why)
{
    return eval(text, script_find(words), why);
}
