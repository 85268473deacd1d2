/* Settings out of the hub, as Anthropic's API takes them. Source: Anthropic API reference, POST /v1/messages; extended
 * and adaptive thinking; structured outputs. */
#include "wire/anthropic/anthropic_translate.h"
#include "wire/translate/schema.h"
#include "wire/translate/thinking.h"

#define OUTPUT_TOKENS 4096        /* where neither the caller nor traits say: every model of that API writes so many */
#define USER_CHARACTERS_MAX 256u

struct asking {
    struct writing w;
    struct thinking thinking;
};

static const struct traits *traits_of(const struct asking *a)
{
    return a->w.target->traits;
}

static void drop(const struct asking *a, struct slice name)
{
    dropped_add(a->w.dropped, name);
}

/* --- how much it may write, and think --- */

static void write_thinking(const struct asking *a)
{
    if (a->thinking.is_disabled) writing_member(&a->w, SLICE("thinking"), SLICE("{\"type\":\"disabled\"}"));
    if (a->thinking.kind == THINKING_ADAPTIVE)
        writing_member(&a->w, SLICE("thinking"), SLICE("{\"type\":\"adaptive\"}"));
    if (a->thinking.kind != THINKING_BUDGET) return;
    writing_name(&a->w, SLICE("thinking"));
    buf_printf(a->w.out, "{\"type\":\"enabled\",\"budget_tokens\":%lld}", (long long)a->thinking.tokens);
}

/* --- how tokens are drawn --- */

static double knob_of(const struct asking *a, enum knob knob)
{
    return json_to_double(a->w.c->tape, a->w.c->knobs[knob]);
}

static bool has_knob(const struct asking *a, enum knob knob)
{
    return a->w.c->knobs[knob] != JSON_NONE;
}

static void write_knob(const struct asking *a, enum knob knob)
{
    writing_member(&a->w, knob_names[knob], json_raw(a->w.c->tape, a->w.c->knobs[knob]));
}

/* What says the same as nothing is not missed. */
static void drop_knob(const struct asking *a, enum knob knob, double usual)
{
    if (has_knob(a, knob) && knob_of(a, knob) != usual) drop(a, conversation_knob(a->w.c, knob));
}

static void write_temperature(const struct asking *a)
{
    if (!has_knob(a, KNOB_TEMPERATURE)) return;
    if (knob_of(a, KNOB_TEMPERATURE) <= 1) {
        write_knob(a, KNOB_TEMPERATURE);
        return;
    }
    writing_member(&a->w, knob_names[KNOB_TEMPERATURE], SLICE("1"));
    drop(a, conversation_knob(a->w.c, KNOB_TEMPERATURE));
}

static void write_knobs(const struct asking *a)
{
    unsigned knobs = thinking_knobs(&a->w, &a->thinking);
    if (knobs & 1u << KNOB_TEMPERATURE)
        write_temperature(a);
    else
        drop_knob(a, KNOB_TEMPERATURE, 1);
    if (knobs & 1u << KNOB_TOP_P)
        write_knob(a, KNOB_TOP_P);
    else
        drop_knob(a, KNOB_TOP_P, 1);
    if (knobs & 1u << KNOB_TOP_K)
        write_knob(a, KNOB_TOP_K);
    else
        drop_knob(a, KNOB_TOP_K, -1);
    drop_knob(a, KNOB_FREQUENCY, 0);
    drop_knob(a, KNOB_PRESENCE, 0);
    if (has_knob(a, KNOB_SEED)) drop(a, conversation_knob(a->w.c, KNOB_SEED));
}

/* Blank ones are refused. */
static void write_stops(const struct asking *a)
{
    const struct conversation *c = a->w.c;
    bool is_open = false;
    for (size_t i = 0; i < c->stop_count; i++) {
        if (writing_is_blank(c->stops[i])) {
            drop(a, c->words->stop);
            continue;
        }
        if (!is_open) {
            writing_name(&a->w, SLICE("stop_sequences"));
            buf_append_char(a->w.out, '[');
        }
        is_open = true;
        writing_comma(&a->w);
        buf_append(a->w.out, c->stops[i]);
    }
    if (is_open) buf_append_char(a->w.out, ']');
}

/* --- tools --- */

static void write_tool(const struct asking *a, const struct tool *t)
{
    const struct writing *w = &a->w;
    bool is_strict = t->is_strict && t->parameters != JSON_NONE && traits_of(a)->has_schema;
    writing_comma(w);
    buf_append(w->out, SLICE("{\"name\":"));
    buf_append(w->out, t->name);
    if (t->description.len > 2) writing_member(w, SLICE("description"), t->description);
    writing_name(w, SLICE("input_schema"));
    if (is_strict)
        schema_write_strict(w->c->tape, t->parameters, w->out, w->dropped,
                            arena_printf(w->c->arena, "tools[%u]", t->number));
    else
        writing_parameters(w, t);
    if (is_strict) writing_member(w, SLICE("strict"), SLICE("true"));
    if (t->is_strict && !is_strict) dropped_add_at(w->dropped, "tools", t->number, SLICE("strict"));
    writing_member(w, SLICE("cache_control"), t->cache);
    buf_append_char(w->out, '}');
}

static void write_choice(const struct asking *a)
{
    const struct conversation *c = a->w.c;
    enum choice choice = thinking_choice(&a->w, &a->thinking);
    bool is_single = c->parallel == CHAT_FALSE && choice != CHOICE_NONE;
    static const struct slice types[] = {[CHOICE_UNSAID] = {"auto", 4},
                                         [CHOICE_AUTO] = {"auto", 4},
                                         [CHOICE_NONE] = {"none", 4},
                                         [CHOICE_ANY] = {"any", 3},
                                         [CHOICE_NAMED] = {"tool", 4}};
    if (choice == CHOICE_UNSAID && !is_single) return;
    writing_name(&a->w, SLICE("tool_choice"));
    buf_printf(a->w.out, "{\"type\":\"%.*s\"", SLICE_FMT(types[choice]));
    if (choice == CHOICE_NAMED) writing_member(&a->w, SLICE("name"), c->choice_name);
    if (is_single) writing_member(&a->w, SLICE("disable_parallel_tool_use"), SLICE("true"));
    buf_append_char(a->w.out, '}');
}

static void write_tools(const struct asking *a)
{
    const struct conversation *c = a->w.c;
    bool is_forced = c->choice == CHOICE_ANY || c->choice == CHOICE_NAMED;
    if (!c->tools && is_forced) drop(a, c->words->choice);
    if (!c->tools) return;
    writing_name(&a->w, SLICE("tools"));
    buf_append_char(a->w.out, '[');
    for (const struct tool *t = c->tools; t; t = t->next)
        write_tool(a, t);
    buf_append_char(a->w.out, ']');
    write_choice(a);
}

/* --- the answer's format --- */

static bool carries_format(const struct conversation *c, const struct translate_target *target)
{
    return c->format == FORMAT_TEXT || (c->format == FORMAT_SCHEMA && target->traits->has_schema);
}

static void write_config(const struct asking *a)
{
    const struct writing *w = &a->w;
    bool has_format = w->c->format == FORMAT_SCHEMA && traits_of(a)->has_schema;
    if (!has_format && a->thinking.effort == EFFORT_UNSAID) return;
    writing_name(w, SLICE("output_config"));
    buf_append_char(w->out, '{');
    if (a->thinking.effort != EFFORT_UNSAID) {
        writing_name(w, SLICE("effort"));
        buf_printf(w->out, "\"%.*s\"", SLICE_FMT(effort_word(a->thinking.effort)));
    }
    if (has_format) {
        writing_name(w, SLICE("format"));
        buf_append(w->out, SLICE("{\"type\":\"json_schema\",\"schema\":"));
        schema_write_strict(w->c->tape, w->c->schema, w->out, w->dropped, w->c->words->format);
        buf_append_char(w->out, '}');
    }
    buf_append_char(w->out, '}');
}

/* --- the rest --- */

static void write_user(const struct asking *a)
{
    const struct conversation *c = a->w.c;
    if (c->user.len <= 2) return;
    if (!writing_fits(c->user, USER_CHARACTERS_MAX)) {
        drop(a, c->words->user);
        return;
    }
    writing_name(&a->w, SLICE("metadata"));
    buf_append(a->w.out, SLICE("{\"user_id\":"));
    buf_append(a->w.out, c->user);
    buf_append_char(a->w.out, '}');
}

static void write_tier(const struct asking *a)
{
    if (a->w.c->tier == TIER_AUTO) writing_member(&a->w, SLICE("service_tier"), SLICE("\"auto\""));
    if (a->w.c->tier == TIER_STANDARD) writing_member(&a->w, SLICE("service_tier"), SLICE("\"standard_only\""));
    if (a->w.c->tier > TIER_STANDARD) drop(a, a->w.c->words->tier);
}

bool anthropic_write_conversation(struct conversation *c, const struct translate_target *target, struct buf *out,
                                  struct dropped *dropped, struct fault *why)
{
    struct asking a = {.w = {.c = c, .target = target, .out = out, .dropped = dropped, .why = why}};
    conversation_prune(c, anthropic_takes_part, &a.w);
    conversation_take_turns(c, !target->traits->has_late_system);
    if (!carries_format(c, target)) writing_hint_format(&a.w, c);
    thinking_settle_length(&a.w, OUTPUT_TOKENS, &a.thinking);
    thinking_settle(&a.w, &a.thinking);
    buf_append_char(out, '{');
    writing_member(&a.w, SLICE("model"), c->model);
    writing_number(&a.w, SLICE("max_tokens"), a.thinking.max_tokens);
    write_tools(&a);
    anthropic_write_messages(&a.w);
    write_thinking(&a);
    write_config(&a);
    write_knobs(&a);
    write_stops(&a);
    write_user(&a);
    write_tier(&a);
    writing_member(&a.w, SLICE("cache_control"), c->cache);
    if (c->is_stream) writing_member(&a.w, SLICE("stream"), SLICE("true"));
    buf_append_char(out, '}');
    return true;
}
