#include "wire/prompt/prompt_inner.h"

#include <openssl/sha.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/nearest.h"
#include "wire/canonical.h"

struct compiling {
    const struct json_tape *tape;
    struct template_error *why;
    struct arena *arena;
    struct prompt_head head;
    struct buf template, fields, names, pool;
};

static const char *const members[] = {"messages", "variables", "insert_at", "model", "parameters", "tools",
                                      "response_format", "open", "apps", "data", "cases"};
#define MEMBERS (sizeof members / sizeof members[0])

static bool refuse(struct compiling *c, const char *format, const char *name, const char *more)
{
    *c->why = (struct template_error){.message = TEMPLATE_NO_MESSAGE};
    snprintf(c->why->text, sizeof c->why->text, format, name, more);
    return false;
}

static bool is_one_of(struct slice name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(name, slice_str(names[i]))) return true;
    }
    return false;
}

static bool check_members(struct compiling *c)
{
    if (!json_is(c->tape, 0, JSON_OBJECT)) return refuse(c, "%s%s", "a version's content must be an object", "");
    for (uint32_t n = json_first(c->tape, 0); n != JSON_NONE; n = json_next(c->tape, n)) {
        struct slice key = arena_copy(c->arena, json_key_text(c->tape, n, c->arena));
        const char *near = nearest_word(key, members, MEMBERS);
        if (!is_one_of(key, members, MEMBERS))
            return refuse(c, "a prompt has no field %.64s%.80s", key.ptr,
                          near ? arena_printf(c->arena, ": is meant %s?", near).ptr : "");
        if (json_has_duplicate(c->tape, 0, key)) return refuse(c, "%.64s stands twice%s", key.ptr, "");
    }
    return true;
}

static uint32_t member(const struct compiling *c, const char *name)
{
    uint32_t node = json_get(c->tape, 0, slice_str(name));
    return json_is(c->tape, node, JSON_NULL) ? JSON_NONE : node;
}

static struct prompt_text keep(struct compiling *c, struct slice text)
{
    struct prompt_text kept = {(uint32_t)buf_len(&c->pool), (uint32_t)text.len};
    buf_append(&c->pool, text);
    return kept;
}

/* Texts, each of at most 128 bytes, 64 at most. */
static bool read_names(struct compiling *c, const char *name, uint32_t *count)
{
    uint32_t list = member(c, name);
    if (list == JSON_NONE) return true;
    if (!json_is(c->tape, list, JSON_ARRAY) || json_count(c->tape, list) > LIMIT_TEMPLATE_VARIABLES)
        return refuse(c, "%s must be a list of names, 64 at most%s", name, "");
    for (uint32_t n = json_first(c->tape, list); n != JSON_NONE; n = json_next(c->tape, n)) {
        struct slice text = json_is(c->tape, n, JSON_STRING) ? json_text(c->tape, n, c->arena) : SLICE_NONE;
        if (text.len == 0 || text.len > PROMPT_NAME_BYTES)
            return refuse(c, "%s must be a list of names, each of 1 to 128 bytes%s", name, "");
        struct prompt_text kept = keep(c, text);
        buf_append(&c->names, slice_of((const char *)&kept, sizeof kept));
        ++*count;
    }
    return true;
}

static bool is_opened(struct compiling *c, struct slice name)
{
    uint32_t open = member(c, "open");
    for (uint32_t n = open == JSON_NONE ? open : json_first(c->tape, open); n != JSON_NONE; n = json_next(c->tape, n)) {
        if (json_text_is(c->tape, n, name)) return true;
    }
    return false;
}

static bool add_field(struct compiling *c, struct slice name, uint32_t value)
{
    struct buf json;
    struct fault why;
    buf_init(&json);
    bool is_good = canonical_append(c->tape, value, &json, &why);
    struct prompt_member field = {.name = keep(c, name), .is_open = is_opened(c, name)};
    field.json = keep(c, buf_slice(&json));
    buf_clear(&json);
    if (!is_good) return refuse(c, "%.64s: %.160s", arena_copy(c->arena, name).ptr, why.text);
    buf_append(&c->fields, slice_of((const char *)&field, sizeof field));
    c->head.field_count++;
    return true;
}

/* The caller's own, or the prompt's by other means. */
static const char *const not_parameters[] = {
    "messages", "model", "stream", "stream_options", "user", "metadata", "store", "prompt", "system", "tools",
    "response_format", "functions", "input", "max_completion_tokens", "instructions",
};

static bool is_parameter(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!((name.ptr[i] >= 'a' && name.ptr[i] <= 'z') || name.ptr[i] == '_')) return false;
    }
    return name.len && name.len <= 64 &&
           !is_one_of(name, not_parameters, sizeof not_parameters / sizeof not_parameters[0]);
}

static bool read_parameters(struct compiling *c)
{
    uint32_t object = member(c, "parameters");
    if (object == JSON_NONE) return true;
    if (!json_is(c->tape, object, JSON_OBJECT) || json_count(c->tape, object) > LIMIT_TEMPLATE_VARIABLES)
        return refuse(c, "%s%s", "parameters must be an object by name, as the chat API has them", "");
    for (uint32_t n = json_first(c->tape, object); n != JSON_NONE; n = json_next(c->tape, n)) {
        struct slice name = arena_copy(c->arena, json_key_text(c->tape, n, c->arena));
        if (!is_parameter(name)) return refuse(c, "parameters.%.64s: a prompt cannot set it there%s", name.ptr, "");
        if (!add_field(c, name, n)) return false;
    }
    return true;
}

static bool read_settings(struct compiling *c)
{
    uint32_t tools = member(c, "tools"), format = member(c, "response_format");
    uint32_t model = member(c, "model"), data = member(c, "data");
    if (tools != JSON_NONE && !json_is(c->tape, tools, JSON_ARRAY))
        return refuse(c, "%s%s", "tools must be a list", "");
    if (format != JSON_NONE && !json_is(c->tape, format, JSON_OBJECT))
        return refuse(c, "%s%s", "response_format must be an object", "");
    bool is_model = json_is(c->tape, model, JSON_STRING) && json_raw(c->tape, model).len <= LIMIT_MODEL_BYTES;
    if (model != JSON_NONE && !is_model)
        return refuse(c, "%s%s", "model must be a model's name", "");
    if (data != JSON_NONE && !json_is(c->tape, data, JSON_STRING))
        return refuse(c, "%s%s", "data must be a class", "");
    if (model != JSON_NONE) c->head.model = keep(c, json_text(c->tape, model, c->arena));
    if (data != JSON_NONE) c->head.data = keep(c, json_text(c->tape, data, c->arena));
    return read_parameters(c) && (tools == JSON_NONE || add_field(c, SLICE("tools"), tools)) &&
           (format == JSON_NONE || add_field(c, SLICE("response_format"), format));
}

static void write_all(struct compiling *c, struct buf *out)
{
    const struct buf *const arrays[] = {&c->template, &c->fields, &c->names, &c->pool};
    size_t began = buf_len(out);
    c->head.magic = PROMPT_MAGIC;
    c->head.template_bytes = (uint32_t)buf_len(&c->template);
    c->head.pool_bytes = (uint32_t)buf_len(&c->pool);
    buf_append(out, slice_of((const char *)&c->head, sizeof c->head));
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        buf_append(out, buf_slice(arrays[i]));
    while ((buf_len(out) - began) % 8)
        buf_append_char(out, '\0');
    c->head.size = (uint32_t)(buf_len(out) - began);
    memcpy(buf_ptr(out) + began, &c->head, sizeof c->head);
}

bool prompt_canonical(const struct json_tape *tape, struct buf *out, uint8_t sha256[PROMPT_SHA256_BYTES],
                      struct fault *why)
{
    size_t began = buf_len(out);
    if (!canonical_append(tape, 0, out, why)) return false;
    SHA256((const uint8_t *)buf_ptr(out) + began, buf_len(out) - began, sha256);
    return true;
}

static bool hash(struct compiling *c)
{
    struct buf text;
    struct fault why;
    buf_init(&text);
    bool is_good = prompt_canonical(c->tape, &text, c->head.sha256, &why);
    buf_clear(&text);
    return is_good || refuse(c, "%.200s%s", why.text, "");
}

static bool read_all(struct compiling *c, const struct prompt_id *id)
{
    if (!prompt_is_name(id->name))
        return refuse(c, "%s%s", "a prompt's name is lower-case words between '/', as support/reply", "");
    c->head.name = keep(c, id->name);
    c->head.major = id->version.major;
    c->head.minor = id->version.minor;
    c->head.patch = id->version.patch;
    return check_members(c) && hash(c) && template_compile(c->tape, 0, &c->template, c->why) &&
           read_names(c, "open", &c->head.open_count) && read_names(c, "apps", &c->head.app_count) && read_settings(c);
}

bool prompt_compile(const struct json_tape *tape, const struct prompt_id *id, struct buf *out,
                    struct template_error *why)
{
    struct arena arena;
    struct compiling c = {.tape = tape, .why = why, .arena = &arena};
    struct buf *const all[] = {&c.template, &c.fields, &c.names, &c.pool};
    arena_init(&arena);
    bool is_good = read_all(&c, id);
    if (is_good) write_all(&c, out);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_clear(all[i]);
    arena_clear(&arena);
    return is_good;
}
