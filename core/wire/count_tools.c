/*
 * Functions as OpenAI's models are told of them: declarations of TypeScript in a namespace. What the provider does is
 * not published; this form comes nearest to its own counts (see scripts/catalogue/counting.lua).
 */
#include "wire/count_inner.h"

/* Names compared in all: some ten thousand of them are no tools that anybody uses, and a list of each times the other
 * would hold up the loop. Those behind count as optional, which is a token or none. */
#define LOOKS_MAX 100000u

/* Behind so many bytes lines are not indented any more: that is a token or none, and a deep schema of a few megabytes
 * would become ten times as long by it. */
#define INDENTED_MAX (1u << 20)

static struct slice text_of(struct tools_text *r, uint32_t node)
{
    return json_is(r->tape, node, JSON_STRING) ? json_text(r->tape, node, &r->arena) : SLICE("");
}

static void put(struct tools_text *r, struct slice text)
{
    buf_append(r->out, text);
}

static void put_indent(struct tools_text *r, unsigned indent)
{
    static const char spaces[] = "                                                                                ";
    if (buf_len(r->out) > INDENTED_MAX) return;
    put(r, slice_of(spaces, indent < sizeof spaces - 1 ? indent : sizeof spaces - 1));
}

static void put_comment(struct tools_text *r, uint32_t description, unsigned indent)
{
    struct slice text = text_of(r, description);
    if (!text.len) return;
    put_indent(r, indent);
    put(r, SLICE("// "));
    put(r, text);
    put(r, SLICE("\n"));
}

static void put_type(struct tools_text *r, uint32_t schema, unsigned indent);

static bool is_required(struct tools_text *r, uint32_t required, struct slice name)
{
    if (!json_is(r->tape, required, JSON_ARRAY)) return false;
    for (uint32_t n = json_first(r->tape, required); n != JSON_NONE && r->looks < LOOKS_MAX;
         n = json_next(r->tape, n)) {
        r->looks++;
        if (json_text_is(r->tape, n, name)) return true;
    }
    return false;
}

static void put_properties(struct tools_text *r, uint32_t schema, unsigned indent)
{
    uint32_t properties = json_get(r->tape, schema, SLICE("properties"));
    uint32_t required = json_get(r->tape, schema, SLICE("required"));
    if (!json_is(r->tape, properties, JSON_OBJECT)) return;
    for (uint32_t n = json_first(r->tape, properties); n != JSON_NONE; n = json_next(r->tape, n)) {
        struct slice name = json_key_text(r->tape, n, &r->arena);
        put_comment(r, json_get(r->tape, n, SLICE("description")), indent);
        put_indent(r, indent);
        put(r, name);
        put(r, is_required(r, required, name) ? SLICE(": ") : SLICE("?: "));
        put_type(r, n, indent);
        put(r, SLICE(",\n"));
    }
}

static void put_enum(struct tools_text *r, uint32_t values)
{
    bool is_first = true;
    for (uint32_t n = json_first(r->tape, values); n != JSON_NONE; n = json_next(r->tape, n)) {
        if (!is_first) put(r, SLICE(" | "));
        is_first = false;
        put(r, json_raw(r->tape, n));
    }
}

static bool is_type(struct tools_text *r, uint32_t schema, struct slice name)
{
    return json_text_is(r->tape, json_get(r->tape, schema, SLICE("type")), name);
}

static void put_type(struct tools_text *r, uint32_t schema, unsigned indent)
{
    uint32_t values = json_get(r->tape, schema, SLICE("enum"));
    if (json_is(r->tape, values, JSON_ARRAY)) {
        put_enum(r, values);
    } else if (is_type(r, schema, SLICE("object"))) {
        put(r, SLICE("{\n"));
        put_properties(r, schema, indent + 2);
        put_indent(r, indent);
        put(r, SLICE("}"));
    } else if (is_type(r, schema, SLICE("array"))) {
        uint32_t items = json_get(r->tape, schema, SLICE("items"));
        if (json_is(r->tape, items, JSON_OBJECT))
            put_type(r, items, indent);
        else
            put(r, SLICE("any"));
        put(r, SLICE("[]"));
    } else if (is_type(r, schema, SLICE("integer"))) {
        put(r, SLICE("number"));
    } else {
        struct slice type = text_of(r, json_get(r->tape, schema, SLICE("type")));
        put(r, type.len ? type : SLICE("any"));
    }
}

static void put_function(struct tools_text *r, const struct chat_piece *function)
{
    uint32_t properties = json_get(r->tape, function->parameters, SLICE("properties"));
    put_comment(r, function->description, 0);
    put(r, SLICE("type "));
    put(r, text_of(r, function->name));
    if (json_is(r->tape, properties, JSON_OBJECT) && json_first(r->tape, properties) != JSON_NONE) {
        put(r, SLICE(" = (_: {\n"));
        put_properties(r, function->parameters, 0);
        put(r, SLICE("}) => any;\n\n"));
    } else {
        put(r, SLICE(" = () => any;\n\n"));
    }
}

void tools_text_init(struct tools_text *r, const struct json_tape *tape, struct buf *out)
{
    *r = (struct tools_text){.tape = tape, .out = out};
    arena_init(&r->arena);
}

/* Hosted tools and custom ones have no parameters to declare: their own JSON stands for what they add. */
void tools_text_add(struct tools_text *r, const struct chat_piece *tool)
{
    if (r->count++ == 0) put(r, SLICE("namespace functions {\n\n"));
    if (tool->is_declared)
        put_function(r, tool);
    else
        put(r, json_raw(r->tape, tool->node));
}

uint32_t tools_text_end(struct tools_text *r)
{
    if (r->count) put(r, SLICE("} // namespace functions"));
    arena_clear(&r->arena);
    return r->count;
}
