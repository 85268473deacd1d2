#include "wire/gemini/gemini_content.h"

#include "wire/content.h"

enum member {
    MEMBER_TEXT,
    MEMBER_ROLE,
    MEMBER_PARTS,
    MEMBER_NAME,
    MEMBER_ARGS,
    MEMBER_RESPONSE,
    MEMBER_CALL,
    MEMBER_RESPONSE_OF,
    MEMBER_OUTPUT,
    MEMBER_ID,
    MEMBER_SIGNATURE,
    MEMBER_THOUGHT,
    MEMBER_INLINE_DATA,
    MEMBER_FILE_DATA,
    MEMBER_MIME_TYPE,
    MEMBER_DATA,
    MEMBER_FILE_URI,
    MEMBER_CODE_OF,
    MEMBER_RESULT_OF,
    MEMBER_TOOL_CALL,
    MEMBER_TOOL_RESPONSE,
    MEMBER_VIDEO,
    MEMBER_RESOLUTION,
    MEMBER_CODE,
    MEMBER_LANGUAGE,
    MEMBER_OUTCOME,
    MEMBER_MODEL,
    MEMBER_CONTENT,
    MEMBER_TITLE,
    MEMBER_TASK_TYPE,
    MEMBERS_COUNT
};

/* Of contents, of their parts, of what is inside those, and of requests for embeddings. */
static const struct content_member members[MEMBERS_COUNT] = {
    [MEMBER_ROLE] = {{"role", 4}, true, true, {"", 0}},
    [MEMBER_PARTS] = {{"parts", 5}, true, false, {"", 0}},
    [MEMBER_TEXT] = {{"text", 4}, true, false, {"", 0}},
    [MEMBER_THOUGHT] = {{"thought", 7}, true, true, {"", 0}},
    [MEMBER_SIGNATURE] = {{"thoughtSignature", 16}, false, true, {"thought_signature", 17}},
    [MEMBER_INLINE_DATA] = {{"inlineData", 10}, true, false, {"inline_data", 11}},
    [MEMBER_FILE_DATA] = {{"fileData", 8}, true, false, {"file_data", 9}},
    [MEMBER_CALL] = {{"functionCall", 12}, true, false, {"function_call", 13}},
    [MEMBER_RESPONSE_OF] = {{"functionResponse", 16}, true, false, {"function_response", 17}},
    [MEMBER_CODE_OF] = {{"executableCode", 14}, true, false, {"executable_code", 15}},
    [MEMBER_RESULT_OF] = {{"codeExecutionResult", 19}, true, false, {"code_execution_result", 21}},
    [MEMBER_TOOL_CALL] = {{"toolCall", 8}, true, false, {"tool_call", 9}},
    [MEMBER_TOOL_RESPONSE] = {{"toolResponse", 12}, true, false, {"tool_response", 13}},
    [MEMBER_VIDEO] = {{"videoMetadata", 13}, false, true, {"video_metadata", 14}},
    [MEMBER_RESOLUTION] = {{"mediaResolution", 15}, false, true, {"media_resolution", 16}},
    [MEMBER_MIME_TYPE] = {{"mimeType", 8}, true, true, {"mime_type", 9}},
    [MEMBER_DATA] = {{"data", 4}, true, true, {"", 0}},
    [MEMBER_FILE_URI] = {{"fileUri", 7}, true, true, {"file_uri", 8}},
    [MEMBER_NAME] = {{"name", 4}, true, false, {"", 0}},
    [MEMBER_ARGS] = {{"args", 4}, true, false, {"", 0}},
    [MEMBER_RESPONSE] = {{"response", 8}, true, false, {"", 0}},
    [MEMBER_ID] = {{"id", 2}, false, true, {"", 0}},
    [MEMBER_CODE] = {{"code", 4}, true, false, {"", 0}},
    [MEMBER_LANGUAGE] = {{"language", 8}, false, true, {"", 0}},
    [MEMBER_OUTPUT] = {{"output", 6}, true, false, {"", 0}},
    [MEMBER_OUTCOME] = {{"outcome", 7}, false, true, {"", 0}},
    [MEMBER_MODEL] = {{"model", 5}, true, true, {"", 0}},
    [MEMBER_CONTENT] = {{"content", 7}, true, false, {"", 0}},
    [MEMBER_TITLE] = {{"title", 5}, true, false, {"", 0}},
    [MEMBER_TASK_TYPE] = {{"taskType", 8}, false, true, {"task_type", 9}},
};
static const struct content_table table = {members, MEMBERS_COUNT};

bool gemini_is_format(const struct chat_request *r, uint32_t node)
{
    unsigned m = content_find(&table, &r->tape, node);
    return m != MEMBERS_COUNT && members[m].is_format && !content_is_free(r, node);
}

/* Hosts have no letter case. */
static bool is_google(struct slice text)
{
    struct slice host = SLICE("googleapis.com");
    for (size_t i = 0; i + host.len <= text.len; i++) {
        if (slice_iequal(slice_of(text.ptr + i, host.len), host)) return true;
    }
    return false;
}

/* With what stands before it: "https://example.com". */
static size_t host_len(struct slice url)
{
    const char *host = memmem(url.ptr, url.len, "//", 2);
    size_t from = host ? (size_t)(host - url.ptr) + 2 : url.len;
    while (from < url.len && !memchr("/?#", url.ptr[from], 3))
        from++;
    return from;
}

bool gemini_keeps(struct slice uri)
{
    bool is_web = slice_starts(uri, SLICE("https://")) || slice_starts(uri, SLICE("http://"));
    return !is_web || memchr(uri.ptr, '\\', uri.len) || memchr(uri.ptr, '%', host_len(uri)) || is_google(uri);
}

bool gemini_is_kept(const struct json_tape *tape, uint32_t uri)
{
    struct slice raw = json_is(tape, uri, JSON_STRING) ? json_raw(tape, uri) : SLICE_NONE;
    return gemini_keeps(raw.len > 2 ? slice_of(raw.ptr + 1, raw.len - 2) : SLICE_NONE);
}

/* ---- Roles. */

static bool is_result(const struct json_tape *tape, uint32_t part)
{
    return json_get(tape, part, members[MEMBER_RESPONSE_OF].name) != JSON_NONE ||
           json_get(tape, part, members[MEMBER_RESPONSE_OF].other) != JSON_NONE;
}

/* Nothing but what tools gave back: nobody has said anything. */
static bool is_results_alone(const struct json_tape *tape, uint32_t parts)
{
    if (json_is(tape, parts, JSON_OBJECT)) return is_result(tape, parts);
    uint32_t first = json_is(tape, parts, JSON_ARRAY) ? json_first(tape, parts) : JSON_NONE;
    for (uint32_t n = first; n != JSON_NONE; n = json_next(tape, n)) {
        if (!is_result(tape, n)) return false;
    }
    return first != JSON_NONE;
}

/* Who says nothing of it is the user. */
static enum chat_role role_of(const struct json_tape *tape, uint32_t role, uint32_t parts)
{
    bool is_said = role != JSON_NONE && !json_is(tape, role, JSON_NULL) && !json_text_is(tape, role, SLICE(""));
    bool is_user = !is_said || json_text_is(tape, role, SLICE("user"));
    return is_user && !is_results_alone(tape, parts) ? CHAT_ROLE_USER : CHAT_ROLE_OTHER;
}

enum chat_role gemini_role(const struct json_tape *tape, uint32_t content)
{
    return role_of(tape, json_get(tape, content, SLICE("role")), json_get(tape, content, SLICE("parts")));
}

/* ---- Parts. */

static bool is_of_kind(const struct json_tape *tape, uint32_t mime, struct slice kind)
{
    struct slice raw = json_is(tape, mime, JSON_STRING) ? json_raw(tape, mime) : SLICE_NONE;
    return raw.len > kind.len && slice_iequal(slice_of(raw.ptr + 1, kind.len), kind);
}

/* Of bytes that stand in the request, or lie elsewhere. */
static unsigned uses_of(const struct json_tape *tape, uint32_t media)
{
    uint32_t at[MEMBERS_COUNT], other;
    if (!json_is(tape, media, JSON_OBJECT)) return 0;
    content_read(&table, tape, media, at, &other);
    if (is_of_kind(tape, at[MEMBER_MIME_TYPE], SLICE("image/"))) return CHAT_USES_IMAGES;
    return is_of_kind(tape, at[MEMBER_MIME_TYPE], SLICE("audio/")) ? CHAT_USES_AUDIO : CHAT_USES_FILES;
}

static bool tell_inline(const struct content_walk *w, uint32_t media)
{
    uint32_t at[MEMBERS_COUNT], other;
    unsigned uses = uses_of(w->tape, media);
    content_read(&table, w->tape, media, at, &other);
    if (!json_is(w->tape, at[MEMBER_DATA], JSON_STRING)) return true;
    enum chat_piece_kind kind = uses & CHAT_USES_IMAGES  ? PIECE_PICTURE
                                : uses & CHAT_USES_AUDIO ? PIECE_AUDIO
                                                         : PIECE_FILE;
    return content_tell(w, (struct chat_piece){.kind = kind, .node = at[MEMBER_DATA]});
}

static bool tell_file(const struct content_walk *w, uint32_t media)
{
    uint32_t at[MEMBERS_COUNT], other;
    if (!json_is(w->tape, media, JSON_OBJECT)) return true;
    content_read(&table, w->tape, media, at, &other);
    return content_tell(w, (struct chat_piece){.kind = PIECE_ELSEWHERE, .node = at[MEMBER_FILE_URI]});
}

/* What the model asks of a tool, of whoever's. */
static bool tell_call(const struct content_walk *w, uint32_t call)
{
    uint32_t at[MEMBERS_COUNT], other;
    if (!json_is(w->tape, call, JSON_OBJECT)) return true;
    content_read(&table, w->tape, call, at, &other);
    return content_tell(w, (struct chat_piece){.kind = PIECE_CALL, .node = call}) &&
           content_tell_text(w, at[MEMBER_NAME], PIECE_CALL_TEXT) && content_tell_value(w, at[MEMBER_ARGS]) &&
           content_tell_text(w, at[MEMBER_CODE], PIECE_CALL_TEXT);
}

static bool tell_parts(const struct content_walk *w, uint32_t parts);

/* What a tool gave back; pictures and files of it are parts. */
static bool tell_response(const struct content_walk *w, uint32_t response)
{
    uint32_t at[MEMBERS_COUNT], other;
    struct content_walk inner = *w;
    if (!json_is(w->tape, response, JSON_OBJECT)) return true;
    inner.is_result = true;
    content_read(&table, w->tape, response, at, &other);
    return content_tell_text(&inner, at[MEMBER_NAME], PIECE_CALL_TEXT) &&
           content_tell_value(&inner, at[MEMBER_RESPONSE]) &&
           content_tell_text(&inner, at[MEMBER_OUTPUT], PIECE_CONTENT) && tell_parts(&inner, at[MEMBER_PARTS]);
}

/* By one of them it is a file, by another a text. */
static const char *twice_in(const struct json_tape *tape, const uint32_t at[MEMBERS_COUNT])
{
    static const enum member objects[] = {MEMBER_INLINE_DATA, MEMBER_FILE_DATA, MEMBER_CALL, MEMBER_RESPONSE_OF,
                                          MEMBER_CODE_OF,     MEMBER_RESULT_OF, MEMBER_TOOL_CALL, MEMBER_TOOL_RESPONSE};
    uint32_t inner[MEMBERS_COUNT], other;
    const char *twice = NULL;
    for (size_t i = 0; i < sizeof objects / sizeof objects[0] && !twice; i++)
        if (at[objects[i]] != JSON_NONE) twice = content_read(&table, tape, at[objects[i]], inner, &other);
    return twice;
}

static bool tell_members(const struct content_walk *w, const uint32_t at[MEMBERS_COUNT])
{
    static const struct {
        enum member member;
        bool (*tell)(const struct content_walk *w, uint32_t node);
    } objects[] = {{MEMBER_CALL, tell_call},         {MEMBER_CODE_OF, tell_call},
                   {MEMBER_TOOL_CALL, tell_call},    {MEMBER_RESPONSE_OF, tell_response},
                   {MEMBER_RESULT_OF, tell_response}, {MEMBER_TOOL_RESPONSE, tell_response},
                   {MEMBER_INLINE_DATA, tell_inline}, {MEMBER_FILE_DATA, tell_file}};
    bool is_thought = json_is(w->tape, at[MEMBER_THOUGHT], JSON_TRUE);
    if (!content_tell_text(w, at[MEMBER_TEXT], is_thought ? PIECE_REASONING : PIECE_CONTENT)) return false;
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        uint32_t node = at[objects[i].member];
        if (node != JSON_NONE && !objects[i].tell(w, node)) return false;
    }
    return true;
}

/* A text, which Google's own libraries make a part of, or an object of any kind. */
static bool tell_part(const struct content_walk *w, uint32_t part)
{
    uint32_t at[MEMBERS_COUNT], other;
    const char *twice = content_read(&table, w->tape, part, at, &other);
    struct chat_piece piece = {.kind = PIECE_PART, .node = part, .twice = twice};
    if (!piece.twice) piece.twice = twice_in(w->tape, at);
    piece.uses = uses_of(w->tape, at[MEMBER_INLINE_DATA]) | uses_of(w->tape, at[MEMBER_FILE_DATA]);
    piece.is_unknown = piece.uses & (CHAT_USES_FILES | CHAT_USES_AUDIO);
    return content_tell(w, piece) && content_tell_text(w, part, PIECE_CONTENT) && tell_members(w, at) &&
           content_tell_others(&table, w, other);
}

static bool tell_parts(const struct content_walk *w, uint32_t parts)
{
    if (json_is(w->tape, parts, JSON_OBJECT)) return tell_part(w, parts);
    if (!json_is(w->tape, parts, JSON_ARRAY)) return content_tell_text(w, parts, PIECE_CONTENT);
    for (uint32_t part = json_first(w->tape, parts); part != JSON_NONE; part = json_next(w->tape, part)) {
        if (!tell_part(w, part)) return false;
    }
    return true;
}

/* ---- Contents. */

static bool tell_content(struct content_walk *w, uint32_t content)
{
    uint32_t at[MEMBERS_COUNT], other;
    const char *twice = content_read(&table, w->tape, content, at, &other);
    struct chat_piece piece = {.kind = PIECE_MESSAGE, .node = content, .twice = twice};
    w->role = piece.role = role_of(w->tape, at[MEMBER_ROLE], at[MEMBER_PARTS]);
    return content_tell(w, piece) && content_tell_text(w, at[MEMBER_ROLE], PIECE_ROLE) &&
           tell_parts(w, at[MEMBER_PARTS]);
}

bool gemini_walk_content(const struct json_tape *tape, uint32_t content, uint32_t number, chat_piece_fn fn, void *arg)
{
    struct content_walk w = {.tape = tape, .message = number, .fn = fn, .arg = arg};
    return tell_content(&w, content);
}

bool gemini_walk_contents(const struct json_tape *tape, uint32_t contents, chat_piece_fn fn, void *arg)
{
    struct content_walk w = {.tape = tape, .fn = fn, .arg = arg};
    return content_walk_messages(&w, contents, tell_content);
}

bool gemini_walk_apart(const struct json_tape *tape, uint32_t content, enum chat_role role, chat_piece_fn fn,
                       void *arg)
{
    uint32_t at[MEMBERS_COUNT], other;
    struct content_walk w = {.tape = tape, .message = CHAT_NO_MESSAGE, .role = role, .fn = fn, .arg = arg};
    if (content == JSON_NONE) return true;
    const char *twice = content_read(&table, tape, content, at, &other);
    bool has_parts = at[MEMBER_PARTS] != JSON_NONE;
    if (twice && !content_tell(&w, (struct chat_piece){.kind = PIECE_PART, .node = content, .twice = twice}))
        return false;
    return tell_parts(&w, has_parts ? at[MEMBER_PARTS] : content);
}

bool gemini_walk_embedded(const struct json_tape *tape, uint32_t request, chat_piece_fn fn, void *arg)
{
    struct content_walk w = {
        .tape = tape, .message = CHAT_NO_MESSAGE, .role = CHAT_ROLE_USER, .fn = fn, .arg = arg};
    return content_tell_text(&w, json_get(tape, request, members[MEMBER_TITLE].name), PIECE_CONTENT) &&
           gemini_walk_apart(tape, json_get(tape, request, members[MEMBER_CONTENT].name), CHAT_ROLE_USER, fn, arg);
}
