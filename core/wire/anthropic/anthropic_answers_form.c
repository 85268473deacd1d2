/*
 * A message for Anthropic's clients, as the events of a stream and as one body: two forms of the same blocks.
 * Source: Anthropic API reference, POST /v1/messages and "Streaming messages".
 */
#include "wire/anthropic/anthropic_answers.h"
#include "wire/translate/event.h"
#include "wire/translate/reported.h"

static void append_text(struct buf *out, const char *before, struct slice inside, const char *behind)
{
    buf_append(out, slice_str(before));
    buf_append(out, inside);
    buf_append(out, slice_str(behind));
}

/* Clients know a message's id by its beginning. */
static void append_id(struct anthropic_out *out, struct slice id)
{
    if (!id.len) id = out->manner->id;
    append_text(&out->text, slice_starts(id, SLICE("msg_")) ? "{\"id\":\"" : "{\"id\":\"msg_", id, "\"");
}

static void append_head(struct anthropic_out *out, const struct delta *start)
{
    append_id(out, start->id);
    append_text(&out->text, ",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"", start->name,
                "\",\"content\":[");
}

static void append_usage(struct buf *out, const struct usage *usage)
{
    struct reported u = reported_of(usage);
    buf_printf(out,
               "\"usage\":{\"input_tokens\":%lld,\"cache_creation_input_tokens\":%lld,"
               "\"cache_read_input_tokens\":%lld,\"output_tokens\":%lld",
               (long long)(u.input - u.cached - u.written), (long long)u.written, (long long)u.cached,
               (long long)u.output);
    if (u.has_reasoning)
        buf_printf(out, ",\"output_tokens_details\":{\"thinking_tokens\":%lld}", (long long)u.reasoning);
    buf_append_char(out, '}');
}

/* ---- events */

static bool send(struct anthropic_out *out, const char *name)
{
    return event_end(&out->text, name, out->event, out->arg);
}

static void begin_indexed(struct anthropic_out *out, const char *name)
{
    event_begin(&out->text, name);
    append_text(&out->text, "{\"type\":\"", slice_str(name), "\",\"index\":");
    buf_append_u64(&out->text, out->blocks - 1);
}

static bool start_events(struct anthropic_out *out, const struct delta *start)
{
    event_begin(&out->text, "message_start");
    buf_append(&out->text, SLICE("{\"type\":\"message_start\",\"message\":"));
    append_head(out, start);
    buf_append(&out->text, SLICE("],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":0,"
                                 "\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,"
                                 "\"output_tokens\":0}}}"));
    return send(out, "message_start");
}

static bool open_event(struct anthropic_out *out, enum anthropic_block kind, struct slice id, struct slice name)
{
    out->blocks++;
    begin_indexed(out, "content_block_start");
    switch (kind) {
    case ANTHROPIC_TEXT: buf_append(&out->text, SLICE(",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}")); break;
    case ANTHROPIC_THINKING:
        buf_append(&out->text,
                   SLICE(",\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}"));
        break;
    case ANTHROPIC_CALL:
        append_text(&out->text, ",\"content_block\":{\"type\":\"tool_use\",\"id\":\"", id, "\"");
        append_text(&out->text, ",\"name\":\"", name, "\",\"input\":{}}}");
        break;
    }
    return send(out, "content_block_start");
}

static bool send_delta(struct anthropic_out *out, const char *head, struct slice lead, struct slice text)
{
    begin_indexed(out, "content_block_delta");
    append_text(&out->text, head, lead, "");
    append_text(&out->text, "", text, "\"}}");
    return send(out, "content_block_delta");
}

static bool add_event(struct anthropic_out *out, enum anthropic_block kind, struct slice lead, struct slice text)
{
    static const char *const heads[] = {
        [ANTHROPIC_TEXT] = ",\"delta\":{\"type\":\"text_delta\",\"text\":\"",
        [ANTHROPIC_THINKING] = ",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"",
        [ANTHROPIC_CALL] = ",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"",
    };
    return send_delta(out, heads[kind], lead, text);
}

static bool sign_event(struct anthropic_out *out, struct slice signature)
{
    return send_delta(out, ",\"delta\":{\"type\":\"signature_delta\",\"signature\":\"", SLICE_NONE, signature);
}

static bool close_event(struct anthropic_out *out, enum anthropic_block kind, struct slice arguments)
{
    (void)kind, (void)arguments; /* they have been told */
    begin_indexed(out, "content_block_stop");
    buf_append_char(&out->text, '}');
    return send(out, "content_block_stop");
}

static bool redacted_events(struct anthropic_out *out, struct slice data)
{
    out->blocks++;
    begin_indexed(out, "content_block_start");
    append_text(&out->text, ",\"content_block\":{\"type\":\"redacted_thinking\",\"data\":\"", data, "\"}}");
    return send(out, "content_block_start") && close_event(out, ANTHROPIC_THINKING, SLICE_NONE);
}

static bool end_events(struct anthropic_out *out, const char *stop_reason, const struct usage *usage)
{
    event_begin(&out->text, "message_delta");
    append_text(&out->text, "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"", slice_str(stop_reason),
                "\",\"stop_sequence\":null},");
    append_usage(&out->text, usage);
    buf_append_char(&out->text, '}');
    if (!send(out, "message_delta")) return false;
    event_begin(&out->text, "message_stop");
    buf_append(&out->text, SLICE("{\"type\":\"message_stop\"}"));
    return send(out, "message_stop");
}

const struct anthropic_form anthropic_events = {start_events, open_event,      add_event, sign_event,
                                                close_event,  redacted_events, end_events};

/* ---- one body */

static bool start_body(struct anthropic_out *out, const struct delta *start)
{
    append_head(out, start);
    return true;
}

static void append_comma(struct anthropic_out *out)
{
    if (out->blocks++) buf_append_char(&out->text, ',');
}

static bool open_block(struct anthropic_out *out, enum anthropic_block kind, struct slice id, struct slice name)
{
    append_comma(out);
    switch (kind) {
    case ANTHROPIC_TEXT: buf_append(&out->text, SLICE("{\"type\":\"text\",\"text\":\"")); break;
    case ANTHROPIC_THINKING: buf_append(&out->text, SLICE("{\"type\":\"thinking\",\"thinking\":\"")); break;
    case ANTHROPIC_CALL:
        append_text(&out->text, "{\"type\":\"tool_use\",\"id\":\"", id, "\"");
        append_text(&out->text, ",\"name\":\"", name, "\",\"input\":");
        break;
    }
    return true;
}

static bool add_text(struct anthropic_out *out, enum anthropic_block kind, struct slice lead, struct slice text)
{
    if (kind != ANTHROPIC_CALL) {
        buf_append(&out->text, lead);
        buf_append(&out->text, text);
    }
    return true;
}

static bool keep_signature(struct anthropic_out *out, struct slice signature)
{
    buf_append(&out->signature, signature);
    return true;
}

static bool close_block(struct anthropic_out *out, enum anthropic_block kind, struct slice arguments)
{
    switch (kind) {
    case ANTHROPIC_TEXT: buf_append(&out->text, SLICE("\"}")); break;
    case ANTHROPIC_THINKING: append_text(&out->text, "\",\"signature\":\"", buf_slice(&out->signature), "\"}"); break;
    case ANTHROPIC_CALL: append_text(&out->text, "", arguments, "}"); break;
    }
    buf_reset(&out->signature);
    return true;
}

static bool redacted_block(struct anthropic_out *out, struct slice data)
{
    append_comma(out);
    append_text(&out->text, "{\"type\":\"redacted_thinking\",\"data\":\"", data, "\"}");
    return true;
}

static bool end_body(struct anthropic_out *out, const char *stop_reason, const struct usage *usage)
{
    append_text(&out->text, "],\"stop_reason\":\"", slice_str(stop_reason), "\",\"stop_sequence\":null,");
    append_usage(&out->text, usage);
    buf_append_char(&out->text, '}');
    return event_body(&out->text, out->event, out->arg);
}

const struct anthropic_form anthropic_body = {start_body,  open_block,     add_text, keep_signature,
                                              close_block, redacted_block, end_body};
