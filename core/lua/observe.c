#include "lua/observe.h"

#include "lua/eval.h"

struct visit {
    struct policy_set *set;
    lua_CFunction fn;
    void *arg;
};

/* Protected. */
static int on_visit(lua_State *L)
{
    struct visit *visit = lua_touserdata(L, 1);
    lua_pushcfunction(L, visit->fn);
    lua_pushlightuserdata(L, visit->arg);
    lua_rawgeti(L, LUA_REGISTRYINDEX, visit->set->watched_ref);
    lua_call(L, 2, 0);
    return 0;
}

bool policy_set_visit(struct policy_set *set, lua_CFunction fn, void *arg, struct fault *why)
{
    return vm_protect(set->vm, on_visit, &(struct visit){set, fn, arg}, why);
}
