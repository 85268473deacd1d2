#include "wire/openai/openai_message.h"

#include "wire/content.h"
#include "wire/openai/openai_side.h"

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
    MEMBER_FILE_DATA,
    MEMBER_FILE_ID,
    MEMBER_AUDIO,
    MEMBER_FUNCTION_CALL,
    MEMBER_REASONING_CONTENT,
    MEMBER_REASONING_DETAILS,
    MEMBER_THINKING_BLOCKS,
    MEMBER_ID,
    MEMBER_TOOL_CALL_ID,
    MEMBER_CACHE_CONTROL,
    MEMBERS_COUNT
};

/* Of messages, of the parts of their content, and of what is inside those. */
static const struct content_member members[MEMBERS_COUNT] = {
    [MEMBER_ROLE] = {{"role", 4}, true, true},
    [MEMBER_CONTENT] = {{"content", 7}, true, false},
    [MEMBER_TYPE] = {{"type", 4}, true, true},
    [MEMBER_TEXT] = {{"text", 4}, true, false},
    [MEMBER_NAME] = {{"name", 4}, true, false},
    [MEMBER_REFUSAL] = {{"refusal", 7}, true, false},
    [MEMBER_TOOL_CALLS] = {{"tool_calls", 10}, true, false},
    [MEMBER_IMAGE_URL] = {{"image_url", 9}, false, true},
    [MEMBER_INPUT_AUDIO] = {{"input_audio", 11}, false, true},
    [MEMBER_FILE] = {{"file", 4}, false, false},
    [MEMBER_FILE_DATA] = {{"file_data", 9}, false, true},
    [MEMBER_FILE_ID] = {{"file_id", 7}, false, true},
    [MEMBER_AUDIO] = {{"audio", 5}, false, true},
    [MEMBER_FUNCTION_CALL] = {{"function_call", 13}, false, false},
    [MEMBER_REASONING_CONTENT] = {{"reasoning_content", 17}, false, false},
    [MEMBER_REASONING_DETAILS] = {{"reasoning_details", 17}, false, false},
    [MEMBER_THINKING_BLOCKS] = {{"thinking_blocks", 15}, false, false},
    [MEMBER_ID] = {{"id", 2}, false, true},
    [MEMBER_TOOL_CALL_ID] = {{"tool_call_id", 12}, false, true},
    [MEMBER_CACHE_CONTROL] = {{"cache_control", 13}, false, true},
};

static const struct content_table table = {members, MEMBERS_COUNT};

bool openai_is_format(const struct chat_request *r, uint32_t node)
{
    if (openai_is_side(r->kind)) return openai_is_side_format(r, node);
    unsigned m = content_find(&table, &r->tape, node);
    return m != MEMBERS_COUNT && members[m].is_format && !content_is_free(r, node);
}

enum chat_role openai_role(const struct json_tape *tape, uint32_t message)
{
    return content_role(tape, json_get(tape, message, SLICE("role")));
}

/* "image_url": "data:…", or {"url", "detail"} */
static bool tell_picture(const struct content_walk *w, uint32_t image)
{
    uint32_t url = json_is(w->tape, image, JSON_STRING) ? image : json_get(w->tape, image, SLICE("url"));
    if (image == JSON_NONE || json_is(w->tape, image, JSON_NULL)) return true;
    struct chat_piece piece = {.kind = PIECE_PICTURE, .node = json_is(w->tape, url, JSON_STRING) ? url : JSON_NONE};
    piece.is_low = json_text_is(w->tape, json_get(w->tape, image, SLICE("detail")), SLICE("low"));
    return content_tell(w, piece);
}

static unsigned uses_of(const struct json_tape *tape, const uint32_t at[MEMBERS_COUNT])
{
    uint32_t type = at[MEMBER_TYPE];
    if (at[MEMBER_IMAGE_URL] != JSON_NONE || json_text_is(tape, type, SLICE("image_url"))) return CHAT_USES_IMAGES;
    if (at[MEMBER_INPUT_AUDIO] != JSON_NONE || json_text_is(tape, type, SLICE("input_audio"))) return CHAT_USES_AUDIO;
    return at[MEMBER_FILE] != JSON_NONE || json_text_is(tape, type, SLICE("file")) ? CHAT_USES_FILES : 0;
}

/* Its name is a text too: elsewhere it is the document's title. */
static bool tell_file(const struct content_walk *w, uint32_t file)
{
    return content_tell_text(w, json_get(w->tape, file, SLICE("file_data")), PIECE_FILE) &&
           content_tell_text(w, json_get(w->tape, file, SLICE("filename")), PIECE_CALL_TEXT);
}

/* An object that a tool gave back, as some servers take them, and no part of a format. */
static bool is_value(const struct content_walk *w, uint32_t part, const uint32_t at[MEMBERS_COUNT])
{
    const struct json_tape *tape = w->tape;
    if (!json_is(tape, part, JSON_OBJECT) || json_is(tape, at[MEMBER_TYPE], JSON_STRING) || uses_of(tape, at))
        return false;
    bool is_text = json_is(tape, at[MEMBER_TEXT], JSON_STRING) || json_is(tape, at[MEMBER_REFUSAL], JSON_STRING);
    return w->is_result || !is_text;
}

/* A text, or an object of any kind. */
static bool tell_part(const struct content_walk *w, uint32_t part)
{
    uint32_t at[MEMBERS_COUNT], other;
    const char *twice = content_read(&table, w->tape, part, at, &other);
    struct chat_piece piece = {.kind = PIECE_PART, .node = part, .twice = twice};
    bool is_text = json_is(w->tape, part, JSON_STRING);
    piece.uses = uses_of(w->tape, at);
    piece.is_unknown = !is_text && at[MEMBER_TEXT] == JSON_NONE && at[MEMBER_REFUSAL] == JSON_NONE &&
                       at[MEMBER_IMAGE_URL] == JSON_NONE;
    if (is_value(w, part, at)) return content_tell(w, piece) && content_tell_unknown(w, part);
    return content_tell(w, piece) && content_tell_text(w, is_text ? part : at[MEMBER_TEXT], PIECE_CONTENT) &&
           content_tell_text(w, at[MEMBER_REFUSAL], PIECE_REFUSAL) && tell_picture(w, at[MEMBER_IMAGE_URL]) &&
           content_tell_text(w, json_get(w->tape, at[MEMBER_INPUT_AUDIO], SLICE("data")), PIECE_AUDIO) &&
           tell_file(w, at[MEMBER_FILE]);
}

static bool tell_content(const struct content_walk *w, uint32_t content)
{
    if (json_is(w->tape, content, JSON_OBJECT)) return tell_part(w, content);
    if (!json_is(w->tape, content, JSON_ARRAY)) return content_tell_text(w, content, PIECE_CONTENT);
    if (!content_is_parts(w->tape, content)) return content_tell_unknown(w, content);
    for (uint32_t part = json_first(w->tape, content); part != JSON_NONE; part = json_next(w->tape, part)) {
        if (!tell_part(w, part)) return false;
    }
    return true;
}

/* What a call calls. What it is asked is a string of JSON, or as some clients have it the object itself. */
static bool tell_call(const struct content_walk *w, uint32_t function)
{
    if (!json_is(w->tape, function, JSON_OBJECT)) return true;
    return content_tell(w, (struct chat_piece){.kind = PIECE_CALL, .node = function}) &&
           content_tell_text(w, json_get(w->tape, function, SLICE("name")), PIECE_CALL_TEXT) &&
           content_tell_value(w, json_get(w->tape, function, SLICE("arguments"))) &&
           content_tell_value(w, json_get(w->tape, function, SLICE("input")));
}

static bool tell_calls(const struct content_walk *w, uint32_t calls)
{
    if (!json_is(w->tape, calls, JSON_ARRAY)) return true;
    for (uint32_t call = json_first(w->tape, calls); call != JSON_NONE; call = json_next(w->tape, call)) {
        bool is_good = tell_call(w, json_get(w->tape, call, SLICE("function"))) &&
                       tell_call(w, json_get(w->tape, call, SLICE("custom")));
        if (!is_good) return false;
    }
    return true;
}

static struct slice inside(const struct json_tape *tape, uint32_t node)
{
    if (!json_is(tape, node, JSON_STRING)) return SLICE("");
    struct slice raw = json_raw(tape, node);
    return slice_of(raw.ptr + 1, raw.len - 2);
}

/* Clients give back what was thought in one text, and the same once more in the pieces in which it came. */
static bool repeats(const struct json_tape *tape, uint32_t details, uint32_t whole)
{
    struct slice rest = inside(tape, whole);
    for (uint32_t n = json_first(tape, details); n != JSON_NONE; n = json_next(tape, n)) {
        struct slice text = inside(tape, json_get(tape, n, SLICE("text")));
        if (!text.len) text = inside(tape, json_get(tape, n, SLICE("thinking")));
        if (!slice_starts(rest, text)) return false;
        rest = slice_of(rest.ptr + text.len, rest.len - text.len);
    }
    return rest.len == 0;
}

/* What was thought, as OpenRouter and LiteLLM have it; what their providers alone can read is no text. */
static bool tell_details(const struct content_walk *w, uint32_t details, uint32_t whole)
{
    if (!json_is(w->tape, details, JSON_ARRAY) || repeats(w->tape, details, whole)) return true;
    for (uint32_t n = json_first(w->tape, details); n != JSON_NONE; n = json_next(w->tape, n)) {
        bool is_good = content_tell_text(w, json_get(w->tape, n, SLICE("text")), PIECE_REASONING) &&
                       content_tell_text(w, json_get(w->tape, n, SLICE("thinking")), PIECE_REASONING);
        if (!is_good) return false;
    }
    return true;
}

static bool tell_name(const struct content_walk *w, uint32_t name, uint32_t role)
{
    if (!json_is(w->tape, name, JSON_STRING)) return true;
    bool is_role = json_is(w->tape, role, JSON_STRING) && slice_equal(json_raw(w->tape, name), json_raw(w->tape, role));
    return content_tell(w, (struct chat_piece){.kind = PIECE_NAME, .node = name, .is_role = is_role});
}

/* An answer that was heard, in a later request: the provider knows what was said. */
static bool tell_audio(const struct content_walk *w, uint32_t audio)
{
    if (!json_is(w->tape, audio, JSON_OBJECT)) return true;
    return content_tell(w, (struct chat_piece){.kind = PIECE_ELSEWHERE, .node = audio});
}

/* "function": of the API's first years. */
static bool is_tools(const struct json_tape *tape, uint32_t role)
{
    return json_text_is(tape, role, SLICE("tool")) || json_text_is(tape, role, SLICE("function"));
}

static bool tell_message(struct content_walk *w, uint32_t message)
{
    uint32_t at[MEMBERS_COUNT], other;
    const char *twice = content_read(&table, w->tape, message, at, &other);
    struct chat_piece piece = {.kind = PIECE_MESSAGE, .node = message, .twice = twice};
    struct content_walk inner = *w;
    inner.is_result = is_tools(w->tape, at[MEMBER_ROLE]);
    piece.role = content_role(w->tape, at[MEMBER_ROLE]);
    return content_tell(w, piece) && content_tell_text(w, at[MEMBER_ROLE], PIECE_ROLE) &&
           tell_name(w, at[MEMBER_NAME], at[MEMBER_ROLE]) && tell_content(&inner, at[MEMBER_CONTENT]) &&
           content_tell_text(w, at[MEMBER_REFUSAL], PIECE_REFUSAL) &&
           content_tell_text(w, at[MEMBER_REASONING_CONTENT], PIECE_REASONING) &&
           tell_details(w, at[MEMBER_REASONING_DETAILS], at[MEMBER_REASONING_CONTENT]) &&
           tell_details(w, at[MEMBER_THINKING_BLOCKS], at[MEMBER_REASONING_CONTENT]) &&
           tell_call(w, at[MEMBER_FUNCTION_CALL]) && tell_calls(w, at[MEMBER_TOOL_CALLS]) &&
           tell_audio(w, at[MEMBER_AUDIO]);
}

bool openai_walk_message(const struct json_tape *tape, uint32_t message, uint32_t number, chat_piece_fn fn, void *arg)
{
    struct content_walk w = {.tape = tape, .message = number, .fn = fn, .arg = arg};
    return tell_message(&w, message);
}

bool openai_walk_messages(const struct json_tape *tape, uint32_t messages, chat_piece_fn fn, void *arg)
{
    struct content_walk w = {.tape = tape, .fn = fn, .arg = arg};
    return content_walk_messages(&w, messages, tell_message);
}
