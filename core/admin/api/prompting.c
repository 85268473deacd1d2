#include "admin/api/prompting.h"

#include <jansson.h>

static struct slice text_of(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return slice_of(json_string_value(text), json_string_length(text));
}

/* ---- Finding. */

static bool set_last_change(struct api_call *call, json_t *prompt)
{
    struct fault why;
    json_t *history = registry_prompt_history(call->api->registry, call->parameters[0], &why);
    json_t *last = json_object_get(json_array_get(history, 0), "rev");
    if (last) json_object_set(prompt, "rev", last);
    bool is_read = history != NULL;
    json_decref(history);
    return is_read || answer_registry(call, &why);
}

json_t *prompting_find(struct api_call *call)
{
    struct fault why;
    struct slice name = call->parameters[0];
    json_t *list = name.len ? registry_prompts(call->api->registry, name, &why) : json_array();
    json_t *one = json_incref(json_array_get(list, 0));
    if (!list) answer_registry(call, &why);
    else if (!one)
        answer_refuse(call, 404, "not_found", "name", "GET " API_BASE "/prompts lists them; write %2F for its slashes",
                      "there is no prompt `%.*s`", SLICE_FMT(name));
    json_decref(list);
    if (!one || set_last_change(call, one)) return one;
    json_decref(one);
    return NULL;
}

json_t *prompting_version(struct api_call *call, const json_t *prompt, struct slice text)
{
    size_t i;
    json_t *version;
    json_array_foreach (json_object_get(prompt, "versions"), i, version)
        if (slice_equal(text_of(version, "version"), text)) return version;
    answer_refuse(call, 404, "not_found", "version", "the prompt itself lists them", "there is no %.*s@%.*s",
                  SLICE_FMT(call->parameters[0]), SLICE_FMT(text));
    return NULL;
}

void prompting_show(struct api_call *call, int status)
{
    json_t *one = prompting_find(call);
    if (!one) return;
    call->answer.rev = json_integer_value(json_object_get(one, "rev"));
    answer_give(call, status, one);
}

/* ---- What may be done. */

bool prompting_is_seen(struct api_call *call, const json_t *object)
{
    int64_t rev;
    if (!acting_match(call, &rev)) return false;
    if (!rev || rev == json_integer_value(json_object_get(object, "rev"))) return true;
    prompting_show(call, 412);
    return false;
}

bool prompting_may(struct api_call *call, const json_t *prompt, enum api_role role)
{
    struct slice department = text_of(prompt, "department");
    return caller_has(call->by, role, department.len ? department : API_EVERYWHERE) ||
           answer_refuse(call, 403, "not_your_scope", "name", "`moongate roles give` is for an admin to say",
                         "%.*s is no %s for %.*s", SLICE_FMT(call->by->name), caller_role_word(role),
                         SLICE_FMT(department));
}

bool prompting_read_version(struct api_call *call, struct slice text, const char *field, struct semver *v)
{
    return semver_parse(text, v) || answer_refuse(call, 400, "invalid_field", field, "write three numbers: 2.1.0",
                                                  "`%.*s` is no version", SLICE_FMT(text));
}

bool prompting_at(struct api_call *call, struct prompt_at *at)
{
    *at = (struct prompt_at){.name = call->parameters[0]};
    if (call->parameters[1].len && !prompting_read_version(call, call->parameters[1], "version", &at->version))
        return false;
    at->person = acting_person(call);
    return at->person.len > 0;
}

bool prompting_is_done(struct api_call *call, enum registry_found found, const struct fault *why)
{
    bool is_forbidden = found == REGISTRY_FAILED &&
                        slice_starts(slice_str(fault_message(why)), SLICE(PROMPTS_FORBIDDEN));
    if (is_forbidden)
        return answer_refuse(call, 403, "not_your_scope", "name", "`moongate roles give` is for an admin to say", "%s",
                             fault_message(why));
    return acting_is_done(call, found, "version of that prompt", why);
}
