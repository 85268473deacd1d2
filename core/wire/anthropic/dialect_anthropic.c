/*
 * The dialect of Anthropic's API.
 * Source: Anthropic API reference, messages, token counting, models, errors.
 */
#include "wire/anthropic/anthropic_answers.h"
#include "wire/anthropic/anthropic_inner.h"
#include "wire/anthropic/anthropic_message.h"
#include "wire/anthropic/anthropic_translate.h"
#include "wire/hosting.h"

static const char *path(enum chat_kind kind)
{
    static const char *const paths[CHAT_KINDS] = {
        [CHAT_CHAT] = "/messages",
        [CHAT_COUNT] = "/messages/count_tokens",
    };
    return paths[kind];
}

/* The gateway's own refusals are typed by their status, as this API's are: what only the gateway knows stands in
 * "code". After an overload it helps to come again, so what is refused for good is none. */
static struct slice type_of(const struct dialect_error *error)
{
    bool is_final = slice_equal(error->type, SLICE("invalid_request_error"));
    if (!error->status) return error->type.len ? error->type : SLICE("api_error");
    return anthropic_type_of_status(is_final && error->status >= 500 ? 500 : error->status);
}

static void write_member(struct buf *out, const char *name, struct slice value)
{
    if (!value.len) return;
    buf_printf(out, ",\"%s\":", name);
    buf_append_json(out, value);
}

static void write_body_error(struct buf *out, const struct dialect_error *error)
{
    buf_append(out, SLICE("{\"type\":\"error\",\"error\":{\"type\":"));
    buf_append_json(out, type_of(error));
    buf_append(out, SLICE(",\"message\":"));
    buf_append_json(out, error->message);
    write_member(out, "code", error->code);
    write_member(out, "param", error->param);
    write_member(out, "policy", error->policy);
    write_member(out, "rule", error->rule);
    if (error->approval.len) buf_printf(out, ",\"approval\":%.*s", SLICE_FMT(error->approval));
    buf_append_char(out, '}');
    write_member(out, "request_id", error->request_id);
    buf_append_char(out, '}');
}

static void write_event_error(struct buf *out, const struct dialect_error *error)
{
    buf_append(out, SLICE("event: error\ndata: "));
    write_body_error(out, error);
    buf_append(out, SLICE("\n\n"));
}

static void write_count(struct buf *out, uint64_t tokens)
{
    buf_printf(out, "{\"input_tokens\":%llu}", (unsigned long long)tokens);
}

/* When a model was made the gateway does not know: it says since when it is offered here. */
static void write_model(struct buf *out, struct slice name, int64_t since)
{
    struct arena arena;
    arena_init(&arena);
    buf_append(out, SLICE("{\"type\":\"model\",\"id\":"));
    buf_append_json(out, name);
    buf_append(out, SLICE(",\"display_name\":"));
    buf_append_json(out, name);
    buf_printf(out, ",\"created_at\":\"%.*s\"}", SLICE_FMT(anthropic_time(&arena, since)));
    arena_clear(&arena);
}

static void write_id(struct buf *out, const char *name, const struct slice *id)
{
    buf_printf(out, ",\"%s\":", name);
    if (id)
        buf_append_json(out, *id);
    else
        buf_append(out, SLICE("null"));
}

static void write_models(struct buf *out, const struct slice *names, size_t count, int64_t since)
{
    buf_append(out, SLICE("{\"data\":["));
    for (size_t i = 0; i < count; i++) {
        if (i) buf_append_char(out, ',');
        write_model(out, names[i], since);
    }
    buf_append(out, SLICE("],\"has_more\":false"));
    write_id(out, "first_id", count ? &names[0] : NULL);
    write_id(out, "last_id", count ? &names[count - 1] : NULL);
    buf_append_char(out, '}');
}

const struct dialect dialect_anthropic = {
    .name = "anthropic",
    .filled = &filled_messages,
    .read_request = anthropic_read_request,
    .walk = anthropic_walk,
    .walk_message = anthropic_walk_message,
    .role = anthropic_role,
    .is_format = anthropic_is_format,
    .edit_ask_usage = anthropic_edit_ask_usage,
    .edit_member = anthropic_edit_member,
    .names_user_once = true,
    .guess = anthropic_guess,
    .request_translation = &anthropic_request_translation,
    .hosting = &anthropic_hosting,
    .path = path,
    .publisher = "anthropic",
    .key_header = {{"x-api-key", 9}, {"", 0}},
    .query = {"beta=true", 9},
    .version_header = {{"anthropic-version", 17}, {"2023-06-01", 10}},
    .read_body = anthropic_read_body,
    .read_event = anthropic_read_event,
    .tell_kept = anthropic_tell_kept,
    .judge_end = anthropic_judge_end,
    .answers = &anthropic_answers,
    .request_id_header = {"request-id", 10},
    .write_event_error = write_event_error,
    .write_body_error = write_body_error,
    .write_rates = anthropic_write_rates,
    .rate_names = "anthropic-ratelimit-requests-limit, anthropic-ratelimit-requests-remaining, "
                  "anthropic-ratelimit-requests-reset, anthropic-ratelimit-tokens-limit, "
                  "anthropic-ratelimit-tokens-remaining, anthropic-ratelimit-tokens-reset",
    .write_count = write_count,
    .write_models = write_models,
    .write_model = write_model,
};
