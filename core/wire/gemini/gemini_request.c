/*
 * Bodies of requests of Gemini's API. Source: Gemini API reference, models.generateContent, countTokens, embedContent
 * and batchEmbedContents; ProtoJSON, for the two spellings of each name.
 */
#include "wire/content.h"
#include "wire/gemini/gemini_content.h"
#include "wire/gemini/gemini_inner.h"
#include "wire/members.h"


/* Keys that decide what a request costs, may do, or says; each may stand once, in one of these spellings. */
#define KEYS(X)                                                                                                        \
    X(MODEL, "model", "model")                                                                                         \
    X(CONTENTS, "contents", "contents")                                                                                \
    X(SYSTEM, "systemInstruction", "system_instruction")                                                               \
    X(TOOLS, "tools", "tools")                                                                                         \
    X(TOOL_CONFIG, "toolConfig", "tool_config")                                                                        \
    X(CONFIG, "generationConfig", "generation_config")                                                                 \
    X(SAFETY, "safetySettings", "safety_settings")                                                                     \
    X(CACHED, "cachedContent", "cached_content")                                                                       \
    X(SERVICE_TIER, "serviceTier", "service_tier")                                                                     \
    X(NESTED, "generateContentRequest", "generate_content_request")                                                    \
    X(CONTENT, "content", "content")                                                                                   \
    X(TITLE, "title", "title")                                                                                         \
    X(REQUESTS, "requests", "requests")

#define KEY_ENUM(name, text, other) KEY_##name,
#define KEY_NAME(name, text, other) {text, sizeof text - 1},
#define KEY_OTHER(name, text, other) {other, sizeof other - 1},
enum key { KEYS(KEY_ENUM) KEYS_COUNT };
static const struct slice key_names[] = {KEYS(KEY_NAME)}, key_others[] = {KEYS(KEY_OTHER)};

static const struct gemini_name name_declarations = {{"functionDeclarations", 20}, {"function_declarations", 21}},
                                name_schema = {{"responseSchema", 14}, {"response_schema", 15}},
                                name_json_schema = {{"responseJsonSchema", 18}, {"response_json_schema", 20}},
                                name_limit = {{"maxOutputTokens", 15}, {"max_output_tokens", 17}},
                                name_count = {{"candidateCount", 14}, {"candidate_count", 15}},
                                name_thinking = {{"thinkingConfig", 14}, {"thinking_config", 15}},
                                name_thoughts = {{"includeThoughts", 15}, {"include_thoughts", 16}},
                                name_temperature = {{"temperature", 11}, {"temperature", 11}},
                                name_calling = {{"functionCallingConfig", 21}, {"function_calling_config", 23}},
                                name_mode = {{"mode", 4}, {"mode", 4}},
                                name_allowed = {{"allowedFunctionNames", 20}, {"allowed_function_names", 22}};

uint32_t gemini_get(const struct json_tape *tape, uint32_t object, struct gemini_name name)
{
    uint32_t node = json_get(tape, object, name.name);
    return node != JSON_NONE ? node : json_get(tape, object, name.other);
}

static uint32_t value_of(const struct json_tape *tape, uint32_t object, struct gemini_name name)
{
    uint32_t node = gemini_get(tape, object, name);
    return json_is(tape, node, JSON_NULL) ? JSON_NONE : node;
}

static struct gemini_name key(enum key k)
{
    return (struct gemini_name){key_names[k], key_others[k]};
}

/* ---- The model. */

/* "models/NAME" is NAME. */
static struct slice without_beginning(struct slice model)
{
    bool has = slice_starts(model, SLICE("models/"));
    return has ? slice_of(model.ptr + 7, model.len - 7) : model;
}

/* The path has said which; a body may say the same. Of a body alone nobody knows. */
static bool is_the_same(struct members *in, uint32_t node)
{
    const struct json_tape *tape = &in->r->tape;
    if (!in->r->model.len || node == JSON_NONE || json_is(tape, node, JSON_NULL)) return true;
    if (!json_is(tape, node, JSON_STRING)) return members_refuse(in, KEY_MODEL, "a string");
    struct slice model = without_beginning(json_text(tape, node, in->arena));
    return slice_equal(model, in->r->model) || members_refuse(in, KEY_MODEL, "the one that stands in the path");
}

static bool read_model(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t model = members_value(in, KEY_MODEL);
    if (!r->model.len && json_is(&r->tape, model, JSON_STRING))
        r->model = without_beginning(members_keep_text(in, model));
    return (!r->model.len || members_keep_model(in, KEY_MODEL, r->model)) && is_the_same(in, model);
}

static bool check_request(struct members *in, uint32_t request)
{
    static const struct slice once[] = {{"model", 5}, {"content", 7}, {"title", 5}};
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        if (json_has_duplicate(&in->r->tape, request, once[i]))
            return fault_set(in->why, FAULT_BAD_BODY, "\"requests\": \"%s\" is given twice; give it once", once[i].ptr);
    }
    return is_the_same(in, json_get(&in->r->tape, request, SLICE("model")));
}

/* ---- What is kept elsewhere. */

#define STORED "left out: an id does not say whose it is; "

static bool check_kept(struct members *in)
{
    static const struct {
        enum key key;
        const char *must;
    } kept[] = {
        {KEY_CACHED, STORED "what it holds is sent in \"contents\" and \"systemInstruction\""},
        {KEY_NESTED, "left out: its \"contents\" are sent in the root, where policies can read them"},
    };
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (members_value(in, kept[i].key) != JSON_NONE) return members_refuse(in, kept[i].key, kept[i].must);
    }
    return true;
}

static bool is_kept(struct members *in, const struct chat_piece *piece)
{
    if (piece->kind != PIECE_ELSEWHERE || !gemini_is_kept(&in->r->tape, piece->node)) return false;
    return !fault_set(in->why, FAULT_BAD_BODY,
                      "\"fileData\" must not refer to a file that the provider keeps: an address does not say whose it "
                      "is; send its bytes as \"inlineData\"");
}

/* ---- Tools. */

/* Stores of documents, whoever filled them. */
static bool is_store(const struct json_tape *tape, uint32_t member)
{
    static const struct slice names[] = {{"fileSearch", 10}, {"file_search", 11}, {"retrieval", 9}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_key_is(tape, member, names[i])) return true;
    }
    return false;
}

static unsigned uses_of(const struct json_tape *tape, uint32_t member)
{
    if (json_key_is(tape, member, SLICE("computerUse")) || json_key_is(tape, member, SLICE("computer_use")))
        return CHAT_USES_TOOLS;
    bool is_mcp = json_key_is(tape, member, SLICE("mcpServers")) || json_key_is(tape, member, SLICE("mcp_servers"));
    return is_mcp ? CHAT_USES_REMOTE_MCP | CHAT_USES_HOSTED_TOOLS : CHAT_USES_HOSTED_TOOLS;
}

static bool is_search(const struct json_tape *tape, uint32_t member)
{
    struct slice key = json_key(tape, member);
    return slice_starts(key, SLICE("\"googleSearch")) || slice_starts(key, SLICE("\"google_search"));
}

static bool is_declarations(const struct json_tape *tape, uint32_t member)
{
    return json_key_is(tape, member, name_declarations.name) || json_key_is(tape, member, name_declarations.other);
}

/* Functions are the client's, all else is run by whoever has the model. */
static bool read_tool(struct members *in, uint32_t tool)
{
    struct chat_request *r = in->r;
    const struct json_tape *tape = &r->tape;
    if (!members_is_once(tape, tool, name_declarations.name, name_declarations.other))
        return fault_set(in->why, FAULT_BAD_BODY, "a tool's \"functionDeclarations\" is given twice; give it once");
    if (!json_is(tape, tool, JSON_OBJECT)) return true;
    for (uint32_t n = json_first(tape, tool); n != JSON_NONE; n = json_next(tape, n)) {
        if (json_is(tape, n, JSON_NULL)) continue;
        if (is_store(tape, n))
            return fault_set(in->why, FAULT_BAD_BODY, "stores of documents must be left out of \"tools\": a name does "
                                                      "not say whose it is; send what is to be read in \"contents\"");
        bool is_list = is_declarations(tape, n);
        if (is_search(tape, n)) members_foresee(&r->pieces.may_search, 1);
        r->uses |= is_list ? CHAT_USES_TOOLS : uses_of(tape, n);
        r->tool_count += is_list && json_is(tape, n, JSON_ARRAY) ? json_count(tape, n) : 1;
    }
    return true;
}

/* One stands for a list of one. */
static bool read_tools(struct members *in)
{
    const struct json_tape *tape = &in->r->tape;
    uint32_t tools = members_value(in, KEY_TOOLS);
    in->r->tools_node = in->nodes[KEY_TOOLS];
    if (json_is(tape, tools, JSON_OBJECT)) return read_tool(in, tools);
    if (tools != JSON_NONE && !json_is(tape, tools, JSON_ARRAY)) return members_refuse(in, KEY_TOOLS, "an array");
    uint32_t tool = tools == JSON_NONE ? JSON_NONE : json_first(tape, tools);
    for (; tool != JSON_NONE; tool = json_next(tape, tool)) {
        if (!read_tool(in, tool)) return false;
    }
    return true;
}

/* ---- Settings. */

static bool check_once(struct members *in)
{
    static const struct {
        enum key outer;
        const struct gemini_name *inner;
    } once[] = {{KEY_CONFIG, &name_limit},        {KEY_CONFIG, &name_count},  {KEY_CONFIG, &name_temperature},
                {KEY_CONFIG, &name_schema},       {KEY_CONFIG, &name_json_schema},
                {KEY_TOOL_CONFIG, &name_calling}};
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        const struct gemini_name *inner = once[i].inner;
        if (!members_is_once(&in->r->tape, in->nodes[once[i].outer], inner->name, inner->other))
            return fault_set(in->why, FAULT_BAD_BODY, "\"%s.%s\" is given twice; give it once",
                             key_names[once[i].outer].ptr, inner->name.ptr);
    }
    return true;
}

static bool refuse_config(const struct members *in, struct gemini_name name, const char *must)
{
    return fault_set(in->why, FAULT_BAD_BODY, "\"generationConfig.%s\" must be %s", name.name.ptr, must);
}

/* 0 is what a field of protocol buffers has that nobody set. */
static bool read_limit(struct members *in, uint32_t config)
{
    struct chat_request *r = in->r;
    r->max_tokens_node = value_of(&r->tape, config, name_limit);
    if (r->max_tokens_node == JSON_NONE) return true;
    bool is_whole = members_whole_number(&r->tape, r->max_tokens_node, &r->max_tokens) && r->max_tokens >= 0;
    if (!is_whole || r->max_tokens == 0) r->max_tokens = -1;
    return is_whole || refuse_config(in, name_limit, "a whole number");
}

static bool read_count(struct members *in, uint32_t config)
{
    struct chat_request *r = in->r;
    int64_t count;
    r->n_node = value_of(&r->tape, config, name_count);
    if (r->n_node == JSON_NONE) return true;
    if (!members_whole_number(&r->tape, r->n_node, &count) || count < 1 || count > DIALECT_CHOICES_MAX)
        return refuse_config(in, name_count, "a whole number of 1 to 128");
    r->choices = r->generated = (uint32_t)count;
    return true;
}

/* What is no text, or no number of a temperature, is the provider's to refuse. */
static bool read_settings(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t config = members_value(in, KEY_CONFIG), tier = members_value(in, KEY_SERVICE_TIER);
    uint32_t temperature = gemini_get(&r->tape, config, name_temperature);
    if (config != JSON_NONE && !json_is(&r->tape, config, JSON_OBJECT))
        return members_refuse(in, KEY_CONFIG, "an object");
    if (json_is(&r->tape, temperature, JSON_NUMBER)) r->temperature = json_to_double(&r->tape, temperature);
    if (json_is(&r->tape, tier, JSON_STRING)) r->service_tier = members_keep_text(in, tier);
    r->include_usage = CHAT_TRUE; /* these streams always tell */
    uint32_t thoughts = gemini_get(&r->tape, value_of(&r->tape, config, name_thinking), name_thoughts);
    r->include_thoughts = json_is(&r->tape, thoughts, JSON_TRUE) ? CHAT_TRUE : CHAT_FALSE;
    return check_once(in) && check_kept(in) && read_limit(in, config) && read_count(in, config);
}

/* ---- Contents. */

static bool is_twice(struct members *in, const struct chat_piece *piece)
{
    if (piece->message == CHAT_NO_MESSAGE)
        return !fault_set(in->why, FAULT_BAD_BODY, "\"%s\" is given twice; give it once", piece->twice);
    return !fault_set(in->why, FAULT_BAD_BODY, "contents[%u]: \"%s\" is given twice; give it once", piece->message,
                      piece->twice);
}

static bool on_piece(void *arg, const struct chat_piece *piece)
{
    struct members *in = arg;
    if (piece->twice) return !is_twice(in, piece);
    if (is_kept(in, piece)) return false;
    if (piece->kind == PIECE_CALL_JSON && in->r->messages_node != JSON_NONE && piece->node > in->r->messages_node)
        content_add_free(in->r, in->arena, piece);
    in->r->message_count += piece->kind == PIECE_MESSAGE;
    in->r->uses |= piece->uses;
    return true;
}

static bool read_contents(struct members *in)
{
    struct chat_request *r = in->r;
    r->messages_node = members_value(in, KEY_CONTENTS);
    r->system_node = members_value(in, KEY_SYSTEM);
    if (r->messages_node != JSON_NONE && !json_is(&r->tape, r->messages_node, JSON_ARRAY))
        return members_refuse(in, KEY_CONTENTS, "an array");
    bool is_good = gemini_walk_apart(&r->tape, r->system_node, CHAT_ROLE_APPLICATION, on_piece, in) &&
                   gemini_walk_contents(&r->tape, r->messages_node, on_piece, in);
    content_sort_free(r);
    return is_good;
}

static bool read_batch(struct members *in, uint32_t requests)
{
    const struct json_tape *tape = &in->r->tape;
    if (!json_is(tape, requests, JSON_ARRAY)) return members_refuse(in, KEY_REQUESTS, "an array");
    for (uint32_t n = json_first(tape, requests); n != JSON_NONE; n = json_next(tape, n)) {
        if (!check_request(in, n)) return false;
        if (!gemini_walk_embedded(tape, n, on_piece, in)) return false;
    }
    return true;
}

/* One, or several at a time: never both, of which the one would not be read. */
static bool read_embedded(struct members *in)
{
    struct chat_request *r = in->r;
    uint32_t content = members_value(in, KEY_CONTENT), requests = members_value(in, KEY_REQUESTS);
    bool is_batch = requests != JSON_NONE;
    if (is_batch && content != JSON_NONE) return members_refuse(in, KEY_CONTENT, "left out beside \"requests\"");
    r->messages_node = is_batch ? requests : content;
    bool is_good = is_batch ? read_batch(in, requests) : gemini_walk_embedded(&r->tape, 0, on_piece, in);
    content_sort_free(r);
    return is_good;
}

bool gemini_is_batch(const struct chat_request *r)
{
    return json_is(&r->tape, r->messages_node, JSON_ARRAY);
}

bool gemini_read_request(struct chat_request *r, struct arena *arena, struct fault *why)
{
    uint32_t nodes[KEYS_COUNT];
    struct members in = {.r = r,
                         .arena = arena,
                         .why = why,
                         .names = key_names,
                         .others = key_others,
                         .count = KEYS_COUNT,
                         .nodes = nodes};
    bool is_chat = r->kind == CHAT_CHAT || r->kind == CHAT_COUNT;
    return members_read(&in) && read_model(&in) && read_settings(&in) && read_tools(&in) &&
           (is_chat ? read_contents(&in) : read_embedded(&in));
}

/* ---- Edits. */

void gemini_edit_ask_usage(const struct chat_request *r, struct splice *edits)
{
    (void)r;
    (void)edits;
}

static void edit_name(const struct chat_request *r, struct splice *edits, uint32_t node, struct slice json)
{
    if (json_is(&r->tape, node, JSON_STRING)) splice_value(edits, node, json);
}

void gemini_edit_model(const struct chat_request *r, struct splice *edits, struct slice model)
{
    const struct json_tape *tape = &r->tape;
    uint32_t requests = r->kind == CHAT_EMBEDDINGS && gemini_is_batch(r) ? r->messages_node : JSON_NONE;
    struct buf text;
    buf_init(&text);
    buf_append_json(&text, arena_join(edits->arena, SLICE("models/"), model));
    struct slice json = arena_copy(edits->arena, buf_slice(&text));
    buf_clear(&text);
    edit_name(r, edits, json_get(tape, 0, SLICE("model")), json);
    for (uint32_t n = requests == JSON_NONE ? JSON_NONE : json_first(tape, requests); n != JSON_NONE;
         n = json_next(tape, n))
        edit_name(r, edits, json_get(tape, n, SLICE("model")), json);
}

/* A member of generationConfig, as the caller spells both; one text is a list of one there. */
static void edit_config(const struct chat_request *r, struct splice *edits, struct gemini_name name, struct slice json)
{
    const struct json_tape *tape = &r->tape;
    struct gemini_name outer = key(KEY_CONFIG);
    uint32_t config = gemini_get(tape, 0, outer);
    bool is_other = config != JSON_NONE && json_get(tape, 0, outer.name) == JSON_NONE;
    bool has_other = json_get(tape, config, name.other) != JSON_NONE;
    members_edit_inside(r, edits, is_other ? outer.other : outer.name, has_other ? name.other : name.name, json);
}

/* Of what has no name here (user, store, verbosity …) nothing is written: the provider would refuse it. Who counts, or
 * embeds, writes nothing. */
void gemini_edit_member(const struct chat_request *r, struct splice *edits, enum chat_limit limit, struct slice name,
                        struct slice json)
{
    static const struct {
        struct slice name;
        struct gemini_name own;
    } config[] = {
        {{"max_tokens", 10}, {{"maxOutputTokens", 15}, {"max_output_tokens", 17}}},
        {{"temperature", 11}, {{"temperature", 11}, {"temperature", 11}}},
        {{"top_p", 5}, {{"topP", 4}, {"top_p", 5}}},
        {{"presence_penalty", 16}, {{"presencePenalty", 15}, {"presence_penalty", 16}}},
        {{"frequency_penalty", 17}, {{"frequencyPenalty", 16}, {"frequency_penalty", 17}}},
        {{"seed", 4}, {{"seed", 4}, {"seed", 4}}},
        {{"stop", 4}, {{"stopSequences", 13}, {"stop_sequences", 14}}},
    };
    bool is_text = json.len && json.ptr[0] == '"';
    (void)limit;
    if (r->kind != CHAT_CHAT) return;
    for (size_t i = 0; i < sizeof config / sizeof config[0]; i++) {
        if (slice_equal(name, config[i].name))
            edit_config(r, edits, config[i].own,
                        is_text ? arena_printf(edits->arena, "[%.*s]", SLICE_FMT(json)) : json);
    }
}

/* No other dialect has a list of that name. */
bool gemini_guess(const struct json_tape *tape, enum chat_kind *kind)
{
    bool is_chat = json_is(tape, json_get(tape, 0, SLICE("contents")), JSON_ARRAY);
    bool is_one = json_is(tape, json_get(tape, 0, SLICE("content")), JSON_OBJECT);
    uint32_t requests = json_get(tape, 0, SLICE("requests"));
    uint32_t first = json_is(tape, requests, JSON_ARRAY) ? json_first(tape, requests) : JSON_NONE;
    *kind = is_chat ? CHAT_CHAT : CHAT_EMBEDDINGS;
    return is_chat || is_one || json_get(tape, first, SLICE("content")) != JSON_NONE;
}

/* ---- Its pieces. */

static bool tell_function(const struct json_tape *tape, uint32_t function, chat_piece_fn fn, void *arg)
{
    static const struct gemini_name schema = {{"parametersJsonSchema", 20}, {"parameters_json_schema", 22}};
    uint32_t parameters = json_get(tape, function, SLICE("parameters"));
    struct chat_piece piece = {.kind = PIECE_TOOL,
                               .node = function,
                               .message = CHAT_NO_MESSAGE,
                               .is_declared = json_is(tape, function, JSON_OBJECT),
                               .name = json_get(tape, function, SLICE("name")),
                               .description = json_get(tape, function, SLICE("description")),
                               .parameters = parameters != JSON_NONE ? parameters : gemini_get(tape, function, schema)};
    return fn(arg, &piece);
}

static bool tell_functions(const struct json_tape *tape, uint32_t list, chat_piece_fn fn, void *arg)
{
    if (!json_is(tape, list, JSON_ARRAY)) return tell_function(tape, list, fn, arg);
    for (uint32_t n = json_first(tape, list); n != JSON_NONE; n = json_next(tape, n)) {
        if (!tell_function(tape, n, fn, arg)) return false;
    }
    return true;
}

static bool walk_tool(const struct json_tape *tape, uint32_t tool, chat_piece_fn fn, void *arg)
{
    if (!json_is(tape, tool, JSON_OBJECT)) return true;
    for (uint32_t n = json_first(tape, tool); n != JSON_NONE; n = json_next(tape, n)) {
        struct chat_piece hosted = {.kind = PIECE_TOOL, .node = n, .message = CHAT_NO_MESSAGE, .name = JSON_NONE,
                                    .description = JSON_NONE, .parameters = JSON_NONE};
        if (json_is(tape, n, JSON_NULL)) continue;
        if (!(is_declarations(tape, n) ? tell_functions(tape, n, fn, arg) : fn(arg, &hosted))) return false;
    }
    return true;
}

static bool walk_tools(const struct json_tape *tape, uint32_t tools, chat_piece_fn fn, void *arg)
{
    if (!json_is(tape, tools, JSON_ARRAY)) return walk_tool(tape, tools, fn, arg);
    for (uint32_t n = json_first(tape, tools); n != JSON_NONE; n = json_next(tape, n)) {
        if (!walk_tool(tape, n, fn, arg)) return false;
    }
    return true;
}

/* {"mode":"ANY","allowedFunctionNames":["f"]} or {"mode":"NONE"}; others say nothing to the model. */
static bool walk_choice(const struct json_tape *tape, chat_piece_fn fn, void *arg)
{
    uint32_t config = gemini_get(tape, gemini_get(tape, 0, key(KEY_TOOL_CONFIG)), name_calling);
    uint32_t mode = gemini_get(tape, config, name_mode), names = gemini_get(tape, config, name_allowed);
    struct chat_piece piece = {.kind = PIECE_CHOICE, .node = config, .message = CHAT_NO_MESSAGE, .name = JSON_NONE};
    uint32_t first = json_is(tape, names, JSON_ARRAY) && json_count(tape, names) == 1 ? json_first(tape, names)
                                                                                      : JSON_NONE;
    bool is_named = json_text_is(tape, mode, SLICE("ANY")) && json_is(tape, first, JSON_STRING);
    if (is_named) piece.name = first;
    return !(is_named || json_text_is(tape, mode, SLICE("NONE"))) || fn(arg, &piece);
}

static bool walk_schema(const struct json_tape *tape, chat_piece_fn fn, void *arg)
{
    uint32_t config = gemini_get(tape, 0, key(KEY_CONFIG)), node = value_of(tape, config, name_schema);
    if (node == JSON_NONE) node = value_of(tape, config, name_json_schema);
    struct chat_piece piece = {.kind = PIECE_SCHEMA, .node = node, .message = CHAT_NO_MESSAGE};
    return !json_is(tape, node, JSON_OBJECT) || fn(arg, &piece);
}

static bool walk_embedded(const struct chat_request *r, chat_piece_fn fn, void *arg)
{
    const struct json_tape *tape = &r->tape;
    if (!gemini_is_batch(r)) return gemini_walk_embedded(tape, 0, fn, arg);
    for (uint32_t n = json_first(tape, r->messages_node); n != JSON_NONE; n = json_next(tape, n)) {
        if (!gemini_walk_embedded(tape, n, fn, arg)) return false;
    }
    return true;
}

bool gemini_walk(const struct chat_request *r, chat_piece_fn fn, void *arg)
{
    const struct json_tape *tape = &r->tape;
    if (!chat_has_messages(r)) return r->messages_node == JSON_NONE || walk_embedded(r, fn, arg);
    return gemini_walk_apart(tape, r->system_node, CHAT_ROLE_APPLICATION, fn, arg) &&
           gemini_walk_contents(tape, r->messages_node, fn, arg) &&
           (r->tools_node == JSON_NONE || walk_tools(tape, r->tools_node, fn, arg)) && walk_choice(tape, fn, arg) &&
           walk_schema(tape, fn, arg);
}
