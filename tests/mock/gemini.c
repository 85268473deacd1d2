#include "gemini.h"

#include <string.h>

#include "base/mem.h"
#include "spoken.h"
#include "words.h"

enum step { STEP_CONTENT, STEP_FINISH, STEP_CLOSE, STEP_OVER };

struct content {
    struct source base;
    char *model, *tool;
    uint64_t prompt_tokens, usage_tokens;
    size_t event_bytes;
    bool is_list, has_begun, is_done_sent;
    struct spoken spoken;
    enum step step;
};

/* ---- What was asked. */

static uint64_t add_parts(const json_t *parts, struct buf *out)
{
    uint64_t tokens = 0;
    size_t i;
    json_t *part;
    json_array_foreach(parts, i, part)
    {
        const json_t *text = json_object_get(part, "text");
        struct slice s = slice_of(json_string_value(text), json_string_length(text));
        if (!s.ptr) continue;
        buf_append(out, s);
        buf_append_char(out, '\n');
        tokens += words_count(s);
    }
    return tokens;
}

static uint64_t prompt_of(const json_t *body, struct buf *out)
{
    size_t i;
    json_t *content, *one = json_object_get(body, "content");
    uint64_t tokens = add_parts(json_object_get(one, "parts"), out);
    json_array_foreach(json_object_get(body, "contents"), i, content)
        tokens += add_parts(json_object_get(content, "parts"), out);
    return tokens;
}

static const char *last_text(const json_t *contents)
{
    for (size_t i = json_array_size(contents); i-- > 0;) {
        const json_t *content = json_array_get(contents, i), *parts = json_object_get(content, "parts");
        const char *role = json_string_value(json_object_get(content, "role"));
        if (role && strcmp(role, "user") != 0) continue;
        return json_string_value(json_object_get(json_array_get(parts, json_array_size(parts) - 1), "text"));
    }
    return NULL;
}

static uint64_t limit_of(const json_t *body)
{
    const json_t *limit = json_object_get(json_object_get(body, "generationConfig"), "maxOutputTokens");
    return json_is_integer(limit) ? (uint64_t)json_integer_value(limit) : UINT64_MAX;
}

/* ---- What is said. */

static const char *finish_reason(const struct content *c)
{
    return c->spoken.is_length ? "MAX_TOKENS" : "STOP";
}

static void append_part(const struct content *c, struct buf *out, struct slice text)
{
    if (c->tool) {
        buf_append(out, SLICE("{\"functionCall\":{\"name\":"));
        buf_append_json(out, slice_str(c->tool));
        buf_append(out, SLICE(",\"args\":{\"words\":"));
        buf_append_json(out, text);
        buf_append(out, SLICE("}}}"));
    } else {
        buf_append(out, SLICE("{\"text\":"));
        buf_append_json(out, text);
        buf_append_char(out, '}');
    }
}

static void append_usage(const struct content *c, struct buf *out)
{
    unsigned long long prompt = c->prompt_tokens,
                       output = c->usage_tokens != UINT64_MAX ? c->usage_tokens : c->base.tokens;
    buf_printf(out,
               ",\"usageMetadata\":{\"promptTokenCount\":%llu,\"candidatesTokenCount\":%llu,\"totalTokenCount\":%llu},"
               "\"modelVersion\":",
               prompt, output, prompt + output);
    buf_append_json(out, slice_str(c->model));
}

static void append_answer(const struct content *c, struct buf *out, struct slice text, const char *reason)
{
    buf_append(out, SLICE("{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":["));
    append_part(c, out, text);
    buf_append(out, SLICE("]}"));
    if (reason) buf_printf(out, ",\"finishReason\":\"%s\"", reason);
    buf_append(out, SLICE(",\"index\":0}]"));
    append_usage(c, out);
    buf_append_char(out, '}');
}

/* Google ends lines with CRLF, and goes on in arrays likewise. */
static void begin_piece(struct content *c, struct buf *out)
{
    buf_append(out, !c->is_list ? SLICE("data: ") : c->has_begun ? SLICE(",\r\n") : SLICE("["));
    c->has_begun = true;
}

static void end_piece(const struct content *c, struct buf *out, size_t before)
{
    while (buf_len(out) - before < c->event_bytes)
        buf_append_char(out, ' ');
    if (!c->is_list) buf_append(out, SLICE("\r\n\r\n"));
}

static bool stream_next(struct source *s, struct buf *out)
{
    struct content *c = (struct content *)s;
    struct slice word;
    size_t before = buf_len(out);
    if (c->step == STEP_CONTENT && words_next(&c->spoken.words, &word)) {
        begin_piece(c, out);
        c->base.tokens++;
        append_answer(c, out, word, NULL);
    } else if (c->step <= STEP_FINISH) {
        c->step = STEP_CLOSE;
        if (!c->is_done_sent) return false;
        begin_piece(c, out);
        append_answer(c, out, SLICE(""), finish_reason(c));
    } else if (c->step == STEP_CLOSE && c->is_list && c->is_done_sent) {
        c->step = STEP_OVER;
        buf_append(out, SLICE("]\n"));
        return true;
    } else {
        return false;
    }
    end_piece(c, out, before);
    return true;
}

static bool whole_next(struct source *s, struct buf *out)
{
    struct content *c = (struct content *)s;
    struct buf text;
    struct slice word;
    if (c->step == STEP_OVER) return false;
    c->step = STEP_OVER;
    buf_init(&text);
    for (; words_next(&c->spoken.words, &word); c->base.tokens++)
        buf_append(&text, word);
    append_answer(c, out, buf_slice(&text), finish_reason(c));
    buf_clear(&text);
    return true;
}

static void content_free(struct source *s)
{
    struct content *c = (struct content *)s;
    mem_free(c->model);
    mem_free(c->tool);
    spoken_clear(&c->spoken);
}

static char *copy(struct slice s)
{
    char *text = mem_alloc(s.len + 1);
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return text;
}

static struct source *generate(struct slice model, bool is_stream, bool is_list, const json_t *body,
                               const struct script *script)
{
    struct content *c = mem_zalloc(1, sizeof *c);
    const char *text = last_text(json_object_get(body, "contents"));
    const char *type = is_stream && !is_list ? "text/event-stream" : "application/json; charset=UTF-8";
    struct buf prompt;
    buf_init(&prompt);
    c->base = (struct source){is_stream ? stream_next : whole_next, content_free, 200, is_stream, type, 0, {0}, NULL, NULL};
    c->prompt_tokens = prompt_of(body, &prompt);
    c->model = copy(model);
    c->tool = spoken_tool(body, script, text);
    c->event_bytes = (size_t)script->event_bytes;
    c->is_list = is_list;
    c->is_done_sent = script->done != 0;
    c->usage_tokens = script->usage_tokens >= 0 ? (uint64_t)script->usage_tokens : UINT64_MAX;
    c->spoken = spoken_choose(
        &(struct spoken_ask){script, text, words_seed(buf_slice(&prompt)), limit_of(body), is_stream});
    buf_clear(&prompt);
    return &c->base;
}

static struct source *count(const json_t *body)
{
    struct buf prompt, out;
    buf_init(&prompt);
    buf_init(&out);
    buf_printf(&out, "{\"totalTokens\":%llu}", (unsigned long long)prompt_of(body, &prompt));
    struct source *s = source_of_bytes(200, "application/json", buf_slice(&out), 0);
    buf_clear(&prompt);
    buf_clear(&out);
    return s;
}

static void append_vector(struct buf *out, const json_t *request)
{
    struct buf text;
    buf_init(&text);
    prompt_of(request, &text);
    buf_printf(out, "{\"values\":[%u,0.5]}", (unsigned)(words_seed(buf_slice(&text)) % 1000));
    buf_clear(&text);
}

static struct source *embed(const json_t *body, bool is_batch)
{
    struct buf out;
    size_t i;
    json_t *request;
    buf_init(&out);
    buf_append(&out, is_batch ? SLICE("{\"embeddings\":[") : SLICE("{\"embedding\":"));
    if (!is_batch) append_vector(&out, body);
    json_array_foreach(json_object_get(body, "requests"), i, request)
    {
        if (i) buf_append_char(&out, ',');
        append_vector(&out, request);
    }
    buf_append(&out, is_batch ? SLICE("]}") : SLICE("}"));
    struct source *s = source_of_bytes(200, "application/json", buf_slice(&out), 0);
    buf_clear(&out);
    return s;
}

struct source *gemini_error(int status, const char *word, const char *message)
{
    struct buf out;
    buf_init(&out);
    buf_printf(&out, "{\"error\":{\"code\":%d,\"message\":", status);
    buf_append_json(&out, slice_str(message));
    buf_printf(&out, ",\"status\":\"%s\",\"details\":[]}}", word);
    struct source *s = source_of_bytes(status, "application/json; charset=UTF-8", buf_slice(&out), 0);
    buf_clear(&out);
    return s;
}

/* Behind "/models/": the name, and the verb. */
static struct slice split(struct slice path, struct slice *verb)
{
    const char *at = memmem(path.ptr, path.len, "/models/", 8);
    *verb = SLICE("");
    if (!at) return SLICE("");
    return slice_split(slice_of(at + 8, path.len - (size_t)(at + 8 - path.ptr)), ':', verb);
}

bool gemini_is_path(struct slice path)
{
    struct slice verb;
    split(path, &verb);
    return verb.len > 0;
}

struct source *gemini_answer(struct slice path, struct slice query, const json_t *body, const struct script *script)
{
    struct slice verb, model = split(path, &verb);
    bool is_chat = json_is_array(json_object_get(body, "contents"));
    if (!verb.len) return NULL;
    if (slice_equal(verb, SLICE("embedContent"))) return embed(body, false);
    if (slice_equal(verb, SLICE("batchEmbedContents"))) return embed(body, true);
    if (!is_chat) return gemini_error(400, "INVALID_ARGUMENT", "* GenerateContentRequest.contents: contents is not specified");
    if (slice_equal(verb, SLICE("countTokens"))) return count(body);
    bool is_stream = slice_equal(verb, SLICE("streamGenerateContent"));
    if (is_stream || slice_equal(verb, SLICE("generateContent")))
        return generate(model, is_stream, is_stream && !slice_equal(query, SLICE("alt=sse")), body, script);
    return gemini_error(404, "NOT_FOUND", "There is no such method.");
}
