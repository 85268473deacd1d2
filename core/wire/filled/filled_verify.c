#include "wire/filled/filled_inner.h"

#include <stdio.h>

/* Requests that were filled by their application: their messages beside the version's, one by one. */

struct verifying {
    struct filled *f;
    const struct filled_dialect *d;
    struct filling w; /* for what stands apart */
};

/* A text, or a list of one part that is one. False: it is neither. */
static bool read_content(const struct verifying *v, uint32_t node, struct slice *text)
{
    const struct json_tape *tape = v->f->tape;
    if (json_is(tape, node, JSON_OBJECT)) node = json_get(tape, node, SLICE("parts"));
    if (json_is(tape, node, JSON_ARRAY) && json_count(tape, node) == 1) {
        uint32_t part = json_first(tape, node);
        node = json_is(tape, part, JSON_OBJECT) ? json_get(tape, part, SLICE("text")) : part;
    }
    if (!json_is(tape, node, JSON_STRING)) return false;
    *text = json_text(tape, node, v->f->arena);
    return true;
}

static bool refuse(const struct verifying *v, const char *place, uint32_t number)
{
    char param[64], version[SEMVER_BYTES];
    snprintf(param, sizeof param, number == UINT32_MAX ? "%s" : "%s[%u]", place, number);
    semver_write(v->f->prompt->version, version);
    return filled_refuse(v->f, FAULT_PROMPT_MISMATCH, param,
                         "%s is not what %.80s@%s has there: send its text as it is, or its variables", param,
                         arena_copy(v->f->arena, v->f->prompt->name).ptr, version);
}

static bool is_instance(const struct verifying *v, uint32_t message, uint32_t node)
{
    const struct json_tape *tape = v->f->tape;
    const struct template *t = &v->f->prompt->template;
    enum template_role role = template_role(t, message);
    const char *wanted = role == TEMPLATE_ASSISTANT ? v->d->assistant : template_role_name(role);
    struct slice text;
    if (!json_is(tape, node, JSON_OBJECT) || json_has_duplicate(tape, node, slice_str(v->d->content))) return false;
    return json_text_is(tape, json_get(tape, node, SLICE("role")), slice_str(wanted)) &&
           read_content(v, json_get(tape, node, slice_str(v->d->content)), &text) && template_matches(t, message, text);
}

/* Beside a version's messages nobody speaks as the application, unless it lets him. */
static bool may_stand_beside(const struct verifying *v, uint32_t node)
{
    return prompt_opens(v->f->prompt, SLICE("system")) || !filled_is_application(v->f, node);
}

/* The version's messages before and behind the caller's own, of which there may be any number between. */
static bool check_list(const struct verifying *v)
{
    const struct template *t = &v->f->prompt->template;
    const struct json_tape *tape = v->f->tape;
    uint32_t list = filled_list(v->f, v->d), own = filled_count_own(&v->w, 0, t->message_count);
    bool is_list = json_is(tape, list, JSON_ARRAY);
    uint32_t extra = is_list ? json_count(tape, list) : 0, number = 0;
    if (!is_list || extra < own) return refuse(v, v->d->list, UINT32_MAX);
    extra -= own;
    uint32_t node = json_first(tape, list);
    for (uint32_t m = 0; m <= t->message_count; m++) {
        for (uint32_t i = 0; m == t->insert_at && i < extra; i++, number++) {
            if (!may_stand_beside(v, node)) return refuse(v, v->d->list, number);
            node = json_next(tape, node);
        }
        if (m == t->message_count || filled_is_apart(&v->w, m)) continue;
        if (!is_instance(v, m, node)) return refuse(v, v->d->list, number);
        node = json_next(tape, node);
        number++;
    }
    return true;
}

/* The one system text there; where a version has several they are joined as filling does. */
static bool check_apart(const struct verifying *v)
{
    const struct template *t = &v->f->prompt->template;
    uint32_t system = filled_system(v->f, v->d), count = 0, which = 0;
    struct slice text;
    for (uint32_t m = 0; m < t->message_count; m++) {
        if (!filled_is_apart(&v->w, m)) continue;
        count++;
        which = m;
    }
    if (!v->d->system || (count == 0 && system == JSON_NONE)) return true;
    bool is_good = count == 1 && system != JSON_NONE && read_content(v, system, &text) &&
                   template_matches(t, which, text);
    return is_good || refuse(v, v->d->system, UINT32_MAX);
}

bool filled_is_verified(const struct filled *f)
{
    const struct filled_asked *a = f->asked;
    static const char *const lists[] = {"messages", "input", "contents"};
    if (!a->is_by_header || a->variables != JSON_NONE) return false;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        uint32_t list = json_get(f->tape, 0, slice_str(lists[i]));
        if (json_is(f->tape, list, JSON_STRING)) return true;
        if (json_is(f->tape, list, JSON_ARRAY) && json_count(f->tape, list)) return true;
    }
    return false;
}

bool filled_verify(struct filled *f, struct buf *out)
{
    struct verifying v = {.f = f, .d = f->dialect->filled};
    v.w = (struct filling){.f = f, .d = v.d};
    if (!check_apart(&v) || !check_list(&v)) return false;
    splice_init(&v.w.edits, f->tape, f->body, f->arena);
    filled_cut(f->asked, &v.w.edits);
    if (!filled_set_fields(&v.w)) return false;
    splice_apply(&v.w.edits, out);
    return true;
}
