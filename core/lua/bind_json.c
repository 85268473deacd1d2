/* JSON for policies and for the tools: texts to tables and back. What C holds meanwhile hangs on userdata, so that a
 * raise in the middle frees it. */
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "lua/bind.h"
#include "wire/json.h"

#define READING "moongate.json.reading"
#define WRITING "moongate.json.writing"
/* Metatables that say what an empty table is. */
#define ARRAY "moongate.json.array"
#define OBJECT "moongate.json.object"

/* --- reading --- */

struct reading {
    struct json_tape tape;
    struct arena arena;
    bool is_exact; /* null and [] as scripts/json.lua writes them; else as policies like them */
};

static int on_reading_gc(lua_State *L)
{
    struct reading *reading = lua_touserdata(L, 1);
    json_clear(&reading->tape);
    arena_clear(&reading->arena);
    return 0;
}

static struct reading *push_reading(lua_State *L, bool is_exact)
{
    struct reading *reading = lua_newuserdata(L, sizeof *reading);
    reading->is_exact = is_exact;
    json_init(&reading->tape);
    arena_init(&reading->arena);
    bind_set_kind(L, READING, on_reading_gc);
    return reading;
}

static void push_raw(lua_State *L, const char *text)
{
    lua_createtable(L, 0, 1);
    lua_pushstring(L, text);
    lua_setfield(L, -2, "_raw");
}

static void push_marker(lua_State *L, const char *name)
{
    if (luaL_newmetatable(L, name)) {
        lua_pushstring(L, name);
        lua_setfield(L, -2, "__metatable");
    }
}

/* A whole number that a double cannot hold would be another one: it comes as its digits. */
static void push_number(lua_State *L, const struct json_tape *tape, uint32_t node)
{
    double value = json_to_double(tape, node);
    struct slice raw = json_raw(tape, node);
    bool is_whole = !memchr(raw.ptr, '.', raw.len) && !memchr(raw.ptr, 'e', raw.len) && !memchr(raw.ptr, 'E', raw.len);
    if (is_whole && fabs(value) > 0x1p53)
        lua_pushlstring(L, raw.ptr, raw.len);
    else
        lua_pushnumber(L, value);
}

static void push_value(lua_State *L, struct reading *reading, uint32_t node);

static bool is_left_out(const struct reading *reading, uint32_t value)
{
    return !reading->is_exact && json_is(&reading->tape, value, JSON_NULL);
}

/* As deep as LIMIT_JSON_DEPTH at most. */
static void push_container(lua_State *L, struct reading *reading, uint32_t node)
{
    const struct json_tape *tape = &reading->tape;
    bool is_array = json_is(tape, node, JSON_ARRAY);
    int at = 0;
    luaL_checkstack(L, 6, "nested JSON");
    lua_newtable(L);
    for (uint32_t value = json_first(tape, node); value != JSON_NONE; value = json_next(tape, value)) {
        if (is_array) {
            push_value(L, reading, value);
            lua_rawseti(L, -2, ++at);
            continue;
        }
        if (is_left_out(reading, value)) continue;
        struct slice key = json_key_text(tape, value, &reading->arena);
        lua_pushlstring(L, key.ptr, key.len);
        push_value(L, reading, value);
        lua_rawset(L, -3);
    }
    if (reading->is_exact) return;
    push_marker(L, is_array ? ARRAY : OBJECT);
    lua_setmetatable(L, -2);
}

static void push_value(lua_State *L, struct reading *reading, uint32_t node)
{
    const struct json_tape *tape = &reading->tape;
    struct slice text;
    switch (json_type(tape, node)) {
    case JSON_NULL:
        if (reading->is_exact)
            push_raw(L, "null");
        else
            lua_pushlightuserdata(L, NULL);
        return;
    case JSON_FALSE:
    case JSON_TRUE: lua_pushboolean(L, json_is(tape, node, JSON_TRUE)); return;
    case JSON_NUMBER: push_number(L, tape, node); return;
    case JSON_STRING:
        text = json_text(tape, node, &reading->arena);
        lua_pushlstring(L, text.ptr, text.len);
        return;
    case JSON_ARRAY:
        if (reading->is_exact && json_count(tape, node) == 0) {
            push_raw(L, "[]");
            return;
        }
        push_container(L, reading, node);
        return;
    case JSON_OBJECT: push_container(L, reading, node); return;
    }
}

void bind_push_json(lua_State *L, struct slice text)
{
    struct fault why;
    struct reading *reading = push_reading(L, true);
    if (!json_parse(&reading->tape, text, &why)) {
        lua_pushstring(L, fault_message(&why));
        lua_error(L);
    }
    push_value(L, reading, 0);
    lua_remove(L, -2);
}

/* json_decode(text) → value; or nil, what is wrong */
static int on_decode(lua_State *L)
{
    struct fault why;
    struct slice text = bind_check_slice(L, 1);
    if (text.len > LIMIT_POLICY_JSON_BYTES) {
        lua_pushnil(L);
        lua_pushliteral(L, "too large");
        return 2;
    }
    vm_charge(L, text.len * 3);
    struct reading *reading = push_reading(L, false);
    if (!json_parse(&reading->tape, text, &why)) {
        lua_pushnil(L);
        lua_pushstring(L, fault_message(&why));
        return 2;
    }
    if (json_is(&reading->tape, 0, JSON_NULL))
        lua_pushnil(L);
    else
        push_value(L, reading, 0);
    json_clear(&reading->tape);
    arena_clear(&reading->arena);
    return 1;
}

/* --- writing --- */

struct writing {
    struct buf out;
    bool is_lenient; /* an empty table is an object */
};

static int on_writing_gc(lua_State *L)
{
    struct writing *writing = lua_touserdata(L, 1);
    buf_clear(&writing->out);
    return 0;
}

static struct writing *push_writing(lua_State *L, bool is_lenient)
{
    struct writing *writing = lua_newuserdata(L, sizeof *writing);
    writing->is_lenient = is_lenient;
    buf_init(&writing->out);
    bind_set_kind(L, WRITING, on_writing_gc);
    return writing;
}

static void write_number(lua_State *L, struct buf *out, double value)
{
    char text[32];
    if (!isfinite(value)) luaL_error(L, "json: %s has no JSON", isnan(value) ? "not-a-number" : "an infinite number");
    if (value == floor(value) && fabs(value) <= 0x1p53) {
        buf_printf(out, "%.0f", value == 0 ? 0.0 : value);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) { /* the shortest that reads back as the same */
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    buf_append(out, slice_str(text));
}

static void write_text(lua_State *L, struct buf *out, struct slice text)
{
    if (!utf8_is_valid(text)) luaL_error(L, "json: a text that is not UTF-8");
    vm_charge(L, text.len);
    if (buf_len(out) + text.len > LIMIT_POLICY_JSON_BYTES)
        luaL_error(L, "json: the text would be larger than %d bytes", (int)LIMIT_POLICY_JSON_BYTES);
    buf_append_json(out, text);
}

static void write_value(lua_State *L, struct writing *writing, int index, int depth);

static void write_array(lua_State *L, struct writing *writing, int index, int depth)
{
    size_t count = lua_objlen(L, index);
    buf_append_char(&writing->out, '[');
    for (size_t i = 1; i <= count; i++) {
        if (i > 1) buf_append_char(&writing->out, ',');
        lua_rawgeti(L, index, (int)i);
        write_value(L, writing, lua_gettop(L), depth + 1);
        lua_pop(L, 1);
    }
    buf_append_char(&writing->out, ']');
}

static int compare_keys(const void *left, const void *right)
{
    const struct slice *a = left, *b = right;
    int order = memcmp(a->ptr, b->ptr, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* Sorted: pairs() has no order of its own, and texts are compared and cached. */
static void write_object(lua_State *L, struct writing *writing, int index, int depth, size_t count)
{
    struct slice *keys = lua_newuserdata(L, (count + 1) * sizeof *keys);
    size_t used = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "json: a table is a list or has names, and this one has a %s among its names",
                       luaL_typename(L, -2));
        if (used < count) keys[used++] = bind_check_slice(L, -2); /* the table keeps it alive */
    }
    qsort(keys, used, sizeof *keys, compare_keys);
    buf_append_char(&writing->out, '{');
    for (size_t i = 0; i < used; i++) {
        if (i) buf_append_char(&writing->out, ',');
        write_text(L, &writing->out, keys[i]);
        buf_append_char(&writing->out, ':');
        lua_pushlstring(L, keys[i].ptr, keys[i].len);
        lua_rawget(L, index);
        write_value(L, writing, lua_gettop(L), depth + 1);
        lua_pop(L, 1);
    }
    buf_append_char(&writing->out, '}');
    lua_pop(L, 1);
}

static bool has_marker(lua_State *L, int index, const char *name)
{
    if (!lua_getmetatable(L, index)) return false;
    luaL_getmetatable(L, name);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

static void write_table(lua_State *L, struct writing *writing, int index, int depth)
{
    size_t count = 0, length = lua_objlen(L, index);
    luaL_checkstack(L, 8, "nested tables");
    if (depth > (int)LIMIT_JSON_DEPTH) luaL_error(L, "json: tables nested more than %d deep", (int)LIMIT_JSON_DEPTH);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        count++;
    vm_charge(L, count * 16);
    if (count == 0 && !writing->is_lenient && !has_marker(L, index, ARRAY) && !has_marker(L, index, OBJECT))
        luaL_error(L, "json: an empty table may be a list or an object: write json.array {} or json.object {}");
    if (count == 0) {
        buf_append(&writing->out, has_marker(L, index, ARRAY) ? SLICE("[]") : SLICE("{}"));
    } else if (length == count) {
        write_array(L, writing, index, depth);
    } else {
        if (length > 0) luaL_error(L, "json: a table is a list or has names, and this one is both, or has holes");
        write_object(L, writing, index, depth, count);
    }
}

static void write_value(lua_State *L, struct writing *writing, int index, int depth)
{
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        buf_append(&writing->out, lua_toboolean(L, index) ? SLICE("true") : SLICE("false"));
        return;
    case LUA_TNUMBER: write_number(L, &writing->out, lua_tonumber(L, index)); return;
    case LUA_TSTRING: write_text(L, &writing->out, bind_check_slice(L, index)); return;
    case LUA_TLIGHTUSERDATA: buf_append(&writing->out, SLICE("null")); return;
    case LUA_TTABLE: write_table(L, writing, index, depth); return;
    case LUA_TUSERDATA: luaL_error(L, "json: a part of ctx cannot be written whole: name its fields"); return;
    default: luaL_error(L, "json: there is no JSON for a %s", luaL_typename(L, index));
    }
}

/* json_encode(value, lenient) → text */
static int on_encode(lua_State *L)
{
    lua_settop(L, 2);
    struct writing *writing = push_writing(L, lua_toboolean(L, 2));
    write_value(L, writing, 1, 1);
    lua_pushlstring(L, buf_ptr(&writing->out), buf_len(&writing->out));
    buf_clear(&writing->out);
    return 1;
}

static int mark(lua_State *L, const char *name)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    push_marker(L, name);
    lua_setmetatable(L, 1);
    return 1;
}

/* json_array(table), json_object(table) → the same, known for what it is when it is empty */
static int on_array(lua_State *L)
{
    return mark(L, ARRAY);
}

static int on_object(lua_State *L)
{
    return mark(L, OBJECT);
}

void bind_json_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"json_decode", on_decode},
                                         {"json_encode", on_encode},
                                         {"json_array", on_array},
                                         {"json_object", on_object},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "json_null");
}
