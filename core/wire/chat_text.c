#include "wire/chat.h"

#include "base/buf.h"
#include "base/utf8.h"

#define TOKEN_ID_BYTES 4 /* what one token is worth in bytes of text, roughly */

/* Members of a message or part that are no text: pictures, audio, files, and the words of the format itself. */
static bool is_no_text(const struct json_tape *tape, uint32_t node)
{
    static const struct slice names[] = {{"role", 4},          {"type", 4},      {"id", 2},
                                         {"tool_call_id", 12}, {"image_url", 9}, {"input_audio", 11},
                                         {"file", 4},          {"audio", 5},     {"cache_control", 13}};
    if (json_key_is(tape, node, SLICE("content"))) return false; /* nearly every second one */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_key_is(tape, node, names[i])) return true;
    }
    return false;
}

uint64_t chat_text_bytes(const struct chat_request *r)
{
    const struct json_tape *tape = &r->tape;
    uint64_t bytes = 0;
    if (r->messages_node == JSON_NONE) return 0;
    for (uint32_t n = r->messages_node; n < json_after(tape, r->messages_node);) {
        bool is_skipped = n != r->messages_node && is_no_text(tape, n);
        if (!is_skipped && json_is(tape, n, JSON_STRING)) bytes += json_raw(tape, n).len - 2;
        if (!is_skipped && json_is(tape, n, JSON_NUMBER)) bytes += TOKEN_ID_BYTES;
        n = is_skipped ? json_after(tape, n) : n + 1;
    }
    return bytes;
}

/* What no provider takes for text: the model's name, what is cut out on the way, and see is_no_text(). */
static bool is_unread(const struct chat_request *r, uint32_t node, uint32_t messages_end)
{
    if (node == r->model_node || node == r->hints_node) return true;
    bool is_inside = r->messages_node != JSON_NONE && node > r->messages_node && node < messages_end;
    return is_inside && is_no_text(&r->tape, node);
}

uint32_t chat_next_text(const struct chat_request *r, uint32_t node)
{
    const struct json_tape *tape = &r->tape;
    uint32_t messages_end = r->messages_node == JSON_NONE ? 0 : json_after(tape, r->messages_node);
    uint32_t end = tape->count ? json_after(tape, 0) : 0;
    for (uint32_t n = node == JSON_NONE ? 1 : node + 1; n < end;) {
        bool is_skipped = is_unread(r, n, messages_end);
        if (!is_skipped && json_is(tape, n, JSON_STRING)) return n;
        n = is_skipped ? json_after(tape, n) : n + 1;
    }
    return JSON_NONE;
}

static bool is_of_application(const struct json_tape *tape, uint32_t message)
{
    uint32_t role = json_get(tape, message, SLICE("role"));
    return json_text_is(tape, role, SLICE("system")) || json_text_is(tape, role, SLICE("developer"));
}

bool chat_next_outside(const struct chat_request *r, struct chat_cursor *cursor)
{
    const struct json_tape *tape = &r->tape;
    uint32_t messages = r->messages_node, node = cursor->node == JSON_NONE ? messages - 1 : cursor->node;
    if (messages == JSON_NONE) return false;
    if (cursor->message == JSON_NONE && r->kind == CHAT_CHAT) cursor->message = json_first(tape, messages);
    for (;;) {
        node = cursor->node = chat_next_text(r, node);
        if (node >= json_after(tape, messages)) return false; /* JSON_NONE is the largest */
        while (cursor->message != JSON_NONE && json_after(tape, cursor->message) <= node)
            cursor->message = json_next(tape, cursor->message);
        if (cursor->message == JSON_NONE || !is_of_application(tape, cursor->message)) return true;
        node = json_after(tape, cursor->message) - 1;
    }
}

static struct slice text_of(const struct json_tape *tape, uint32_t node, size_t max_bytes, struct arena *arena)
{
    if (!json_is(tape, node, JSON_STRING)) return SLICE("");
    return utf8_cut(json_text(tape, node, arena), max_bytes);
}

static struct slice join_parts(const struct json_tape *tape, uint32_t parts, size_t max_bytes, struct arena *arena)
{
    struct buf joined;
    bool is_first = true;
    buf_init(&joined);
    for (uint32_t part = json_first(tape, parts); part != JSON_NONE; part = json_next(tape, part)) {
        uint32_t text = json_get(tape, part, SLICE("text"));
        if (!json_is(tape, text, JSON_STRING)) continue;
        if (buf_len(&joined) == max_bytes) break;
        if (!is_first) buf_append_char(&joined, '\n');
        is_first = false;
        struct slice whole = json_text(tape, text, arena), kept = utf8_cut(whole, max_bytes - buf_len(&joined));
        buf_append(&joined, kept);
        if (kept.len < whole.len) break;
    }
    struct slice text = arena_copy(arena, buf_slice(&joined));
    buf_clear(&joined);
    return text;
}

static struct slice content_text(const struct json_tape *tape, uint32_t content, size_t max_bytes, struct arena *arena)
{
    if (json_is(tape, content, JSON_ARRAY)) return join_parts(tape, content, max_bytes, arena);
    return text_of(tape, content, max_bytes, arena);
}

/* The last element that is a string. */
static uint32_t last_string(const struct json_tape *tape, uint32_t list)
{
    uint32_t last = JSON_NONE;
    for (uint32_t n = json_first(tape, list); n != JSON_NONE; n = json_next(tape, n)) {
        if (json_is(tape, n, JSON_STRING)) last = n;
    }
    return last;
}

static uint32_t last_user_message(const struct json_tape *tape, uint32_t messages)
{
    uint32_t last = JSON_NONE;
    for (uint32_t n = json_first(tape, messages); n != JSON_NONE; n = json_next(tape, n)) {
        if (json_text_is(tape, json_get(tape, n, SLICE("role")), SLICE("user"))) last = n;
    }
    return last;
}

struct slice chat_last_user_text(const struct chat_request *r, size_t max_bytes, struct arena *arena)
{
    const struct json_tape *tape = &r->tape;
    uint32_t node = r->messages_node;
    if (node == JSON_NONE) return SLICE("");
    if (!json_is(tape, node, JSON_ARRAY)) return text_of(tape, node, max_bytes, arena);
    if (r->kind != CHAT_CHAT) return text_of(tape, last_string(tape, node), max_bytes, arena);
    uint32_t message = last_user_message(tape, node);
    return content_text(tape, json_get(tape, message, SLICE("content")), max_bytes, arena);
}
