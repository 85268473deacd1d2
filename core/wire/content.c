#include "wire/content.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SPANS 8u /* a power of two */

/* Most names differ in length or beginning: that is cheaper to see than a call is made. */
static inline bool is_name(struct slice text, struct slice name)
{
    return text.len == name.len && text.ptr[0] == name.ptr[0] && memcmp(text.ptr, name.ptr, name.len) == 0;
}

static inline bool is_member(struct slice text, const struct content_member *member)
{
    return is_name(text, member->name) || (member->other.len && is_name(text, member->other));
}

/* Keys without escapes, nearly all, are compared as they stand. */
unsigned content_find(const struct content_table *table, const struct json_tape *tape, uint32_t node)
{
    struct slice key = json_key(tape, node);
    if (!key.ptr) return table->count;
    struct slice text = slice_of(key.ptr + 1, key.len - 2);
    for (unsigned m = 0; m < table->count; m++) {
        if (is_member(text, &table->members[m])) return m;
    }
    if (!memchr(text.ptr, '\\', text.len)) return table->count;
    for (unsigned m = 0; m < table->count; m++) {
        struct slice other = table->members[m].other;
        if (json_key_is(tape, node, table->members[m].name) || (other.len && json_key_is(tape, node, other))) return m;
    }
    return table->count;
}

const char *content_read(const struct content_table *table, const struct json_tape *tape, uint32_t object,
                         uint32_t *at, uint32_t *other)
{
    const char *twice = NULL;
    memset(at, 0xFF, table->count * sizeof *at); /* JSON_NONE */
    *other = JSON_NONE;
    if (!json_is(tape, object, JSON_OBJECT)) return NULL;
    for (uint32_t n = json_first(tape, object); n != JSON_NONE; n = json_next(tape, n)) {
        unsigned m = content_find(table, tape, n);
        if (m == table->count) {
            if (*other == JSON_NONE) *other = n;
        } else if (at[m] == JSON_NONE) {
            at[m] = n;
        } else if (table->members[m].is_once && !twice) {
            twice = table->members[m].name.ptr;
        }
    }
    return twice;
}

bool content_tell_others(const struct content_table *table, const struct content_walk *w, uint32_t other)
{
    for (uint32_t n = other; n != JSON_NONE; n = json_next(w->tape, n)) {
        if (content_find(table, w->tape, n) == table->count && !content_tell_unknown(w, n)) return false;
    }
    return true;
}

bool content_is_of_type(const struct json_tape *tape, uint32_t object, struct slice type)
{
    return json_text_is(tape, json_get(tape, object, SLICE("type")), type);
}

enum chat_role content_role(const struct json_tape *tape, uint32_t role)
{
    if (json_text_is(tape, role, SLICE("user"))) return CHAT_ROLE_USER;
    bool is_application = json_text_is(tape, role, SLICE("system")) || json_text_is(tape, role, SLICE("developer"));
    return is_application ? CHAT_ROLE_APPLICATION : CHAT_ROLE_OTHER;
}

bool content_tell(const struct content_walk *w, struct chat_piece piece)
{
    piece.message = w->message;
    piece.is_result = w->is_result;
    if (!piece.role) piece.role = w->role;
    return w->fn(w->arg, &piece);
}

bool content_tell_given(const struct content_walk *w, uint32_t node, enum chat_piece_kind kind)
{
    return json_type(w->tape, node) != JSON_STRING || content_tell(w, (struct chat_piece){.kind = kind, .node = node});
}

static bool tell_value(const struct content_walk *w, uint32_t node, bool is_unknown)
{
    if (!content_tell_text(w, node, PIECE_CALL_TEXT)) return false;
    bool is_value = json_type(w->tape, node) >= JSON_ARRAY && json_first(w->tape, node) != JSON_NONE;
    struct chat_piece piece = {.kind = PIECE_CALL_JSON, .node = node, .is_unknown = is_unknown};
    return !is_value || content_tell(w, piece);
}

bool content_tell_given_value(const struct content_walk *w, uint32_t node)
{
    return tell_value(w, node, false);
}

bool content_tell_unknown(const struct content_walk *w, uint32_t node)
{
    return node == JSON_NONE || tell_value(w, node, true);
}

bool content_walk_messages(struct content_walk *w, uint32_t messages,
                           bool (*tell_message)(struct content_walk *w, uint32_t message))
{
    if (!json_is(w->tape, messages, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(w->tape, messages); n != JSON_NONE; n = json_next(w->tape, n), w->message++) {
        if (!tell_message(w, n)) return false;
    }
    return true;
}

bool content_is_parts(const struct json_tape *tape, uint32_t list)
{
    uint32_t n = json_first(tape, list);
    while (n != JSON_NONE && (json_is(tape, n, JSON_STRING) || json_is(tape, n, JSON_OBJECT)))
        n = json_next(tape, n);
    return n == JSON_NONE;
}

bool content_tell_tool(const struct json_tape *tape, uint32_t tool, uint32_t function, chat_piece_fn fn, void *arg)
{
    struct chat_piece piece = {.kind = PIECE_TOOL,
                               .node = tool,
                               .message = CHAT_NO_MESSAGE,
                               .is_declared = function != JSON_NONE,
                               .name = json_get(tape, function, SLICE("name")),
                               .description = json_get(tape, function, SLICE("description")),
                               .parameters = json_get(tape, function, SLICE("parameters"))};
    return fn(arg, &piece);
}

/* {"type":"function","function":{"name":…}}, custom likewise; of functions {"name":…}.
 * Others say nothing to the model. */
bool content_tell_choice(const struct json_tape *tape, uint32_t choice, chat_piece_fn fn, void *arg)
{
    struct chat_piece piece = {.kind = PIECE_CHOICE, .node = choice, .message = CHAT_NO_MESSAGE, .name = JSON_NONE};
    uint32_t inner = json_get(tape, choice, SLICE("function"));
    if (inner == JSON_NONE) inner = json_get(tape, choice, SLICE("custom"));
    piece.name = json_get(tape, inner == JSON_NONE ? choice : inner, SLICE("name"));
    bool is_named = json_is(tape, piece.name, JSON_STRING);
    bool is_none = json_is(tape, choice, JSON_STRING) && json_text_is(tape, choice, SLICE("none"));
    if (!is_named) piece.name = JSON_NONE;
    return !(is_named || is_none) || fn(arg, &piece);
}

void content_add_free(struct chat_request *r, struct arena *arena, const struct chat_piece *piece)
{
    uint32_t cap = r->free_count;
    if (cap == 0 || (cap >= FIRST_SPANS && (cap & (cap - 1)) == 0)) {
        struct chat_span *larger = arena_alloc(arena, (cap ? 2 * cap : FIRST_SPANS) * sizeof *larger);
        if (cap) memcpy(larger, r->free, cap * sizeof *larger);
        r->free = larger;
    }
    r->free[r->free_count++] = (struct chat_span){piece->node, json_after(&r->tape, piece->node), piece->is_unknown};
}

static int by_place(const void *a, const void *b)
{
    uint32_t first = ((const struct chat_span *)a)->node, second = ((const struct chat_span *)b)->node;
    return first < second ? -1 : first > second;
}

void content_sort_free(struct chat_request *r)
{
    if (r->free_count > 1) qsort(r->free, r->free_count, sizeof *r->free, by_place);
}

static const struct chat_span *span_around(const struct chat_request *r, uint32_t node)
{
    uint32_t low = 0, high = r->free_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->free[middle].after <= node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->free_count && r->free[low].node < node ? &r->free[low] : NULL;
}

bool content_is_free(const struct chat_request *r, uint32_t node)
{
    return span_around(r, node) != NULL;
}

bool content_is_callers(const struct chat_request *r, uint32_t node)
{
    const struct chat_span *span = span_around(r, node);
    return span && !span->is_unknown;
}
