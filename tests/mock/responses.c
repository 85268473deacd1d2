#include "responses.h"

#include "base/mem.h"
#include "chat.h"
#include "spoken.h"

enum step {
    STEP_CREATED,
    STEP_IN_PROGRESS,
    STEP_ITEM,
    STEP_PART,
    STEP_CONTENT,
    STEP_TEXT_END,
    STEP_PART_END,
    STEP_ITEM_END,
    STEP_FINISH,
    STEP_OVER
};

struct response {
    struct source base;
    char *model, *tool;
    uint64_t seed, prompt_tokens, usage_tokens;
    size_t event_bytes;
    bool is_done_sent;
    struct spoken spoken;
    struct buf said; /* so far: a call's arguments are open until their end */
    enum step step;
    unsigned sequence;
};

static const char *status_of(const struct response *r)
{
    return r->step < STEP_FINISH ? "in_progress" : r->spoken.is_length ? "incomplete" : "completed";
}

/* Of what growing text the events are. */
static const char *event_of(const struct response *r)
{
    return r->tool ? "response.function_call_arguments" : "response.output_text";
}

static void append_part(struct buf *out, struct slice text)
{
    buf_append(out, SLICE("{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":"));
    buf_append_json(out, text);
    buf_append_char(out, '}');
}

static void append_item(const struct response *r, struct buf *out, bool is_done)
{
    struct slice said = is_done ? buf_slice(&r->said) : SLICE("");
    buf_printf(out, "{\"id\":\"%s_mock%016llx\",\"status\":\"%s\"", r->tool ? "fc" : "msg",
               (unsigned long long)r->seed, is_done ? "completed" : "in_progress");
    if (r->tool) {
        buf_printf(out, ",\"type\":\"function_call\",\"call_id\":\"call_mock%016llx\",\"name\":",
                   (unsigned long long)r->seed);
        buf_append_json(out, slice_str(r->tool));
        buf_append(out, SLICE(",\"arguments\":"));
        buf_append_json(out, said);
    } else {
        buf_append(out, SLICE(",\"type\":\"message\",\"role\":\"assistant\",\"content\":["));
        if (is_done) append_part(out, said);
        buf_append_char(out, ']');
    }
    buf_append_char(out, '}');
}

static void append_usage(const struct response *r, struct buf *out)
{
    unsigned long long in = r->prompt_tokens,
                       made = r->usage_tokens != UINT64_MAX ? r->usage_tokens : r->base.tokens;
    buf_printf(out,
               "{\"input_tokens\":%llu,\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":%llu,"
               "\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":%llu}",
               in, made, in + made);
}

static void append_response(const struct response *r, struct buf *out)
{
    bool is_over = r->step >= STEP_FINISH;
    buf_printf(out, "{\"id\":\"resp_mock%016llx\",\"object\":\"response\",\"created_at\":1760000000,",
               (unsigned long long)r->seed);
    buf_printf(out, "\"status\":\"%s\",", status_of(r));
    buf_printf(out, "\"error\":null,\"incomplete_details\":%s,\"model\":",
               is_over && r->spoken.is_length ? "{\"reason\":\"max_output_tokens\"}" : "null");
    buf_append_json(out, slice_str(r->model));
    buf_append(out, SLICE(",\"service_tier\":\"default\",\"output\":["));
    if (is_over) append_item(r, out, true);
    buf_append(out, SLICE("],\"usage\":"));
    if (is_over)
        append_usage(r, out);
    else
        buf_append(out, SLICE("null"));
    buf_append_char(out, '}');
}

static void begin_event(struct response *r, struct buf *out, const char *type, const char *end)
{
    buf_printf(out, "event: %s%s\ndata: {\"type\":\"%s%s\",\"sequence_number\":%u", type, end, type, end, r->sequence++);
}

/* Padded, as the real ones are. */
static void end_event(const struct response *r, struct buf *out, size_t before)
{
    if (buf_len(out) - before < r->event_bytes) {
        buf_append(out, SLICE(",\"obfuscation\":\""));
        while (buf_len(out) - before < r->event_bytes)
            buf_append_char(out, 'x');
        buf_append_char(out, '"');
    }
    buf_append(out, SLICE("}\n\n"));
}

static void append_place(const struct response *r, struct buf *out)
{
    buf_printf(out, ",\"item_id\":\"%s_mock%016llx\",\"output_index\":0%s", r->tool ? "fc" : "msg",
               (unsigned long long)r->seed, r->tool ? "" : ",\"content_index\":0");
}

static void append_delta(struct response *r, struct buf *out, struct slice piece)
{
    begin_event(r, out, event_of(r), ".delta");
    append_place(r, out);
    buf_append(out, SLICE(",\"delta\":"));
    buf_append_json(out, piece);
    if (!r->tool) buf_append(out, SLICE(",\"logprobs\":[]"));
    buf_append(&r->said, piece);
}

static void append_word(struct response *r, struct buf *out, struct slice word)
{
    struct buf piece;
    buf_init(&piece);
    if (r->tool && !buf_len(&r->said)) buf_append(&piece, SLICE("{\"words\":\""));
    buf_append(&piece, word);
    append_delta(r, out, buf_slice(&piece));
    buf_clear(&piece);
}

static void append_text_end(struct response *r, struct buf *out)
{
    if (r->tool) {
        size_t before = buf_len(out);
        append_delta(r, out, buf_len(&r->said) ? SLICE("\"}") : SLICE("{}"));
        end_event(r, out, before);
    }
    begin_event(r, out, event_of(r), ".done");
    append_place(r, out);
    buf_append(out, r->tool ? SLICE(",\"arguments\":") : SLICE(",\"logprobs\":[],\"text\":"));
    buf_append_json(out, buf_slice(&r->said));
}

static void append_item_event(struct response *r, struct buf *out, bool is_done)
{
    begin_event(r, out, "response.output_item", is_done ? ".done" : ".added");
    buf_append(out, SLICE(",\"output_index\":0,\"item\":"));
    append_item(r, out, is_done);
}

static void append_part_event(struct response *r, struct buf *out, bool is_done)
{
    begin_event(r, out, "response.content_part", is_done ? ".done" : ".added");
    append_place(r, out);
    buf_append(out, SLICE(",\"part\":"));
    append_part(out, is_done ? buf_slice(&r->said) : SLICE(""));
}

static void append_response_event(struct response *r, struct buf *out, const char *word)
{
    begin_event(r, out, "response.", word);
    buf_append(out, SLICE(",\"response\":"));
    append_response(r, out);
}

static void append_step(struct response *r, struct buf *out)
{
    switch (r->step) {
    case STEP_CREATED: append_response_event(r, out, "created"); return;
    case STEP_IN_PROGRESS: append_response_event(r, out, "in_progress"); return;
    case STEP_ITEM: append_item_event(r, out, false); return;
    case STEP_PART: append_part_event(r, out, false); return;
    case STEP_TEXT_END: append_text_end(r, out); return;
    case STEP_PART_END: append_part_event(r, out, true); return;
    case STEP_ITEM_END: append_item_event(r, out, true); return;
    case STEP_FINISH: append_response_event(r, out, status_of(r)); return;
    case STEP_CONTENT:
    case STEP_OVER: return;
    }
}

/* Calls have no parts. */
static bool is_left_out(const struct response *r)
{
    return r->tool && (r->step == STEP_PART || r->step == STEP_PART_END);
}

static bool stream_next(struct source *s, struct buf *out)
{
    struct response *r = (struct response *)s;
    struct slice word;
    size_t before = buf_len(out);
    while (is_left_out(r))
        r->step++;
    if (r->step == STEP_CONTENT) {
        if (words_next(&r->spoken.words, &word)) {
            r->base.tokens++;
            append_word(r, out, word);
            end_event(r, out, before);
            return true;
        }
        r->step++;
    }
    if (r->step == STEP_OVER || (r->step == STEP_FINISH && !r->is_done_sent)) return false;
    append_step(r, out);
    end_event(r, out, before);
    r->step++;
    return true;
}

static bool whole_next(struct source *s, struct buf *out)
{
    struct response *r = (struct response *)s;
    struct slice word;
    if (r->step == STEP_OVER) return false;
    if (r->tool) buf_append(&r->said, SLICE("{\"words\":\""));
    for (; words_next(&r->spoken.words, &word); r->base.tokens++)
        buf_append(&r->said, word);
    if (r->tool) buf_append(&r->said, SLICE("\"}"));
    r->step = STEP_FINISH;
    append_response(r, out);
    r->step = STEP_OVER;
    return true;
}

static void response_free(struct source *s)
{
    struct response *r = (struct response *)s;
    mem_free(r->model);
    mem_free(r->tool);
    spoken_clear(&r->spoken);
    buf_clear(&r->said);
}

/* Texts of items, of a text itself, and of the instructions. */
static uint64_t prompt_of(const json_t *body, struct buf *text)
{
    json_t *input = json_object_get(body, "input"), *instructions = json_object_get(body, "instructions");
    json_t *alike = json_object();
    json_object_set(alike, json_is_array(input) ? "messages" : "prompt", input);
    if (json_is_string(instructions)) json_object_set(alike, "input", instructions);
    uint64_t tokens = chat_prompt(alike, text);
    json_decref(alike);
    return tokens;
}

static struct source *answer(const json_t *body, const struct script *script)
{
    struct response *r = mem_zalloc(1, sizeof *r);
    struct buf prompt;
    const json_t *input = json_object_get(body, "input"), *max = json_object_get(body, "max_output_tokens");
    const char *text = json_is_string(input) ? json_string_value(input) : spoken_text(input);
    bool is_stream = json_is_true(json_object_get(body, "stream"));
    uint64_t limit = json_is_integer(max) ? (uint64_t)json_integer_value(max) : UINT64_MAX;
    buf_init(&prompt);
    r->base = (struct source){is_stream ? stream_next : whole_next,
                              response_free,
                              200,
                              is_stream,
                              is_stream ? "text/event-stream; charset=utf-8" : "application/json",
                              0,
                              {0}, NULL, NULL};
    r->prompt_tokens = prompt_of(body, &prompt);
    r->seed = words_seed(buf_slice(&prompt));
    r->model = mem_strdup(json_string_value(json_object_get(body, "model")));
    r->tool = spoken_tool(body, script, text);
    r->event_bytes = (size_t)script->event_bytes;
    r->is_done_sent = script->done != 0;
    r->usage_tokens = script->usage_tokens >= 0 ? (uint64_t)script->usage_tokens : UINT64_MAX;
    r->spoken = spoken_choose(&(struct spoken_ask){script, text, r->seed, limit, is_stream});
    buf_init(&r->said);
    buf_clear(&prompt);
    return &r->base;
}

static struct source *count(const json_t *body)
{
    struct buf prompt, out;
    buf_init(&prompt);
    buf_init(&out);
    buf_printf(&out, "{\"object\":\"response.input_tokens\",\"input_tokens\":%llu}",
               (unsigned long long)prompt_of(body, &prompt));
    struct source *s = source_of_bytes(200, "application/json", buf_slice(&out), 0);
    buf_clear(&prompt);
    buf_clear(&out);
    return s;
}

/* The conversation in one item that nobody else can read. */
static struct source *compact(const json_t *body)
{
    struct buf prompt, out;
    buf_init(&prompt);
    buf_init(&out);
    unsigned long long in = prompt_of(body, &prompt);
    buf_printf(&out,
               "{\"id\":\"resp_mock\",\"object\":\"response.compaction\",\"created_at\":1760000000,\"output\":[{\"id\":"
               "\"cmp_mock\",\"type\":\"compaction\",\"encrypted_content\":\"AAAA\"}],\"usage\":{\"input_tokens\":%llu,"
               "\"output_tokens\":5,\"total_tokens\":%llu}}",
               in, in + 5);
    struct source *s = source_of_bytes(200, "application/json", buf_slice(&out), 5);
    buf_clear(&prompt);
    buf_clear(&out);
    return s;
}

struct source *responses_answer(struct slice path, const json_t *body, const struct script *script)
{
    bool is_count = slice_equal(path, SLICE("/v1/responses/input_tokens"));
    bool is_compact = slice_equal(path, SLICE("/v1/responses/compact"));
    if (!is_count && !is_compact && !slice_equal(path, SLICE("/v1/responses"))) return NULL;
    if (!json_is_string(json_object_get(body, "model")))
        return source_of_error(400, "invalid_request_error", "missing_required_parameter",
                               "Missing required parameter: 'model'.");
    return is_count ? count(body) : is_compact ? compact(body) : answer(body, script);
}
