#include "admin/api/door.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "admin/api/cookie.h"
#include "admin/api/csrf.h"
#include "admin/api/session.h"
#include "admin/api/tries.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/login.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/conn.h"
#include "store/registry/admin_keys.h"
#include "store/registry/provided.h"
#include "store/registry/sessions.h"
#include "wire/http.h"

struct door {
    struct admin_api *api;
    struct tries *peers, *all; /* those who showed no good key */
    struct tries *calls;       /* of people */
    char host[65];
    int64_t idle_s, longest_s;          /* of sessions */
    struct slice trusted[DOOR_TRUSTED]; /* owned */
};

struct door *door_new(struct admin_api *api)
{
    struct door *door = mem_zalloc(1, sizeof *door);
    door->api = api;
    door->peers = tries_new(&(struct tries_rule){DOOR_TRIES, DOOR_TRY_MS});
    door->all = tries_new(&(struct tries_rule){DOOR_ALL_TRIES, 60000u / DOOR_ALL_TRIES});
    door->calls = tries_new(&(struct tries_rule){DOOR_CALLS, DOOR_CALL_MS});
    door->idle_s = SESSION_IDLE_S;
    door->longest_s = SESSION_LONGEST_S;
    if (gethostname(door->host, sizeof door->host - 1) != 0) door->host[0] = '\0';
    return door;
}

void door_free(struct door *door)
{
    if (!door) return;
    tries_free(door->peers);
    tries_free(door->all);
    tries_free(door->calls);
    for (size_t i = 0; i < DOOR_TRUSTED; i++)
        door_trust(door, i, SLICE_NONE);
    mem_free(door);
}

void door_set_times(struct door *door, int64_t idle_s, int64_t longest_s)
{
    door->idle_s = idle_s;
    door->longest_s = longest_s;
}

int64_t door_idle_s(const struct door *door)
{
    return door->idle_s;
}

int64_t door_longest_s(const struct door *door)
{
    return door->longest_s;
}

void door_trust(struct door *door, size_t n, struct slice origin)
{
    struct slice *to = &door->trusted[n];
    if (to->len) mem_free((char *)(uintptr_t)to->ptr);
    *to = origin.len ? slice_of(mem_strndup(origin.ptr, origin.len), origin.len) : SLICE_NONE;
}

static bool refuse(struct visitor *v, int status, const char *code, const char *hint, const char *message)
{
    v->status = status;
    v->code = code;
    v->hint = hint;
    v->message = arena_copy(&v->arena, slice_str(message));
    return false;
}

static struct slice keep(struct visitor *v, const char *text)
{
    return arena_copy(&v->arena, slice_str(text));
}

/* ---- The roles of who is known. */

static void take_roles(struct visitor *v, const json_t *roles, int64_t now_s)
{
    size_t i, count = 0;
    json_t *role;
    struct api_held_role *held = arena_alloc(&v->arena, (json_array_size(roles) + 1) * sizeof *held);
    json_array_foreach (roles, i, role) {
        int64_t ends_at = json_integer_value(json_object_get(role, "ends_at"));
        if (ends_at && ends_at <= now_s) continue;
        held[count++] = (struct api_held_role){keep(v, json_string_value(json_object_get(role, "role"))),
                                               keep(v, json_string_value(json_object_get(role, "scope"))), ends_at};
    }
    v->caller.roles = held;
    v->caller.role_count = count;
}

#define WAIT_FOR_IT "the registry cannot be read now: try again; /readyz?verbose may say more"

static bool unavailable(struct visitor *v)
{
    v->retry_after_s = 1;
    return refuse(v, 503, "registry_unavailable", NULL, WAIT_FOR_IT);
}

static bool read_roles(struct door *door, struct visitor *v)
{
    struct fault why;
    json_t *roles = registry_roles(door->api->registry, v->caller.person, &why);
    if (!roles) return unavailable(v);
    take_roles(v, roles, (int64_t)(clock_wall_ns() / NS_PER_S));
    json_decref(roles);
    return true;
}

/* ---- At this machine. */

/* A name that is shown, as who has logged in behind sudo; what he may goes by the kernel's word. */
static struct slice shown_name(const struct http_head *head, const char *own)
{
    struct slice said = http_find(head, SLICE("x-moongate-login"));
    bool is_good = said.len && said.len <= LIMIT_LOGIN_BYTES && utf8_is_valid(said) && http_is_field_value(said);
    return is_good ? said : slice_str(own);
}

static bool let_local(struct door *door, const struct http_head *head, const struct door_place *place,
                      struct visitor *v)
{
    char name[LIMIT_LOGIN_BYTES + 1], person[PERSON_ID_BYTES] = "";
    struct fault why;
    login_of(place->uid, name);
    if (door->api->registry)
        registry_person_find(door->api->registry, PERSON_LOCAL, slice_str(name), person, &why);
    v->caller = (struct api_caller){.person = keep(v, person),
                                    .kind = SLICE("human"),
                                    .login = keep(v, name),
                                    .name = arena_copy(&v->arena, shown_name(head, name)),
                                    .via = SLICE("cli"),
                                    .host = slice_str(door->host),
                                    .uid = place->uid,
                                    .is_local = true};
    return true;
}

/* ---- With a key. */

static struct slice key_of(const struct http_head *head)
{
    struct slice value = http_find(head, SLICE("authorization")), key;
    return slice_iequal(slice_split(value, ' ', &key), SLICE("bearer")) ? slice_trim(key) : SLICE_NONE;
}

struct slice door_address(const char *peer)
{
    const char *colon = strrchr(peer, ':');
    return colon ? slice_of(peer, (size_t)(colon - peer)) : slice_str(peer);
}

/* Told of a few, since whoever tries much would fill the log. */
static bool unknown(struct door *door, const char *peer, struct visitor *v)
{
    uint64_t now_ns = clock_mono_ns();
    unsigned wait_s = tries_take(door->peers, door_address(peer), now_ns);
    unsigned all_s = wait_s ? 0 : tries_take(door->all, SLICE("*"), now_ns);
    v->retry_after_s = wait_s ? wait_s : all_s;
    if (v->retry_after_s)
        return refuse(v, 429, "too_many_tries", "a good key is taken at once, also now",
                      "too many keys that are not good were shown");
    log_event(LOG_WARN, "admin_key_refused", "%s showed no good admin key", peer);
    return refuse(v, 401, "invalid_admin_key", "`moongate keys list --admin` shows which there are, and until when",
                  "this is no admin key that is good now: unknown, revoked or expired, or its owner is disabled");
}

static bool let_key(struct door *door, struct slice text, const char *peer, struct visitor *v)
{
    struct fault why;
    struct admin_key key;
    if (!slice_starts(text, SLICE(ADMIN_KEY_PREFIX)) || text.len >= KEY_TEXT_BYTES) return unknown(door, peer, v);
    if (!door->api->registry) return unavailable(v);
    switch (registry_admin_key_find(door->api->registry, text, (int64_t)(clock_wall_ns() / NS_PER_S), &key, &why)) {
    case REGISTRY_FAILED: return unavailable(v);
    case REGISTRY_MISSING: return unknown(door, peer, v);
    case REGISTRY_FOUND: break;
    }
    v->caller = (struct api_caller){.person = keep(v, key.person),
                                    .kind = keep(v, key.kind),
                                    .name = keep(v, key.name),
                                    .via = SLICE("api"),
                                    .key = keep(v, key.id)};
    return read_roles(door, v);
}

static bool is_in_time(struct door *door, struct visitor *v)
{
    struct slice who = v->caller.person.len ? v->caller.person : SLICE("local");
    v->retry_after_s = tries_take(door->calls, who, clock_mono_ns());
    return !v->retry_after_s || refuse(v, 429, "too_many_requests", NULL, "this person asks too much at once");
}

bool door_sign_in(struct door *door, struct slice key, const char *peer, struct visitor *v)
{
    struct fault why;
    *v = (struct visitor){0};
    arena_init(&v->arena);
    if (let_key(door, key, peer, v)) return true;
    struct change_by nobody = {.actor = door_address(peer), .host = slice_str(door->host), .via = SLICE("ui")};
    if (v->status == 401 && door->api->registry)
        registry_session_refused(door->api->registry, door_address(peer), &nobody, &why);
    return false;
}

static bool find_scim(struct door *door, const struct http_head *head, const char *peer, struct scim_key *key,
                      struct visitor *v)
{
    struct fault why;
    struct slice text = key_of(head);
    if (!slice_starts(text, SLICE(SCIM_KEY_PREFIX)) || text.len >= KEY_TEXT_BYTES) return unknown(door, peer, v);
    if (!door->api->registry) return unavailable(v);
    switch (registry_scim_key_find(door->api->registry, text, (int64_t)(clock_wall_ns() / NS_PER_S), key, &why)) {
    case REGISTRY_FAILED: return unavailable(v);
    case REGISTRY_MISSING: return unknown(door, peer, v);
    case REGISTRY_FOUND: break;
    }
    v->caller = (struct api_caller){.person = keep(v, key->owner), .name = keep(v, key->id), .via = SLICE("scim")};
    return true;
}

bool door_let_scim(struct door *door, const struct http_head *head, const char *peer, struct scim_key *key,
                   struct visitor *v)
{
    *v = (struct visitor){0};
    arena_init(&v->arena);
    return find_scim(door, head, peer, key, v) && is_in_time(door, v);
}

/* ---- With a session. */

const char *door_cross(const struct door *door, const struct http_head *head)
{
    return csrf_refusal(&(struct csrf_request){.method = head->method,
                                               .origin = http_find(head, SLICE("origin")),
                                               .fetch_site = http_find(head, SLICE("sec-fetch-site")),
                                               .host = http_find(head, SLICE("host")),
                                               .trusted = door->trusted,
                                               .trusted_count = DOOR_TRUSTED});
}

static bool is_change(const struct http_head *head)
{
    return !slice_equal(head->method, SLICE("GET")) && !slice_equal(head->method, SLICE("HEAD"));
}

static bool is_json(struct slice type)
{
    struct slice parameters;
    return slice_iequal(slice_trim(slice_split(type, ';', &parameters)), SLICE("application/json"));
}

/* What a form of another site can send is never JSON. */
static bool check_page(struct door *door, const struct http_head *head, struct visitor *v)
{
    const char *cross = door_cross(door, head);
    if (cross) return refuse(v, 403, "cross_site", "open the console itself, or show an admin key", cross);
    if (!is_change(head) || is_json(http_find(head, SLICE("content-type")))) return true;
    return refuse(v, 415, "unsupported_media_type", "send Content-Type: application/json",
                  "what changes something with a session says that it is JSON");
}

static bool let_session(struct door *door, const struct http_head *head, struct slice secret, struct visitor *v)
{
    struct fault why;
    struct session session;
    int64_t now_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    if (!check_page(door, head, v)) return false;
    if (!door->api->registry) return unavailable(v);
    switch (registry_session_find(door->api->registry, secret, now_s, door->idle_s, &session, &why)) {
    case REGISTRY_FAILED: return unavailable(v);
    case REGISTRY_MISSING:
        return refuse(v, 401, "session_over", "sign in again", "there is no such session, or it is over");
    case REGISTRY_FOUND: break;
    }
    v->caller = (struct api_caller){.person = keep(v, session.person),
                                    .kind = keep(v, session.kind),
                                    .name = keep(v, session.name),
                                    .via = SLICE("ui"),
                                    .session = keep(v, session.id),
                                    .signed_in_at = session.made_at,
                                    .session_ends_at = session.ends_at};
    return read_roles(door, v);
}

/* ---- Whoever comes. */

bool door_let(struct door *door, const struct http_head *head, const struct door_place *place, struct visitor *v)
{
    *v = (struct visitor){0};
    arena_init(&v->arena);
    struct slice key = key_of(head), secret = cookie_read(head);
    bool is_owner = place->is_local && (place->uid == 0 || place->uid == geteuid());
    if (is_owner && !key.len) return let_local(door, head, place, v) && is_in_time(door, v);
    if (key.len) return let_key(door, key, place->peer, v) && is_in_time(door, v);
    if (secret.len) return let_session(door, head, secret, v) && is_in_time(door, v);
    return refuse(v, 401, "admin_key_needed", "`moongate keys create --admin --owner PERSON` makes one",
                  "send Authorization: Bearer and an admin key");
}

void door_leave(struct visitor *v)
{
    arena_clear(&v->arena);
}
