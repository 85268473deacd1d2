/* Where limits and budgets are counted, if anywhere: scripts/counters.lua says what is asked and what is answered. */
#include "lua/bind.h"

/* has_counters() → whether anybody counts */
static int on_has_counters(lua_State *L)
{
    lua_pushboolean(L, bind_set(L)->observer.counters != NULL);
    return 1;
}

/* counters(operation, table) → its answer, or nil and why not */
static int on_counters(lua_State *L)
{
    policy_counters_fn counters = bind_eval(L)->set->observer.counters;
    luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    return counters ? counters(L) : luaL_error(L, "nobody counts here");
}

void bind_counters_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"has_counters", on_has_counters}, {"counters", on_counters}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
