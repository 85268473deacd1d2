/*
 * Bodies of requests of Anthropic's API. Source: Anthropic API reference, POST /v1/messages and
 * /v1/messages/count_tokens.
 */
#include "wire/anthropic/anthropic_inner.h"
#include "wire/anthropic/anthropic_message.h"
#include "wire/content.h"
#include "wire/members.h"

/* Keys that decide what a request costs, may do, or says; each may stand once, in this spelling. */
#define KEYS(X)                                                                                                        \
    X(MODEL, "model")                                                                                                  \
    X(MESSAGES, "messages")                                                                                            \
    X(SYSTEM, "system")                                                                                                \
    X(STREAM, "stream")                                                                                                \
    X(MAX_TOKENS, "max_tokens")                                                                                        \
    X(TOOLS, "tools")                                                                                                  \
    X(TOOL_CHOICE, "tool_choice")                                                                                      \
    X(MCP_SERVERS, "mcp_servers")                                                                                      \
    X(CONTAINER, "container")                                                                                          \
    X(THINKING, "thinking")                                                                                            \
    X(TEMPERATURE, "temperature")                                                                                      \
    X(OUTPUT_CONFIG, "output_config")                                                                                  \
    X(OUTPUT_FORMAT, "output_format")                                                                                  \
    X(CONTEXT_MANAGEMENT, "context_management")                                                                        \
    X(FALLBACKS, "fallbacks")                                                                                          \
    X(SERVICE_TIER, "service_tier")                                                                                    \
    X(SPEED, "speed")                                                                                                  \
    X(INFERENCE_GEO, "inference_geo")                                                                                  \
    X(METADATA, "metadata")

enum key { KEYS(MEMBERS_KEY) KEYS_COUNT };
static const struct slice key_names[] = {KEYS(MEMBERS_NAME)};

/* Who counts writes nothing; all others have to say how much at most. */
static bool read_max_tokens(struct members *in)
{
    struct chat_request *r = in->r;
    r->max_tokens_node = members_value(in, KEY_MAX_TOKENS);
    if (r->max_tokens_node == JSON_NONE)
        return r->kind == CHAT_COUNT || fault_set(in->why, FAULT_BAD_BODY, "\"max_tokens\" is missing");
    if (members_whole_number(&r->tape, r->max_tokens_node, &r->max_tokens) && r->max_tokens >= 0) return true;
    r->max_tokens = -1;
    return members_refuse(in, KEY_MAX_TOKENS, "a whole number");
}

static void read_thinking(struct members *in)
{
    const struct json_tape *tape = &in->r->tape;
    uint32_t thinking = members_value(in, KEY_THINKING), budget = json_get(tape, thinking, SLICE("budget_tokens"));
    int64_t tokens;
    bool is_asked = json_text_is(tape, json_get(tape, thinking, SLICE("type")), SLICE("enabled"));
    if (is_asked && members_whole_number(tape, budget, &tokens) && tokens >= 0) in->r->thinking_tokens = tokens;
}

static bool is_list(const struct json_tape *tape, uint32_t node)
{
    return json_is(tape, node, JSON_ARRAY) && json_first(tape, node) != JSON_NONE;
}

/* Source: Anthropic API reference, web search tool ("max_uses") and code execution tool. */
static void foresee(struct chat_request *r, uint32_t tool)
{
    int64_t most = 1;
    uint32_t type = json_get(&r->tape, tool, SLICE("type"));
    struct slice name = json_is(&r->tape, type, JSON_STRING) ? json_raw(&r->tape, type) : SLICE_NONE;
    members_whole_number(&r->tape, json_get(&r->tape, tool, SLICE("max_uses")), &most);
    if (slice_starts(name, SLICE("\"web_search_"))) members_foresee(&r->pieces.may_search, most);
    if (slice_starts(name, SLICE("\"code_execution_"))) members_foresee(&r->pieces.may_call, most);
}

static bool read_tools(struct members *in)
{
    struct chat_request *r = in->r;
    const struct json_tape *tape = &r->tape;
    uint32_t tools = members_value(in, KEY_TOOLS);
    r->tools_node = in->nodes[KEY_TOOLS];
    if (is_list(tape, members_value(in, KEY_MCP_SERVERS))) r->uses |= CHAT_USES_REMOTE_MCP | CHAT_USES_HOSTED_TOOLS;
    if (tools == JSON_NONE) return true;
    if (!json_is(tape, tools, JSON_ARRAY)) return members_refuse(in, KEY_TOOLS, "an array");
    for (uint32_t tool = json_first(tape, tools); tool != JSON_NONE; tool = json_next(tape, tool)) {
        if (json_has_duplicate(tape, tool, SLICE("type")))
            return fault_set(in->why, FAULT_BAD_BODY, "a tool's \"type\" is given twice; give it once");
        if (json_text_is(tape, json_get(tape, tool, SLICE("type")), SLICE("mcp_toolset")))
            r->uses |= CHAT_USES_REMOTE_MCP;
        r->uses |= anthropic_is_hosted(tape, tool) ? CHAT_USES_HOSTED_TOOLS : CHAT_USES_TOOLS;
        foresee(r, tool);
        r->tool_count++;
    }
    return true;
}

static bool is_twice(struct members *in, const struct chat_piece *piece)
{
    if (piece->message == CHAT_NO_MESSAGE)
        return !fault_set(in->why, FAULT_BAD_BODY, "system: \"%s\" is given twice; give it once", piece->twice);
    return !fault_set(in->why, FAULT_BAD_BODY, "messages[%u]: \"%s\" is given twice; give it once", piece->message,
                      piece->twice);
}

static bool on_piece(void *arg, const struct chat_piece *piece)
{
    struct members *in = arg;
    if (piece->twice) return !is_twice(in, piece);
    if (piece->kind == PIECE_CALL && piece->message != CHAT_NO_MESSAGE) content_add_free(in->r, in->arena, piece);
    in->r->message_count += piece->kind == PIECE_MESSAGE;
    in->r->uses |= piece->uses;
    return true;
}

static bool read_messages(struct members *in)
{
    struct chat_request *r = in->r;
    r->messages_node = members_value(in, KEY_MESSAGES);
    r->system_node = members_value(in, KEY_SYSTEM);
    if (r->messages_node != JSON_NONE && !json_is(&r->tape, r->messages_node, JSON_ARRAY))
        return members_refuse(in, KEY_MESSAGES, "an array");
    bool is_good = anthropic_walk_system(&r->tape, r->system_node, on_piece, in) &&
                   anthropic_walk_messages(&r->tape, r->messages_node, on_piece, in);
    content_sort_free(r);
    return is_good;
}

static bool check_once(const struct members *in)
{
    static const struct members_inner once[] = {
        {KEY_METADATA, {"user_id", 7}},     {KEY_OUTPUT_CONFIG, {"effort", 6}},
        {KEY_OUTPUT_CONFIG, {"format", 6}}, {KEY_TOOL_CHOICE, {"type", 4}},
        {KEY_TOOL_CHOICE, {"name", 4}},     {KEY_TOOL_CHOICE, {"disable_parallel_tool_use", 25}},
        {KEY_OUTPUT_FORMAT, {"schema", 6}}, {KEY_THINKING, {"type", 4}},
        {KEY_THINKING, {"budget_tokens", 13}}};
    return members_check_inner(in, once, sizeof once / sizeof once[0]);
}

/* Models that nobody here has allowed. */
static bool check_fallbacks(struct members *in)
{
    uint32_t fallbacks = members_value(in, KEY_FALLBACKS);
    bool is_none = fallbacks == JSON_NONE ||
                   (json_is(&in->r->tape, fallbacks, JSON_ARRAY) && json_first(&in->r->tape, fallbacks) == JSON_NONE);
    return is_none || members_refuse(in, KEY_FALLBACKS, "left out: which model comes next is this gateway's to say");
}

/* As usage says it of an answer (wire/usage.h): "fast", "us", "auto_fast". */
static void add_to_tier(struct members *in, unsigned key)
{
    struct chat_request *r = in->r;
    uint32_t node = members_value(in, key);
    if (!json_is(&r->tape, node, JSON_STRING) || json_raw(&r->tape, node).len <= 2) return;
    struct slice word = members_keep_text(in, node);
    bool is_usual = slice_iequal(word, SLICE("standard")) || slice_iequal(word, SLICE("global"));
    bool is_first = !r->service_tier.len || slice_iequal(r->service_tier, SLICE("auto")) ||
                    slice_iequal(r->service_tier, SLICE("standard_only"));
    if (is_usual) return;
    r->service_tier =
        is_first ? word : arena_printf(in->arena, "%.*s_%.*s", SLICE_FMT(r->service_tier), SLICE_FMT(word));
}

/* What is no text is the provider's to refuse. */
static bool read_settings(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t temperature = members_value(in, KEY_TEMPERATURE), tier = members_value(in, KEY_SERVICE_TIER);
    if (json_is(&r->tape, temperature, JSON_NUMBER)) r->temperature = json_to_double(&r->tape, temperature);
    if (json_is(&r->tape, tier, JSON_STRING)) r->service_tier = members_keep_text(in, tier);
    add_to_tier(in, KEY_SPEED);
    add_to_tier(in, KEY_INFERENCE_GEO);
    r->include_usage = CHAT_TRUE; /* these streams always tell */
    r->user_node = json_get(&r->tape, in->nodes[KEY_METADATA], SLICE("user_id"));
    read_thinking(in);
    return check_once(in) && check_fallbacks(in) && members_read_hints(in, KEY_METADATA);
}

bool anthropic_read_request(struct chat_request *r, struct arena *arena, struct fault *why)
{
    uint32_t nodes[KEYS_COUNT];
    struct members in = {
        .r = r, .arena = arena, .why = why, .names = key_names, .count = KEYS_COUNT, .nodes = nodes};
    return members_read(&in) && members_read_model(&in, KEY_MODEL) && members_read_stream(&in, KEY_STREAM) &&
           read_max_tokens(&in) && read_tools(&in) && read_settings(&in) && read_messages(&in);
}

/* ---- Edits. */

void anthropic_edit_ask_usage(const struct chat_request *r, struct splice *edits)
{
    (void)r;
    (void)edits;
}

/* Where metadata holds hints alone it goes (chat_edit_drop_hints()), and a new one takes its place. */
static void edit_user(const struct chat_request *r, struct splice *edits, struct slice json)
{
    bool is_going = r->hints_node != JSON_NONE && json_count(&r->tape, r->metadata_node) == 1;
    if (!is_going)
        members_edit_inside(r, edits, key_names[KEY_METADATA], SLICE("user_id"), json);
    else if (json.len)
        splice_append(edits, 0, key_names[KEY_METADATA], members_object(edits->arena, SLICE("user_id"), json));
}

/* One text is a list of one here. */
static void edit_stop(const struct chat_request *r, struct splice *edits, struct slice json)
{
    bool is_text = json.len && json.ptr[0] == '"';
    struct slice list = is_text ? arena_printf(edits->arena, "[%.*s]", SLICE_FMT(json)) : json;
    members_edit(r, edits, SLICE("stop_sequences"), list);
}

/* Here it is said the other way round, and of tools alone. */
static void edit_parallel(const struct chat_request *r, struct splice *edits, struct slice json)
{
    struct slice choice = key_names[KEY_TOOL_CHOICE], name = SLICE("disable_parallel_tool_use");
    bool is_false = slice_equal(json, SLICE("false"));
    if (!r->tool_count) return;
    if (json_is(&r->tape, json_get(&r->tape, 0, choice), JSON_OBJECT))
        members_edit_inside(r, edits, choice, name, !json.len ? SLICE_NONE : is_false ? SLICE("true") : SLICE("false"));
    else if (is_false)
        members_edit(r, edits, choice, SLICE("{\"type\":\"auto\",\"disable_parallel_tool_use\":true}"));
}

/* Thinking that would not fit into a lower bound any more is refused by the provider. */
static void edit_thinking(const struct chat_request *r, struct splice *edits, uint64_t most)
{
    int64_t bound = most < INT64_MAX ? (int64_t)most : INT64_MAX, left = chat_thinking_within(r, bound);
    struct slice tokens = arena_printf(edits->arena, "%lld", (long long)left);
    if (left == r->thinking_tokens) return;
    if (left)
        members_edit_inside(r, edits, key_names[KEY_THINKING], SLICE("budget_tokens"), tokens);
    else
        members_edit(r, edits, key_names[KEY_THINKING], SLICE_NONE);
}

static void edit_max_tokens(const struct chat_request *r, struct splice *edits, struct slice json)
{
    uint64_t most;
    if (!json.len || r->kind == CHAT_COUNT) return;
    members_edit(r, edits, key_names[KEY_MAX_TOKENS], json);
    if (slice_to_u64(json, &most)) edit_thinking(r, edits, most);
}

/* Of what has no name here (seed, penalties, store …) nothing is written: the provider would refuse it. max_tokens
 * cannot go. */
void anthropic_edit_member(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                           struct slice json)
{
    static const struct slice same[] = {{"temperature", 11}, {"top_p", 5}, {"service_tier", 12}};
    (void)limit;
    if (slice_equal(name, key_names[KEY_MAX_TOKENS])) {
        edit_max_tokens(r, edits, json);
    } else if (r->kind == CHAT_COUNT) {
        return; /* nothing is generated */
    } else if (slice_equal(name, SLICE("user")) || (slice_equal(name, SLICE("safety_identifier")) && json.len)) {
        edit_user(r, edits, json);
    } else if (slice_equal(name, SLICE("stop"))) {
        edit_stop(r, edits, json);
    } else if (slice_equal(name, SLICE("reasoning_effort"))) {
        members_edit_inside(r, edits, key_names[KEY_OUTPUT_CONFIG], SLICE("effort"), json);
    } else if (slice_equal(name, SLICE("parallel_tool_calls"))) {
        edit_parallel(r, edits, json);
    }
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        if (slice_equal(name, same[i])) members_edit(r, edits, name, json);
    }
}

/* Members that the other dialects' chats have not. */
bool anthropic_guess(const struct json_tape *tape, enum chat_kind *kind)
{
    static const struct slice own[] = {{"system", 6}, {"stop_sequences", 14}, {"thinking", 8}, {"output_config", 13},
                                       {"anthropic_version", 17}};
    bool is_own = false;
    for (size_t i = 0; i < sizeof own / sizeof own[0] && !is_own; i++)
        is_own = json_get(tape, 0, own[i]) != JSON_NONE;
    uint32_t tools = json_get(tape, 0, SLICE("tools"));
    uint32_t tool = json_is(tape, tools, JSON_ARRAY) ? json_first(tape, tools) : JSON_NONE;
    is_own = is_own || json_get(tape, tool, SLICE("input_schema")) != JSON_NONE;
    *kind = json_get(tape, 0, SLICE("max_tokens")) != JSON_NONE ? CHAT_CHAT : CHAT_COUNT;
    return is_own && json_get(tape, 0, SLICE("messages")) != JSON_NONE;
}

/* ---- Its pieces. */

static bool walk_tools(const struct json_tape *tape, uint32_t tools, chat_piece_fn fn, void *arg)
{
    if (!json_is(tape, tools, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(tape, tools); n != JSON_NONE; n = json_next(tape, n)) {
        uint32_t schema = json_get(tape, n, SLICE("input_schema"));
        struct chat_piece piece = {.kind = PIECE_TOOL,
                                   .node = n,
                                   .message = CHAT_NO_MESSAGE,
                                   .is_declared = schema != JSON_NONE,
                                   .name = json_get(tape, n, SLICE("name")),
                                   .description = json_get(tape, n, SLICE("description")),
                                   .parameters = schema};
        if (!fn(arg, &piece)) return false;
    }
    return true;
}

/* {"type":"tool","name":…} or {"type":"none"}; others say nothing to the model. */
static bool walk_choice(const struct json_tape *tape, uint32_t choice, chat_piece_fn fn, void *arg)
{
    struct chat_piece piece = {.kind = PIECE_CHOICE, .node = choice, .message = CHAT_NO_MESSAGE, .name = JSON_NONE};
    uint32_t type = json_get(tape, choice, SLICE("type")), name = json_get(tape, choice, SLICE("name"));
    bool is_named = json_text_is(tape, type, SLICE("tool")) && json_is(tape, name, JSON_STRING);
    if (is_named) piece.name = name;
    return !(is_named || json_text_is(tape, type, SLICE("none"))) || fn(arg, &piece);
}

static bool walk_schema(const struct json_tape *tape, uint32_t format, chat_piece_fn fn, void *arg)
{
    struct chat_piece piece = {.kind = PIECE_SCHEMA, .message = CHAT_NO_MESSAGE};
    piece.node = json_get(tape, format, SLICE("schema"));
    return !json_is(tape, piece.node, JSON_OBJECT) || fn(arg, &piece);
}

bool anthropic_walk(const struct chat_request *r, chat_piece_fn fn, void *arg)
{
    const struct json_tape *tape = &r->tape;
    uint32_t config = json_get(tape, 0, SLICE("output_config"));
    return anthropic_walk_system(tape, r->system_node, fn, arg) &&
           anthropic_walk_messages(tape, r->messages_node, fn, arg) && walk_tools(tape, r->tools_node, fn, arg) &&
           walk_choice(tape, json_get(tape, 0, SLICE("tool_choice")), fn, arg) &&
           walk_schema(tape, json_get(tape, config, SLICE("format")), fn, arg) &&
           walk_schema(tape, json_get(tape, 0, SLICE("output_format")), fn, arg);
}
