#include "wire/kept_answer.h"

#include "wire/content.h"
#include "wire/dialect.h"

struct telling {
    const struct json_tape *tape;
    kept_answer_fn fn;
    void *arg;
};

static void tell(const struct telling *t, enum kept_kind kind, uint32_t object, struct slice name)
{
    uint32_t id = json_get(t->tape, object, name);
    if (json_is(t->tape, id, JSON_STRING)) t->fn(t->arg, kind, id);
}

static void each(const struct telling *t, uint32_t list, void (*fn)(const struct telling *t, uint32_t element))
{
    uint32_t n = json_is(t->tape, list, JSON_ARRAY) ? json_first(t->tape, list) : JSON_NONE;
    for (; n != JSON_NONE; n = json_next(t->tape, n))
        fn(t, n);
}

static bool type_ends(const struct telling *t, uint32_t object, struct slice end)
{
    uint32_t type = json_get(t->tape, object, SLICE("type"));
    struct slice raw = json_is(t->tape, type, JSON_STRING) ? json_raw(t->tape, type) : SLICE("");
    return raw.len > end.len + 1 && memcmp(raw.ptr + raw.len - 1 - end.len, end.ptr, end.len) == 0;
}

/* ---- Responses. */

/* A file that code made. */
static void tell_annotation(const struct telling *t, uint32_t annotation)
{
    if (!content_is_of_type(t->tape, annotation, SLICE("container_file_citation"))) return;
    tell(t, KEPT_FILE, annotation, SLICE("file_id"));
    tell(t, KEPT_CONTAINER, annotation, SLICE("container_id"));
}

static void tell_part(const struct telling *t, uint32_t part)
{
    each(t, json_get(t->tape, part, SLICE("annotations")), tell_annotation);
}

static void tell_item(const struct telling *t, uint32_t item)
{
    tell(t, KEPT_ITEM, item, SLICE("id"));
    if (content_is_of_type(t->tape, item, SLICE("code_interpreter_call")))
        tell(t, KEPT_CONTAINER, item, SLICE("container_id"));
    if (content_is_of_type(t->tape, item, SLICE("shell_call")))
        tell(t, KEPT_CONTAINER, json_get(t->tape, item, SLICE("environment")), SLICE("container_id"));
    if (content_is_of_type(t->tape, item, SLICE("message")))
        each(t, json_get(t->tape, item, SLICE("content")), tell_part);
}

/* An event has the response, or one item, inside. */
static void tell_response(const struct telling *t)
{
    uint32_t response = json_get(t->tape, 0, SLICE("response")), item = json_get(t->tape, 0, SLICE("item"));
    if (json_text_is(t->tape, json_get(t->tape, 0, SLICE("object")), SLICE("response"))) response = 0;
    if (response != JSON_NONE) {
        tell(t, KEPT_RESPONSE, response, SLICE("id"));
        each(t, json_get(t->tape, response, SLICE("output")), tell_item);
    } else if (item != JSON_NONE) {
        tell_item(t, item);
    }
}

/* ---- Messages. */

static void tell_made(const struct telling *t, uint32_t made)
{
    if (type_ends(t, made, SLICE("code_execution_output"))) tell(t, KEPT_FILE, made, SLICE("file_id"));
}

static void tell_block(const struct telling *t, uint32_t block)
{
    uint32_t result = json_get(t->tape, block, SLICE("content"));
    if (type_ends(t, block, SLICE("code_execution_tool_result")))
        each(t, json_get(t->tape, result, SLICE("content")), tell_made);
}

static void tell_message(const struct telling *t, uint32_t message)
{
    tell(t, KEPT_CONTAINER, json_get(t->tape, message, SLICE("container")), SLICE("id"));
    each(t, json_get(t->tape, message, SLICE("content")), tell_block);
}

static void tell_messages(const struct telling *t)
{
    uint32_t block = json_get(t->tape, 0, SLICE("content_block")), message = json_get(t->tape, 0, SLICE("message")),
             delta = json_get(t->tape, 0, SLICE("delta"));
    if (block != JSON_NONE)
        tell_block(t, block);
    else if (message != JSON_NONE)
        tell_message(t, message);
    else if (content_is_of_type(t->tape, 0, SLICE("message_delta")))
        tell_message(t, delta);
    else if (content_is_of_type(t->tape, 0, SLICE("message")))
        tell_message(t, 0);
}

void kept_answer(const struct dialect *dialect, const struct json_tape *tape, kept_answer_fn fn, void *arg)
{
    struct telling t = {tape, fn, arg};
    if (dialect == &dialect_responses) tell_response(&t);
    if (dialect == &dialect_anthropic) tell_messages(&t);
}
