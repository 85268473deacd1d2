#include "lua/counting.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <strings.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "lua/script.h"

#define SCRIPT SLICE("scripts/catalogue/counting.lua")

struct family {
    struct slice name; /* lower case */
    struct count_rules rules;
};

static struct family *families;
static size_t family_count;

/* --- reading, protected --- */

static int64_t whole(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    lua_Number value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return (int64_t)value;
}

static bool flag(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static enum image_rule rule_named(lua_State *L, const char *name)
{
    static const char *const names[] = {[IMAGE_FIXED] = "fixed", [IMAGE_TILES] = "tiles", [IMAGE_PATCHES] = "patches",
                                        [IMAGE_AREA] = "area",   [IMAGE_BLOCKS] = "blocks"};
    for (int i = 0; i <= IMAGE_BLOCKS; i++) {
        if (strcmp(name, names[i]) == 0) return (enum image_rule)i;
    }
    luaL_error(L, "no image rule '%s'", name);
    return IMAGE_FIXED;
}

static struct image_rules read_image(lua_State *L, int family)
{
    lua_getfield(L, family, "image");
    int t = lua_gettop(L);
    lua_getfield(L, t, "rule");
    struct image_rules image = {
        .rule = rule_named(L, luaL_checkstring(L, -1)),
        .low_tokens = (uint32_t)whole(L, t, "low_tokens"),
        .base_tokens = (uint32_t)whole(L, t, "base_tokens"),
        .unit_tokens = (uint32_t)whole(L, t, "unit_tokens"),
        .unit_pixels = (uint32_t)whole(L, t, "unit_pixels"),
        .units_max = (uint32_t)whole(L, t, "units_max"),
        .long_edge = (uint32_t)whole(L, t, "long_edge"),
        .short_edge = (uint32_t)whole(L, t, "short_edge"),
        .factor_milli = (uint32_t)whole(L, t, "factor_milli"),
        .unknown_tokens = (uint32_t)whole(L, t, "unknown_tokens"),
    };
    lua_pop(L, 2);
    return image;
}

static enum chat_limit read_limit(lua_State *L, int family)
{
    lua_getfield(L, family, "limit");
    const char *name = luaL_optstring(L, -1, "");
    enum chat_limit limit = CHAT_LIMIT_ANY;
    if (strcmp(name, "max_tokens") == 0) limit = CHAT_LIMIT_TOKENS;
    if (strcmp(name, "max_completion_tokens") == 0) limit = CHAT_LIMIT_COMPLETION;
    luaL_argcheck(L, limit != CHAT_LIMIT_ANY || !*name, 1, "no name of a limit");
    lua_pop(L, 1);
    return limit;
}

static struct count_rules read_rules(lua_State *L, int t)
{
    lua_getfield(L, t, "vocabulary");
    struct count_rules rules = {
        .vocabulary = vocabulary_find(slice_str(luaL_checkstring(L, -1))),
        .factor_milli = (uint32_t)whole(L, t, "factor_milli"),
        .is_exact = flag(L, t, "exact"),
        .request_tokens = (int32_t)whole(L, t, "request_tokens"),
        .message_tokens = (int32_t)whole(L, t, "message_tokens"),
        .name_tokens = (int32_t)whole(L, t, "name_tokens"),
        .is_role_free = flag(L, t, "role_free"),
        .tools_tokens = (int32_t)whole(L, t, "tools_tokens"),
        .tool_tokens = (int32_t)whole(L, t, "tool_tokens"),
        .tools_system_tokens = (int32_t)whole(L, t, "tools_system_tokens"),
        .choice_tokens = (int32_t)whole(L, t, "choice_tokens"),
        .no_choice_tokens = (int32_t)whole(L, t, "no_choice_tokens"),
        .call_tokens = (int32_t)whole(L, t, "call_tokens"),
        .audio_bytes = (uint32_t)whole(L, t, "audio_bytes"),
        .file_bytes = (uint32_t)whole(L, t, "file_bytes"),
        .image = read_image(L, t),
        .limit = read_limit(L, t),
    };
    lua_pop(L, 1);
    luaL_argcheck(L, rules.vocabulary && rules.factor_milli, 1, "a family without vocabulary or factor");
    return rules;
}

static void add_names(lua_State *L, int t)
{
    struct count_rules rules = read_rules(L, t);
    lua_getfield(L, t, "names");
    for (int i = 1; lua_rawgeti(L, -1, i), !lua_isnil(L, -1); i++, lua_pop(L, 1)) {
        families = mem_realloc(families, (family_count + 1) * sizeof *families);
        families[family_count++] = (struct family){slice_str(mem_strdup(luaL_checkstring(L, -1))), rules};
    }
    lua_pop(L, 2);
}

static int read_all(lua_State *L)
{
    const struct embedded_script *script = script_find(SCRIPT);
    luaL_openlibs(L);
    if (!script || luaL_loadbuffer(L, script->text, script->len, "@scripts/catalogue/counting.lua") != 0)
        return lua_error(L);
    lua_call(L, 0, 1);
    int list = lua_gettop(L);
    for (int i = 1; lua_rawgeti(L, list, i), !lua_isnil(L, -1); i++, lua_settop(L, list))
        add_names(L, lua_gettop(L));
    return 0;
}

static void read_once(void)
{
    if (family_count) return;
    lua_State *L = luaL_newstate();
    bool is_read = L && lua_cpcall(L, read_all, NULL) == 0;
    if (!is_read) log_event(LOG_ERROR, "catalogue", "%s", L ? lua_tostring(L, -1) : "out of memory");
    check(is_read && family_count > 0);
    lua_close(L);
}

/* --- finding --- */

static const struct family *longest(struct slice name, const struct family *best)
{
    for (size_t i = 0; i < family_count; i++) {
        const struct family *f = &families[i];
        bool fits = f->name.len <= name.len && strncasecmp(name.ptr, f->name.ptr, f->name.len) == 0;
        if (fits && (!best || f->name.len > best->name.len)) best = f;
    }
    return best;
}

const struct count_rules *counting_find(struct slice model)
{
    const struct family *best = NULL;
    read_once();
    for (size_t at = 0; at < model.len; at++) {
        char before = at ? model.ptr[at - 1] : '/';
        if (before == '/' || before == ':' || before == '.')
            best = longest(slice_of(model.ptr + at, model.len - at), best);
    }
    return best ? &best->rules : NULL;
}

const char *counting_family(const struct count_rules *rules)
{
    for (size_t i = 0; i < family_count; i++) {
        if (&families[i].rules == rules) return families[i].name.ptr;
    }
    return "";
}
