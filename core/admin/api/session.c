#include "admin/api/session.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "admin/api/cookie.h"
#include "admin/api/door.h"
#include "base/clock.h"
#include "store/registry/sessions.h"

const struct api_field session_begin_fields[] = {{"key", API_TEXT, true, "an admin key: mga_…"}, FIELDS_END};

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

/* ---- What is done only shortly after signing in. */

static bool wants_fresh(const struct api_route *route)
{
    static const char *const paths[] = {"/admin-keys", "/scim-keys", "/roles", "/roles/{person}/{role}/{scope}",
                                        "/break-glass"};
    for (size_t i = 0; route->action && i < sizeof paths / sizeof paths[0]; i++)
        if (strcmp(route->path, paths[i]) == 0) return true;
    return false;
}

bool session_is_fresh(struct api_call *call)
{
    const struct api_caller *by = call->by;
    if (!by || !by->session.len || !wants_fresh(call->route)) return true;
    if (now_s() - by->signed_in_at <= SESSION_FRESH_S) return true;
    return answer_refuse(call, 403, "fresh_sign_in_needed", NULL, "sign in again, then do it within five minutes",
                         "%s " API_BASE "%s wants a sign-in of the last five minutes", call->route->method,
                         call->route->path);
}

/* ---- Signing in. */

static json_t *text_json(struct slice text)
{
    return text.len ? json_stringn(text.ptr, text.len) : json_null();
}

static void tell(struct api_call *call, int status, struct slice id, const struct api_caller *by, int64_t made_at,
                 int64_t ends_at)
{
    json_t *roles = json_array();
    for (size_t i = 0; i < by->role_count; i++)
        json_array_append_new(roles, json_pack("{s:o, s:o, s:o}", "role", text_json(by->roles[i].role), "scope",
                                               text_json(by->roles[i].scope), "ends_at",
                                               instant_json(by->roles[i].ends_at)));
    answer_give(call, status,
                json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", text_json(id), "person", text_json(by->person),
                          "kind", text_json(by->kind), "name", text_json(by->name), "made_at", instant_json(made_at),
                          "ends_at", instant_json(ends_at), "roles", roles));
}

/* Whoever gives somebody a session of his own beforehand shall not have it afterwards. */
static void end_old(struct api_call *call, const struct change_by *by)
{
    struct fault why;
    struct session old;
    struct registry *r = call->api->registry;
    struct slice secret = call->browser->old;
    if (secret.len && registry_session_find(r, secret, now_s(), INT32_MAX, &old, &why) == REGISTRY_FOUND)
        registry_session_end(r, slice_str(old.id), by, &why);
}

static void begin(struct api_call *call, const struct visitor *v)
{
    struct fault why;
    struct session_made made;
    const struct api_browser *browser = call->browser;
    struct change_by by = caller_change(&v->caller, SLICE(""));
    int64_t made_at = now_s(), ends_at = made_at + door_longest_s(browser->door);
    struct session_spec spec = {
        .person = v->caller.person, .key = v->caller.key, .place = door_address(browser->peer), .ends_at = ends_at};
    by.via = SLICE("ui");
    end_old(call, &by);
    bool is_good = registry_session_begin(call->api->registry, &spec, &by, &made, &why);
    if (acting_is_good(call, is_good, &why)) {
        call->answer.cookie = cookie_write(&call->arena, slice_str(made.secret), browser->is_plain);
        tell(call, 201, arena_copy(&call->arena, slice_str(made.id)), &v->caller, made_at, ends_at);
    }
    explicit_bzero(&made, sizeof made);
}

void session_begin(struct api_call *call)
{
    struct visitor v;
    const struct api_browser *browser = call->browser;
    if (!acting_registry(call)) return;
    if (!browser) {
        answer_refuse(call, 400, "no_browser", NULL, "show an admin key as a bearer token instead",
                      "a session is for browsers");
        return;
    }
    if (browser->cross) {
        answer_refuse(call, 403, "cross_site", NULL, "open the console itself", "%s", browser->cross);
        return;
    }
    if (door_sign_in(browser->door, body_text(call, "key"), browser->peer, &v)) {
        begin(call, &v);
    } else {
        answer_refuse(call, v.status, v.code, "key", v.hint, "%.*s", SLICE_FMT(v.message));
        call->answer.retry_after_s = v.retry_after_s;
    }
    door_leave(&v);
}

/* ---- One's own. */

static bool has_one(struct api_call *call)
{
    return call->by->session.len ||
           answer_refuse(call, 404, "no_session", NULL, "GET " API_BASE "/whoami tells who asks with a key",
                         "there is no session here");
}

void session_show(struct api_call *call)
{
    if (has_one(call)) tell(call, 200, call->by->session, call->by, call->by->signed_in_at, call->by->session_ends_at);
}

static void end(struct api_call *call, struct slice id)
{
    struct fault why;
    struct change_by by = acting_by(call);
    if (acting_is_done(call, registry_session_end(call->api->registry, id, &by, &why), "session", &why))
        answer_give(call, 200, json_pack("{s:s%, s:b}", "id", id.ptr, id.len, "ended", 1));
}

void session_end(struct api_call *call)
{
    if (!has_one(call) || !acting_registry(call)) return;
    end(call, call->by->session);
    if (call->answer.status == 200 && call->browser)
        call->answer.cookie = cookie_write(&call->arena, SLICE(""), call->browser->is_plain);
}

/* ---- All of them: an admin's of everybody, else one's own. */

static json_t *visible(struct api_call *call)
{
    struct fault why;
    struct registry *r = acting_registry(call);
    bool is_admin = caller_has(call->by, API_ADMIN, API_EVERYWHERE);
    int64_t idle_s = call->browser ? door_idle_s(call->browser->door) : SESSION_IDLE_S;
    if (!r) return NULL;
    json_t *all = registry_sessions(r, is_admin ? SLICE("") : call->by->person, now_s(), idle_s, &why);
    if (!all) answer_registry(call, &why);
    return all;
}

void sessions_list(struct api_call *call)
{
    json_t *all = visible(call);
    if (!all) return;
    acting_tell_all_times(all);
    list_give(call, all);
}

void sessions_end(struct api_call *call)
{
    json_t *all = visible(call);
    if (!all) return;
    if (acting_find(all, call->parameters[0])) end(call, call->parameters[0]);
    else answer_refuse(call, 404, "not_found", "id", "GET " API_BASE "/sessions lists them",
                       "there is no session %.*s, or it is over", SLICE_FMT(call->parameters[0]));
    json_decref(all);
}
