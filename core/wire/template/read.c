#include "wire/template/template_inner.h"

#include <math.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/nearest.h"

static bool invalid(struct template_refusal *why, const char *must)
{
    snprintf(why->text, sizeof why->text, "%s", must);
    return false;
}

static bool too_long(struct template_refusal *why, const struct template_variable *v)
{
    snprintf(why->text, sizeof why->text, "it may have %u bytes at most", v->bytes_max);
    return false;
}

/* What stands inside of a string's quotes. */
static struct slice inner_of(struct slice raw)
{
    return slice_of(raw.ptr + 1, raw.len - 2);
}

/* Of the decoded text, which is never longer than it is written. */
static bool fits(struct slice raw, uint32_t max, struct arena *arena)
{
    return raw.len - 2 <= max || (raw.len <= (size_t)max * 6 + 2 && json_decode(raw, arena).len <= max);
}

/* {"type":"input_text","text":"…"} is a text too, as OpenAI's prompt variables write it. */
static uint32_t text_node(const struct json_tape *tape, uint32_t node)
{
    if (!json_is(tape, node, JSON_OBJECT)) return node;
    bool is_text = json_text_is(tape, json_get(tape, node, SLICE("type")), SLICE("input_text"));
    return is_text ? json_get(tape, node, SLICE("text")) : node;
}

static bool read_text(const struct template_variable *v, const struct json_tape *tape, uint32_t node,
                      struct arena *arena, struct slice *value, struct template_refusal *why)
{
    node = text_node(tape, node);
    if (!json_is(tape, node, JSON_STRING)) return invalid(why, "it must be a text");
    if (!fits(json_raw(tape, node), v->bytes_max, arena)) return too_long(why, v);
    *value = inner_of(json_raw(tape, node));
    return true;
}

static bool read_number(const struct template_variable *v, const struct json_tape *tape, uint32_t node,
                        struct slice *value, struct template_refusal *why)
{
    int64_t whole;
    bool is_integer = v->type == TEMPLATE_INTEGER;
    if (!json_is(tape, node, JSON_NUMBER))
        return invalid(why, is_integer ? "it must be a whole number" : "it must be a number");
    if (is_integer && !json_to_i64(tape, node, &whole)) return invalid(why, "it must be a whole number, as 12");
    double number = json_to_double(tape, node);
    if (!isfinite(number)) return invalid(why, "it is beyond what numbers may be");
    if ((v->flags & TEMPLATE_HAS_MIN) && number < v->min) {
        snprintf(why->text, sizeof why->text, "it must be at least %.15g", v->min);
        return false;
    }
    if ((v->flags & TEMPLATE_HAS_MAX) && number > v->max) {
        snprintf(why->text, sizeof why->text, "it may be %.15g at most", v->max);
        return false;
    }
    *value = json_raw(tape, node);
    return value->len <= LIMIT_TEMPLATE_NAME_BYTES || invalid(why, "it has too many digits");
}

static bool refuse_choice(const struct template *t, const struct template_variable *v, struct template_refusal *why)
{
    size_t at = (size_t)snprintf(why->text, sizeof why->text, "it must be one of");
    for (uint32_t i = 0; i < v->choice_count && at + 1 < sizeof why->text; i++) {
        struct slice text = template_text_of(t, t->choices[v->first_choice + i].plain);
        at += (size_t)snprintf(why->text + at, sizeof why->text - at, "%s %.*s", i ? "," : "", SLICE_FMT(text));
    }
    return false;
}

static bool read_choice(const struct template *t, const struct template_variable *v, const struct json_tape *tape,
                        uint32_t node, struct slice *value, struct template_refusal *why)
{
    node = text_node(tape, node);
    for (uint32_t i = 0; json_is(tape, node, JSON_STRING) && i < v->choice_count; i++) {
        const struct template_choice *choice = &t->choices[v->first_choice + i];
        if (!json_text_is(tape, node, template_text_of(t, choice->plain))) continue;
        *value = template_text_of(t, choice->escaped);
        return true;
    }
    return refuse_choice(t, v, why);
}

static bool read_list(const struct template *t, const struct template_variable *v, const struct json_tape *tape,
                      uint32_t node, struct arena *arena, struct slice *value, struct template_refusal *why)
{
    struct slice join = template_text_of(t, v->join);
    struct buf joined;
    bool is_good = json_is(tape, node, JSON_ARRAY) && json_count(tape, node) <= v->items_max;
    if (!is_good) {
        snprintf(why->text, sizeof why->text, "it must be a list of texts, %u at most", v->items_max);
        return false;
    }
    buf_init(&joined);
    for (uint32_t n = json_first(tape, node); is_good && n != JSON_NONE; n = json_next(tape, n)) {
        is_good = json_is(tape, n, JSON_STRING);
        if (!is_good) break;
        if (buf_len(&joined) || n != json_first(tape, node)) buf_append(&joined, join);
        buf_append(&joined, inner_of(json_raw(tape, n)));
    }
    bool is_short = buf_len(&joined) <= v->bytes_max;
    *value = arena_copy(arena, buf_slice(&joined));
    buf_clear(&joined);
    if (!is_good) return invalid(why, "it must be a list of texts");
    return is_short || too_long(why, v);
}

static bool read_json(const struct template_variable *v, const struct json_tape *tape, uint32_t node,
                      struct arena *arena, struct slice *value, struct template_refusal *why)
{
    struct slice raw = json_raw(tape, node);
    if (raw.len > v->bytes_max) return too_long(why, v);
    *value = template_escape(arena, raw);
    return true;
}

/* {"type":"input_image",…}, or the URL alone. Which of its members are good is the provider's to say. */
static bool read_media(const struct template_variable *v, const struct json_tape *tape, uint32_t node,
                       struct slice *value, struct template_refusal *why)
{
    static const char *const types[] = {
        [TEMPLATE_IMAGE] = "input_image", [TEMPLATE_FILE] = "input_file", [TEMPLATE_AUDIO] = "input_audio"};
    char must[160];
    bool is_typed = json_is(tape, node, JSON_OBJECT) &&
                    json_text_is(tape, json_get(tape, node, SLICE("type")), slice_str(types[v->type]));
    if (!is_typed && !json_is(tape, node, JSON_STRING)) {
        snprintf(must, sizeof must, "it must be {\"type\":\"%s\",…}, or a URL", types[v->type]);
        return invalid(why, must);
    }
    *value = json_raw(tape, node);
    return value->len <= v->bytes_max || too_long(why, v);
}

bool template_read_value(const struct template *t, const struct template_variable *v, const struct json_tape *tape,
                         uint32_t node, struct arena *arena, struct slice *value, struct template_refusal *why)
{
    switch ((enum template_type)v->type) {
    case TEMPLATE_TEXT: return read_text(v, tape, node, arena, value, why);
    case TEMPLATE_NUMBER:
    case TEMPLATE_INTEGER: return read_number(v, tape, node, value, why);
    case TEMPLATE_BOOLEAN:
        *value = json_raw(tape, node);
        return json_is(tape, node, JSON_TRUE) || json_is(tape, node, JSON_FALSE) ||
               invalid(why, "it must be true or false");
    case TEMPLATE_CHOICE: return read_choice(t, v, tape, node, value, why);
    case TEMPLATE_LIST: return read_list(t, v, tape, node, arena, value, why);
    case TEMPLATE_JSON: return read_json(v, tape, node, arena, value, why);
    case TEMPLATE_IMAGE:
    case TEMPLATE_FILE:
    case TEMPLATE_AUDIO: return read_media(v, tape, node, value, why);
    }
    return false;
}

static void name_it(struct template_refusal *why, struct slice name)
{
    snprintf(why->name, sizeof why->name, "%.*s", (int)(name.len < sizeof why->name ? name.len : sizeof why->name - 1),
             name.ptr ? name.ptr : "");
}

static uint32_t find(const struct template *t, const struct json_tape *tape, uint32_t member)
{
    uint32_t i = 0;
    while (i < t->variable_count && !json_key_is(tape, member, template_variable_name(t, i)))
        i++;
    return i;
}

static bool refuse_unknown(const struct template *t, struct slice name, struct arena *arena,
                           struct template_refusal *why)
{
    const char *known[LIMIT_TEMPLATE_VARIABLES];
    for (uint32_t i = 0; i < t->variable_count; i++)
        known[i] = arena_copy(arena, template_variable_name(t, i)).ptr;
    const char *near = nearest_word(name, known, t->variable_count);
    why->bad = TEMPLATE_BAD_UNKNOWN;
    name_it(why, name);
    snprintf(why->text, sizeof why->text, "the prompt has no such variable%s%s%s", near ? ": is meant " : "",
             near ? near : "", near ? "?" : "");
    return false;
}

static bool refuse_missing(const struct template *t, uint32_t variable, struct template_refusal *why)
{
    why->bad = TEMPLATE_BAD_MISSING;
    name_it(why, template_variable_name(t, variable));
    snprintf(why->text, sizeof why->text, "it is needed (%s), and not there",
             template_type_name(template_variable_type(t, variable)));
    return false;
}

static bool read_given(const struct template *t, const struct json_tape *tape, uint32_t given, struct arena *arena,
                       struct slice *values, struct template_refusal *why)
{
    for (uint32_t n = json_first(tape, given); n != JSON_NONE; n = json_next(tape, n)) {
        uint32_t i = find(t, tape, n);
        if (i == t->variable_count) return refuse_unknown(t, json_key_text(tape, n, arena), arena, why);
        name_it(why, template_variable_name(t, i));
        if (values[i].ptr) return invalid(why, "it stands twice");
        if (!template_read_value(t, &t->variables[i], tape, n, arena, &values[i], why)) return false;
    }
    return true;
}

bool template_read(const struct template *t, const struct json_tape *tape, uint32_t given, struct arena *arena,
                   struct slice *values, struct template_refusal *why)
{
    *why = (struct template_refusal){.bad = TEMPLATE_BAD_INVALID};
    for (uint32_t i = 0; i < t->variable_count; i++)
        values[i] = SLICE_NONE;
    if (given != JSON_NONE && !json_is(tape, given, JSON_NULL)) {
        if (!json_is(tape, given, JSON_OBJECT)) return invalid(why, "variables must be an object, by name");
        if (!read_given(t, tape, given, arena, values, why)) return false;
    }
    for (uint32_t i = 0; i < t->variable_count; i++) {
        if (values[i].ptr) continue;
        if (template_variable_is_required(t, i)) return refuse_missing(t, i, why);
        values[i] = template_text_of(t, t->variables[i].value);
    }
    return true;
}
