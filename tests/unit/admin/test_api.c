/* The admin API without its transport: routes, roles, bodies, and what it says of itself. */
#include "admin/api/tries.h"
#include "api_kit.h"

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
        bool is_get = strcmp(r->method, "GET") == 0 || strcmp(r->path, "/prompts/render") == 0;
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
        EXPECT_INT(r->role == API_ANYBODY ? 0 : 401, status_for(r, NULL));
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
    RUN(the_document_has_each_row);
    RUN(tries_come_back_with_time);
    close_all();
    return unit_close("api");
}
