#include "exchange/asked.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

struct asked_entry {
    struct asked_entry *next;
    enum asked_group group;
    enum asked_form form;
    struct slice key, value;
};

static const char *const names[ASKED_GROUPS] = {
    [ASKED_HEADERS] = "headers", [ASKED_HINTS] = "hints",       [ASKED_VALUES] = "values",
    [ASKED_CONTAINS] = "contains", [ASKED_KEYWORDS] = "keywords", [ASKED_COPIES] = "copies",
    [ASKED_TOKENS] = "tokens",   [ASKED_ZONES] = "zones",       [ASKED_CACHE] = "cache",
    [ASKED_TOPUPS] = "topups",   [ASKED_COUNTERS] = "counters", [ASKED_CALLS] = "calls",
};

/* ---- Noting. */

static bool is_noted(const struct asked *a, enum asked_group group, struct slice key)
{
    if (group >= ASKED_LISTS || !(a->groups & 1u << group)) return false;
    for (const struct asked_entry *e = a->first; e; e = e->next) {
        if (e->group == group && slice_equal(e->key, key)) return true;
    }
    return false;
}

/* JSON has no other texts. */
static bool is_text(struct slice key, struct slice value)
{
    return utf8_is_valid(key) && (!value.ptr || utf8_is_valid(value));
}

static bool has_room(struct asked *a, size_t bytes)
{
    if (a->count >= LIMIT_ASKED_NOTES || bytes > LIMIT_ASKED_BYTES - a->bytes) return false;
    a->count++;
    a->bytes += (uint32_t)bytes;
    return true;
}

void asked_note(struct asked *a, struct arena *arena, enum asked_group group, struct slice key, enum asked_form form,
                struct slice value)
{
    if (a->recall || is_noted(a, group, key)) return;
    bool is_small = value.len <= LIMIT_ASKED_VALUE_BYTES && key.len <= LIMIT_ASKED_KEY_BYTES;
    if (!is_small || !is_text(key, value) || !has_room(a, key.len + value.len)) {
        asked_miss(a, arena, slice_str(names[group]));
        return;
    }
    struct asked_entry *e = arena_alloc(arena, sizeof *e);
    *e = (struct asked_entry){.group = group, .form = form, .key = arena_copy(arena, key), .value = value};
    if (value.ptr) e->value = arena_copy(arena, value);
    if (a->last) a->last->next = e;
    else a->first = e;
    a->last = e;
    a->groups |= 1u << group;
}

void asked_miss(struct asked *a, struct arena *arena, struct slice name)
{
    struct asked_entry **end = &a->misses;
    for (; *end; end = &(*end)->next) {
        if (slice_equal((*end)->key, name)) return;
    }
    if (a->miss_count++ >= LIMIT_ASKED_MISSES) return; /* one is enough for it not to be replayable */
    *end = arena_alloc(arena, sizeof **end);
    **end = (struct asked_entry){.key = arena_copy(arena, name)};
}

bool asked_has_missed(const struct asked *a)
{
    return a->miss_count > 0;
}

bool asked_is_words(struct slice s)
{
    if (s.len == 0 || s.len > LIMIT_ASKED_WORD_BYTES) return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && c != '_' && c != '-' && c != '.' && c != ',' && c != ' ') return false;
    }
    return true;
}

/* ---- As JSON. */

static void append_value(struct buf *out, const struct asked_entry *e)
{
    if (!e->value.ptr) buf_append(out, SLICE("null"));
    else if (e->form == ASKED_AS_JSON) buf_append(out, e->value);
    else buf_append_json(out, e->value);
}

static void append_group(struct buf *out, const struct asked *a, enum asked_group group)
{
    bool is_list = group >= ASKED_LISTS;
    char opening = is_list ? '[' : '{';
    buf_append_json(out, slice_str(names[group]));
    buf_append_char(out, ':');
    for (const struct asked_entry *e = a->first; e; e = e->next) {
        if (e->group != group) continue;
        buf_append_char(out, opening);
        opening = ',';
        if (!is_list) buf_append_json(out, e->key);
        if (!is_list) buf_append_char(out, ':');
        append_value(out, e);
    }
    buf_append_char(out, is_list ? ']' : '}');
}

void asked_format(struct buf *out, const struct asked *a)
{
    char opening = '{';
    for (unsigned group = 0; group < ASKED_GROUPS; group++) {
        if (!(a->groups & 1u << group)) continue;
        buf_append_char(out, opening);
        opening = ',';
        append_group(out, a, (enum asked_group)group);
    }
    if (opening == ',') buf_append_char(out, '}');
}

void asked_format_misses(struct buf *out, const struct asked *a)
{
    char opening = '[';
    for (const struct asked_entry *e = a->misses; e; e = e->next) {
        buf_append_char(out, opening);
        opening = ',';
        buf_append_json(out, e->key);
    }
    if (opening == ',') buf_append_char(out, ']');
}

/* ---- Recalling. */

struct recall {
    struct buf text;
    struct json_tape tape;
    uint32_t groups[ASKED_GROUPS]; /* nodes; JSON_NONE: nothing of it was asked */
    uint64_t given[ASKED_GROUPS][LIMIT_ASKED_NOTES / 64];
};

_Static_assert(LIMIT_ASKED_NOTES % 64 == 0, "sets of notes are whole words");

struct recall *recall_new(struct slice record, struct fault *why)
{
    struct recall *r = mem_zalloc(1, sizeof *r);
    buf_init_small(&r->text, record.len + 1);
    json_init(&r->tape);
    buf_append(&r->text, record);
    bool is_good = json_parse(&r->tape, buf_slice(&r->text), why);
    if (is_good && !json_is(&r->tape, 0, JSON_OBJECT))
        is_good = fault_set(why, FAULT_BAD_JSON, "a record is a JSON object");
    if (!is_good) {
        recall_free(r);
        return NULL;
    }
    uint32_t asked = json_get(&r->tape, 0, SLICE("asked"));
    for (unsigned group = 0; group < ASKED_GROUPS; group++)
        r->groups[group] = asked == JSON_NONE ? JSON_NONE : json_get(&r->tape, asked, slice_str(names[group]));
    return r;
}

void recall_free(struct recall *r)
{
    if (!r) return;
    json_clear(&r->tape);
    buf_clear(&r->text);
    mem_free(r);
}

const struct json_tape *recall_tape(const struct recall *r)
{
    return &r->tape;
}

bool recall_has(const struct recall *r, enum asked_group group)
{
    return r->groups[group] != JSON_NONE;
}

uint32_t asked_find(const struct asked *a, enum asked_group group, struct slice key)
{
    uint32_t object = a->recall->groups[group];
    return object == JSON_NONE ? JSON_NONE : json_get(&a->recall->tape, object, key);
}

uint32_t asked_take(struct asked *a, enum asked_group group, asked_is_fn is_it, void *arg)
{
    struct recall *r = a->recall;
    uint32_t i = 0;
    if (!json_is(&r->tape, r->groups[group], JSON_ARRAY)) return JSON_NONE;
    for (uint32_t node = json_first(&r->tape, r->groups[group]); node != JSON_NONE && i < LIMIT_ASKED_NOTES;
         node = json_next(&r->tape, node), i++) {
        uint64_t bit = (uint64_t)1 << i % 64;
        if (r->given[group][i / 64] & bit || !is_it(arg, &r->tape, node)) continue;
        r->given[group][i / 64] |= bit;
        return node;
    }
    return JSON_NONE;
}
