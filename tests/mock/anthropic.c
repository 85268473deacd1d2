#include "anthropic.h"

#include "base/mem.h"
#include "chat.h"
#include "spoken.h"

enum step { STEP_START, STEP_BLOCK, STEP_CONTENT, STEP_BLOCK_END, STEP_FINISH, STEP_STOP, STEP_OVER };

struct message {
    struct source base;
    char *model, *tool;
    uint64_t seed, prompt_tokens, usage_tokens;
    size_t event_bytes;
    bool is_done_sent, has_words;
    struct spoken spoken;
    enum step step;
};

static const char *stop_reason(const struct message *m)
{
    return m->tool ? "tool_use" : m->spoken.is_length ? "max_tokens" : "end_turn";
}

static unsigned long long written(const struct message *m)
{
    return m->usage_tokens != UINT64_MAX ? m->usage_tokens : m->base.tokens;
}

/* All of the message but its content; without its end while it is only begun. */
static void append_head(const struct message *m, struct buf *out)
{
    buf_printf(out, "{\"id\":\"msg_mock%016llx\",\"type\":\"message\",\"role\":\"assistant\",\"model\":",
               (unsigned long long)m->seed);
    buf_append_json(out, slice_str(m->model));
    buf_append(out, SLICE(",\"content\":["));
}

static void append_usage(const struct message *m, struct buf *out, unsigned long long output)
{
    buf_printf(out,
               "{\"input_tokens\":%llu,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,"
               "\"output_tokens\":%llu,\"service_tier\":\"standard\"}",
               (unsigned long long)m->prompt_tokens, output);
}

static void append_block(const struct message *m, struct buf *out)
{
    if (!m->tool) {
        buf_append(out, SLICE("{\"type\":\"text\",\"text\":"));
        return;
    }
    buf_printf(out, "{\"type\":\"tool_use\",\"id\":\"toolu_mock%016llx\",\"name\":", (unsigned long long)m->seed);
    buf_append_json(out, slice_str(m->tool));
    buf_append(out, SLICE(",\"input\":"));
}

static void begin_event(struct buf *out, const char *type)
{
    buf_printf(out, "event: %s\ndata: {\"type\":\"%s\"", type, type);
}

/* Padded with blanks, as the real ones are. */
static void end_event(const struct message *m, struct buf *out, size_t before)
{
    buf_append_char(out, '}');
    do {
        buf_append_char(out, ' ');
    } while (buf_len(out) - before < m->event_bytes);
    buf_append(out, SLICE("\n\n"));
}

static void append_delta(struct message *m, struct buf *out, struct slice word)
{
    struct buf json;
    buf_init(&json);
    begin_event(out, "content_block_delta");
    if (m->tool) {
        buf_printf(&json, "%s%.*s", m->has_words ? "" : "{\"words\":\"", SLICE_FMT(word));
        buf_append(out, SLICE(",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":"));
        buf_append_json(out, buf_slice(&json));
    } else {
        buf_append(out, SLICE(",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":"));
        buf_append_json(out, word);
    }
    m->has_words = true;
    buf_append_char(out, '}');
    buf_clear(&json);
}

static void append_close(const struct message *m, struct buf *out)
{
    if (!m->tool) return;
    begin_event(out, "content_block_delta");
    buf_printf(out, ",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"%s\"}",
               m->has_words ? "\\\"}" : "{}");
    end_event(m, out, buf_len(out));
}

static void append_step(struct message *m, struct buf *out)
{
    switch (m->step) {
    case STEP_START:
        begin_event(out, "message_start");
        buf_append(out, SLICE(",\"message\":"));
        append_head(m, out);
        buf_append(out, SLICE("],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":"));
        append_usage(m, out, 1);
        buf_append_char(out, '}');
        return;
    case STEP_BLOCK:
        begin_event(out, "content_block_start");
        buf_append(out, SLICE(",\"index\":0,\"content_block\":"));
        append_block(m, out);
        buf_append(out, m->tool ? SLICE("{}}") : SLICE("\"\"}"));
        return;
    case STEP_BLOCK_END:
        append_close(m, out);
        begin_event(out, "content_block_stop");
        buf_append(out, SLICE(",\"index\":0"));
        return;
    case STEP_FINISH:
        begin_event(out, "message_delta");
        buf_printf(out, ",\"delta\":{\"stop_reason\":\"%s\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":%llu}",
                   stop_reason(m), written(m));
        return;
    case STEP_STOP: begin_event(out, "message_stop"); return;
    case STEP_CONTENT:
    case STEP_OVER: return;
    }
}

static bool stream_next(struct source *s, struct buf *out)
{
    struct message *m = (struct message *)s;
    struct slice word;
    size_t before = buf_len(out);
    if (m->step == STEP_CONTENT) {
        if (words_next(&m->spoken.words, &word)) {
            m->base.tokens++;
            append_delta(m, out, word);
            end_event(m, out, before);
            return true;
        }
        m->step = STEP_BLOCK_END;
    }
    if (m->step == STEP_OVER || (m->step == STEP_STOP && !m->is_done_sent)) return false;
    append_step(m, out);
    end_event(m, out, before);
    m->step++;
    return true;
}

static bool whole_next(struct source *s, struct buf *out)
{
    struct message *m = (struct message *)s;
    struct buf text;
    struct slice word;
    if (m->step == STEP_OVER) return false;
    m->step = STEP_OVER;
    buf_init(&text);
    for (; words_next(&m->spoken.words, &word); m->base.tokens++)
        buf_append(&text, word);
    append_head(m, out);
    append_block(m, out);
    if (m->tool) buf_append(out, SLICE("{\"words\":"));
    buf_append_json(out, buf_slice(&text));
    buf_printf(out, "%s}],\"stop_reason\":\"%s\",\"stop_sequence\":null,\"usage\":", m->tool ? "}" : "",
               stop_reason(m));
    append_usage(m, out, written(m));
    buf_append_char(out, '}');
    buf_clear(&text);
    return true;
}

static void message_free(struct source *s)
{
    struct message *m = (struct message *)s;
    mem_free(m->model);
    mem_free(m->tool);
    spoken_clear(&m->spoken);
}

static struct source *answer(const json_t *body, const struct script *script)
{
    struct message *m = mem_zalloc(1, sizeof *m);
    struct buf prompt;
    bool is_stream = json_is_true(json_object_get(body, "stream"));
    const char *text = spoken_text(json_object_get(body, "messages"));
    buf_init(&prompt);
    m->base = (struct source){is_stream ? stream_next : whole_next,
                              message_free,
                              200,
                              is_stream,
                              is_stream ? "text/event-stream; charset=utf-8" : "application/json",
                              0,
                              {0}, NULL, NULL};
    m->prompt_tokens = chat_prompt(body, &prompt);
    m->seed = words_seed(buf_slice(&prompt));
    m->model = mem_strdup(json_string_value(json_object_get(body, "model")));
    m->tool = spoken_tool(body, script, text);
    m->event_bytes = (size_t)script->event_bytes;
    m->is_done_sent = script->done != 0;
    m->usage_tokens = script->usage_tokens >= 0 ? (uint64_t)script->usage_tokens : UINT64_MAX;
    uint64_t limit = (uint64_t)json_integer_value(json_object_get(body, "max_tokens"));
    m->spoken = spoken_choose(&(struct spoken_ask){script, text, m->seed, limit, is_stream});
    buf_clear(&prompt);
    return &m->base;
}

static struct source *count(const json_t *body)
{
    struct buf prompt, out;
    buf_init(&prompt);
    buf_init(&out);
    buf_printf(&out, "{\"input_tokens\":%llu}", (unsigned long long)chat_prompt(body, &prompt));
    struct source *s = source_of_bytes(200, "application/json", buf_slice(&out), 0);
    buf_clear(&prompt);
    buf_clear(&out);
    return s;
}

struct source *anthropic_error(int status, const char *type, const char *message)
{
    struct buf out;
    buf_init(&out);
    buf_printf(&out, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":", type);
    buf_append_json(&out, slice_str(message));
    buf_append(&out, SLICE("},\"request_id\":\"req_mock\"}"));
    struct source *s = source_of_bytes(status, "application/json", buf_slice(&out), 0);
    buf_clear(&out);
    return s;
}

struct source *anthropic_answer(struct slice path, const json_t *body, const struct script *script)
{
    bool is_count = slice_equal(path, SLICE("/v1/messages/count_tokens"));
    if (!is_count && !slice_equal(path, SLICE("/v1/messages"))) return NULL;
    if (!json_is_string(json_object_get(body, "model")))
        return anthropic_error(400, "invalid_request_error", "model: Field required");
    if (!is_count && !json_is_integer(json_object_get(body, "max_tokens")))
        return anthropic_error(400, "invalid_request_error", "max_tokens: Field required");
    return is_count ? count(body) : answer(body, script);
}
