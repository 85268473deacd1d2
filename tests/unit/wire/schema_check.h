/*
 * A small JSON Schema checker, for bodies that must be what a vendor's reference says, and what it cannot say: that
 * each call is answered, in the place where its provider wants it.
 *
 *     struct checked s;
 *     if (!checked_open(&s, "tests/data/translate", "openai.schema.json")) …
 *     const char *why = checked_body(&s, body);                           // NULL: it is good
 *     checked_close(&s);
 *
 * Knows type, const, enum, properties, required, additionalProperties false, items, minItems, maxItems, minLength,
 * maxLength (bytes as written), minimum, maximum, anyOf, $ref to #/$defs/…, and "characters": "word" ([A-Za-z0-9_-]).
 */
#ifndef MOONGATE_TESTS_SCHEMA_CHECK_H
#define MOONGATE_TESTS_SCHEMA_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../files.h"
#include "wire/json.h"

struct checked {
    struct buf text;
    struct json_tape schema, body;
    bool pairs_calls; /* Gemini's: of a conversation that is whole */
    char why[256];
};

static bool checked_node(struct checked *s, uint32_t rule, uint32_t node);

static inline bool checked_open(struct checked *s, const char *folder, const char *name)
{
    struct fault why;
    json_init(&s->schema);
    json_init(&s->body);
    return read_file(folder, name, &s->text) && json_parse(&s->schema, buf_slice(&s->text), &why);
}

static inline void checked_close(struct checked *s)
{
    buf_clear(&s->text);
    json_clear(&s->schema);
    json_clear(&s->body);
}

static bool checked_fail(struct checked *s, uint32_t node, const char *what)
{
    struct slice raw = json_raw(&s->body, node);
    snprintf(s->why, sizeof s->why, "%s: %.*s", what, raw.len > 120 ? 120 : (int)raw.len, raw.ptr);
    return false;
}

static bool checked_type(const struct json_tape *tape, uint32_t node, struct slice name)
{
    static const struct slice names[] = {[JSON_NULL] = {"null", 4},     [JSON_FALSE] = {"boolean", 7},
                                         [JSON_TRUE] = {"boolean", 7},  [JSON_NUMBER] = {"number", 6},
                                         [JSON_STRING] = {"string", 6}, [JSON_ARRAY] = {"array", 5},
                                         [JSON_OBJECT] = {"object", 6}};
    int64_t value;
    if (slice_equal(name, SLICE("integer")))
        return json_is(tape, node, JSON_NUMBER) && json_to_i64(tape, node, &value);
    return slice_equal(name, names[json_type(tape, node)]);
}

static bool checked_equal(const struct checked *s, uint32_t value, uint32_t node)
{
    return slice_equal(json_raw(&s->schema, value), json_raw(&s->body, node));
}

static bool checked_members(struct checked *s, uint32_t rule, uint32_t node, struct arena *arena)
{
    uint32_t properties = json_get(&s->schema, rule, SLICE("properties"));
    uint32_t required = json_get(&s->schema, rule, SLICE("required"));
    bool is_closed = json_is(&s->schema, json_get(&s->schema, rule, SLICE("additionalProperties")), JSON_FALSE);
    for (uint32_t n = json_first(&s->body, node); n != JSON_NONE; n = json_next(&s->body, n)) {
        struct slice key = json_key_text(&s->body, n, arena);
        uint32_t inner = json_get(&s->schema, properties, key);
        if (inner == JSON_NONE && is_closed) return checked_fail(s, n, "no such member");
        if (json_has_duplicate(&s->body, node, key)) return checked_fail(s, n, "twice");
        if (inner != JSON_NONE && !checked_node(s, inner, n)) return false;
    }
    for (uint32_t n = required == JSON_NONE ? JSON_NONE : json_first(&s->schema, required); n != JSON_NONE;
         n = json_next(&s->schema, n))
        if (json_get(&s->body, node, json_text(&s->schema, n, arena)) == JSON_NONE)
            return checked_fail(s, node, json_raw(&s->schema, n).ptr);
    return true;
}

static bool checked_bounds(const struct checked *s, uint32_t rule, uint32_t node)
{
    uint32_t least = json_get(&s->schema, rule, SLICE("minimum")), most = json_get(&s->schema, rule, SLICE("maximum"));
    double value = json_to_double(&s->body, node);
    return (least == JSON_NONE || value >= json_to_double(&s->schema, least)) &&
           (most == JSON_NONE || value <= json_to_double(&s->schema, most));
}

static bool checked_length(const struct checked *s, uint32_t rule, size_t length, struct slice least_name,
                           struct slice most_name)
{
    int64_t least = 0, most = INT64_MAX;
    uint32_t least_node = json_get(&s->schema, rule, least_name), most_node = json_get(&s->schema, rule, most_name);
    if (least_node != JSON_NONE) json_to_i64(&s->schema, least_node, &least);
    if (most_node != JSON_NONE) json_to_i64(&s->schema, most_node, &most);
    return (int64_t)length >= least && (int64_t)length <= most;
}

static bool checked_string(struct checked *s, uint32_t rule, uint32_t node)
{
    struct slice raw = json_raw(&s->body, node), text = slice_of(raw.ptr + 1, raw.len - 2);
    if (!checked_length(s, rule, text.len, SLICE("minLength"), SLICE("maxLength"))) return checked_fail(s, node, "length");
    if (json_get(&s->schema, rule, SLICE("characters")) == JSON_NONE) return true;
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", text.ptr[i]))
            return checked_fail(s, node, "characters");
    return true;
}

static bool checked_items(struct checked *s, uint32_t rule, uint32_t node)
{
    uint32_t items = json_get(&s->schema, rule, SLICE("items"));
    if (!checked_length(s, rule, json_count(&s->body, node), SLICE("minItems"), SLICE("maxItems")))
        return checked_fail(s, node, "items");
    for (uint32_t n = json_first(&s->body, node); n != JSON_NONE && items != JSON_NONE; n = json_next(&s->body, n))
        if (!checked_node(s, items, n)) return false;
    return true;
}

static bool checked_one_of(struct checked *s, uint32_t list, uint32_t node, bool are_rules)
{
    for (uint32_t n = json_first(&s->schema, list); n != JSON_NONE; n = json_next(&s->schema, n))
        if (are_rules ? checked_node(s, n, node) : checked_equal(s, n, node)) return true;
    if (!are_rules) checked_fail(s, node, "none of the words");
    return false;
}

static uint32_t checked_referred(const struct checked *s, uint32_t reference, struct arena *arena)
{
    struct slice name = json_text(&s->schema, reference, arena);
    name = slice_of(name.ptr + 8, name.len - 8); /* #/$defs/ */
    return json_get(&s->schema, json_get(&s->schema, 0, SLICE("$defs")), name);
}

static bool checked_node(struct checked *s, uint32_t rule, uint32_t node)
{
    struct arena arena;
    arena_init(&arena);
    uint32_t reference = json_get(&s->schema, rule, SLICE("$ref")), type = json_get(&s->schema, rule, SLICE("type"));
    uint32_t any = json_get(&s->schema, rule, SLICE("anyOf")), words = json_get(&s->schema, rule, SLICE("enum"));
    uint32_t word = json_get(&s->schema, rule, SLICE("const"));
    bool is_good = true;
    if (reference != JSON_NONE) is_good = checked_node(s, checked_referred(s, reference, &arena), node);
    if (is_good && type != JSON_NONE && !checked_type(&s->body, node, json_text(&s->schema, type, &arena)))
        is_good = checked_fail(s, node, "type");
    if (is_good && any != JSON_NONE) is_good = checked_one_of(s, any, node, true);
    if (is_good && words != JSON_NONE) is_good = checked_one_of(s, words, node, false);
    if (is_good && word != JSON_NONE && !checked_equal(s, word, node)) is_good = checked_fail(s, node, "another word");
    if (is_good && json_is(&s->body, node, JSON_OBJECT)) is_good = checked_members(s, rule, node, &arena);
    if (is_good && json_is(&s->body, node, JSON_ARRAY)) is_good = checked_items(s, rule, node);
    if (is_good && json_is(&s->body, node, JSON_STRING)) is_good = checked_string(s, rule, node);
    if (is_good && json_is(&s->body, node, JSON_NUMBER) && !checked_bounds(s, rule, node))
        is_good = checked_fail(s, node, "out of bounds");
    arena_clear(&arena);
    return is_good;
}

/* --- who speaks when --- */

static bool checked_is(const struct checked *s, uint32_t object, struct slice member, struct slice word)
{
    return json_text_is(&s->body, json_get(&s->body, object, member), word);
}

static uint32_t checked_blocks(const struct checked *s, uint32_t message)
{
    uint32_t content = message == JSON_NONE ? JSON_NONE : json_get(&s->body, message, SLICE("content"));
    return json_is(&s->body, content, JSON_ARRAY) ? json_first(&s->body, content) : JSON_NONE;
}

static bool checked_has(const struct checked *s, uint32_t object, const char *member)
{
    return json_get(&s->body, object, slice_str(member)) != JSON_NONE;
}

/* Anthropic and Converse: roles alternate, results stand in front of all else, but for marks of caches. */
static bool checked_turns(struct checked *s, uint32_t messages)
{
    struct slice before = SLICE("");
    for (uint32_t m = json_first(&s->body, messages); m != JSON_NONE; m = json_next(&s->body, m)) {
        struct slice role = json_raw(&s->body, json_get(&s->body, m, SLICE("role")));
        bool is_past = false;
        if (slice_equal(before, role)) return checked_fail(s, m, "the same role again");
        for (uint32_t b = checked_blocks(s, m); b != JSON_NONE; b = json_next(&s->body, b)) {
            bool is_result = checked_is(s, b, SLICE("type"), SLICE("tool_result")) || checked_has(s, b, "toolResult");
            if (checked_has(s, b, "cachePoint")) continue;
            if (is_result && is_past) return checked_fail(s, m, "a result behind something else");
            is_past = is_past || !is_result;
        }
        before = role;
    }
    return true;
}

/* OpenAI: results stand directly behind the calls, or behind other results. */
static bool checked_results(struct checked *s, uint32_t messages)
{
    bool may_follow = true;
    for (uint32_t m = json_first(&s->body, messages); m != JSON_NONE; m = json_next(&s->body, m)) {
        bool is_result = checked_is(s, m, SLICE("role"), SLICE("tool"));
        bool is_first = m == json_first(&s->body, messages);
        if (is_result && !may_follow && !is_first) return checked_fail(s, m, "a result behind something else");
        may_follow = is_result || json_get(&s->body, m, SLICE("tool_calls")) != JSON_NONE;
    }
    return true;
}

/* Names of documents: of some characters alone, and no two are the same. */
static bool checked_name(struct checked *s, uint32_t name, struct slice *names, size_t *count)
{
    struct slice raw = json_raw(&s->body, name);
    for (size_t i = 1; i + 1 < raw.len; i++) {
        bool is_blank = raw.ptr[i] == ' ' && raw.ptr[i + 1] == ' ';
        if (is_blank || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -()[]", raw.ptr[i]))
            return checked_fail(s, name, "characters of a name");
    }
    for (size_t i = 0; i < *count; i++)
        if (slice_equal(names[i], raw)) return checked_fail(s, name, "a name that another document has");
    if (*count < 64) names[(*count)++] = raw;
    return true;
}

/* Converse: no blank texts; a document has a text beside it, and a name of its own; where tools were called, some are
 * declared. */
static bool checked_converse(struct checked *s, uint32_t messages)
{
    struct slice names[64];
    size_t count = 0;
    for (uint32_t m = json_first(&s->body, messages); m != JSON_NONE; m = json_next(&s->body, m)) {
        bool has_text = false, has_document = false;
        for (uint32_t b = checked_blocks(s, m); b != JSON_NONE; b = json_next(&s->body, b)) {
            uint32_t document = json_get(&s->body, b, SLICE("document"));
            has_text |= checked_has(s, b, "text");
            has_document |= document != JSON_NONE;
            bool uses_tools = checked_has(s, b, "toolUse") || checked_has(s, b, "toolResult");
            if (uses_tools && !checked_has(s, 0, "toolConfig")) return checked_fail(s, b, "no toolConfig");
            if (document == JSON_NONE) continue;
            if (!checked_name(s, json_get(&s->body, document, SLICE("name")), names, &count)) return false;
        }
        if (has_document && !has_text) return checked_fail(s, m, "a document without a text");
    }
    return checked_turns(s, messages);
}

static uint32_t checked_count(const struct checked *s, uint32_t content, struct slice member)
{
    uint32_t parts = content == JSON_NONE ? JSON_NONE : json_get(&s->body, content, SLICE("parts")), count = 0;
    if (!json_is(&s->body, parts, JSON_ARRAY)) return 0;
    for (uint32_t n = json_first(&s->body, parts); n != JSON_NONE; n = json_next(&s->body, n))
        count += json_get(&s->body, n, member) != JSON_NONE;
    return count;
}

/* Gemini: roles alternate, and a turn that calls tools is answered by the next one, each call once. */
static bool checked_contents(struct checked *s, uint32_t contents)
{
    uint32_t before = JSON_NONE, calls = 0;
    for (uint32_t m = json_first(&s->body, contents); m != JSON_NONE; before = m, m = json_next(&s->body, m)) {
        struct slice role = json_raw(&s->body, json_get(&s->body, m, SLICE("role")));
        uint32_t results = checked_count(s, m, SLICE("functionResponse"));
        if (before != JSON_NONE && slice_equal(role, json_raw(&s->body, json_get(&s->body, before, SLICE("role")))))
            return checked_fail(s, m, "the same role again");
        if (results != calls && s->pairs_calls) return checked_fail(s, m, "not as many results as calls");
        calls = checked_count(s, m, SLICE("functionCall"));
    }
    return true;
}

static bool checked_stands_before(struct checked *s, uint32_t input, uint32_t until, struct slice id)
{
    for (uint32_t i = json_first(&s->body, input); i != until; i = json_next(&s->body, i))
        if (checked_is(s, i, SLICE("type"), SLICE("function_call")) &&
            slice_equal(id, json_raw(&s->body, json_get(&s->body, i, SLICE("call_id")))))
            return true;
    return false;
}

/* Responses: a call stands before its result, and what was thought before what was said or done of it. */
static bool checked_input(struct checked *s, uint32_t input)
{
    bool is_thought = false;
    for (uint32_t i = json_first(&s->body, input); i != JSON_NONE; i = json_next(&s->body, i)) {
        bool is_result = checked_is(s, i, SLICE("type"), SLICE("function_call_output"));
        bool is_other = is_result || (checked_has(s, i, "role") && !checked_is(s, i, SLICE("role"), SLICE("assistant")));
        struct slice id = is_result ? json_raw(&s->body, json_get(&s->body, i, SLICE("call_id"))) : SLICE_NONE;
        if (is_result && !checked_stands_before(s, input, i, id)) return checked_fail(s, i, "a result of no call");
        if (is_thought && is_other) return checked_fail(s, i, "nothing behind what was thought");
        is_thought = checked_is(s, i, SLICE("type"), SLICE("reasoning"));
    }
    return !is_thought || checked_fail(s, input, "nothing behind what was thought");
}

/* NULL: it is good; else why not, until the next call. */
static inline const char *checked_body(struct checked *s, struct slice body)
{
    struct fault why;
    s->why[0] = '\0';
    if (!json_parse(&s->body, body, &why)) return "no JSON";
    uint32_t messages = json_get(&s->body, 0, SLICE("messages")), contents = json_get(&s->body, 0, SLICE("contents"));
    uint32_t defs = json_get(&s->schema, 0, SLICE("$defs"));
    bool is_anthropic = json_get(&s->schema, defs, SLICE("tool_result")) != JSON_NONE;
    bool is_converse = json_get(&s->schema, defs, SLICE("ToolResultBlock")) != JSON_NONE;
    uint32_t input = json_get(&s->body, 0, SLICE("input"));
    if (input != JSON_NONE) return checked_node(s, 0, 0) && checked_input(s, input) ? NULL : s->why;
    if (contents != JSON_NONE) return checked_node(s, 0, 0) && checked_contents(s, contents) ? NULL : s->why;
    bool is_good = checked_node(s, 0, 0) && (is_converse    ? checked_converse(s, messages)
                                             : is_anthropic ? checked_turns(s, messages)
                                                            : checked_results(s, messages));
    return is_good ? NULL : s->why;
}

#endif
