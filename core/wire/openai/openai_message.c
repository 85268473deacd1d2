#include "wire/openai/openai_message.h"

#include <string.h>

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
    MEMBER_AUDIO,
    MEMBER_FUNCTION_CALL,
    MEMBER_REASONING_CONTENT,
    MEMBER_ID,
    MEMBER_TOOL_CALL_ID,
    MEMBER_CACHE_CONTROL,
    MEMBERS_COUNT
};

/* Of messages, of the parts of their content, and of what is inside those. */
static const struct member_kind {
    struct slice name;
    bool is_once;   /* of two a policy would read the one, the model the other */
    bool is_format; /* nothing in it is a text */
} members[MEMBERS_COUNT] = {
    [MEMBER_ROLE] = {{"role", 4}, true, true},
    [MEMBER_CONTENT] = {{"content", 7}, true, false},
    [MEMBER_TYPE] = {{"type", 4}, true, true},
    [MEMBER_TEXT] = {{"text", 4}, true, false},
    [MEMBER_NAME] = {{"name", 4}, true, false},
    [MEMBER_REFUSAL] = {{"refusal", 7}, true, false},
    [MEMBER_TOOL_CALLS] = {{"tool_calls", 10}, true, false},
    [MEMBER_IMAGE_URL] = {{"image_url", 9}, false, true},
    [MEMBER_INPUT_AUDIO] = {{"input_audio", 11}, false, true},
    [MEMBER_FILE] = {{"file", 4}, false, true},
    [MEMBER_AUDIO] = {{"audio", 5}, false, true},
    [MEMBER_FUNCTION_CALL] = {{"function_call", 13}, false, false},
    [MEMBER_REASONING_CONTENT] = {{"reasoning_content", 17}, false, false},
    [MEMBER_ID] = {{"id", 2}, false, true},
    [MEMBER_TOOL_CALL_ID] = {{"tool_call_id", 12}, false, true},
    [MEMBER_CACHE_CONTROL] = {{"cache_control", 13}, false, true},
};

/* Keys without escapes, nearly all, are compared as they stand. */
static enum member find_member(const struct json_tape *tape, uint32_t node)
{
    struct slice key = json_key(tape, node);
    if (!key.ptr) return MEMBERS_COUNT;
    struct slice text = slice_of(key.ptr + 1, key.len - 2);
    for (int m = 0; m < MEMBERS_COUNT; m++) {
        if (slice_equal(text, members[m].name)) return (enum member)m;
    }
    if (!memchr(text.ptr, '\\', text.len)) return MEMBERS_COUNT;
    for (int m = 0; m < MEMBERS_COUNT; m++) {
        if (json_key_is(tape, node, members[m].name)) return (enum member)m;
    }
    return MEMBERS_COUNT;
}

bool openai_is_format(const struct chat_request *r, uint32_t node)
{
    enum member m = find_member(&r->tape, node);
    return m != MEMBERS_COUNT && members[m].is_format;
}

/* Each member's first value, in one walk over the object; none of what is no object. The name of one that may not stand
 * twice, and does; NULL: there is none. */
static const char *read_members(const struct json_tape *tape, uint32_t object, uint32_t at[MEMBERS_COUNT])
{
    const char *twice = NULL;
    for (int m = 0; m < MEMBERS_COUNT; m++)
        at[m] = JSON_NONE;
    if (!json_is(tape, object, JSON_OBJECT)) return NULL;
    for (uint32_t n = json_first(tape, object); n != JSON_NONE; n = json_next(tape, n)) {
        enum member m = find_member(tape, n);
        if (m == MEMBERS_COUNT) continue;
        if (at[m] == JSON_NONE)
            at[m] = n;
        else if (members[m].is_once && !twice)
            twice = members[m].name.ptr;
    }
    return twice;
}

static enum chat_role role_of(const struct json_tape *tape, uint32_t role)
{
    if (json_text_is(tape, role, SLICE("user"))) return CHAT_ROLE_USER;
    bool is_application = json_text_is(tape, role, SLICE("system")) || json_text_is(tape, role, SLICE("developer"));
    return is_application ? CHAT_ROLE_APPLICATION : CHAT_ROLE_OTHER;
}

enum chat_role openai_role(const struct json_tape *tape, uint32_t message)
{
    return role_of(tape, json_get(tape, message, SLICE("role")));
}

struct walk {
    const struct json_tape *tape;
    uint32_t message; /* its number */
    chat_piece_fn fn;
    void *arg;
};

static bool tell(const struct walk *w, struct chat_piece piece)
{
    piece.message = w->message;
    return w->fn(w->arg, &piece);
}

static bool tell_text(const struct walk *w, uint32_t node, enum chat_piece_kind kind)
{
    return !json_is(w->tape, node, JSON_STRING) || tell(w, (struct chat_piece){.kind = kind, .node = node});
}

/* "image_url": "data:…", or {"url", "detail"} */
static bool tell_picture(const struct walk *w, uint32_t image)
{
    uint32_t url = json_is(w->tape, image, JSON_STRING) ? image : json_get(w->tape, image, SLICE("url"));
    if (image == JSON_NONE || json_is(w->tape, image, JSON_NULL)) return true;
    return tell(w, (struct chat_piece){.kind = PIECE_PICTURE,
                                       .node = json_is(w->tape, url, JSON_STRING) ? url : JSON_NONE,
                                       .is_low = json_text_is(w->tape, json_get(w->tape, image, SLICE("detail")),
                                                              SLICE("low"))});
}

static unsigned uses_of(const struct json_tape *tape, const uint32_t at[MEMBERS_COUNT])
{
    uint32_t type = at[MEMBER_TYPE];
    if (at[MEMBER_IMAGE_URL] != JSON_NONE || json_text_is(tape, type, SLICE("image_url"))) return CHAT_USES_IMAGES;
    if (at[MEMBER_INPUT_AUDIO] != JSON_NONE || json_text_is(tape, type, SLICE("input_audio"))) return CHAT_USES_AUDIO;
    return at[MEMBER_FILE] != JSON_NONE || json_text_is(tape, type, SLICE("file")) ? CHAT_USES_FILES : 0;
}

/* A text, or an object of any kind. */
static bool tell_part(const struct walk *w, uint32_t part)
{
    uint32_t at[MEMBERS_COUNT];
    struct chat_piece piece = {.kind = PIECE_PART, .node = part, .twice = read_members(w->tape, part, at)};
    bool is_text = json_is(w->tape, part, JSON_STRING);
    piece.uses = uses_of(w->tape, at);
    piece.is_unknown = !is_text && at[MEMBER_TEXT] == JSON_NONE && at[MEMBER_REFUSAL] == JSON_NONE &&
                       at[MEMBER_IMAGE_URL] == JSON_NONE;
    return tell(w, piece) && tell_text(w, is_text ? part : at[MEMBER_TEXT], PIECE_CONTENT) &&
           tell_text(w, at[MEMBER_REFUSAL], PIECE_REFUSAL) && tell_picture(w, at[MEMBER_IMAGE_URL]) &&
           tell_text(w, json_get(w->tape, at[MEMBER_INPUT_AUDIO], SLICE("data")), PIECE_AUDIO) &&
           tell_text(w, json_get(w->tape, at[MEMBER_FILE], SLICE("file_data")), PIECE_FILE);
}

static bool tell_content(const struct walk *w, uint32_t content)
{
    if (!json_is(w->tape, content, JSON_ARRAY)) return tell_text(w, content, PIECE_CONTENT);
    for (uint32_t part = json_first(w->tape, content); part != JSON_NONE; part = json_next(w->tape, part)) {
        if (!tell_part(w, part)) return false;
    }
    return true;
}

/* What a call calls. */
static bool tell_call(const struct walk *w, uint32_t function)
{
    if (!json_is(w->tape, function, JSON_OBJECT)) return true;
    return tell(w, (struct chat_piece){.kind = PIECE_CALL, .node = function}) &&
           tell_text(w, json_get(w->tape, function, SLICE("name")), PIECE_CALL_TEXT) &&
           tell_text(w, json_get(w->tape, function, SLICE("arguments")), PIECE_CALL_TEXT) &&
           tell_text(w, json_get(w->tape, function, SLICE("input")), PIECE_CALL_TEXT);
}

static bool tell_calls(const struct walk *w, uint32_t calls)
{
    if (!json_is(w->tape, calls, JSON_ARRAY)) return true;
    for (uint32_t call = json_first(w->tape, calls); call != JSON_NONE; call = json_next(w->tape, call)) {
        uint32_t custom = json_get(w->tape, call, SLICE("custom"));
        if (!tell_call(w, custom != JSON_NONE ? custom : json_get(w->tape, call, SLICE("function")))) return false;
    }
    return true;
}

static bool tell_name(const struct walk *w, uint32_t name, uint32_t role)
{
    if (!json_is(w->tape, name, JSON_STRING)) return true;
    bool is_role = json_is(w->tape, role, JSON_STRING) && slice_equal(json_raw(w->tape, name), json_raw(w->tape, role));
    return tell(w, (struct chat_piece){.kind = PIECE_NAME, .node = name, .is_role = is_role});
}

/* An answer that was heard, in a later request: the provider knows what was said. */
static bool tell_audio(const struct walk *w, uint32_t audio)
{
    if (!json_is(w->tape, audio, JSON_OBJECT)) return true;
    return tell(w, (struct chat_piece){.kind = PIECE_ELSEWHERE, .node = audio});
}

static bool tell_message(const struct walk *w, uint32_t message)
{
    uint32_t at[MEMBERS_COUNT];
    struct chat_piece piece = {.kind = PIECE_MESSAGE, .node = message, .twice = read_members(w->tape, message, at)};
    piece.role = role_of(w->tape, at[MEMBER_ROLE]);
    return tell(w, piece) && tell_text(w, at[MEMBER_ROLE], PIECE_ROLE) &&
           tell_name(w, at[MEMBER_NAME], at[MEMBER_ROLE]) && tell_content(w, at[MEMBER_CONTENT]) &&
           tell_text(w, at[MEMBER_REFUSAL], PIECE_REFUSAL) &&
           tell_text(w, at[MEMBER_REASONING_CONTENT], PIECE_REASONING) && tell_call(w, at[MEMBER_FUNCTION_CALL]) &&
           tell_calls(w, at[MEMBER_TOOL_CALLS]) && tell_audio(w, at[MEMBER_AUDIO]);
}

bool openai_walk_message(const struct json_tape *tape, uint32_t message, uint32_t number, chat_piece_fn fn, void *arg)
{
    struct walk w = {.tape = tape, .message = number, .fn = fn, .arg = arg};
    return tell_message(&w, message);
}

bool openai_walk_messages(const struct json_tape *tape, uint32_t messages, chat_piece_fn fn, void *arg)
{
    struct walk w = {.tape = tape, .fn = fn, .arg = arg};
    if (!json_is(tape, messages, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(tape, messages); n != JSON_NONE; n = json_next(tape, n), w.message++) {
        if (!tell_message(&w, n)) return false;
    }
    return true;
}
