/* Tools of Gemini's API, and which of them may be called, into the hub. Source: Gemini API reference, Tool and
 * FunctionCallingConfig. */
#include "wire/gemini/gemini_reading.h"

#include <stdlib.h>

struct tools {
    struct reading *in;
    struct slice *allowed; /* sorted; NULL: all are */
    uint32_t allowed_count, number;
    bool has_own; /* that the client runs */
};

static const struct gemini_name declarations = {{"functionDeclarations", 20}, {"function_declarations", 21}};

static bool is_declarations(const struct json_tape *tape, uint32_t member)
{
    return json_key_is(tape, member, declarations.name) || json_key_is(tape, member, declarations.other);
}

/* --- functions --- */

enum { NAME, DESCRIPTION, PARAMETERS, JSON_PARAMETERS, FUNCTION_MEMBERS };
static const struct gemini_name function_names[FUNCTION_MEMBERS] = {
    [NAME] = {{"name", 4}, {"name", 4}},
    [DESCRIPTION] = {{"description", 11}, {"description", 11}},
    [PARAMETERS] = {{"parameters", 10}, {"parameters", 10}},
    [JSON_PARAMETERS] = {{"parametersJsonSchema", 20}, {"parameters_json_schema", 22}},
};

static bool is_allowed(const struct tools *t, uint32_t name)
{
    if (!t->allowed) return true;
    struct slice text = json_text(t->in->tape, name, t->in->c->arena);
    return bsearch(&text, t->allowed, t->allowed_count, sizeof text, reading_compare) != NULL;
}

static bool read_function(struct tools *t, uint32_t node)
{
    uint32_t at[FUNCTION_MEMBERS];
    struct reading *in = t->in;
    if (!json_is(in->tape, node, JSON_OBJECT)) return reading_refuse(in, "must be an object");
    if (!gemini_read_members(in, node, function_names, FUNCTION_MEMBERS, at)) return false;
    if (!json_is(in->tape, at[NAME], JSON_STRING)) return reading_refuse(in, "\"name\" must be a string");
    if (at[PARAMETERS] != JSON_NONE && at[JSON_PARAMETERS] != JSON_NONE)
        return reading_refuse(in, "give \"parameters\" or \"parametersJsonSchema\", not both");
    uint32_t schema = at[PARAMETERS] != JSON_NONE ? at[PARAMETERS] : at[JSON_PARAMETERS];
    if (schema != JSON_NONE && !json_is(in->tape, schema, JSON_OBJECT))
        return reading_refuse(in, "\"parameters\" must be an object");
    if (!is_allowed(t, at[NAME])) return reading_counts(in);
    struct tool *tool = conversation_add_tool(in->c, in->place.number);
    if (!tool) return reading_is_full(in);
    tool->name = json_raw(in->tape, at[NAME]);
    tool->parameters = schema;
    return reading_string(in, at[DESCRIPTION], "description", &tool->description);
}

/* One stands for a list of one. */
static bool read_functions(struct tools *t, uint32_t list)
{
    struct reading *in = t->in;
    in->place.inner = "functionDeclarations";
    in->place.inner_number = 0;
    bool is_list = json_is(in->tape, list, JSON_ARRAY);
    if (!is_list && !read_function(t, list)) return false;
    for (uint32_t n = is_list ? json_first(in->tape, list) : JSON_NONE; n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_function(t, n)) return false;
        in->place.inner_number++;
    }
    in->place.inner = NULL;
    return true;
}

/* --- tools that Google runs --- */

/* A model that has tools of its client's beside a search, as agents have, does its work without it. */
static bool is_dispensable(const struct tools *t, uint32_t member)
{
    static const struct slice names[] = {{"googleSearch", 12},          {"google_search", 13},
                                         {"googleSearchRetrieval", 21}, {"google_search_retrieval", 23},
                                         {"urlContext", 10},            {"url_context", 11}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_key_is(t->in->tape, member, names[i])) return t->has_own;
    }
    return false;
}

static bool read_member(struct tools *t, uint32_t member)
{
    struct reading *in = t->in;
    if (json_is(in->tape, member, JSON_NULL)) return true;
    if (is_declarations(in->tape, member)) return read_functions(t, member);
    struct slice name = json_key_text(in->tape, member, in->c->arena);
    if (!is_dispensable(t, member))
        return reading_refuse(in, "\"%.*s\" cannot be given to this model's provider: leave it out",
                              name.len > 40 ? 40 : (int)name.len, name.ptr);
    reading_drop(in, name);
    return reading_counts(in);
}

static bool read_tool(struct tools *t, uint32_t tool)
{
    struct reading *in = t->in;
    in->place = (struct place){.list = "tools", .number = t->number++};
    if (!json_is(in->tape, tool, JSON_OBJECT)) return reading_refuse(in, "must be an object");
    for (uint32_t n = json_first(in->tape, tool); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_member(t, n)) return false;
    }
    return true;
}

static bool has_own(const struct json_tape *tape, uint32_t tool)
{
    return gemini_get(tape, tool, declarations) != JSON_NONE;
}

static bool read_all(struct tools *t, uint32_t tools)
{
    const struct json_tape *tape = t->in->tape;
    bool is_list = json_is(tape, tools, JSON_ARRAY);
    t->has_own = !is_list && has_own(tape, tools);
    if (!is_list) return read_tool(t, tools);
    for (uint32_t n = json_first(tape, tools); n != JSON_NONE; n = json_next(tape, n))
        t->has_own = t->has_own || has_own(tape, n);
    for (uint32_t n = json_first(tape, tools); n != JSON_NONE; n = json_next(tape, n)) {
        if (!read_tool(t, n)) return false;
    }
    return true;
}

/* --- which may be called --- */

#define ALLOWED_MAX 512u /* functions that Google's API takes */

static bool read_allowed(struct tools *t, uint32_t names)
{
    struct reading *in = t->in;
    if (names == JSON_NONE || reading_is_empty(in->tape, names)) return true;
    if (!json_is(in->tape, names, JSON_ARRAY)) return reading_refuse(in, "\"allowedFunctionNames\" must be an array");
    if (json_count(in->tape, names) > ALLOWED_MAX)
        return reading_refuse(in, "\"allowedFunctionNames\" must name no more than %u functions", ALLOWED_MAX);
    t->allowed = arena_alloc(in->c->arena, json_count(in->tape, names) * sizeof *t->allowed);
    for (uint32_t n = json_first(in->tape, names); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!json_is(in->tape, n, JSON_STRING))
            return reading_refuse(in, "\"allowedFunctionNames\" must hold strings");
        t->allowed[t->allowed_count++] = json_text(in->tape, n, in->c->arena);
        in->c->choice_name = json_raw(in->tape, n);
    }
    qsort(t->allowed, t->allowed_count, sizeof *t->allowed, reading_compare);
    return true;
}

/* VALIDATED: it may call what fits its schema, which no other API says. */
static bool read_mode(const struct reading *in, uint32_t mode)
{
    static const struct {
        struct slice word;
        enum choice choice;
    } modes[] = {{{"MODE_UNSPECIFIED", 16}, CHOICE_UNSAID}, {{"AUTO", 4}, CHOICE_AUTO}, {{"VALIDATED", 9}, CHOICE_AUTO},
                 {{"ANY", 3}, CHOICE_ANY},                  {{"NONE", 4}, CHOICE_NONE}};
    if (mode == JSON_NONE) return true;
    struct slice word = json_is(in->tape, mode, JSON_STRING) ? json_text(in->tape, mode, in->c->arena) : SLICE("");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (!slice_iequal(word, modes[i].word)) continue;
        in->c->choice = modes[i].choice;
        return true;
    }
    return reading_refuse(in, "\"mode\" must be AUTO, ANY, NONE or VALIDATED");
}

static bool read_choice(struct tools *t, uint32_t config)
{
    static const struct gemini_name outer = {{"functionCallingConfig", 21}, {"function_calling_config", 23}},
                                    names[] = {{{"mode", 4}, {"mode", 4}},
                                               {{"allowedFunctionNames", 20}, {"allowed_function_names", 22}}};
    struct reading *in = t->in;
    uint32_t calling, at[2];
    in->place = (struct place){.list = "toolConfig", .number = PLACE_UNNUMBERED};
    if (!gemini_read_members(in, config, &outer, 1, &calling)) return false;
    in->place.inner = "functionCallingConfig";
    in->place.inner_number = PLACE_UNNUMBERED;
    if (!gemini_read_members(in, calling, names, 2, at)) return false;
    if (!read_mode(in, at[0]) || !read_allowed(t, at[1])) return false;
    if (in->c->choice == CHOICE_ANY && t->allowed_count == 1) in->c->choice = CHOICE_NAMED;
    in->place = (struct place){.list = NULL};
    return true;
}

bool gemini_read_tools(struct reading *in, uint32_t tools, uint32_t config)
{
    struct tools t = {.in = in};
    if (!read_choice(&t, config)) return false;
    bool is_good = tools == JSON_NONE || read_all(&t, tools);
    in->place = (struct place){.list = NULL};
    return is_good;
}
