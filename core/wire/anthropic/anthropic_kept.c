/*
 * What a message says that its provider keeps. Source: Anthropic API reference, Messages; "Code execution tool".
 */
#include <string.h>

#include "wire/anthropic/anthropic_inner.h"
#include "wire/content.h"
#include "wire/kept_answer.h"

static bool type_ends(const struct kept_answer *t, uint32_t object, struct slice end)
{
    uint32_t type = json_get(t->tape, object, SLICE("type"));
    struct slice raw = json_is(t->tape, type, JSON_STRING) ? json_raw(t->tape, type) : SLICE("");
    return raw.len > end.len + 1 && memcmp(raw.ptr + raw.len - 1 - end.len, end.ptr, end.len) == 0;
}

static void tell_made(const struct kept_answer *t, uint32_t made)
{
    if (type_ends(t, made, SLICE("code_execution_output"))) kept_tell(t, KEPT_FILE, made, SLICE("file_id"));
}

static void tell_block(const struct kept_answer *t, uint32_t block)
{
    uint32_t result = json_get(t->tape, block, SLICE("content"));
    if (type_ends(t, block, SLICE("code_execution_tool_result")))
        kept_each(t, json_get(t->tape, result, SLICE("content")), tell_made);
}

static void tell_message(const struct kept_answer *t, uint32_t message)
{
    kept_tell(t, KEPT_CONTAINER, json_get(t->tape, message, SLICE("container")), SLICE("id"));
    kept_each(t, json_get(t->tape, message, SLICE("content")), tell_block);
}

void anthropic_tell_kept(const struct kept_answer *t)
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
