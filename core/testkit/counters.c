/* The counters of specs: a function of the spec's state, given with engine.count_with, answers for all engines. */
#include "testkit/counters.h"

#include <lauxlib.h>

#include "testkit/carry.h"

#define COUNTERS "moongate.counters"

static lua_State *asking; /* the spec's state or coroutine that has a request decided right now */

/* Runs in the spec's state, protected: 1 is the policy's state. Leaves the answer and why not. */
static int on_ask(lua_State *L)
{
    lua_State *policy = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, COUNTERS);
    carry_value(policy, 1, L);
    if (!carry_value(policy, 2, L)) return luaL_error(L, "counters are asked with plain values");
    lua_call(L, 2, 2);
    return 2;
}

static int ask(lua_State *L)
{
    lua_State *spec = asking;
    int top = lua_gettop(spec);
    lua_pushcfunction(spec, on_ask);
    lua_pushlightuserdata(spec, L);
    if (lua_pcall(spec, 1, 2, 0) != 0) {
        carry_value(spec, -1, L);
        lua_settop(spec, top);
        return lua_error(L);
    }
    carry_value(spec, -2, L);
    carry_value(spec, -1, L);
    lua_settop(spec, top);
    return 2;
}

int counters_count_with(lua_State *L)
{
    lua_settop(L, 1);
    if (!lua_isnil(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_setfield(L, LUA_REGISTRYINDEX, COUNTERS);
    return 0;
}

void counters_enter(lua_State *L)
{
    asking = L;
}

policy_counters_fn counters_asked(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, COUNTERS);
    bool is_there = lua_isfunction(L, -1);
    lua_pop(L, 1);
    return is_there ? ask : NULL;
}
