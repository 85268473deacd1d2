/* Where in its file a value or a function stands, and what a function is made of. */
#include "base/limits.h"
#include "lua/bind.h"
#include "lua/reading.h"
#include "lua/source.h"

#define SOURCE "moongate.source"
#define PATH_DEPTH_MAX 16

static int on_source_gc(lua_State *L)
{
    struct source **source = lua_touserdata(L, 1);
    source_free(*source);
    *source = NULL;
    return 0;
}

/* source(text) → what finds places in it */
static int on_source(lua_State *L)
{
    struct slice text = bind_check_slice(L, 1);
    struct source **source = lua_newuserdata(L, sizeof *source);
    *source = NULL;
    bind_set_kind(L, SOURCE, on_source_gc);
    bind_keep(L, 1);
    *source = source_new(text);
    return 1;
}

/* locate(source, key, …) → line and column of that path of names and indexes; of the deepest place on the way when it
 * was not found whole */
static int on_locate(lua_State *L)
{
    struct source **source = luaL_checkudata(L, 1, SOURCE);
    struct source_key path[PATH_DEPTH_MAX];
    struct lexer_place at;
    int depth = lua_gettop(L) - 1;
    if (depth > PATH_DEPTH_MAX) depth = PATH_DEPTH_MAX;
    for (int i = 0; i < depth; i++) {
        path[i] = (struct source_key){0};
        if (lua_type(L, i + 2) == LUA_TNUMBER)
            path[i].index = (int)lua_tointeger(L, i + 2);
        else
            path[i].name = bind_check_slice(L, i + 2);
    }
    source_locate(*source, path, (size_t)depth, &at);
    lua_pushinteger(L, at.line);
    lua_pushinteger(L, at.column);
    return 2;
}

/* --- what a text shows --- */

#define READING "moongate.reading"
#define ITEM_FIELDS 5

static int on_reading_gc(lua_State *L)
{
    struct reading **reading = lua_touserdata(L, 1);
    reading_free(*reading);
    *reading = NULL;
    return 0;
}

static void push_items(lua_State *L, const struct reading *reading)
{
    static const char *const kinds[] = {
        [READING_KEY_TWICE] = "twice", [READING_LOST] = "lost", [READING_NIL] = "nil",
        [READING_CONSTANT] = "constant", [READING_FIELD] = "field", [READING_CALL] = "call"};
    lua_createtable(L, (int)reading_count(reading) * ITEM_FIELDS, 0);
    for (size_t i = 0; i < reading_count(reading); i++) {
        const struct reading_item *item = reading_at(reading, i);
        int at = (int)i * ITEM_FIELDS;
        lua_pushstring(L, kinds[item->kind]);
        lua_rawseti(L, -2, at + 1);
        lua_pushlstring(L, item->name.ptr, item->name.len);
        lua_rawseti(L, -2, at + 2);
        lua_pushinteger(L, item->at.line);
        lua_rawseti(L, -2, at + 3);
        lua_pushinteger(L, item->at.column);
        lua_rawseti(L, -2, at + 4);
        lua_pushinteger(L, item->first.line);
        lua_rawseti(L, -2, at + 5);
    }
}

/* reading(text) → a handle, and {kind, name, line, column, line of the first, …}: lua/reading.h */
static int on_reading(lua_State *L)
{
    struct slice text = bind_check_slice(L, 1);
    struct reading **reading = lua_newuserdata(L, sizeof *reading);
    *reading = NULL;
    bind_set_kind(L, READING, on_reading_gc);
    bind_keep(L, 1);
    *reading = reading_new(text);
    push_items(L, *reading);
    return 2;
}

static int depth_change(const struct lexer *x)
{
    if (x->token.kind != LEXER_SIGN || x->token.text.len != 1) return 0;
    if (strchr("({[", x->token.text.ptr[0])) return 1;
    return strchr(")}]", x->token.text.ptr[0]) ? -1 : 0;
}

/* arguments(handle, i) → {kind, token, …} of the i-th item's call: "text", "number", "name" or "sign"; texts without
 * their quotes. nil when there are too many */
static int on_arguments(lua_State *L)
{
    static const char *const kinds[] = {[LEXER_END] = "end", [LEXER_NAME] = "name", [LEXER_TEXT] = "text",
                                        [LEXER_NUMBER] = "number", [LEXER_SIGN] = "sign"};
    struct reading **reading = luaL_checkudata(L, 1, READING);
    lua_Integer i = luaL_checkinteger(L, 2);
    luaL_argcheck(L, *reading && i >= 1 && (size_t)i <= reading_count(*reading), 2, "there is no such item");
    struct lexer x = reading_at(*reading, (size_t)i - 1)->arguments;
    int depth = 0, count = 0;
    lua_newtable(L);
    do {
        if (x.token.kind == LEXER_END || count >= (int)LIMIT_SOURCE_ARGUMENTS * 2) return 0;
        depth += depth_change(&x);
        lua_pushstring(L, kinds[x.token.kind]);
        lua_rawseti(L, -2, ++count);
        lua_pushlstring(L, x.token.text.ptr, x.token.text.len);
        lua_rawseti(L, -2, ++count);
        lexer_next(&x);
    } while (depth > 0);
    return 1;
}

/* where() → file and line of the nearest caller in a policy file; nothing when there is none */
static int on_where(lua_State *L)
{
    char place[VM_PLACE_BYTES];
    if (!vm_place(L, place, sizeof place)) return 0;
    char *colon = strrchr(place, ':');
    lua_pushlstring(L, place, (size_t)(colon - place));
    lua_pushinteger(L, strtol(colon + 1, NULL, 10));
    return 2;
}

/* function_line(fn) → the lines it begins and ends at */
static int on_function_line(lua_State *L)
{
    lua_Debug ar;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_getinfo(L, ">S", &ar);
    lua_pushinteger(L, ar.linedefined);
    lua_pushinteger(L, ar.lastlinedefined);
    return 2;
}

/* function_text(fn) → the lines of a policy file that it stands on */
static int on_function_text(lua_State *L)
{
    lua_Debug ar;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_getinfo(L, ">S", &ar);
    struct slice file = slice_str(ar.short_src), folder = SLICE("policies/"), text = SLICE(""), rest, line;
    if (slice_starts(file, folder)) {
        const struct bundle_file *found =
            bundle_find(bind_set(L)->bundle, slice_of(file.ptr + folder.len, file.len - folder.len));
        if (found) text = found->text;
    }
    const char *from = text.ptr;
    rest = text;
    for (int i = 1; i <= ar.lastlinedefined && rest.len; i++) {
        line = slice_split(rest, '\n', &rest);
        if (i <= ar.linedefined) from = line.ptr;
    }
    lua_pushlstring(L, from, (size_t)(rest.len ? rest.ptr - from : text.ptr + text.len - from));
    return 1;
}

/* function_upvalues(fn) → {name = value}: what it uses of the code around it */
static int on_function_upvalues(lua_State *L)
{
    const char *name;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_newtable(L);
    for (int i = 1; (name = lua_getupvalue(L, 1, i)); i++)
        lua_setfield(L, 2, name);
    return 1;
}

void bind_source_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"source", on_source},
                                         {"locate", on_locate},
                                         {"reading", on_reading},
                                         {"arguments", on_arguments},
                                         {"where", on_where},
                                         {"function_line", on_function_line},
                                         {"function_text", on_function_text},
                                         {"function_upvalues", on_function_upvalues},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
