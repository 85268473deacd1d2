#include "wire/kept.h"

#include "base/limits.h"
#include "wire/chat.h"
#include "wire/content.h"

/* How a member's value names one. */
enum form {
    FORM_ANY = 1,   /* a text, a list of texts, or an object with an "id" */
    FORM_OBJECT,    /* an object with an "id" alone: a text means something else */
};

static const struct place {
    struct slice name;
    enum kept_kind kind;
    enum form form;
} places[] = {
    {{"file_id", 7}, KEPT_FILE, FORM_ANY},
    {{"file_ids", 8}, KEPT_FILE, FORM_ANY},
    {{"input_file_id", 13}, KEPT_FILE, FORM_ANY},
    {{"container", 9}, KEPT_CONTAINER, FORM_ANY},
    {{"container_id", 12}, KEPT_CONTAINER, FORM_ANY},
    {{"vector_store_id", 15}, KEPT_STORE, FORM_ANY},
    {{"vector_store_ids", 16}, KEPT_STORE, FORM_ANY},
    {{"document_library_ids", 20}, KEPT_STORE, FORM_ANY},
    {{"collection_ids", 14}, KEPT_STORE, FORM_ANY},
    {{"skill_id", 8}, KEPT_SKILL, FORM_ANY},
    {{"audio", 5}, KEPT_VOICE, FORM_OBJECT},
    {{"voice", 5}, KEPT_VOICE, FORM_OBJECT},
};
#define PLACES (sizeof places / sizeof places[0])

/* How their names begin, and how long they are. */
static const struct json_keys place_keys = {{JSON_KEYS_OF('f') = 1u << 7 | 1u << 8,
                                             JSON_KEYS_OF('i') = 1u << 13,
                                             JSON_KEYS_OF('c') = 1u << 9 | 1u << 12 | 1u << 14,
                                             JSON_KEYS_OF('v') = 1u << 5 | 1u << 15 | 1u << 16,
                                             JSON_KEYS_OF('d') = 1u << 20,
                                             JSON_KEYS_OF('s') = 1u << 8,
                                             JSON_KEYS_OF('a') = 1u << 5}};

/* In which names are the caller's. */
static const struct slice foreign[] = {
    {"parameters", 10}, {"input_schema", 12}, {"input_examples", 14}, {"schema", 6}, {"metadata", 8}};

const char *kept_name(enum kept_kind kind)
{
    static const char *const names[KEPT_KINDS] = {"response", "conversation", "item",  "container", "file",
                                                  "store",    "skill",        "voice", "batch",     "lines"};
    return names[kind];
}

static bool is_noted(const struct chat_request *r, struct slice id)
{
    for (uint32_t i = 0; i < r->kept_count; i++)
        if (slice_equal(r->kept[i].id, id)) return true;
    return false;
}

bool kept_add(struct chat_request *r, struct arena *arena, enum kept_kind kind, struct slice id, struct fault *why)
{
    if (is_noted(r, id)) return true;
    if (!id.len || id.len > LIMIT_KEPT_ID_BYTES)
        return fault_set(why, FAULT_BAD_BODY, "the id of a %s must be a text of 1 to %u bytes", kept_name(kind),
                         LIMIT_KEPT_ID_BYTES);
    if (r->kept_count == LIMIT_KEPT)
        return fault_set(why, FAULT_BAD_BODY, "at most %u files and other objects that the provider keeps may be named",
                         LIMIT_KEPT);
    if (!r->kept) r->kept = arena_alloc(arena, LIMIT_KEPT * sizeof *r->kept);
    r->kept[r->kept_count++] = (struct kept_object){kind, arena_copy(arena, id)};
    r->uses |= CHAT_USES_STORED;
    return true;
}

struct finding {
    struct chat_request *r;
    struct arena *arena;
    struct fault *why;
};

static bool add_text(const struct finding *f, enum kept_kind kind, uint32_t node)
{
    const struct json_tape *tape = &f->r->tape;
    if (!json_is(tape, node, JSON_STRING)) return true;
    return kept_add(f->r, f->arena, kind, json_text(tape, node, f->arena), f->why);
}

static bool add_ids(const struct finding *f, enum kept_kind kind, uint32_t object)
{
    const struct json_tape *tape = &f->r->tape;
    for (uint32_t n = json_first(tape, object); n != JSON_NONE; n = json_next(tape, n)) {
        if (slice_iequal(json_key_text(tape, n, f->arena), SLICE("id")) && !add_text(f, kind, n)) return false;
    }
    return true;
}

static bool add_list(const struct finding *f, enum kept_kind kind, uint32_t list)
{
    const struct json_tape *tape = &f->r->tape;
    for (uint32_t n = json_first(tape, list); n != JSON_NONE; n = json_next(tape, n)) {
        if (!add_text(f, kind, n)) return false;
    }
    return true;
}

/* Anthropic's own skills are nobody's: {"type":"anthropic","skill_id":"pptx"}. */
static bool is_vendors(const struct json_tape *tape, uint32_t object)
{
    return content_is_of_type(tape, object, SLICE("anthropic")) && !json_has_duplicate(tape, object, SLICE("type"));
}

static bool add_value(const struct finding *f, const struct place *place, uint32_t node)
{
    const struct json_tape *tape = &f->r->tape;
    if (json_is(tape, node, JSON_OBJECT)) return add_ids(f, place->kind, node);
    if (place->form == FORM_OBJECT) return true;
    return json_is(tape, node, JSON_ARRAY) ? add_list(f, place->kind, node) : add_text(f, place->kind, node);
}

static bool is_name(struct slice key, struct slice name)
{
    return key.len == name.len && (key.ptr[0] | 0x20) == name.ptr[0] && slice_iequal(key, name);
}

static const struct place *place_of(struct slice key)
{
    for (size_t i = 0; i < PLACES; i++)
        if (is_name(key, places[i].name)) return &places[i];
    return NULL;
}

static bool is_foreign(struct slice key)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (slice_equal(key, foreign[i])) return true;
    return false;
}

/* What a shell works in is named there, and tools that a search found are offered, whoever else may have the name. */
static bool is_workplace(struct slice key)
{
    return slice_iequal(key, SLICE("environment")) || slice_equal(key, SLICE("tools"));
}

/* Is it no name after all? Of a vendor's own, and in what is of the caller's own making. */
static bool is_passed(const struct finding *f, const struct place *place, uint32_t outer, uint32_t node, bool is_format)
{
    if (place->kind == KEPT_SKILL && is_vendors(&f->r->tape, outer)) return true;
    return !is_format && content_is_callers(f->r, node);
}

/* Depth is bounded by the tape's. is_format: nothing in it is of the caller's own making. */
static bool find_in(const struct finding *f, uint32_t outer, bool is_format)
{
    const struct json_tape *tape = &f->r->tape;
    for (uint32_t n = json_first(tape, outer); n != JSON_NONE; n = json_next(tape, n)) {
        struct slice key = json_key_text(tape, n, f->arena);
        const struct place *place = key.len ? place_of(key) : NULL;
        if (place && !is_passed(f, place, outer, n, is_format) && !add_value(f, place, n)) return false;
        if (json_type(tape, n) < JSON_ARRAY || is_foreign(key)) continue;
        if (!find_in(f, n, is_format || is_workplace(key))) return false;
    }
    return true;
}

/* Most requests name nothing, which is seen sooner than what stands in what. */
static bool has_place(const struct finding *f)
{
    const struct json_tape *tape = &f->r->tape;
    for (uint32_t n = json_next_key(tape, 0, &place_keys); n != JSON_NONE; n = json_next_key(tape, n, &place_keys)) {
        struct slice key = json_key_text(tape, n, f->arena);
        if (key.len && place_of(key)) return true;
    }
    return false;
}

bool kept_add_ids(struct chat_request *r, struct arena *arena, enum kept_kind kind, uint32_t object, struct fault *why)
{
    struct finding f = {.r = r, .arena = arena, .why = why};
    return add_ids(&f, kind, object);
}

struct slice kept_lines(struct arena *arena, struct slice file, struct slice endpoint)
{
    if (slice_starts(endpoint, SLICE("/v1/"))) endpoint = slice_of(endpoint.ptr + 3, endpoint.len - 3);
    return arena_printf(arena, "%.*s %.*s", SLICE_FMT(file), SLICE_FMT(endpoint));
}

/* What it asks for was judged by its lines, each for its own endpoint. */
static bool add_lines(const struct finding *f)
{
    const struct json_tape *tape = &f->r->tape;
    uint32_t file = json_get(tape, 0, SLICE("input_file_id")), endpoint = json_get(tape, 0, SLICE("endpoint"));
    if (!json_is(tape, file, JSON_STRING) || !json_is(tape, endpoint, JSON_STRING))
        return fault_set(f->why, FAULT_BAD_BODY, "\"input_file_id\" and \"endpoint\" of a batch must be strings");
    struct slice lines = kept_lines(f->arena, json_text(tape, file, f->arena), json_text(tape, endpoint, f->arena));
    return kept_add(f->r, f->arena, KEPT_LINES, lines, f->why);
}

bool kept_find(struct chat_request *r, struct arena *arena, struct fault *why)
{
    struct finding f = {.r = r, .arena = arena, .why = why};
    bool is_found = !has_place(&f) || find_in(&f, 0, false);
    return is_found && (r->kind != CHAT_BATCHES || add_lines(&f));
}
