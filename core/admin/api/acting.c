#include "admin/api/acting.h"

#include <jansson.h>

#include "base/clock.h"
#include "store/registry/calls.h"
#include "store/registry/people.h"

struct registry *acting_registry(struct api_call *call)
{
    if (call->api->registry) return call->api->registry;
    call->answer.retry_after_s = 1;
    answer_refuse(call, 503, "registry_unavailable", NULL, "try again; the gateway's log says more",
                  "the registry cannot be opened now%s%s", call->api->trouble ? ": " : "",
                  call->api->trouble ? call->api->trouble : "");
    return NULL;
}

const struct governance *acting_rules(struct api_call *call)
{
    const struct governance *rules = call->api->rules ? call->api->rules(call->api->rules_arg) : NULL;
    if (rules) return rules;
    call->answer.retry_after_s = 1;
    answer_refuse(call, 503, "rules_unavailable", NULL, "`moongate check` says whether the policies load",
                  "the policies that say who must agree are not known now");
    return NULL;
}

int64_t acting_now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

struct change_by acting_by(const struct api_call *call)
{
    return caller_change(call->by, body_text(call, "reason"));
}

struct slice acting_person(struct api_call *call)
{
    struct fault why;
    struct registry *r = call->api->registry;
    if (call->by->person.len) return call->by->person;
    char *id = arena_zalloc(&call->arena, PERSON_ID_BYTES);
    struct person_spec spec = {.kind = PERSON_HUMAN, .issuer = PERSON_LOCAL, .subject = call->by->login};
    struct change_by by = caller_change(call->by, SLICE(""));
    enum registry_found found = registry_person_find(r, spec.issuer, spec.subject, id, &why);
    bool is_there = found == REGISTRY_FOUND ||
                    (found == REGISTRY_MISSING && registry_person_create(r, &spec, &by, id, &why));
    if (!is_there) answer_registry(call, &why);
    return is_there ? slice_str(id) : SLICE("");
}

bool acting_is_good(struct api_call *call, bool is_good, const struct fault *why)
{
    if (!is_good) return answer_registry(call, why);
    call->answer.has_changed = true;
    return true;
}

bool acting_is_done(struct api_call *call, enum registry_found found, const char *what, const struct fault *why)
{
    if (found == REGISTRY_MISSING)
        return answer_refuse(call, 404, "not_found", "path", NULL, "there is no such %s", what);
    return acting_is_good(call, found == REGISTRY_FOUND, why);
}

/* Weak ones (RFC 9110 8.8.3) are none of ours. */
bool acting_match(struct api_call *call, int64_t *rev)
{
    uint64_t number;
    struct slice text = slice_trim(call->if_match);
    *rev = 0;
    if (text.len == 0 || slice_equal(text, SLICE("*"))) return true;
    bool is_quoted = text.len > 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';
    if (!is_quoted || !slice_to_u64(slice_of(text.ptr + 1, text.len - 2), &number) || number == 0 ||
        number > INT64_MAX)
        return answer_refuse(call, 400, "invalid_if_match", "If-Match", "send an ETag as it came, or *",
                             "If-Match is no ETag of this API's");
    *rev = (int64_t)number;
    return true;
}

json_t *acting_find(json_t *list, struct slice id)
{
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one) {
        const json_t *own = json_object_get(one, "id");
        if (slice_equal(slice_of(json_string_value(own), json_string_length(own)), id)) return one;
    }
    return NULL;
}

static bool ends_in_at(const char *name)
{
    size_t len = strlen(name);
    return (len > 3 && strcmp(name + len - 3, "_at") == 0) || strcmp(name, "at") == 0;
}

void acting_tell_times(json_t *object)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe (object, next, name, value) {
        if (json_is_integer(value) && ends_in_at(name))
            json_object_set_new(object, name, instant_json((int64_t)json_integer_value(value)));
        else if (json_is_array(value))
            acting_tell_all_times(value);
    }
}

void acting_tell_all_times(json_t *list)
{
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one)
        if (json_is_object(one)) acting_tell_times(one);
}
