#include "admin/api/api.h"

#include <jansson.h>
#include <openssl/sha.h>

#include "admin/api/answer.h"
#include "admin/api/body.h"
#include "admin/api/route.h"
#include "admin/api/session.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "store/registry/calls.h"

#define ONCE_KEY_BYTES 255u

void api_call_init(struct api_call *call, struct admin_api *api, const struct api_caller *by)
{
    *call = (struct api_call){.api = api, .by = by};
    arena_init(&call->arena);
}

void api_call_clear(struct api_call *call)
{
    json_decref(call->body);
    json_decref(call->answer.body);
    call->body = call->answer.body = NULL;
    arena_clear(&call->arena);
}

static void keep(struct api_call *call, const struct api_ask *ask)
{
    call->method = arena_copy(&call->arena, ask->method);
    call->query = arena_copy(&call->arena, ask->query);
    call->if_match = arena_copy(&call->arena, ask->if_match);
    call->idempotency_key = arena_copy(&call->arena, ask->idempotency_key);
}

/* ---- What is refused before the body is read. */

#define SEE "GET " API_BASE "/openapi.json lists what there is"

static bool refuse_unknown(struct api_call *call, const struct api_ask *ask, const struct route_match *match)
{
    if (!match->is_known)
        return answer_refuse(call, 404, "unknown_path", "path", SEE, "there is no path " API_BASE "%.*s",
                             SLICE_FMT(ask->path));
    call->answer.allow = arena_copy(&call->arena, slice_str(match->allow)).ptr;
    return answer_refuse(call, 405, "method_not_allowed", NULL, SEE, API_BASE "%.*s takes %s, not %.*s",
                         SLICE_FMT(ask->path), match->allow, SLICE_FMT(ask->method));
}

static bool check_role(struct api_call *call)
{
    const struct api_route *route = call->route;
    if (!call->by && route->role != API_ANYBODY)
        return answer_refuse(call, 401, "admin_key_needed", NULL,
                             "send Authorization: Bearer and an admin key; `moongate keys create --admin` makes one",
                             "%s " API_BASE "%s wants to know who asks", route->method, route->path);
    if (caller_has(call->by, route->role, API_SOMEWHERE)) return true;
    return answer_refuse(call, 403, "role_needed", NULL, "`moongate roles give` is for an admin to say",
                         "%s " API_BASE "%s is for the role %s; %.*s is %s", route->method, route->path,
                         caller_role_word(route->role), SLICE_FMT(call->by->name),
                         caller_role_word(caller_highest(call->by)));
}

static bool is_json(struct slice type)
{
    struct slice parameters;
    return slice_iequal(slice_trim(slice_split(type, ';', &parameters)), SLICE("application/json"));
}

static bool check_kind(struct api_call *call, const struct api_ask *ask)
{
    if (!ask->has_body || is_json(ask->content_type)) return true;
    return answer_refuse(call, 415, "unsupported_media_type", "Content-Type", "send Content-Type: application/json",
                         "the body is %.*s", SLICE_FMT(ask->content_type.len ? ask->content_type : SLICE("untyped")));
}

static bool check_match(struct api_call *call)
{
    if (!call->route->is_matched || call->if_match.len) return true;
    return answer_refuse(call, 428, "if_match_needed", "If-Match",
                         "get the object and send its ETag back, or * to change it whatever it is now",
                         "%s " API_BASE "%s changes what somebody else may have changed", call->route->method,
                         call->route->path);
}

bool api_begin(struct api_call *call, const struct api_ask *ask)
{
    struct route_match match;
    keep(call, ask);
    call->route = route_find(call->api->routes ? call->api->routes : api_routes, ask->method, ask->path, &match);
    if (!call->route && !call->by && match.is_known) match.is_known = false;
    if (!call->route) return refuse_unknown(call, ask, &match);
    if (!check_role(call) || !session_is_fresh(call) || !check_kind(call, ask) || !check_match(call)) return false;
    return route_parameters(&call->arena, call->route, ask->path, call->parameters) ||
           answer_refuse(call, 400, "invalid_path", "path", "write %2F for a slash, %25 for a percent sign",
                         "a segment of %.*s is no percent-encoded UTF-8 text", SLICE_FMT(ask->path));
}

/* ---- The call, and was it made before? */

#define DIGEST_TEXT_BYTES (2 * SHA256_DIGEST_LENGTH + 1)

/* Path and body: what is asked again under the same key is to be the same. */
static struct slice digest_of(struct api_call *call, struct slice body)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char *text = arena_alloc(&call->arena, DIGEST_TEXT_BYTES);
    struct buf all;
    buf_init(&all);
    buf_printf(&all, "%s %s", call->route->method, call->route->path);
    for (size_t i = 0; i < API_PARAMETERS_MAX; i++) {
        buf_append_char(&all, '\n');
        buf_append(&all, call->parameters[i]);
    }
    buf_append_char(&all, '\n');
    buf_append(&all, body);
    SHA256((const unsigned char *)buf_ptr(&all), buf_len(&all), digest);
    buf_clear(&all);
    hex_write(digest, sizeof digest, text);
    return slice_str(text);
}

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

static bool check_once_key(struct api_call *call)
{
    struct slice key = call->idempotency_key;
    return (key.len <= ONCE_KEY_BYTES && utf8_is_valid(key)) ||
           answer_refuse(call, 400, "invalid_idempotency_key", "Idempotency-Key", "a UUID does",
                         "Idempotency-Key has more than %u bytes, or is not UTF-8", ONCE_KEY_BYTES);
}

static void answer_as_before(struct api_call *call, struct slice kept)
{
    json_t *all = json_loadb(kept.ptr, kept.len, 0, NULL);
    call->answer.rev = json_integer_value(json_object_get(all, "rev"));
    answer_give(call, (int)json_integer_value(json_object_get(all, "status")),
                json_incref(json_object_get(all, "body")));
    json_decref(all);
}

/* False: it is answered. */
static bool is_first(struct api_call *call, const struct call_name *name)
{
    struct fault why;
    struct call_before before;
    if (!registry_call_begin(call->api->registry, name, now_s(), &call->arena, &before, &why))
        return answer_registry(call, &why);
    switch (before.state) {
    case CALL_NEW: return true;
    case CALL_DONE: answer_as_before(call, before.answer); return false;
    case CALL_OTHER_BODY:
        return answer_refuse(call, 422, "idempotency_key_reused", "Idempotency-Key", "take a new one for a new call",
                             "that Idempotency-Key was another call's");
    case CALL_OPEN:
        return answer_refuse(call, 409, "outcome_unknown", "Idempotency-Key",
                             "look whether it is there, then take a new key",
                             "that call was begun before and its answer was lost");
    }
    return false;
}

/* A secret is shown once: who asks again learns what it was called, and makes another. */
static void keep_answer(struct api_call *call, const struct call_name *name)
{
    struct fault why;
    const struct api_answer *a = &call->answer;
    struct registry *r = call->api->registry;
    if (a->status >= 300) {
        registry_call_forget(r, name, &why);
        return;
    }
    json_t *body = json_copy(a->body);
    if (json_object_get(body, "key")) json_object_set_new(body, "key", json_null());
    json_t *all = json_pack("{s:i, s:I, s:o}", "status", a->status, "rev", (json_int_t)a->rev, "body", body);
    char *text = json_dumps(all, JSON_COMPACT);
    if (text) registry_call_end(r, name, slice_str(text), &why);
    mem_free(text);
    json_decref(all);
}

static void run_once(struct api_call *call, struct slice body)
{
    const struct api_caller *by = call->by;
    struct call_name name = {call->idempotency_key, by->person.len ? by->person : by->login, digest_of(call, body)};
    if (!check_once_key(call) || !is_first(call, &name)) return;
    call->route->handle(call);
    keep_answer(call, &name);
}

void api_run(struct api_call *call, struct slice body)
{
    bool is_once = call->idempotency_key.len && call->route->action && call->api->registry && call->by;
    if (!body_read(call, body)) return;
    if (is_once) run_once(call, body);
    else call->route->handle(call);
    if (!call->answer.status)
        answer_refuse(call, 500, "internal_error", NULL, NULL, "%s " API_BASE "%s gave no answer", call->route->method,
                      call->route->path);
}
