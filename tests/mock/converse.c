#include "converse.h"

#include <string.h>

#include "base/mem.h"
#include "frames.h"
#include "spoken.h"

enum step { STEP_START, STEP_TOOL, STEP_CONTENT, STEP_BLOCK_END, STEP_STOP, STEP_METADATA, STEP_OVER };

struct converse {
    struct source base;
    uint64_t prompt_tokens, usage_tokens;
    char *tool;
    bool is_done_sent, has_words;
    struct spoken spoken;
    enum step step;
};

/* ---- What was asked. ---- */

static uint64_t add_texts(const json_t *content, struct buf *out)
{
    uint64_t tokens = 0;
    size_t i;
    json_t *block;
    json_array_foreach(content, i, block)
    {
        const json_t *text = json_object_get(block, "text");
        struct slice s = slice_of(json_string_value(text), json_string_length(text));
        if (!s.ptr) continue;
        buf_append(out, s);
        buf_append_char(out, '\n');
        tokens += words_count(s);
    }
    return tokens;
}

static const char *last_text(const json_t *content)
{
    return json_string_value(json_object_get(json_array_get(content, json_array_size(content) - 1), "text"));
}

static uint64_t prompt_of(const json_t *body, struct buf *out, const char **last)
{
    uint64_t tokens = add_texts(json_object_get(body, "system"), out);
    size_t i;
    json_t *message;
    json_array_foreach(json_object_get(body, "messages"), i, message)
    {
        const json_t *content = json_object_get(message, "content");
        const char *role = json_string_value(json_object_get(message, "role"));
        tokens += add_texts(content, out);
        if (role && strcmp(role, "user") == 0) *last = last_text(content);
    }
    return tokens;
}

static char *tool_of(const json_t *body, const struct script *script, const char *text)
{
    const json_t *choice = json_object_get(json_object_get(body, "toolConfig"), "toolChoice");
    const char *named = json_string_value(json_object_get(json_object_get(choice, "tool"), "name"));
    if (script->tool || named) return mem_strdup(script->tool ? script->tool : named);
    return text && strncmp(text, "call ", 5) == 0 ? mem_strdup(text + 5) : NULL;
}

/* ---- What is said. ---- */

static const char *stop_reason(const struct converse *c)
{
    return c->tool ? "tool_use" : c->spoken.is_length ? "max_tokens" : "end_turn";
}

static void append_usage(const struct converse *c, struct buf *out)
{
    unsigned long long in = c->prompt_tokens, said = c->usage_tokens != UINT64_MAX ? c->usage_tokens : c->base.tokens;
    buf_printf(out, "\"usage\":{\"inputTokens\":%llu,\"outputTokens\":%llu,\"totalTokens\":%llu},"
               "\"metrics\":{\"latencyMs\":20}", in, said, in + said);
}

/* {"words": "…"}, a word a delta, as all mocks call tools. */
static void append_delta(struct converse *c, struct buf *json, struct slice word)
{
    struct buf text;
    buf_init(&text);
    if (c->tool && !c->has_words) buf_append(&text, SLICE("{\"words\":\""));
    buf_append(&text, word);
    buf_append(json, c->tool ? SLICE("{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":")
                             : SLICE("{\"contentBlockIndex\":0,\"delta\":{\"text\":"));
    buf_append_json(json, buf_slice(&text));
    buf_append(json, c->tool ? SLICE("}}}") : SLICE("}}"));
    c->has_words = true;
    buf_clear(&text);
}

static const char *append_step(struct converse *c, struct buf *json)
{
    switch (c->step) {
    case STEP_START: buf_append(json, SLICE("{\"role\":\"assistant\"}")); return "messageStart";
    case STEP_TOOL:
        buf_append(json, SLICE("{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{"
                               "\"toolUseId\":\"tooluse_mock\",\"name\":"));
        buf_append_json(json, slice_str(c->tool));
        buf_append(json, SLICE("}}}"));
        return "contentBlockStart";
    case STEP_BLOCK_END: buf_append(json, SLICE("{\"contentBlockIndex\":0}")); return "contentBlockStop";
    case STEP_STOP: buf_printf(json, "{\"stopReason\":\"%s\"}", stop_reason(c)); return "messageStop";
    case STEP_METADATA:
        buf_append_char(json, '{');
        append_usage(c, json);
        buf_append_char(json, '}');
        return "metadata";
    case STEP_CONTENT:
    case STEP_OVER: break;
    }
    return NULL;
}

/* False: the words are over. */
static bool append_word(struct converse *c, struct buf *out)
{
    struct slice word;
    struct buf json;
    bool is_closing = c->tool && c->has_words;
    bool has = words_next(&c->spoken.words, &word);
    if (!has && !is_closing) return false;
    buf_init(&json);
    if (!has) c->step = STEP_BLOCK_END; /* the arguments' end is a delta of its own */
    append_delta(c, &json, has ? word : SLICE("\"}"));
    c->base.tokens += has;
    frames_append(out, "event", "contentBlockDelta", buf_slice(&json));
    buf_clear(&json);
    return true;
}

static bool stream_next(struct source *s, struct buf *out)
{
    struct converse *c = (struct converse *)s;
    struct buf json;
    if (c->step == STEP_TOOL && !c->tool) c->step = STEP_CONTENT;
    if (c->step == STEP_CONTENT && append_word(c, out)) return true;
    if (c->step == STEP_CONTENT) c->step = STEP_BLOCK_END;
    if (c->step == STEP_OVER || (c->step >= STEP_STOP && !c->is_done_sent)) return false;
    buf_init(&json);
    const char *name = append_step(c, &json);
    frames_append(out, "event", name, buf_slice(&json));
    buf_clear(&json);
    c->step++;
    return true;
}

static bool whole_next(struct source *s, struct buf *out)
{
    struct converse *c = (struct converse *)s;
    struct buf text;
    struct slice word;
    if (c->step == STEP_OVER) return false;
    c->step = STEP_OVER;
    buf_init(&text);
    for (; words_next(&c->spoken.words, &word); c->base.tokens++)
        buf_append(&text, word);
    buf_append(out, SLICE("{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{"));
    if (c->tool) {
        buf_append(out, SLICE("\"toolUse\":{\"toolUseId\":\"tooluse_mock\",\"name\":"));
        buf_append_json(out, slice_str(c->tool));
        buf_append(out, SLICE(",\"input\":{\"words\":"));
        buf_append_json(out, buf_slice(&text));
        buf_append(out, SLICE("}}"));
    } else {
        buf_append(out, SLICE("\"text\":"));
        buf_append_json(out, buf_slice(&text));
    }
    buf_printf(out, "}]}},\"stopReason\":\"%s\",", stop_reason(c));
    append_usage(c, out);
    buf_append_char(out, '}');
    buf_clear(&text);
    return true;
}

static void converse_free(struct source *s)
{
    struct converse *c = (struct converse *)s;
    mem_free(c->tool);
    spoken_clear(&c->spoken);
}

struct source *converse_answer(const json_t *body, bool is_stream, const struct script *script)
{
    struct converse *c = mem_zalloc(1, sizeof *c);
    const json_t *limit = json_object_get(json_object_get(body, "inferenceConfig"), "maxTokens");
    const char *text = NULL;
    struct buf prompt;
    buf_init(&prompt);
    c->base = (struct source){.next = is_stream ? stream_next : whole_next, .free = converse_free, .status = 200,
                              .is_stream = is_stream, .content_type = is_stream ? FRAMES_TYPE : "application/json"};
    c->prompt_tokens = prompt_of(body, &prompt, &text);
    c->tool = tool_of(body, script, text);
    c->is_done_sent = script->done != 0;
    c->usage_tokens = script->usage_tokens >= 0 ? (uint64_t)script->usage_tokens : UINT64_MAX;
    c->spoken = spoken_choose(&(struct spoken_ask){script, text, words_seed(buf_slice(&prompt)),
                                                   json_is_integer(limit) ? (uint64_t)json_integer_value(limit)
                                                                          : UINT64_MAX,
                                                   is_stream});
    buf_clear(&prompt);
    return &c->base;
}
