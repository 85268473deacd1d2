/*
 * Bodies of requests of OpenAI's Responses API. Source: OpenAI API reference, POST /v1/responses,
 * /v1/responses/input_tokens and /v1/responses/compact.
 */
#include "wire/content.h"
#include "wire/members.h"
#include "wire/responses/responses_inner.h"
#include "wire/responses/responses_items.h"

/* Keys that decide what a request costs, may do, or says; each may stand once, in this spelling. */
#define KEYS(X)                                                                                                        \
    X(MODEL, "model")                                                                                                  \
    X(INPUT, "input")                                                                                                  \
    X(INSTRUCTIONS, "instructions")                                                                                    \
    X(STREAM, "stream")                                                                                                \
    X(TOOLS, "tools")                                                                                                  \
    X(TOOL_CHOICE, "tool_choice")                                                                                      \
    X(MAX_OUTPUT_TOKENS, "max_output_tokens")                                                                          \
    X(MAX_TOOL_CALLS, "max_tool_calls")                                                                                \
    X(TEMPERATURE, "temperature")                                                                                      \
    X(TEXT, "text")                                                                                                    \
    X(REASONING, "reasoning")                                                                                          \
    X(SERVICE_TIER, "service_tier")                                                                                    \
    X(STORE, "store")                                                                                                  \
    X(BACKGROUND, "background")                                                                                        \
    X(PREVIOUS_RESPONSE_ID, "previous_response_id")                                                                    \
    X(CONVERSATION, "conversation")                                                                                    \
    X(PROMPT, "prompt")                                                                                                \
    X(INCLUDE, "include")                                                                                              \
    X(USER, "user")                                                                                                    \
    X(SAFETY_IDENTIFIER, "safety_identifier")                                                                          \
    X(PROMPT_CACHE_KEY, "prompt_cache_key")                                                                            \
    X(METADATA, "metadata")

enum key { KEYS(MEMBERS_KEY) KEYS_COUNT };
static const struct slice key_names[] = {KEYS(MEMBERS_NAME)};

/* {"id":"conv_1"}, or the id alone. */
static bool keep_conversation(struct members *in, uint32_t conversation)
{
    const struct json_tape *tape = &in->r->tape;
    uint32_t id = json_is(tape, conversation, JSON_OBJECT) ? json_get(tape, conversation, SLICE("id")) : conversation;
    if (conversation == JSON_NONE) return true;
    if (!json_is(tape, id, JSON_STRING) || json_has_duplicate(tape, conversation, SLICE("id")))
        return members_refuse(in, KEY_CONVERSATION, "an id, or an object with one \"id\"");
    return kept_add(in->r, in->arena, KEPT_CONVERSATION, json_text(tape, id, in->arena), in->why);
}

static bool keep_response(struct members *in, uint32_t response)
{
    const struct json_tape *tape = &in->r->tape;
    if (response == JSON_NONE) return true;
    if (!json_is(tape, response, JSON_STRING)) return members_refuse(in, KEY_PREVIOUS_RESPONSE_ID, "a string");
    return kept_add(in->r, in->arena, KEPT_RESPONSE, json_text(tape, response, in->arena), in->why);
}

/* What was said before is the caller's own where the response is; a prompt that lies at the provider is nobody's here,
 * and policies could not read it. An answer that is made in the background is paid for when nobody looks. */
static bool check_kept(struct members *in)
{
    uint32_t background = members_value(in, KEY_BACKGROUND);
    if (members_value(in, KEY_PROMPT) != JSON_NONE)
        return members_refuse(in, KEY_PROMPT,
                              "left out: its text is sent in \"instructions\" and \"input\", where policies can "
                              "read it");
    if (!keep_response(in, members_value(in, KEY_PREVIOUS_RESPONSE_ID)) ||
        !keep_conversation(in, members_value(in, KEY_CONVERSATION)))
        return false;
    return background == JSON_NONE || json_is(&in->r->tape, background, JSON_FALSE) ||
           members_refuse(in, KEY_BACKGROUND, "left out: wait for the answer, or ask for a stream");
}

static bool check_once(const struct members *in)
{
    static const struct members_inner once[] = {{KEY_REASONING, {"effort", 6}}, {KEY_TEXT, {"format", 6}},
                                                {KEY_TEXT, {"verbosity", 9}},   {KEY_TOOL_CHOICE, {"type", 4}},
                                                {KEY_TOOL_CHOICE, {"name", 4}}};
    return members_check_inner(in, once, sizeof once / sizeof once[0]);
}

/* What is no number, or no text, is the provider's to refuse, as is a length of 0, which some read as no bound. */
static bool read_settings(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t temperature = members_value(in, KEY_TEMPERATURE), tier = members_value(in, KEY_SERVICE_TIER);
    r->max_tokens_node = members_value(in, KEY_MAX_OUTPUT_TOKENS);
    bool is_whole = members_whole_number(&r->tape, r->max_tokens_node, &r->max_tokens);
    if (!is_whole || r->max_tokens < 1) r->max_tokens = -1;
    if (json_is(&r->tape, temperature, JSON_NUMBER)) r->temperature = json_to_double(&r->tape, temperature);
    if (json_is(&r->tape, tier, JSON_STRING)) r->service_tier = members_keep_text(in, tier);
    r->include_usage = CHAT_TRUE; /* these streams always tell */
    r->user_node = in->nodes[KEY_USER];
    return check_once(in) && check_kept(in) && members_read_hints(in, KEY_METADATA);
}

/* Also inside of namespaces, as deep as the tape lets JSON nest. */
static bool check_tools(const struct members *in, uint32_t tools)
{
    const struct json_tape *tape = &in->r->tape;
    uint32_t tool = json_is(tape, tools, JSON_ARRAY) ? json_first(tape, tools) : JSON_NONE;
    for (; tool != JSON_NONE; tool = json_next(tape, tool)) {
        static const struct slice once[] = {
            {"type", 4}, {"tools", 5}, {"environment", 11}, {"container", 9}, {"input_image_mask", 16}};
        for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
            if (json_has_duplicate(tape, tool, once[i]))
                return fault_set(in->why, FAULT_BAD_BODY, "a tool's \"%s\" is given twice; give it once", once[i].ptr);
        }
        if (!check_tools(in, json_get(tape, tool, SLICE("tools")))) return false;
    }
    return true;
}

/* Of the tools themselves the request bounds nothing, but all of their calls. Source: OpenAI API reference, Responses,
 * "max_tool_calls"; xAI's, "x_search". */
static void foresee(const struct members *in, uint32_t tools)
{
    static const struct slice searches[] = {{"\"web_search", 11}, {"\"x_search", 9}},
                              calls[] = {{"\"file_search", 12}, {"\"code_", 6}};
    struct chat_request *r = in->r;
    const struct json_tape *tape = &r->tape;
    int64_t most = 1;
    members_whole_number(tape, members_value(in, KEY_MAX_TOOL_CALLS), &most);
    uint32_t tool = json_is(tape, tools, JSON_ARRAY) ? json_first(tape, tools) : JSON_NONE;
    for (; tool != JSON_NONE; tool = json_next(tape, tool)) {
        uint32_t type = json_get(tape, tool, SLICE("type"));
        struct slice name = json_is(tape, type, JSON_STRING) ? json_raw(tape, type) : SLICE_NONE;
        for (size_t i = 0; i < 2; i++) {
            if (slice_starts(name, searches[i])) members_foresee(&r->pieces.may_search, most);
            if (slice_starts(name, calls[i])) members_foresee(&r->pieces.may_call, most);
        }
    }
}

static bool read_tools(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t tools = members_value(in, KEY_TOOLS);
    r->tools_node = in->nodes[KEY_TOOLS];
    if (tools != JSON_NONE && !json_is(&r->tape, tools, JSON_ARRAY)) return members_refuse(in, KEY_TOOLS, "an array");
    r->uses |= responses_tool_uses(&r->tape, tools, &r->tool_count);
    foresee(in, tools);
    return check_tools(in, tools);
}

static const char *items_name(const struct chat_request *r)
{
    return r->kind == CHAT_CONVERSATIONS ? "items" : "input";
}

/* An item of which there is the id alone. In a conversation each that has one: what its provider says then was made
 * is the caller's. */
static bool keep_item(struct members *in, const struct chat_piece *piece)
{
    const struct json_tape *tape = &in->r->tape;
    uint32_t id = json_get(tape, piece->node, SLICE("id"));
    if (piece->kind != PIECE_MESSAGE) return true;
    if (!responses_is_reference(tape, piece->node))
        return in->r->kind != CHAT_CONVERSATIONS || kept_add_ids(in->r, in->arena, KEPT_ITEM, piece->node, in->why);
    if (!json_is(tape, id, JSON_STRING) || json_has_duplicate(tape, piece->node, SLICE("id")))
        return fault_set(in->why, FAULT_BAD_BODY,
                         "%s[%u] must be an item, or refer to one that the provider keeps by one \"id\"",
                         items_name(in->r), piece->message);
    return kept_add(in->r, in->arena, KEPT_ITEM, json_text(tape, id, in->arena), in->why);
}

static bool on_piece(void *arg, const struct chat_piece *piece)
{
    struct members *in = arg;
    if (piece->twice) {
        return fault_set(in->why, FAULT_BAD_BODY, "%s[%u]: \"%s\" is given twice; give it once", items_name(in->r),
                         piece->message, piece->twice);
    }
    if (!keep_item(in, piece)) return false;
    if (piece->kind == PIECE_MESSAGE && !check_tools(in, json_get(&in->r->tape, piece->node, SLICE("tools"))))
        return false;
    if (piece->kind == PIECE_CALL_JSON) content_add_free(in->r, in->arena, piece);
    in->r->message_count += piece->kind == PIECE_MESSAGE || piece->kind == PIECE_IMPLIED;
    in->r->uses |= piece->uses;
    return true;
}

bool responses_read_items(struct members *in, uint32_t items)
{
    in->r->messages_node = items;
    bool is_good = responses_walk_input(&in->r->tape, items, on_piece, in);
    content_sort_free(in->r);
    return is_good;
}

static bool read_input(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t instructions = members_value(in, KEY_INSTRUCTIONS);
    uint32_t input = members_value(in, KEY_INPUT);
    if (json_is(&r->tape, instructions, JSON_STRING)) r->system_node = instructions;
    if (instructions != JSON_NONE && r->system_node == JSON_NONE)
        return members_refuse(in, KEY_INSTRUCTIONS, "a string");
    bool is_input = input == JSON_NONE || json_is(&r->tape, input, JSON_STRING) || json_is(&r->tape, input, JSON_ARRAY);
    if (!is_input) return members_refuse(in, KEY_INPUT, "a string or an array");
    return responses_read_items(in, input);
}

bool responses_read_request(struct chat_request *r, struct arena *arena, struct fault *why)
{
    uint32_t nodes[KEYS_COUNT];
    if (r->kind == CHAT_CONVERSATIONS) return responses_read_conversation(r, arena, why);
    struct members in = {
        .r = r, .arena = arena, .why = why, .names = key_names, .count = KEYS_COUNT, .nodes = nodes};
    return members_read(&in) && members_read_model(&in, KEY_MODEL) && members_read_stream(&in, KEY_STREAM) &&
           read_settings(&in) && read_tools(&in) && read_input(&in);
}

/* ---- Edits. */

void responses_edit_ask_usage(const struct chat_request *r, struct splice *edits)
{
    (void)r;
    (void)edits;
}

/* Of what has no name here (seed, penalties, stop) nothing is written: the provider would refuse it. Who counts writes
 * nothing, and compaction takes no more than what is compacted. */
void responses_edit_member(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                           struct slice json)
{
    static const struct slice same[] = {
        {"temperature", 11}, {"top_p", 5}, {"service_tier", 12}, {"user", 4}, {"safety_identifier", 17},
        {"prompt_cache_key", 16}, {"store", 5}, {"parallel_tool_calls", 19}};
    (void)limit;
    if (r->kind != CHAT_CHAT) return;
    if (slice_equal(name, SLICE("max_tokens")))
        members_edit(r, edits, key_names[KEY_MAX_OUTPUT_TOKENS], json);
    else if (slice_equal(name, SLICE("reasoning_effort")))
        members_edit_inside(r, edits, key_names[KEY_REASONING], SLICE("effort"), json);
    else if (slice_equal(name, SLICE("verbosity")))
        members_edit_inside(r, edits, key_names[KEY_TEXT], SLICE("verbosity"), json);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        if (slice_equal(name, same[i])) members_edit(r, edits, name, json);
    }
}

/* Embeddings have an input too: members that they have not, and items that are no texts. */
bool responses_guess(const struct json_tape *tape, enum chat_kind *kind)
{
    static const struct slice own[] = {
        {"instructions", 12}, {"max_output_tokens", 17}, {"reasoning", 9}, {"text", 4}, {"store", 5}, {"stream", 6},
        {"tools", 5}, {"include", 7}};
    uint32_t input = json_get(tape, 0, SLICE("input"));
    uint32_t item = json_is(tape, input, JSON_ARRAY) ? json_first(tape, input) : JSON_NONE;
    bool is_own = json_is(tape, item, JSON_OBJECT);
    for (size_t i = 0; i < sizeof own / sizeof own[0] && !is_own; i++)
        is_own = json_get(tape, 0, own[i]) != JSON_NONE;
    *kind = CHAT_CHAT;
    return is_own && input != JSON_NONE && json_get(tape, 0, SLICE("messages")) == JSON_NONE;
}

/* ---- Its pieces. */

/* A namespace is what is in it, and the text that says so. */
static bool walk_tools(const struct json_tape *tape, uint32_t tools, chat_piece_fn fn, void *arg)
{
    if (!json_is(tape, tools, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(tape, tools); n != JSON_NONE; n = json_next(tape, n)) {
        struct content_walk w = {.tape = tape, .message = CHAT_NO_MESSAGE, .fn = fn, .arg = arg};
        if (!content_is_of_type(tape, n, SLICE("namespace"))) {
            bool is_function = content_is_of_type(tape, n, SLICE("function"));
            if (!content_tell_tool(tape, n, is_function ? n : JSON_NONE, fn, arg)) return false;
        } else if (!content_tell_text(&w, json_get(tape, n, SLICE("name")), PIECE_CALL_TEXT) ||
                   !content_tell_text(&w, json_get(tape, n, SLICE("description")), PIECE_CALL_TEXT) ||
                   !walk_tools(tape, json_get(tape, n, SLICE("tools")), fn, arg)) {
            return false;
        }
    }
    return true;
}

static bool walk_format(const struct json_tape *tape, uint32_t format, chat_piece_fn fn, void *arg)
{
    struct chat_piece piece = {.kind = PIECE_SCHEMA, .node = format, .message = CHAT_NO_MESSAGE};
    return !content_is_of_type(tape, format, SLICE("json_schema")) || fn(arg, &piece);
}

static bool walk_instructions(const struct json_tape *tape, uint32_t instructions, chat_piece_fn fn, void *arg)
{
    struct content_walk w = {
        .tape = tape, .message = CHAT_NO_MESSAGE, .role = CHAT_ROLE_APPLICATION, .fn = fn, .arg = arg};
    if (instructions == JSON_NONE) return true;
    return content_tell(&w, (struct chat_piece){.kind = PIECE_IMPLIED, .node = instructions}) &&
           content_tell_text(&w, instructions, PIECE_CONTENT);
}

bool responses_walk(const struct chat_request *r, chat_piece_fn fn, void *arg)
{
    const struct json_tape *tape = &r->tape;
    uint32_t text = json_get(tape, 0, SLICE("text"));
    return walk_instructions(tape, r->system_node, fn, arg) &&
           responses_walk_input(tape, r->messages_node, fn, arg) && walk_tools(tape, r->tools_node, fn, arg) &&
           content_tell_choice(tape, json_get(tape, 0, SLICE("tool_choice")), fn, arg) &&
           walk_format(tape, json_get(tape, text, SLICE("format")), fn, arg);
}
