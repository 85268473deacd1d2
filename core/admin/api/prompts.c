/* What there is, and new texts. */
#include "admin/api/prompts.h"

#include <jansson.h>

#include "admin/api/prompting.h"
#include "admin/api/rendering.h"
#include "base/mem.h"

#define CONTENT_FIELD {"content", API_JSON, true, "what a version is: messages, variables, model, …"}

const struct api_field prompts_push_fields[] = {
    CONTENT_FIELD,
    {"version", API_TEXT, false, "three numbers: 2.1.0; as the change asks for unless said"},
    {"bump", API_TEXT, false, "patch, minor or major: the next of that kind"},
    {"owner", API_NAME, false, "whose it is; a new prompt needs it"},
    {"department", API_NAME, false, "likewise: which roles must cover it"},
    {"fields", API_JSON, false, "description, tags, links"},
    REASON_FIELD,
    FIELDS_END,
};

const struct api_field prompts_write_fields[] = {CONTENT_FIELD, REASON_FIELD, FIELDS_END};

const struct api_field prompts_render_fields[] = {
    {"name", API_NAME, true, "the prompt"},
    {"version", API_TEXT, true, "three numbers: 2.1.0"},
    {"variables", API_JSON, false, "an object: what stands in its holes"},
    FIELDS_END,
};

/* ---- Looking. */

void prompts_list(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r) return;
    json_t *all = registry_prompts(r, SLICE(""), &why);
    if (all) list_give(call, all);
    else answer_registry(call, &why);
}

void prompts_show(struct api_call *call)
{
    if (acting_registry(call)) prompting_show(call, 200);
}

void prompts_history(struct api_call *call)
{
    struct fault why;
    json_t *one = acting_registry(call) ? prompting_find(call) : NULL;
    if (!one) return;
    json_decref(one);
    json_t *all = registry_prompt_history(call->api->registry, call->parameters[0], &why);
    acting_tell_all_times(all);
    if (all) list_give(call, all);
    else answer_registry(call, &why);
}

/* NULL: it is answered. */
static json_t *read_content(struct api_call *call, const json_t *prompt, struct slice version)
{
    struct fault why;
    struct buf text;
    struct prompt_at at = {.name = call->parameters[0]};
    json_t *content = NULL;
    if (!prompting_may(call, prompt, API_VIEWER) || !prompting_read_version(call, version, "version", &at.version))
        return NULL;
    buf_init(&text);
    enum registry_found found = registry_prompt_content(call->api->registry, &at, &text, &why);
    if (found == REGISTRY_FOUND) content = json_loadb(buf_ptr(&text), buf_len(&text), 0, NULL);
    else if (found == REGISTRY_FAILED) answer_registry(call, &why);
    else prompting_version(call, prompt, version);
    buf_clear(&text);
    return content;
}

static void show_version(struct api_call *call, int status, struct slice text)
{
    json_t *prompt = prompting_find(call);
    json_t *version = prompt ? prompting_version(call, prompt, text) : NULL;
    json_t *content = version ? read_content(call, prompt, text) : NULL;
    if (content) {
        call->answer.rev = json_integer_value(json_object_get(version, "rev"));
        json_object_set(version, "name", json_object_get(prompt, "name"));
        json_object_set_new(version, "content", content);
        answer_give(call, status, json_incref(version));
    }
    json_decref(prompt);
}

void prompts_version(struct api_call *call)
{
    if (acting_registry(call)) show_version(call, 200, call->parameters[1]);
}

/* Members of both that are not the same. */
static json_t *differences(json_t *from, json_t *to)
{
    const char *name;
    json_t *value, *list = json_array(), *all = json_copy(from);
    json_object_update_missing(all, to);
    json_object_foreach (all, name, value) {
        json_t *before = json_object_get(from, name), *after = json_object_get(to, name);
        if (before && after && json_equal(before, after)) continue;
        json_array_append_new(list, json_pack("{s:s, s:O?, s:O?}", "member", name, "before", before, "after", after));
    }
    json_decref(all);
    return list;
}

void prompts_diff(struct api_call *call)
{
    struct slice one = body_query(call, SLICE("from")), other = body_query(call, SLICE("to"));
    json_t *prompt = acting_registry(call) ? prompting_find(call) : NULL;
    json_t *from = prompt ? read_content(call, prompt, one) : NULL;
    json_t *to = from ? read_content(call, prompt, other) : NULL;
    if (to)
        answer_give(call, 200, json_pack("{s:s%, s:s%, s:o}", "from", one.ptr, one.len, "to", other.ptr, other.len,
                                         "changes", differences(from, to)));
    json_decref(from);
    json_decref(to);
    json_decref(prompt);
}

/* ---- Writing. */

static bool read_bump(struct api_call *call, enum semver_bump *bump)
{
    struct slice said = body_text(call, "bump");
    *bump = SEMVER_SAME;
    for (enum semver_bump b = SEMVER_PATCH; b <= SEMVER_MAJOR; b++)
        if (slice_equal(said, slice_str(semver_bump_name(b)))) *bump = b;
    return !said.len || *bump != SEMVER_SAME ||
           answer_refuse(call, 400, "invalid_field", "bump", NULL, "`bump` is patch, minor or major");
}

/* In the call's arena; empty: it does not stand there. */
static struct slice member_text(struct api_call *call, const char *name)
{
    json_t *value = body_json(call, name);
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    struct slice kept = arena_copy(&call->arena, slice_str(text));
    mem_free(text);
    return kept;
}

/* Where it is to be, and where it is. */
static bool may_write(struct api_call *call, struct slice department)
{
    struct fault why;
    json_t *list = registry_prompts(call->api->registry, call->parameters[0], &why), *one = json_array_get(list, 0);
    bool may = list ? !one || prompting_may(call, one, API_AUTHOR) : answer_registry(call, &why);
    json_decref(list);
    if (!may || !department.len) return may;
    json_t *to = json_pack("{s:s%}", "department", department.ptr, department.len);
    may = prompting_may(call, to, API_AUTHOR);
    json_decref(to);
    return may;
}

static void push(struct api_call *call, struct prompt_push *p)
{
    struct fault why;
    char version[SEMVER_BYTES];
    struct prompt_pushed pushed;
    if (!may_write(call, p->department) || !(p->person = acting_person(call)).len) return;
    p->name = call->parameters[0];
    p->content = member_text(call, "content");
    p->fields = member_text(call, "fields");
    struct change_by by = acting_by(call);
    bool is_good = registry_prompt_push(call->api->registry, p, &by, &pushed, &why);
    if (!prompting_is_done(call, is_good ? REGISTRY_FOUND : REGISTRY_FAILED, &why)) return;
    call->answer.has_changed = !pushed.is_same;
    semver_write(pushed.version, version);
    show_version(call, pushed.is_new ? 201 : 200, slice_str(version));
    json_object_set_new(call->answer.body, "done",
                        json_string(pushed.is_same ? "unchanged" : pushed.is_new ? "new" : "changed"));
}

void prompts_push(struct api_call *call)
{
    struct prompt_push p = {.owner = body_text(call, "owner"), .department = body_text(call, "department")};
    struct slice version = body_text(call, "version");
    if (!acting_registry(call) || !read_bump(call, &p.bump)) return;
    if (version.len && !prompting_read_version(call, version, "version", &p.version)) return;
    push(call, &p);
}

/* A draft that is there. */
void prompts_write(struct api_call *call)
{
    struct prompt_push p = {.bump = SEMVER_SAME};
    json_t *prompt = acting_registry(call) ? prompting_find(call) : NULL;
    json_t *version = prompt ? prompting_version(call, prompt, call->parameters[1]) : NULL;
    bool is_good = version && prompting_is_seen(call, version) &&
                   prompting_read_version(call, call->parameters[1], "version", &p.version);
    json_decref(prompt);
    if (is_good) push(call, &p);
}

/* ---- What one comes to. */

void prompts_render(struct api_call *call)
{
    struct buf out;
    struct slice version = body_text(call, "version"), variables = member_text(call, "variables");
    call->parameters[0] = body_text(call, "name"); /* named in the body, as nothing of it is changed */
    json_t *prompt = acting_registry(call) ? prompting_find(call) : NULL;
    json_t *content = prompt ? read_content(call, prompt, version) : NULL;
    json_decref(prompt);
    if (!content) return;
    char *text = json_dumps(content, JSON_COMPACT), field[RENDERING_FIELD_BYTES], message[RENDERING_TEXT_BYTES];
    buf_init(&out);
    struct rendering_ask ask = {call->parameters[0], version, slice_str(text),
                                variables.len ? variables : SLICE("{}")};
    if (rendering_write(&ask, &out, field, message))
        answer_give(call, 200, json_loadb(buf_ptr(&out), buf_len(&out), 0, NULL));
    else
        answer_refuse(call, 422, "prompt_variable_invalid", field, "the version's `variables` say what it takes", "%s",
                      message);
    buf_clear(&out);
    mem_free(text);
    json_decref(content);
}
