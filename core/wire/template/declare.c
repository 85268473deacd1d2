#include "wire/template/template_inner.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/nearest.h"

static const char *const type_names[TEMPLATE_TYPES] = {
    [TEMPLATE_TEXT] = "text", [TEMPLATE_NUMBER] = "number", [TEMPLATE_INTEGER] = "integer",
    [TEMPLATE_BOOLEAN] = "boolean", [TEMPLATE_CHOICE] = "choice", [TEMPLATE_LIST] = "list",
    [TEMPLATE_JSON] = "json", [TEMPLATE_IMAGE] = "image", [TEMPLATE_FILE] = "file", [TEMPLATE_AUDIO] = "audio",
};

const char *template_type_name(enum template_type type)
{
    return type_names[type];
}

struct template_text template_keep(struct buf *pool, struct slice text)
{
    struct template_text kept = {(uint32_t)buf_len(pool), (uint32_t)text.len};
    buf_append(pool, text);
    return kept;
}

struct slice template_escape(struct arena *arena, struct slice text)
{
    struct buf quoted;
    buf_init(&quoted);
    buf_append_json(&quoted, text);
    struct slice inner = arena_copy(arena, slice_of(buf_ptr(&quoted) + 1, buf_len(&quoted) - 2));
    buf_clear(&quoted);
    return inner;
}

/* One variable while it is read. */
struct reading {
    struct template_declared *d;
    const struct json_tape *tape;
    uint32_t node;
    struct slice name;
    struct template_variable v;
};

static bool refuse(const struct reading *r, const char *what)
{
    struct template_error *why = r->d->why;
    *why = (struct template_error){.message = TEMPLATE_NO_MESSAGE};
    snprintf(why->text, sizeof why->text, "variable %.64s: %.180s", r->name.len ? r->name.ptr : "?", what);
    return false;
}

static uint32_t member(const struct reading *r, const char *name)
{
    uint32_t node = json_get(r->tape, r->node, slice_str(name));
    return json_is(r->tape, node, JSON_NULL) ? JSON_NONE : node;
}

static bool read_type(struct reading *r)
{
    uint32_t node = member(r, "type");
    if (node == JSON_NONE) return true; /* text */
    for (uint32_t i = 0; i < TEMPLATE_TYPES; i++) {
        if (!json_text_is(r->tape, node, slice_str(type_names[i]))) continue;
        r->v.type = i;
        return true;
    }
    return refuse(r, "its type is none of text, number, integer, boolean, choice, list, json, image, file, audio");
}

static bool is_number_type(uint32_t type)
{
    return type == TEMPLATE_NUMBER || type == TEMPLATE_INTEGER;
}

/* "max": of numbers the greatest, else how many bytes. */
static bool read_bounds(struct reading *r)
{
    uint32_t min = member(r, "min"), max = member(r, "max"), items = member(r, "max_items");
    int64_t count = LIMIT_TEMPLATE_VALUE_BYTES, most = LIMIT_TEMPLATE_ITEMS;
    bool is_number = is_number_type(r->v.type);
    if (min != JSON_NONE && (!is_number || !json_is(r->tape, min, JSON_NUMBER)))
        return refuse(r, "min is for numbers");
    if (min != JSON_NONE) {
        r->v.min = json_to_double(r->tape, min);
        r->v.flags |= TEMPLATE_HAS_MIN;
    }
    if (max != JSON_NONE && !json_is(r->tape, max, JSON_NUMBER)) return refuse(r, "max must be a number");
    if (max != JSON_NONE && is_number) {
        r->v.max = json_to_double(r->tape, max);
        r->v.flags |= TEMPLATE_HAS_MAX;
    } else if (max != JSON_NONE &&
               (!json_to_i64(r->tape, max, &count) || count < 1 || count > LIMIT_TEMPLATE_MAX_BYTES)) {
        return refuse(r, "max must be a whole number of bytes, 1 to 16777216");
    }
    if (items != JSON_NONE && (r->v.type != TEMPLATE_LIST || !json_is(r->tape, items, JSON_NUMBER) ||
                               !json_to_i64(r->tape, items, &most) || most < 1 || most > LIMIT_TEMPLATE_ITEMS))
        return refuse(r, "max_items must be a whole number, 1 to 4096, of a list");
    bool is_media = template_is_media(r->v.type) && max == JSON_NONE;
    r->v.bytes_max = is_media ? LIMIT_TEMPLATE_MAX_BYTES : (uint32_t)count;
    r->v.items_max = (uint32_t)most;
    return true;
}

static bool read_choices(struct reading *r)
{
    uint32_t values = member(r, "values");
    if (r->v.type != TEMPLATE_CHOICE) return values == JSON_NONE || refuse(r, "values are for a choice");
    uint32_t count = json_is(r->tape, values, JSON_ARRAY) ? json_count(r->tape, values) : 0;
    if (count == 0 || count > LIMIT_TEMPLATE_CHOICES) return refuse(r, "a choice has values, 1 to 256 texts");
    r->v.first_choice = (uint32_t)(buf_len(&r->d->choices) / sizeof(struct template_choice));
    r->v.choice_count = count;
    for (uint32_t n = json_first(r->tape, values); n != JSON_NONE; n = json_next(r->tape, n)) {
        if (!json_is(r->tape, n, JSON_STRING)) return refuse(r, "a choice has values, 1 to 256 texts");
        struct slice text = json_text(r->tape, n, r->d->arena);
        struct template_choice choice = {template_keep(&r->d->pool, text),
                                         template_keep(&r->d->pool, template_escape(r->d->arena, text))};
        buf_append(&r->d->choices, slice_of((const char *)&choice, sizeof choice));
    }
    return true;
}

static bool read_join(struct reading *r)
{
    uint32_t join = member(r, "join");
    if (r->v.type != TEMPLATE_LIST) return join == JSON_NONE || refuse(r, "join is for a list");
    if (join != JSON_NONE && !json_is(r->tape, join, JSON_STRING)) return refuse(r, "join must be a text");
    struct slice text = join == JSON_NONE ? SLICE("\n") : json_text(r->tape, join, r->d->arena);
    if (text.len > LIMIT_TEMPLATE_NAME_BYTES) return refuse(r, "join has at most 64 bytes");
    r->v.join = template_keep(&r->d->pool, template_escape(r->d->arena, text));
    return true;
}

/* A default is held to the same as a caller's value. */
static bool read_default(struct reading *r)
{
    uint32_t node = member(r, "default");
    struct template seen = {.pool = buf_len(&r->d->pool) ? buf_ptr(&r->d->pool) : "",
                            .choices = (const struct template_choice *)(const void *)
                                           (buf_len(&r->d->choices) ? buf_ptr(&r->d->choices) : "")};
    struct template_refusal bad = {0};
    struct slice value;
    if (node == JSON_NONE) return true;
    if (!template_read_value(&seen, &r->v, r->tape, node, r->d->arena, &value, &bad)) {
        char text[200];
        snprintf(text, sizeof text, "its default: %.180s", bad.text);
        return refuse(r, text);
    }
    value = arena_copy(r->d->arena, value); /* it may lie in the pool, which moves */
    r->v.value = template_keep(&r->d->pool, value);
    r->v.flags |= TEMPLATE_HAS_DEFAULT;
    return true;
}

static bool check_members(const struct reading *r)
{
    static const char *const known[] = {"type", "default", "example", "description", "max", "min",
                                        "max_items", "join", "values"};
    for (uint32_t n = json_first(r->tape, r->node); n != JSON_NONE; n = json_next(r->tape, n)) {
        struct slice key = json_key_text(r->tape, n, r->d->arena);
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            is_known = is_known || slice_equal(key, slice_str(known[i]));
        if (is_known && json_next(r->tape, n) != JSON_NONE && json_get_behind(r->tape, r->node, n, key) != JSON_NONE)
            return refuse(r, "something stands twice in it");
        if (is_known) continue;
        const char *near = nearest_word(key, known, sizeof known / sizeof known[0]);
        char text[200];
        snprintf(text, sizeof text, "it has no field %.*s%s%s", (int)(key.len < 64 ? key.len : 64), key.ptr,
                 near ? ": is meant " : "", near ? near : "");
        return refuse(r, text);
    }
    return true;
}

static bool read_variable(struct template_declared *d, const struct json_tape *tape, uint32_t node)
{
    struct reading r = {.d = d, .tape = tape, .node = node, .name = json_key_text(tape, node, d->arena)};
    r.name = arena_copy(d->arena, r.name);
    if (!template_is_name(r.name)) return refuse(&r, "a name is [A-Za-z_], then up to 63 of [A-Za-z0-9_-]");
    if (!json_is(tape, node, JSON_OBJECT)) return refuse(&r, "it must be an object: {\"type\":\"text\"}");
    r.v.name = template_keep(&d->pool, r.name);
    if (!check_members(&r) || !read_type(&r) || !read_bounds(&r) || !read_choices(&r) || !read_join(&r) ||
        !read_default(&r))
        return false;
    buf_append(&d->variables, slice_of((const char *)&r.v, sizeof r.v));
    d->count++;
    return true;
}

bool template_declare(struct template_declared *d, const struct json_tape *tape, uint32_t variables)
{
    struct reading r = {.d = d, .name = SLICE("variables")};
    if (variables == JSON_NONE || json_is(tape, variables, JSON_NULL)) return true;
    if (!json_is(tape, variables, JSON_OBJECT)) return refuse(&r, "they must be an object, by name");
    if (json_count(tape, variables) > LIMIT_TEMPLATE_VARIABLES) return refuse(&r, "there are at most 64");
    for (uint32_t n = json_first(tape, variables); n != JSON_NONE; n = json_next(tape, n)) {
        if (json_has_duplicate(tape, variables, json_key_text(tape, n, d->arena)))
            return refuse(&r, "a name stands twice");
        if (!read_variable(d, tape, n)) return false;
    }
    return true;
}
