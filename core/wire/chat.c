#include "wire/chat.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"

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

enum key {
#define X(name, text) KEY_##name,
    KEYS(X)
#undef X
        KEYS_COUNT
};

static const struct slice key_names[] = {
#define X(name, text) {text, sizeof text - 1},
    KEYS(X)
#undef X
};

/* One parse: the request being filled, and the node of each key's value. */
struct reading {
    struct chat_request *r;
    const struct json_tape *tape;
    struct arena *arena;
    struct fault *why;
    uint32_t nodes[KEYS_COUNT];
};

void chat_init(struct chat_request *r)
{
    *r = (struct chat_request){
        .model_node = JSON_NONE,
        .messages_node = JSON_NONE,
        .stream_node = JSON_NONE,
        .stream_options_node = JSON_NONE,
        .tools_node = JSON_NONE,
        .metadata_node = JSON_NONE,
        .user_node = JSON_NONE,
        .max_tokens_node = JSON_NONE,
        .n_node = JSON_NONE,
        .hints_node = JSON_NONE,
        .max_tokens = -1,
        .temperature = NAN,
        .choices = 1,
    };
    json_init(&r->tape);
}

void chat_clear(struct chat_request *r)
{
    json_clear(&r->tape);
    chat_init(r);
}

/* Length of what folds to the ASCII letter `to` at p: the letter in either case, or one of the two characters outside
 * ASCII that Unicode folds into it (U+017F, U+212A). 0: nothing. */
static size_t fold_len(const char *p, size_t left, char to)
{
    if (*p == to || (to >= 'a' && to <= 'z' && *p == to - 'a' + 'A')) return 1;
    if (to == 's' && left >= 2 && memcmp(p, "\xC5\xBF", 2) == 0) return 2;
    if (to == 'k' && left >= 3 && memcmp(p, "\xE2\x84\xAA", 3) == 0) return 3;
    return 0;
}

static bool folds_to(struct slice text, struct slice name)
{
    size_t at = 0;
    for (size_t i = 0; i < name.len; i++) {
        size_t len = at < text.len ? fold_len(text.ptr + at, text.len - at, name.ptr[i]) : 0;
        if (len == 0) return false;
        at += len;
    }
    return at == text.len;
}

static bool is_lower_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x80 || (c >= 'A' && c <= 'Z')) return false;
    }
    return true;
}

/* The key of that spelling; KEYS_COUNT: none of ours. Sets *is_variant when only the letter case differs. */
static enum key find_key(struct slice text, bool *is_variant)
{
    *is_variant = false;
    for (int k = 0; k < KEYS_COUNT; k++) {
        if (slice_equal(text, key_names[k])) return (enum key)k;
    }
    if (is_lower_ascii(text)) return KEYS_COUNT;
    for (int k = 0; k < KEYS_COUNT; k++) {
        *is_variant = folds_to(text, key_names[k]);
        if (*is_variant) return (enum key)k;
    }
    return KEYS_COUNT;
}

static bool read_keys(struct reading *in)
{
    for (int k = 0; k < KEYS_COUNT; k++)
        in->nodes[k] = JSON_NONE;
    for (uint32_t n = json_first(in->tape, 0); n != JSON_NONE; n = json_next(in->tape, n)) {
        bool is_variant;
        enum key key = find_key(json_key_text(in->tape, n, in->arena), &is_variant);
        if (key == KEYS_COUNT) continue;
        if (is_variant) {
            return fault_set(in->why, FAULT_BAD_BODY, "\"%s\" must be written in lower case", key_names[key].ptr);
        }
        if (in->nodes[key] != JSON_NONE) {
            return fault_set(in->why, FAULT_BAD_BODY, "\"%s\" is given twice; give it once", key_names[key].ptr);
        }
        in->nodes[key] = n;
    }
    return true;
}

/* A present value that is not null. */
static uint32_t value_of(const struct reading *in, enum key key)
{
    uint32_t node = in->nodes[key];
    return node == JSON_NONE || json_is(in->tape, node, JSON_NULL) ? JSON_NONE : node;
}

static bool refuse(const struct reading *in, enum key key, const char *must)
{
    return fault_set(in->why, FAULT_BAD_BODY, "\"%s\" must be %s", key_names[key].ptr, must);
}

/* A string's text. Copied: what is kept of a request outlives its body, and json_text() may point into that. */
static struct slice keep_text(const struct reading *in, uint32_t node)
{
    return arena_copy(in->arena, json_text(in->tape, node, in->arena));
}

static bool read_model(struct reading *in)
{
    struct chat_request *r = in->r;
    r->model_node = in->nodes[KEY_MODEL];
    if (r->model_node == JSON_NONE) return fault_set(in->why, FAULT_BAD_BODY, "\"model\" is missing");
    if (!json_is(in->tape, r->model_node, JSON_STRING)) return refuse(in, KEY_MODEL, "a string");
    r->model = keep_text(in, r->model_node);
    if (r->model.len == 0) return refuse(in, KEY_MODEL, "a string that is not empty");
    if (r->model.len <= LIMIT_MODEL_BYTES) return true;
    return fault_set(in->why, FAULT_BAD_BODY, "\"model\" must be at most %u bytes long", LIMIT_MODEL_BYTES);
}

static bool read_stream(struct reading *in)
{
    struct chat_request *r = in->r;
    uint32_t stream = value_of(in, KEY_STREAM);
    r->stream_node = in->nodes[KEY_STREAM];
    r->stream_options_node = in->nodes[KEY_STREAM_OPTIONS];
    r->is_stream = json_is(in->tape, stream, JSON_TRUE);
    if (stream != JSON_NONE && !r->is_stream && !json_is(in->tape, stream, JSON_FALSE)) {
        return refuse(in, KEY_STREAM, "true or false");
    }
    uint32_t usage = json_get(in->tape, r->stream_options_node, SLICE("include_usage"));
    if (usage == JSON_NONE) return true;
    r->include_usage = json_is(in->tape, usage, JSON_TRUE) ? CHAT_TRUE : CHAT_FALSE;
    if (!json_has_duplicate(in->tape, r->stream_options_node, SLICE("include_usage"))) return true;
    return fault_set(in->why, FAULT_BAD_BODY, "\"stream_options.include_usage\" is given twice; give it once");
}

/* A whole number, also one written as 100.0 or 1e2; false when it is none. */
static bool whole_number(const struct json_tape *tape, uint32_t node, int64_t *value)
{
    if (!json_is(tape, node, JSON_NUMBER)) return false;
    if (json_to_i64(tape, node, value)) return true;
    double number = json_to_double(tape, node);
    if (!(fabs(number) < 9007199254740992.0) || number != floor(number)) return false;
    *value = (int64_t)number;
    return true;
}

static bool read_numbers(struct reading *in)
{
    struct chat_request *r = in->r;
    int64_t n;
    uint32_t temperature = value_of(in, KEY_TEMPERATURE);
    r->max_tokens_node = value_of(in, KEY_MAX_COMPLETION_TOKENS);
    if (r->max_tokens_node == JSON_NONE) r->max_tokens_node = value_of(in, KEY_MAX_TOKENS);
    if (!whole_number(in->tape, r->max_tokens_node, &r->max_tokens) || r->max_tokens < 0) r->max_tokens = -1;
    if (json_is(in->tape, temperature, JSON_NUMBER)) r->temperature = json_to_double(in->tape, temperature);
    r->n_node = value_of(in, KEY_N);
    if (r->n_node == JSON_NONE) return true;
    if (!whole_number(in->tape, r->n_node, &n) || n < 1 || n > UINT32_MAX) {
        return refuse(in, KEY_N, "a whole number, 1 or more");
    }
    r->choices = (uint32_t)n;
    return true;
}

static bool read_tools(struct reading *in)
{
    struct chat_request *r = in->r;
    const struct json_tape *tape = in->tape;
    uint32_t functions = value_of(in, KEY_FUNCTIONS), tools = value_of(in, KEY_TOOLS);
    r->tools_node = in->nodes[KEY_TOOLS];
    if (tools != JSON_NONE && !json_is(tape, tools, JSON_ARRAY)) return refuse(in, KEY_TOOLS, "an array");
    if (functions != JSON_NONE && !json_is(tape, functions, JSON_ARRAY)) return refuse(in, KEY_FUNCTIONS, "an array");
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
        r->tool_count++;
    }
    if (value_of(in, KEY_WEB_SEARCH_OPTIONS) != JSON_NONE) r->uses |= CHAT_USES_HOSTED_TOOLS;
    return true;
}

/* What is no text is the provider's to refuse. */
static void read_service_tier(struct reading *in)
{
    uint32_t tier = value_of(in, KEY_SERVICE_TIER);
    if (json_is(in->tape, tier, JSON_STRING)) in->r->service_tier = keep_text(in, tier);
}

static bool read_metadata(struct reading *in)
{
    struct chat_request *r = in->r;
    r->user_node = in->nodes[KEY_USER];
    r->metadata_node = in->nodes[KEY_METADATA];
    r->hints_node = json_get(in->tape, r->metadata_node, SLICE("moongate"));
    if (!json_has_duplicate(in->tape, r->metadata_node, SLICE("moongate"))) return true;
    return fault_set(in->why, FAULT_BAD_BODY, "\"metadata.moongate\" is given twice; give it once");
}

/* Members of messages and of their parts; those before MEMBER_IMAGE_URL may stand once: of two, a policy would read the
 * one, the model the other. */
enum member {
    MEMBER_ROLE,
    MEMBER_CONTENT,
    MEMBER_TYPE,
    MEMBER_TEXT,
    MEMBER_NAME,
    MEMBER_REFUSAL,
    MEMBER_TOOL_CALLS,
    MEMBER_IMAGE_URL,
    MEMBER_INPUT_AUDIO,
    MEMBER_FILE,
    MEMBERS_COUNT
};

static const struct slice member_names[MEMBERS_COUNT] = {
    {"role", 4},    {"content", 7},     {"type", 4},      {"text", 4},         {"name", 4},
    {"refusal", 7}, {"tool_calls", 10}, {"image_url", 9}, {"input_audio", 11}, {"file", 4}};

/* Keys without escapes, nearly all, are compared as they stand. */
static enum member find_member(const struct json_tape *tape, uint32_t value)
{
    struct slice key = json_key(tape, value), text = slice_of(key.ptr + 1, key.len - 2);
    for (int m = 0; m < MEMBERS_COUNT; m++) {
        if (slice_equal(text, member_names[m])) return (enum member)m;
    }
    if (!memchr(text.ptr, '\\', text.len)) return MEMBERS_COUNT;
    for (int m = 0; m < MEMBERS_COUNT; m++) {
        if (json_key_is(tape, value, member_names[m])) return (enum member)m;
    }
    return MEMBERS_COUNT;
}

/* Each member's first value, in one walk over the object; none of what is no object. */
static bool read_members(struct reading *in, uint32_t object, uint32_t message, uint32_t nodes[MEMBERS_COUNT])
{
    for (int m = 0; m < MEMBERS_COUNT; m++)
        nodes[m] = JSON_NONE;
    if (!json_is(in->tape, object, JSON_OBJECT)) return true;
    for (uint32_t n = json_first(in->tape, object); n != JSON_NONE; n = json_next(in->tape, n)) {
        enum member m = find_member(in->tape, n);
        if (m == MEMBERS_COUNT) continue;
        if (nodes[m] == JSON_NONE) {
            nodes[m] = n;
        } else if (m < MEMBER_IMAGE_URL) {
            return fault_set(in->why, FAULT_BAD_BODY, "messages[%u]: \"%s\" is given twice; give it once", message,
                             member_names[m].ptr);
        }
    }
    return true;
}

static unsigned part_uses(const struct json_tape *tape, const uint32_t nodes[MEMBERS_COUNT])
{
    uint32_t type = nodes[MEMBER_TYPE];
    if (nodes[MEMBER_IMAGE_URL] != JSON_NONE || json_text_is(tape, type, SLICE("image_url"))) return CHAT_USES_IMAGES;
    if (nodes[MEMBER_INPUT_AUDIO] != JSON_NONE || json_text_is(tape, type, SLICE("input_audio"))) return CHAT_USES_AUDIO;
    return nodes[MEMBER_FILE] != JSON_NONE || json_text_is(tape, type, SLICE("file")) ? CHAT_USES_FILES : 0;
}

static bool read_message(struct reading *in, uint32_t message, uint32_t number)
{
    uint32_t nodes[MEMBERS_COUNT], part_nodes[MEMBERS_COUNT];
    if (!read_members(in, message, number, nodes)) return false;
    uint32_t content = nodes[MEMBER_CONTENT];
    if (!json_is(in->tape, content, JSON_ARRAY)) return true;
    for (uint32_t part = json_first(in->tape, content); part != JSON_NONE; part = json_next(in->tape, part)) {
        if (!read_members(in, part, number, part_nodes)) return false;
        in->r->uses |= part_uses(in->tape, part_nodes);
    }
    return true;
}

static bool read_messages(struct reading *in)
{
    struct chat_request *r = in->r;
    uint32_t modalities = value_of(in, KEY_MODALITIES);
    r->messages_node = value_of(in, KEY_MESSAGES);
    if (value_of(in, KEY_AUDIO) != JSON_NONE) r->uses |= CHAT_USES_AUDIO;
    if (json_is(in->tape, modalities, JSON_ARRAY)) {
        for (uint32_t n = json_first(in->tape, modalities); n != JSON_NONE; n = json_next(in->tape, n)) {
            if (json_text_is(in->tape, n, SLICE("audio"))) r->uses |= CHAT_USES_AUDIO;
        }
    }
    if (r->messages_node == JSON_NONE) return true;
    if (!json_is(in->tape, r->messages_node, JSON_ARRAY)) return refuse(in, KEY_MESSAGES, "an array");
    for (uint32_t n = json_first(in->tape, r->messages_node); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_message(in, n, r->message_count)) return false;
        r->message_count++;
    }
    return true;
}

static bool read_text(struct reading *in)
{
    switch (in->r->kind) {
    case CHAT_CHAT: return read_messages(in);
    case CHAT_COMPLETIONS: in->r->messages_node = value_of(in, KEY_PROMPT); return true;
    case CHAT_EMBEDDINGS: in->r->messages_node = value_of(in, KEY_INPUT); return true;
    }
    return true;
}

bool chat_parse(struct chat_request *r, struct slice body, enum chat_kind kind, struct arena *arena, struct fault *why)
{
    struct reading in = {.r = r, .tape = &r->tape, .arena = arena, .why = why};
    chat_clear(r);
    r->kind = kind;
    if (!json_parse(&r->tape, body, why)) return false;
    if (!json_is(&r->tape, 0, JSON_OBJECT)) {
        return fault_set(why, FAULT_BAD_BODY, "the body must be a JSON object");
    }
    if (!read_keys(&in)) return false;
    read_service_tier(&in);
    return read_model(&in) && read_stream(&in) && read_numbers(&in) && read_tools(&in) &&
           read_metadata(&in) && read_text(&in);
}

void chat_edit_model(const struct chat_request *r, struct splice *edits, struct slice model)
{
    struct buf text;
    if (slice_equal(model, r->model)) return;
    buf_init(&text);
    buf_append_json(&text, model);
    splice_value(edits, r->model_node, arena_copy(edits->arena, buf_slice(&text)));
    buf_clear(&text);
}

void chat_edit_ask_usage(const struct chat_request *r, struct splice *edits)
{
    uint32_t options = r->stream_options_node;
    if (r->include_usage == CHAT_TRUE) return;
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

void chat_edit_drop_hints(const struct chat_request *r, struct splice *edits)
{
    if (r->hints_node == JSON_NONE) return;
    if (json_count(&r->tape, r->metadata_node) == 1) {
        splice_remove(edits, 0, r->metadata_node);
    } else {
        splice_remove(edits, r->metadata_node, r->hints_node);
    }
}
