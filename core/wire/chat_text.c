#include "wire/chat.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "wire/dialect.h"

#define TOKEN_ID_BYTES 4 /* what one token is worth in bytes of text, roughly */

static uint64_t bytes_in(const struct chat_request *r, uint32_t root)
{
    const struct json_tape *tape = &r->tape;
    uint64_t bytes = 0;
    if (root == JSON_NONE) return 0;
    for (uint32_t n = root; n < json_after(tape, root);) {
        bool is_skipped = n != root && r->dialect->is_format(r, n);
        if (!is_skipped && json_is(tape, n, JSON_STRING)) bytes += json_raw(tape, n).len - 2;
        if (!is_skipped && json_is(tape, n, JSON_NUMBER)) bytes += TOKEN_ID_BYTES;
        n = is_skipped ? json_after(tape, n) : n + 1;
    }
    return bytes;
}

uint64_t chat_text_bytes(const struct chat_request *r)
{
    return bytes_in(r, r->system_node) + bytes_in(r, r->messages_node);
}

int64_t chat_thinking_within(const struct chat_request *r, int64_t max_tokens)
{
    if (r->thinking_tokens < max_tokens) return r->thinking_tokens;
    return max_tokens / 2 >= CHAT_THINKING_TOKENS_MIN ? max_tokens / 2 : 0;
}

static bool is_inside_of(const struct json_tape *tape, uint32_t root, uint32_t node)
{
    return root != JSON_NONE && node > root && node < json_after(tape, root);
}

/* What no provider takes for text: the model's name, what is cut out on the way, and what is of the format. */
static bool is_unread(const struct chat_request *r, uint32_t node)
{
    if (node == r->model_node || node == r->hints_node) return true;
    bool is_inside = is_inside_of(&r->tape, r->messages_node, node) || is_inside_of(&r->tape, r->system_node, node);
    return is_inside && r->dialect->is_format(r, node);
}

/* The first string from n on that reaches the provider as text; `end`, or a node behind it: none stands before that. */
static uint32_t text_from(const struct chat_request *r, uint32_t n, uint32_t end)
{
    const struct json_tape *tape = &r->tape;
    while (n < end) {
        bool is_skipped = is_unread(r, n);
        if (!is_skipped && json_is(tape, n, JSON_STRING)) return n;
        n = is_skipped ? json_after(tape, n) : n + 1;
    }
    return n;
}

uint32_t chat_next_text(const struct chat_request *r, uint32_t node)
{
    uint32_t end = r->tape.count ? json_after(&r->tape, 0) : 0;
    uint32_t n = text_from(r, node == JSON_NONE ? 1 : node + 1, end);
    return n < end ? n : JSON_NONE;
}

static bool is_value(const struct json_tape *tape, uint32_t node)
{
    return json_type(tape, node) >= JSON_ARRAY && json_first(tape, node) != JSON_NONE;
}

/* The first of the callers' values from n on; `end`: none. */
static uint32_t value_from(const struct chat_request *r, uint32_t *value, uint32_t n, uint32_t end)
{
    for (; *value < r->free_count; ++*value) {
        uint32_t node = r->free[*value].node;
        if (node >= n && is_value(&r->tape, node)) return node;
    }
    return end;
}

uint32_t chat_next_reading(const struct chat_request *r, struct chat_reading *at)
{
    uint32_t end = r->tape.count ? json_after(&r->tape, 0) : 0;
    for (uint32_t n = at->behind; n < end;) {
        uint32_t value = value_from(r, &at->value, n, end);
        n = text_from(r, n, value);
        if (n > value || n == end) continue; /* that value stands in what nobody reads */
        at->behind = json_after(&r->tape, n);
        return n;
    }
    return JSON_NONE;
}

static bool is_of_application(const struct chat_request *r, uint32_t message)
{
    return r->dialect->role(&r->tape, message) == CHAT_ROLE_APPLICATION;
}

struct slice chat_read(const struct chat_request *r, uint32_t node, struct arena *arena)
{
    bool is_text = json_is(&r->tape, node, JSON_STRING);
    return is_text ? json_text(&r->tape, node, arena) : json_raw(&r->tape, node);
}

static bool next_in_holes(const struct chat_request *r, struct chat_cursor *cursor)
{
    for (; cursor->hole < r->hole_count; cursor->hole++, cursor->inside.behind = 0) {
        uint32_t root = r->holes[cursor->hole];
        if (cursor->inside.behind == 0) cursor->inside = (struct chat_reading){root, 0};
        if (cursor->inside.behind >= json_after(&r->tape, root)) continue;
        cursor->node = chat_next_reading(r, &cursor->inside);
        if (cursor->node < json_after(&r->tape, root)) return true; /* JSON_NONE is the largest */
    }
    return false;
}

bool chat_next_outside(const struct chat_request *r, struct chat_cursor *cursor)
{
    const struct json_tape *tape = &r->tape;
    uint32_t messages = r->messages_node, node;
    if (next_in_holes(r, cursor)) return true;
    if (messages == JSON_NONE) return false;
    if (cursor->message == JSON_NONE && chat_has_messages(r)) cursor->message = json_first(tape, messages);
    if (cursor->reading.behind < messages) cursor->reading.behind = messages;
    for (;;) {
        node = cursor->node = chat_next_reading(r, &cursor->reading);
        if (node >= json_after(tape, messages)) return false; /* JSON_NONE is the largest */
        while (cursor->message != JSON_NONE && json_after(tape, cursor->message) <= node)
            cursor->message = json_next(tape, cursor->message);
        if (cursor->message == JSON_NONE || cursor->message == cursor->outside) return true;
        if (!is_of_application(r, cursor->message)) {
            cursor->outside = cursor->message;
            return true;
        }
        cursor->reading.behind = json_after(tape, cursor->message);
    }
}

static struct slice text_of(const struct json_tape *tape, uint32_t node, size_t max_bytes, struct arena *arena)
{
    if (!json_is(tape, node, JSON_STRING)) return SLICE("");
    return utf8_cut(json_text(tape, node, arena), max_bytes);
}

struct joining {
    const struct json_tape *tape;
    struct arena *arena;
    struct buf text;
    size_t max_bytes;
    bool is_begun;
};

/* False: that is enough. */
static bool join(struct joining *j, struct slice whole)
{
    if (buf_len(&j->text) >= j->max_bytes) return false;
    if (j->is_begun) buf_append_char(&j->text, '\n');
    j->is_begun = true;
    struct slice kept = utf8_cut(whole, j->max_bytes - buf_len(&j->text));
    buf_append(&j->text, kept);
    return kept.len == whole.len;
}

static bool on_piece(void *arg, const struct chat_piece *piece)
{
    struct joining *j = arg;
    if (piece->kind != PIECE_CONTENT || piece->is_result) return true;
    return join(j, json_text(j->tape, piece->node, j->arena));
}

/* A caller's words that stand in the application's voice are his still. */
static void join_holes(const struct chat_request *r, struct joining *j)
{
    struct chat_cursor cursor = CHAT_CURSOR;
    while (next_in_holes(r, &cursor)) {
        if (!join(j, chat_read(r, cursor.node, j->arena))) return;
    }
}

static struct slice message_text(const struct chat_request *r, uint32_t message, size_t max_bytes, struct arena *arena)
{
    struct joining j = {.tape = &r->tape, .arena = arena, .max_bytes = max_bytes};
    buf_init(&j.text);
    if (message != JSON_NONE) r->dialect->walk_message(&r->tape, message, 0, on_piece, &j);
    join_holes(r, &j);
    struct slice text = arena_copy(arena, buf_slice(&j.text));
    buf_clear(&j.text);
    return text;
}

struct last {
    uint32_t root, after, node;
};

static bool on_last(void *arg, const struct chat_piece *piece)
{
    struct last *last = arg;
    bool is_inside = piece->kind == PIECE_CONTENT && piece->node >= last->root && piece->node < last->after;
    if (is_inside) last->node = piece->node;
    return true;
}

/* Of what is to be completed or embedded. */
static uint32_t last_string(const struct chat_request *r)
{
    struct last last = {r->messages_node, json_after(&r->tape, r->messages_node), JSON_NONE};
    r->dialect->walk(r, on_last, &last);
    return last.node;
}

static uint32_t last_user_message(const struct chat_request *r)
{
    uint32_t last = JSON_NONE;
    for (uint32_t n = json_first(&r->tape, r->messages_node); n != JSON_NONE; n = json_next(&r->tape, n)) {
        if (r->dialect->role(&r->tape, n) == CHAT_ROLE_USER) last = n;
    }
    return last;
}

struct slice chat_last_user_text(const struct chat_request *r, size_t max_bytes, struct arena *arena)
{
    const struct json_tape *tape = &r->tape;
    uint32_t node = r->messages_node;
    if (node == JSON_NONE) return SLICE("");
    if (!chat_has_messages(r)) return text_of(tape, last_string(r), max_bytes, arena);
    if (!json_is(tape, node, JSON_ARRAY)) return text_of(tape, node, max_bytes, arena);
    return message_text(r, last_user_message(r), max_bytes, arena);
}
