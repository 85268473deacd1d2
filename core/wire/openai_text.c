/* What the model says in an answer of the OpenAI API, whole or a chunk of a stream: all that it was asked to write, tool
 * calls included. Source: OpenAI API reference, chat and completions objects; reasoning_content: DeepSeek and others. */
#include "wire/dialect.h"

struct telling {
    const struct json_tape *tape;
    struct dialect_text text; /* filled but for the text itself */
    dialect_text_fn fn;
    void *arg;
};

static void tell(struct telling *t, uint32_t node, enum dialect_text_kind kind)
{
    struct arena arena;
    if (!json_is(t->tape, node, JSON_STRING)) return;
    arena_init(&arena);
    t->text.kind = kind;
    t->text.text = json_text(t->tape, node, &arena);
    if (t->text.text.len) t->fn(t->arg, &t->text);
    arena_clear(&arena);
}

/* A text, or a list of parts that have one. */
static void tell_content(struct telling *t, uint32_t content)
{
    tell(t, content, DIALECT_CONTENT);
    if (!json_is(t->tape, content, JSON_ARRAY)) return;
    for (uint32_t part = json_first(t->tape, content); part != JSON_NONE; part = json_next(t->tape, part)) {
        tell(t, json_get(t->tape, part, SLICE("text")), DIALECT_CONTENT);
        tell(t, json_get(t->tape, part, SLICE("refusal")), DIALECT_REFUSAL);
    }
}

static void tell_call(struct telling *t, uint32_t function, uint32_t place, uint32_t number)
{
    int64_t index = place;
    if (json_is(t->tape, number, JSON_NUMBER)) json_to_i64(t->tape, number, &index);
    t->text.call = index >= 0 && index < UINT32_MAX ? (uint32_t)index : place;
    tell(t, json_get(t->tape, function, SLICE("name")), DIALECT_CALL_NAME);
    tell(t, json_get(t->tape, function, SLICE("arguments")), DIALECT_CALL_ARGUMENTS);
    t->text.call = 0;
}

static void tell_calls(struct telling *t, uint32_t calls)
{
    uint32_t place = 0;
    if (!json_is(t->tape, calls, JSON_ARRAY)) return;
    for (uint32_t call = json_first(t->tape, calls); call != JSON_NONE; call = json_next(t->tape, call), place++) {
        uint32_t function = json_get(t->tape, call, SLICE("function"));
        tell_call(t, function, place, json_get(t->tape, call, SLICE("index")));
    }
}

static void tell_message(struct telling *t, uint32_t message, bool is_whole)
{
    if (!json_is(t->tape, message, JSON_OBJECT)) return;
    t->text.is_whole = is_whole;
    tell_content(t, json_get(t->tape, message, SLICE("content")));
    tell(t, json_get(t->tape, message, SLICE("refusal")), DIALECT_REFUSAL);
    tell(t, json_get(t->tape, message, SLICE("reasoning_content")), DIALECT_REASONING);
    tell(t, json_get(t->tape, message, SLICE("reasoning")), DIALECT_REASONING);
    tell_call(t, json_get(t->tape, message, SLICE("function_call")), 0, JSON_NONE);
    tell_calls(t, json_get(t->tape, message, SLICE("tool_calls")));
}

static void tell_choice(struct telling *t, uint32_t choice, uint32_t place)
{
    uint32_t number = json_get(t->tape, choice, SLICE("index"));
    int64_t index = place;
    if (json_is(t->tape, number, JSON_NUMBER)) json_to_i64(t->tape, number, &index);
    t->text.choice = index >= 0 && index < UINT32_MAX ? (uint32_t)index : place;
    t->text.is_whole = false;
    tell(t, json_get(t->tape, choice, SLICE("text")), DIALECT_CONTENT);
    tell_message(t, json_get(t->tape, choice, SLICE("delta")), false);
    tell_message(t, json_get(t->tape, choice, SLICE("message")), true);
}

bool openai_each_text(struct slice json, dialect_text_fn fn, void *arg)
{
    struct json_tape tape;
    struct fault why;
    struct telling t = {.tape = &tape, .fn = fn, .arg = arg};
    json_init(&tape);
    bool is_object = json_parse(&tape, json, &why) && json_is(&tape, 0, JSON_OBJECT);
    uint32_t choices = is_object ? json_get(&tape, 0, SLICE("choices")) : JSON_NONE;
    if (json_is(&tape, choices, JSON_ARRAY)) {
        uint32_t place = 0;
        for (uint32_t n = json_first(&tape, choices); n != JSON_NONE; n = json_next(&tape, n), place++)
            tell_choice(&t, n, place);
    }
    json_clear(&tape);
    return is_object;
}
