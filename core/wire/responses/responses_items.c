#include "wire/responses/responses_items.h"

#include "wire/content.h"

enum member {
    MEMBER_TYPE,
    MEMBER_TEXT,
    MEMBER_ROLE,
    MEMBER_CONTENT,
    MEMBER_ID,
    MEMBER_CALL_ID,
    MEMBER_NAME,
    MEMBER_ARGUMENTS,
    MEMBER_OUTPUT,
    MEMBER_STATUS,
    MEMBER_SUMMARY,
    MEMBER_ENCRYPTED_CONTENT,
    MEMBER_INPUT,
    MEMBER_REFUSAL,
    MEMBER_TOOLS,
    MEMBER_IMAGE_URL,
    MEMBER_DETAIL,
    MEMBER_INPUT_AUDIO,
    MEMBER_FILE_DATA,
    MEMBER_FILE_URL,
    MEMBER_FILE_ID,
    MEMBER_RESULT,
    MEMBER_PHASE,
    MEMBERS_COUNT
};

/* Of items, and of the parts of their content. result: a picture that was made. */
static const struct content_member members[MEMBERS_COUNT] = {
    [MEMBER_ROLE] = {{"role", 4}, true, true},
    [MEMBER_TYPE] = {{"type", 4}, true, true},
    [MEMBER_TEXT] = {{"text", 4}, true, false},
    [MEMBER_CONTENT] = {{"content", 7}, true, false},
    [MEMBER_NAME] = {{"name", 4}, true, false},
    [MEMBER_ARGUMENTS] = {{"arguments", 9}, true, false},
    [MEMBER_INPUT] = {{"input", 5}, true, false},
    [MEMBER_OUTPUT] = {{"output", 6}, true, false},
    [MEMBER_SUMMARY] = {{"summary", 7}, true, false},
    [MEMBER_REFUSAL] = {{"refusal", 7}, true, false},
    [MEMBER_TOOLS] = {{"tools", 5}, true, false},
    [MEMBER_IMAGE_URL] = {{"image_url", 9}, false, true},
    [MEMBER_INPUT_AUDIO] = {{"input_audio", 11}, false, true},
    [MEMBER_FILE_DATA] = {{"file_data", 9}, false, true},
    [MEMBER_FILE_URL] = {{"file_url", 8}, false, true},
    [MEMBER_FILE_ID] = {{"file_id", 7}, false, true},
    [MEMBER_ENCRYPTED_CONTENT] = {{"encrypted_content", 17}, false, true},
    [MEMBER_RESULT] = {{"result", 6}, false, true},
    [MEMBER_ID] = {{"id", 2}, false, true},
    [MEMBER_CALL_ID] = {{"call_id", 7}, false, true},
    [MEMBER_STATUS] = {{"status", 6}, false, true},
    [MEMBER_PHASE] = {{"phase", 5}, false, true},
    [MEMBER_DETAIL] = {{"detail", 6}, false, true},
};
static const struct content_table table = {members, MEMBERS_COUNT};

bool responses_is_format(const struct chat_request *r, uint32_t node)
{
    unsigned m = content_find(&table, &r->tape, node);
    return m != MEMBERS_COUNT && members[m].is_format && !content_is_free(r, node);
}

enum chat_role responses_role(const struct json_tape *tape, uint32_t item)
{
    return content_role(tape, json_get(tape, item, SLICE("role")));
}

static bool is_filled(const struct json_tape *tape, uint32_t node)
{
    return json_is(tape, node, JSON_STRING) && json_raw(tape, node).len > 2;
}

static bool has_words(const struct json_tape *tape, uint32_t parts)
{
    uint32_t part = json_is(tape, parts, JSON_ARRAY) ? json_first(tape, parts) : JSON_NONE;
    while (part != JSON_NONE && !is_filled(tape, json_get(tape, part, SLICE("text"))))
        part = json_next(tape, part);
    return part != JSON_NONE;
}

/* The provider finds the rest by the id, if there is one. */
static bool is_empty(const struct json_tape *tape, uint32_t item)
{
    if (!is_filled(tape, json_get(tape, item, SLICE("id")))) return false;
    if (content_is_of_type(tape, item, SLICE("image_generation_call")))
        return !is_filled(tape, json_get(tape, item, SLICE("result")));
    return content_is_of_type(tape, item, SLICE("reasoning")) &&
           !is_filled(tape, json_get(tape, item, SLICE("encrypted_content"))) &&
           !has_words(tape, json_get(tape, item, SLICE("summary"))) &&
           !has_words(tape, json_get(tape, item, SLICE("content")));
}

/* Without a type it may be one too: {"id":"msg_1"}. */
bool responses_is_reference(const struct json_tape *tape, uint32_t item)
{
    uint32_t type = json_get(tape, item, SLICE("type"));
    if (json_text_is(tape, type, SLICE("item_reference")) || is_empty(tape, item)) return true;
    bool has_type = type != JSON_NONE && !json_is(tape, type, JSON_NULL);
    return json_is(tape, item, JSON_OBJECT) && !has_type && json_get(tape, item, SLICE("role")) == JSON_NONE;
}

/* ---- Tools. */

static bool is_of_types(const struct json_tape *tape, uint32_t type, const struct slice *types, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (json_text_is(tape, type, types[i])) return true;
    }
    return false;
}

/* Those that the client runs itself; a shell wherever it says that it is not its own. Types that nobody here knows are
 * the provider's. */
static unsigned tool_uses(const struct json_tape *tape, uint32_t tool)
{
    static const struct slice own[] = {
        {"function", 8}, {"custom", 6}, {"local_shell", 11}, {"apply_patch", 11}, {"computer", 8},
        {"computer_use_preview", 20}, {"computer-preview", 16}};
    uint32_t type = json_get(tape, tool, SLICE("type")), environment = json_get(tape, tool, SLICE("environment"));
    if (type == JSON_NONE || is_of_types(tape, type, own, sizeof own / sizeof own[0])) return CHAT_USES_TOOLS;
    if (json_text_is(tape, type, SLICE("mcp"))) return CHAT_USES_REMOTE_MCP | CHAT_USES_HOSTED_TOOLS;
    bool is_shell = json_text_is(tape, type, SLICE("shell")),
         is_local = environment == JSON_NONE || content_is_of_type(tape, environment, SLICE("local"));
    return is_shell && is_local ? CHAT_USES_TOOLS : CHAT_USES_HOSTED_TOOLS;
}

/* As deep as the tape lets JSON nest. */
unsigned responses_tool_uses(const struct json_tape *tape, uint32_t tools, uint32_t *count)
{
    unsigned uses = 0;
    uint32_t tool = json_is(tape, tools, JSON_ARRAY) ? json_first(tape, tools) : JSON_NONE;
    for (; tool != JSON_NONE; tool = json_next(tape, tool)) {
        if (content_is_of_type(tape, tool, SLICE("namespace"))) {
            uses |= responses_tool_uses(tape, json_get(tape, tool, SLICE("tools")), count);
        } else {
            uses |= tool_uses(tape, tool);
            *count += 1;
        }
    }
    return uses;
}

/* ---- Pieces. */

/* "image_url": "data:…", beside "detail"; one that the provider keeps, or lies in a file there, has no size. */
static bool tell_picture(const struct content_walk *w, const uint32_t at[MEMBERS_COUNT])
{
    uint32_t url = at[MEMBER_IMAGE_URL];
    struct chat_piece piece = {.kind = PIECE_PICTURE, .node = json_is(w->tape, url, JSON_STRING) ? url : JSON_NONE};
    piece.is_low = json_text_is(w->tape, at[MEMBER_DETAIL], SLICE("low"));
    return content_tell(w, piece);
}

static unsigned uses_of(const struct json_tape *tape, const uint32_t at[MEMBERS_COUNT])
{
    uint32_t type = at[MEMBER_TYPE];
    bool is_image = at[MEMBER_IMAGE_URL] != JSON_NONE || json_text_is(tape, type, SLICE("input_image")) ||
                    json_text_is(tape, type, SLICE("computer_screenshot"));
    if (is_image) return CHAT_USES_IMAGES;
    if (at[MEMBER_INPUT_AUDIO] != JSON_NONE || json_text_is(tape, type, SLICE("input_audio"))) return CHAT_USES_AUDIO;
    bool is_file = at[MEMBER_FILE_DATA] != JSON_NONE || at[MEMBER_FILE_URL] != JSON_NONE ||
                   at[MEMBER_FILE_ID] != JSON_NONE || json_text_is(tape, type, SLICE("input_file"));
    return is_file ? CHAT_USES_FILES : 0;
}

static bool tell_file(const struct content_walk *w, const uint32_t at[MEMBERS_COUNT])
{
    if (at[MEMBER_FILE_DATA] != JSON_NONE) return content_tell_text(w, at[MEMBER_FILE_DATA], PIECE_FILE);
    return content_tell(w, (struct chat_piece){.kind = PIECE_ELSEWHERE, .node = at[MEMBER_TYPE]});
}

/* What items have, and parts of today do not. */
static bool tell_odd(const struct content_walk *w, const uint32_t at[MEMBERS_COUNT])
{
    static const enum member odd[] = {MEMBER_NAME,  MEMBER_CONTENT, MEMBER_ARGUMENTS, MEMBER_INPUT,
                                      MEMBER_OUTPUT, MEMBER_SUMMARY, MEMBER_TOOLS};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        if (!content_tell_value(w, at[odd[i]])) return false;
    }
    return true;
}

/* An object that a tool gave back, and no part of a format. */
static bool is_value(const struct content_walk *w, uint32_t part, const uint32_t at[MEMBERS_COUNT])
{
    bool has_type = json_is(w->tape, at[MEMBER_TYPE], JSON_STRING);
    return w->is_result && json_is(w->tape, part, JSON_OBJECT) && !has_type && !uses_of(w->tape, at);
}

/* A text, or an object of any kind. */
static bool tell_part(const struct content_walk *w, uint32_t part, enum chat_piece_kind kind)
{
    uint32_t at[MEMBERS_COUNT], other;
    const char *twice = content_read(&table, w->tape, part, at, &other);
    struct chat_piece piece = {.kind = PIECE_PART, .node = part, .twice = twice, .uses = uses_of(w->tape, at)};
    piece.is_unknown = piece.uses & (CHAT_USES_FILES | CHAT_USES_AUDIO);
    if (is_value(w, part, at)) return content_tell(w, piece) && content_tell_unknown(w, part);
    return content_tell(w, piece) && content_tell_text(w, part, kind) && content_tell_text(w, at[MEMBER_TEXT], kind) &&
           content_tell_text(w, at[MEMBER_REFUSAL], PIECE_REFUSAL) &&
           (piece.uses != CHAT_USES_IMAGES || tell_picture(w, at)) &&
           content_tell_text(w, json_get(w->tape, at[MEMBER_INPUT_AUDIO], SLICE("data")), PIECE_AUDIO) &&
           (piece.uses != CHAT_USES_FILES || tell_file(w, at)) && tell_odd(w, at) &&
           content_tell_others(&table, w, other);
}

static bool tell_parts(const struct content_walk *w, uint32_t content, enum chat_piece_kind kind)
{
    if (json_is(w->tape, content, JSON_OBJECT)) return tell_part(w, content, kind);
    if (!json_is(w->tape, content, JSON_ARRAY)) return content_tell_text(w, content, kind);
    if (!content_is_parts(w->tape, content)) return content_tell_unknown(w, content);
    for (uint32_t part = json_first(w->tape, content); part != JSON_NONE; part = json_next(w->tape, part)) {
        if (!tell_part(w, part, kind)) return false;
    }
    return true;
}

/* What a tool is asked: text, or an object. */
static bool tell_asked(const struct content_walk *w, uint32_t asked)
{
    if (asked == JSON_NONE) return true;
    return content_tell(w, (struct chat_piece){.kind = PIECE_CALL, .node = asked}) && content_tell_value(w, asked);
}

static bool tell_output(const struct content_walk *w, uint32_t output)
{
    struct content_walk inner = *w;
    inner.is_result = true;
    return tell_parts(&inner, output, PIECE_CONTENT);
}

/* Reasoning and whole conversations that only the provider can read. */
static bool tell_encrypted(const struct content_walk *w, uint32_t encrypted)
{
    if (!json_is(w->tape, encrypted, JSON_STRING)) return true;
    return content_tell(w, (struct chat_piece){.kind = PIECE_ELSEWHERE, .node = encrypted});
}

/* A picture that was made: base64 alone. */
static bool tell_result(const struct content_walk *w, uint32_t result)
{
    if (!is_filled(w->tape, result)) return true;
    return content_tell(w, (struct chat_piece){.kind = PIECE_PICTURE, .node = result});
}

/* Tools that a search found are offered from then on; those that an MCP server listed have no types. */
static unsigned offered_uses(const struct json_tape *tape, const uint32_t at[MEMBERS_COUNT])
{
    uint32_t count = 0;
    if (at[MEMBER_TOOLS] == JSON_NONE || json_text_is(tape, at[MEMBER_TYPE], SLICE("mcp_list_tools"))) return 0;
    return responses_tool_uses(tape, at[MEMBER_TOOLS], &count);
}

static bool tell_item(struct content_walk *w, uint32_t item)
{
    uint32_t at[MEMBERS_COUNT], other;
    const char *twice = content_read(&table, w->tape, item, at, &other);
    struct chat_piece piece = {.kind = PIECE_MESSAGE, .node = item, .twice = twice};
    piece.role = content_role(w->tape, at[MEMBER_ROLE]);
    piece.uses = offered_uses(w->tape, at) | (is_filled(w->tape, at[MEMBER_RESULT]) ? CHAT_USES_IMAGES : 0);
    bool is_reasoning = json_text_is(w->tape, at[MEMBER_TYPE], SLICE("reasoning"));
    return content_tell(w, piece) && content_tell_text(w, at[MEMBER_ROLE], PIECE_ROLE) &&
           content_tell_text(w, at[MEMBER_NAME], PIECE_CALL_TEXT) &&
           tell_parts(w, at[MEMBER_SUMMARY], PIECE_REASONING) &&
           tell_parts(w, at[MEMBER_CONTENT], is_reasoning ? PIECE_REASONING : PIECE_CONTENT) &&
           content_tell_text(w, at[MEMBER_TEXT], PIECE_CONTENT) &&
           content_tell_text(w, at[MEMBER_REFUSAL], PIECE_REFUSAL) && tell_asked(w, at[MEMBER_ARGUMENTS]) &&
           tell_asked(w, at[MEMBER_INPUT]) && tell_output(w, at[MEMBER_OUTPUT]) &&
           content_tell_value(w, at[MEMBER_TOOLS]) && tell_encrypted(w, at[MEMBER_ENCRYPTED_CONTENT]) &&
           tell_result(w, at[MEMBER_RESULT]) && content_tell_others(&table, w, other);
}

bool responses_walk_item(const struct json_tape *tape, uint32_t item, uint32_t number, chat_piece_fn fn, void *arg)
{
    struct content_walk w = {.tape = tape, .message = number, .fn = fn, .arg = arg};
    return tell_item(&w, item);
}

bool responses_walk_input(const struct json_tape *tape, uint32_t input, chat_piece_fn fn, void *arg)
{
    struct content_walk w = {.tape = tape, .fn = fn, .arg = arg};
    if (!json_is(tape, input, JSON_STRING)) return content_walk_messages(&w, input, tell_item);
    w.message = CHAT_NO_MESSAGE;
    w.role = CHAT_ROLE_USER;
    return content_tell(&w, (struct chat_piece){.kind = PIECE_IMPLIED, .node = input}) &&
           content_tell_text(&w, input, PIECE_CONTENT);
}
