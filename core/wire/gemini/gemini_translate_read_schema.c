/*
 * Google's own schemas, a subset of OpenAPI's, as JSON Schema has them: types in lower case, "nullable" as a type,
 * lengths as numbers, formats that say nothing of JSON left out. An answer's objects hold what is named and no more,
 * as Google's models write them. Source: Gemini API reference, Schema; OpenAPI 3.0.3; JSON Schema 2020-12.
 */
#include "wire/gemini/gemini_reading.h"

#include <stdio.h>

#include "wire/splice.h"

struct respelling {
    const struct json_tape *tape;
    struct buf *out;
    struct dropped *dropped;
    const char *where;
    bool closes; /* objects take nothing beside what is named */
};

enum keyword { KEYWORD_OTHER, KEYWORD_TYPE, KEYWORD_NULLABLE, KEYWORD_FORMAT, KEYWORD_LENGTH, KEYWORD_ORDER,
               KEYWORD_EXAMPLE, KEYWORD_ENUM, KEYWORD_SCHEMA, KEYWORD_MAP, KEYWORD_ANY };

static const struct {
    struct gemini_name name;
    enum keyword kind;
} keywords[] = {
    {{{"type", 4}, {"type", 4}}, KEYWORD_TYPE},
    {{{"properties", 10}, {"properties", 10}}, KEYWORD_MAP},
    {{{"items", 5}, {"items", 5}}, KEYWORD_SCHEMA},
    {{{"enum", 4}, {"enum", 4}}, KEYWORD_ENUM},
    {{{"nullable", 8}, {"nullable", 8}}, KEYWORD_NULLABLE},
    {{{"format", 6}, {"format", 6}}, KEYWORD_FORMAT},
    {{{"anyOf", 5}, {"any_of", 6}}, KEYWORD_ANY},
    {{{"propertyOrdering", 16}, {"property_ordering", 17}}, KEYWORD_ORDER},
    {{{"example", 7}, {"example", 7}}, KEYWORD_EXAMPLE},
    {{{"maxItems", 8}, {"max_items", 9}}, KEYWORD_LENGTH},
    {{{"minItems", 8}, {"min_items", 9}}, KEYWORD_LENGTH},
    {{{"maxLength", 9}, {"max_length", 10}}, KEYWORD_LENGTH},
    {{{"minLength", 9}, {"min_length", 10}}, KEYWORD_LENGTH},
    {{{"maxProperties", 13}, {"max_properties", 14}}, KEYWORD_LENGTH},
    {{{"minProperties", 13}, {"min_properties", 14}}, KEYWORD_LENGTH},
    {{{"additionalProperties", 20}, {"additional_properties", 21}}, KEYWORD_SCHEMA},
    {{{"$defs", 5}, {"defs", 4}}, KEYWORD_MAP},
    {{{"$ref", 4}, {"ref", 3}}, KEYWORD_OTHER},
};
#define KEYWORDS (sizeof keywords / sizeof keywords[0])

/* KEYWORDS: none of these. */
static size_t find(const struct json_tape *tape, uint32_t member)
{
    size_t k = 0;
    while (k < KEYWORDS && !json_key_is(tape, member, keywords[k].name.name) &&
           !json_key_is(tape, member, keywords[k].name.other))
        k++;
    return k;
}

static void write_comma(const struct respelling *r)
{
    char last = buf_ptr(r->out)[buf_len(r->out) - 1];
    if (last != '{' && last != '[') buf_append_char(r->out, ',');
}

static void write_key(const struct respelling *r, struct slice name)
{
    write_comma(r);
    buf_append_char(r->out, '"');
    buf_append(r->out, name);
    buf_append(r->out, SLICE("\":"));
}

static void write_raw(const struct respelling *r, uint32_t node)
{
    buf_append(r->out, json_raw(r->tape, node));
}

static bool is_nullable(const struct respelling *r, uint32_t schema)
{
    return json_is(r->tape, json_get(r->tape, schema, SLICE("nullable")), JSON_TRUE);
}

/* --- types --- */

static void write_type(const struct respelling *r, uint32_t schema, uint32_t type)
{
    struct slice raw = json_raw(r->tape, type);
    bool is_word = json_is(r->tape, type, JSON_STRING);
    if (json_text_is(r->tape, type, SLICE("TYPE_UNSPECIFIED"))) return;
    write_key(r, SLICE("type"));
    bool may_be_null = is_word && is_nullable(r, schema);
    if (may_be_null) buf_append_char(r->out, '[');
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        buf_append_char(r->out, is_word && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
    if (may_be_null) buf_append(r->out, SLICE(",\"null\"]"));
}

/* Those of numbers and of enums, which the type says. */
static void write_format(const struct respelling *r, uint32_t format)
{
    static const struct slice silent[] = {{"enum", 4}, {"int32", 5}, {"int64", 5}, {"float", 5}, {"double", 6}};
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        if (json_text_is(r->tape, format, silent[i])) return;
    }
    write_key(r, SLICE("format"));
    write_raw(r, format);
}

/* Numbers of 64 bits are strings where protocol buffers are written as JSON. */
static void write_length(const struct respelling *r, struct slice name, uint32_t length)
{
    struct slice raw = json_raw(r->tape, length), digits = reading_inside(raw);
    bool is_number = json_is(r->tape, length, JSON_STRING) && digits.len > 0 && digits.len < 16;
    for (size_t i = 0; i < digits.len && is_number; i++)
        is_number = digits.ptr[i] >= '0' && digits.ptr[i] <= '9';
    while (is_number && digits.len > 1 && digits.ptr[0] == '0')
        digits = slice_of(digits.ptr + 1, digits.len - 1);
    write_key(r, name);
    buf_append(r->out, is_number ? digits : raw);
}

/* --- members --- */

static void write_schema(const struct respelling *r, uint32_t schema);

static void write_all(const struct respelling *r, uint32_t container)
{
    bool is_map = json_is(r->tape, container, JSON_OBJECT);
    buf_append_char(r->out, is_map ? '{' : '[');
    for (uint32_t n = json_first(r->tape, container); n != JSON_NONE; n = json_next(r->tape, n)) {
        write_comma(r);
        if (is_map) {
            buf_append(r->out, json_key(r->tape, n));
            buf_append_char(r->out, ':');
        }
        write_schema(r, n);
    }
    buf_append_char(r->out, is_map ? '}' : ']');
}

/* A value more in the list that was just written. */
static void add_to_list(const struct respelling *r, struct slice json)
{
    buf_ptr(r->out)[buf_len(r->out) - 1] = ',';
    buf_append(r->out, json);
    buf_append_char(r->out, ']');
}

static void write_list(const struct respelling *r, uint32_t schema, uint32_t list, bool of_schemas)
{
    bool has_any = json_is(r->tape, list, JSON_ARRAY) && json_first(r->tape, list) != JSON_NONE;
    if (of_schemas && has_any)
        write_all(r, list);
    else
        write_raw(r, list);
    if (!has_any || !is_nullable(r, schema)) return;
    if (!of_schemas)
        add_to_list(r, SLICE("null"));
    else if (json_get(r->tape, schema, SLICE("type")) == JSON_NONE)
        add_to_list(r, SLICE("{\"type\":\"null\"}"));
}

/* Models write properties as they stand: the same order says nothing. */
static void drop_order(const struct respelling *r, uint32_t schema, uint32_t order)
{
    uint32_t properties = json_get(r->tape, schema, SLICE("properties"));
    uint32_t p = json_is(r->tape, properties, JSON_OBJECT) ? json_first(r->tape, properties) : JSON_NONE;
    uint32_t n = json_is(r->tape, order, JSON_ARRAY) ? json_first(r->tape, order) : JSON_NONE;
    while (n != JSON_NONE && p != JSON_NONE && slice_equal(json_raw(r->tape, n), json_key(r->tape, p))) {
        n = json_next(r->tape, n);
        p = json_next(r->tape, p);
    }
    char name[DROPPED_NAME_BYTES];
    snprintf(name, sizeof name, "%s.propertyOrdering", r->where);
    if (n != JSON_NONE) dropped_add(r->dropped, slice_str(name));
}

static void write_member(const struct respelling *r, uint32_t schema, uint32_t member)
{
    size_t k = find(r->tape, member);
    if (k == KEYWORDS) {
        write_comma(r);
        buf_append(r->out, json_key(r->tape, member));
        buf_append_char(r->out, ':');
        write_raw(r, member);
        return;
    }
    struct slice name = keywords[k].name.name;
    if (gemini_get(r->tape, schema, keywords[k].name) != member) return; /* the other spelling, once more */
    switch (keywords[k].kind) {
    case KEYWORD_TYPE: write_type(r, schema, member); return;
    case KEYWORD_FORMAT: write_format(r, member); return;
    case KEYWORD_LENGTH: write_length(r, name, member); return;
    case KEYWORD_ORDER: drop_order(r, schema, member); return;
    case KEYWORD_NULLABLE: return;
    case KEYWORD_EXAMPLE:
        write_key(r, SLICE("examples"));
        buf_append_char(r->out, '[');
        write_raw(r, member);
        buf_append_char(r->out, ']');
        return;
    case KEYWORD_ENUM:
    case KEYWORD_ANY:
        write_key(r, name);
        write_list(r, schema, member, keywords[k].kind == KEYWORD_ANY);
        return;
    case KEYWORD_MAP:
    case KEYWORD_SCHEMA:
    case KEYWORD_OTHER: break;
    }
    write_key(r, name);
    if (keywords[k].kind == KEYWORD_MAP && json_is(r->tape, member, JSON_OBJECT))
        write_all(r, member);
    else if (keywords[k].kind == KEYWORD_SCHEMA)
        write_schema(r, member);
    else
        write_raw(r, member);
}

/* As deep as the tape lets JSON nest. */
static void write_schema(const struct respelling *r, uint32_t schema)
{
    static const struct gemini_name open = {{"additionalProperties", 20}, {"additional_properties", 21}};
    if (!json_is(r->tape, schema, JSON_OBJECT)) {
        write_raw(r, schema);
        return;
    }
    buf_append_char(r->out, '{');
    for (uint32_t n = json_first(r->tape, schema); n != JSON_NONE; n = json_next(r->tape, n))
        write_member(r, schema, n);
    bool has_names = json_is(r->tape, json_get(r->tape, schema, SLICE("properties")), JSON_OBJECT);
    if (r->closes && has_names && gemini_get(r->tape, schema, open) == JSON_NONE) {
        write_key(r, SLICE("additionalProperties"));
        buf_append(r->out, SLICE("false"));
    }
    buf_append_char(r->out, '}');
}

/* --- where they stand --- */

struct schemas {
    const struct json_tape *tape;
    struct splice edits;
    struct dropped *dropped;
    uint32_t tool, function; /* that are read */
};

static void respell(struct schemas *s, uint32_t schema, const char *where, bool closes)
{
    struct buf out;
    if (!json_is(s->tape, schema, JSON_OBJECT)) return;
    buf_init(&out);
    write_schema(&(struct respelling){s->tape, &out, s->dropped, where, closes}, schema);
    if (!slice_equal(buf_slice(&out), json_raw(s->tape, schema)))
        splice_value(&s->edits, schema, arena_copy(s->edits.arena, buf_slice(&out)));
    buf_clear(&out);
}

typedef void (*each_fn)(struct schemas *s, uint32_t node);

/* One stands for a list of one. */
static void each(struct schemas *s, uint32_t list, each_fn fn)
{
    if (json_is(s->tape, list, JSON_OBJECT)) fn(s, list);
    if (!json_is(s->tape, list, JSON_ARRAY)) return;
    for (uint32_t n = json_first(s->tape, list); n != JSON_NONE; n = json_next(s->tape, n))
        fn(s, n);
}

static void respell_function(struct schemas *s, uint32_t function)
{
    char where[DROPPED_NAME_BYTES];
    snprintf(where, sizeof where, "tools[%u].functionDeclarations[%u]", s->tool, s->function++);
    respell(s, json_get(s->tape, function, SLICE("parameters")), where, false);
}

static void respell_tool(struct schemas *s, uint32_t tool)
{
    static const struct gemini_name functions = {{"functionDeclarations", 20}, {"function_declarations", 21}};
    s->function = 0;
    each(s, gemini_get(s->tape, tool, functions), respell_function);
    s->tool++;
}

bool gemini_respell(const struct chat_request *r, struct arena *arena, struct buf *body, struct dropped *dropped)
{
    static const struct gemini_name config = {{"generationConfig", 16}, {"generation_config", 17}},
                                    schema = {{"responseSchema", 14}, {"response_schema", 15}};
    struct schemas s = {.tape = &r->tape, .dropped = dropped};
    struct slice root = json_raw(s.tape, 0);
    splice_init(&s.edits, s.tape, slice_of(s.tape->bytes, (size_t)(root.ptr - s.tape->bytes) + root.len), arena);
    each(&s, json_get(s.tape, 0, SLICE("tools")), respell_tool);
    respell(&s, gemini_get(s.tape, gemini_get(s.tape, 0, config), schema), "generationConfig.responseSchema", true);
    if (splice_is_empty(&s.edits)) return false;
    splice_apply(&s.edits, body);
    return true;
}
