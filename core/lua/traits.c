#include "lua/traits.h"

#include <lauxlib.h>

#include "lua/families.h"
#include "wire/translate/conversation.h"

static const char *const thinking_names[] = {
    [THINKING_NONE] = "", [THINKING_BUDGET] = "budget", [THINKING_ADAPTIVE] = "adaptive",
    [THINKING_LEVEL] = "level"};
static const char *const cache_names[] = {[CACHE_UNMARKED] = "",
                                          [CACHE_AS_ANTHROPIC] = "cache_control",
                                          [CACHE_AS_BREAKPOINT] = "prompt_cache_breakpoint",
                                          [CACHE_AS_POINT] = "cachePoint"};
static const char *const top_k_names[] = {
    [TOP_K_NOWHERE] = "", [TOP_K_AS_MEMBER] = "top_k", [TOP_K_IN_CONFIG] = "inferenceConfig.topK"};
static const char *const effort_names[] = {
    [DEPTH_NOWHERE] = "", [DEPTH_AS_EFFORT] = "reasoning_effort", [DEPTH_IN_CONFIG] = "reasoningConfig"};
static const char *const publisher_names[] = {[PUBLISHER_UNSAID] = "", [PUBLISHER_ANTHROPIC] = "anthropic",
                                              [PUBLISHER_GOOGLE] = "google"};

static const char *const responses_names[] = {
    [RESPONSES_AS_ASKED] = "", [RESPONSES_TRANSLATED] = "translated", [RESPONSES_ALONE] = "alone"};

static unsigned read_efforts(lua_State *L, int table)
{
    unsigned efforts = 0;
    lua_getfield(L, table, "efforts");
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        return 0;
    }
    for (int i = 1; lua_rawgeti(L, -1, i), !lua_isnil(L, -1); i++, lua_pop(L, 1)) {
        enum effort effort = effort_named(slice_str(luaL_checkstring(L, -1)));
        if (effort == EFFORT_UNSAID) luaL_error(L, "efforts: no such word as '%s'", lua_tostring(L, -1));
        efforts |= 1u << effort;
    }
    lua_pop(L, 2);
    return efforts;
}

static void read_traits(lua_State *L, int table, void *value)
{
    struct traits *traits = value;
    *traits = (struct traits){
        .publisher = (enum trait_publisher)family_word(L, table, "publisher", publisher_names, PUBLISHER_GOOGLE + 1),
        .responses = (enum trait_responses)family_word(L, table, "responses", responses_names, RESPONSES_ALONE + 1),
        .predicts = family_flag(L, table, "predicts"),
        .output_tokens = (uint32_t)family_whole(L, table, "output"),
        .has_fixed_sampling = family_flag(L, table, "fixed_sampling"),
        .has_one_sampling = family_flag(L, table, "one_sampling"),
        .has_no_stop = family_flag(L, table, "no_stop"),
        .thinking = (enum trait_thinking)family_word(L, table, "thinking", thinking_names, THINKING_LEVEL + 1),
        .thinking_least = (uint32_t)family_whole(L, table, "thinking_least"),
        .thinking_most = (uint32_t)family_whole(L, table, "thinking_most"),
        .has_rest = family_flag(L, table, "rest"),
        .efforts = read_efforts(L, table),
        .has_schema = family_flag(L, table, "schema"),
        .has_schema_with_tools = family_flag(L, table, "schema_with_tools"),
        .has_penalties = family_flag(L, table, "penalties"),
        .has_signed_calls = family_flag(L, table, "signed_calls"),
        .has_late_system = family_flag(L, table, "late_system"),
        .has_developer = family_flag(L, table, "developer"),
        .has_plain_content = family_flag(L, table, "plain_content"),
        .has_reasoning = family_flag(L, table, "reasoning"),
        .cache = (enum trait_cache)family_word(L, table, "cache", cache_names, CACHE_AS_POINT + 1),
        .top_k = (enum trait_top_k)family_word(L, table, "top_k", top_k_names, TOP_K_IN_CONFIG + 1),
        .depth = (enum trait_depth)family_word(L, table, "effort", effort_names, DEPTH_IN_CONFIG + 1),
        .has_result_status = family_flag(L, table, "result_status"),
    };
}

static struct families families = {
    .script = "scripts/catalogue/traits.lua", .size = sizeof(struct traits), .read = read_traits};

bool traits_has(struct slice model)
{
    return families_find(&families, model) != NULL;
}

const struct traits *traits_find(struct slice model)
{
    static const struct traits nobodys = {0};
    const struct traits *traits = families_find(&families, model);
    return traits ? traits : &nobodys;
}
