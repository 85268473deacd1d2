/* What policies ask of moongate.lua while they are loaded: which accounts, services and sinks it has. */
#include "exchange/terms.h"
#include "lua/bind.h"
#include "wire/translate/translate.h"

/* NULL: there is no moongate.lua to ask. */
static const struct settings *settings_of(lua_State *L)
{
    struct policy_set *set = bind_set(L);
    if (!set->errors) luaL_error(L, "this works only while a bundle is being loaded");
    return set->settings;
}

/* provider(name) → whether moongate.lua has that account, and its kind; nil when there is no moongate.lua to ask */
static int on_provider(lua_State *L)
{
    const struct settings *settings = settings_of(L);
    if (!settings) return 0;
    const struct provider *p = settings_provider(settings, bind_check_slice(L, 1));
    lua_pushboolean(L, p != NULL);
    if (!p || !p->kind.len) return 1;
    lua_pushlstring(L, p->kind.ptr, p->kind.len);
    return 2;
}

/* dialects(what add_terms gave for a target) → by dialect how a client of it is served there: true, in that dialect;
 * "translated", its chats alone. Nil when its account's kind is not known. */
static int on_dialects(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
    const struct terms *terms = lua_touserdata(L, 1);
    const struct dialect *dialect;
    if (!terms->kind.len) return 0;
    lua_newtable(L);
    for (size_t i = 0; (dialect = dialect_at(i)); i++) {
        const struct dialect *spoken = dialect_for(terms->kind, terms->traits, dialect);
        if (!spoken) continue;
        if (spoken == dialect)
            lua_pushboolean(L, true);
        else if (translate_can(dialect, spoken, CHAT_CHAT))
            lua_pushliteral(L, "translated");
        else
            continue;
        lua_setfield(L, -2, dialect->name);
    }
    return 1;
}

/* sink(name) → whether notices can be sent there, by moongate.lua; nil when there is none to ask */
static int on_sink(lua_State *L)
{
    const struct settings *settings = settings_of(L);
    if (!settings) return 0;
    lua_pushboolean(L, settings_sink(settings, bind_check_slice(L, 1)) != NULL);
    return 1;
}

/* services() → {URL, clearance, …} of moongate.lua's egress */
static int on_services(lua_State *L)
{
    const struct settings *settings = settings_of(L);
    lua_newtable(L);
    for (size_t i = 0; settings && i < settings->egress_count; i++) {
        const struct egress *e = &settings->egress[i];
        lua_pushlstring(L, e->origin.ptr, e->origin.len);
        lua_rawseti(L, -2, (int)(2 * i + 1));
        lua_pushlstring(L, e->clearance.ptr, e->clearance.len);
        lua_rawseti(L, -2, (int)(2 * i + 2));
    }
    return 1;
}

/* is_service(url) → whether moongate.lua lists it, the name of its secret or false, and the highest class of data that
 * may go there or false; nil when there is no moongate.lua to ask */
static int on_is_service(lua_State *L)
{
    const struct settings *settings = settings_of(L);
    if (!settings) return 0;
    const struct egress *egress = settings_egress(settings, bind_check_slice(L, 1));
    lua_pushboolean(L, egress != NULL);
    bind_push_fact(L, egress ? egress->name : SLICE(""));
    bind_push_fact(L, egress ? egress->clearance : SLICE(""));
    return 3;
}

/* names_redis() → whether moongate.lua names one; nil when there is no moongate.lua to ask */
static int on_names_redis(lua_State *L)
{
    const struct settings *settings = settings_of(L);
    if (!settings) return 0;
    lua_pushboolean(L, settings->has_redis);
    return 1;
}

enum names { NAMES_PROVIDER, NAMES_EGRESS, NAMES_SINK };

static struct slice name_of(const struct settings *s, enum names what, size_t i)
{
    switch (what) {
    case NAMES_EGRESS: return s->egress[i].origin;
    case NAMES_SINK: return s->sinks[i].name;
    case NAMES_PROVIDER: break;
    }
    return s->providers[i].name;
}

/* names(what) → list of the names that moongate.lua has for "provider", "egress" or "sink" */
static int on_names(lua_State *L)
{
    static const char *const words[] = {"provider", "egress", "sink", NULL};
    const struct settings *settings = settings_of(L);
    enum names what = (enum names)luaL_checkoption(L, 1, NULL, words);
    const size_t counts[] = {settings ? settings->provider_count : 0, settings ? settings->egress_count : 0,
                             settings ? settings->sink_count : 0};
    size_t count = counts[what];
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        struct slice name = name_of(settings, what, i);
        lua_pushlstring(L, name.ptr, name.len);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

void bind_settings_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"provider", on_provider}, {"dialects", on_dialects},
                                         {"sink", on_sink},         {"services", on_services},
                                         {"names", on_names},       {"is_service", on_is_service},
                                         {"names_redis", on_names_redis}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
