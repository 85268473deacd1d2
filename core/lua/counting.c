#include "lua/counting.h"

#include <lauxlib.h>

#include "lua/families.h"

static const char *const image_rule_names[] = {[IMAGE_FIXED] = "fixed",
                                               [IMAGE_TILES] = "tiles",
                                               [IMAGE_PATCHES] = "patches",
                                               [IMAGE_AREA] = "area",
                                               [IMAGE_BLOCKS] = "blocks"};
static const char *const limit_names[] = {[CHAT_LIMIT_ANY] = "",
                                          [CHAT_LIMIT_TOKENS] = "max_tokens",
                                          [CHAT_LIMIT_COMPLETION] = "max_completion_tokens"};

static struct image_rules read_image(lua_State *L, int family)
{
    lua_getfield(L, family, "image");
    int t = lua_gettop(L);
    struct image_rules image = {
        .rule = (enum image_rule)family_word(L, t, "rule", image_rule_names, IMAGE_BLOCKS + 1),
        .low_tokens = (uint32_t)family_whole(L, t, "low_tokens"),
        .base_tokens = (uint32_t)family_whole(L, t, "base_tokens"),
        .unit_tokens = (uint32_t)family_whole(L, t, "unit_tokens"),
        .unit_pixels = (uint32_t)family_whole(L, t, "unit_pixels"),
        .units_max = (uint32_t)family_whole(L, t, "units_max"),
        .long_edge = (uint32_t)family_whole(L, t, "long_edge"),
        .short_edge = (uint32_t)family_whole(L, t, "short_edge"),
        .factor_milli = (uint32_t)family_whole(L, t, "factor_milli"),
        .unknown_tokens = (uint32_t)family_whole(L, t, "unknown_tokens"),
    };
    lua_pop(L, 1);
    return image;
}

static void read_rules(lua_State *L, int t, void *value)
{
    lua_getfield(L, t, "vocabulary");
    struct count_rules *rules = value;
    *rules = (struct count_rules){
        .vocabulary = vocabulary_find(slice_str(luaL_checkstring(L, -1))),
        .factor_milli = (uint32_t)family_whole(L, t, "factor_milli"),
        .is_exact = family_flag(L, t, "exact"),
        .request_tokens = (int32_t)family_whole(L, t, "request_tokens"),
        .message_tokens = (int32_t)family_whole(L, t, "message_tokens"),
        .name_tokens = (int32_t)family_whole(L, t, "name_tokens"),
        .is_role_free = family_flag(L, t, "role_free"),
        .tools_tokens = (int32_t)family_whole(L, t, "tools_tokens"),
        .tool_tokens = (int32_t)family_whole(L, t, "tool_tokens"),
        .tools_system_tokens = (int32_t)family_whole(L, t, "tools_system_tokens"),
        .choice_tokens = (int32_t)family_whole(L, t, "choice_tokens"),
        .no_choice_tokens = (int32_t)family_whole(L, t, "no_choice_tokens"),
        .call_tokens = (int32_t)family_whole(L, t, "call_tokens"),
        .audio_bytes = (uint32_t)family_whole(L, t, "audio_bytes"),
        .file_bytes = (uint32_t)family_whole(L, t, "file_bytes"),
        .image = read_image(L, t),
        .limit = (enum chat_limit)family_word(L, t, "limit", limit_names, CHAT_LIMIT_COMPLETION + 1),
    };
    lua_pop(L, 1);
    luaL_argcheck(L, rules->vocabulary && rules->factor_milli, 1, "a family without vocabulary or factor");
}

static struct families families = {
    .script = "scripts/catalogue/counting.lua", .size = sizeof(struct count_rules), .read = read_rules};

const struct count_rules *counting_find(struct slice model)
{
    return families_find(&families, model);
}

const char *counting_family(const struct count_rules *rules)
{
    return families_name(&families, rules);
}
