/* Settings out of the hub, as OpenAI's Responses API takes them. Nothing is kept there: what was thought comes
 * encrypted, and is given back by the client. Source: OpenAI API reference, POST /v1/responses; "Reasoning models"; its
 * error for an answer's least length ("integer below minimum value. Expected a value >= 16"). */
#include "wire/responses/responses_translate.h"

#define USER_CHARACTERS_MAX 64u
#define CACHE_KEY_CHARACTERS_MAX 64u
#define METADATA_PAIRS 16u
#define METADATA_NAME_CHARACTERS 64u
#define METADATA_VALUE_CHARACTERS 512u

static const struct traits *traits_of(const struct writing *w)
{
    return w->target->traits;
}

/* --- tools --- */

/* Where nothing is said of "strict" it is true there. */
static void write_tool(const struct writing *w, const struct tool *t)
{
    bool is_strict = writing_is_strict(w, t);
    writing_comma(w);
    buf_append(w->out, SLICE("{\"type\":\"function\",\"name\":"));
    buf_append(w->out, t->name);
    if (t->description.len > 2) writing_member(w, SLICE("description"), t->description);
    writing_name(w, SLICE("parameters"));
    writing_parameters(w, t);
    writing_member(w, SLICE("strict"), is_strict ? SLICE("true") : SLICE("false"));
    buf_append_char(w->out, '}');
    if (t->cache.len) dropped_add_at(w->dropped, "tools", t->number, SLICE("cache_control"));
}

static void write_choice(const struct writing *w)
{
    const struct conversation *c = w->c;
    switch (c->choice) {
    case CHOICE_UNSAID: return;
    case CHOICE_AUTO: writing_member(w, SLICE("tool_choice"), SLICE("\"auto\"")); return;
    case CHOICE_NONE: writing_member(w, SLICE("tool_choice"), SLICE("\"none\"")); return;
    case CHOICE_ANY: writing_member(w, SLICE("tool_choice"), SLICE("\"required\"")); return;
    case CHOICE_NAMED:
        writing_name(w, SLICE("tool_choice"));
        buf_append(w->out, SLICE("{\"type\":\"function\",\"name\":"));
        buf_append(w->out, c->choice_name);
        buf_append_char(w->out, '}');
        return;
    }
}

static void write_tools(const struct writing *w)
{
    const struct conversation *c = w->c;
    bool is_forced = c->choice == CHOICE_ANY || c->choice == CHOICE_NAMED;
    if (!c->tools && is_forced) dropped_add(w->dropped, c->words->choice);
    if (!c->tools) return;
    writing_name(w, SLICE("tools"));
    buf_append_char(w->out, '[');
    for (const struct tool *t = c->tools; t; t = t->next)
        write_tool(w, t);
    buf_append_char(w->out, ']');
    write_choice(w);
    if (c->parallel == CHAT_FALSE) writing_member(w, SLICE("parallel_tool_calls"), SLICE("false"));
}

/* --- how it is to answer --- */

static void write_length(const struct writing *w)
{
    int64_t wanted = w->c->max_tokens, most = traits_of(w)->output_tokens;
    int64_t least = dialect_responses.output_least;
    int64_t given = most && wanted > most ? most : wanted < least ? least : wanted;
    if (wanted < 0) return;
    writing_number(w, SLICE("max_output_tokens"), given);
    if (given != wanted) dropped_add(w->dropped, w->c->max_tokens_name);
}

static void write_knobs(const struct writing *w)
{
    bool draws = !traits_of(w)->has_fixed_sampling;
    writing_knob(w, KNOB_TEMPERATURE, draws, 1);
    writing_knob(w, KNOB_TOP_P, draws, 1);
    writing_knob(w, KNOB_TOP_K, false, -1);
    writing_knob(w, KNOB_FREQUENCY, false, 0);
    writing_knob(w, KNOB_PRESENCE, false, 0);
    if (w->c->knobs[KNOB_SEED] != JSON_NONE) dropped_add(w->dropped, conversation_knob(w->c, KNOB_SEED));
    if (w->c->stop_count) dropped_add(w->dropped, w->c->words->stop);
}

static void write_reasoning(const struct writing *w)
{
    enum effort effort = writing_depth(w);
    if (effort == EFFORT_UNSAID) return;
    writing_name(w, SLICE("reasoning"));
    buf_printf(w->out, "{\"effort\":\"%.*s\"}", SLICE_FMT(effort_word(effort)));
}

static void write_schema(const struct writing *w)
{
    const struct conversation *c = w->c;
    writing_name(w, SLICE("text"));
    buf_append(w->out, SLICE("{\"format\":{\"type\":\"json_schema\",\"name\":"));
    buf_append(w->out, c->schema_name.len > 2 ? c->schema_name : SLICE("\"answer\""));
    writing_member(w, SLICE("schema"), json_raw(c->tape, c->schema));
    writing_member(w, SLICE("strict"), writing_is_schema_strict(w) ? SLICE("true") : SLICE("false"));
    buf_append(w->out, SLICE("}}"));
}

static void write_format(const struct writing *w)
{
    switch (w->c->format) {
    case FORMAT_TEXT: return;
    case FORMAT_OBJECT: writing_member(w, SLICE("text"), SLICE("{\"format\":{\"type\":\"json_object\"}}")); return;
    case FORMAT_SCHEMA: write_schema(w); return;
    }
}

/* --- who asks, and what for --- */

static void write_user(const struct writing *w)
{
    const struct conversation *c = w->c;
    if (c->user.len <= 2) return;
    if (writing_fits(c->user, USER_CHARACTERS_MAX))
        writing_member(w, SLICE("user"), c->user);
    else
        dropped_add(w->dropped, c->words->user);
}

static void write_cache_key(const struct writing *w)
{
    const struct conversation *c = w->c;
    if (writing_fits(c->cache_key, CACHE_KEY_CHARACTERS_MAX))
        writing_member(w, SLICE("prompt_cache_key"), c->cache_key);
    else
        dropped_add(w->dropped, SLICE("prompt_cache_key"));
}

static void write_tier(const struct writing *w)
{
    static const struct slice tiers[] = {[TIER_UNSAID] = {"", 0},
                                         [TIER_AUTO] = {"\"auto\"", 6},
                                         [TIER_STANDARD] = {"\"default\"", 9},
                                         [TIER_FLEX] = {"\"flex\"", 6},
                                         [TIER_PRIORITY] = {"\"priority\"", 10}};
    writing_member(w, SLICE("service_tier"), tiers[w->c->tier]);
}

static bool is_label(const struct conversation *c, uint32_t label)
{
    return json_is(c->tape, label, JSON_STRING) && writing_fits(json_key(c->tape, label), METADATA_NAME_CHARACTERS) &&
           writing_fits(json_raw(c->tape, label), METADATA_VALUE_CHARACTERS);
}

static void write_labels(const struct writing *w)
{
    const struct conversation *c = w->c;
    size_t count = 0;
    for (uint32_t n = c->labels == JSON_NONE ? JSON_NONE : json_first(c->tape, c->labels); n != JSON_NONE;
         n = json_next(c->tape, n)) {
        struct slice name = json_key(c->tape, n);
        if (count == METADATA_PAIRS || !is_label(c, n)) {
            dropped_add(w->dropped, arena_join(c->arena, SLICE("metadata."), json_decode(name, c->arena)));
            continue;
        }
        if (!count++) {
            writing_name(w, SLICE("metadata"));
            buf_append_char(w->out, '{');
        }
        writing_comma(w);
        buf_append(w->out, name);
        buf_append_char(w->out, ':');
        buf_append(w->out, json_raw(c->tape, n));
    }
    if (count) buf_append_char(w->out, '}');
}

/* A model that does not think refuses to be asked for what it thought. */
static void write_keeping(const struct writing *w)
{
    writing_member(w, SLICE("store"), SLICE("false"));
    if (traits_of(w)->efforts) writing_member(w, SLICE("include"), SLICE("[\"reasoning.encrypted_content\"]"));
}

static void write_rest(const struct writing *w)
{
    const struct conversation *c = w->c;
    write_user(w);
    write_tier(w);
    write_labels(w);
    write_cache_key(w);
    write_keeping(w);
    if (c->cache.len && traits_of(w)->cache != CACHE_AS_BREAKPOINT) dropped_add(w->dropped, SLICE("cache_control"));
    if (c->is_stream) writing_member(w, SLICE("stream"), SLICE("true"));
}

bool responses_write_conversation(struct conversation *c, const struct translate_target *target, struct buf *out,
                                  struct dropped *dropped, struct fault *why)
{
    struct writing w = {.c = c, .target = target, .out = out, .dropped = dropped, .why = why};
    responses_take_turns(c, &w);
    writing_drop_beginning(&w);
    buf_append_char(out, '{');
    writing_member(&w, SLICE("model"), c->model);
    responses_write_input(&w);
    write_tools(&w);
    write_length(&w);
    write_knobs(&w);
    write_reasoning(&w);
    write_format(&w);
    write_rest(&w);
    buf_append_char(out, '}');
    return true;
}
