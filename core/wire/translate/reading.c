#include "wire/translate/reading.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/limits.h"

#define PLACE_BYTES 96

static unsigned find(const struct slice *names, unsigned count, struct slice key)
{
    unsigned n = 0;
    while (n < count && !slice_equal(names[n], key))
        n++;
    return n;
}

bool reading_is_empty(const struct json_tape *tape, uint32_t node)
{
    switch (json_type(tape, node)) {
    case JSON_NULL: return true;
    case JSON_STRING: return json_raw(tape, node).len == 2;
    case JSON_ARRAY:
    case JSON_OBJECT: return json_first(tape, node) == JSON_NONE;
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_NUMBER: return false;
    }
    return false;
}

/* Keys without escapes, nearly all, are compared as they stand. */
static struct slice key_of(const struct reading *in, uint32_t node)
{
    struct slice key = reading_inside(json_key(in->tape, node));
    return memchr(key.ptr, '\\', key.len) ? json_key_text(in->tape, node, in->c->arena) : key;
}

bool reading_members(const struct reading *in, uint32_t object, const struct slice *names, unsigned count,
                     uint32_t *at)
{
    uint64_t seen = 0;
    check(count <= READING_MEMBERS_MAX);
    for (unsigned n = 0; n < count; n++)
        at[n] = JSON_NONE;
    if (!json_is(in->tape, object, JSON_OBJECT)) return true;
    for (uint32_t node = json_first(in->tape, object); node != JSON_NONE; node = json_next(in->tape, node)) {
        struct slice key = key_of(in, node);
        unsigned n = find(names, count, key);
        if (n == count) {
            if (!reading_is_empty(in->tape, node)) reading_drop(in, key);
            continue;
        }
        if (seen >> n & 1) return reading_refuse(in, "\"%s\" is given twice; give it once", names[n].ptr);
        seen |= UINT64_C(1) << n;
        if (!json_is(in->tape, node, JSON_NULL)) at[n] = node;
    }
    return true;
}

static int append_step(char *text, size_t size, const char *name, uint32_t number)
{
    const char *dot = *name ? "." : "";
    return number == PLACE_UNNUMBERED ? snprintf(text, size, "%s%s", dot, name)
                                      : snprintf(text, size, "%s%s[%u]", dot, name, number);
}

/* Behind list[number]: ".content[1].source", from its second byte on. */
static struct slice inner_path(const struct place *place, char text[PLACE_BYTES])
{
    int n = 0;
    text[0] = '\0';
    if (place->inner) n += append_step(text, PLACE_BYTES, place->inner, place->inner_number);
    if (place->leaf) n += append_step(text + n, (size_t)(PLACE_BYTES - n), place->leaf, PLACE_UNNUMBERED);
    return n ? slice_of(text + 1, (size_t)n - 1) : SLICE("");
}

void reading_drop(const struct reading *in, struct slice name)
{
    char inner[PLACE_BYTES];
    const struct place *place = &in->place;
    struct slice path = inner_path(place, inner);
    if (path.len && name.len) {
        path = arena_join(in->c->arena, path, SLICE("."));
        path = arena_join(in->c->arena, path, name);
    } else if (name.len) {
        path = name;
    }
    if (place->list && place->number == PLACE_UNNUMBERED)
        path = arena_printf(in->c->arena, "%s%s%.*s", place->list, path.len ? "." : "", SLICE_FMT(path));
    dropped_add_at(in->dropped, place->number == PLACE_UNNUMBERED ? NULL : place->list, place->number, path);
}

bool reading_refuse(const struct reading *in, const char *format, ...)
{
    char inner[PLACE_BYTES], text[FAULT_TEXT_BYTES], list[PLACE_BYTES] = "";
    const struct place *place = &in->place;
    struct slice path = inner_path(place, inner);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!place->list && !path.len) return fault_set(in->why, FAULT_BAD_BODY, "%s", text);
    if (place->list) append_step(list, sizeof list, place->list, place->number);
    return fault_set(in->why, FAULT_BAD_BODY, "%s%s%.*s: %s", place->list ? list + 1 : "",
                     place->list && path.len ? "." : "", SLICE_FMT(path), text);
}

bool reading_is_full(const struct reading *in)
{
    return fault_set(in->why, FAULT_BAD_BODY,
                     "the request has more than %u messages, parts and tools, which are too many to be translated for "
                     "this model's provider",
                     LIMIT_TRANSLATE_PARTS);
}

bool reading_counts(const struct reading *in)
{
    return conversation_count(in->c) || reading_is_full(in);
}

bool reading_string(const struct reading *in, uint32_t node, const char *name, struct slice *raw)
{
    *raw = SLICE_NONE;
    if (node == JSON_NONE) return true;
    if (!json_is(in->tape, node, JSON_STRING)) return reading_refuse(in, "\"%s\" must be a string", name);
    *raw = json_raw(in->tape, node);
    return true;
}

bool reading_number(const struct reading *in, uint32_t node, const char *name)
{
    if (node == JSON_NONE || json_is(in->tape, node, JSON_NUMBER)) return true;
    return reading_refuse(in, "\"%s\" must be a number", name);
}

int reading_compare(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = len ? memcmp(x->ptr, y->ptr, len) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

struct slice reading_inside(struct slice raw)
{
    return raw.len >= 2 ? slice_of(raw.ptr + 1, raw.len - 2) : SLICE("");
}

struct slice reading_quoted(const struct reading *in, struct slice text)
{
    struct buf json;
    buf_init(&json);
    buf_append_json(&json, text);
    struct slice kept = arena_copy(in->c->arena, reading_inside(buf_slice(&json)));
    buf_clear(&json);
    return kept;
}

struct part *reading_add_part(const struct reading *in, struct part_list *list, enum part_kind kind)
{
    const struct place *place = &in->place;
    struct part *p = conversation_add_part(in->c, list, kind);
    if (!p) {
        reading_is_full(in);
        return NULL;
    }
    bool is_numbered = place->inner && place->inner_number != PLACE_UNNUMBERED;
    p->message = place->is_message ? place->number : CHAT_NO_MESSAGE;
    p->number = is_numbered ? place->inner_number : place->is_message ? 0 : place->number;
    return p;
}

bool reading_add_text(const struct reading *in, struct part_list *list, enum part_kind kind, struct slice raw,
                      struct slice cache)
{
    if (raw.len <= 2) return true;
    struct part *p = reading_add_part(in, list, kind);
    if (!p) return false;
    p->text = raw;
    p->cache = cache;
    return true;
}

static bool may_say(enum speaker speaker, enum part_kind kind)
{
    switch (kind) {
    case PART_TEXT: return true;
    case PART_IMAGE:
    case PART_DOCUMENT:
    case PART_RESULT: return speaker == SPEAKER_USER;
    case PART_REFUSAL:
    case PART_CALL:
    case PART_REASONING: return speaker == SPEAKER_ASSISTANT;
    }
    return false;
}

bool reading_fits(const struct reading *in, enum speaker speaker, const struct part_list *list,
                  const struct part *before)
{
    for (const struct part *p = before ? before->next : list->first; p; p = p->next) {
        bool fits = may_say(speaker, p->kind);
        for (const struct part *inner = p->parts.first; inner; inner = inner->next)
            fits = fits && inner->kind != PART_RESULT && may_say(SPEAKER_USER, inner->kind);
        if (!fits) return reading_refuse(in, "its content has what is not said in this \"role\"");
    }
    return true;
}

struct part_list *reading_list_for(const struct reading *in, enum speaker speaker)
{
    if (speaker == SPEAKER_SYSTEM && !in->c->first) return reading_counts(in) ? &in->c->system : NULL;
    struct message *message = conversation_add_message(in->c, speaker);
    if (!message) reading_is_full(in);
    return message ? &message->parts : NULL;
}

enum data_url reading_data_url(const struct reading *in, struct slice raw, struct part *p)
{
    struct slice url = reading_inside(raw), rest, media;
    bool has_escapes = memchr(url.ptr, '\\', url.len) != NULL;
    if (has_escapes) url = json_decode(raw, in->c->arena);
    if (!slice_starts(url, SLICE("data:"))) return URL_NONE;
    url = slice_of(url.ptr + 5, url.len - 5);
    struct slice head = slice_split(url, ',', &rest);
    bool is_base64 = head.len >= 7 && slice_iequal(slice_of(head.ptr + head.len - 7, 7), SLICE(";base64"));
    if (!is_base64 || !rest.len) return URL_BAD;
    media = slice_split(head, ';', &head);
    p->media_type = has_escapes ? reading_quoted(in, media) : media;
    p->data = has_escapes ? reading_quoted(in, rest) : rest;
    return URL_DATA;
}

bool reading_arguments(const struct reading *in, struct json_tape *scratch, uint32_t node, struct slice *json)
{
    struct fault why;
    *json = SLICE("{}");
    if (node == JSON_NONE) return true;
    if (json_is(in->tape, node, JSON_OBJECT)) {
        *json = json_raw(in->tape, node);
        return true;
    }
    if (!json_is(in->tape, node, JSON_STRING)) return reading_refuse(in, "\"arguments\" must be a string");
    struct slice text = slice_trim(json_text(in->tape, node, in->c->arena));
    if (!text.len) return true;
    if (!json_parse(scratch, text, &why))
        return reading_refuse(in, "\"arguments\" must be valid JSON: %s", why.text);
    if (!json_is(scratch, 0, JSON_OBJECT)) return reading_refuse(in, "\"arguments\" must hold a JSON object");
    *json = text;
    return true;
}

void reading_labels(const struct reading *in, uint32_t metadata)
{
    if (metadata == JSON_NONE || reading_is_empty(in->tape, metadata)) return;
    if (json_is(in->tape, metadata, JSON_OBJECT))
        in->c->labels = metadata;
    else
        reading_drop(in, SLICE("metadata"));
}
