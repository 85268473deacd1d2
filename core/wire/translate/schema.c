#include "wire/translate/schema.h"

#include <stdio.h>

struct rewriting {
    const struct json_tape *tape;
    struct buf *out;
    struct dropped *dropped;
    struct slice where;
};

enum keyword { KEYWORD_OTHER, KEYWORD_BOUND, KEYWORD_SCHEMA, KEYWORD_LIST, KEYWORD_MAP, KEYWORD_ONE_OF, KEYWORD_OPEN };

static const struct {
    struct slice name;
    enum keyword kind;
} keywords[] = {
    {{"minimum", 7}, KEYWORD_BOUND},          {{"maximum", 7}, KEYWORD_BOUND},
    {{"exclusiveMinimum", 16}, KEYWORD_BOUND}, {{"exclusiveMaximum", 16}, KEYWORD_BOUND},
    {{"multipleOf", 10}, KEYWORD_BOUND},      {{"minLength", 9}, KEYWORD_BOUND},
    {{"maxLength", 9}, KEYWORD_BOUND},        {{"pattern", 7}, KEYWORD_BOUND},
    {{"minItems", 8}, KEYWORD_BOUND},         {{"maxItems", 8}, KEYWORD_BOUND},
    {{"uniqueItems", 11}, KEYWORD_BOUND},     {{"minProperties", 13}, KEYWORD_BOUND},
    {{"maxProperties", 13}, KEYWORD_BOUND},   {{"items", 5}, KEYWORD_SCHEMA},
    {{"anyOf", 5}, KEYWORD_LIST},             {{"allOf", 5}, KEYWORD_LIST},
    {{"prefixItems", 11}, KEYWORD_LIST},      {{"oneOf", 5}, KEYWORD_ONE_OF},
    {{"properties", 10}, KEYWORD_MAP},        {{"$defs", 5}, KEYWORD_MAP},
    {{"definitions", 11}, KEYWORD_MAP},       {{"additionalProperties", 20}, KEYWORD_OPEN},
};

static enum keyword keyword_of(const struct json_tape *tape, uint32_t member, struct slice *name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        *name = keywords[i].name;
        if (json_key_is(tape, member, keywords[i].name)) return keywords[i].kind;
    }
    return KEYWORD_OTHER;
}

static bool is_object_schema(const struct json_tape *tape, uint32_t schema)
{
    return json_text_is(tape, json_get(tape, schema, SLICE("type")), SLICE("object")) ||
           json_is(tape, json_get(tape, schema, SLICE("properties")), JSON_OBJECT);
}

static void drop(const struct rewriting *w, struct slice name)
{
    char path[DROPPED_NAME_BYTES];
    int n = snprintf(path, sizeof path, "%.*s.%.*s", SLICE_FMT(w->where), SLICE_FMT(name));
    dropped_add(w->dropped, slice_of(path, n < (int)sizeof path ? (size_t)n : sizeof path - 1));
}

static void write_schema(const struct rewriting *w, uint32_t schema);

static void write_comma(const struct rewriting *w)
{
    char last = buf_ptr(w->out)[buf_len(w->out) - 1];
    if (last != '{' && last != '[') buf_append_char(w->out, ',');
}

static void write_key(const struct rewriting *w, struct slice raw)
{
    write_comma(w);
    buf_append(w->out, raw);
    buf_append_char(w->out, ':');
}

/* A list of schemas, or a map of them. */
static void write_all(const struct rewriting *w, uint32_t container)
{
    bool is_map = json_is(w->tape, container, JSON_OBJECT);
    if (!is_map && !json_is(w->tape, container, JSON_ARRAY)) {
        buf_append(w->out, json_raw(w->tape, container));
        return;
    }
    buf_append_char(w->out, is_map ? '{' : '[');
    for (uint32_t n = json_first(w->tape, container); n != JSON_NONE; n = json_next(w->tape, n)) {
        if (is_map)
            write_key(w, json_key(w->tape, n));
        else
            write_comma(w);
        write_schema(w, n);
    }
    buf_append_char(w->out, is_map ? '}' : ']');
}

/* At least none or one item is a bound that is taken. */
static bool is_taken_bound(const struct json_tape *tape, uint32_t value, struct slice name)
{
    int64_t least;
    return slice_equal(name, SLICE("minItems")) && json_is(tape, value, JSON_NUMBER) &&
           json_to_i64(tape, value, &least) && least <= 1;
}

/* It is written as anyOf, which stands once: beside one of the schema's own it is left out. */
static bool is_in_the_way(const struct rewriting *w, uint32_t schema, enum keyword kind)
{
    return kind == KEYWORD_ONE_OF && json_get(w->tape, schema, SLICE("anyOf")) != JSON_NONE;
}

static void write_member(const struct rewriting *w, uint32_t schema, uint32_t member)
{
    struct slice name, key = json_key(w->tape, member);
    enum keyword kind = keyword_of(w->tape, member, &name);
    if (is_in_the_way(w, schema, kind)) {
        drop(w, name);
        return;
    }
    switch (kind) {
    case KEYWORD_BOUND:
        if (!is_taken_bound(w->tape, member, name)) {
            drop(w, name);
            return;
        }
        write_key(w, key);
        buf_append(w->out, json_raw(w->tape, member));
        return;
    case KEYWORD_OPEN:
        if (!json_is(w->tape, member, JSON_FALSE)) drop(w, name);
        return;
    case KEYWORD_ONE_OF: write_key(w, SLICE("\"anyOf\"")); break;
    case KEYWORD_SCHEMA:
    case KEYWORD_LIST:
    case KEYWORD_MAP: write_key(w, key); break;
    case KEYWORD_OTHER:
        write_key(w, key);
        buf_append(w->out, json_raw(w->tape, member));
        return;
    }
    if (kind == KEYWORD_SCHEMA)
        write_schema(w, member);
    else
        write_all(w, member);
}

/* As deep as the tape lets JSON nest. */
static void write_schema(const struct rewriting *w, uint32_t schema)
{
    if (!json_is(w->tape, schema, JSON_OBJECT)) {
        buf_append(w->out, json_raw(w->tape, schema));
        return;
    }
    buf_append_char(w->out, '{');
    for (uint32_t n = json_first(w->tape, schema); n != JSON_NONE; n = json_next(w->tape, n))
        write_member(w, schema, n);
    if (is_object_schema(w->tape, schema)) {
        write_key(w, SLICE("\"additionalProperties\""));
        buf_append(w->out, SLICE("false"));
    }
    buf_append_char(w->out, '}');
}

void schema_write_strict(const struct json_tape *tape, uint32_t schema, struct buf *out, struct dropped *dropped,
                         struct slice where)
{
    write_schema(&(struct rewriting){tape, out, dropped, where}, schema);
}

static bool requires_all(const struct json_tape *tape, uint32_t schema)
{
    uint32_t properties = json_get(tape, schema, SLICE("properties"));
    uint32_t required = json_get(tape, schema, SLICE("required"));
    uint32_t open = json_get(tape, schema, SLICE("additionalProperties"));
    bool has_none = !json_is(tape, properties, JSON_OBJECT) || json_first(tape, properties) == JSON_NONE;
    if (!json_is(tape, open, JSON_FALSE)) return false;
    if (has_none) return true;
    return json_is(tape, required, JSON_ARRAY) && json_count(tape, properties) == json_count(tape, required);
}

/* What has the look of an object's schema but is none, such as a property called "properties", makes it seem open: then
 * it is not asked for strictly. */
bool schema_is_closed(const struct json_tape *tape, uint32_t schema)
{
    for (uint32_t n = schema; n < json_after(tape, schema); n++) {
        if (json_is(tape, n, JSON_OBJECT) && is_object_schema(tape, n) && !requires_all(tape, n)) return false;
    }
    return true;
}

void schema_write_object(const struct json_tape *tape, uint32_t schema, struct buf *out)
{
    if (schema == JSON_NONE || json_first(tape, schema) == JSON_NONE) {
        buf_append(out, SLICE("{\"type\":\"object\",\"properties\":{}}"));
        return;
    }
    struct slice raw = json_raw(tape, schema);
    bool has_type = json_get(tape, schema, SLICE("type")) != JSON_NONE;
    if (!has_type) buf_append(out, SLICE("{\"type\":\"object\","));
    buf_append(out, has_type ? raw : slice_of(raw.ptr + 1, raw.len - 1));
}
