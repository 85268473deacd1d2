/*
 * The dialect of OpenAI's Responses API.
 * Source: OpenAI API reference, responses and their streaming events; errors as they were seen in streams.
 */
#include "wire/openai/openai_told.h"
#include "wire/responses/responses_inner.h"
#include "wire/responses/responses_answers.h"
#include "wire/responses/responses_items.h"
#include "wire/responses/responses_translate.h"

static const char *path(enum chat_kind kind)
{
    static const char *const paths[CHAT_KINDS] = {
        [CHAT_CHAT] = "/responses",
        [CHAT_COUNT] = "/responses/input_tokens",
        [CHAT_COMPACT] = "/responses/compact",
        [CHAT_CONVERSATIONS] = "/conversations",
    };
    return paths[kind];
}

/* The API's own word for why a response failed: of what must not be asked again, "invalid_prompt", which Codex does not
 * repeat; it repeats all that it has no word for. */
static struct slice failure_of(const struct dialect_error *error)
{
    if (slice_equal(error->type, SLICE("invalid_request_error"))) return SLICE("invalid_prompt");
    bool is_rate = slice_equal(error->type, SLICE("rate_limit_error"));
    return is_rate ? SLICE("rate_limit_exceeded") : SLICE("server_error");
}

/* Both, as OpenAI does: its client raises the first for its "error"; Codex looks for the second alone. */
static void write_event_error(struct buf *out, const struct dialect_error *error)
{
    buf_append(out, SLICE("event: error\ndata: {\"type\":\"error\",\"sequence_number\":0,\"error\":"));
    openai_write_error(out, error);
    buf_append(out, SLICE("}\n\nevent: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":0,"
                          "\"response\":{\"object\":\"response\",\"status\":\"failed\",\"output\":[],"
                          "\"error\":{\"code\":"));
    buf_append_json(out, failure_of(error));
    buf_append(out, SLICE(",\"message\":"));
    buf_append_json(out, error->message);
    buf_append(out, SLICE("}}}\n\n"));
}

static void write_count(struct buf *out, uint64_t tokens)
{
    buf_append(out, SLICE("{\"object\":\"response.input_tokens\",\"input_tokens\":"));
    buf_append_u64(out, tokens);
    buf_append_char(out, '}');
}

const struct dialect dialect_responses = {
    .name = "responses",
    .filled = &filled_responses,
    .read_request = responses_read_request,
    .walk = responses_walk,
    .walk_message = responses_walk_item,
    .role = responses_role,
    .is_format = responses_is_format,
    .edit_ask_usage = responses_edit_ask_usage,
    .edit_member = responses_edit_member,
    .guess = responses_guess,
    .request_translation = &responses_request_translation,
    .path = path,
    .output_least = 16,
    .key_header = {{"authorization", 13}, {"Bearer ", 7}},
    .read_body = responses_read_body,
    .read_event = responses_read_event,
    .tell_kept = responses_tell_kept,
    .keeps_answers = true,
    .repeats_answer = true,
    .judge_end = responses_judge_end,
    .answers = &responses_answers,
    .request_id_header = {"x-request-id", 12},
    .write_event_error = write_event_error,
    .write_body_error = openai_write_body_error,
    .write_rates = openai_write_rates,
    .rate_names = OPENAI_RATE_NAMES,
    .write_count = write_count,
    .write_models = openai_write_models,
    .write_model = openai_write_model,
};
