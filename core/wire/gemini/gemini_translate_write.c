/*
 * Settings and tools, out of the hub, as Gemini's API takes them.
 * Source: Gemini API reference, generateContent, GenerationConfig and ToolConfig; "Gemini thinking"; "Structured
 * outputs"; "Function calling".
 */
#include "wire/gemini/gemini_translate.h"
#include "wire/translate/schema.h"

#include <limits.h>

#define STOPS_MAX 5u
#define MODE(word) SLICE("{\"functionCallingConfig\":{\"mode\":\"" word "\"")

static const struct traits *traits_of(const struct writing *w)
{
    return w->target->traits;
}

static void drop(const struct writing *w, struct slice name)
{
    dropped_add(w->dropped, name);
}

/* --- tools --- */

/* An object without members is refused there: of a tool that takes nothing, nothing is said. */
static bool takes_something(const struct writing *w, const struct tool *t)
{
    const struct json_tape *tape = w->c->tape;
    if (t->takes_text) return true;
    if (t->parameters == JSON_NONE) return false;
    for (uint32_t n = json_first(tape, t->parameters); n != JSON_NONE; n = json_next(tape, n)) {
        bool is_container = json_type(tape, n) >= JSON_ARRAY && json_first(tape, n) != JSON_NONE;
        if (is_container || json_key_is(tape, n, SLICE("$ref"))) return true;
    }
    return false;
}

static void write_tool(const struct writing *w, const struct tool *t)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"name\":"));
    buf_append(w->out, t->name);
    if (t->description.len > 2) writing_member(w, SLICE("description"), t->description);
    if (takes_something(w, t)) {
        writing_name(w, SLICE("parametersJsonSchema"));
        writing_parameters(w, t);
    }
    buf_append_char(w->out, '}');
    if (t->cache.len) dropped_add_at(w->dropped, "tools", t->number, SLICE("cache_control"));
}

static bool has_strict(const struct conversation *c)
{
    for (const struct tool *t = c->tools; t; t = t->next) {
        if (t->is_strict) return true;
    }
    return false;
}

static void drop_strict(const struct writing *w)
{
    for (const struct tool *t = w->c->tools; t; t = t->next)
        if (t->is_strict) dropped_add_at(w->dropped, "tools", t->number, SLICE("strict"));
}

/* Calls fit their schemas where a tool must be called, and where the mode says that they are looked at. */
static struct slice mode_of(const struct writing *w)
{
    bool is_validated = has_strict(w->c) && traits_of(w)->has_schema;
    switch (w->c->choice) {
    case CHOICE_UNSAID: return is_validated ? MODE("VALIDATED") : SLICE_NONE;
    case CHOICE_AUTO: return is_validated ? MODE("VALIDATED") : MODE("AUTO");
    case CHOICE_NONE: return MODE("NONE");
    case CHOICE_ANY:
    case CHOICE_NAMED: return MODE("ANY");
    }
    return SLICE_NONE;
}

static void write_choice(const struct writing *w)
{
    const struct conversation *c = w->c;
    struct slice mode = mode_of(w);
    bool is_optional = c->choice == CHOICE_UNSAID || c->choice == CHOICE_AUTO;
    if (is_optional && !traits_of(w)->has_schema) drop_strict(w);
    if (c->parallel == CHAT_FALSE && c->choice != CHOICE_NONE) drop(w, c->words->parallel);
    if (!mode.len) return;
    writing_name(w, SLICE("toolConfig"));
    buf_append(w->out, mode);
    if (c->choice == CHOICE_NAMED) {
        writing_name(w, SLICE("allowedFunctionNames"));
        buf_printf(w->out, "[%.*s]", SLICE_FMT(c->choice_name));
    }
    buf_append(w->out, SLICE("}}"));
}

static void write_tools(const struct writing *w)
{
    const struct conversation *c = w->c;
    bool is_forced = c->choice == CHOICE_ANY || c->choice == CHOICE_NAMED;
    if (!c->tools && is_forced) drop(w, c->words->choice);
    if (!c->tools) return;
    writing_name(w, SLICE("tools"));
    buf_append(w->out, SLICE("[{\"functionDeclarations\":["));
    for (const struct tool *t = c->tools; t; t = t->next)
        write_tool(w, t);
    buf_append(w->out, SLICE("]}]"));
    write_choice(w);
}

/* --- how much it may write --- */

static int64_t length_of(const struct writing *w)
{
    int64_t most = traits_of(w)->output_tokens;
    return most && w->c->max_tokens > most ? most : w->c->max_tokens;
}

static void write_length(const struct writing *w)
{
    int64_t length = length_of(w);
    if (length < 0) return;
    if (length < w->c->max_tokens) drop(w, w->c->max_tokens_name);
    writing_number(w, SLICE("maxOutputTokens"), length);
}

static void write_stops(const struct writing *w)
{
    const struct conversation *c = w->c;
    if (c->stop_count > STOPS_MAX) drop(w, c->words->stop);
    if (!c->stop_count) return;
    writing_name(w, SLICE("stopSequences"));
    buf_append_char(w->out, '[');
    for (size_t i = 0; i < c->stop_count && i < STOPS_MAX; i++) {
        writing_comma(w);
        buf_append(w->out, c->stops[i]);
    }
    buf_append_char(w->out, ']');
}

/* --- how tokens are drawn --- */

/* Of 32 bits there; elsewhere it may be longer. */
static bool is_seed(const struct writing *w, uint32_t node)
{
    int64_t seed;
    return json_to_i64(w->c->tape, node, &seed) && seed >= INT32_MIN && seed <= INT32_MAX;
}

static bool is_taken(const struct writing *w, enum knob knob, uint32_t node)
{
    const struct json_tape *tape = w->c->tape;
    int64_t whole;
    switch (knob) {
    case KNOB_TEMPERATURE: return json_to_double(tape, node) <= 2;
    case KNOB_TOP_P: return true;
    case KNOB_TOP_K: return json_to_i64(tape, node, &whole) && whole > 0;
    case KNOB_SEED: return is_seed(w, node);
    case KNOB_FREQUENCY:
    case KNOB_PRESENCE: return traits_of(w)->has_penalties;
    case KNOBS: break;
    }
    return false;
}

/* What says the same as nothing is not missed. */
static bool is_missed(const struct writing *w, enum knob knob, uint32_t node)
{
    double value = json_to_double(w->c->tape, node);
    if (knob == KNOB_FREQUENCY || knob == KNOB_PRESENCE) return value != 0;
    return knob != KNOB_TOP_K || value > 0;
}

static void write_knobs(const struct writing *w)
{
    static const struct slice names[KNOBS] = {[KNOB_TEMPERATURE] = {"temperature", 11},
                                              [KNOB_TOP_P] = {"topP", 4},
                                              [KNOB_TOP_K] = {"topK", 4},
                                              [KNOB_SEED] = {"seed", 4},
                                              [KNOB_FREQUENCY] = {"frequencyPenalty", 16},
                                              [KNOB_PRESENCE] = {"presencePenalty", 15}};
    for (int k = 0; k < KNOBS; k++) {
        uint32_t node = w->c->knobs[k];
        if (node == JSON_NONE) continue;
        if (is_taken(w, (enum knob)k, node))
            writing_member(w, names[k], json_raw(w->c->tape, node));
        else if (is_missed(w, (enum knob)k, node))
            drop(w, knob_names[k]);
    }
}

/* --- how much it thinks --- */

/* Thoughts count as the answer's, half of whose bound is left for what is said; never less than it must think. */
static int64_t budget_of(const struct writing *w)
{
    const struct conversation *c = w->c;
    const struct traits *t = traits_of(w);
    int64_t wanted = c->thinking_tokens >= 0 ? c->thinking_tokens : effort_tokens(c->effort), length = length_of(w);
    if (length >= 0 && wanted > length / 2) wanted = length / 2;
    if (t->thinking_most && wanted > t->thinking_most) wanted = t->thinking_most;
    return wanted > t->thinking_least ? wanted : t->thinking_least;
}

static void write_budget(const struct writing *w)
{
    bool is_off = w->c->effort == EFFORT_NONE;
    int64_t budget = is_off && traits_of(w)->has_rest ? 0 : budget_of(w);
    if (is_off && budget) drop(w, w->c->words->effort);
    writing_name(w, SLICE("thinkingConfig"));
    buf_printf(w->out, "{\"includeThoughts\":%s,\"thinkingBudget\":%lld}", is_off ? "false" : "true",
               (long long)budget);
}

static void write_level(const struct writing *w)
{
    static const struct slice levels[EFFORTS] = {[EFFORT_MINIMAL] = {"MINIMAL", 7},
                                                 [EFFORT_LOW] = {"LOW", 3},
                                                 [EFFORT_MEDIUM] = {"MEDIUM", 6},
                                                 [EFFORT_HIGH] = {"HIGH", 4}};
    enum effort effort = writing_effort(w, EFFORT_MINIMAL);
    bool is_off = w->c->effort == EFFORT_NONE;
    if (!levels[effort].len) drop(w, w->c->words->effort);
    if (!levels[effort].len) return;
    writing_name(w, SLICE("thinkingConfig"));
    buf_printf(w->out, "{\"includeThoughts\":%s,\"thinkingLevel\":\"%.*s\"}", is_off ? "false" : "true",
               SLICE_FMT(levels[effort]));
}

/* Not to think is what a model does that cannot. */
static void write_thinking(const struct writing *w)
{
    enum effort effort = w->c->effort;
    if (effort == EFFORT_UNSAID) return;
    switch (traits_of(w)->thinking) {
    case THINKING_NONE:
    case THINKING_ADAPTIVE:
        if (effort != EFFORT_NONE) drop(w, w->c->words->effort);
        return;
    case THINKING_BUDGET: write_budget(w); return;
    case THINKING_LEVEL: write_level(w); return;
    }
}

/* --- the answer's format --- */

/* Older models take no format beside tools. */
static bool takes_format(const struct writing *w)
{
    bool is_alone = !w->c->tools || w->c->choice == CHOICE_NONE || traits_of(w)->has_schema_with_tools;
    return is_alone && (w->c->format != FORMAT_SCHEMA || traits_of(w)->has_schema);
}

static void write_format(const struct writing *w)
{
    const struct conversation *c = w->c;
    if (c->format == FORMAT_TEXT || !takes_format(w)) return;
    writing_member(w, SLICE("responseMimeType"), SLICE("\"application/json\""));
    if (c->format == FORMAT_SCHEMA) writing_member(w, SLICE("responseJsonSchema"), json_raw(c->tape, c->schema));
}

/* --- all of it --- */

static void write_config(const struct writing *w)
{
    struct buf config;
    struct writing inner = *w;
    buf_init(&config);
    inner.out = &config;
    buf_append_char(&config, '{');
    write_length(&inner);
    write_knobs(&inner);
    write_stops(&inner);
    write_thinking(&inner);
    write_format(&inner);
    buf_append_char(&config, '}');
    if (buf_len(&config) > 2) writing_member(w, SLICE("generationConfig"), buf_slice(&config));
    buf_clear(&config);
}

/* What the API has no place for, and what it does by itself. */
static void drop_rest(const struct writing *w)
{
    if (w->c->tier > TIER_STANDARD) drop(w, w->c->words->tier);
    if (w->c->user.len > 2) drop(w, w->c->words->user);
    if (w->c->cache.len) drop(w, SLICE("cache_control"));
}

bool gemini_write_conversation(struct conversation *c, const struct translate_target *target, struct buf *out,
                               struct dropped *dropped, struct fault *why)
{
    struct writing w = {.c = c, .target = target, .out = out, .dropped = dropped, .why = why};
    conversation_prune(c, gemini_takes_part, &w);
    conversation_take_turns(c, true);
    if (!gemini_check_files(&w)) return false;
    if (c->format != FORMAT_TEXT && !takes_format(&w)) writing_hint_format(&w, c);
    buf_append_char(out, '{');
    gemini_write_contents(&w);
    write_tools(&w);
    write_config(&w);
    drop_rest(&w);
    buf_append_char(out, '}');
    return true;
}
