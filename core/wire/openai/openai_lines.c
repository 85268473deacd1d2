#include "wire/openai/openai_lines.h"

#include "base/limits.h"
#include "wire/dialect.h"

/* What a line may ask for. Source: OpenAI API reference, "The request input object" of batches. */
static const struct asked {
    struct slice url;
    const struct dialect *dialect;
    enum chat_kind kind;
} askeds[] = {{{"/v1/chat/completions", 20}, &dialect_openai, CHAT_CHAT},
              {{"/v1/responses", 13}, &dialect_responses, CHAT_CHAT},
              {{"/v1/completions", 15}, &dialect_openai, CHAT_COMPLETIONS},
              {{"/v1/embeddings", 14}, &dialect_openai, CHAT_EMBEDDINGS},
              {{"/v1/moderations", 15}, &dialect_openai, CHAT_MODERATIONS},
              {{"/v1/images/generations", 22}, &dialect_openai, CHAT_IMAGES},
              {{"/v1/images/edits", 16}, &dialect_openai, CHAT_IMAGE_EDITS}};

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

static bool refuse_for(struct lines *l, const struct fault *why)
{
    return fault_set(l->why, FAULT_BAD_BODY, "line %zu of the batch's file: %s", l->number, fault_message(why));
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

static const struct asked *asked_of(const struct lines *l)
{
    uint32_t url = json_get(&l->tape, 0, SLICE("url"));
    for (size_t i = 0; json_is(&l->tape, url, JSON_STRING) && i < sizeof askeds / sizeof askeds[0]; i++)
        if (json_text_is(&l->tape, url, askeds[i].url)) return &askeds[i];
    return NULL;
}

/* What the line's request does the file does. */
static bool take(struct lines *l, const struct chat_request *line)
{
    l->r->uses |= line->uses;
    for (uint32_t i = 0; i < line->kept_count; i++) {
        struct fault why;
        if (!kept_add(l->r, l->arena, line->kept[i].kind, line->kept[i].id, &why)) return refuse_for(l, &why);
    }
    return note(l, line->model);
}

/* As its path would read it, were it asked for alone. */
static bool read_body(struct lines *l, const struct asked *asked, struct slice body)
{
    struct arena text;
    struct chat_request line;
    struct fault why;
    arena_init(&text);
    chat_init(&line);
    bool is_read = chat_parse(&line, asked->dialect, body, asked->kind, &text, &why);
    bool is_good = is_read ? take(l, &line) : refuse_for(l, &why);
    chat_clear(&line);
    arena_clear(&text);
    return is_good;
}

/* Of two of a name one is judged, and the other may be run. */
static bool read_line(struct lines *l, struct slice line)
{
    struct fault unread;
    const struct json_tape *tape = &l->tape;
    if (!json_parse(&l->tape, line, &unread)) return refuse(l, "is no JSON");
    uint32_t body = json_get(tape, 0, SLICE("body"));
    const struct asked *asked = asked_of(l);
    if (json_has_duplicate(tape, 0, SLICE("body")) || json_has_duplicate(tape, 0, SLICE("url")))
        return refuse(l, "gives \"body\" or \"url\" twice; give it once");
    if (!asked) return refuse(l, "has no \"url\" of those that are served, such as \"/v1/chat/completions\"");
    if (!json_is(tape, body, JSON_OBJECT)) return refuse(l, "has no \"body\"");
    return read_body(l, asked, json_raw(tape, body));
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
