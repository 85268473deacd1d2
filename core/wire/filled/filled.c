#include "wire/filled/filled_inner.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/nearest.h"

bool filled_refuse(struct filled *f, enum fault_code code, const char *param, const char *format, ...)
{
    char text[FAULT_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fault_set(f->why, code, "%s", text);
    return fault_at(f->why, param);
}

uint32_t filled_member(const struct filled *f, uint32_t object, const char *name)
{
    uint32_t node = object == JSON_NONE ? JSON_NONE : json_get(f->tape, object, slice_str(name));
    return json_is(f->tape, node, JSON_NULL) ? JSON_NONE : node;
}

static uint32_t either(const struct filled *f, const char *name, const char *other)
{
    uint32_t node = name ? filled_member(f, 0, name) : JSON_NONE;
    return node == JSON_NONE && other ? filled_member(f, 0, other) : node;
}

uint32_t filled_list(const struct filled *f, const struct filled_dialect *d)
{
    return either(f, d->list, d->list_other);
}

uint32_t filled_system(const struct filled *f, const struct filled_dialect *d)
{
    return either(f, d->system, d->system_other);
}

/* ---- What is asked for. */

enum { MEMBER_PROMPT, MEMBER_ID, MEMBER_VERSION, MEMBER_VARIABLES, MEMBERS };
static const struct slice names[MEMBERS] = {
    {"prompt", 6}, {"prompt_id", 9}, {"prompt_version", 14}, {"prompt_variables", 16}};

static bool bad(struct fault *why, const char *param, const char *text)
{
    fault_set(why, FAULT_PROMPT_INVALID, "%s", text);
    return fault_at(why, param);
}

/* Most members begin otherwise: a letter tells. */
static bool may_be_ours(struct slice key)
{
    return key.len > 2 && (key.ptr[1] == 'p' || key.ptr[1] == '\\');
}

static bool find_members(const struct json_tape *tape, struct filled_asked *asked, struct fault *why)
{
    for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n)) {
        if (!may_be_ours(json_key(tape, n))) continue;
        for (unsigned i = 0; i < MEMBERS; i++) {
            if (!json_key_is(tape, n, names[i])) continue;
            if (asked->members[i] != JSON_NONE) return bad(why, names[i].ptr, "it is given twice; give it once");
            asked->members[i] = n;
            asked->has_members = true;
        }
    }
    return true;
}

static bool read_text(const struct json_tape *tape, uint32_t node, const char *param, struct arena *arena,
                      struct slice *text, struct fault *why)
{
    if (node == JSON_NONE || json_is(tape, node, JSON_NULL)) return true;
    if (!json_is(tape, node, JSON_STRING) || json_raw(tape, node).len > 4 * PROMPT_NAME_BYTES)
        return bad(why, param, "it must be a text");
    *text = arena_copy(arena, json_text(tape, node, arena));
    return true;
}

static bool read_object(const struct json_tape *tape, struct arena *arena, struct filled_asked *asked,
                        struct fault *why)
{
    uint32_t object = asked->members[MEMBER_PROMPT];
    if (object == JSON_NONE || json_is(tape, object, JSON_NULL)) return true;
    if (!json_is(tape, object, JSON_OBJECT))
        return bad(why, "prompt", "it must be an object: {\"id\":\"support/reply\",\"variables\":{…}}");
    for (uint32_t n = json_first(tape, object); n != JSON_NONE; n = json_next(tape, n)) {
        struct slice key = json_key_text(tape, n, arena);
        bool is_good = true;
        if (json_has_duplicate(tape, object, key)) return bad(why, "prompt", "a member of it is given twice");
        if (slice_equal(key, SLICE("id")))
            is_good = read_text(tape, n, "prompt.id", arena, &asked->name, why);
        else if (slice_equal(key, SLICE("version")))
            is_good = read_text(tape, n, "prompt.version", arena, &asked->version, why);
        else if (slice_equal(key, SLICE("variables")))
            asked->variables = n;
        else
            return bad(why, "prompt", "it has \"id\", \"version\" and \"variables\", and nothing else");
        if (!is_good) return false;
    }
    return asked->name.len || bad(why, "prompt.id", "it is needed: the prompt's name");
}

static bool read_apart(const struct json_tape *tape, struct arena *arena, struct filled_asked *asked,
                       struct fault *why)
{
    uint32_t id = asked->members[MEMBER_ID], version = asked->members[MEMBER_VERSION];
    uint32_t variables = asked->members[MEMBER_VARIABLES];
    if (asked->name.len && id != JSON_NONE)
        return bad(why, "prompt_id", "\"prompt\" names one already; give one of them");
    if (!read_text(tape, id, "prompt_id", arena, &asked->name, why)) return false;
    if (!read_text(tape, version, "prompt_version", arena, &asked->version, why)) return false;
    if (variables != JSON_NONE) asked->variables = variables;
    return true;
}

static bool read_header(struct slice header, struct arena *arena, struct filled_asked *asked, struct fault *why)
{
    struct slice version, name = slice_split(header, '@', &version);
    bool is_label = version.len && !(version.ptr[0] >= '0' && version.ptr[0] <= '9');
    if (!header.len) return true;
    if (asked->name.len) return bad(why, "x-moongate-prompt", "the body names a prompt already; give one of them");
    asked->is_by_header = true;
    asked->name = arena_copy(arena, name);
    asked->version = is_label ? arena_join(arena, SLICE("@"), version) : arena_copy(arena, version);
    return asked->name.len || bad(why, "x-moongate-prompt", "write NAME, NAME@VERSION or NAME@LABEL");
}

/* metadata.moongate.variables: for who cannot add members. */
static void find_variables(const struct json_tape *tape, struct filled_asked *asked)
{
    uint32_t metadata = json_get(tape, 0, SLICE("metadata"));
    uint32_t hints = metadata == JSON_NONE ? JSON_NONE : json_get(tape, metadata, SLICE("moongate"));
    uint32_t variables = hints == JSON_NONE ? JSON_NONE : json_get(tape, hints, SLICE("variables"));
    if (variables == JSON_NONE) return;
    asked->metadata = metadata;
    asked->hints = hints;
    asked->variables = variables;
}

bool filled_ask(const struct json_tape *tape, const struct dialect *dialect, struct slice header, struct arena *arena,
                struct filled_asked *asked, struct fault *why)
{
    *asked = (struct filled_asked){.variables = JSON_NONE, .metadata = JSON_NONE, .hints = JSON_NONE,
                                   .members = {JSON_NONE, JSON_NONE, JSON_NONE, JSON_NONE}};
    if (!json_is(tape, 0, JSON_OBJECT) || !dialect->filled) return true;
    if (dialect->filled->takes_members && !find_members(tape, asked, why)) return false;
    if (!asked->has_members && !header.len) return true;
    if (!read_object(tape, arena, asked, why) || !read_apart(tape, arena, asked, why)) return false;
    if (!read_header(header, arena, asked, why)) return false;
    asked->is_asked = asked->name.len > 0;
    if (asked->is_by_header && asked->variables == JSON_NONE) find_variables(tape, asked);
    if (!asked->is_asked && (asked->variables != JSON_NONE || asked->version.len))
        return bad(why, "prompt_id", "it is needed: the prompt's name");
    return true;
}

void filled_cut(const struct filled_asked *asked, struct splice *edits)
{
    const struct json_tape *tape = edits->tape;
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (asked->members[i] != JSON_NONE) splice_remove(edits, 0, asked->members[i]);
    }
    if (asked->hints == JSON_NONE) return;
    if (json_count(tape, asked->hints) > 1)
        splice_remove(edits, asked->hints, asked->variables);
    else if (json_count(tape, asked->metadata) > 1)
        splice_remove(edits, asked->metadata, asked->hints);
    else
        splice_remove(edits, 0, asked->metadata);
}

/* ---- Writing. */

static bool refuse_value(struct filled *f, const struct template_refusal *bad_one)
{
    static const enum fault_code codes[] = {[TEMPLATE_BAD_MISSING] = FAULT_PROMPT_VARIABLE_MISSING,
                                            [TEMPLATE_BAD_UNKNOWN] = FAULT_PROMPT_VARIABLE_UNKNOWN,
                                            [TEMPLATE_BAD_INVALID] = FAULT_PROMPT_VARIABLE_INVALID};
    char param[96];
    snprintf(param, sizeof param, "prompt.variables%s%.64s", bad_one->name[0] ? "." : "", bad_one->name);
    return filled_refuse(f, codes[bad_one->bad], param, "%s: %.180s", param, bad_one->text);
}

static bool read_values(struct filled *f, struct slice *values)
{
    struct template_refusal bad_one;
    const struct template *t = &f->prompt->template;
    if (!template_read(t, f->tape, f->asked->variables, f->arena, values, &bad_one)) return refuse_value(f, &bad_one);
    f->given = json_is(f->tape, f->asked->variables, JSON_OBJECT) ? json_count(f->tape, f->asked->variables) : 0;
    for (uint32_t i = 0; i < t->variable_count; i++)
        f->value_bytes += values[i].len;
    if (template_bytes(t, values) + f->body.len > LIMIT_BODY_BYTES)
        return filled_refuse(f, FAULT_BODY_TOO_LARGE, "prompt.variables", "filled, the prompt is over the limit");
    return true;
}

bool filled_write(struct filled *f, struct buf *out)
{
    struct slice values[LIMIT_TEMPLATE_VARIABLES];
    struct filling w = {.f = f, .d = f->dialect->filled, .values = values};
    if (!read_values(f, values)) return false;
    splice_init(&w.edits, f->tape, f->body, f->arena);
    filled_cut(f->asked, &w.edits);
    if (!filled_check_roles(&w) || !filled_set_fields(&w) || !w.d->write_messages(&w)) return false;
    buf_reserve(out, splice_length(&w.edits));
    splice_apply(&w.edits, out);
    return true;
}

/* ---- For the dialects. */

bool filled_is_apart(const struct filling *w, uint32_t message)
{
    enum template_role role = template_role(&w->f->prompt->template, message);
    if (!w->d->system) return false;
    /* Responses takes roles among its items too: there the first alone stands apart. */
    if (w->d == &filled_responses) return message == 0 && role == TEMPLATE_SYSTEM;
    return role == TEMPLATE_SYSTEM || role == TEMPLATE_DEVELOPER;
}

uint32_t filled_count_own(const struct filling *w, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    for (uint32_t m = from; m < to; m++)
        count += !filled_is_apart(w, m);
    return count;
}

void filled_append_text(const struct filling *w, uint32_t message, struct buf *out)
{
    buf_append_char(out, '"');
    template_write(&w->f->prompt->template, message, w->values, out);
    buf_append_char(out, '"');
}

bool filled_has_apart(const struct filling *w)
{
    for (uint32_t m = 0; m < w->f->prompt->template.message_count; m++) {
        if (filled_is_apart(w, m)) return true;
    }
    return false;
}

void filled_append_apart(const struct filling *w, struct buf *out)
{
    bool is_first = true;
    for (uint32_t m = 0; m < w->f->prompt->template.message_count; m++) {
        if (!filled_is_apart(w, m)) continue;
        if (!is_first) buf_append(out, SLICE("\\n\\n"));
        is_first = false;
        template_write(&w->f->prompt->template, m, w->values, out);
    }
}

bool filled_append_messages(struct filling *w, uint32_t from, uint32_t to, filled_each_fn each, struct buf *out,
                            uint32_t *count)
{
    *count = 0;
    for (uint32_t m = from; m < to; m++) {
        if (filled_is_apart(w, m)) continue;
        if ((*count)++) buf_append_char(out, ',');
        if (!each(w, m, out)) return false;
    }
    return true;
}

static struct slice kept(struct filling *w, struct buf *out)
{
    struct slice text = arena_copy(w->f->arena, buf_slice(out));
    buf_reset(out);
    return text;
}

/* Into the caller's own list: behind its bracket, and before the other one. */
static void insert(struct filling *w, uint32_t list, struct slice before, struct slice behind)
{
    struct slice raw = json_raw(w->f->tape, list);
    size_t first = (size_t)(raw.ptr - w->f->body.ptr) + 1, last = first + raw.len - 2;
    struct arena *arena = w->f->arena;
    if (json_count(w->f->tape, list) == 0) {
        struct slice all = before.len && behind.len ? arena_join(arena, arena_join(arena, before, SLICE(",")), behind)
                                                    : arena_join(arena, before, behind);
        splice_bytes(&w->edits, first, last, all);
        return;
    }
    if (before.len) splice_bytes(&w->edits, first, first, arena_join(arena, before, SLICE(",")));
    if (behind.len) splice_bytes(&w->edits, last, last, arena_join(arena, SLICE(","), behind));
}

static struct slice list_of(struct filling *w, struct slice before, struct slice given, struct slice behind)
{
    struct arena *arena = w->f->arena;
    const char *one = before.len && (given.len || behind.len) ? "," : "";
    const char *other = given.len && behind.len ? "," : "";
    return arena_printf(arena, "[%.*s%s%.*s%s%.*s]", SLICE_FMT(before), one, SLICE_FMT(given), other,
                        SLICE_FMT(behind));
}

bool filled_place_messages(struct filling *w, filled_each_fn each, struct slice given)
{
    const struct template *t = &w->f->prompt->template;
    uint32_t list = filled_list(w->f, w->d), count;
    struct buf out;
    buf_init(&out);
    bool is_good = filled_append_messages(w, 0, t->insert_at, each, &out, &count);
    struct slice before = kept(w, &out);
    is_good = is_good && filled_append_messages(w, t->insert_at, t->message_count, each, &out, &count);
    struct slice behind = kept(w, &out);
    buf_clear(&out);
    if (!is_good) return false;
    if (json_is(w->f->tape, list, JSON_ARRAY))
        insert(w, list, before, behind);
    else if (list != JSON_NONE)
        splice_value(&w->edits, list, list_of(w, before, given, behind));
    else if (json_get(w->f->tape, 0, slice_str(w->d->list)) != JSON_NONE) /* null */
        splice_value(&w->edits, json_get(w->f->tape, 0, slice_str(w->d->list)), list_of(w, before, SLICE_NONE, behind));
    else
        splice_append(&w->edits, 0, slice_str(w->d->list), list_of(w, before, SLICE_NONE, behind));
    return true;
}
