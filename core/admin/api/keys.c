#include "admin/api/keys.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "store/registry/key_change.h"

const struct api_field keys_create_fields[] = {
    {"app", API_NAME, false, "the application"},
    {"department", API_NAME, false, "the department that pays"},
    {"user", API_NAME, false, "one user's"},
    {"team", API_NAME, false, "a team"},
    {"tier", API_NAME, false, "as policies name tiers"},
    {"region", API_NAME, false, "where its data may go"},
    {"clearance", API_NAME, false, "the highest class of data that it may send"},
    {"env", API_NAME, false, "production, staging, …"},
    {"owner", API_TEXT, false, "the id of a person: the key lives only while this person does"},
    {"roles", API_TEXTS, false, "as policies name roles"},
    {"approvals", API_TEXTS, false, "models that it is approved for"},
    {"labels", API_LABELS, false, "any further names and values"},
    {"expires_at", API_INSTANT, false, "when it ends, UTC; never unless said"},
    REASON_FIELD,
    FIELDS_END,
};

const struct api_field keys_rotate_fields[] = {
    {"grace_s", API_INTEGER, false, "how long the old key lives on, seconds; 0 unless said"}, REASON_FIELD, FIELDS_END};

const struct api_field keys_revoke_fields[] = {
    {"end_requests", API_FLAG, false, "what it began is ended too"}, REASON_FIELD, FIELDS_END};

const struct api_field keys_change_fields[] = {
    {"owner", API_TEXT, false, "the id of a person; null: nobody's"},
    {"expires_at", API_INSTANT, false, "when it ends, UTC; null: never"},
    {"labels", API_LABELS, false, "all its labels from now on"},
    REASON_FIELD,
    FIELDS_END,
};

/* ---- Looking. */

/* What snapshots need is nothing for people to read. */
static void tell(json_t *key)
{
    json_t *successor = json_object_get(key, "successor");
    if (json_is_string(successor) && json_string_length(successor) == 0)
        json_object_set_new(key, "successor", json_null());
    acting_tell_times(key);
}

void keys_list(struct api_call *call)
{
    size_t i;
    json_t *key;
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r) return;
    json_t *keys = registry_keys(r, &why);
    if (!keys) {
        answer_registry(call, &why);
        return;
    }
    json_array_foreach (keys, i, key)
        tell(key);
    list_give(call, keys);
}

/* `secret`, when it is not NULL, goes with it: this once. */
static void show(struct api_call *call, int status, struct slice id, const char *secret)
{
    struct fault why;
    json_t *keys = registry_keys(call->api->registry, &why), *key = acting_find(keys, id);
    if (!keys) {
        answer_registry(call, &why);
    } else if (!key) {
        answer_refuse(call, 404, "not_found", "id", "GET " API_BASE "/keys lists them", "there is no key %.*s",
                      SLICE_FMT(id));
    } else {
        call->answer.rev = json_integer_value(json_object_get(key, "rev"));
        tell(key);
        if (secret) json_object_set_new(key, "key", json_string(secret));
        answer_give(call, status, json_incref(key));
    }
    json_decref(keys);
}

void keys_show(struct api_call *call)
{
    if (acting_registry(call)) show(call, 200, call->parameters[0], NULL);
}

/* ---- Making. */

static const struct key_label *read_labels(struct api_call *call, size_t *count)
{
    const char *name;
    json_t *value, *all = body_json(call, "labels");
    struct key_label *labels = arena_alloc(&call->arena, (json_object_size(all) + 1) * sizeof *labels);
    *count = 0;
    json_object_foreach (all, name, value)
        labels[(*count)++] = (struct key_label){slice_str(name),
                                                slice_of(json_string_value(value), json_string_length(value))};
    return labels;
}

static bool is_whose(struct api_call *call, const struct key_spec *spec)
{
    return spec->app.len || spec->department.len || spec->user.len || spec->team.len ||
           answer_refuse(call, 400, "missing_field", "app", NULL,
                         "say whose key it is: app, department, user or team");
}

static bool may_make(struct api_call *call, struct slice department)
{
    return caller_has(call->by, API_ADMIN, department.len ? department : API_EVERYWHERE) ||
           answer_refuse(call, 403, "not_your_scope", "department", "ask an admin of that department, or of *",
                         "%.*s is no admin for %.*s", SLICE_FMT(call->by->name),
                         SLICE_FMT(department.len ? department : SLICE("what has no department")));
}

void keys_create(struct api_call *call)
{
    struct fault why;
    struct key_made made;
    struct registry *r = acting_registry(call);
    struct key_spec spec = {.app = body_text(call, "app"),
                            .department = body_text(call, "department"),
                            .user = body_text(call, "user"),
                            .team = body_text(call, "team"),
                            .tier = body_text(call, "tier"),
                            .region = body_text(call, "region"),
                            .clearance = body_text(call, "clearance"),
                            .env = body_text(call, "env"),
                            .owner = body_text(call, "owner"),
                            .expires_at = (uint64_t)body_instant(call, "expires_at")};
    spec.roles = body_texts(call, "roles", &spec.role_count);
    spec.approvals = body_texts(call, "approvals", &spec.approval_count);
    spec.labels = read_labels(call, &spec.label_count);
    if (!r || !is_whose(call, &spec) || !may_make(call, spec.department)) return;
    struct change_by by = acting_by(call);
    if (acting_is_good(call, registry_key_create(r, &spec, &by, &made, &why), &why))
        show(call, 201, slice_str(made.id), made.text);
    explicit_bzero(&made, sizeof made);
}

/* ---- Changing. */

/* Its department's, as it stands; what is not there is told of by who changes it. */
static bool may_change(struct api_call *call)
{
    struct fault why;
    json_t *keys = registry_keys(call->api->registry, &why), *key = acting_find(keys, call->parameters[0]);
    const json_t *department = json_object_get(key, "department");
    bool may = !key ||
               may_make(call, slice_of(json_string_value(department), json_string_length(department)));
    json_decref(keys);
    return may;
}

void keys_rotate(struct api_call *call)
{
    struct fault why;
    struct key_rotated rotated;
    struct registry *r = acting_registry(call);
    int64_t grace_s = body_integer(call, "grace_s");
    if (!r || !may_change(call)) return;
    if (grace_s < 0 || grace_s > (int64_t)(LIMIT_KEY_LIFE_MS / 1000)) {
        answer_refuse(call, 400, "invalid_field", "grace_s", "write seconds: 0 to 100 years", "`grace_s` is %lld",
                      (long long)grace_s);
        return;
    }
    struct change_by by = acting_by(call);
    enum registry_found found =
        registry_key_rotate(r, call->parameters[0], (uint64_t)grace_s, &by, &rotated, &why);
    if (!acting_is_done(call, found, "key", &why)) return;
    show(call, 201, slice_str(rotated.made.id), rotated.made.text);
    json_object_set_new(call->answer.body, "replaces",
                        json_pack("{s:s%, s:o}", "id", call->parameters[0].ptr, call->parameters[0].len, "expires_at",
                                  instant_json((int64_t)rotated.old_expires_at)));
    explicit_bzero(&rotated, sizeof rotated);
}

void keys_revoke(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r || !may_change(call)) return;
    struct change_by by = acting_by(call);
    enum registry_found found =
        registry_key_revoke(r, call->parameters[0], body_flag(call, "end_requests"), &by, &why);
    if (acting_is_done(call, found, "key", &why)) show(call, 200, call->parameters[0], NULL);
}

void keys_change(struct api_call *call)
{
    int64_t rev;
    struct fault why;
    struct registry *r = acting_registry(call);
    struct key_change change = {.has_owner = body_has(call, "owner"),
                                .has_end = body_has(call, "expires_at"),
                                .has_labels = body_json(call, "labels") != NULL,
                                .owner = body_text(call, "owner"),
                                .expires_at = body_instant(call, "expires_at"),
                                .labels = body_json(call, "labels")};
    if (!r || !may_change(call) || !acting_match(call, &rev)) return;
    struct change_by by = acting_by(call);
    enum registry_found found = registry_key_change(r, call->parameters[0], rev, &change, &by, &why);
    if (acting_is_done(call, found, "key", &why)) show(call, 200, call->parameters[0], NULL);
    else if (call->answer.status == 412) show(call, 412, call->parameters[0], NULL);
}
