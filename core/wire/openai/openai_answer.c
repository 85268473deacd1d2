/*
 * What an answer of the OpenAI API says, whole or a chunk of a stream, in one walk over its choices: finish reasons,
 * and all that the model was asked to write, tool calls included. Source: OpenAI API reference, chat and completions
 * objects; reasoning_content: DeepSeek and others, reasoning: OpenRouter, vLLM and others, some under
 * both names; thinking in parts: Mistral.
 */
#include "wire/openai/openai_inner.h"

/* A text, or a list of those (Mistral). */
static void tell_thinking(struct said_telling *t, uint32_t thinking)
{
    said_tell(t, thinking, SAID_REASONING);
    if (!json_is(t->tape, thinking, JSON_ARRAY)) return;
    for (uint32_t n = json_first(t->tape, thinking); n != JSON_NONE; n = json_next(t->tape, n))
        said_tell(t, json_get(t->tape, n, SLICE("text")), SAID_REASONING);
}

/* A text, or a list of parts that have one. */
static void tell_content(struct said_telling *t, uint32_t content)
{
    said_tell(t, content, SAID_CONTENT);
    if (!json_is(t->tape, content, JSON_ARRAY)) return;
    for (uint32_t part = json_first(t->tape, content); part != JSON_NONE; part = json_next(t->tape, part)) {
        said_tell(t, json_get(t->tape, part, SLICE("text")), SAID_CONTENT);
        said_tell(t, json_get(t->tape, part, SLICE("refusal")), SAID_REFUSAL);
        tell_thinking(t, json_get(t->tape, part, SLICE("thinking")));
    }
}

/* Its "index" as it says, whatever that is; else its place in the list. */
static int64_t index_of(const struct json_tape *tape, uint32_t element, uint32_t place)
{
    int64_t index = place;
    uint32_t number = json_get(tape, element, SLICE("index"));
    if (json_is(tape, number, JSON_NUMBER)) json_to_i64(tape, number, &index);
    return index;
}

static uint32_t number_of(int64_t index, uint32_t place)
{
    return index >= 0 && index < UINT32_MAX ? (uint32_t)index : place;
}

static void tell_call(struct said_telling *t, uint32_t function, uint32_t call)
{
    t->text.call = call;
    said_tell(t, json_get(t->tape, function, SLICE("name")), SAID_CALL_NAME);
    said_tell(t, json_get(t->tape, function, SLICE("arguments")), SAID_CALL_ARGUMENTS);
    t->text.call = 0;
}

static void tell_calls(struct said_telling *t, uint32_t calls)
{
    uint32_t place = 0;
    if (!json_is(t->tape, calls, JSON_ARRAY)) return;
    for (uint32_t call = json_first(t->tape, calls); call != JSON_NONE; call = json_next(t->tape, call), place++) {
        uint32_t number = number_of(index_of(t->tape, call, place), place);
        tell_call(t, json_get(t->tape, call, SLICE("function")), number);
    }
}

/* Without its quotes. */
static struct slice text_of(const struct said_telling *t, uint32_t string)
{
    struct slice raw = json_is(t->tape, string, JSON_STRING) ? json_raw(t->tape, string) : SLICE_NONE;
    return raw.len > 2 ? slice_of(raw.ptr + 1, raw.len - 2) : SLICE_NONE;
}

/* Unless it goes on as the same text under another name does, of which *rest is still to come. */
static void tell_reasoning(struct said_telling *t, uint32_t node, struct slice *rest)
{
    struct slice text = text_of(t, node);
    if (text.len && slice_starts(*rest, text))
        *rest = slice_of(rest->ptr + text.len, rest->len - text.len);
    else
        said_tell(t, node, SAID_REASONING);
}

/* OpenRouter: the same again as a list, which may hold more; what is encrypted in it is no text. */
static void tell_details(struct said_telling *t, struct slice rest, uint32_t details)
{
    if (!json_is(t->tape, details, JSON_ARRAY)) return;
    for (uint32_t n = json_first(t->tape, details); n != JSON_NONE; n = json_next(t->tape, n)) {
        tell_reasoning(t, json_get(t->tape, n, SLICE("text")), &rest);
        tell_reasoning(t, json_get(t->tape, n, SLICE("summary")), &rest);
    }
}

/* A message, and which of its thoughts' names came: a name that comes again is not compared again. */
struct message {
    uint32_t node;
    bool has_reasoning, has_details;
};

static void tell_same_reasoning(struct said_telling *t, struct message *m, uint32_t member)
{
    struct slice same = SLICE_NONE;
    if (!m->has_reasoning) same = text_of(t, json_get(t->tape, m->node, SLICE("reasoning_content")));
    m->has_reasoning = true;
    tell_reasoning(t, member, &same);
}

static void tell_same_details(struct said_telling *t, struct message *m, uint32_t member)
{
    struct slice same = SLICE_NONE;
    if (!m->has_details) same = text_of(t, json_get(t->tape, m->node, SLICE("reasoning_content")));
    if (!m->has_details && !same.len) same = text_of(t, json_get(t->tape, m->node, SLICE("reasoning")));
    m->has_details = true;
    tell_details(t, same, member);
}

/* One look at each member: chunks come by the thousand, and have many. */
static void tell_member(struct said_telling *t, struct message *m, uint32_t member)
{
    if (json_key_is(t->tape, member, SLICE("content"))) {
        tell_content(t, member);
    } else if (json_key_is(t->tape, member, SLICE("refusal"))) {
        said_tell(t, member, SAID_REFUSAL);
    } else if (json_key_is(t->tape, member, SLICE("reasoning_content"))) {
        said_tell(t, member, SAID_REASONING);
    } else if (json_key_is(t->tape, member, SLICE("reasoning"))) {
        tell_same_reasoning(t, m, member);
    } else if (json_key_is(t->tape, member, SLICE("reasoning_details"))) {
        tell_same_details(t, m, member);
    } else if (json_key_is(t->tape, member, SLICE("function_call"))) {
        tell_call(t, member, 0);
    } else if (json_key_is(t->tape, member, SLICE("tool_calls"))) {
        tell_calls(t, member);
    }
}

static void tell_message(struct said_telling *t, uint32_t message, bool is_whole)
{
    struct message m = {.node = message};
    if (!json_is(t->tape, message, JSON_OBJECT)) return;
    t->text.is_whole = is_whole;
    for (uint32_t n = json_first(t->tape, message); n != JSON_NONE; n = json_next(t->tape, n))
        tell_member(t, &m, n);
    t->text.is_whole = false;
}

static unsigned read_finish(struct dialect_stream *stream, const struct json_tape *tape, uint32_t choice, int64_t index)
{
    uint32_t reason = json_get(tape, choice, SLICE("finish_reason"));
    if (!json_is(tape, reason, JSON_STRING)) return 0;
    dialect_copy_text(stream->finish_reason, sizeof stream->finish_reason, tape, reason);
    dialect_finish_choice(stream, index);
    return SAID_FINISHED;
}

static bool has_text(const struct said_telling *t, uint32_t message, struct slice text)
{
    static const struct slice names[] = {{"content", 7}, {"reasoning", 9}, {"reasoning_content", 17}};
    if (!json_is(t->tape, message, JSON_OBJECT)) return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_equal(text_of(t, json_get(t->tape, message, names[i])), text)) return true;
    }
    return false;
}

/* Completions have their text there; Together, in a chat, what its delta has, once more. */
static void tell_choice(struct said_telling *t, uint32_t choice)
{
    uint32_t delta = json_get(t->tape, choice, SLICE("delta")), message = json_get(t->tape, choice, SLICE("message"));
    uint32_t beside = json_get(t->tape, choice, SLICE("text"));
    struct slice text = text_of(t, beside);
    if (text.len && !has_text(t, delta, text) && !has_text(t, message, text)) said_tell(t, beside, SAID_CONTENT);
    tell_message(t, delta, false);
    tell_message(t, message, true);
}

unsigned openai_read_choices(struct said_reader *reader, struct dialect_stream *stream, uint32_t choices)
{
    const struct json_tape *tape = &reader->tape;
    struct said_telling t = {.reader = reader, .tape = tape};
    unsigned what = 0;
    uint32_t place = 0;
    if (!json_is(tape, choices, JSON_ARRAY)) return 0;
    for (uint32_t n = json_first(tape, choices); n != JSON_NONE; n = json_next(tape, n), place++) {
        int64_t index = index_of(tape, n, place);
        t.text.choice = number_of(index, place);
        what |= read_finish(stream, tape, n, index);
        tell_choice(&t, n);
    }
    return what;
}
