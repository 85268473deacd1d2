/* Settings of Anthropic's messages API, into the hub. Source: Anthropic API reference, POST /v1/messages. */
#include "wire/anthropic/anthropic_translate.h"

#define KEYS(X)                                                                                                        \
    X(MODEL, "model")                                                                                                  \
    X(MESSAGES, "messages")                                                                                            \
    X(SYSTEM, "system")                                                                                                \
    X(STREAM, "stream")                                                                                                \
    X(MAX_TOKENS, "max_tokens")                                                                                        \
    X(TOOLS, "tools")                                                                                                  \
    X(TOOL_CHOICE, "tool_choice")                                                                                      \
    X(MCP_SERVERS, "mcp_servers")                                                                                      \
    X(THINKING, "thinking")                                                                                            \
    X(TEMPERATURE, "temperature")                                                                                      \
    X(TOP_P, "top_p")                                                                                                  \
    X(TOP_K, "top_k")                                                                                                  \
    X(STOP, "stop_sequences")                                                                                          \
    X(CONFIG, "output_config")                                                                                         \
    X(FORMAT, "output_format")                                                                                         \
    X(TIER, "service_tier")                                                                                            \
    X(METADATA, "metadata")                                                                                            \
    X(CACHE, "cache_control")

enum key {
#define X(name, text) KEY_##name,
    KEYS(X)
#undef X
        KEYS_COUNT
};

static const struct slice key_names[] = {
#define X(name, text) {text, sizeof text - 1},
    KEYS(X)
#undef X
};

static const struct conversation_words words = {.messages = "messages",
                                                .has_beginnings = true,
                                                .stop = {"stop_sequences", 14},
                                                .effort = {"thinking", 8},
                                                .format = {"output_config.format", 20},
                                                .user = {"metadata.user_id", 16},
                                                .tier = {"service_tier", 12},
                                                .choice = {"tool_choice", 11},
                                                .parallel = {"tool_choice.disable_parallel_tool_use", 37},
                                                .title = {"title", 5}};

static bool is_word(const struct reading *in, uint32_t node, struct slice word)
{
    return json_text_is(in->tape, node, word);
}

/* --- tools --- */

enum { TOOL_TYPE, TOOL_NAME, TOOL_DESCRIPTION, TOOL_SCHEMA, TOOL_STRICT, TOOL_CACHE, TOOL_MEMBERS };

static bool read_tool(struct reading *in, uint32_t node)
{
    static const struct slice names[TOOL_MEMBERS] = {{"type", 4},         {"name", 4},   {"description", 11},
                                                     {"input_schema", 12}, {"strict", 6}, {"cache_control", 13}};
    uint32_t at[TOOL_MEMBERS], type = json_get(in->tape, node, SLICE("type"));
    bool is_declared = type == JSON_NONE || json_is(in->tape, type, JSON_NULL) || is_word(in, type, SLICE("custom"));
    if (!is_declared)
        return reading_refuse(in, "tools with an \"input_schema\" alone can be given to this model's provider");
    if (!reading_members(in, node, names, TOOL_MEMBERS, at)) return false;
    if (!json_is(in->tape, at[TOOL_NAME], JSON_STRING)) return reading_refuse(in, "\"name\" must be a string");
    if (at[TOOL_SCHEMA] != JSON_NONE && !json_is(in->tape, at[TOOL_SCHEMA], JSON_OBJECT))
        return reading_refuse(in, "\"input_schema\" must be an object");
    struct tool *tool = conversation_add_tool(in->c, in->place.number);
    if (!tool) return reading_is_full(in);
    tool->name = json_raw(in->tape, at[TOOL_NAME]);
    tool->parameters = at[TOOL_SCHEMA];
    tool->is_strict = json_is(in->tape, at[TOOL_STRICT], JSON_TRUE);
    if (json_is(in->tape, at[TOOL_CACHE], JSON_OBJECT)) tool->cache = json_raw(in->tape, at[TOOL_CACHE]);
    return reading_string(in, at[TOOL_DESCRIPTION], "description", &tool->description);
}

static bool read_tools(struct reading *in, uint32_t tools, uint32_t servers)
{
    if (servers != JSON_NONE && !reading_is_empty(in->tape, servers))
        return reading_refuse(in, "\"mcp_servers\" cannot be translated for this model's provider");
    if (tools == JSON_NONE) return true;
    in->place = (struct place){.list = "tools"};
    for (uint32_t n = json_first(in->tape, tools); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_tool(in, n)) return false;
        in->place.number++;
    }
    in->place = (struct place){.list = NULL};
    return true;
}

static struct place inside(const char *name)
{
    return (struct place){.inner = name, .inner_number = PLACE_UNNUMBERED};
}

static bool read_choice(struct reading *in, uint32_t choice)
{
    static const struct slice names[] = {{"type", 4}, {"name", 4}, {"disable_parallel_tool_use", 25}};
    uint32_t at[3];
    struct conversation *c = in->c;
    if (choice == JSON_NONE) return true;
    in->place = inside("tool_choice");
    if (!reading_members(in, choice, names, 3, at)) return false;
    if (is_word(in, at[0], SLICE("auto"))) c->choice = CHOICE_AUTO;
    if (is_word(in, at[0], SLICE("none"))) c->choice = CHOICE_NONE;
    if (is_word(in, at[0], SLICE("any"))) c->choice = CHOICE_ANY;
    if (is_word(in, at[0], SLICE("tool"))) c->choice = CHOICE_NAMED;
    if (c->choice == CHOICE_UNSAID) return reading_refuse(in, "\"type\" must be auto, any, tool or none");
    if (json_is(in->tape, at[2], JSON_TRUE)) c->parallel = CHAT_FALSE;
    if (c->choice == CHOICE_NAMED && !json_is(in->tape, at[1], JSON_STRING))
        return reading_refuse(in, "\"name\" must be a string");
    bool is_good = c->choice != CHOICE_NAMED || reading_string(in, at[1], "name", &c->choice_name);
    in->place = (struct place){.list = NULL};
    return is_good;
}

/* --- how much it thinks --- */

static enum effort effort_of(int64_t tokens)
{
    return tokens <= 1024 ? EFFORT_LOW : tokens <= 8192 ? EFFORT_MEDIUM : EFFORT_HIGH;
}

static bool read_thinking(struct reading *in, uint32_t thinking)
{
    static const struct slice names[] = {{"type", 4}, {"budget_tokens", 13}};
    uint32_t at[2];
    struct conversation *c = in->c;
    in->place = inside("thinking");
    if (!reading_members(in, thinking, names, 2, at)) return false;
    if (is_word(in, at[0], SLICE("disabled"))) c->effort = EFFORT_NONE;
    if (is_word(in, at[0], SLICE("enabled"))) {
        bool is_number = json_is(in->tape, at[1], JSON_NUMBER) && json_to_i64(in->tape, at[1], &c->thinking_tokens);
        if (!is_number) return reading_refuse(in, "\"budget_tokens\" must be a whole number");
        c->effort = effort_of(c->thinking_tokens);
    }
    in->place = (struct place){.list = NULL};
    return true;
}

static bool read_format(struct reading *in, uint32_t format)
{
    uint32_t schema = json_get(in->tape, format, SLICE("schema"));
    if (format == JSON_NONE) return true;
    if (!is_word(in, json_get(in->tape, format, SLICE("type")), SLICE("json_schema")) ||
        !json_is(in->tape, schema, JSON_OBJECT))
        return reading_refuse(in, "\"output_config.format\" must be of type \"json_schema\" and have a \"schema\"");
    in->c->format = FORMAT_SCHEMA;
    in->c->schema = schema;
    in->c->is_schema_strict = true;
    return true;
}

/* A model that does not think at all takes no effort. */
static bool read_config(struct reading *in, uint32_t config, uint32_t old_format)
{
    static const struct slice names[] = {{"effort", 6}, {"format", 6}};
    uint32_t at[2];
    struct conversation *c = in->c;
    in->place = inside("output_config");
    if (!reading_members(in, config, names, 2, at)) return false;
    if (json_is(in->tape, at[0], JSON_STRING) && c->effort != EFFORT_NONE) {
        enum effort effort = effort_named(json_text(in->tape, at[0], c->arena));
        if (effort == EFFORT_UNSAID) reading_drop(in, names[0]);
        if (effort != EFFORT_UNSAID) c->effort = effort;
    }
    in->place = (struct place){.list = NULL};
    return read_format(in, at[1] != JSON_NONE ? at[1] : old_format);
}

/* --- the rest --- */

static bool read_knobs(const struct reading *in, const uint32_t at[KEYS_COUNT])
{
    in->c->knobs[KNOB_TEMPERATURE] = at[KEY_TEMPERATURE];
    in->c->knobs[KNOB_TOP_P] = at[KEY_TOP_P];
    in->c->knobs[KNOB_TOP_K] = at[KEY_TOP_K];
    return reading_number(in, at[KEY_TEMPERATURE], "temperature") && reading_number(in, at[KEY_TOP_P], "top_p") &&
           reading_number(in, at[KEY_TOP_K], "top_k");
}

static bool read_stops(const struct reading *in, uint32_t stops)
{
    struct conversation *c = in->c;
    if (stops == JSON_NONE) return true;
    if (!json_is(in->tape, stops, JSON_ARRAY)) return reading_refuse(in, "\"stop_sequences\" must be an array");
    c->stops = arena_alloc(c->arena, (json_count(in->tape, stops) + 1) * sizeof *c->stops);
    for (uint32_t n = json_first(in->tape, stops); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!json_is(in->tape, n, JSON_STRING)) return reading_refuse(in, "\"stop_sequences\" must hold strings");
        c->stops[c->stop_count++] = json_raw(in->tape, n);
    }
    return true;
}

static bool read_metadata(struct reading *in, uint32_t metadata)
{
    static const struct slice names[] = {{"user_id", 7}};
    uint32_t user;
    in->place = inside("metadata");
    if (!reading_members(in, metadata, names, 1, &user)) return false;
    bool is_good = reading_string(in, user, "user_id", &in->c->user);
    in->place = (struct place){.list = NULL};
    return is_good;
}

static void read_tier(const struct reading *in, uint32_t tier)
{
    if (is_word(in, tier, SLICE("auto"))) in->c->tier = TIER_AUTO;
    if (is_word(in, tier, SLICE("standard_only"))) in->c->tier = TIER_STANDARD;
    if (tier != JSON_NONE && in->c->tier == TIER_UNSAID) reading_drop(in, key_names[KEY_TIER]);
}

static bool read(const struct chat_request *r, struct conversation *c, struct dropped *dropped, struct fault *why)
{
    uint32_t at[KEYS_COUNT];
    struct reading in = {.tape = &r->tape, .c = c, .dropped = dropped, .why = why};
    if (!reading_members(&in, 0, key_names, KEYS_COUNT, at)) return false;
    read_tier(&in, at[KEY_TIER]);
    if (json_is(in.tape, at[KEY_CACHE], JSON_OBJECT)) c->cache = json_raw(in.tape, at[KEY_CACHE]);
    return read_tools(&in, at[KEY_TOOLS], at[KEY_MCP_SERVERS]) && read_choice(&in, at[KEY_TOOL_CHOICE]) &&
           read_thinking(&in, at[KEY_THINKING]) && read_config(&in, at[KEY_CONFIG], at[KEY_FORMAT]) &&
           read_knobs(&in, at) && read_stops(&in, at[KEY_STOP]) && read_metadata(&in, at[KEY_METADATA]) &&
           anthropic_read_conversation(&in, at[KEY_SYSTEM], at[KEY_MESSAGES]);
}

const struct request_translation anthropic_request_translation = {
    .read = read, .write = anthropic_write_conversation, .words = &words};
