#include "wire/openai/openai_lines.h"

#include "base/limits.h"

struct lines {
    struct chat_request *r;
    struct json_tape tape; /* of one line */
    struct arena *arena;
    struct fault *why;
    size_t number;
};

static bool refuse(struct lines *l, const char *what)
{
    return fault_set(l->why, FAULT_BAD_BODY, "line %zu of the batch's file %s", l->number, what);
}

static bool is_noted(const struct chat_request *r, struct slice model)
{
    for (uint32_t i = 0; i < r->line_model_count; i++) {
        if (slice_equal(r->line_models[i], model)) return true;
    }
    return false;
}

static bool note(struct lines *l, struct slice model)
{
    struct chat_request *r = l->r;
    if (is_noted(r, model)) return true;
    if (!model.len || model.len > LIMIT_MODEL_BYTES) return refuse(l, "names a model that is empty or too long");
    if (r->line_model_count == LIMIT_LINE_MODELS) return refuse(l, "names one model more than a file may");
    if (!r->line_models) r->line_models = arena_alloc(l->arena, LIMIT_LINE_MODELS * sizeof *r->line_models);
    r->line_models[r->line_model_count++] = arena_copy(l->arena, model);
    return true;
}

/* Of two of a name one is judged, and the other may be run. */
static bool read_line(struct lines *l, struct slice line)
{
    struct fault unread;
    const struct json_tape *tape = &l->tape;
    if (!json_parse(&l->tape, line, &unread)) return refuse(l, "is no JSON");
    uint32_t body = json_get(tape, 0, SLICE("body")), model = json_get(tape, body, SLICE("model"));
    if (json_has_duplicate(tape, 0, SLICE("body")) || json_has_duplicate(tape, body, SLICE("model")))
        return refuse(l, "gives \"body\" or its \"model\" twice; give it once");
    if (!json_is(tape, model, JSON_STRING)) return refuse(l, "names no model in its \"body\"");
    struct arena text;
    arena_init(&text);
    bool is_good = note(l, json_text(tape, model, &text));
    arena_clear(&text);
    return is_good;
}

static bool read_all(struct lines *l, struct slice text)
{
    while (text.len) {
        struct slice line = slice_trim(slice_split(text, '\n', &text));
        l->number++;
        if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
        if (line.len && !read_line(l, line)) return false;
    }
    return true;
}

bool openai_read_lines(struct chat_request *r, uint32_t purpose, uint32_t file, struct arena *arena, struct fault *why)
{
    struct lines l = {.r = r, .arena = arena, .why = why};
    struct arena text;
    uint32_t node = json_get(&r->tape, file, SLICE("text"));
    if (!json_text_is(&r->tape, purpose, SLICE("batch"))) return true;
    if (!json_is(&r->tape, node, JSON_STRING))
        return fault_set(why, FAULT_BAD_BODY,
                         "the file of a batch is a part \"file\" of the form, with a filename, of lines in UTF-8");
    arena_init(&text);
    json_init(&l.tape);
    bool is_good = read_all(&l, json_text(&r->tape, node, &text));
    json_clear(&l.tape);
    arena_clear(&text);
    return is_good;
}
