/*
 * Tools of the Responses API, into the hub: functions, also those in namespaces, and custom ones, which elsewhere are
 * functions of one text. Tools that OpenAI runs are nobody else's: a search is left out where the model can do without.
 * Source: OpenAI API reference, POST /v1/responses, tools; namespaces and searches as Codex was seen to send them.
 */
#include "wire/responses/responses_translate.h"

#include <stdlib.h>

#include "wire/translate/choice.h"

struct tools {
    struct reading *in;
    struct choice_allowed allowed;
    bool has_own; /* that the client runs */
    struct slice space; /* of the namespace that is being read; empty: none */
};

static bool is_type(const struct reading *in, uint32_t object, struct slice type)
{
    return json_text_is(in->tape, json_get(in->tape, object, SLICE("type")), type);
}

/* NULL, with *is_good: it may not be called. */
static struct tool *add_tool(struct tools *t, uint32_t name, uint32_t description, bool takes_text, bool *is_good)
{
    struct reading *in = t->in;
    struct conversation *c = in->c;
    *is_good = json_is(in->tape, name, JSON_STRING) || reading_refuse(in, "\"name\" must be a string");
    if (!*is_good) return NULL;
    if (!choice_allows(in, &t->allowed, name)) {
        *is_good = reading_counts(in);
        return NULL;
    }
    struct tool *tool = conversation_add_tool(c, in->place.number);
    *is_good = tool ? reading_string(in, description, "description", &tool->description) : reading_is_full(in);
    if (!*is_good) return NULL;
    tool->name = tool_names_flat(c->arena, t->space, json_raw(in->tape, name));
    tool->takes_text = takes_text;
    if (!takes_text && !t->space.len) return tool;
    struct tool_name *known = tool_names_add(&c->names, c->arena);
    *is_good = known || reading_refuse(in, "there are too many tools in namespaces, or custom ones");
    if (!known) return NULL;
    known->flat = tool->name;
    known->name = json_raw(in->tape, name);
    known->space = t->space;
    known->takes_text = takes_text;
    return tool;
}

enum { TYPE, NAME, DESCRIPTION, PARAMETERS, STRICT, FUNCTION_MEMBERS };

static bool read_function(struct tools *t, uint32_t node)
{
    static const struct slice names[FUNCTION_MEMBERS] = {
        {"type", 4}, {"name", 4}, {"description", 11}, {"parameters", 10}, {"strict", 6}};
    uint32_t at[FUNCTION_MEMBERS];
    bool is_good;
    reading_members(t->in, node, names, FUNCTION_MEMBERS, at);
    if (at[PARAMETERS] != JSON_NONE && !json_is(t->in->tape, at[PARAMETERS], JSON_OBJECT))
        return reading_refuse(t->in, "\"parameters\" must be an object");
    struct tool *tool = add_tool(t, at[NAME], at[DESCRIPTION], false, &is_good);
    if (!tool) return is_good;
    tool->parameters = at[PARAMETERS];
    tool->is_strict = json_is(t->in->tape, at[STRICT], JSON_TRUE);
    return true;
}

/* The model is told of it; nobody sees to it that what it writes is of that grammar. */
static void describe_grammar(const struct tools *t, struct tool *tool, uint32_t format)
{
    const struct reading *in = t->in;
    uint32_t syntax = json_get(in->tape, format, SLICE("syntax"));
    uint32_t definition = json_get(in->tape, format, SLICE("definition"));
    if (format == JSON_NONE || is_type(in, format, SLICE("text"))) return;
    reading_drop(in, SLICE("format"));
    if (!json_is(in->tape, definition, JSON_STRING)) return;
    struct slice kind = json_is(in->tape, syntax, JSON_STRING) ? reading_inside(json_raw(in->tape, syntax)) : SLICE("");
    struct slice said = reading_inside(tool->description);
    tool->description = arena_printf(in->c->arena, "\"%.*s%sThe input must match this grammar (%.*s):\\n%.*s\"",
                                     SLICE_FMT(said), said.len ? "\\n\\n" : "", SLICE_FMT(kind),
                                     SLICE_FMT(reading_inside(json_raw(in->tape, definition))));
}

static bool read_custom(struct tools *t, uint32_t node)
{
    static const struct slice names[] = {{"type", 4}, {"name", 4}, {"description", 11}, {"format", 6}};
    uint32_t at[4];
    bool is_good;
    reading_members(t->in, node, names, 4, at);
    struct tool *tool = add_tool(t, at[1], at[2], true, &is_good);
    if (tool) describe_grammar(t, tool, at[3]);
    return is_good;
}

static bool is_of_kind(const struct reading *in, uint32_t tool, struct slice kind)
{
    uint32_t type = json_get(in->tape, tool, SLICE("type"));
    return json_is(in->tape, type, JSON_STRING) && slice_starts(reading_inside(json_raw(in->tape, type)), kind);
}

/* A model that has tools of its client's beside a search, as agents have, does its work without it. So it does without
 * one that looks only at what the provider has kept of the web. */
static bool is_dispensable(const struct tools *t, uint32_t tool)
{
    const struct reading *in = t->in;
    if (!is_of_kind(in, tool, SLICE("web_search"))) return false;
    return t->has_own || json_is(in->tape, json_get(in->tape, tool, SLICE("external_web_access")), JSON_FALSE);
}

static bool has_own(const struct reading *in, uint32_t tools)
{
    for (uint32_t n = json_first(in->tape, tools); n != JSON_NONE; n = json_next(in->tape, n)) {
        bool is_own = is_type(in, n, SLICE("function")) || is_type(in, n, SLICE("custom")) ||
                      is_type(in, n, SLICE("namespace"));
        if (is_own) return true;
    }
    return false;
}

static bool refuse_type(const struct reading *in, uint32_t tool)
{
    uint32_t node = json_get(in->tape, tool, SLICE("type"));
    struct slice type = json_is(in->tape, node, JSON_STRING) ? json_text(in->tape, node, in->c->arena) : SLICE("");
    return reading_refuse(in, "tools of type \"%.*s\" cannot be given to this model's provider: leave it out",
                          type.len > 40 ? 40 : (int)type.len, type.ptr);
}

static bool read_one(struct tools *t, uint32_t tool)
{
    if (!json_is(t->in->tape, tool, JSON_OBJECT)) return reading_refuse(t->in, "must be an object");
    if (is_type(t->in, tool, SLICE("function"))) return read_function(t, tool);
    if (is_type(t->in, tool, SLICE("custom"))) return read_custom(t, tool);
    if (!is_dispensable(t, tool)) return refuse_type(t->in, tool);
    reading_drop(t->in, SLICE(""));
    return reading_counts(t->in);
}

static bool read_space(struct tools *t, uint32_t space)
{
    static const struct slice names[] = {{"type", 4}, {"name", 4}, {"tools", 5}};
    uint32_t at[3];
    struct reading *in = t->in;
    if (!reading_counts(in)) return false;
    reading_members(in, space, names, 3, at);
    if (!json_is(in->tape, at[1], JSON_STRING)) return reading_refuse(in, "\"name\" must be a string");
    if (!json_is(in->tape, at[2], JSON_ARRAY)) return reading_refuse(in, "\"tools\" must be an array");
    t->space = json_raw(in->tape, at[1]);
    in->place.inner = "tools";
    in->place.inner_number = 0;
    for (uint32_t n = json_first(in->tape, at[2]); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_one(t, n)) return false;
        in->place.inner_number++;
    }
    in->place.inner = NULL;
    t->space = SLICE_NONE;
    return true;
}

/* --- names --- */

/* Whose a call is can be told from its name alone. */
static bool check_names(const struct reading *in)
{
    const struct conversation *c = in->c;
    size_t count = 0;
    if (!c->names.first) return true;
    for (const struct tool *t = c->tools; t; t = t->next)
        count++;
    struct slice *all = arena_alloc(c->arena, (count + 1) * sizeof *all);
    count = 0;
    for (const struct tool *t = c->tools; t; t = t->next)
        all[count++] = t->name;
    qsort(all, count, sizeof *all, reading_compare);
    for (size_t i = 1; i < count; i++) {
        if (slice_equal(all[i - 1], all[i]))
            return reading_refuse(in, "two \"tools\" would both be called %.*s by this model's provider",
                                  SLICE_FMT(all[i]));
    }
    return true;
}

bool responses_read_tools(struct reading *in, uint32_t tools, uint32_t choice)
{
    struct tools t = {.in = in};
    if (tools == JSON_NONE) return true;
    if (!choice_read_allowed(in, choice, &t.allowed)) return false;
    t.has_own = has_own(in, tools);
    in->place = (struct place){.list = "tools"};
    for (uint32_t n = json_first(in->tape, tools); n != JSON_NONE; n = json_next(in->tape, n)) {
        bool is_space = is_type(in, n, SLICE("namespace"));
        if (!(is_space ? read_space(&t, n) : read_one(&t, n))) return false;
        in->place.number++;
    }
    in->place = (struct place){.list = NULL};
    return check_names(in);
}
