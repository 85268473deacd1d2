#include "wire/members.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

/* Length of what folds to the ASCII letter `to` at p: the letter in either case, or one of the two characters outside
 * ASCII that Unicode folds into it (U+017F, U+212A). 0: nothing. */
static size_t fold_len(const char *p, size_t left, char to)
{
    if (*p == to || (to >= 'a' && to <= 'z' && *p == to - 'a' + 'A')) return 1;
    if (to == 's' && left >= 2 && memcmp(p, "\xC5\xBF", 2) == 0) return 2;
    if (to == 'k' && left >= 3 && memcmp(p, "\xE2\x84\xAA", 3) == 0) return 3;
    return 0;
}

static bool folds_to(struct slice text, struct slice name)
{
    size_t at = 0;
    for (size_t i = 0; i < name.len; i++) {
        size_t len = at < text.len ? fold_len(text.ptr + at, text.len - at, name.ptr[i]) : 0;
        if (len == 0) return false;
        at += len;
    }
    return at == text.len;
}

static bool is_lower_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x80 || (c >= 'A' && c <= 'Z')) return false;
    }
    return true;
}

/* The number of the name of that spelling; m->count: none of ours. Sets *is_variant when only the letter case
 * differs. */
static unsigned find(const struct members *m, struct slice text, bool *is_variant)
{
    *is_variant = false;
    for (unsigned n = 0; n < m->count; n++) {
        if (slice_equal(text, m->names[n]) || (m->others && slice_equal(text, m->others[n]))) return n;
    }
    if (is_lower_ascii(text)) return m->count;
    for (unsigned n = 0; n < m->count; n++) {
        *is_variant = folds_to(text, m->names[n]);
        if (*is_variant) return n;
    }
    return m->count;
}

bool members_read(struct members *m)
{
    const struct json_tape *tape = &m->r->tape;
    for (unsigned n = 0; n < m->count; n++)
        m->nodes[n] = JSON_NONE;
    for (uint32_t node = json_first(tape, 0); node != JSON_NONE; node = json_next(tape, node)) {
        bool is_variant;
        unsigned n = find(m, json_key_text(tape, node, m->arena), &is_variant);
        if (n == m->count) continue;
        if (is_variant)
            return fault_set(m->why, FAULT_BAD_BODY, "\"%s\" must be written in %s", m->names[n].ptr,
                             is_lower_ascii(m->names[n]) ? "lower case" : "these letters");
        if (m->nodes[n] != JSON_NONE)
            return fault_set(m->why, FAULT_BAD_BODY, "\"%s\" is given twice; give it once", m->names[n].ptr);
        m->nodes[n] = node;
    }
    return true;
}

uint32_t members_value(const struct members *m, unsigned name)
{
    uint32_t node = m->nodes[name];
    return node == JSON_NONE || json_is(&m->r->tape, node, JSON_NULL) ? JSON_NONE : node;
}

bool members_refuse(const struct members *m, unsigned name, const char *must)
{
    return fault_set(m->why, FAULT_BAD_BODY, "\"%s\" must be %s", m->names[name].ptr, must);
}

struct slice members_keep_text(const struct members *m, uint32_t string)
{
    return arena_copy(m->arena, json_text(&m->r->tape, string, m->arena));
}

bool members_keep_model(const struct members *m, unsigned name, struct slice model)
{
    struct chat_request *r = m->r;
    r->model = model;
    if (r->model.len == 0) return members_refuse(m, name, "a string that is not empty");
    if (r->model.len <= LIMIT_MODEL_BYTES) return true;
    r->model = utf8_cut(r->model, LIMIT_MODEL_BYTES); /* the record of its refusal is to be no longer than others */
    return fault_set(m->why, FAULT_BAD_BODY, "\"model\" must be at most %u bytes long", LIMIT_MODEL_BYTES);
}

bool members_read_model(struct members *m, unsigned name)
{
    struct chat_request *r = m->r;
    r->model_node = m->nodes[name];
    if (r->is_model_apart) return members_keep_model(m, name, r->model);
    if (r->model_node == JSON_NONE) return fault_set(m->why, FAULT_BAD_BODY, "\"model\" is missing");
    if (!json_is(&r->tape, r->model_node, JSON_STRING)) return members_refuse(m, name, "a string");
    return members_keep_model(m, name, members_keep_text(m, r->model_node));
}

bool members_read_stream(struct members *m, unsigned name)
{
    uint32_t stream = members_value(m, name);
    m->r->stream_node = m->nodes[name];
    m->r->is_stream = json_is(&m->r->tape, stream, JSON_TRUE);
    return stream == JSON_NONE || m->r->is_stream || json_is(&m->r->tape, stream, JSON_FALSE) ||
           members_refuse(m, name, "true or false");
}

bool members_read_hints(struct members *m, unsigned name)
{
    struct chat_request *r = m->r;
    r->metadata_node = m->nodes[name];
    r->hints_node = json_get(&r->tape, r->metadata_node, SLICE("moongate"));
    if (!json_has_duplicate(&r->tape, r->metadata_node, SLICE("moongate"))) return true;
    return fault_set(m->why, FAULT_BAD_BODY, "\"metadata.moongate\" is given twice; give it once");
}

bool members_check_inner(const struct members *m, const struct members_inner *inner, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (json_has_duplicate(&m->r->tape, m->nodes[inner[i].outer], inner[i].inner))
            return fault_set(m->why, FAULT_BAD_BODY, "\"%s.%s\" is given twice; give it once",
                             m->names[inner[i].outer].ptr, inner[i].inner.ptr);
    }
    return true;
}

void members_foresee(int64_t *count, int64_t more)
{
    if (more < 0 || __builtin_add_overflow(*count, more, count)) *count = INT64_MAX;
}

bool members_is_once(const struct json_tape *tape, uint32_t object, struct slice name, struct slice other)
{
    bool has_both = json_get(tape, object, name) != JSON_NONE && json_get(tape, object, other) != JSON_NONE;
    return !json_has_duplicate(tape, object, name) && !json_has_duplicate(tape, object, other) &&
           (slice_equal(name, other) || !has_both);
}

bool members_whole_number(const struct json_tape *tape, uint32_t node, int64_t *value)
{
    if (!json_is(tape, node, JSON_NUMBER)) return false;
    if (json_to_i64(tape, node, value)) return true;
    double number = json_to_double(tape, node);
    if (!(fabs(number) < 9007199254740992.0) || number != floor(number)) return false;
    *value = (int64_t)number;
    return true;
}

void members_edit(const struct chat_request *r, struct splice *edits, struct slice name, struct slice json)
{
    uint32_t node = json_get(&r->tape, 0, name);
    if (node == JSON_NONE && json.len)
        splice_append(edits, 0, name, json);
    else if (node != JSON_NONE && json.len)
        splice_value(edits, node, json);
    else if (node != JSON_NONE)
        splice_remove(edits, 0, node);
}

struct slice members_object(struct arena *arena, struct slice name, struct slice json)
{
    return arena_printf(arena, "{\"%.*s\":%.*s}", SLICE_FMT(name), SLICE_FMT(json));
}

/* Where there is none yet, or null; several edits make one. */
static void add_object(const struct chat_request *r, struct splice *edits, struct slice object, struct slice name,
                       struct slice json)
{
    uint32_t outer = json_get(&r->tape, 0, object);
    if (splice_append_inside(edits, 0, object, name, json)) return;
    if (outer != JSON_NONE) splice_remove(edits, 0, outer);
    splice_append(edits, 0, object, members_object(edits->arena, name, json));
}

void members_edit_inside(const struct chat_request *r, struct splice *edits, struct slice object, struct slice name,
                         struct slice json)
{
    uint32_t outer = json_get(&r->tape, 0, object), inner = json_get(&r->tape, outer, name);
    if (inner != JSON_NONE && json.len)
        splice_value(edits, inner, json);
    else if (inner != JSON_NONE)
        splice_remove(edits, outer, inner);
    else if (json.len && json_is(&r->tape, outer, JSON_OBJECT))
        splice_append(edits, outer, name, json);
    else if (json.len)
        add_object(r, edits, object, name, json);
}
