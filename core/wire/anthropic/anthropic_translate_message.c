/* System prompt and messages of Anthropic's API, into the hub. Source: Anthropic API reference, POST /v1/messages. */
#include "wire/anthropic/anthropic_translate.h"

enum member {
    TYPE,
    TEXT,
    SOURCE,
    TITLE,
    CONTEXT,
    ID,
    NAME,
    INPUT,
    TOOL_USE_ID,
    CONTENT,
    IS_ERROR,
    THINKING,
    SIGNATURE,
    DATA,
    CACHE_CONTROL,
    MEMBERS
};
static const struct slice names[MEMBERS] = {
    [TYPE] = {"type", 4},
    [TEXT] = {"text", 4},
    [SOURCE] = {"source", 6},
    [TITLE] = {"title", 5},
    [CONTEXT] = {"context", 7},
    [ID] = {"id", 2},
    [NAME] = {"name", 4},
    [INPUT] = {"input", 5},
    [TOOL_USE_ID] = {"tool_use_id", 11},
    [CONTENT] = {"content", 7},
    [IS_ERROR] = {"is_error", 8},
    [THINKING] = {"thinking", 8},
    [SIGNATURE] = {"signature", 9},
    [DATA] = {"data", 4},
    [CACHE_CONTROL] = {"cache_control", 13},
};

struct block {
    struct reading *in;
    uint32_t node;
    uint32_t at[MEMBERS];
    struct part_list *list;
    struct slice cache;
};

static bool string_at(const struct block *b, enum member m, struct slice *raw)
{
    return reading_string(b->in, b->at[m], names[m].ptr, raw);
}

/* One that must be there. */
static bool text_at(const struct block *b, enum member m, struct slice *raw)
{
    if (b->at[m] == JSON_NONE) return reading_refuse(b->in, "\"%s\" is missing", names[m].ptr);
    return string_at(b, m, raw);
}

static struct part *add(const struct block *b, enum part_kind kind)
{
    struct part *p = reading_add_part(b->in, b->list, kind);
    if (p) p->cache = b->cache;
    return p;
}

static bool read_text(struct block *b)
{
    struct slice raw;
    return text_at(b, TEXT, &raw) && reading_add_text(b->in, b->list, PART_TEXT, raw, b->cache);
}

/* --- pictures and documents --- */

enum { SOURCE_TYPE, SOURCE_MEDIA_TYPE, SOURCE_DATA, SOURCE_URL, SOURCE_CONTENT, SOURCE_MEMBERS };

static bool read_base64(struct block *b, enum part_kind kind, const uint32_t at[SOURCE_MEMBERS])
{
    const struct json_tape *tape = b->in->tape;
    if (!json_is(tape, at[SOURCE_MEDIA_TYPE], JSON_STRING) || !json_is(tape, at[SOURCE_DATA], JSON_STRING))
        return reading_refuse(b->in, "\"media_type\" and \"data\" must be strings");
    struct part *p = add(b, kind);
    if (!p) return false;
    p->media_type = reading_inside(json_raw(tape, at[SOURCE_MEDIA_TYPE]));
    p->data = reading_inside(json_raw(tape, at[SOURCE_DATA]));
    return kind != PART_DOCUMENT || string_at(b, TITLE, &p->name);
}

static bool read_content(struct reading *in, uint32_t content, struct part_list *list);

/* A document that is text: its title and context are texts before it. */
static bool read_document_text(struct block *b, const uint32_t at[SOURCE_MEMBERS])
{
    struct slice title, context, data;
    if (!string_at(b, TITLE, &title) || !reading_add_text(b->in, b->list, PART_TEXT, title, SLICE_NONE)) return false;
    if (!string_at(b, CONTEXT, &context) || !reading_add_text(b->in, b->list, PART_TEXT, context, SLICE_NONE))
        return false;
    if (at[SOURCE_CONTENT] != JSON_NONE) return read_content(b->in, at[SOURCE_CONTENT], b->list);
    return reading_string(b->in, at[SOURCE_DATA], "data", &data) &&
           reading_add_text(b->in, b->list, PART_TEXT, data, b->cache);
}

static bool is_type(const struct block *b, uint32_t type, struct slice name)
{
    return json_text_is(b->in->tape, type, name);
}

static bool read_source(struct block *b, enum part_kind kind)
{
    static const struct slice members[SOURCE_MEMBERS] = {
        {"type", 4}, {"media_type", 10}, {"data", 4}, {"url", 3}, {"content", 7}};
    uint32_t at[SOURCE_MEMBERS];
    struct slice url;
    b->in->place.leaf = "source";
    if (!reading_members(b->in, b->at[SOURCE], members, SOURCE_MEMBERS, at)) return false;
    b->in->place.leaf = NULL;
    uint32_t type = at[SOURCE_TYPE];
    bool is_document = kind == PART_DOCUMENT, is_base64 = is_type(b, type, SLICE("base64"));
    bool is_text = is_type(b, type, SLICE("text")) || is_type(b, type, SLICE("content"));
    if (is_document && is_text) return read_document_text(b, at);
    if (is_document && b->at[CONTEXT] != JSON_NONE) reading_drop(b->in, names[CONTEXT]);
    if (is_base64) return read_base64(b, kind, at);
    if (is_document || !is_type(b, type, SLICE("url")))
        return reading_refuse(b->in, "sources of this type cannot be translated for this model's provider");
    struct part *p = reading_string(b->in, at[SOURCE_URL], "url", &url) ? add(b, kind) : NULL;
    if (p) p->url = url;
    return p != NULL;
}

static bool read_image(struct block *b)
{
    return read_source(b, PART_IMAGE);
}

static bool read_document(struct block *b)
{
    return read_source(b, PART_DOCUMENT);
}

/* What a search found: where, what it is called, and its texts. */
static bool read_search_result(struct block *b)
{
    struct slice title, source;
    return string_at(b, TITLE, &title) && reading_add_text(b->in, b->list, PART_TEXT, title, SLICE_NONE) &&
           string_at(b, SOURCE, &source) && reading_add_text(b->in, b->list, PART_TEXT, source, SLICE_NONE) &&
           read_content(b->in, b->at[CONTENT], b->list);
}

/* --- tools and thoughts --- */

static bool read_call(struct block *b)
{
    const struct json_tape *tape = b->in->tape;
    bool is_object = json_is(tape, b->at[INPUT], JSON_OBJECT);
    if (!is_object && b->at[INPUT] != JSON_NONE) return reading_refuse(b->in, "\"input\" must be an object");
    struct part *p = add(b, PART_CALL);
    if (!p) return false;
    p->text = is_object ? json_raw(tape, b->at[INPUT]) : SLICE("{}");
    return text_at(b, ID, &p->id) && text_at(b, NAME, &p->name);
}

static bool read_result(struct block *b)
{
    struct part *p = add(b, PART_RESULT);
    if (!p) return false;
    p->is_error = json_is(b->in->tape, b->at[IS_ERROR], JSON_TRUE);
    return text_at(b, TOOL_USE_ID, &p->id) && read_content(b->in, b->at[CONTENT], &p->parts);
}

static bool read_thinking(struct block *b)
{
    struct part *p = add(b, PART_REASONING);
    return p && text_at(b, THINKING, &p->text) && string_at(b, SIGNATURE, &p->signature);
}

static bool read_redacted(struct block *b)
{
    struct part *p = add(b, PART_REASONING);
    if (p) p->is_redacted = true;
    return p && text_at(b, DATA, &p->text);
}

/* What tools of the provider's own did and gave back; nobody else has them. */
static bool skip(struct block *b)
{
    reading_drop(b->in, SLICE(""));
    return reading_counts(b->in);
}

/* --- blocks --- */

static const struct kind {
    struct slice type;
    bool (*read)(struct block *b);
} kinds[] = {
    {{"text", 4}, read_text},
    {{"image", 5}, read_image},
    {{"document", 8}, read_document},
    {{"search_result", 13}, read_search_result},
    {{"tool_use", 8}, read_call},
    {{"tool_result", 11}, read_result},
    {{"thinking", 8}, read_thinking},
    {{"redacted_thinking", 17}, read_redacted},
    {{"server_tool_use", 15}, skip},
    {{"web_search_tool_result", 22}, skip},
    {{"web_fetch_tool_result", 21}, skip},
    {{"code_execution_tool_result", 26}, skip},
    {{"bash_code_execution_tool_result", 31}, skip},
    {{"text_editor_code_execution_tool_result", 38}, skip},
    {{"tool_search_tool_result", 23}, skip},
    {{"tool_reference", 14}, skip},
    {{"mcp_tool_use", 12}, skip},
    {{"mcp_tool_result", 15}, skip},
};

static bool refuse_block(const struct reading *in, uint32_t type)
{
    struct slice name = json_is(in->tape, type, JSON_STRING) ? json_text(in->tape, type, in->c->arena) : SLICE("");
    return reading_refuse(in, "blocks of type \"%.*s\" cannot be translated for this model's provider",
                          name.len > 40 ? 40 : (int)name.len, name.ptr);
}

/* A text, or a block. */
static bool read_block(struct reading *in, uint32_t node, struct part_list *list)
{
    struct block b = {.in = in, .node = node, .list = list};
    if (json_is(in->tape, node, JSON_STRING))
        return reading_add_text(in, list, PART_TEXT, json_raw(in->tape, node), SLICE_NONE);
    if (!json_is(in->tape, node, JSON_OBJECT)) return reading_refuse(in, "must be an object");
    uint32_t type = json_get(in->tape, node, SLICE("type"));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!json_text_is(in->tape, type, kinds[i].type)) continue;
        if (kinds[i].read == skip) return skip(&b);
        if (!reading_members(in, node, names, MEMBERS, b.at)) return false;
        if (json_is(in->tape, b.at[CACHE_CONTROL], JSON_OBJECT)) b.cache = json_raw(in->tape, b.at[CACHE_CONTROL]);
        return kinds[i].read(&b);
    }
    return refuse_block(in, type);
}

/* As deep as the tape lets JSON nest: results have contents too, which stand at their result's place. */
static bool read_content(struct reading *in, uint32_t content, struct part_list *list)
{
    struct place before = in->place;
    bool is_inner = before.inner != NULL, is_good = true;
    if (content == JSON_NONE) return true;
    if (json_is(in->tape, content, JSON_STRING))
        return reading_add_text(in, list, PART_TEXT, json_raw(in->tape, content), SLICE_NONE);
    if (!json_is(in->tape, content, JSON_ARRAY))
        return reading_refuse(in, "\"content\" must be a string or an array of blocks");
    in->place.inner = "content";
    if (is_inner) in->place.leaf = "content";
    if (!is_inner) in->place.inner_number = 0;
    for (uint32_t n = json_first(in->tape, content); n != JSON_NONE; n = json_next(in->tape, n)) {
        is_good = read_block(in, n, list);
        if (!is_good) return false;
        if (!is_inner) in->place.inner_number++;
    }
    in->place = before;
    return true;
}

static bool read_system(struct reading *in, uint32_t system)
{
    struct conversation *c = in->c;
    in->place = (struct place){.list = "system", .number = PLACE_UNNUMBERED};
    if (system == JSON_NONE) return true;
    if (json_is(in->tape, system, JSON_STRING))
        return reading_add_text(in, &c->system, PART_TEXT, json_raw(in->tape, system), SLICE_NONE);
    if (!json_is(in->tape, system, JSON_ARRAY)) return reading_refuse(in, "must be a string or an array of blocks");
    in->place.number = 0;
    for (uint32_t n = json_first(in->tape, system); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_block(in, n, &c->system)) return false;
        in->place.number++;
    }
    return reading_fits(in, SPEAKER_SYSTEM, &c->system, NULL);
}

enum { MESSAGE_ROLE, MESSAGE_CONTENT, MESSAGE_MEMBERS };

static bool read_message(struct reading *in, uint32_t node)
{
    static const struct slice members[MESSAGE_MEMBERS] = {{"role", 4}, {"content", 7}};
    uint32_t at[MESSAGE_MEMBERS];
    if (!json_is(in->tape, node, JSON_OBJECT)) return reading_refuse(in, "must be an object");
    if (!reading_members(in, node, members, MESSAGE_MEMBERS, at)) return false;
    bool is_user = json_text_is(in->tape, at[MESSAGE_ROLE], SLICE("user"));
    bool is_assistant = json_text_is(in->tape, at[MESSAGE_ROLE], SLICE("assistant"));
    bool is_system = json_text_is(in->tape, at[MESSAGE_ROLE], SLICE("system"));
    if (!is_user && !is_assistant && !is_system)
        return reading_refuse(in, "messages of this \"role\" cannot be translated for this model's provider");
    enum speaker speaker = is_user ? SPEAKER_USER : is_assistant ? SPEAKER_ASSISTANT : SPEAKER_SYSTEM;
    struct message *message = conversation_add_message(in->c, speaker);
    if (!message) return reading_is_full(in);
    return read_content(in, at[MESSAGE_CONTENT], &message->parts) &&
           reading_fits(in, speaker, &message->parts, NULL);
}

bool anthropic_read_conversation(struct reading *in, uint32_t system, uint32_t messages)
{
    if (!read_system(in, system)) return false;
    in->place = (struct place){.list = NULL};
    if (!json_is(in->tape, messages, JSON_ARRAY)) return reading_refuse(in, "\"messages\" must be an array");
    in->place = (struct place){.list = "messages", .is_message = true};
    for (uint32_t n = json_first(in->tape, messages); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_message(in, n)) return false;
        in->place.number++;
    }
    in->place = (struct place){.list = NULL};
    return true;
}
