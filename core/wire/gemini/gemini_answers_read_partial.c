#include "base/hash.h"
#include "base/limits.h"
#include "wire/gemini/gemini_answers.h"

/* ---- paths: $.operations[0].action, $['a b'] */

struct path {
    struct gemini_partial_step steps[GEMINI_PARTIAL_DEPTH];
    uint32_t depth;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* [12]; false: it is none. */
static bool read_index(struct slice *rest, struct gemini_partial_step *step)
{
    size_t at = 1;
    *step = (struct gemini_partial_step){.is_list = true};
    for (; at < rest->len && at < 9 && is_digit(rest->ptr[at]); at++)
        step->index = step->index * 10 + (uint32_t)(rest->ptr[at] - '0');
    if (at == 1 || at >= rest->len || rest->ptr[at] != ']') return false;
    *rest = slice_of(rest->ptr + at + 1, rest->len - at - 1);
    return true;
}

/* ['a b'] or ["a b"]; there are no quotes in it. */
static bool read_quoted(struct slice *rest, struct gemini_partial_step *step)
{
    char quote = rest->len > 1 ? rest->ptr[1] : '\0';
    const char *end = rest->len > 2 ? memchr(rest->ptr + 2, quote, rest->len - 2) : NULL;
    if ((quote != '\'' && quote != '"') || !end || end + 1 >= rest->ptr + rest->len || end[1] != ']') return false;
    *step = (struct gemini_partial_step){.key = slice_of(rest->ptr + 2, (size_t)(end - rest->ptr - 2))};
    *rest = slice_of(end + 2, (size_t)(rest->ptr + rest->len - end - 2));
    return true;
}

static bool read_name(struct slice *rest, struct gemini_partial_step *step)
{
    size_t len = 1;
    while (len < rest->len && rest->ptr[len] != '.' && rest->ptr[len] != '[')
        len++;
    *step = (struct gemini_partial_step){.key = slice_of(rest->ptr + 1, len - 1)};
    *rest = slice_of(rest->ptr + len, rest->len - len);
    return len > 1;
}

static bool read_step(struct slice *rest, struct gemini_partial_step *step)
{
    if (rest->ptr[0] == '.') return read_name(rest, step);
    return rest->ptr[0] == '[' && (read_index(rest, step) || read_quoted(rest, step));
}

static bool read_path(struct slice text, struct path *path)
{
    path->depth = 0;
    if (!slice_starts(text, SLICE("$"))) return false;
    for (struct slice rest = slice_of(text.ptr + 1, text.len - 1); rest.len;) {
        if (path->depth == GEMINI_PARTIAL_DEPTH || !read_step(&rest, &path->steps[path->depth++])) return false;
    }
    return path->depth > 0 && !path->steps[0].is_list;
}

/* ---- what is written */

static bool is_same(const struct gemini_partial_step *a, const struct gemini_partial_step *b)
{
    return a->is_list == b->is_list && (a->is_list ? a->index == b->index : slice_equal(a->key, b->key));
}

static void end_text(struct gemini_partial *p)
{
    if (p->in_text) buf_append_char(&p->json, '"');
    p->in_text = false;
}

static void close_to(struct gemini_partial *p, uint32_t depth)
{
    end_text(p);
    while (p->depth > depth)
        buf_append_char(&p->json, p->steps[--p->depth].is_list ? ']' : '}');
}

static void write_step(struct gemini_partial *p, const struct gemini_partial_step *step)
{
    if (step->is_list) return;
    buf_append_json(&p->json, step->key);
    buf_append_char(&p->json, ':');
}

static struct slice place_at(const void *partial, uint32_t item)
{
    const struct gemini_partial *p = partial;
    return slice_of(buf_ptr(&p->places) + item * sizeof(uint64_t), sizeof(uint64_t));
}

static uint64_t place_of(const struct gemini_partial *p, uint32_t at)
{
    const struct gemini_partial_step *step = &p->steps[at];
    uint64_t above = at ? p->steps[at - 1].place : 0;
    struct slice index = slice_of((const char *)&step->index, sizeof step->index);
    return hash_bytes(step->is_list ? index : step->key, above * 2 + step->is_list);
}

/* False: the member was begun before, and left. */
static bool note_begun(struct gemini_partial *p, const struct gemini_partial_step *step)
{
    uint32_t item;
    struct slice place = slice_of((const char *)&step->place, sizeof step->place);
    if (step->is_list) return true;
    if (map_find(&p->begun, place, &item)) return false;
    buf_append(&p->places, place);
    map_add(&p->begun, (uint32_t)(buf_len(&p->places) / sizeof step->place - 1));
    return true;
}

/* Opens what is to hold the value, one container after the other. False: it was closed before. */
static bool open_from(struct gemini_partial *p, const struct path *path, uint32_t from)
{
    for (uint32_t i = from; i < path->depth; i++) {
        struct gemini_partial_step *step = &p->steps[i];
        if (i < p->depth)
            buf_append_char(&p->json, ',');
        else
            buf_append_char(&p->json, path->steps[i].is_list ? '[' : '{');
        *step = path->steps[i];
        step->key = arena_copy(&p->names, step->key);
        step->place = place_of(p, i);
        if (!note_begun(p, step)) return false;
        write_step(p, step);
    }
    p->depth = path->depth;
    return true;
}

/* Of a list the next one, and of a new one the first: what lies before has been left. */
static bool is_next(const struct gemini_partial *p, const struct path *path, uint32_t at)
{
    const struct gemini_partial_step *step = &path->steps[at];
    bool is_open = at < p->depth;
    if (is_open && p->steps[at].is_list != step->is_list) return false;
    if (!step->is_list) return true;
    return step->index == (is_open ? p->steps[at].index + 1 : 0);
}

/* False: it cannot stand there. */
static bool move_to(struct gemini_partial *p, const struct path *path)
{
    uint32_t same = 0;
    while (same < p->depth && same < path->depth && is_same(&p->steps[same], &path->steps[same]))
        same++;
    if (same == path->depth) return same == p->depth && p->in_text; /* the text that goes on */
    if (same == p->depth && same) return false; /* a value has no members */
    close_to(p, same + 1 < p->depth ? same + 1 : p->depth);
    for (uint32_t i = same; i < path->depth; i++) {
        if (!is_next(p, path, i)) return false;
    }
    return open_from(p, path, same);
}

static void add_text(struct gemini_partial *p, struct slice raw)
{
    if (!p->in_text) buf_append_char(&p->json, '"');
    p->in_text = true;
    buf_append(&p->json, slice_of(raw.ptr + 1, raw.len - 2));
}

static bool add_value(struct gemini_partial *p, const struct json_tape *tape, uint32_t argument)
{
    uint32_t text = json_get(tape, argument, SLICE("stringValue"));
    uint32_t number = json_get(tape, argument, SLICE("numberValue"));
    uint32_t flag = json_get(tape, argument, SLICE("boolValue"));
    bool goes_on = json_is(tape, json_get(tape, argument, SLICE("willContinue")), JSON_TRUE);
    if (json_is(tape, text, JSON_STRING)) {
        add_text(p, json_raw(tape, text));
        if (!goes_on) end_text(p);
        return true;
    }
    if (p->in_text) return false;
    bool is_flag = json_is(tape, flag, JSON_TRUE) || json_is(tape, flag, JSON_FALSE);
    if (json_is(tape, number, JSON_NUMBER))
        buf_append(&p->json, json_raw(tape, number));
    else
        buf_append(&p->json, is_flag ? json_raw(tape, flag) : SLICE("null"));
    return is_flag || json_is(tape, number, JSON_NUMBER) ||
           json_get(tape, argument, SLICE("nullValue")) != JSON_NONE;
}

static bool add(struct gemini_partial *p, const struct json_tape *tape, uint32_t argument)
{
    struct path path;
    struct arena scratch;
    uint32_t text = json_get(tape, argument, SLICE("jsonPath"));
    arena_init(&scratch);
    bool is_good = json_is(tape, text, JSON_STRING) && read_path(json_text(tape, text, &scratch), &path) &&
                   move_to(p, &path) && add_value(p, tape, argument);
    arena_clear(&scratch);
    return is_good && buf_len(&p->json) <= LIMIT_RESPONSE_INSPECT_BYTES;
}

void gemini_partial_init(struct gemini_partial *partial)
{
    buf_init(&partial->json);
    buf_init(&partial->places);
    arena_init(&partial->names);
    map_init(&partial->begun, place_at, partial);
}

void gemini_partial_begin(struct gemini_partial *partial)
{
    buf_reset(&partial->json);
    buf_reset(&partial->places);
    map_clear(&partial->begun);
    arena_clear(&partial->names);
    partial->depth = 0;
    partial->in_text = false;
}

bool gemini_partial_add(struct gemini_partial *partial, const struct json_tape *tape, uint32_t arguments)
{
    if (!json_is(tape, arguments, JSON_ARRAY)) return false;
    for (uint32_t n = json_first(tape, arguments); n != JSON_NONE; n = json_next(tape, n)) {
        if (!add(partial, tape, n)) return false;
    }
    return true;
}

bool gemini_partial_end(struct gemini_partial *partial)
{
    bool is_whole = !partial->in_text;
    close_to(partial, 0);
    if (!buf_len(&partial->json)) buf_append(&partial->json, SLICE("{}"));
    return is_whole;
}

void gemini_partial_clear(struct gemini_partial *partial)
{
    buf_clear(&partial->json);
    buf_clear(&partial->places);
    map_clear(&partial->begun);
    arena_clear(&partial->names);
}
