#include "exchange/lines.h"

#include "base/limits.h"
#include "exchange/api.h"

struct lines {
    struct chat_request *r;
    struct slice text; /* that is left */
    struct arena *arena;
    size_t number;
    bool has_text;
};

/* Its purpose begins so, whatever the provider calls it to the end. */
bool lines_are_in(const struct chat_request *r)
{
    struct arena arena;
    uint32_t purpose = r->kind == CHAT_FILES ? json_get(&r->tape, 0, SLICE("purpose")) : JSON_NONE;
    if (!json_is(&r->tape, purpose, JSON_STRING)) return false;
    arena_init(&arena);
    struct slice text = json_text(&r->tape, purpose, &arena);
    bool is_so = text.len >= 5 && slice_iequal(slice_of(text.ptr, 5), SLICE("batch"));
    arena_clear(&arena);
    return is_so;
}

struct lines *lines_new(struct chat_request *r, struct slice text, struct arena *arena)
{
    struct lines *l = arena_zalloc(arena, sizeof *l);
    *l = (struct lines){.r = r, .text = text, .arena = arena, .has_text = text.ptr != NULL};
    return l;
}

/* ---- One line. */

static bool refuse(const struct lines *l, struct fault *why, const char *what)
{
    return fault_set(why, FAULT_BAD_BODY, "line %zu of the batch's file %s", l->number, what);
}

static bool is_noted(const struct chat_request *r, struct slice model)
{
    for (uint32_t i = 0; i < r->line_model_count; i++) {
        if (slice_equal(r->line_models[i], model)) return true;
    }
    return false;
}

static bool note_model(struct lines *l, struct slice model, struct fault *why)
{
    struct chat_request *r = l->r;
    if (is_noted(r, model)) return true;
    if (r->line_model_count == LIMIT_LINE_MODELS) return refuse(l, why, "names one model more than a file may");
    if (!r->line_models) r->line_models = arena_alloc(l->arena, LIMIT_LINE_MODELS * sizeof *r->line_models);
    r->line_models[r->line_model_count++] = arena_copy(l->arena, model);
    return true;
}

static bool note_kept(struct lines *l, const struct chat_request *line, struct fault *why)
{
    for (uint32_t i = 0; i < line->kept_count; i++) {
        if (!kept_add(l->r, l->arena, line->kept[i].kind, line->kept[i].id, why)) return false;
    }
    return true;
}

/* The row of that path, whoever asks for it. */
static const struct api *api_of(const struct json_tape *tape, uint32_t url)
{
    const struct api *api = NULL;
    for (size_t i = 0; (api = api_at(i)) != NULL; i++) {
        bool is_call = api->kind == API_CALL && !api->stands_for && !api->names_model && !api->is_free;
        if (is_call && json_text_is(tape, url, slice_str(api->path))) return api;
    }
    return NULL;
}

static const struct api *api_asked(const struct json_tape *tape, uint32_t url, uint32_t body)
{
    if (url != JSON_NONE) return api_of(tape, url);
    if (json_get(tape, body, SLICE("messages")) != JSON_NONE) return api_find(SLICE("chat"));
    return json_get(tape, body, SLICE("prompt")) != JSON_NONE ? api_find(SLICE("completions")) : NULL;
}

/* A batch is made for one, which judged them. */
static bool note_endpoint(struct lines *l, const struct api *api, struct fault *why)
{
    struct slice *all = &l->r->lines_endpoint, one = slice_str(api->path);
    if (all->len && !slice_equal(*all, one))
        return refuse(l, why, "is for another \"url\" than those before; a batch is of one: upload a file for each");
    *all = one;
    return true;
}

/* As its own reader says it, with the line's number before it. */
static bool read_body(struct lines *l, const struct api *api, struct slice body, struct arena *arena, struct fault *why)
{
    struct chat_request line;
    struct fault unread;
    chat_init(&line);
    bool is_read = chat_parse(&line, api->client, body, api->asks, arena, &unread);
    if (!is_read)
        fault_set(why, FAULT_BAD_BODY, "line %zu of the batch's file: %s", l->number, fault_message(&unread));
    l->r->uses |= line.uses;
    bool is_good = is_read && note_model(l, line.model, why) && note_kept(l, &line, why);
    chat_clear(&line);
    return is_good;
}

/* Of two names that a provider may take for one, one would be judged and the other run. */
static bool is_plain(const struct json_tape *tape, struct arena *arena)
{
    static const struct slice names[] = {{"url", 3}, {"body", 4}};
    for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n)) {
        struct slice key = json_key_text(tape, n, arena);
        for (size_t i = 0; i < 2; i++) {
            if (slice_iequal(key, names[i]) && !slice_equal(key, names[i])) return false;
        }
    }
    return !json_has_duplicate(tape, 0, names[0]) && !json_has_duplicate(tape, 0, names[1]);
}

static bool read_parsed(struct lines *l, const struct json_tape *tape, struct arena *arena, struct fault *why)
{
    if (!json_is(tape, 0, JSON_OBJECT)) return refuse(l, why, "is no JSON object");
    if (!is_plain(tape, arena))
        return refuse(l, why, "gives \"url\" or \"body\" twice, or in other letters; give each once, in lower case");
    uint32_t url = json_get(tape, 0, SLICE("url")), body = json_get(tape, 0, SLICE("body"));
    if (!json_is(tape, body, JSON_OBJECT)) return refuse(l, why, "has no \"body\", which must be an object");
    const struct api *api = api_asked(tape, url, body);
    if (!api) return refuse(l, why, "names no \"url\" that is served in batches, such as \"/v1/chat/completions\"");
    return note_endpoint(l, api, why) && read_body(l, api, json_raw(tape, body), arena, why);
}

static bool read_line(struct lines *l, struct slice line, struct fault *why)
{
    struct json_tape tape;
    struct arena arena;
    struct fault unread;
    json_init(&tape);
    arena_init(&arena);
    bool is_read = json_parse(&tape, line, &unread);
    bool is_good = is_read ? read_parsed(l, &tape, &arena, why) : refuse(l, why, "is no JSON");
    arena_clear(&arena);
    json_clear(&tape);
    return is_good;
}

static struct slice next_line(struct slice *text)
{
    struct slice line = slice_trim(slice_split(*text, '\n', text));
    if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
    return line;
}

enum lines_state lines_step(struct lines *l, size_t bytes, struct fault *why)
{
    if (!l->has_text) {
        fault_set(why, FAULT_BAD_BODY,
                  "the file of a batch is a part \"file\" of the form, with a filename, of lines in UTF-8");
        return LINES_BAD;
    }
    size_t from = l->text.len;
    while (l->text.len && from - l->text.len < bytes) {
        struct slice line = next_line(&l->text);
        l->number++;
        if (line.len && !read_line(l, line, why)) return LINES_BAD;
    }
    return l->text.len ? LINES_MORE : LINES_READ;
}
