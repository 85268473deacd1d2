/*
 * Bodies of requests of the OpenAI API. Source: OpenAI API reference, POST /v1/chat/completions, /v1/completions,
 * /v1/embeddings.
 */
#include "wire/openai/openai_inner.h"

#include "wire/content.h"
#include "wire/members.h"
#include "wire/openai/openai_message.h"
#include "wire/openai/openai_side.h"

/* Keys that decide what a request costs, may do, or says; each may stand once, in this spelling. */
#define KEYS(X)                                                                                                        \
    X(MODEL, "model")                                                                                                  \
    X(MESSAGES, "messages")                                                                                            \
    X(PROMPT, "prompt")                                                                                                \
    X(INPUT, "input")                                                                                                  \
    X(SUFFIX, "suffix")                                                                                                \
    X(STREAM, "stream")                                                                                                \
    X(STREAM_OPTIONS, "stream_options")                                                                                \
    X(TOOLS, "tools")                                                                                                  \
    X(TOOL_CHOICE, "tool_choice")                                                                                      \
    X(FUNCTIONS, "functions")                                                                                          \
    X(FUNCTION_CALL, "function_call")                                                                                  \
    X(WEB_SEARCH_OPTIONS, "web_search_options")                                                                        \
    X(MODALITIES, "modalities")                                                                                        \
    X(AUDIO, "audio")                                                                                                  \
    X(MAX_TOKENS, "max_tokens")                                                                                        \
    X(MAX_COMPLETION_TOKENS, "max_completion_tokens")                                                                  \
    X(N, "n")                                                                                                          \
    X(BEST_OF, "best_of")                                                                                              \
    X(TEMPERATURE, "temperature")                                                                                      \
    X(RESPONSE_FORMAT, "response_format")                                                                              \
    X(REASONING_EFFORT, "reasoning_effort")                                                                            \
    X(SERVICE_TIER, "service_tier")                                                                                    \
    X(STORE, "store")                                                                                                  \
    X(USER, "user")                                                                                                    \
    X(SAFETY_IDENTIFIER, "safety_identifier")                                                                          \
    X(PROMPT_CACHE_KEY, "prompt_cache_key")                                                                            \
    X(METADATA, "metadata")

enum key { KEYS(MEMBERS_KEY) KEYS_COUNT };
static const struct slice key_names[] = {KEYS(MEMBERS_NAME)};

static bool read_stream(struct members *in)
{
    struct chat_request *r = in->r;
    if (!members_read_stream(in, KEY_STREAM)) return false;
    r->stream_options_node = in->nodes[KEY_STREAM_OPTIONS];
    uint32_t usage = json_get(&r->tape, r->stream_options_node, SLICE("include_usage"));
    if (usage == JSON_NONE) return true;
    r->include_usage = json_is(&r->tape, usage, JSON_TRUE) ? CHAT_TRUE : CHAT_FALSE;
    if (!json_has_duplicate(&r->tape, r->stream_options_node, SLICE("include_usage"))) return true;
    return fault_set(in->why, FAULT_BAD_BODY, "\"stream_options.include_usage\" is given twice; give it once");
}

/* Of a best_of that is none its provider says so. */
static bool read_choices(struct members *in)
{
    struct chat_request *r = in->r;
    int64_t n = 1, best_of;
    r->n_node = members_value(in, KEY_N);
    if (r->n_node != JSON_NONE && (!members_whole_number(&r->tape, r->n_node, &n) || n < 1 || n > UINT32_MAX))
        return members_refuse(in, KEY_N, "a whole number, 1 or more");
    r->choices = r->generated = (uint32_t)n;
    uint32_t node = members_value(in, KEY_BEST_OF);
    if (r->kind != CHAT_COMPLETIONS || !members_whole_number(&r->tape, node, &best_of)) return true;
    if (best_of > n) r->generated = best_of < UINT32_MAX ? (uint32_t)best_of : UINT32_MAX;
    return true;
}

/* By either name of a chat request: two that differ are one bound to who holds money for it and another to who answers.
 * Text completions know the old name alone, and 0 of it, which asks for no more than the prompt. Of a chat OpenAI
 * refuses 0, and others read it as no bound: to who holds money for it there is none. */
static bool read_limit(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t plain = members_value(in, KEY_MAX_TOKENS);
    uint32_t completion = r->kind == CHAT_CHAT ? members_value(in, KEY_MAX_COMPLETION_TOKENS) : JSON_NONE;
    int64_t other;
    r->max_tokens_node = completion == JSON_NONE ? plain : completion;
    bool is_whole = members_whole_number(&r->tape, r->max_tokens_node, &r->max_tokens);
    bool is_one = plain == r->max_tokens_node || plain == JSON_NONE ||
                  (is_whole && members_whole_number(&r->tape, plain, &other) && other == r->max_tokens);
    if (!is_whole || r->max_tokens < (r->kind == CHAT_CHAT ? 1 : 0)) r->max_tokens = -1;
    return is_one || fault_set(in->why, FAULT_BAD_BODY,
                               "\"max_tokens\" and \"max_completion_tokens\" differ; give one of them");
}

static bool read_numbers(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t temperature = members_value(in, KEY_TEMPERATURE);
    if (!read_limit(in)) return false;
    if (json_is(&r->tape, temperature, JSON_NUMBER)) r->temperature = json_to_double(&r->tape, temperature);
    return read_choices(in);
}

static bool read_tools(struct members *in)
{
    struct chat_request *r = in->r;
    const struct json_tape *tape = &r->tape;
    uint32_t functions = members_value(in, KEY_FUNCTIONS), tools = members_value(in, KEY_TOOLS);
    r->tools_node = in->nodes[KEY_TOOLS];
    if (tools != JSON_NONE && !json_is(tape, tools, JSON_ARRAY)) return members_refuse(in, KEY_TOOLS, "an array");
    if (functions != JSON_NONE && !json_is(tape, functions, JSON_ARRAY))
        return members_refuse(in, KEY_FUNCTIONS, "an array");
    if (functions != JSON_NONE) r->tool_count += json_count(tape, functions);
    if (r->tool_count) r->uses |= CHAT_USES_TOOLS;
    uint32_t tool = tools == JSON_NONE ? JSON_NONE : json_first(tape, tools);
    for (; tool != JSON_NONE; tool = json_next(tape, tool)) {
        uint32_t type = json_get(tape, tool, SLICE("type"));
        bool is_own = json_text_is(tape, type, SLICE("function")) || json_text_is(tape, type, SLICE("custom"));
        if (json_has_duplicate(tape, tool, SLICE("type"))) {
            return fault_set(in->why, FAULT_BAD_BODY, "a tool's \"type\" is given twice; give it once");
        }
        r->uses |= is_own || type == JSON_NONE              ? CHAT_USES_TOOLS
                   : json_text_is(tape, type, SLICE("mcp")) ? CHAT_USES_REMOTE_MCP | CHAT_USES_HOSTED_TOOLS
                                                            : CHAT_USES_HOSTED_TOOLS;
        if (json_text_is(tape, type, SLICE("web_search"))) members_foresee(&r->pieces.may_search, 1);
        r->tool_count++;
    }
    if (members_value(in, KEY_WEB_SEARCH_OPTIONS) != JSON_NONE) {
        r->uses |= CHAT_USES_HOSTED_TOOLS;
        members_foresee(&r->pieces.may_search, 1);
    }
    return true;
}

/* What is no text is the provider's to refuse. */
static void read_service_tier(struct members *in)
{
    uint32_t tier = members_value(in, KEY_SERVICE_TIER);
    if (json_is(&in->r->tape, tier, JSON_STRING)) in->r->service_tier = members_keep_text(in, tier);
}

static bool read_metadata(struct members *in)
{
    in->r->user_node = in->nodes[KEY_USER];
    return members_read_hints(in, KEY_METADATA);
}

static bool on_piece(void *arg, const struct chat_piece *piece)
{
    struct members *in = arg;
    if (piece->twice) {
        return fault_set(in->why, FAULT_BAD_BODY, "messages[%u]: \"%s\" is given twice; give it once", piece->message,
                         piece->twice);
    }
    if (piece->kind == PIECE_CALL_JSON) content_add_free(in->r, in->arena, piece);
    in->r->message_count += piece->kind == PIECE_MESSAGE;
    in->r->uses |= piece->uses;
    return true;
}

static bool read_messages(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t modalities = members_value(in, KEY_MODALITIES);
    r->messages_node = members_value(in, KEY_MESSAGES);
    if (members_value(in, KEY_AUDIO) != JSON_NONE) r->uses |= CHAT_USES_AUDIO;
    if (json_is(&r->tape, modalities, JSON_ARRAY)) {
        for (uint32_t n = json_first(&r->tape, modalities); n != JSON_NONE; n = json_next(&r->tape, n)) {
            if (json_text_is(&r->tape, n, SLICE("audio"))) r->uses |= CHAT_USES_AUDIO;
        }
    }
    if (r->messages_node == JSON_NONE) return true;
    if (!json_is(&r->tape, r->messages_node, JSON_ARRAY)) return members_refuse(in, KEY_MESSAGES, "an array");
    bool is_good = openai_walk_messages(&r->tape, r->messages_node, on_piece, in);
    content_sort_free(r);
    return is_good;
}

static uint32_t times(uint32_t answers, uint32_t prompts)
{
    uint64_t all = (uint64_t)answers * prompts;
    return all < UINT32_MAX ? (uint32_t)all : UINT32_MAX;
}

/* Each prompt of a list gets its n answers; a list of token ids is one. */
static bool read_prompt(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t prompt = r->messages_node = members_value(in, KEY_PROMPT);
    uint32_t first = json_is(&r->tape, prompt, JSON_ARRAY) ? json_first(&r->tape, prompt) : JSON_NONE;
    if (first == JSON_NONE || json_is(&r->tape, first, JSON_NUMBER)) return true;
    r->choices = times(r->choices, json_count(&r->tape, prompt));
    r->generated = times(r->generated, json_count(&r->tape, prompt));
    return true;
}

static bool read_text(struct members *in)
{
    if (in->r->kind == CHAT_COMPLETIONS) return read_prompt(in);
    if (in->r->kind != CHAT_EMBEDDINGS) return read_messages(in);
    in->r->messages_node = members_value(in, KEY_INPUT);
    return true;
}

bool openai_read_request(struct chat_request *r, struct arena *arena, struct fault *why)
{
    if (openai_is_side(r->kind)) return openai_read_side(r, arena, why);
    uint32_t nodes[KEYS_COUNT];
    struct members in = {
        .r = r, .arena = arena, .why = why, .names = key_names, .count = KEYS_COUNT, .nodes = nodes};
    if (!members_read(&in)) return false;
    read_service_tier(&in);
    return members_read_model(&in, KEY_MODEL) && read_stream(&in) && read_numbers(&in) && read_tools(&in) &&
           read_metadata(&in) && read_text(&in);
}

/* A stream_options that is neither object nor null is left to the provider to refuse. */
void openai_edit_ask_usage(const struct chat_request *r, struct splice *edits)
{
    uint32_t options = r->stream_options_node;
    if (options == JSON_NONE) {
        splice_append(edits, 0, SLICE("stream_options"), SLICE("{\"include_usage\":true}"));
    } else if (json_is(&r->tape, options, JSON_NULL)) {
        splice_value(edits, options, SLICE("{\"include_usage\":true}"));
    } else if (json_is(&r->tape, options, JSON_OBJECT)) {
        uint32_t usage = json_get(&r->tape, options, SLICE("include_usage"));
        if (usage == JSON_NONE) {
            splice_append(edits, options, SLICE("include_usage"), SLICE("true"));
        } else {
            splice_value(edits, usage, SLICE("true"));
        }
    }
}

/* Text completions know the old name alone. */
static void edit_limit(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice json)
{
    struct slice plain = key_names[KEY_MAX_TOKENS], completion = key_names[KEY_MAX_COMPLETION_TOKENS];
    bool has_plain = json_get(&r->tape, 0, plain) != JSON_NONE;
    bool has_completion = json_get(&r->tape, 0, completion) != JSON_NONE;
    bool is_plain = limit == CHAT_LIMIT_TOKENS || r->kind != CHAT_CHAT,
         is_completion = !is_plain && limit == CHAT_LIMIT_COMPLETION;
    bool is_callers = !is_plain && !is_completion;
    bool writes_plain = is_plain || (is_callers && (has_plain || !has_completion));
    bool writes_completion = is_completion || (is_callers && has_completion);
    members_edit(r, edits, plain, writes_plain ? json : SLICE_NONE);
    members_edit(r, edits, completion, writes_completion ? json : SLICE_NONE);
}

void openai_edit_limit_name(const struct chat_request *r, struct splice *edits, enum chat_limit limit)
{
    uint32_t plain = json_get(&r->tape, 0, key_names[KEY_MAX_TOKENS]);
    uint32_t completion = json_get(&r->tape, 0, key_names[KEY_MAX_COMPLETION_TOKENS]);
    uint32_t foreign = limit == CHAT_LIMIT_TOKENS ? completion : plain;
    bool is_foreign = r->kind == CHAT_CHAT && limit != CHAT_LIMIT_ANY && foreign != JSON_NONE;
    if (!is_foreign || r->max_tokens_node == JSON_NONE) return;
    edit_limit(r, edits, limit, json_raw(&r->tape, r->max_tokens_node));
}

void openai_edit_member(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                        struct slice json)
{
    if (slice_equal(name, key_names[KEY_MAX_TOKENS]))
        edit_limit(r, edits, limit, json);
    else
        members_edit(r, edits, name, json);
}

bool openai_guess(const struct json_tape *tape, enum chat_kind *kind)
{
    bool is_chat = json_get(tape, 0, SLICE("messages")) != JSON_NONE;
    bool is_prompt = json_get(tape, 0, SLICE("prompt")) != JSON_NONE;
    *kind = is_chat ? CHAT_CHAT : is_prompt ? CHAT_COMPLETIONS : CHAT_EMBEDDINGS;
    return is_chat || is_prompt || json_get(tape, 0, SLICE("input")) != JSON_NONE;
}

/* ---- Its pieces. */

static bool tell_text(const struct json_tape *tape, uint32_t node, chat_piece_fn fn, void *arg)
{
    struct chat_piece piece = {.kind = PIECE_CONTENT, .node = node, .message = CHAT_NO_MESSAGE};
    return !json_is(tape, node, JSON_STRING) || fn(arg, &piece);
}

/* prompt and input: a text, texts, token ids, or lists of token ids. */
static bool walk_input(const struct json_tape *tape, uint32_t input, chat_piece_fn fn, void *arg)
{
    struct chat_piece ids = {.kind = PIECE_IDS, .node = input, .message = CHAT_NO_MESSAGE};
    if (input == JSON_NONE) return true;
    for (uint32_t n = input; n < json_after(tape, input); n++) {
        if (!tell_text(tape, n, fn, arg)) return false;
        ids.count += json_is(tape, n, JSON_NUMBER);
    }
    return ids.count == 0 || fn(arg, &ids);
}

static bool walk_functions(const struct json_tape *tape, uint32_t functions, chat_piece_fn fn, void *arg)
{
    if (!json_is(tape, functions, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(tape, functions); n != JSON_NONE; n = json_next(tape, n)) {
        if (!content_tell_tool(tape, n, n, fn, arg)) return false;
    }
    return true;
}

static bool walk_tools(const struct json_tape *tape, uint32_t tools, chat_piece_fn fn, void *arg)
{
    if (!json_is(tape, tools, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(tape, tools); n != JSON_NONE; n = json_next(tape, n)) {
        uint32_t function = json_get(tape, n, SLICE("function"));
        bool is_declared = json_is(tape, function, JSON_OBJECT);
        if (!content_tell_tool(tape, n, is_declared ? function : JSON_NONE, fn, arg)) return false;
    }
    return true;
}

static bool walk_format(const struct json_tape *tape, uint32_t format, chat_piece_fn fn, void *arg)
{
    struct chat_piece piece = {.kind = PIECE_SCHEMA, .message = CHAT_NO_MESSAGE};
    piece.node = json_get(tape, format, SLICE("json_schema"));
    return !json_is(tape, piece.node, JSON_OBJECT) || fn(arg, &piece);
}

bool openai_walk(const struct chat_request *r, chat_piece_fn fn, void *arg)
{
    const struct json_tape *tape = &r->tape;
    if (openai_is_side(r->kind)) return openai_walk_side(r, fn, arg);
    if (r->kind != CHAT_CHAT)
        return walk_input(tape, r->messages_node, fn, arg) &&
               tell_text(tape, json_get(tape, 0, SLICE("suffix")), fn, arg);
    return openai_walk_messages(tape, r->messages_node, fn, arg) &&
           walk_functions(tape, json_get(tape, 0, SLICE("functions")), fn, arg) &&
           walk_tools(tape, r->tools_node, fn, arg) &&
           content_tell_choice(tape, json_get(tape, 0, SLICE("tool_choice")), fn, arg) &&
           content_tell_choice(tape, json_get(tape, 0, SLICE("function_call")), fn, arg) &&
           walk_format(tape, json_get(tape, 0, SLICE("response_format")), fn, arg);
}
