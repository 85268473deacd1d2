#include "wire/canonical.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>


struct canonical {
    const struct json_tape *tape;
    struct arena arena;
    struct buf *out;
    struct fault *why;
};

struct member {
    struct slice name;
    uint32_t value;
};

static int compare(const void *a, const void *b)
{
    const struct slice *x = &((const struct member *)a)->name, *y = &((const struct member *)b)->name;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = len ? memcmp(x->ptr, y->ptr, len) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void append_number(struct canonical *c, uint32_t node)
{
    struct slice raw = json_raw(c->tape, node);
    double number = json_to_double(c->tape, node);
    char text[40];
    bool is_whole = !memchr(raw.ptr, '.', raw.len) && !memchr(raw.ptr, 'e', raw.len) && !memchr(raw.ptr, 'E', raw.len);
    if (is_whole || !isfinite(number)) {
        buf_append(c->out, slice_equal(raw, SLICE("-0")) ? SLICE("0") : raw);
        return;
    }
    if (number == floor(number) && fabs(number) < 1e15) {
        buf_printf(c->out, "%.0f", number + 0.0);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    buf_append(c->out, slice_str(text));
}

static bool append_value(struct canonical *c, uint32_t node);

static bool append_array(struct canonical *c, uint32_t node)
{
    buf_append_char(c->out, '[');
    for (uint32_t n = json_first(c->tape, node); n != JSON_NONE; n = json_next(c->tape, n)) {
        if (n != json_first(c->tape, node)) buf_append_char(c->out, ',');
        if (!append_value(c, n)) return false;
    }
    buf_append_char(c->out, ']');
    return true;
}

static bool append_members(struct canonical *c, struct member *members, uint32_t count)
{
    qsort(members, count, sizeof *members, compare);
    for (uint32_t i = 0; i < count; i++) {
        if (i && slice_equal(members[i - 1].name, members[i].name))
            return fault_set(c->why, FAULT_BAD_BODY, "\"%.*s\" stands twice", SLICE_FMT(members[i].name));
        if (i) buf_append_char(c->out, ',');
        buf_append_json(c->out, members[i].name);
        buf_append_char(c->out, ':');
        if (!append_value(c, members[i].value)) return false;
    }
    return true;
}

static bool append_object(struct canonical *c, uint32_t node)
{
    uint32_t count = json_count(c->tape, node), i = 0;
    struct member *members = arena_alloc(&c->arena, (count + 1) * sizeof *members);
    for (uint32_t n = json_first(c->tape, node); n != JSON_NONE; n = json_next(c->tape, n))
        members[i++] = (struct member){json_key_text(c->tape, n, &c->arena), n};
    buf_append_char(c->out, '{');
    if (!append_members(c, members, count)) return false;
    buf_append_char(c->out, '}');
    return true;
}

/* As deep as a tape may be (LIMIT_JSON_DEPTH). */
static bool append_value(struct canonical *c, uint32_t node)
{
    switch (json_type(c->tape, node)) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE: buf_append(c->out, json_raw(c->tape, node)); return true;
    case JSON_NUMBER: append_number(c, node); return true;
    case JSON_STRING: buf_append_json(c->out, json_text(c->tape, node, &c->arena)); return true;
    case JSON_ARRAY: return append_array(c, node);
    case JSON_OBJECT: return append_object(c, node);
    }
    return false;
}

bool canonical_append(const struct json_tape *tape, uint32_t node, struct buf *out, struct fault *why)
{
    struct canonical c = {.tape = tape, .out = out, .why = why};
    arena_init(&c.arena);
    bool is_good = append_value(&c, node);
    arena_clear(&c.arena);
    return is_good;
}

bool canonical_text(struct slice json, struct buf *out, struct fault *why)
{
    struct json_tape tape;
    json_init(&tape);
    bool is_good = json_parse(&tape, json, why) && canonical_append(&tape, 0, out, why);
    json_clear(&tape);
    return is_good;
}
