/* That the catalogue's figures arrive in C as they stand in Lua, and which families claim to be exact. */
#include "../unit.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "lua/counting.h"
#include "lua/script.h"
#include "wire/count.h"

static void what_nobody_knows_has_no_rules(void)
{
    static const char *const names[] = {"", "/", ":", ".", "my-gpt-4o", "xgpt-4o", "gpt", "gpt-", "openai/", "gpt-2", "-claude", "clau",
                                        "the claude", "custom_gpt-4o", "4o", "o"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (counting_find(slice_str(names[i]))) UNIT_FAIL("'%s' has rules", names[i]);
    }
    EXPECT(!counting_find(SLICE_NONE));
    EXPECT_STR("gpt-4", counting_family(counting_find(slice_of("gpt-4o", 5)))); /* no byte more is looked at */
    EXPECT_STR("", counting_family(NULL));
    EXPECT_STR("", counting_family(count_rules_usual()));
}

static void only_what_is_counted_as_its_provider_does_says_so(void)
{
    static const char *const exact[] = {"gpt-4o", "gpt-4o-mini", "chatgpt-4o-latest", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-5",
                                        "gpt-5-mini", "o1", "o3", "o3-mini", "o4-mini", "gpt-4", "gpt-4-turbo", "gpt-3.5-turbo",
                                        "text-embedding-3-small", "text-embedding-ada-002", "davinci-002"};
    static const char *const estimated[] = {"gpt-4o-audio-preview", "gpt-4o-mini-search-preview", "gpt-4o-realtime-preview", "o1-mini",
                                            "gpt-oss-120b", "claude-sonnet-4", "gemini-2.5-pro", "gemma-3", "llama-3.3-70b", "mistral-large",
                                            "deepseek-chat", "qwen3-32b"};
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++)
        if (!count_is_exact(counting_find(slice_str(exact[i])))) UNIT_FAIL("%s is estimated", exact[i]);
    for (size_t i = 0; i < sizeof estimated / sizeof estimated[0]; i++)
        if (count_is_exact(counting_find(slice_str(estimated[i])))) UNIT_FAIL("%s is exact", estimated[i]);
}

/* ---- Every figure of the script. */

static void expect_field(lua_State *L, const char *family, const char *field, int64_t got)
{
    lua_getfield(L, -1, field);
    int64_t want = lua_isboolean(L, -1) ? lua_toboolean(L, -1) : (int64_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    if (want != got) UNIT_FAIL("%s.%s: %lld in Lua, %lld in C", family, field, (long long)want, (long long)got);
}

static void expect_image(lua_State *L, const char *family, const struct image_rules *image)
{
    static const char *const names[] = {"fixed", "tiles", "patches", "area", "blocks"};
    lua_getfield(L, -1, "image");
    lua_getfield(L, -1, "rule");
    EXPECT_STR(names[image->rule], lua_tostring(L, -1));
    lua_pop(L, 1);
    expect_field(L, family, "low_tokens", image->low_tokens);
    expect_field(L, family, "base_tokens", image->base_tokens);
    expect_field(L, family, "unit_tokens", image->unit_tokens);
    expect_field(L, family, "unit_pixels", image->unit_pixels);
    expect_field(L, family, "units_max", image->units_max);
    expect_field(L, family, "long_edge", image->long_edge);
    expect_field(L, family, "short_edge", image->short_edge);
    expect_field(L, family, "factor_milli", image->factor_milli);
    expect_field(L, family, "unknown_tokens", image->unknown_tokens);
    EXPECT(image->unknown_tokens > 0); /* something is always reserved */
    EXPECT(image->rule == IMAGE_FIXED || image->unit_pixels > 0);
    lua_pop(L, 1);
}

/* A table of the script is on the stack. */
static void expect_rules(lua_State *L, const char *family)
{
    const struct count_rules *rules = counting_find(slice_str(family));
    if (!rules) {
        UNIT_FAIL("%s: no rules", family);
        return;
    }
    EXPECT_STR(family, counting_family(rules));
    lua_getfield(L, -1, "vocabulary");
    EXPECT_STR(lua_tostring(L, -1), vocabulary_name(rules->vocabulary));
    lua_pop(L, 1);
    expect_field(L, family, "factor_milli", rules->factor_milli);
    expect_field(L, family, "exact", rules->is_exact);
    expect_field(L, family, "role_free", rules->is_role_free);
    expect_field(L, family, "request_tokens", rules->request_tokens);
    expect_field(L, family, "message_tokens", rules->message_tokens);
    expect_field(L, family, "name_tokens", rules->name_tokens);
    expect_field(L, family, "tool_tokens", rules->tool_tokens);
    expect_field(L, family, "tools_tokens", rules->tools_tokens);
    expect_field(L, family, "tools_system_tokens", rules->tools_system_tokens);
    expect_field(L, family, "call_tokens", rules->call_tokens);
    expect_field(L, family, "audio_bytes", rules->audio_bytes);
    expect_field(L, family, "file_bytes", rules->file_bytes);
    expect_image(L, family, &rules->image);
    EXPECT(!rules->is_exact || rules->factor_milli == 1000);
}

static void every_family_arrives_as_it_stands(void)
{
    const struct embedded_script *script = script_find(SLICE("scripts/catalogue/counting.lua"));
    lua_State *L = luaL_newstate();
    int names = 0;
    luaL_openlibs(L);
    EXPECT(script && luaL_loadbuffer(L, script->text, script->len, "counting.lua") == 0 && lua_pcall(L, 0, 1, 0) == 0);
    for (int i = 1; lua_rawgeti(L, 1, i), !lua_isnil(L, -1); i++, lua_settop(L, 1)) {
        lua_getfield(L, 2, "names");
        for (int k = 1; lua_rawgeti(L, 3, k), !lua_isnil(L, -1); k++, names++, lua_settop(L, 3)) {
            const char *family = lua_tostring(L, -1);
            lua_pushvalue(L, 2);
            expect_rules(L, family);
        }
    }
    EXPECT(names > 40);
    lua_close(L);
}

int main(void)
{
    RUN(what_nobody_knows_has_no_rules);
    RUN(only_what_is_counted_as_its_provider_does_says_so);
    RUN(every_family_arrives_as_it_stands);
    return unit_close("counting figures");
}
