#include "admin/api/whoami.h"

#include <jansson.h>

#include "admin/api/answer.h"
#include "admin/api/body.h"
#include "admin/api/openapi.h"
#include "admin/api/route.h"

static json_t *text_json(struct slice text)
{
    return text.len ? json_stringn(text.ptr, text.len) : json_null();
}

/* Whoever has the data folder's files may all that stands in them. */
static json_t *roles_of(const struct api_caller *by)
{
    json_t *all = json_array();
    if (by->is_local)
        json_array_append_new(all, json_pack("{s:s, s:s, s:n}", "role", caller_role_word(API_ADMIN), "scope", "*",
                                             "ends_at"));
    for (size_t i = 0; i < by->role_count; i++) {
        const struct api_held_role *held = &by->roles[i];
        json_array_append_new(all, json_pack("{s:o, s:o, s:o}", "role", text_json(held->role), "scope",
                                             text_json(held->scope), "ends_at", instant_json(held->ends_at)));
    }
    return all;
}

void whoami_show(struct api_call *call)
{
    const struct api_caller *by = call->by;
    answer_give(call, 200,
                json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "person", text_json(by->person), "kind",
                          text_json(by->kind), "name", text_json(by->name), "via", text_json(by->via), "key",
                          text_json(by->key), "is_local", by->is_local, "roles", roles_of(by)));
}

void whoami_openapi(struct api_call *call)
{
    answer_give(call, 200, openapi_document(call->api->routes ? call->api->routes : api_routes));
}
