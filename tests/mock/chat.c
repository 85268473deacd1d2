#include "chat.h"

#include <string.h>

#include "base/mem.h"
#include "spoken.h"

#define CREATED 1760000000
#define CHOICES_MAX 8

enum step { STEP_ROLE, STEP_CONTENT, STEP_FINISH, STEP_USAGE, STEP_DONE, STEP_OVER };

struct chat {
    struct source base;
    bool is_text, wants_usage, usage_in_choice, is_done_sent;
    char *model, *tool;
    uint64_t seed, prompt_tokens, choices, usage_tokens;
    size_t event_bytes, body_bytes;
    struct spoken spoken; /* its words are restarted for each whole choice */
    /* The stream's place. */
    enum step step;
    uint64_t choice;
    struct slice piece;
};

static uint64_t completion_tokens(const struct chat *c)
{
    return c->usage_tokens != UINT64_MAX ? c->usage_tokens : c->base.tokens;
}

static void append_usage(const struct chat *c, struct buf *out)
{
    unsigned long long in = c->prompt_tokens, made = completion_tokens(c);
    buf_printf(out,
               "{\"prompt_tokens\":%llu,\"completion_tokens\":%llu,\"total_tokens\":%llu,"
               "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
               "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}}",
               in, made, in + made);
}

static void append_head(const struct chat *c, struct buf *out, bool is_chunk)
{
    const char *id = c->is_text ? "cmpl" : "chatcmpl";
    const char *object = c->is_text ? "text_completion" : is_chunk ? "chat.completion.chunk" : "chat.completion";
    buf_printf(out, "{\"id\":\"%s-mock%016llx\",\"object\":\"%s\",\"created\":%d,\"model\":", id,
               (unsigned long long)c->seed, object, CREATED);
    buf_append_json(out, slice_str(c->model));
    buf_append(out, SLICE(",\"system_fingerprint\":\"fp_mock\",\"choices\":["));
}

static const char *finish_reason(const struct chat *c)
{
    return c->tool ? "tool_calls" : c->spoken.is_length ? "length" : "stop";
}

/* {"words": "…"}: the words as the one argument of a tool call. `part` is empty for the frame around them. */
static void append_tool_delta(const struct chat *c, struct buf *out, struct slice part, bool is_first)
{
    if (is_first) {
        buf_append(out, SLICE("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,"));
        buf_printf(out, "\"id\":\"call_mock%016llx\",\"type\":\"function\",\"function\":{\"name\":",
                   (unsigned long long)c->seed);
        buf_append_json(out, slice_str(c->tool));
        buf_append_char(out, ',');
    } else {
        buf_append(out, SLICE("{\"tool_calls\":[{\"index\":0,\"function\":{"));
    }
    buf_append(out, SLICE("\"arguments\":"));
    buf_append_json(out, part);
    buf_append(out, SLICE("}}]}"));
}

/* The words of a tool's argument are plain; a given text may not be, so it is made a JSON string first. */
static void append_argument_piece(const struct chat *c, struct buf *out, struct slice word, bool is_first)
{
    struct buf quoted, part;
    buf_init(&quoted);
    buf_init(&part);
    buf_append_json(&quoted, word);
    buf_append(&part, is_first ? SLICE("{\"words\":\"") : SLICE(""));
    buf_append(&part, slice_of(buf_ptr(&quoted) + 1, buf_len(&quoted) - 2));
    append_tool_delta(c, out, buf_slice(&part), false);
    buf_clear(&quoted);
    buf_clear(&part);
}

static void append_delta(const struct chat *c, struct buf *out)
{
    bool is_first_word = c->spoken.words.at == 1;
    switch (c->step) {
    case STEP_ROLE:
        if (c->tool)
            append_tool_delta(c, out, SLICE(""), true);
        else
            buf_append(out, SLICE("{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}"));
        break;
    case STEP_CONTENT:
        if (c->tool) {
            append_argument_piece(c, out, c->piece, is_first_word);
        } else {
            buf_append(out, SLICE("{\"content\":"));
            buf_append_json(out, c->piece);
            buf_append_char(out, '}');
        }
        break;
    case STEP_FINISH: buf_append(out, SLICE("{}")); break;
    case STEP_USAGE:
    case STEP_DONE:
    case STEP_OVER: break;
    }
}

static void append_stream_choice(const struct chat *c, struct buf *out)
{
    buf_printf(out, "{\"index\":%llu,", (unsigned long long)c->choice);
    if (c->is_text) {
        buf_append(out, SLICE("\"text\":"));
        buf_append_json(out, c->step == STEP_CONTENT ? c->piece : SLICE(""));
    } else {
        buf_append(out, SLICE("\"delta\":"));
        append_delta(c, out);
    }
    buf_append(out, SLICE(",\"logprobs\":null,\"finish_reason\":"));
    if (c->step == STEP_FINISH)
        buf_append_json(out, slice_str(finish_reason(c)));
    else
        buf_append(out, SLICE("null"));
    buf_append_char(out, '}');
}

/* Random in OpenAI's streams, regular here: fills the event up to event_bytes. */
static void append_padding(const struct chat *c, struct buf *out, size_t start)
{
    static const char frame[] = ",\"obfuscation\":\"\"}\n\n";
    size_t len = buf_len(out) - start;
    if (c->event_bytes <= len + sizeof frame - 1) return;
    size_t fill = c->event_bytes - len - (sizeof frame - 1);
    buf_append(out, SLICE(",\"obfuscation\":\""));
    memset(buf_reserve(out, fill), 'x', fill);
    buf_grew(out, fill);
    buf_append_char(out, '"');
}

static void append_event(const struct chat *c, struct buf *out)
{
    size_t start = buf_len(out);
    bool is_last = c->step == STEP_FINISH && c->choice + 1 == c->choices;
    buf_append(out, SLICE("data: "));
    append_head(c, out, true);
    if (c->step != STEP_USAGE) append_stream_choice(c, out);
    buf_append_char(out, ']');
    if (c->step == STEP_USAGE || (c->usage_in_choice && is_last)) {
        buf_append(out, SLICE(",\"usage\":"));
        append_usage(c, out);
    } else if (c->wants_usage) {
        buf_append(out, SLICE(",\"usage\":null"));
    }
    append_padding(c, out, start);
    buf_append(out, SLICE("}\n\n"));
}

/* A tool's argument string is opened with its first word and closed by an event of its own. */
static void append_argument_end(const struct chat *c, struct buf *out)
{
    buf_append(out, SLICE("data: "));
    append_head(c, out, true);
    buf_printf(out, "{\"index\":%llu,\"delta\":", (unsigned long long)c->choice);
    append_tool_delta(c, out, c->spoken.words.at ? SLICE("\"}") : SLICE("{\"words\":\"\"}"), false);
    buf_append(out, SLICE(",\"logprobs\":null,\"finish_reason\":null}]}\n\n"));
}

/* After an event of a choice: the next choice, or the next step. */
static void advance(struct chat *c, enum step next)
{
    if (++c->choice < c->choices) return;
    c->choice = 0;
    c->step = next;
}

static void next_content(struct chat *c, struct buf *out)
{
    if (c->choice == 0 && !words_next(&c->spoken.words, &c->piece)) {
        if (c->tool) append_argument_end(c, out);
        c->step = STEP_FINISH;
        if (c->tool) return;
        append_event(c, out);
        advance(c, STEP_USAGE);
        return;
    }
    c->base.tokens++;
    append_event(c, out);
    advance(c, STEP_CONTENT);
}

static bool stream_next(struct source *s, struct buf *out)
{
    struct chat *c = (struct chat *)s;
    if (c->step == STEP_USAGE && (!c->wants_usage || c->usage_in_choice)) c->step = STEP_DONE;
    switch (c->step) {
    case STEP_ROLE:
        append_event(c, out);
        advance(c, STEP_CONTENT);
        return true;
    case STEP_CONTENT: next_content(c, out); return true;
    case STEP_FINISH:
        append_event(c, out);
        advance(c, STEP_USAGE);
        return true;
    case STEP_USAGE:
        append_event(c, out);
        c->step = STEP_DONE;
        return true;
    case STEP_DONE:
        c->step = STEP_OVER;
        if (!c->is_done_sent) return false;
        buf_append(out, SLICE("data: [DONE]\n\n"));
        return true;
    case STEP_OVER: break;
    }
    return false;
}

static void append_whole_text(struct chat *c, struct buf *out)
{
    struct buf text;
    struct slice piece;
    struct words words = c->spoken.words;
    buf_init(&text);
    while (words_next(&words, &piece)) {
        buf_append(&text, piece);
        c->base.tokens++;
    }
    if (buf_len(&text) < c->body_bytes) {
        size_t fill = c->body_bytes - buf_len(&text);
        memset(buf_reserve(&text, fill), '.', fill);
        buf_grew(&text, fill);
    }
    buf_append_json(out, buf_slice(&text));
    buf_clear(&text);
}

static void append_whole_message(struct chat *c, struct buf *out)
{
    struct buf words, arguments;
    if (!c->tool) {
        buf_append(out, SLICE("{\"role\":\"assistant\",\"content\":"));
        append_whole_text(c, out);
        buf_append(out, SLICE(",\"refusal\":null,\"annotations\":[]}"));
        return;
    }
    buf_init(&words);
    buf_init(&arguments);
    append_whole_text(c, &words);
    buf_append(&arguments, SLICE("{\"words\":"));
    buf_append(&arguments, buf_slice(&words));
    buf_append_char(&arguments, '}');
    buf_printf(out,
               "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_mock%016llx\","
               "\"type\":\"function\",\"function\":{\"name\":",
               (unsigned long long)c->seed);
    buf_append_json(out, slice_str(c->tool));
    buf_append(out, SLICE(",\"arguments\":"));
    buf_append_json(out, buf_slice(&arguments));
    buf_append(out, SLICE("}}],\"refusal\":null}"));
    buf_clear(&words);
    buf_clear(&arguments);
}

static bool whole_next(struct source *s, struct buf *out)
{
    struct chat *c = (struct chat *)s;
    if (c->step == STEP_OVER) return false;
    c->step = STEP_OVER;
    append_head(c, out, false);
    for (c->choice = 0; c->choice < c->choices; c->choice++) {
        buf_printf(out, "%s{\"index\":%llu,%s", c->choice ? "," : "", (unsigned long long)c->choice,
                   c->is_text ? "\"text\":" : "\"message\":");
        if (c->is_text)
            append_whole_text(c, out);
        else
            append_whole_message(c, out);
        buf_printf(out, ",\"logprobs\":null,\"finish_reason\":\"%s\"}", finish_reason(c));
    }
    buf_append(out, SLICE("],\"usage\":"));
    append_usage(c, out);
    buf_append(out, SLICE(",\"service_tier\":\"default\"}"));
    return true;
}

static void chat_free(struct source *s)
{
    struct chat *c = (struct chat *)s;
    mem_free(c->model);
    mem_free(c->tool);
    spoken_clear(&c->spoken);
}

static const char *last_user_text(const json_t *body)
{
    const json_t *messages = json_object_get(body, "messages");
    for (size_t i = json_array_size(messages); i-- > 0;) {
        const json_t *message = json_array_get(messages, i);
        const char *role = json_string_value(json_object_get(message, "role"));
        if (role && strcmp(role, "user") == 0) return json_string_value(json_object_get(message, "content"));
    }
    return NULL;
}

static const char *tool_name(const json_t *tool)
{
    return json_string_value(json_object_get(json_object_get(tool, "function"), "name"));
}

/* The tool to call: named by the script, by tool_choice, by "call NAME" in the last user message, or none. */
static char *choose_tool(const json_t *body, const struct script *script)
{
    const json_t *tools = json_object_get(body, "tools"), *choice = json_object_get(body, "tool_choice");
    const char *text = last_user_text(body), *wanted = NULL;
    if (script->tool) return mem_strdup(script->tool);
    if (json_array_size(tools) == 0) return NULL;
    if (json_is_object(choice)) wanted = tool_name(choice);
    if (json_is_string(choice) && strcmp(json_string_value(choice), "required") == 0) {
        wanted = tool_name(json_array_get(tools, 0));
    }
    if (!wanted && text && strncmp(text, "call ", 5) == 0) {
        struct slice rest, name = slice_split(slice_str(text + 5), ' ', &rest);
        return mem_strndup(name.ptr, name.len);
    }
    return wanted ? mem_strdup(wanted) : NULL;
}

static void choose_text(struct chat *c, const json_t *body, const struct script *script)
{
    const json_t *max = json_object_get(body, "max_completion_tokens");
    if (!json_is_integer(max)) max = json_object_get(body, "max_tokens");
    uint64_t limit = json_is_integer(max) ? (uint64_t)json_integer_value(max) : UINT64_MAX;
    c->spoken = spoken_choose(&(struct spoken_ask){script, last_user_text(body), c->seed, limit, c->base.is_stream});
}

static void choose_usage(struct chat *c, const json_t *body, const struct script *script)
{
    const json_t *options = json_object_get(body, "stream_options");
    c->wants_usage = json_is_true(json_object_get(options, "include_usage")) && !script_is(script->usage, "never");
    c->usage_in_choice = script_is(script->usage, "always");
    c->usage_tokens = script->usage_tokens >= 0 ? (uint64_t)script->usage_tokens : UINT64_MAX;
}

struct source *chat_answer(const json_t *body, const struct script *script, bool is_text)
{
    struct chat *c = mem_zalloc(1, sizeof *c);
    struct buf prompt;
    const char *model = json_string_value(json_object_get(body, "model"));
    json_int_t choices = json_integer_value(json_object_get(body, "n"));
    bool is_stream = json_is_true(json_object_get(body, "stream"));
    buf_init(&prompt);
    c->base = (struct source){is_stream ? stream_next : whole_next,
                              chat_free,
                              200,
                              is_stream,
                              is_stream ? "text/event-stream; charset=utf-8" : "application/json",
                              0,
                              {0}, NULL, NULL};
    c->is_text = is_text;
    c->prompt_tokens = chat_prompt(body, &prompt);
    c->seed = words_seed(buf_slice(&prompt));
    c->model = mem_strdup(model ? model : "");
    c->choices = choices < 1 ? 1 : choices > CHOICES_MAX ? CHOICES_MAX : (uint64_t)choices;
    c->event_bytes = (size_t)script->event_bytes;
    c->body_bytes = (size_t)script->body_bytes;
    c->is_done_sent = script->done != 0;
    c->step = is_text ? STEP_CONTENT : STEP_ROLE;
    if (!is_text) c->tool = choose_tool(body, script);
    if (c->tool) c->choices = 1;
    choose_text(c, body, script);
    choose_usage(c, body, script);
    buf_clear(&prompt);
    return &c->base;
}
