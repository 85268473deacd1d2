#include "wire/filled/filled_inner.h"

#include <stdio.h>

#include "wire/canonical.h"
#include "wire/members.h"

/* ---- Who may speak as the application. */

bool filled_is_application(const struct filled *f, uint32_t message)
{
    uint32_t role = json_is(f->tape, message, JSON_OBJECT) ? filled_member(f, message, "role") : JSON_NONE;
    return json_text_is(f->tape, role, SLICE("system")) || json_text_is(f->tape, role, SLICE("developer"));
}

static bool refuse_role(struct filled *f, const char *param)
{
    return filled_refuse(f, FAULT_PROMPT_ROLE_NOT_ALLOWED, param,
                         "%s: beside this prompt callers write no system texts; its version may say "
                         "open = { \"system\" }",
                         param);
}

bool filled_check_roles(struct filling *w)
{
    struct filled *f = w->f;
    uint32_t list = filled_list(f, w->d), system = filled_system(f, w->d), number = 0;
    bool is_list = json_is(f->tape, list, JSON_ARRAY);
    char param[64];
    if (prompt_opens(f->prompt, SLICE("system"))) return true;
    if (system != JSON_NONE) return refuse_role(f, w->d->system);
    for (uint32_t n = is_list ? json_first(f->tape, list) : JSON_NONE; n != JSON_NONE; n = json_next(f->tape, n)) {
        snprintf(param, sizeof param, "%s[%u]", w->d->list, number++);
        if (filled_is_application(f, n)) return refuse_role(f, param);
    }
    return true;
}

/* ---- What is set. */

static bool is_same(const struct filled *f, uint32_t node, struct slice json)
{
    struct buf own;
    struct fault why;
    buf_init(&own);
    bool same = canonical_append(f->tape, node, &own, &why) && slice_equal(buf_slice(&own), json);
    buf_clear(&own);
    return same;
}

/* A lower bound than the version's is the caller's to ask for. */
static bool is_lower(const struct filled *f, struct slice name, uint32_t node, struct slice json)
{
    uint64_t most;
    int64_t asked;
    return slice_equal(name, SLICE("max_tokens")) && slice_to_u64(json, &most) && json_is(f->tape, node, JSON_NUMBER) &&
           members_whole_number(f->tape, node, &asked) && asked > 0 && (uint64_t)asked <= most;
}

static bool refuse_fixed(struct filled *f, const char *name)
{
    char version[SEMVER_BYTES];
    semver_write(f->prompt->version, version);
    return filled_refuse(f, FAULT_PROMPT_FIELD_FIXED, name,
                         "%s is set by %.80s@%s: leave it out, or ask for a version that opens it", name,
                         f->prompt->name.ptr ? arena_copy(f->arena, f->prompt->name).ptr : "", version);
}

static const struct filled_place *place_of(const struct filling *w, struct slice name)
{
    for (const struct filled_place *p = w->d->places; p->name; p++) {
        if (slice_equal(slice_str(p->name), name)) return p;
    }
    return NULL;
}

static uint32_t said_at(const struct filling *w, const struct filled_place *p)
{
    uint32_t outer = p->outer ? filled_member(w->f, 0, p->outer) : 0;
    bool is_object = outer != JSON_NONE && json_is(w->f->tape, outer, JSON_OBJECT);
    return is_object ? filled_member(w->f, outer, p->member) : JSON_NONE;
}

static void add(struct filling *w, const struct filled_place *p, struct slice json)
{
    uint32_t outer = p->outer ? json_get(w->f->tape, 0, slice_str(p->outer)) : 0;
    struct slice member = slice_str(p->member);
    if (outer != JSON_NONE && json_is(w->f->tape, outer, JSON_OBJECT)) {
        uint32_t null = json_get(w->f->tape, outer, member);
        if (null != JSON_NONE)
            splice_value(&w->edits, null, json);
        else
            splice_append(&w->edits, outer, member, json);
    } else if (outer != JSON_NONE) {
        splice_value(&w->edits, outer, members_object(w->f->arena, member, json));
    } else if (!splice_append_inside(&w->edits, 0, slice_str(p->outer), member, json)) {
        splice_append(&w->edits, 0, slice_str(p->outer), members_object(w->f->arena, member, json));
    }
}

static bool set(struct filling *w, const struct prompt_field *field, const struct filled_place *p, struct slice json)
{
    uint32_t said = said_at(w, p);
    char at[128];
    if (said == JSON_NONE) {
        add(w, p, json);
        return true;
    }
    if (field->is_open || is_same(w->f, said, json) || is_lower(w->f, field->name, said, json)) return true;
    snprintf(at, sizeof at, "%s%s%s", p->outer ? p->outer : "", p->outer ? "." : "", p->member);
    return refuse_fixed(w->f, at);
}

/* By the newer of its two names in the chat API: it stands for the same. */
static bool is_said_otherwise(struct filling *w, const struct prompt_field *field, bool *is_good)
{
    uint32_t other = filled_member(w->f, 0, "max_completion_tokens");
    if (w->d != &filled_chat || !slice_equal(field->name, SLICE("max_tokens")) || other == JSON_NONE) return false;
    *is_good = field->is_open || is_lower(w->f, field->name, other, field->json) ||
               refuse_fixed(w->f, "max_completion_tokens");
    return true;
}

static bool refuse_unsaid(struct filled *f, struct slice name)
{
    return filled_refuse(f, FAULT_PROMPT_UNCARRIED, "prompt", "the prompt sets %.*s, for which this API has no words",
                         SLICE_FMT(name));
}

/* As the dialect writes it. */
static bool translate(struct filling *w, const struct prompt_field *field, struct slice *json)
{
    bool is_tools = slice_equal(field->name, SLICE("tools"));
    bool is_format = slice_equal(field->name, SLICE("response_format"));
    struct json_tape tape;
    struct fault why;
    struct buf out;
    *json = field->json;
    if (!is_tools && !is_format) return true;
    json_init(&tape);
    buf_init(&out);
    bool is_good = json_parse(&tape, field->json, &why) &&
                   (is_tools ? w->d->write_tools(w, &tape, &out) : w->d->write_format(w, &tape, &out));
    struct buf form;
    buf_init(&form);
    is_good = is_good && canonical_text(buf_slice(&out), &form, &why);
    *json = arena_copy(w->f->arena, buf_slice(&form));
    buf_clear(&form);
    buf_clear(&out);
    json_clear(&tape);
    return is_good;
}

static bool set_field(struct filling *w, const struct prompt_field *field)
{
    const struct filled_place *p = place_of(w, field->name);
    struct filled_place own = {.name = NULL};
    struct slice json;
    bool is_good;
    if (!p && w->d != &filled_chat) return refuse_unsaid(w->f, field->name);
    if (!p) { /* the version's names are the chat API's own */
        own.name = own.member = arena_copy(w->f->arena, field->name).ptr;
        p = &own;
    }
    if (is_said_otherwise(w, field, &is_good)) return is_good;
    return translate(w, field, &json) ? set(w, field, p, json) : refuse_unsaid(w->f, field->name);
}

/* Tools that the version does not know of would let callers reach further than it was approved for. */
static bool check_tools(struct filling *w)
{
    struct filled *f = w->f;
    const struct filled_place *p = place_of(w, SLICE("tools"));
    uint32_t said = said_at(w, p);
    if (said == JSON_NONE || (json_is(f->tape, said, JSON_ARRAY) && json_count(f->tape, said) == 0)) return true;
    for (uint32_t i = 0; i < f->prompt->field_count; i++) {
        if (slice_equal(prompt_field(f->prompt, i).name, SLICE("tools"))) return true;
    }
    return prompt_opens(f->prompt, SLICE("tools")) ||
           filled_refuse(f, FAULT_PROMPT_ROLE_NOT_ALLOWED, "tools",
                         "tools: beside this prompt callers bring none; its version may say open = { \"tools\" }");
}

/* Of the body's: what is not said, or "prompt", is the version's. */
static bool set_model(struct filling *w)
{
    struct filled *f = w->f;
    struct slice wanted = f->prompt->model;
    uint32_t node = filled_member(f, 0, "model");
    bool is_apart = f->model.len > 0, is_said = is_apart || node != JSON_NONE;
    struct slice said = is_apart ? f->model : json_is(f->tape, node, JSON_STRING) ? json_text(f->tape, node, f->arena)
                                                                                  : SLICE_NONE;
    bool is_left = !is_said || slice_equal(said, SLICE("prompt")) || slice_equal(said, wanted);
    if (!wanted.len) return true;
    if (!is_left && prompt_opens(f->prompt, SLICE("model"))) return true;
    if (!is_left) return refuse_fixed(f, "model");
    f->model = is_apart ? arena_copy(f->arena, wanted) : SLICE_NONE;
    if (is_apart || slice_equal(said, wanted)) return true;
    struct buf json;
    buf_init(&json);
    buf_append_json(&json, wanted);
    struct slice text = arena_copy(f->arena, buf_slice(&json));
    buf_clear(&json);
    uint32_t null = json_get(f->tape, 0, SLICE("model"));
    if (null == JSON_NONE)
        splice_append(&w->edits, 0, SLICE("model"), text);
    else
        splice_value(&w->edits, null, text);
    return true;
}

bool filled_set_fields(struct filling *w)
{
    if (!set_model(w) || !check_tools(w)) return false;
    for (uint32_t i = 0; i < w->f->prompt->field_count; i++) {
        struct prompt_field field = prompt_field(w->f->prompt, i);
        if (!set_field(w, &field)) return false;
    }
    return true;
}
