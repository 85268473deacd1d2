#include "lua/bind.h"

#include <math.h>

#include "lua/frozen.h"

const char *const bind_phase_names[POLICY_PHASES + 1] = {"request", "attempt", "delta", "response", "done", NULL};

void bind_push_core(lua_State *L)
{
    lua_newtable(L);
    bind_load_register(L);
    bind_settings_register(L);
    bind_source_register(L);
    bind_terms_register(L);
    frozen_register(L);
    bind_facts_register(L);
    bind_grants_register(L);
    bind_prompts_register(L);
    bind_auth_register(L);
    bind_verdict_register(L);
    bind_ctx_register(L);
    bind_text_register(L);
    bind_asked_register(L);
    bind_redact_register(L);
    bind_keywords_register(L);
    bind_log_register(L);
    bind_answer_register(L);
    bind_edit_register(L);
    bind_calls_register(L);
    bind_json_register(L);
    bind_services_register(L);
    bind_counters_register(L);
    bind_topups_register(L);
}

struct policy_set *bind_set(lua_State *L)
{
    return vm_owner(vm_of(L));
}

struct policy_eval *bind_eval(lua_State *L)
{
    struct policy_eval *eval = bind_set(L)->running;
    if (!eval) luaL_error(L, "this works while a request is being decided, not while the file is loaded");
    return eval;
}

void bind_set_kind(lua_State *L, const char *kind, lua_CFunction gc)
{
    if (luaL_newmetatable(L, kind)) {
        lua_pushcfunction(L, gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
}

void bind_keep(lua_State *L, int index)
{
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, 1);
    lua_setfenv(L, -2);
}

struct slice bind_check_slice(lua_State *L, int index)
{
    size_t len;
    const char *ptr = luaL_checklstring(L, index, &len);
    return slice_of(ptr, len);
}

struct slice bind_opt_slice(lua_State *L, int index)
{
    size_t len;
    const char *ptr = lua_tolstring(L, index, &len);
    if (ptr) return slice_of(ptr, len);
    return lua_isnoneornil(L, index) ? SLICE("") : bind_check_slice(L, index);
}

int bind_push_fact(lua_State *L, struct slice s)
{
    if (s.len)
        lua_pushlstring(L, s.ptr, s.len);
    else
        lua_pushboolean(L, false);
    return 1;
}

/* xorshift64* (Vigna 2016): replayable, since the seed is the request's id; not for secrets. */
static double next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * 0x2545F4914F6CDD1Dull) >> 11) * 0x1p-53;
}

int bind_random(lua_State *L)
{
    struct policy_set *set = bind_set(L);
    double r = next_random(set->running ? &set->running->random : &set->random);
    if (lua_gettop(L) == 0) {
        lua_pushnumber(L, r);
        return 1;
    }
    double low = lua_gettop(L) > 1 ? luaL_checknumber(L, 1) : 1, high = luaL_checknumber(L, lua_gettop(L) > 1 ? 2 : 1);
    if (!(low <= high)) return luaL_error(L, "math.random: the interval is empty");
    lua_pushnumber(L, floor(low + r * (high - low + 1)));
    return 1;
}
