/* Settings of OpenAI's chats, into the hub. Source: OpenAI API reference, POST /v1/chat/completions. */
#include "wire/openai/openai_translate.h"
#include "wire/translate/choice.h"

#define KEYS(X)                                                                                                        \
    X(MODEL, "model")                                                                                                  \
    X(MESSAGES, "messages")                                                                                            \
    X(STREAM, "stream")                                                                                                \
    X(STREAM_OPTIONS, "stream_options")                                                                                \
    X(TOOLS, "tools")                                                                                                  \
    X(TOOL_CHOICE, "tool_choice")                                                                                      \
    X(PARALLEL, "parallel_tool_calls")                                                                                 \
    X(FUNCTIONS, "functions")                                                                                          \
    X(FUNCTION_CALL, "function_call")                                                                                  \
    X(WEB_SEARCH, "web_search_options")                                                                                \
    X(MAX_TOKENS, "max_tokens")                                                                                        \
    X(MAX_COMPLETION_TOKENS, "max_completion_tokens")                                                                  \
    X(N, "n")                                                                                                          \
    X(TEMPERATURE, "temperature")                                                                                      \
    X(TOP_P, "top_p")                                                                                                  \
    X(TOP_K, "top_k")                                                                                                  \
    X(SEED, "seed")                                                                                                    \
    X(FREQUENCY, "frequency_penalty")                                                                                  \
    X(PRESENCE, "presence_penalty")                                                                                    \
    X(STOP, "stop")                                                                                                    \
    X(FORMAT, "response_format")                                                                                       \
    X(EFFORT, "reasoning_effort")                                                                                      \
    X(USER, "user")                                                                                                    \
    X(SAFETY_IDENTIFIER, "safety_identifier")                                                                          \
    X(TIER, "service_tier")                                                                                            \
    X(CACHE_KEY, "prompt_cache_key")                                                                                   \
    X(CACHE, "cache_control")                                                                                          \
    X(METADATA, "metadata")                                                                                            \
    X(STORE, "store")                                                                                                  \
    X(LOGPROBS, "logprobs")

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

const struct conversation_words openai_words = {.messages = "messages",
                                                .stop = {"stop", 4},
                                                .effort = {"reasoning_effort", 16},
                                                .format = {"response_format", 15},
                                                .user = {"user", 4},
                                                .tier = {"service_tier", 12},
                                                .choice = {"tool_choice", 11},
                                                .parallel = {"parallel_tool_calls", 19},
                                                .title = {"file.filename", 13},
                                                .detail = {"image_url.detail", 16},
                                                .reasoning = {"reasoning_content", 17}};

static bool is_word(const struct reading *in, uint32_t node, struct slice word)
{
    return json_text_is(in->tape, node, word);
}

/* --- tools --- */

enum { TOOL_NAME, TOOL_DESCRIPTION, TOOL_PARAMETERS, TOOL_STRICT, TOOL_MEMBERS };

static bool read_function(struct reading *in, uint32_t function, struct slice cache,
                          const struct choice_allowed *allowed)
{
    static const struct slice names[TOOL_MEMBERS] = {
        {"name", 4}, {"description", 11}, {"parameters", 10}, {"strict", 6}};
    uint32_t at[TOOL_MEMBERS];
    if (!reading_members(in, function, names, TOOL_MEMBERS, at)) return false;
    if (!json_is(in->tape, at[TOOL_NAME], JSON_STRING)) return reading_refuse(in, "\"name\" must be a string");
    if (at[TOOL_PARAMETERS] != JSON_NONE && !json_is(in->tape, at[TOOL_PARAMETERS], JSON_OBJECT))
        return reading_refuse(in, "\"parameters\" must be an object");
    if (!choice_allows(in, allowed, at[TOOL_NAME])) return reading_counts(in);
    struct tool *tool = conversation_add_tool(in->c, in->place.number);
    if (!tool) return reading_is_full(in);
    tool->name = json_raw(in->tape, at[TOOL_NAME]);
    tool->parameters = at[TOOL_PARAMETERS];
    tool->is_strict = json_is(in->tape, at[TOOL_STRICT], JSON_TRUE);
    tool->cache = cache;
    return reading_string(in, at[TOOL_DESCRIPTION], "description", &tool->description);
}

static bool read_tool(struct reading *in, uint32_t tool, const struct choice_allowed *allowed)
{
    static const struct slice names[] = {{"type", 4}, {"function", 8}, {"cache_control", 13}};
    uint32_t at[3];
    uint32_t function = json_get(in->tape, tool, SLICE("function")), type = json_get(in->tape, tool, SLICE("type"));
    bool is_function = json_is(in->tape, function, JSON_OBJECT) &&
                       (type == JSON_NONE || is_word(in, type, SLICE("function")));
    if (!is_function)
        return reading_refuse(in, "tools of type \"function\" alone can be given to this model's provider");
    if (!reading_members(in, tool, names, 3, at)) return false;
    struct slice cache = json_is(in->tape, at[2], JSON_OBJECT) ? json_raw(in->tape, at[2]) : SLICE_NONE;
    in->place.inner = "function";
    in->place.inner_number = PLACE_UNNUMBERED;
    return read_function(in, at[1], cache, allowed);
}

static bool read_tools(struct reading *in, uint32_t tools, uint32_t choice)
{
    struct choice_allowed allowed;
    if (tools == JSON_NONE) return true;
    if (!choice_read_allowed(in, choice, &allowed)) return false;
    in->place = (struct place){.list = "tools"};
    for (uint32_t n = json_first(in->tape, tools); n != JSON_NONE; n = json_next(in->tape, n)) {
        in->place.inner = NULL;
        if (!read_tool(in, n, &allowed)) return false;
        in->place.number++;
    }
    in->place = (struct place){.list = NULL};
    return true;
}

/* --- the rest --- */

static bool read_knobs(const struct reading *in, const uint32_t at[KEYS_COUNT])
{
    static const enum key keys[KNOBS] = {[KNOB_TEMPERATURE] = KEY_TEMPERATURE, [KNOB_TOP_P] = KEY_TOP_P,
                                         [KNOB_TOP_K] = KEY_TOP_K,             [KNOB_SEED] = KEY_SEED,
                                         [KNOB_FREQUENCY] = KEY_FREQUENCY,     [KNOB_PRESENCE] = KEY_PRESENCE};
    for (int k = 0; k < KNOBS; k++) {
        in->c->knobs[k] = at[keys[k]];
        if (!reading_number(in, at[keys[k]], key_names[keys[k]].ptr)) return false;
    }
    return true;
}

/* One text, or several. */
static bool read_stops(const struct reading *in, uint32_t stop)
{
    struct conversation *c = in->c;
    bool is_list = json_is(in->tape, stop, JSON_ARRAY);
    if (stop == JSON_NONE) return true;
    if (!is_list && !json_is(in->tape, stop, JSON_STRING))
        return reading_refuse(in, "\"stop\" must be a string or an array of strings");
    c->stops = arena_alloc(c->arena, (is_list ? json_count(in->tape, stop) + 1 : 1) * sizeof *c->stops);
    if (!is_list) c->stops[c->stop_count++] = json_raw(in->tape, stop);
    for (uint32_t n = is_list ? json_first(in->tape, stop) : JSON_NONE; n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!json_is(in->tape, n, JSON_STRING)) return reading_refuse(in, "\"stop\" must hold strings");
        c->stops[c->stop_count++] = json_raw(in->tape, n);
    }
    return true;
}

static bool read_schema(struct reading *in, uint32_t schema)
{
    static const struct slice names[] = {{"name", 4}, {"schema", 6}, {"strict", 6}};
    uint32_t at[3];
    struct conversation *c = in->c;
    in->place = (struct place){
        .inner = "response_format", .inner_number = PLACE_UNNUMBERED, .leaf = "json_schema"};
    if (!reading_members(in, schema, names, 3, at)) return false;
    if (!json_is(in->tape, at[1], JSON_OBJECT)) return reading_refuse(in, "\"schema\" must be an object");
    c->format = FORMAT_SCHEMA;
    c->schema = at[1];
    c->is_schema_strict = json_is(in->tape, at[2], JSON_TRUE);
    bool is_good = reading_string(in, at[0], "name", &c->schema_name);
    in->place = (struct place){.list = NULL};
    return is_good;
}

static bool read_format(struct reading *in, uint32_t format)
{
    uint32_t type = json_get(in->tape, format, SLICE("type"));
    if (format == JSON_NONE || is_word(in, type, SLICE("text"))) return true;
    if (is_word(in, type, SLICE("json_schema")))
        return read_schema(in, json_get(in->tape, format, SLICE("json_schema")));
    if (!is_word(in, type, SLICE("json_object")))
        return reading_refuse(in, "this \"response_format\" cannot be translated for this model's provider");
    in->c->format = FORMAT_OBJECT;
    return true;
}

static void read_words(const struct reading *in, const uint32_t at[KEYS_COUNT])
{
    struct conversation *c = in->c;
    uint32_t tier = at[KEY_TIER], effort = at[KEY_EFFORT];
    if (is_word(in, tier, SLICE("auto"))) c->tier = TIER_AUTO;
    if (is_word(in, tier, SLICE("default"))) c->tier = TIER_STANDARD;
    if (is_word(in, tier, SLICE("flex"))) c->tier = TIER_FLEX;
    if (is_word(in, tier, SLICE("priority"))) c->tier = TIER_PRIORITY;
    if (tier != JSON_NONE && c->tier == TIER_UNSAID) reading_drop(in, key_names[KEY_TIER]);
    if (json_is(in->tape, effort, JSON_STRING)) c->effort = effort_named(json_text(in->tape, effort, c->arena));
    if (effort != JSON_NONE && c->effort == EFFORT_UNSAID) reading_drop(in, key_names[KEY_EFFORT]);
    if (json_is(in->tape, at[KEY_STORE], JSON_TRUE)) reading_drop(in, key_names[KEY_STORE]);
    reading_labels(in, at[KEY_METADATA]);
    if (json_is(in->tape, at[KEY_LOGPROBS], JSON_TRUE)) reading_drop(in, key_names[KEY_LOGPROBS]);
    if (json_is(in->tape, at[KEY_PARALLEL], JSON_TRUE)) c->parallel = CHAT_TRUE;
    if (json_is(in->tape, at[KEY_PARALLEL], JSON_FALSE)) c->parallel = CHAT_FALSE;
    if (json_is(in->tape, at[KEY_CACHE_KEY], JSON_STRING)) c->cache_key = json_raw(in->tape, at[KEY_CACHE_KEY]);
    if (json_is(in->tape, at[KEY_CACHE], JSON_OBJECT)) c->cache = json_raw(in->tape, at[KEY_CACHE]);
}

/* "user" is the older name. A policy's comes before the caller's own, whichever it set (exchange/outgoing.h). */
static bool read_user(const struct reading *in, uint32_t user, uint32_t identifier)
{
    if (user != JSON_NONE && identifier != JSON_NONE) reading_drop(in, key_names[KEY_USER]);
    if (identifier == JSON_NONE) return reading_string(in, user, "user", &in->c->user);
    return reading_string(in, identifier, "safety_identifier", &in->c->user);
}

static bool refuse_unspoken(const struct reading *in, const struct chat_request *r, const uint32_t at[KEYS_COUNT])
{
    if (at[KEY_FUNCTIONS] != JSON_NONE || at[KEY_FUNCTION_CALL] != JSON_NONE)
        return !reading_refuse(in, "\"functions\" cannot be translated for this model's provider: use \"tools\"");
    if (at[KEY_WEB_SEARCH] != JSON_NONE)
        return !reading_refuse(in, "\"web_search_options\" cannot be translated for this model's provider");
    if (r->choices > 1) return !reading_refuse(in, "\"n\" must be 1: this model's provider gives one answer");
    if (r->max_tokens_node != JSON_NONE && r->max_tokens < 0)
        return !reading_refuse(in, "\"%.*s\" must be a whole number from 1", SLICE_FMT(in->c->max_tokens_name));
    return false;
}

static bool read(const struct chat_request *r, struct conversation *c, struct dropped *dropped, struct fault *why)
{
    uint32_t at[KEYS_COUNT];
    struct reading in = {.tape = &r->tape, .c = c, .dropped = dropped, .why = why};
    if (!reading_members(&in, 0, key_names, KEYS_COUNT, at)) return false;
    if (refuse_unspoken(&in, r, at)) return false;
    read_words(&in, at);
    return read_tools(&in, at[KEY_TOOLS], at[KEY_TOOL_CHOICE]) && choice_read(&in, at[KEY_TOOL_CHOICE]) &&
           read_knobs(&in, at) && read_stops(&in, at[KEY_STOP]) && read_format(&in, at[KEY_FORMAT]) &&
           read_user(&in, at[KEY_USER], at[KEY_SAFETY_IDENTIFIER]) && openai_read_conversation(&in, at[KEY_MESSAGES]);
}

const struct request_translation openai_request_translation = {
    .read = read, .write = openai_write_conversation, .words = &openai_words, .names_tiers = true};
