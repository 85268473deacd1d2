#include "wire/anthropic/anthropic_message.h"

#include "wire/content.h"

enum member {
    MEMBER_ROLE,
    MEMBER_TYPE,
    MEMBER_TEXT,
    MEMBER_CONTENT,
    MEMBER_THINKING,
    MEMBER_NAME,
    MEMBER_INPUT,
    MEMBER_SOURCE,
    MEMBER_TITLE,
    MEMBER_CONTEXT,
    MEMBER_ID,
    MEMBER_TOOL_USE_ID,
    MEMBER_SIGNATURE,
    MEMBER_CACHE_CONTROL,
    MEMBER_MEDIA_TYPE,
    MEMBER_FILE_ID,
    MEMBER_ENCRYPTED_CONTENT,
    MEMBER_ENCRYPTED_INDEX,
    MEMBERS_COUNT
};

/* Of messages and of blocks. */
static const struct content_member members[MEMBERS_COUNT] = {
    [MEMBER_ROLE] = {{"role", 4}, true, true},
    [MEMBER_TYPE] = {{"type", 4}, true, true},
    [MEMBER_TEXT] = {{"text", 4}, true, false},
    [MEMBER_CONTENT] = {{"content", 7}, true, false},
    [MEMBER_THINKING] = {{"thinking", 8}, true, false},
    [MEMBER_NAME] = {{"name", 4}, true, false},
    [MEMBER_INPUT] = {{"input", 5}, true, false},
    [MEMBER_SOURCE] = {{"source", 6}, true, false},
    [MEMBER_TITLE] = {{"title", 5}, true, false},
    [MEMBER_CONTEXT] = {{"context", 7}, true, false},
    [MEMBER_ID] = {{"id", 2}, false, true},
    [MEMBER_TOOL_USE_ID] = {{"tool_use_id", 11}, false, true},
    [MEMBER_SIGNATURE] = {{"signature", 9}, false, true},
    [MEMBER_CACHE_CONTROL] = {{"cache_control", 13}, false, true},
    [MEMBER_MEDIA_TYPE] = {{"media_type", 10}, false, true},
    [MEMBER_FILE_ID] = {{"file_id", 7}, false, true},
    [MEMBER_ENCRYPTED_CONTENT] = {{"encrypted_content", 17}, false, true},
    [MEMBER_ENCRYPTED_INDEX] = {{"encrypted_index", 15}, false, true},
};

static const struct content_table table = {members, MEMBERS_COUNT};

/* Base64, an address or a file that lies elsewhere; a document's source may be its text. */
static bool is_opaque_source(const struct json_tape *tape, uint32_t source)
{
    return content_is_of_type(tape, source, SLICE("base64")) || content_is_of_type(tape, source, SLICE("url")) ||
           content_is_of_type(tape, source, SLICE("file"));
}

bool anthropic_is_format(const struct chat_request *r, uint32_t node)
{
    const struct json_tape *tape = &r->tape;
    bool is_object = json_is(tape, node, JSON_OBJECT);
    unsigned m = content_find(&table, tape, node);
    bool is = m != MEMBERS_COUNT && members[m].is_format;
    if (m == MEMBER_SOURCE && is_object) is = is_opaque_source(tape, node);
    if (m == MEMBERS_COUNT && is_object && !json_key(tape, node).ptr)
        is = content_is_of_type(tape, node, SLICE("redacted_thinking"));
    return is && !content_is_free(r, node);
}

/* Nothing but what tools gave back: nobody has said anything. */
static bool is_results_alone(const struct json_tape *tape, uint32_t content)
{
    uint32_t first = json_is(tape, content, JSON_ARRAY) ? json_first(tape, content) : JSON_NONE;
    for (uint32_t n = first; n != JSON_NONE; n = json_next(tape, n)) {
        if (!content_is_of_type(tape, n, SLICE("tool_result"))) return false;
    }
    return first != JSON_NONE;
}

/* A system message may also stand in the middle of a conversation. */
static enum chat_role role_of(const struct json_tape *tape, uint32_t role, uint32_t content)
{
    if (json_text_is(tape, role, SLICE("system"))) return CHAT_ROLE_APPLICATION;
    bool is_user = json_text_is(tape, role, SLICE("user")) && !is_results_alone(tape, content);
    return is_user ? CHAT_ROLE_USER : CHAT_ROLE_OTHER;
}

enum chat_role anthropic_role(const struct json_tape *tape, uint32_t message)
{
    return role_of(tape, json_get(tape, message, SLICE("role")), json_get(tape, message, SLICE("content")));
}

static unsigned uses_of(const struct json_tape *tape, uint32_t type)
{
    if (json_text_is(tape, type, SLICE("image"))) return CHAT_USES_IMAGES;
    bool is_file = json_text_is(tape, type, SLICE("document")) || json_text_is(tape, type, SLICE("container_upload"));
    return is_file ? CHAT_USES_FILES : 0;
}

static bool tell_content(const struct content_walk *w, uint32_t content);

/* Of an image or a document. */
static bool tell_source(const struct content_walk *w, uint32_t type, uint32_t source)
{
    bool is_image = json_text_is(w->tape, type, SLICE("image"));
    uint32_t data = json_get(w->tape, source, SLICE("data"));
    if (!json_is(w->tape, source, JSON_OBJECT)) return content_tell_text(w, source, PIECE_CONTENT);
    if (is_image)
        return content_tell(w, (struct chat_piece){.kind = PIECE_PICTURE,
                                                   .node = json_is(w->tape, data, JSON_STRING) ? data : JSON_NONE});
    if (content_is_of_type(w->tape, source, SLICE("base64"))) return content_tell_text(w, data, PIECE_FILE);
    if (is_opaque_source(w->tape, source))
        return content_tell(w, (struct chat_piece){.kind = PIECE_ELSEWHERE, .node = source});
    return content_tell_text(w, data, PIECE_CONTENT) && tell_content(w, json_get(w->tape, source, SLICE("content")));
}

/* A tool call, of whoever's tool. */
static bool tell_call(const struct content_walk *w, uint32_t name, uint32_t input)
{
    if (input == JSON_NONE) return content_tell_text(w, name, PIECE_CONTENT);
    bool is_text = json_is(w->tape, input, JSON_STRING);
    return content_tell(w, (struct chat_piece){.kind = PIECE_CALL, .node = input}) &&
           content_tell_text(w, name, PIECE_CALL_TEXT) &&
           content_tell(w, (struct chat_piece){.kind = is_text ? PIECE_CALL_TEXT : PIECE_CALL_JSON, .node = input});
}

static bool tell_members(const struct content_walk *w, const uint32_t at[MEMBERS_COUNT])
{
    return content_tell_text(w, at[MEMBER_TEXT], PIECE_CONTENT) &&
           content_tell_text(w, at[MEMBER_THINKING], PIECE_REASONING) &&
           tell_call(w, at[MEMBER_NAME], at[MEMBER_INPUT]) && content_tell_text(w, at[MEMBER_TITLE], PIECE_CONTENT) &&
           content_tell_text(w, at[MEMBER_CONTEXT], PIECE_CONTENT) &&
           tell_source(w, at[MEMBER_TYPE], at[MEMBER_SOURCE]) &&
           tell_content(w, at[MEMBER_CONTENT]);
}

/* By one type it is a file, by another a text. */
static const char *twice_in_source(const struct json_tape *tape, uint32_t source)
{
    static const struct slice once[] = {{"type", 4}, {"data", 4}, {"content", 7}};
    if (!json_is(tape, source, JSON_OBJECT)) return NULL;
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
        if (json_has_duplicate(tape, source, once[i])) return once[i].ptr;
    return NULL;
}

/* A text, or an object of any kind. */
static bool tell_block(const struct content_walk *w, uint32_t block)
{
    uint32_t at[MEMBERS_COUNT], other;
    struct content_walk inner = *w;
    const char *twice = content_read(&table, w->tape, block, at, &other);
    struct chat_piece piece = {.kind = PIECE_PART, .node = block, .twice = twice};
    if (!piece.twice) piece.twice = twice_in_source(w->tape, at[MEMBER_SOURCE]);
    piece.uses = uses_of(w->tape, at[MEMBER_TYPE]);
    piece.is_unknown = piece.uses == CHAT_USES_FILES;
    inner.is_result = w->is_result || json_text_is(w->tape, at[MEMBER_TYPE], SLICE("tool_result"));
    return content_tell(w, piece) && content_tell_text(w, block, PIECE_CONTENT) && tell_members(&inner, at);
}

/* As deep as the tape lets JSON nest: results of tools have blocks too. */
static bool tell_content(const struct content_walk *w, uint32_t content)
{
    if (json_is(w->tape, content, JSON_OBJECT)) return tell_block(w, content);
    if (!json_is(w->tape, content, JSON_ARRAY)) return content_tell_text(w, content, PIECE_CONTENT);
    for (uint32_t block = json_first(w->tape, content); block != JSON_NONE; block = json_next(w->tape, block)) {
        if (!tell_block(w, block)) return false;
    }
    return true;
}

static bool tell_message(struct content_walk *w, uint32_t message)
{
    uint32_t at[MEMBERS_COUNT], other;
    const char *twice = content_read(&table, w->tape, message, at, &other);
    struct chat_piece piece = {.kind = PIECE_MESSAGE, .node = message, .twice = twice};
    w->role = piece.role = role_of(w->tape, at[MEMBER_ROLE], at[MEMBER_CONTENT]);
    return content_tell(w, piece) && content_tell_text(w, at[MEMBER_ROLE], PIECE_ROLE) &&
           tell_content(w, at[MEMBER_CONTENT]);
}

bool anthropic_walk_message(const struct json_tape *tape, uint32_t message, uint32_t number, chat_piece_fn fn,
                            void *arg)
{
    struct content_walk w = {.tape = tape, .message = number, .fn = fn, .arg = arg};
    return tell_message(&w, message);
}

bool anthropic_walk_messages(const struct json_tape *tape, uint32_t messages, chat_piece_fn fn, void *arg)
{
    struct content_walk w = {.tape = tape, .fn = fn, .arg = arg};
    return content_walk_messages(&w, messages, tell_message);
}

bool anthropic_walk_system(const struct json_tape *tape, uint32_t system, chat_piece_fn fn, void *arg)
{
    struct content_walk w = {
        .tape = tape, .message = CHAT_NO_MESSAGE, .role = CHAT_ROLE_APPLICATION, .fn = fn, .arg = arg};
    return tell_content(&w, system);
}

/* Of those that Anthropic has given names, some are the client's to run: it is told that they are there, as of its
 * own. */
bool anthropic_is_hosted(const struct json_tape *tape, uint32_t tool)
{
    static const struct slice clients[] = {{"bash_", 5}, {"text_editor_", 12}, {"computer_", 9}, {"memory_", 7}};
    uint32_t type = json_get(tape, tool, SLICE("type"));
    struct slice name = json_is(tape, type, JSON_STRING) ? json_raw(tape, type) : SLICE_NONE;
    if (type == JSON_NONE || json_text_is(tape, type, SLICE("custom"))) return false;
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        if (name.len > 2 && slice_starts(slice_of(name.ptr + 1, name.len - 2), clients[i])) return false;
    }
    return true;
}
