/* What the model says in an answer of the OpenAI API, whole or a chunk of a stream: all that reaches the client as text,
 * tool arguments included. Source: OpenAI API reference, chat and completions objects; reasoning_content: DeepSeek and
 * others. */
#include "wire/dialect.h"

static void append(struct buf *out, const struct json_tape *tape, uint32_t node, bool is_apart)
{
    struct arena arena;
    if (!json_is(tape, node, JSON_STRING)) return;
    arena_init(&arena);
    struct slice text = json_text(tape, node, &arena);
    if (text.len) {
        if (is_apart && buf_len(out)) buf_append_char(out, '\n');
        buf_append(out, text);
    }
    arena_clear(&arena);
}

/* A text, or a list of parts that have one. */
static void append_content(struct buf *out, const struct json_tape *tape, uint32_t content, bool is_apart)
{
    append(out, tape, content, is_apart);
    if (!json_is(tape, content, JSON_ARRAY)) return;
    for (uint32_t part = json_first(tape, content); part != JSON_NONE; part = json_next(tape, part)) {
        append(out, tape, json_get(tape, part, SLICE("text")), is_apart);
        append(out, tape, json_get(tape, part, SLICE("refusal")), is_apart);
    }
}

static void append_message(struct buf *out, const struct json_tape *tape, uint32_t message, bool is_apart)
{
    uint32_t calls = json_get(tape, message, SLICE("tool_calls"));
    append_content(out, tape, json_get(tape, message, SLICE("content")), is_apart);
    append(out, tape, json_get(tape, message, SLICE("refusal")), is_apart);
    append(out, tape, json_get(tape, message, SLICE("reasoning_content")), is_apart);
    append(out, tape, json_get(tape, message, SLICE("reasoning")), is_apart);
    append(out, tape, json_get(tape, json_get(tape, message, SLICE("function_call")), SLICE("arguments")), is_apart);
    if (!json_is(tape, calls, JSON_ARRAY)) return;
    for (uint32_t call = json_first(tape, calls); call != JSON_NONE; call = json_next(tape, call)) {
        append(out, tape, json_get(tape, json_get(tape, call, SLICE("function")), SLICE("arguments")), is_apart);
    }
}

bool openai_append_text(struct slice json, struct buf *out)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    bool is_object = json_parse(&tape, json, &why) && json_is(&tape, 0, JSON_OBJECT);
    uint32_t choices = is_object ? json_get(&tape, 0, SLICE("choices")) : JSON_NONE;
    if (json_is(&tape, choices, JSON_ARRAY)) {
        for (uint32_t n = json_first(&tape, choices); n != JSON_NONE; n = json_next(&tape, n)) {
            append(out, &tape, json_get(&tape, n, SLICE("text")), false);
            append_message(out, &tape, json_get(&tape, n, SLICE("delta")), false);
            append_message(out, &tape, json_get(&tape, n, SLICE("message")), true);
        }
    }
    json_clear(&tape);
    return is_object;
}
