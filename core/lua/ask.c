#include "lua/ask.h"

#include "lua/bind.h"
#include "wire/json.h"

/* Owns what reading JSON needs, so that a raise in the middle frees it all the same. */
struct reading {
    struct json_tape tape;
    struct arena arena;
};

static int on_reading_gc(lua_State *L)
{
    struct reading *reading = lua_touserdata(L, 1);
    json_clear(&reading->tape);
    arena_clear(&reading->arena);
    return 0;
}

static struct reading *push_reading(lua_State *L)
{
    struct reading *reading = lua_newuserdata(L, sizeof *reading);
    json_init(&reading->tape);
    arena_init(&reading->arena);
    lua_newtable(L);
    lua_pushcfunction(L, on_reading_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return reading;
}

/* What a Lua table cannot say stands as scripts/json.lua writes it: {_raw = "null"}, {_raw = "[]"}. */
static void push_raw(lua_State *L, const char *text)
{
    lua_createtable(L, 0, 1);
    lua_pushstring(L, text);
    lua_setfield(L, -2, "_raw");
}

static void push_value(lua_State *L, struct reading *reading, uint32_t node);

/* As deep as LIMIT_JSON_DEPTH at most. */
static void push_container(lua_State *L, struct reading *reading, uint32_t node)
{
    const struct json_tape *tape = &reading->tape;
    bool is_array = json_is(tape, node, JSON_ARRAY);
    int at = 0;
    luaL_checkstack(L, 4, "nested JSON");
    lua_newtable(L);
    for (uint32_t value = json_first(tape, node); value != JSON_NONE; value = json_next(tape, value)) {
        if (is_array) {
            push_value(L, reading, value);
            lua_rawseti(L, -2, ++at);
            continue;
        }
        struct slice key = json_key_text(tape, value, &reading->arena);
        lua_pushlstring(L, key.ptr, key.len);
        push_value(L, reading, value);
        lua_rawset(L, -3);
    }
}

static void push_value(lua_State *L, struct reading *reading, uint32_t node)
{
    const struct json_tape *tape = &reading->tape;
    struct slice text;
    switch (json_type(tape, node)) {
    case JSON_NULL: push_raw(L, "null"); return;
    case JSON_FALSE:
    case JSON_TRUE: lua_pushboolean(L, json_is(tape, node, JSON_TRUE)); return;
    case JSON_NUMBER: lua_pushnumber(L, json_to_double(tape, node)); return;
    case JSON_STRING:
        text = json_text(tape, node, &reading->arena);
        lua_pushlstring(L, text.ptr, text.len);
        return;
    case JSON_ARRAY:
        if (json_count(tape, node) == 0) {
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
    struct reading *reading = push_reading(L);
    if (!json_parse(&reading->tape, text, &why)) {
        lua_pushstring(L, fault_message(&why));
        lua_error(L);
    }
    push_value(L, reading, 0);
    lua_remove(L, -2);
}

struct question {
    struct policy_set *set;
    const char *script;
    struct slice text;
    struct buf *answer;
    int code;
};

/* Protected: use(script)(question) → text, code */
static int on_ask(lua_State *L)
{
    struct question *q = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, q->set->use_ref);
    lua_pushstring(L, q->script);
    lua_call(L, 1, 1);
    bind_push_json(L, q->text);
    lua_call(L, 1, 2);
    buf_append(q->answer, bind_check_slice(L, -2)); /* grows by mem_*, which never raises */
    q->code = (int)luaL_checkinteger(L, -1);
    return 0;
}

bool policy_set_ask(struct policy_set *set, const char *script, struct slice question, struct buf *answer, int *code,
                    struct fault *why)
{
    struct question q = {.set = set, .script = script, .text = question, .answer = answer};
    struct policy_errors ignored; /* scripts try edits; those that do not compile are no answers */
    policy_errors_init(&ignored);
    set->errors = &ignored;
    bool ok = vm_protect(set->vm, on_ask, &q, why);
    set->errors = NULL;
    policy_errors_clear(&ignored);
    *code = q.code;
    return ok;
}
