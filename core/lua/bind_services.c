/* The services that answer at once: cache, metrics, the time that a span took. */
#include <math.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "lua/bind.h"
#include "store/cache.h"

#define LABELS_MAX 3

/* The host of the evaluation under way; NULL where there is none, as in examples. */
static const struct policy_host *host_of(lua_State *L, void **arg)
{
    struct policy_eval *eval = bind_eval(L);
    *arg = eval->how.host_arg;
    return eval->how.host;
}

static struct cache *cache_of(lua_State *L)
{
    void *arg;
    const struct policy_host *host = host_of(L, &arg);
    return host && host->cache ? host->cache(arg) : NULL;
}

/* Seconds since 1970, as the request sees them, so that tests can move the clock; never backwards by a step of it. */
static uint64_t now_ms(lua_State *L)
{
    const struct exchange *x = bind_eval(L)->x;
    return x->born_wall_ns / NS_PER_MS;
}

/* cache_get(key) → text, or nil */
static int on_cache_get(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct cache *cache = cache_of(L);
    struct slice key = bind_check_slice(L, 1);
    if (bind_recall(L, eval, ASKED_CACHE, key, "cache")) return 1;
    struct slice value = cache ? cache_get(cache, key, now_ms(L)) : SLICE_NONE;
    if (value.ptr && !utf8_is_valid(value)) bind_miss(eval, SLICE("cache"));
    else bind_note(eval, ASKED_CACHE, key, ASKED_AS_TEXT, value);
    if (!value.ptr) return 0;
    vm_charge(L, value.len);
    lua_pushlstring(L, value.ptr, value.len);
    return 1;
}

/* cache_set(key, text, milliseconds) → whether it was kept */
static int on_cache_set(lua_State *L)
{
    struct cache *cache = cache_of(L);
    struct slice key = bind_check_slice(L, 1), value = bind_check_slice(L, 2);
    vm_charge(L, key.len + value.len);
    if (bind_eval(L)->x->asked.recall) {
        lua_pushboolean(L, true); /* nothing is kept, and what it says is seldom asked */
        return 1;
    }
    lua_pushboolean(L, cache && cache_set(cache, key, value, (uint64_t)luaL_checknumber(L, 3), now_ms(L)));
    return 1;
}

/* metric("counter" or "histogram", name, value, {name, value, …}) */
static int on_metric(lua_State *L)
{
    static const char *const kinds[] = {"counter", "histogram", NULL};
    struct pair labels[LABELS_MAX];
    void *arg;
    const struct policy_host *host = host_of(L, &arg);
    struct policy_metric metric = {
        .kind = (enum policy_metric_kind)luaL_checkoption(L, 1, NULL, kinds),
        .name = bind_check_slice(L, 2),
        .value = luaL_checknumber(L, 3),
        .labels = labels,
    };
    luaL_checktype(L, 4, LUA_TTABLE);
    size_t count = lua_objlen(L, 4) / 2;
    if (count > LABELS_MAX) return luaL_error(L, "metrics: more than %d labels", LABELS_MAX);
    for (; metric.label_count < count; metric.label_count++) {
        lua_rawgeti(L, 4, (int)(2 * metric.label_count + 1));
        lua_rawgeti(L, 4, (int)(2 * metric.label_count + 2));
        labels[metric.label_count] = (struct pair){bind_check_slice(L, -2), bind_check_slice(L, -1)};
        lua_pop(L, 2); /* the list keeps them alive */
    }
    vm_charge(L, 300);
    if (host && host->metric) host->metric(arg, &metric);
    return 0;
}

/* clock_ms() → milliseconds of a clock that only moves forward */
static int on_clock(lua_State *L)
{
    lua_pushnumber(L, (double)clock_mono_ns() / (double)NS_PER_MS);
    return 1;
}

void bind_services_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"cache_get", on_cache_get},
                                         {"cache_set", on_cache_set},
                                         {"metric", on_metric},
                                         {"clock_ms", on_clock},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
