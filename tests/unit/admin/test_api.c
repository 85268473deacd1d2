/* The admin API without its transport: routes, roles, bodies, and what calls change in a registry. */
#include "../unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/api/api.h"
#include "admin/api/body.h"
#include "admin/api/owner.h"
#include "admin/api/route.h"
#include "admin/api/tries.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/provider_switches.h"
#include "store/registry/admin_keys.h"
#include "store/registry/calls.h"
#include "store/registry/people.h"

static char dir[64];
static struct owner *owner;
static struct provider_switches switches;
static struct admin_api api;
static const struct api_caller local = {.kind = SLICE("human"),
                                        .login = SLICE("kim"),
                                        .name = SLICE("kim"),
                                        .via = SLICE("cli"),
                                        .is_local = true};

static void open_all(void)
{
    struct fault why;
    snprintf(dir, sizeof dir, "%s", "build/test_api.XXXXXX");
    if (!mkdtemp(dir)) exit(2);
    owner = owner_open(dir, 0, &why);
    if (!owner) {
        fprintf(stderr, "%s\n", fault_message(&why));
        exit(2);
    }
    memset(&switches, 0, sizeof switches);
    api = (struct admin_api){.registry = owner_registry(owner), .switches = &switches};
}

static void close_all(void)
{
    char command[96];
    owner_close(owner);
    snprintf(command, sizeof command, "rm -r %s", dir);
    if (system(command) != 0) UNIT_FAIL("%s", command);
}

struct extra {
    const char *if_match, *once;
};

/* The status; *answer is the caller's. */
static int ask_with(const struct api_caller *by, const char *method, const char *path, const char *body,
                    const struct extra *extra, json_t **answer, int64_t *rev)
{
    struct api_call call;
    struct slice query, bare = slice_split(slice_str(path), '?', &query);
    struct api_ask ask = {.method = slice_str(method),
                          .path = bare,
                          .query = query,
                          .content_type = SLICE("application/json; charset=utf-8"),
                          .if_match = slice_str(extra ? extra->if_match : NULL),
                          .idempotency_key = slice_str(extra ? extra->once : NULL),
                          .has_body = body != NULL};
    api_call_init(&call, &api, by);
    if (api_begin(&call, &ask)) api_run(&call, slice_str(body));
    int status = call.answer.status;
    if (rev) *rev = call.answer.rev;
    *answer = json_incref(call.answer.body);
    api_call_clear(&call);
    return status;
}

static int ask(const struct api_caller *by, const char *method, const char *path, const char *body, json_t **answer)
{
    return ask_with(by, method, path, body, NULL, answer, NULL);
}

static const char *code_of(const json_t *answer)
{
    const char *code = json_string_value(json_object_get(json_object_get(answer, "error"), "code"));
    return code ? code : "";
}

static const char *text_of(const json_t *answer, const char *name)
{
    const char *text = json_string_value(json_object_get(answer, name));
    return text ? text : "";
}

static void expect(int status, const char *code, const struct api_caller *by, const char *method, const char *path,
                   const char *body)
{
    json_t *answer;
    int got = ask(by, method, path, body, &answer);
    if (got != status || strcmp(code, code_of(answer)) != 0)
        UNIT_FAIL("%s %s: expected %d %s, got %d %s", method, path, status, code, got, code_of(answer));
    json_decref(answer);
}

/* ---- Routes. */

static void nothing(struct api_call *call)
{
    call->answer.status = 204;
}

static const struct api_route some[] = {
    {"GET", "/a/{x}/b", API_PERSON, NULL, nothing, "", NULL, false},
    {"POST", "/a/{x}/b", API_PERSON, NULL, nothing, "", NULL, false},
    {"GET", "/a/list", API_PERSON, NULL, nothing, "", NULL, false},
    {NULL, NULL, API_NOBODY, NULL, NULL, NULL, NULL, false},
};

static void paths_are_matched_by_segments(void)
{
    struct route_match match;
    static const char *const none[] = {"", "/", "/a", "/a/", "/a//b", "/a/x/b/", "/a/x/c", "a/x/b", "/a/x/b/c"};
    EXPECT(route_find(some, SLICE("GET"), SLICE("/a/q%2Fr/b"), &match) == &some[0]);
    EXPECT(route_find(some, SLICE("HEAD"), SLICE("/a/x/b"), &match) == &some[0]);
    EXPECT(route_find(some, SLICE("POST"), SLICE("/a/x/b"), &match) == &some[1]);
    EXPECT(route_find(some, SLICE("PUT"), SLICE("/a/x/b"), &match) == NULL);
    EXPECT(match.is_known);
    EXPECT_STR("GET, HEAD, POST", match.allow);
    EXPECT(route_find(some, SLICE("get"), SLICE("/a/x/b"), &match) == NULL);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        if (route_find(some, SLICE("GET"), slice_str(none[i]), &match) || match.is_known)
            UNIT_FAIL("%s is no path", none[i]);
    }
}

static void parameters_are_decoded(void)
{
    struct arena arena;
    struct slice p[API_PARAMETERS_MAX] = {SLICE_NONE};
    arena_init(&arena);
    EXPECT(route_parameters(&arena, &some[0], SLICE("/a/support%2Freply/b"), p));
    EXPECT_SLICE(SLICE("support/reply"), p[0]);
    EXPECT(!route_parameters(&arena, &some[0], SLICE("/a/%zz/b"), p));
    EXPECT(!route_parameters(&arena, &some[0], SLICE("/a/%00/b"), p));
    EXPECT(!route_parameters(&arena, &some[0], SLICE("/a/%ff/b"), p));
    EXPECT_SLICE(SLICE("x"), route_parameter_name(&some[0], 0));
    EXPECT_INT(0, route_parameter_name(&some[0], 1).len);
    arena_clear(&arena);
}

/* Each row has a role, is written once, and says what it is for; what changes something has a name in the ledger. */
static void each_row_is_whole(void)
{
    struct route_match match;
    for (const struct api_route *r = api_routes; r->path; r++) {
        bool is_get = strcmp(r->method, "GET") == 0;
        if (r->role == API_NOBODY || !r->summary[0] || !r->handle) UNIT_FAIL("%s %s is not whole", r->method, r->path);
        if (is_get == (r->action != NULL)) UNIT_FAIL("%s %s: an action is what changes", r->method, r->path);
        if (route_find(api_routes, slice_str(r->method), slice_str(r->path), &match) != r)
            UNIT_FAIL("%s %s is not found under its path", r->method, r->path);
        bool must_match = strcmp(r->method, "PATCH") == 0 || strcmp(r->method, "PUT") == 0;
        if (must_match && !r->is_matched) UNIT_FAIL("%s %s is without If-Match", r->method, r->path);
    }
}

/* ---- Who may ask what: all rows, all roles. */

static int status_for(const struct api_route *r, const struct api_caller *by)
{
    struct api_call call;
    api_call_init(&call, &api, by);
    bool may = api_begin(&call, &(struct api_ask){.method = slice_str(r->method),
                                                  .path = slice_str(r->path),
                                                  .if_match = SLICE("*")});
    int status = may ? 0 : call.answer.status;
    api_call_clear(&call);
    return status;
}

static void each_row_asks_for_its_role(void)
{
    for (const struct api_route *r = api_routes; r->path; r++) {
        EXPECT_INT(401, status_for(r, NULL));
        for (enum api_role role = API_PERSON; role <= API_ADMIN; role++) {
            struct api_held_role held = {slice_str(caller_role_word(role)), SLICE("sales"), 0};
            struct api_caller by = {.name = SLICE("ana"), .roles = &held, .role_count = role > API_PERSON};
            int want = role >= r->role ? 0 : 403, got = status_for(r, &by);
            if (want != got)
                UNIT_FAIL("%s %s for %s: expected %d, got %d", r->method, r->path, caller_role_word(role), want, got);
        }
        EXPECT_INT(0, status_for(r, &local));
    }
}

static void roles_hold_for_their_scope(void)
{
    struct api_held_role held[] = {{SLICE("approver"), SLICE("sales"), 0}, {SLICE("viewer"), SLICE("*"), 0},
                                   {SLICE("manager"), SLICE("*"), 0}};
    struct api_caller by = {.roles = held, .role_count = 3};
    EXPECT(caller_has(&by, API_APPROVER, SLICE("sales")));
    EXPECT(caller_has(&by, API_AUTHOR, SLICE("sales")));
    EXPECT(!caller_has(&by, API_APPROVER, SLICE("claims")));
    EXPECT(!caller_has(&by, API_APPROVER, API_EVERYWHERE));
    EXPECT(caller_has(&by, API_VIEWER, SLICE("claims")));
    EXPECT(!caller_has(&by, API_ADMIN, API_SOMEWHERE));
    EXPECT_INT(API_APPROVER, caller_highest(&by));
    EXPECT_INT(API_NOBODY, caller_highest(NULL));
    EXPECT(!caller_has(NULL, API_PERSON, API_SOMEWHERE));
}

/* ---- What is refused. */

static void what_is_wrong_is_named(void)
{
    expect(404, "unknown_path", &local, "GET", "/peeple", NULL);
    expect(405, "method_not_allowed", &local, "DELETE", "/people", NULL);
    expect(404, "unknown_path", NULL, "DELETE", "/people", NULL); /* who is unknown learns of no path */
    expect(400, "invalid_json", &local, "POST", "/people", "{\"subject\":");
    expect(400, "invalid_json", &local, "POST", "/people", "[]");
    expect(400, "invalid_json", &local, "POST", "/people", "{\"subject\":\"a\",\"subject\":\"b\"}");
    expect(400, "unknown_field", &local, "POST", "/people", "{\"subjekt\":\"a\"}");
    expect(400, "missing_field", &local, "POST", "/people", "{\"name\":\"a\"}");
    expect(400, "invalid_field", &local, "POST", "/people", "{\"subject\":7}");
    expect(400, "invalid_field", &local, "POST", "/people", "{\"subject\":\"a\\nb\"}");
    expect(400, "invalid_field", &local, "POST", "/people", "{\"subject\":\"a\\u202eb\"}");
    expect(400, "invalid_field", &local, "POST", "/people", "{\"subject\":\"a\",\"kind\":\"robot\"}");
    expect(400, "invalid_field", &local, "POST", "/keys", "{\"app\":\"a\",\"expires_at\":\"2026-02-30T00:00:00Z\"}");
    expect(400, "invalid_field", &local, "POST", "/keys", "{\"app\":\"a\",\"labels\":{\"a\":1}}");
    expect(400, "missing_field", &local, "POST", "/keys", "{}");
    expect(428, "if_match_needed", &local, "PATCH", "/keys/key_1", "{}");
    expect(404, "not_found", &local, "GET", "/keys/key_1", NULL);
    expect(404, "not_found", &local, "POST", "/people/per_1/disable", NULL);
}

static void the_nearest_field_is_named(void)
{
    json_t *answer;
    EXPECT_INT(400, ask(&local, "POST", "/people", "{\"subjekt\":\"a\"}", &answer));
    json_t *error = json_object_get(answer, "error");
    EXPECT_STR("subjekt", text_of(error, "field"));
    EXPECT_STR("did you mean `subject`?", text_of(error, "hint"));
    json_decref(answer);
}

static void a_body_is_json(void)
{
    struct api_call call;
    api_call_init(&call, &api, &local);
    EXPECT(!api_begin(&call, &(struct api_ask){.method = SLICE("POST"),
                                               .path = SLICE("/people"),
                                               .content_type = SLICE("text/plain"),
                                               .has_body = true}));
    EXPECT_INT(415, call.answer.status);
    api_call_clear(&call);
}

static void without_a_registry_it_is_said(void)
{
    struct registry *kept = api.registry;
    api.registry = NULL;
    expect(503, "registry_unavailable", &local, "GET", "/people", NULL);
    expect(503, "registry_unavailable", &local, "POST", "/people", "{\"subject\":\"a\"}");
    expect(200, "", &local, "GET", "/registry", NULL);
    expect(200, "", &local, "GET", "/whoami", NULL);
    api.registry = kept;
}

/* ---- Instants. */

static void instants_are_of_utc(void)
{
    int64_t at;
    static const char *const none[] = {"", "2026-11-27", "2026-11-27T18:00:00", "2026-11-27T18:00:00+01:00",
                                       "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-27T24:00:00Z",
                                       "2026-11-27T18:60:00Z", "2026-11-27t18:00:00Z", "2026-11-27T18:00:00.Z",
                                       "2026-11-27T18:00:00.1234567890Z", "2026-11-27T18:00:61Z", "+026-11-27T18:00:00Z",
                                       "1970-01-01T00:00:00Z"};
    EXPECT(instant_read(SLICE("2026-11-27T18:00:00Z"), &at));
    EXPECT_INT(1795802400, at);
    EXPECT(instant_read(SLICE("2026-11-27T18:00:00.999Z"), &at));
    EXPECT_INT(1795802400, at);
    EXPECT(instant_read(SLICE("2028-02-29T00:00:00Z"), &at));
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        if (instant_read(slice_str(none[i]), &at)) UNIT_FAIL("%s is no instant", none[i]);
    json_t *text = instant_json(1795802400), *null = instant_json(0);
    EXPECT_STR("2026-11-27T18:00:00Z", json_string_value(text));
    EXPECT(json_is_null(null));
    json_decref(text);
    json_decref(null);
}

/* ---- What calls change. */

static void make_person(const char *subject, char id[PERSON_ID_BYTES])
{
    char body[96];
    json_t *answer;
    snprintf(body, sizeof body, "{\"subject\":\"%s\",\"department\":\"sales\"}", subject);
    EXPECT_INT(201, ask(&local, "POST", "/people", body, &answer));
    snprintf(id, PERSON_ID_BYTES, "%s", text_of(answer, "id"));
    json_decref(answer);
}

static void people_are_made_and_disabled(void)
{
    char id[PERSON_ID_BYTES], path[64];
    json_t *answer;
    int64_t rev;
    make_person("ana", id);
    expect(409, "exists", &local, "POST", "/people", "{\"subject\":\"ana\"}");
    snprintf(path, sizeof path, "/people/%s", id);
    EXPECT_INT(200, ask_with(&local, "GET", path, NULL, NULL, &answer, &rev));
    EXPECT_STR("local", text_of(answer, "issuer"));
    EXPECT(rev > 0);
    json_decref(answer);
    snprintf(path, sizeof path, "/people/%s/disable", id);
    EXPECT_INT(412, ask_with(&local, "POST", path, NULL, &(struct extra){"\"99999\"", NULL}, &answer, NULL));
    EXPECT_STR(id, text_of(answer, "id")); /* the object as it is */
    json_decref(answer);
    expect(200, "", &local, "POST", path, "{\"reason\":\"left\"}");
    EXPECT_INT(200, ask(&local, "GET", "/people", NULL, &answer));
    EXPECT_INT(1, json_integer_value(json_object_get(answer, "total")));
    json_decref(answer);
}

static void nobody_gives_himself_a_role(void)
{
    char id[PERSON_ID_BYTES], body[160];
    json_t *answer;
    make_person("bo", id);
    snprintf(body, sizeof body, "{\"person\":\"%s\",\"role\":\"admin\",\"scope\":\"sales\"}", id);
    EXPECT_INT(201, ask(&local, "POST", "/roles", body, &answer));
    json_decref(answer);
    struct api_held_role held = {SLICE("admin"), SLICE("sales"), 0};
    struct api_caller bo = {.person = slice_str(id), .name = SLICE("bo"), .via = SLICE("api"), .roles = &held,
                            .role_count = 1};
    snprintf(body, sizeof body, "{\"person\":\"%s\",\"role\":\"approver\",\"scope\":\"sales\"}", id);
    expect(409, "self_approval", &bo, "POST", "/roles", body);
    snprintf(body, sizeof body, "{\"person\":\"%s\",\"role\":\"approver\",\"scope\":\"claims\"}", id);
    expect(403, "not_your_scope", &bo, "POST", "/roles", body);
    expect(403, "not_your_scope", &bo, "POST", "/keys", "{\"app\":\"x\",\"department\":\"claims\"}");
    expect(201, "", &bo, "POST", "/keys", "{\"app\":\"x\",\"department\":\"sales\"}");
    snprintf(body, sizeof body, "/roles/%s/admin/sales", id);
    expect(200, "", &local, "DELETE", body, NULL);
    expect(404, "not_found", &local, "DELETE", body, NULL);
}

static void an_admin_key_lives_while_its_owner_does(void)
{
    char id[PERSON_ID_BYTES], body[160], path[64];
    struct admin_key key;
    struct fault why;
    json_t *made, *answer;
    make_person("cy", id);
    snprintf(body, sizeof body, "{\"owner\":\"%s\"}", id);
    EXPECT_INT(201, ask(&local, "POST", "/admin-keys", body, &made));
    struct slice text = slice_str(text_of(made, "key"));
    EXPECT(slice_starts(text, SLICE("mga_")));
    EXPECT_INT(REGISTRY_FOUND, registry_admin_key_find(api.registry, text, 1, &key, &why));
    EXPECT_STR(id, key.person);
    EXPECT_STR("cy", key.name);
    EXPECT_INT(REGISTRY_MISSING, registry_admin_key_find(api.registry, SLICE("mga_other"), 1, &key, &why));
    snprintf(path, sizeof path, "/people/%s/disable", id);
    expect(200, "", &local, "POST", path, NULL);
    EXPECT_INT(REGISTRY_MISSING, registry_admin_key_find(api.registry, text, 1, &key, &why));
    snprintf(path, sizeof path, "/people/%s/enable", id);
    expect(200, "", &local, "POST", path, NULL);
    EXPECT_INT(REGISTRY_FOUND, registry_admin_key_find(api.registry, text, 1, &key, &why));
    EXPECT_INT(200, ask(&local, "GET", "/admin-keys", NULL, &answer)); /* the secret is shown once */
    char *all = json_dumps(answer, 0);
    EXPECT(all && !strstr(all, text.ptr));
    free(all);
    json_decref(answer);
    snprintf(path, sizeof path, "/admin-keys/%s/revoke", text_of(made, "id"));
    expect(200, "", &local, "POST", path, NULL);
    EXPECT_INT(REGISTRY_MISSING, registry_admin_key_find(api.registry, text, 1, &key, &why));
    json_decref(made);
}

static void two_editors_get_one_412(void)
{
    char path[64], etag[32];
    json_t *made, *answer;
    int64_t rev;
    EXPECT_INT(201, ask_with(&local, "POST", "/keys", "{\"app\":\"crm\"}", NULL, &made, &rev));
    snprintf(path, sizeof path, "/keys/%s", text_of(made, "id"));
    snprintf(etag, sizeof etag, "\"%lld\"", (long long)rev);
    struct extra seen = {etag, NULL};
    EXPECT_INT(200, ask_with(&local, "PATCH", path, "{\"labels\":{\"a\":\"1\"}}", &seen, &answer, NULL));
    json_decref(answer);
    EXPECT_INT(412, ask_with(&local, "PATCH", path, "{\"labels\":{\"b\":\"1\"}}", &seen, &answer, NULL));
    EXPECT_STR("1", text_of(json_object_get(answer, "labels"), "a"));
    json_decref(answer);
    EXPECT_INT(200, ask_with(&local, "PATCH", path, "{\"expires_at\":\"2099-01-01T00:00:00Z\"}",
                             &(struct extra){"*", NULL}, &answer, NULL));
    EXPECT_STR("2099-01-01T00:00:00Z", text_of(answer, "expires_at"));
    json_decref(answer);
    EXPECT_INT(400, ask_with(&local, "PATCH", path, "{}", &(struct extra){"W/\"1\"", NULL}, &answer, NULL));
    json_decref(answer);
    json_decref(made);
}

static void the_same_call_is_made_once(void)
{
    json_t *first, *second, *other;
    struct extra once = {NULL, "7a1c"};
    EXPECT_INT(201, ask_with(&local, "POST", "/keys", "{\"app\":\"a\"}", &once, &first, NULL));
    EXPECT_INT(201, ask_with(&local, "POST", "/keys", "{\"app\":\"a\"}", &once, &second, NULL));
    EXPECT_STR(text_of(first, "id"), text_of(second, "id"));
    EXPECT(text_of(first, "key")[0] && json_is_null(json_object_get(second, "key"))); /* nor kept for that */
    EXPECT_INT(422, ask_with(&local, "POST", "/keys", "{\"app\":\"b\"}", &once, &other, NULL));
    EXPECT_STR("idempotency_key_reused", code_of(other));
    json_decref(other);
    struct api_caller ana = local;
    ana.login = SLICE("ana");
    EXPECT_INT(201, ask_with(&ana, "POST", "/keys", "{\"app\":\"b\"}", &once, &other, NULL));
    json_decref(other);
    struct extra failed = {NULL, "8b2d"};
    EXPECT_INT(400, ask_with(&local, "POST", "/keys", "{}", &failed, &other, NULL));
    json_decref(other);
    EXPECT_INT(201, ask_with(&local, "POST", "/keys", "{\"app\":\"c\"}", &failed, &other, NULL));
    json_decref(first);
    json_decref(second);
    json_decref(other);
}

/* Whoever dies between claim and answer. */
static void a_call_whose_answer_was_lost_is_not_made_again(void)
{
    struct fault why;
    struct arena arena;
    struct call_before before;
    arena_init(&arena);
    struct call_name name = {SLICE("open"), SLICE("kim"), SLICE("d")};
    EXPECT(registry_call_begin(api.registry, &name, 1000, &arena, &before, &why));
    EXPECT_INT(CALL_NEW, before.state);
    EXPECT(registry_call_begin(api.registry, &name, 1000, &arena, &before, &why));
    EXPECT_INT(CALL_OPEN, before.state);
    EXPECT(registry_call_begin(api.registry, &name, 1000 + LIMIT_CALL_KEPT_S, &arena, &before, &why));
    EXPECT_INT(CALL_NEW, before.state); /* after a day it is forgotten */
    arena_clear(&arena);
}

static void a_switch_reaches_the_shared_memory(void)
{
    struct provider_switch s;
    json_t *answer;
    expect(400, "missing_field", &local, "POST", "/providers/z/disable", "{}");
    expect(404, "not_found", &local, "POST", "/providers/z/enable", NULL);
    EXPECT_INT(200, ask(&local, "POST", "/providers/z/disable",
                        "{\"until\":\"2099-01-01T00:00:00Z\",\"cut\":true,\"reason\":\"incident 7\"}", &answer));
    EXPECT(json_is_true(json_object_get(answer, "is_disabled")));
    json_decref(answer);
    s = provider_switches_get(&switches, SLICE("z"));
    EXPECT(s.is_off && s.is_cut && provider_switches_cuts(&switches));
    EXPECT(provider_switch_is_off(&s, 4070908799));
    EXPECT(!provider_switch_is_off(&s, 4070908800)); /* over at its second */
    expect(200, "", &local, "POST", "/providers/z/enable", NULL);
    s = provider_switches_get(&switches, SLICE("z"));
    EXPECT(!s.is_off && !provider_switches_cuts(&switches));
    EXPECT(!provider_switches_get(&switches, SLICE("y")).is_off);
}

static void top_ups_are_made_and_ended(void)
{
    char until[24], body[200], path[64];
    json_t *made, *answer;
    json_t *end = instant_json((int64_t)(clock_wall_ns() / NS_PER_S) + 3600);
    snprintf(until, sizeof until, "%s", json_string_value(end));
    json_decref(end);
    snprintf(body, sizeof body,
             "{\"budget\":\"budget/sales\",\"scope\":\"department=sales\",\"nano\":5,\"ends_at\":\"%s\",\"reason\":\"q\"}",
             until);
    EXPECT_INT(201, ask(&local, "POST", "/topups", body, &made));
    EXPECT_STR(until, text_of(made, "ends_at"));
    snprintf(path, sizeof path, "/topups/%s/end", text_of(made, "id"));
    EXPECT_INT(200, ask(&local, "POST", path, NULL, &answer));
    EXPECT(json_is_false(json_object_get(answer, "was_over")));
    json_decref(answer);
    EXPECT_INT(200, ask(&local, "POST", path, NULL, &answer));
    EXPECT(json_is_true(json_object_get(answer, "was_over")));
    json_decref(answer);
    json_decref(made);
    snprintf(body, sizeof body, "{\"budget\":\"b/s\",\"nano\":0,\"ends_at\":\"%s\",\"reason\":\"q\"}", until);
    expect(400, "invalid_request", &local, "POST", "/topups", body);
}

/* ---- What the document says. */

static void the_document_has_each_row(void)
{
    json_t *document;
    EXPECT_INT(200, ask(&local, "GET", "/openapi.json", NULL, &document));
    json_t *paths = json_object_get(document, "paths");
    for (const struct api_route *r = api_routes; r->path; r++) {
        char method[16];
        snprintf(method, sizeof method, "%s", r->method);
        for (char *c = method; *c; c++)
            *c |= 0x20;
        json_t *operation = json_object_get(json_object_get(paths, r->path), method);
        if (strcmp(text_of(operation, "x-moongate-role"), caller_role_word(r->role)) != 0)
            UNIT_FAIL("%s %s is not in the document", r->method, r->path);
        if (r->action) EXPECT_STR(r->action, text_of(operation, "x-moongate-action"));
    }
    EXPECT_STR("3.1.0", text_of(document, "openapi"));
    EXPECT(json_object_get(json_object_get(json_object_get(document, "components"), "schemas"), "Error") != NULL);
    json_decref(document);
}

/* ---- How often. */

static void tries_come_back_with_time(void)
{
    struct tries *t = tries_new(&(struct tries_rule){.burst = 3, .each_ms = 2000});
    uint64_t at = 1000 * NS_PER_S;
    for (int i = 0; i < 3; i++)
        EXPECT_INT(0, tries_take(t, SLICE("a"), at));
    EXPECT_INT(2, tries_take(t, SLICE("a"), at));
    EXPECT_INT(0, tries_take(t, SLICE("b"), at));
    EXPECT_INT(1, tries_take(t, SLICE("a"), at + NS_PER_S));
    EXPECT_INT(0, tries_take(t, SLICE("a"), at + 2 * NS_PER_S));
    EXPECT_INT(2, tries_take(t, SLICE("a"), at + 2 * NS_PER_S));
    tries_free(t);
}

int main(void)
{
    open_all();
    RUN(paths_are_matched_by_segments);
    RUN(parameters_are_decoded);
    RUN(each_row_is_whole);
    RUN(each_row_asks_for_its_role);
    RUN(roles_hold_for_their_scope);
    RUN(what_is_wrong_is_named);
    RUN(the_nearest_field_is_named);
    RUN(a_body_is_json);
    RUN(without_a_registry_it_is_said);
    RUN(instants_are_of_utc);
    RUN(people_are_made_and_disabled);
    RUN(nobody_gives_himself_a_role);
    RUN(an_admin_key_lives_while_its_owner_does);
    RUN(two_editors_get_one_412);
    RUN(the_same_call_is_made_once);
    RUN(a_call_whose_answer_was_lost_is_not_made_again);
    RUN(a_switch_reaches_the_shared_memory);
    RUN(top_ups_are_made_and_ended);
    RUN(the_document_has_each_row);
    RUN(tries_come_back_with_time);
    close_all();
    return unit_close("api");
}
