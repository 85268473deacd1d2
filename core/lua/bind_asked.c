/* What policies ask about a request beyond its facts: noted for its record, or taken from there (exchange/asked.h). */
#include "base/clock.h"
#include "lua/bind.h"

void bind_note(struct policy_eval *eval, enum asked_group group, struct slice key, enum asked_form form,
               struct slice value)
{
    if (eval->how.phase == PHASE_REQUEST)
        asked_note(&eval->x->asked, &eval->x->arena, group, key, form, value);
}

void bind_miss(struct policy_eval *eval, struct slice name)
{
    if (eval->how.phase == PHASE_REQUEST) asked_miss(&eval->x->asked, &eval->x->arena, name);
}

/* A secret stood there, and records have none (wire/secrets.h): what the policy saw is not known. */
static bool is_masked(struct slice text)
{
    return memmem(text.ptr, text.len, "[api_key]", 9) || memmem(text.ptr, text.len, "[jwt]", 5);
}

static void push_node(lua_State *L, struct policy_eval *eval, const struct json_tape *tape, uint32_t node)
{
    switch (json_type(tape, node)) {
    case JSON_STRING: {
        struct slice text = json_text(tape, node, &eval->x->arena);
        if (is_masked(text)) bind_miss(eval, SLICE("a secret"));
        lua_pushlstring(L, text.ptr, text.len);
        return;
    }
    case JSON_NUMBER: lua_pushnumber(L, json_to_double(tape, node)); return;
    case JSON_TRUE:
    case JSON_FALSE: lua_pushboolean(L, json_is(tape, node, JSON_TRUE)); return;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT: lua_pushnil(L); return;
    }
}

bool bind_recall(lua_State *L, struct policy_eval *eval, enum asked_group group, struct slice key, const char *miss)
{
    struct asked *asked = &eval->x->asked;
    if (!asked->recall) return false;
    uint32_t node = asked_find(asked, group, key);
    if (node != JSON_NONE) {
        push_node(L, eval, recall_tape(asked->recall), node);
        return true;
    }
    bind_miss(eval, slice_str(miss));
    lua_pushnil(L);
    return true;
}

/* zone_offset(zone, time, seconds east) → of a named zone: what its table said when the request came, where that is
 * known; else what it says today */
static int on_zone_offset(lua_State *L)
{
    struct policy_eval *eval = bind_set(L)->running;
    struct slice zone = bind_check_slice(L, 1);
    char digits[32];
    lua_settop(L, 3);
    if (!eval || lua_tonumber(L, 2) != (double)eval->x->born_wall_ns / (double)NS_PER_S) return 1;
    struct asked *asked = &eval->x->asked;
    if (asked->recall) {
        uint32_t node = asked_find(asked, ASKED_ZONES, zone);
        if (node != JSON_NONE) lua_pushnumber(L, json_to_double(recall_tape(asked->recall), node));
        return 1;
    }
    int n = snprintf(digits, sizeof digits, "%d", (int)lua_tonumber(L, 3));
    bind_note(eval, ASKED_ZONES, zone, ASKED_AS_JSON, slice_of(digits, (size_t)n));
    return 1;
}

/* session(text): what the request belongs to */
static int on_session(lua_State *L)
{
    struct exchange *x = bind_eval(L)->x;
    x->decision.session = arena_copy(&x->arena, bind_check_slice(L, 1));
    return 0;
}

/* session_headers {name, …}: by which clients name what a request belongs to, where apps.lua says nothing else */
static int on_session_headers(lua_State *L)
{
    struct policy_set *set = bind_set(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = lua_objlen(L, 1);
    if (count > EVAL_SESSION_HEADERS) return luaL_error(L, "too many headers of sessions");
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 1, (int)i + 1);
        snprintf(set->session_headers[i], sizeof set->session_headers[i], "%s", luaL_checkstring(L, -1));
        lua_pop(L, 1);
    }
    return 0;
}

/* keeps_state(): some policy of the chain remembers more than its request */
static int on_keeps_state(lua_State *L)
{
    bind_set(L)->keeps_state = true;
    return 0;
}

void bind_asked_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"zone_offset", on_zone_offset},
                                         {"session", on_session},
                                         {"session_headers", on_session_headers},
                                         {"keeps_state", on_keeps_state},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
