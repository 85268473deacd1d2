/*
 * A strict client of any dialect: it reads a translated answer by the order that the vendors' clients rely on, and
 * notes what breaks it. Its JSON is jansson's, its events are wire/sse.h's.
 *
 *     struct hearing h;
 *     hearing_begin(&h, &dialect_anthropic);
 *     hearing_stream(&h, bytes);                 // or hearing_body(&h, bytes)
 *     ... h.wrong (NULL: nothing), h.text, h.calls, h.reason, h.has_ended, h.has_error, h.input …
 *     hearing_clear(&h);
 *
 * calls: each as name(arguments), arguments as jansson writes them, keys sorted; "?" where they are no object.
 */
#ifndef MOONGATE_TESTS_UNIT_HEARING_H
#define MOONGATE_TESTS_UNIT_HEARING_H

#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "wire/dialect.h"
#include "wire/sse.h"

#define HEARING_CALLS ((int)LIMIT_TRANSLATE_CALLS)

/* Of a response. */
struct heard_item {
    char id[160], type[24];
    bool is_open, has_part, has_text, is_asked;
    int parts;
    struct buf text; /* of the open part, or of what it is asked */
};

struct hearing {
    const struct dialect *dialect;
    const char *wrong;
    char place[200]; /* of what is wrong: the event */
    struct buf text, reasoning, refusal, signatures, redacted, calls;
    char reason[40], id[160], model[160];
    bool is_masked; /* what is masked may leave an empty text */
    bool is_beyond; /* something was not read */
    bool has_begun, has_reason, has_usage, has_ended, has_error;
    long long input, cached, written, output, thought; /* tokens, as the dialect has them */
    char error_type[64], error_message[512];
    struct buf comments;
    /* while it goes on */
    struct buf names[HEARING_CALLS], asked[HEARING_CALLS];
    int blocks, open; /* Anthropic: begun; the open one's number, -1: none */
    char kind[32];
    int call_count;
    long long sequence; /* Responses: events */
    struct heard_item *heard;
    json_t *done; /* items that are done */
};

static inline void hearing_wrong(struct hearing *h, const char *what)
{
    if (!h->wrong) h->wrong = what;
}

static inline void hearing_must(struct hearing *h, bool is_so, const char *what)
{
    if (!is_so) hearing_wrong(h, what);
}

static inline const char *hearing_text(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static inline void hearing_add(struct buf *out, json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (ORACLE_IS(value, STRING)) buf_append(out, slice_of(json_string_value(value), json_string_length(value)));
}

static inline bool hearing_has(json_t *object, const char *key)
{
    return json_string_length(json_object_get(object, key)) > 0;
}

/* NULL: it is none; of numbers that jansson does not know nothing is said. */
static inline json_t *hearing_load(struct hearing *h, struct slice json)
{
    json_error_t why;
    json_t *root = json_loadb(json.ptr, json.len, JSON_ALLOW_NUL, &why);
    bool is_beyond = !root && json_error_code(&why) == json_error_numeric_overflow;
    h->is_beyond |= is_beyond;
    hearing_must(h, root || is_beyond, "no JSON");
    return root;
}

static inline long long hearing_number(json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static inline void hearing_begin(struct hearing *h, const struct dialect *dialect)
{
    *h = (struct hearing){.dialect = dialect, .open = -1};
}

static inline void hearing_clear(struct hearing *h)
{
    struct buf *texts[] = {&h->text, &h->reasoning, &h->refusal, &h->signatures, &h->redacted, &h->calls, &h->comments};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_clear(texts[i]);
    for (int i = 0; i < HEARING_CALLS; i++) {
        buf_clear(&h->names[i]);
        buf_clear(&h->asked[i]);
    }
    for (int i = 0; h->heard && i < h->blocks; i++)
        buf_clear(&h->heard[i].text);
    free(h->heard);
    json_decref(h->done);
}

static inline void hearing_end_calls(struct hearing *h)
{
    for (int i = 0; i < h->call_count; i++) {
        if (h->dialect == &dialect_anthropic && !buf_len(&h->asked[i])) buf_append(&h->asked[i], SLICE("{}"));
        json_error_t why;
        json_t *asked = json_loadb(buf_slice(&h->asked[i]).ptr, buf_len(&h->asked[i]), JSON_ALLOW_NUL, &why);
        bool is_beyond = !asked && json_error_code(&why) == json_error_numeric_overflow;
        char *sorted = asked && ORACLE_IS(asked, OBJECT) ? json_dumps(asked, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
        buf_printf(&h->calls, "%.*s(%s)", SLICE_FMT(buf_slice(&h->names[i])), sorted ? sorted : "?");
        bool may_be_cut = strcmp(h->reason, "length") == 0 || strcmp(h->reason, "max_tokens") == 0;
        if (!sorted && !is_beyond && h->dialect == &dialect_anthropic)
            hearing_must(h, may_be_cut, "arguments are no object");
        free(sorted);
        json_decref(asked);
    }
}

static inline int hearing_new_call(struct hearing *h, json_t *holder)
{
    hearing_must(h, hearing_has(holder, "name"), "a call without a name");
    hearing_must(h, h->call_count < HEARING_CALLS, "too many calls");
    if (h->call_count == HEARING_CALLS) return 0;
    hearing_add(&h->names[h->call_count], holder, "name");
    return h->call_count++;
}

/* ---- OpenAI */

static inline void hearing_openai_usage(struct hearing *h, json_t *usage)
{
    if (!ORACLE_IS(usage, OBJECT)) return;
    json_t *in = json_object_get(usage, "prompt_tokens_details");
    h->has_usage = true;
    h->input = hearing_number(usage, "prompt_tokens");
    h->output = hearing_number(usage, "completion_tokens");
    h->cached = hearing_number(in, "cached_tokens");
    h->written = hearing_number(in, "cache_write_tokens");
    h->thought = hearing_number(json_object_get(usage, "completion_tokens_details"), "reasoning_tokens");
    hearing_must(h, hearing_number(usage, "total_tokens") == h->input + h->output, "the total is no sum");
}

static inline void hearing_openai_details(struct hearing *h, json_t *details)
{
    for (size_t i = 0; i < json_array_size(details); i++) {
        json_t *detail = json_array_get(details, i);
        hearing_add(&h->signatures, detail, "signature");
        hearing_add(&h->redacted, detail, "data");
        hearing_must(h, ORACLE_IS(json_object_get(detail, "index"), INTEGER), "a detail without an index");
    }
}

static inline void hearing_openai_call(struct hearing *h, json_t *call, int index)
{
    json_t *function = json_object_get(call, "function");
    bool is_new = index == h->call_count;
    hearing_must(h, index >= 0 && index <= h->call_count, "calls are not numbered in turn");
    hearing_must(h, is_new == (json_object_get(call, "id") != NULL), "an id where none is due, or none");
    if (is_new) {
        hearing_must(h, hearing_has(call, "id"), "an empty id");
        hearing_must(h, strcmp(hearing_text(call, "type"), "function") == 0, "no function");
        hearing_new_call(h, function);
    }
    hearing_must(h, ORACLE_IS(json_object_get(function, "arguments"), STRING), "no arguments");
    if (!h->wrong) hearing_add(&h->asked[index], function, "arguments");
}

static inline void hearing_openai_message(struct hearing *h, json_t *message, bool is_whole)
{
    json_t *calls = json_object_get(message, "tool_calls");
    hearing_add(&h->text, message, "content");
    hearing_add(&h->refusal, message, "refusal");
    hearing_add(&h->reasoning, message, "reasoning_content");
    hearing_openai_details(h, json_object_get(message, "reasoning_details"));
    for (size_t i = 0; i < json_array_size(calls); i++) {
        json_t *call = json_array_get(calls, i);
        hearing_openai_call(h, call, is_whole ? (int)i : (int)hearing_number(call, "index"));
    }
}

static inline void hearing_openai_choice(struct hearing *h, json_t *choice)
{
    json_t *delta = json_object_get(choice, "delta"), *reason = json_object_get(choice, "finish_reason");
    hearing_must(h, hearing_number(choice, "index") == 0, "another choice");
    hearing_must(h, ORACLE_IS(delta, OBJECT), "no delta");
    hearing_must(h, !h->has_reason, "it goes on behind its finish reason");
    if (!h->has_begun) hearing_must(h, strcmp(hearing_text(delta, "role"), "assistant") == 0, "no role");
    hearing_openai_message(h, delta, false);
    if (!ORACLE_IS(reason, STRING)) return;
    h->has_reason = true;
    snprintf(h->reason, sizeof h->reason, "%s", json_string_value(reason));
}

static inline void hearing_head(struct hearing *h, json_t *root)
{
    if (!h->has_begun) {
        snprintf(h->id, sizeof h->id, "%s", hearing_text(root, "id"));
        snprintf(h->model, sizeof h->model, "%s", hearing_text(root, "model"));
    }
    hearing_must(h, h->id[0] && strncmp(h->id, hearing_text(root, "id"), sizeof h->id - 1) == 0, "another id");
}

static inline void hearing_openai_chunk(struct hearing *h, json_t *root)
{
    json_t *choices = json_object_get(root, "choices");
    hearing_must(h, strcmp(hearing_text(root, "object"), "chat.completion.chunk") == 0, "no chunk");
    hearing_must(h, hearing_number(root, "created") > 0, "no time");
    hearing_head(h, root);
    hearing_must(h, ORACLE_IS(choices, ARRAY), "no choices");
    if (json_array_size(choices) == 0) hearing_must(h, h->has_reason, "usage before the end");
    for (size_t i = 0; i < json_array_size(choices); i++)
        hearing_openai_choice(h, json_array_get(choices, i));
    h->has_begun = true;
    hearing_openai_usage(h, json_object_get(root, "usage"));
}

static inline void hearing_take_error(struct hearing *h, json_t *error)
{
    h->has_error = true;
    snprintf(h->error_type, sizeof h->error_type, "%s", hearing_text(error, "type"));
    snprintf(h->error_message, sizeof h->error_message, "%s", hearing_text(error, "message"));
    hearing_must(h, hearing_has(error, "type") && hearing_has(error, "message"), "an error without words");
}

static inline void hearing_openai_event(struct hearing *h, const struct sse_event *e)
{
    if (slice_equal(e->data, SLICE("[DONE]"))) {
        hearing_must(h, h->has_reason, "it ends without a finish reason");
        h->has_ended = true;
        hearing_end_calls(h);
        return;
    }
    hearing_must(h, !e->name.len, "a name");
    json_t *root = hearing_load(h, e->data);
    json_t *error = json_object_get(root, "error");
    if (error)
        hearing_take_error(h, error);
    else if (root)
        hearing_openai_chunk(h, root);
    json_decref(root);
}

/* ---- Anthropic */

static inline void hearing_anthropic_usage(struct hearing *h, json_t *usage)
{
    hearing_must(h, ORACLE_IS(usage, OBJECT), "no usage");
    h->has_usage = true;
    h->input = hearing_number(usage, "input_tokens");
    h->output = hearing_number(usage, "output_tokens");
    h->cached = hearing_number(usage, "cache_read_input_tokens");
    h->written = hearing_number(usage, "cache_creation_input_tokens");
    h->thought = hearing_number(json_object_get(usage, "output_tokens_details"), "thinking_tokens");
}

static inline void hearing_anthropic_block(struct hearing *h, json_t *block)
{
    const char *type = hearing_text(block, "type");
    snprintf(h->kind, sizeof h->kind, "%s", type);
    if (strcmp(type, "text") == 0) {
        hearing_add(&h->text, block, "text");
    } else if (strcmp(type, "thinking") == 0) {
        hearing_add(&h->reasoning, block, "thinking");
        hearing_add(&h->signatures, block, "signature");
        hearing_must(h, ORACLE_IS(json_object_get(block, "signature"), STRING), "thinking without a signature");
    } else if (strcmp(type, "redacted_thinking") == 0) {
        hearing_add(&h->redacted, block, "data");
    } else if (strcmp(type, "tool_use") == 0) {
        hearing_must(h, hearing_has(block, "id"), "a call without an id");
        hearing_must(h, ORACLE_IS(json_object_get(block, "input"), OBJECT), "a call without input");
        hearing_new_call(h, block);
    } else {
        hearing_wrong(h, "a block of another kind");
    }
}

static inline void hearing_anthropic_delta(struct hearing *h, json_t *delta)
{
    static const struct {
        const char *type, *kind, *text;
    } kinds[] = {{"text_delta", "text", "text"},
                 {"thinking_delta", "thinking", "thinking"},
                 {"signature_delta", "thinking", "signature"},
                 {"input_json_delta", "tool_use", "partial_json"}};
    struct buf *to[] = {&h->text, &h->reasoning, &h->signatures, &h->asked[h->call_count ? h->call_count - 1 : 0]};
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(hearing_text(delta, "type"), kinds[i].type) != 0) continue;
        hearing_must(h, strcmp(h->kind, kinds[i].kind) == 0, "a delta of another kind than its block");
        hearing_must(h, ORACLE_IS(json_object_get(delta, kinds[i].text), STRING), "a delta without its text");
        hearing_add(to[i], delta, kinds[i].text);
        return;
    }
    hearing_wrong(h, "an unknown delta");
}

static inline void hearing_anthropic_stop(struct hearing *h, json_t *holder)
{
    hearing_must(h, !h->has_reason, "two stop reasons");
    snprintf(h->reason, sizeof h->reason, "%s", hearing_text(holder, "stop_reason"));
    hearing_must(h, h->reason[0], "no stop reason");
    h->has_reason = true;
}

static inline void hearing_anthropic_message(struct hearing *h, json_t *message)
{
    hearing_must(h, strcmp(hearing_text(message, "type"), "message") == 0, "no message");
    hearing_must(h, strcmp(hearing_text(message, "role"), "assistant") == 0, "no role");
    hearing_must(h, strncmp(hearing_text(message, "id"), "msg_", 4) == 0, "no id");
    hearing_must(h, ORACLE_IS(json_object_get(message, "content"), ARRAY), "no content");
    hearing_head(h, message);
    hearing_anthropic_usage(h, json_object_get(message, "usage"));
}

static inline void hearing_anthropic_typed(struct hearing *h, const char *type, json_t *root)
{
    int index = (int)hearing_number(root, "index");
    if (strcmp(type, "message_start") == 0) {
        hearing_must(h, !h->has_begun, "it begins twice");
        hearing_anthropic_message(h, json_object_get(root, "message"));
        h->has_begun = true;
        return;
    }
    hearing_must(h, h->has_begun, "it does not begin with message_start");
    if (strcmp(type, "content_block_start") == 0) {
        hearing_must(h, h->open < 0 && index == h->blocks && !h->has_reason, "a block out of order");
        h->open = h->blocks++;
        hearing_anthropic_block(h, json_object_get(root, "content_block"));
    } else if (strcmp(type, "content_block_delta") == 0) {
        hearing_must(h, h->open == index, "a delta of no block");
        hearing_anthropic_delta(h, json_object_get(root, "delta"));
    } else if (strcmp(type, "content_block_stop") == 0) {
        hearing_must(h, h->open == index, "the end of no block");
        h->open = -1;
    } else if (strcmp(type, "message_delta") == 0) {
        hearing_must(h, h->open < 0, "message_delta inside a block");
        hearing_anthropic_stop(h, json_object_get(root, "delta"));
        hearing_anthropic_usage(h, json_object_get(root, "usage"));
    } else if (strcmp(type, "message_stop") == 0) {
        hearing_must(h, h->has_reason, "it ends without a stop reason");
        h->has_ended = true;
        hearing_end_calls(h);
    } else {
        hearing_wrong(h, "an unknown event");
    }
}

static inline void hearing_anthropic_event(struct hearing *h, const struct sse_event *e)
{
    json_t *root = hearing_load(h, e->data);
    const char *type = hearing_text(root, "type");
    if (root) hearing_must(h, slice_equal(slice_str(type), e->name), "another name than its type");
    if (strcmp(type, "error") == 0)
        hearing_take_error(h, json_object_get(root, "error"));
    else if (root)
        hearing_anthropic_typed(h, type, root);
    json_decref(root);
}

/* ---- all of them */

#include "hearing_responses.h"
#include "hearing_gemini.h"

static inline void hearing_on_event(void *arg, const struct sse_event *e)
{
    struct hearing *h = arg;
    bool was_wrong = h->wrong;
    if (e->is_comment_only) {
        buf_append(&h->comments, e->raw);
        return;
    }
    hearing_must(h, !e->is_raw && !e->is_tail, "half an event");
    bool may_go_on = h->dialect == &dialect_responses && h->has_error; /* which is told in two events */
    hearing_must(h, !h->has_ended && (!h->has_error || may_go_on), "something behind the end");
    if (h->dialect == &dialect_openai)
        hearing_openai_event(h, e);
    else if (h->dialect == &dialect_responses)
        hearing_responses_event(h, e);
    else if (h->dialect == &dialect_gemini)
        hearing_gemini_event(h, e);
    else
        hearing_anthropic_event(h, e);
    if (h->wrong && !was_wrong) snprintf(h->place, sizeof h->place, "%.*s", SLICE_FMT(e->raw));
}

static inline void hearing_stream(struct hearing *h, struct slice bytes)
{
    struct sse_parser *sse = sse_new();
    sse_keep(sse, 16u << 20);
    sse_feed(sse, bytes, hearing_on_event, h);
    sse_finish(sse, hearing_on_event, h);
    sse_free(sse);
}

static inline void hearing_openai_body(struct hearing *h, json_t *root)
{
    json_t *choice = json_array_get(json_object_get(root, "choices"), 0);
    hearing_must(h, strcmp(hearing_text(root, "object"), "chat.completion") == 0, "no completion");
    hearing_must(h, json_array_size(json_object_get(root, "choices")) == 1, "not one choice");
    hearing_head(h, root);
    hearing_openai_message(h, json_object_get(choice, "message"), true);
    snprintf(h->reason, sizeof h->reason, "%s", hearing_text(choice, "finish_reason"));
    hearing_must(h, h->reason[0], "no finish reason");
    hearing_openai_usage(h, json_object_get(root, "usage"));
}

static inline void hearing_anthropic_body(struct hearing *h, json_t *root)
{
    json_t *content = json_object_get(root, "content");
    hearing_anthropic_message(h, root);
    for (size_t i = 0; i < json_array_size(content); i++) {
        json_t *block = json_array_get(content, i), *input = json_object_get(block, "input");
        hearing_anthropic_block(h, block);
        if (!input || h->wrong) continue;
        char *text = json_dumps(input, JSON_COMPACT);
        buf_append(&h->asked[h->call_count - 1], slice_str(text));
        free(text);
    }
    hearing_anthropic_stop(h, root);
}

static inline void hearing_body(struct hearing *h, struct slice bytes)
{
    json_t *root = hearing_load(h, bytes);
    if (!root) return;
    json_t *error = json_object_get(root, "error");
    if (ORACLE_IS(error, OBJECT) && h->dialect == &dialect_gemini)
        hearing_gemini_error(h, error);
    else if (ORACLE_IS(error, OBJECT))
        hearing_take_error(h, error);
    else if (h->dialect == &dialect_openai)
        hearing_openai_body(h, root);
    else if (h->dialect == &dialect_responses)
        hearing_responses_whole(h, root);
    else if (h->dialect == &dialect_gemini)
        hearing_gemini_body(h, root);
    else
        hearing_anthropic_body(h, root);
    hearing_end_calls(h);
    h->has_ended = !h->has_error;
    json_decref(root);
}

#endif
