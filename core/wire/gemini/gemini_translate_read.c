/* Settings of Gemini's API, into the hub. Source: Gemini API reference, models.generateContent, GenerationConfig and
 * ThinkingConfig. */
#include "wire/gemini/gemini_reading.h"

static const struct slice knobs[KNOBS] = {
    [KNOB_TEMPERATURE] = {"generationConfig.temperature", 28},
    [KNOB_TOP_P] = {"generationConfig.topP", 21},
    [KNOB_TOP_K] = {"generationConfig.topK", 21},
    [KNOB_SEED] = {"generationConfig.seed", 21},
    [KNOB_FREQUENCY] = {"generationConfig.frequencyPenalty", 33},
    [KNOB_PRESENCE] = {"generationConfig.presencePenalty", 32},
};

const struct conversation_words gemini_words = {.messages = "contents",
                                                .content = "parts",
                                                .knobs = knobs,
                                                .stop = {"generationConfig.stopSequences", 30},
                                                .effort = {"generationConfig.thinkingConfig", 31},
                                                .format = {"generationConfig.responseSchema", 31},
                                                .user = {"user", 4},
                                                .tier = {"serviceTier", 11},
                                                .choice = {"toolConfig", 10},
                                                .parallel = {"toolConfig", 10},
                                                .title = {"inlineData.displayName", 22}};

bool gemini_read_members(const struct reading *in, uint32_t object, const struct gemini_name *names, unsigned count,
                         uint32_t *at)
{
    struct slice both[READING_MEMBERS_MAX] = {{"", 0}};
    uint32_t all[READING_MEMBERS_MAX];
    for (unsigned n = 0; n < count; n++) {
        both[2 * n] = names[n].name;
        both[2 * n + 1] = names[n].other;
    }
    if (!reading_members(in, object, both, 2 * count, all)) return false;
    for (unsigned n = 0; n < count; n++) {
        uint32_t first = all[2 * n], second = all[2 * n + 1];
        if (first != JSON_NONE && second != JSON_NONE)
            return reading_refuse(in, "\"%s\" is given twice; give it once", names[n].name.ptr);
        at[n] = first != JSON_NONE ? first : second;
    }
    return true;
}

static bool is_word(const struct reading *in, uint32_t node, struct slice word)
{
    return json_is(in->tape, node, JSON_STRING) && slice_iequal(json_text(in->tape, node, in->c->arena), word);
}

static struct place inside(const char *name, const char *inner)
{
    return (struct place){.list = name, .number = PLACE_UNNUMBERED, .inner = inner, .inner_number = PLACE_UNNUMBERED};
}

/* --- how much it thinks --- */

static enum effort effort_of(int64_t tokens)
{
    return tokens <= 1024 ? EFFORT_LOW : tokens <= 8192 ? EFFORT_MEDIUM : EFFORT_HIGH;
}

/* -1: as much as it finds right. */
static bool read_budget(struct reading *in, uint32_t budget)
{
    struct conversation *c = in->c;
    int64_t tokens;
    if (budget == JSON_NONE) return true;
    if (!json_is(in->tape, budget, JSON_NUMBER) || !json_to_i64(in->tape, budget, &tokens) || tokens < -1)
        return reading_refuse(in, "\"thinkingBudget\" must be a whole number");
    c->effort = tokens < 0 ? EFFORT_MEDIUM : tokens == 0 ? EFFORT_NONE : effort_of(tokens);
    if (tokens > 0) c->thinking_tokens = tokens;
    return true;
}

static void read_level(const struct reading *in, uint32_t level)
{
    static const struct slice name = {"thinkingLevel", 13};
    struct conversation *c = in->c;
    if (level == JSON_NONE || is_word(in, level, SLICE("THINKING_LEVEL_UNSPECIFIED"))) return;
    for (int e = EFFORT_MINIMAL; e <= EFFORT_HIGH; e++) {
        if (is_word(in, level, effort_word((enum effort)e))) c->effort = (enum effort)e;
    }
    if (c->effort == EFFORT_UNSAID) reading_drop(in, name);
}

/* Whether what was thought is told is for who writes the answer (struct answer_manner). */
static bool read_thinking(struct reading *in, uint32_t thinking)
{
    static const struct gemini_name names[] = {{{"thinkingBudget", 14}, {"thinking_budget", 15}},
                                               {{"thinkingLevel", 13}, {"thinking_level", 14}},
                                               {{"includeThoughts", 15}, {"include_thoughts", 16}}};
    uint32_t at[3];
    in->place.inner = "thinkingConfig";
    if (!gemini_read_members(in, thinking, names, 3, at)) return false;
    if (!read_budget(in, at[0])) return false;
    if (in->c->effort == EFFORT_UNSAID) read_level(in, at[1]);
    in->place.inner = NULL;
    return true;
}

/* --- how it answers --- */

/* JSON alone, or a word of a list, which nobody else has. */
static bool read_mime(struct reading *in, uint32_t mime, bool has_schema)
{
    if (mime == JSON_NONE || is_word(in, mime, SLICE("text/plain"))) return true;
    if (!is_word(in, mime, SLICE("application/json")))
        return reading_refuse(in, "this \"responseMimeType\" cannot be translated for this model's provider");
    if (has_schema) return true;
    struct conversation_words *words = arena_alloc(in->c->arena, sizeof *words);
    *words = gemini_words;
    words->format = SLICE("generationConfig.responseMimeType");
    in->c->words = words;
    in->c->format = FORMAT_OBJECT;
    return true;
}

static bool read_format(struct reading *in, uint32_t mime, uint32_t schema, uint32_t json_schema)
{
    struct conversation *c = in->c;
    if (schema != JSON_NONE && json_schema != JSON_NONE)
        return reading_refuse(in, "give \"responseSchema\" or \"responseJsonSchema\", not both");
    c->schema = schema != JSON_NONE ? schema : json_schema;
    if (c->schema == JSON_NONE) return read_mime(in, mime, false);
    if (!json_is(in->tape, c->schema, JSON_OBJECT)) return reading_refuse(in, "\"responseSchema\" must be an object");
    c->format = FORMAT_SCHEMA;
    c->is_schema_strict = true;
    return read_mime(in, mime, true);
}

/* Text is what it answers with anyway. */
static bool read_modalities(const struct reading *in, uint32_t modalities)
{
    bool is_list = json_is(in->tape, modalities, JSON_ARRAY);
    uint32_t n = is_list ? json_first(in->tape, modalities) : JSON_NONE;
    while (n != JSON_NONE && is_word(in, n, SLICE("TEXT")))
        n = json_next(in->tape, n);
    if (n == JSON_NONE) return true;
    return reading_refuse(in, "\"responseModalities\" must be left out: this model's provider gives text alone");
}

static bool read_stops(const struct reading *in, uint32_t stops)
{
    struct conversation *c = in->c;
    if (stops == JSON_NONE) return true;
    if (!json_is(in->tape, stops, JSON_ARRAY)) return reading_refuse(in, "\"stopSequences\" must be an array");
    c->stops = arena_alloc(c->arena, (json_count(in->tape, stops) + 1) * sizeof *c->stops);
    for (uint32_t n = json_first(in->tape, stops); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!json_is(in->tape, n, JSON_STRING)) return reading_refuse(in, "\"stopSequences\" must hold strings");
        c->stops[c->stop_count++] = json_raw(in->tape, n);
    }
    return true;
}

enum {
    TEMPERATURE,
    TOP_P,
    TOP_K,
    SEED,
    FREQUENCY,
    PRESENCE,
    MAX_TOKENS,
    COUNT,
    STOPS,
    MIME,
    SCHEMA,
    JSON_SCHEMA,
    THINKING,
    MODALITIES,
    CONFIG_MEMBERS
};
static const struct gemini_name config_names[CONFIG_MEMBERS] = {
    [TEMPERATURE] = {{"temperature", 11}, {"temperature", 11}},
    [TOP_P] = {{"topP", 4}, {"top_p", 5}},
    [TOP_K] = {{"topK", 4}, {"top_k", 5}},
    [SEED] = {{"seed", 4}, {"seed", 4}},
    [FREQUENCY] = {{"frequencyPenalty", 16}, {"frequency_penalty", 17}},
    [PRESENCE] = {{"presencePenalty", 15}, {"presence_penalty", 16}},
    [MAX_TOKENS] = {{"maxOutputTokens", 15}, {"max_output_tokens", 17}},
    [COUNT] = {{"candidateCount", 14}, {"candidate_count", 15}},
    [STOPS] = {{"stopSequences", 13}, {"stop_sequences", 14}},
    [MIME] = {{"responseMimeType", 16}, {"response_mime_type", 18}},
    [SCHEMA] = {{"responseSchema", 14}, {"response_schema", 15}},
    [JSON_SCHEMA] = {{"responseJsonSchema", 18}, {"response_json_schema", 20}},
    [THINKING] = {{"thinkingConfig", 14}, {"thinking_config", 15}},
    [MODALITIES] = {{"responseModalities", 18}, {"response_modalities", 19}},
};

static bool read_knobs(const struct reading *in, const uint32_t at[CONFIG_MEMBERS])
{
    static const int members[KNOBS] = {[KNOB_TEMPERATURE] = TEMPERATURE, [KNOB_TOP_P] = TOP_P,
                                       [KNOB_TOP_K] = TOP_K,             [KNOB_SEED] = SEED,
                                       [KNOB_FREQUENCY] = FREQUENCY,     [KNOB_PRESENCE] = PRESENCE};
    for (int k = 0; k < KNOBS; k++) {
        in->c->knobs[k] = at[members[k]];
        if (!reading_number(in, at[members[k]], config_names[members[k]].name.ptr)) return false;
    }
    return true;
}

static bool read_config(struct reading *in, const struct chat_request *r, uint32_t config)
{
    uint32_t at[CONFIG_MEMBERS];
    in->place = inside("generationConfig", NULL);
    in->c->max_tokens_name = SLICE("generationConfig.maxOutputTokens");
    if (!gemini_read_members(in, config, config_names, CONFIG_MEMBERS, at)) return false;
    if (r->choices > 1)
        return reading_refuse(in, "\"candidateCount\" must be 1: this model's provider gives one answer");
    bool is_good = read_thinking(in, at[THINKING]) && read_format(in, at[MIME], at[SCHEMA], at[JSON_SCHEMA]) &&
                   read_modalities(in, at[MODALITIES]) && read_stops(in, at[STOPS]) && read_knobs(in, at);
    in->place = (struct place){.list = NULL};
    return is_good;
}

/* --- all of it --- */

enum { MODEL, CONTENTS, SYSTEM, TOOLS, TOOL_CONFIG, CONFIG, TIER, ROOT_MEMBERS };

static void read_tier(const struct reading *in, uint32_t tier)
{
    if (is_word(in, tier, SLICE("standard"))) in->c->tier = TIER_STANDARD;
    bool is_unsaid = tier == JSON_NONE || is_word(in, tier, SLICE("unspecified"));
    if (!is_unsaid && in->c->tier == TIER_UNSAID) reading_drop(in, gemini_words.tier);
}

bool gemini_read_for_others(const struct chat_request *r, struct conversation *c, struct dropped *dropped,
                            struct fault *why)
{
    static const struct gemini_name names[ROOT_MEMBERS] = {
        [MODEL] = {{"model", 5}, {"model", 5}},
        [CONTENTS] = {{"contents", 8}, {"contents", 8}},
        [SYSTEM] = {{"systemInstruction", 17}, {"system_instruction", 18}},
        [TOOLS] = {{"tools", 5}, {"tools", 5}},
        [TOOL_CONFIG] = {{"toolConfig", 10}, {"tool_config", 11}},
        [CONFIG] = {{"generationConfig", 16}, {"generation_config", 17}},
        [TIER] = {{"serviceTier", 11}, {"service_tier", 12}},
    };
    uint32_t at[ROOT_MEMBERS];
    struct reading in = {.tape = &r->tape, .c = c, .dropped = dropped, .why = why};
    if (!gemini_read_members(&in, 0, names, ROOT_MEMBERS, at)) return false;
    read_tier(&in, at[TIER]);
    return gemini_read_tools(&in, at[TOOLS], at[TOOL_CONFIG]) && read_config(&in, r, at[CONFIG]) &&
           gemini_read_contents(&in, at[SYSTEM], at[CONTENTS]);
}
