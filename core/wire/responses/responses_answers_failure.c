/*
 * What went wrong, in the words of the Responses API: an "error" event says it at its root or in an object, a response
 * that has failed has one of its own; all else is as OpenAI's other APIs have it.
 * Source: OpenAI API reference, "error", the response object's error; what was seen in streams.
 */
#include "wire/openai/openai_told.h"
#include "wire/responses/responses_answers.h"

static const struct failure_word codes[] = {
    {{"rate_limit_exceeded", 19}, FAILURE_RATE},       {{"server_error", 12}, FAILURE_SERVER},
    {{"invalid_prompt", 14}, FAILURE_REQUEST},         {{"context_length_exceeded", 23}, FAILURE_REQUEST},
    {{"vector_store_timeout", 20}, FAILURE_TIMEOUT},   {{"insufficient_quota", 18}, FAILURE_BILLING},
    {{"server_is_overloaded", 20}, FAILURE_OVERLOADED}, {{"slow_down", 9}, FAILURE_RATE},
};

/* Of pictures there are a dozen: "image_too_large", "invalid_base64_image", "empty_image_file". */
static bool is_of_image(struct slice code)
{
    return code.len && memmem(code.ptr, code.len, "image", 5);
}

/* One of a response's own has a code and a message, and no type. */
static void read_of_response(const struct json_tape *tape, uint32_t error, struct failure *failure,
                             struct arena *arena)
{
    failure->code = failure_member(tape, error, SLICE("code"), arena);
    failure->message = failure_member(tape, error, SLICE("message"), arena);
    bool is_known = failure_of_word(codes, sizeof codes / sizeof codes[0], failure->code, &failure->kind);
    if (!is_known && is_of_image(failure->code)) failure->kind = FAILURE_REQUEST;
}

/* As its status says, or its event: one that does not say why is a failure of its provider's. */
static bool has_failed(const struct json_tape *tape, uint32_t response)
{
    return json_text_is(tape, json_get(tape, response, SLICE("status")), SLICE("failed")) ||
           json_text_is(tape, json_get(tape, 0, SLICE("type")), SLICE("response.failed"));
}

void responses_read_failure(const struct json_tape *tape, struct slice name, struct failure *failure,
                            struct arena *arena)
{
    bool is_response = json_text_is(tape, json_get(tape, 0, SLICE("object")), SLICE("response"));
    uint32_t response = is_response ? 0 : json_get(tape, 0, SLICE("response"));
    uint32_t own = json_get(tape, response, SLICE("error"));
    if (json_is(tape, own, JSON_OBJECT))
        read_of_response(tape, own, failure, arena);
    else if (has_failed(tape, response))
        failure->kind = FAILURE_SERVER;
    else
        openai_read_failure(tape, name, failure, arena);
}
