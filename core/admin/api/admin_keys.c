#include "store/registry/admin_keys.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "admin/api/keys.h"
#include "store/registry/provided.h"

const struct api_field admin_keys_create_fields[] = {
    {"owner", API_TEXT, true, "the id of the person who will use it"},
    {"expires_at", API_INSTANT, false, "when it ends, UTC; never unless said"},
    REASON_FIELD,
    FIELDS_END,
};

const struct api_field scim_keys_create_fields[] = {
    {"issuer", API_TEXT, true, "whose people it writes: the iss of their tokens"},
    {"owner", API_TEXT, true, "the id of the person or service that answers for it"},
    {"expires_at", API_INSTANT, false, "when it ends, UTC; never unless said"},
    REASON_FIELD,
    FIELDS_END,
};

const struct api_field admin_keys_revoke_fields[] = {REASON_FIELD, FIELDS_END};

void admin_keys_list(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r) return;
    json_t *keys = registry_admin_keys(r, &why);
    if (!keys) {
        answer_registry(call, &why);
        return;
    }
    acting_tell_all_times(keys);
    list_give(call, keys);
}

static void show(struct api_call *call, int status, struct slice id, const char *secret)
{
    struct fault why;
    json_t *keys = registry_admin_keys(call->api->registry, &why), *key = acting_find(keys, id);
    if (key) {
        call->answer.rev = json_integer_value(json_object_get(key, "rev"));
        acting_tell_times(key);
        if (secret) json_object_set_new(key, "key", json_string(secret));
        answer_give(call, status, json_incref(key));
    } else if (!keys) {
        answer_registry(call, &why);
    }
    json_decref(keys);
}

void admin_keys_create(struct api_call *call)
{
    struct fault why;
    struct key_made made;
    struct registry *r = acting_registry(call);
    if (!r) return;
    struct change_by by = acting_by(call);
    bool is_good = registry_admin_key_create(r, body_text(call, "owner"), body_instant(call, "expires_at"), &by, &made,
                                             &why);
    if (acting_is_good(call, is_good, &why)) show(call, 201, slice_str(made.id), made.text);
    explicit_bzero(&made, sizeof made);
}

void scim_keys_create(struct api_call *call)
{
    struct fault why;
    struct key_made made;
    struct registry *r = acting_registry(call);
    if (!r) return;
    struct change_by by = acting_by(call);
    bool is_good = registry_scim_key_create(r, body_text(call, "issuer"), body_text(call, "owner"),
                                            body_instant(call, "expires_at"), &by, &made, &why);
    if (acting_is_good(call, is_good, &why)) show(call, 201, slice_str(made.id), made.text);
    explicit_bzero(&made, sizeof made);
}

void admin_keys_revoke(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    if (!r) return;
    struct change_by by = acting_by(call);
    enum registry_found found = registry_admin_key_revoke(r, call->parameters[0], 0, &by, &why);
    if (acting_is_done(call, found, "admin key", &why)) show(call, 200, call->parameters[0], NULL);
}
