/* Settings of the Responses API, into the hub. Source: OpenAI API reference, POST /v1/responses. */
#include "wire/responses/responses_translate.h"
#include "wire/translate/choice.h"

#define KEYS(X)                                                                                                        \
    X(MODEL, "model")                                                                                                  \
    X(INPUT, "input")                                                                                                  \
    X(INSTRUCTIONS, "instructions")                                                                                    \
    X(STREAM, "stream")                                                                                                \
    X(STREAM_OPTIONS, "stream_options")                                                                                \
    X(TOOLS, "tools")                                                                                                  \
    X(TOOL_CHOICE, "tool_choice")                                                                                      \
    X(PARALLEL, "parallel_tool_calls")                                                                                 \
    X(MAX_OUTPUT_TOKENS, "max_output_tokens")                                                                          \
    X(TEMPERATURE, "temperature")                                                                                      \
    X(TOP_P, "top_p")                                                                                                  \
    X(REASONING, "reasoning")                                                                                          \
    X(TEXT, "text")                                                                                                    \
    X(USER, "user")                                                                                                    \
    X(SAFETY_IDENTIFIER, "safety_identifier")                                                                          \
    X(TIER, "service_tier")                                                                                            \
    X(METADATA, "metadata")                                                                                            \
    X(STORE, "store")                                                                                                  \
    X(INCLUDE, "include")                                                                                              \
    X(TRUNCATION, "truncation")                                                                                        \
    X(BACKGROUND, "background")

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

static const struct conversation_words words = {.messages = "input",
                                                .has_items = true,
                                                .effort = {"reasoning.effort", 16},
                                                .format = {"text.format", 11},
                                                .user = {"user", 4},
                                                .tier = {"service_tier", 12},
                                                .choice = {"tool_choice", 11},
                                                .parallel = {"parallel_tool_calls", 19},
                                                .title = {"filename", 8}};

static bool is_word(const struct reading *in, uint32_t node, struct slice word)
{
    return json_text_is(in->tape, node, word);
}

/* --- how it is to answer --- */

static bool read_schema(struct reading *in, uint32_t format)
{
    static const struct slice names[] = {{"type", 4}, {"name", 4}, {"schema", 6}, {"strict", 6}};
    uint32_t at[4];
    struct conversation *c = in->c;
    if (!reading_members(in, format, names, 4, at)) return false;
    if (!json_is(in->tape, at[2], JSON_OBJECT)) return reading_refuse(in, "\"schema\" must be an object");
    c->format = FORMAT_SCHEMA;
    c->schema = at[2];
    c->is_schema_strict = json_is(in->tape, at[3], JSON_TRUE);
    return reading_string(in, at[1], "name", &c->schema_name);
}

static bool read_format(struct reading *in, uint32_t format)
{
    uint32_t type = json_get(in->tape, format, SLICE("type"));
    in->place.leaf = "format";
    if (format == JSON_NONE || is_word(in, type, SLICE("text"))) return true;
    if (is_word(in, type, SLICE("json_schema"))) return read_schema(in, format);
    if (!is_word(in, type, SLICE("json_object")))
        return reading_refuse(in, "this format cannot be translated for this model's provider");
    in->c->format = FORMAT_OBJECT;
    return true;
}

/* "medium" is how much it says anyway. */
static bool read_text(struct reading *in, uint32_t text)
{
    static const struct slice names[] = {{"format", 6}, {"verbosity", 9}};
    uint32_t at[2];
    in->place = (struct place){.inner = "text", .inner_number = PLACE_UNNUMBERED};
    if (!reading_members(in, text, names, 2, at)) return false;
    if (at[1] != JSON_NONE && !is_word(in, at[1], SLICE("medium"))) reading_drop(in, names[1]);
    bool is_good = read_format(in, at[0]);
    in->place = (struct place){.list = NULL};
    return is_good;
}

/* Of what was thought all is told that the provider tells. */
static bool read_reasoning(struct reading *in, uint32_t reasoning)
{
    static const struct slice names[] = {{"effort", 6}, {"summary", 7}};
    uint32_t at[2];
    struct conversation *c = in->c;
    in->place = (struct place){.inner = "reasoning", .inner_number = PLACE_UNNUMBERED};
    if (!reading_members(in, reasoning, names, 2, at)) return false;
    if (json_is(in->tape, at[0], JSON_STRING)) c->effort = effort_named(json_text(in->tape, at[0], c->arena));
    if (at[0] != JSON_NONE && c->effort == EFFORT_UNSAID) reading_drop(in, names[0]);
    bool is_all = is_word(in, at[1], SLICE("auto")) || is_word(in, at[1], SLICE("detailed"));
    if (at[1] != JSON_NONE && !is_all) reading_drop(in, names[1]);
    in->place = (struct place){.list = NULL};
    return true;
}

/* What was thought comes back encrypted, or signed, whoever asks. */
static void read_include(const struct reading *in, uint32_t include)
{
    if (!json_is(in->tape, include, JSON_ARRAY)) return;
    for (uint32_t n = json_first(in->tape, include); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!is_word(in, n, SLICE("reasoning.encrypted_content"))) reading_drop(in, key_names[KEY_INCLUDE]);
    }
}

static void read_words(const struct reading *in, const uint32_t at[KEYS_COUNT])
{
    struct conversation *c = in->c;
    uint32_t tier = at[KEY_TIER], truncation = at[KEY_TRUNCATION];
    if (is_word(in, tier, SLICE("auto"))) c->tier = TIER_AUTO;
    if (is_word(in, tier, SLICE("default"))) c->tier = TIER_STANDARD;
    if (is_word(in, tier, SLICE("flex"))) c->tier = TIER_FLEX;
    if (is_word(in, tier, SLICE("priority"))) c->tier = TIER_PRIORITY;
    if (tier != JSON_NONE && c->tier == TIER_UNSAID) reading_drop(in, key_names[KEY_TIER]);
    if (json_is(in->tape, at[KEY_STORE], JSON_TRUE)) reading_drop(in, key_names[KEY_STORE]);
    reading_labels(in, at[KEY_METADATA]);
    if (truncation != JSON_NONE && !is_word(in, truncation, SLICE("disabled")))
        reading_drop(in, key_names[KEY_TRUNCATION]);
    if (json_is(in->tape, at[KEY_PARALLEL], JSON_TRUE)) c->parallel = CHAT_TRUE;
    if (json_is(in->tape, at[KEY_PARALLEL], JSON_FALSE)) c->parallel = CHAT_FALSE;
    read_include(in, at[KEY_INCLUDE]);
}

/* "user" is the older name. A policy's comes before the caller's own, whichever it set (exchange/outgoing.h). */
static bool read_user(const struct reading *in, uint32_t user, uint32_t identifier)
{
    if (user != JSON_NONE && identifier != JSON_NONE) reading_drop(in, key_names[KEY_USER]);
    if (identifier == JSON_NONE) return reading_string(in, user, "user", &in->c->user);
    return reading_string(in, identifier, "safety_identifier", &in->c->user);
}

static bool read_numbers(const struct reading *in, const struct chat_request *r, const uint32_t at[KEYS_COUNT])
{
    in->c->knobs[KNOB_TEMPERATURE] = at[KEY_TEMPERATURE];
    in->c->knobs[KNOB_TOP_P] = at[KEY_TOP_P];
    if (r->max_tokens_node != JSON_NONE && r->max_tokens < 0)
        return reading_refuse(in, "\"max_output_tokens\" must be a whole number from 1");
    return reading_number(in, at[KEY_TEMPERATURE], "temperature") && reading_number(in, at[KEY_TOP_P], "top_p");
}

static bool read_instructions(struct reading *in, uint32_t instructions)
{
    struct slice raw;
    return reading_string(in, instructions, "instructions", &raw) &&
           reading_add_text(in, &in->c->system, PART_TEXT, raw, SLICE_NONE);
}

/* What was said before lies at another provider: an answer without it would be another one. */
static bool refuses_kept(const struct reading *in)
{
    static const struct slice names[] = {{"previous_response_id", 20}, {"conversation", 12}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint32_t kept = json_get(in->tape, 0, names[i]);
        if (kept == JSON_NONE || reading_is_empty(in->tape, kept)) continue;
        return !reading_refuse(in, "\"%.*s\" lies at another provider: send what was said in \"input\"",
                               SLICE_FMT(names[i]));
    }
    return false;
}

static bool read(const struct chat_request *r, struct conversation *c, struct dropped *dropped, struct fault *why)
{
    uint32_t at[KEYS_COUNT];
    struct reading in = {.tape = &r->tape, .c = c, .dropped = dropped, .why = why};
    if (refuses_kept(&in)) return false;
    if (!reading_members(&in, 0, key_names, KEYS_COUNT, at)) return false;
    read_words(&in, at);
    return read_reasoning(&in, at[KEY_REASONING]) &&
           responses_read_tools(&in, at[KEY_TOOLS], at[KEY_TOOL_CHOICE]) && choice_read(&in, at[KEY_TOOL_CHOICE]) &&
           read_numbers(&in, r, at) && read_text(&in, at[KEY_TEXT]) &&
           read_user(&in, at[KEY_USER], at[KEY_SAFETY_IDENTIFIER]) && read_instructions(&in, at[KEY_INSTRUCTIONS]) &&
           responses_read_input(&in, at[KEY_INPUT]);
}

const struct request_translation responses_request_translation = {
    .read = read,
    .write = responses_write_conversation,
    .words = &words,
    .carries = CARRIES_LABELS | CARRIES_CACHE_KEY | CARRIES_DETAIL | CARRIES_TIER,
    .names_tiers = true};
