/* Approvals, grants, break-glass and prompts by the admin API: who may what, whose, and against which revision. */
#include "api_kit.h"

/* ---- The rules: "dear" is research's, by a manager there. */

static struct slice research[] = {SLICE("research")};
static struct slice protected_labels[] = {SLICE("production")};
static struct governance_row row = {.model = SLICE("dear"), .by = SLICE("manager"), .file = SLICE("access.lua"),
                                    .line = 3, .longest_s = 86400, .covers = COVERS_USER,
                                    .departments = research, .department_count = 1};
static struct governance rules = {.pending_s = 604800, .has_break_glass = true, .glass_by = SLICE("admin"),
                                  .glass_longest_s = 3600, .rows = &row, .row_count = 1,
                                  .protected_labels = protected_labels, .protected_count = 1};

static const struct governance *rules_of(void *arg)
{
    return arg;
}

/* ---- People, each with one API role everywhere or in a department. */

struct one {
    char id[PERSON_ID_BYTES];
    struct api_held_role held;
    struct api_caller by;
};

static struct one ana, kim, lee, max;

static void make(struct one *one, const char *name, const char *role, const char *scope)
{
    char body[160];
    json_t *answer;
    snprintf(body, sizeof body, "{\"subject\":\"%s\",\"department\":\"research\"}", name);
    EXPECT_INT(201, ask(&local, "POST", "/people", body, &answer));
    snprintf(one->id, sizeof one->id, "%s", text_of(answer, "id"));
    json_decref(answer);
    one->held = (struct api_held_role){slice_str(role), slice_str(scope), 0};
    one->by = (struct api_caller){.person = slice_str(one->id), .kind = SLICE("human"), .name = slice_str(name),
                                  .via = SLICE("api"), .roles = &one->held, .role_count = 1};
}

static void give(const struct one *one, const char *role, const char *scope)
{
    char body[160];
    snprintf(body, sizeof body, "{\"person\":\"%s\",\"role\":\"%s\",\"scope\":\"%s\"}", one->id, role, scope);
    expect(201, "", &local, "POST", "/roles", body);
}

static void make_all(void)
{
    make(&ana, "ana", "author", "research");
    make(&kim, "kit", "approver", "research");
    make(&lee, "lee", "admin", "*");
    make(&max, "max", "approver", "sales");
    give(&kim, "manager", "research");
    give(&kim, "approver", "research");
    give(&kim, "admin", "research");
    give(&lee, "admin", "*");
}

/* ---- Requests and grants. */

#define ASK "{\"model\":\"dear\",\"seconds\":3600,\"purpose\":\"tender: the town hall\"}"

static void asked_for(char id[32])
{
    json_t *answer;
    EXPECT_INT(201, ask(&ana.by, "POST", "/approvals", ASK, &answer));
    EXPECT_INT(1, json_integer_value(json_object_get(answer, "deciders")));
    EXPECT_STR("pending", text_of(answer, "state"));
    snprintf(id, 32, "%s", text_of(answer, "id"));
    json_decref(answer);
}

static void a_request_is_asked_for_by_the_rules(void)
{
    api.rules = NULL;
    expect(503, "rules_unavailable", &ana.by, "POST", "/approvals", ASK);
    api.rules = rules_of;
    expect(403, "role_needed", &(struct api_caller){.person = SLICE("per_x"), .name = SLICE("x")}, "POST",
           "/approvals", ASK);
    expect(404, "no_approval_needed", &ana.by, "POST", "/approvals",
           "{\"model\":\"cheap\",\"seconds\":3600,\"purpose\":\"tender: the town hall\"}");
    expect(404, "no_approval_needed", &ana.by, "POST", "/approvals",
           "{\"model\":\"dear\",\"department\":\"sales\",\"seconds\":3600,\"purpose\":\"tender: the town hall\"}");
    expect(400, "invalid_field", &ana.by, "POST", "/approvals",
           "{\"model\":\"dear\",\"seconds\":86401,\"purpose\":\"tender: the town hall\"}");
    expect(404, "not_found", &ana.by, "POST", "/approvals",
           "{\"model\":\"dear\",\"person\":\"per_nobody\",\"seconds\":3600,\"purpose\":\"tender: the town hall\"}");
}

static void a_request_waits_for_whom_the_row_names(void)
{
    char id[32], path[80];
    json_t *answer;
    asked_for(id);
    EXPECT_INT(200, ask(&kim.by, "GET", "/approvals?state=pending", NULL, &answer));
    json_t *first = json_array_get(json_object_get(answer, "items"), 0);
    EXPECT_STR(id, text_of(first, "id"));
    EXPECT(json_is_true(json_object_get(first, "waits_for_me")));
    json_decref(answer);
    struct api_caller stranger = {.person = SLICE("per_x"), .name = SLICE("x")};
    EXPECT_INT(200, ask(&stranger, "GET", "/approvals", NULL, &answer));
    EXPECT_INT(0, json_integer_value(json_object_get(answer, "total")));
    json_decref(answer);
    snprintf(path, sizeof path, "/approvals/%s", id);
    expect(403, "not_yours", &stranger, "GET", path, NULL);
    snprintf(path, sizeof path, "/approvals/%s/decision", id);
    expect(400, "invalid_field", &kim.by, "POST", path, "{\"decision\":\"maybe\"}");
    expect(409, "self_approval", &ana.by, "POST", path, "{\"decision\":\"approve\"}");
    expect(403, "not_your_scope", &lee.by, "POST", path, "{\"decision\":\"approve\"}");
    EXPECT_INT(412, ask_with(&kim.by, "POST", path, "{\"decision\":\"approve\"}", &(struct extra){"\"1\"", NULL},
                             &answer, NULL));
    EXPECT_STR(id, text_of(answer, "id"));
    json_decref(answer);
    snprintf(path, sizeof path, "/approvals/%s/withdraw", id);
    expect(403, "not_yours", &kim.by, "POST", path, NULL);
    expect(200, "", &ana.by, "POST", path, NULL);
    expect(409, "not_pending", &ana.by, "POST", path, NULL);
}

static void a_grant_is_ended_where_the_role_covers_it(void)
{
    char id[32], path[80], etag[32], body[96];
    json_t *answer, *ends_at;
    int64_t rev;
    asked_for(id);
    snprintf(path, sizeof path, "/approvals/%s/decision", id);
    EXPECT_INT(200, ask(&kim.by, "POST", path, "{\"decision\":\"approve\",\"comment\":\"agreed\"}", &answer));
    EXPECT_STR("approved", text_of(answer, "state"));
    snprintf(path, sizeof path, "/grants/%s", text_of(answer, "grant"));
    json_decref(answer);
    EXPECT_INT(200, ask_with(&lee.by, "GET", path, NULL, NULL, &answer, &rev));
    EXPECT_STR("active", text_of(answer, "state"));
    json_decref(answer);
    ends_at = instant_json((int64_t)(clock_wall_ns() / NS_PER_S) + 600);
    snprintf(body, sizeof body, "{\"ends_at\":\"%s\"}", json_string_value(ends_at));
    json_decref(ends_at);
    snprintf(etag, sizeof etag, "\"%lld\"", (long long)rev);
    struct extra seen = {etag, NULL};
    expect(428, "if_match_needed", &kim.by, "PATCH", path, body);
    EXPECT_INT(403, ask_with(&max.by, "PATCH", path, body, &seen, &answer, NULL));
    EXPECT_STR("not_your_scope", code_of(answer));
    json_decref(answer);
    EXPECT_INT(200, ask_with(&kim.by, "PATCH", path, body, &seen, &answer, NULL));
    json_decref(answer);
    EXPECT_INT(412, ask_with(&kim.by, "PATCH", path, body, &seen, &answer, NULL));
    json_decref(answer);
    EXPECT_INT(400, ask_with(&kim.by, "PATCH", path, "{\"ends_at\":\"2099-01-01T00:00:00Z\"}",
                             &(struct extra){"*", NULL}, &answer, NULL)); /* never lengthened */
    json_decref(answer);
    expect(403, "role_needed", &ana.by, "DELETE", path, NULL);
    expect(403, "not_your_scope", &max.by, "DELETE", path, NULL);
    EXPECT_INT(200, ask(&kim.by, "DELETE", path, "{\"reason\":\"over\"}", &answer));
    EXPECT_STR("revoked", text_of(answer, "state"));
    json_decref(answer);
}

static void broken_glass_is_closed_by_somebody_else(void)
{
    char path[80];
    json_t *answer;
    expect(403, "not_your_scope", &ana.by, "POST", "/break-glass",
           "{\"model\":\"dear\",\"reason\":\"production is down\"}");
    expect(400, "invalid_field", &lee.by, "POST", "/break-glass",
           "{\"model\":\"dear\",\"seconds\":3601,\"reason\":\"production is down\"}");
    EXPECT_INT(201, ask(&lee.by, "POST", "/break-glass", "{\"model\":\"dear\",\"reason\":\"production is down\"}",
                        &answer));
    EXPECT(json_is_true(json_object_get(answer, "break_glass")));
    snprintf(path, sizeof path, "/break-glass/%s/close", text_of(answer, "id"));
    json_decref(answer);
    expect(409, "unclosed", &lee.by, "POST", "/break-glass", "{\"model\":\"dear\",\"reason\":\"once more now\"}");
    expect(409, "self_approval", &lee.by, "POST", path, NULL);
    expect(403, "not_your_scope", &ana.by, "POST", path, NULL);
    expect(200, "", &kim.by, "POST", path, NULL);
    rules.has_break_glass = false;
    expect(403, "no_break_glass", &lee.by, "POST", "/break-glass", "{\"model\":\"dear\",\"reason\":\"once more now\"}");
    rules.has_break_glass = true;
}

/* ---- Prompts. */

#define NAME "/prompts/support%2Freply"
#define TEXT(words) "{\"messages\":[{\"role\":\"user\",\"content\":\"" words " {{q}}\"}],\"variables\":{\"q\":{}}}"
#define NEW(words) "{\"owner\":\"team\",\"department\":\"research\",\"content\":" TEXT(words) "}"

static void a_prompt_is_written_by_authors_of_its_department(void)
{
    char etag[32];
    json_t *answer;
    int64_t rev;
    expect(403, "not_your_scope", &max.by, "POST", NAME "/versions", NEW("Answer"));
    EXPECT_INT(201, ask_with(&ana.by, "POST", NAME "/versions", NEW("Answer"), NULL, &answer, &rev));
    EXPECT_STR("1.0.0", text_of(answer, "version"));
    EXPECT_STR("new", text_of(answer, "done"));
    json_decref(answer);
    snprintf(etag, sizeof etag, "\"%lld\"", (long long)rev);
    struct extra seen = {etag, NULL};
    EXPECT_INT(200, ask_with(&ana.by, "PUT", NAME "/versions/1.0.0", "{\"content\":" TEXT("Reply") "}", &seen, &answer,
                             NULL));
    json_decref(answer);
    EXPECT_INT(412, ask_with(&ana.by, "PUT", NAME "/versions/1.0.0", "{\"content\":" TEXT("Say") "}", &seen, &answer,
                             NULL));
    EXPECT_STR("support/reply", text_of(answer, "name"));
    json_decref(answer);
    expect(404, "not_found", &ana.by, "GET", NAME "/versions/9.9.9", NULL);
    expect(400, "invalid_field", &ana.by, "GET", NAME "/diff?from=1.0.0&to=x", NULL);
    expect(404, "not_found", &ana.by, "GET", "/prompts/none", NULL);
    EXPECT_INT(200, ask(&ana.by, "POST", "/prompts/render",
                        "{\"name\":\"support/reply\",\"version\":\"1.0.0\",\"variables\":{\"q\":\"wh\\u0061t?\"}}", &answer));
    EXPECT_STR("Reply what?", text_of(json_array_get(json_object_get(answer, "messages"), 0), "content"));
    json_decref(answer);
    EXPECT_INT(422, ask(&ana.by, "POST", "/prompts/render", "{\"name\":\"support/reply\",\"version\":\"1.0.0\"}",
                        &answer));
    EXPECT_STR("q", text_of(json_object_get(answer, "error"), "field"));
    json_decref(answer);
}

static void its_text_is_shown_to_its_department_alone(void)
{
    expect(403, "not_your_scope", &max.by, "GET", NAME "/versions/1.0.0", NULL);
    expect(403, "not_your_scope", &max.by, "GET", NAME "/diff?from=1.0.0&to=1.0.0", NULL);
    expect(403, "not_your_scope", &max.by, "POST", "/prompts/render",
           "{\"name\":\"support/reply\",\"version\":\"1.0.0\"}");
    expect(200, "", &kim.by, "GET", NAME "/versions/1.0.0", NULL);
}

static void it_goes_to_production_by_somebody_else(void)
{
    json_t *answer;
    expect(200, "", &ana.by, "POST", NAME "/versions/1.0.0/submit", NULL);
    expect(409, "illegal_move", &ana.by, "POST", NAME "/versions/1.0.0/submit", NULL);
    expect(409, "self_approval", &ana.by, "POST", NAME "/versions/1.0.0/review", "{\"verdict\":\"approve\"}");
    expect(403, "not_your_scope", &max.by, "POST", NAME "/versions/1.0.0/review", "{\"verdict\":\"approve\"}");
    expect(412, "stale_review", &kim.by, "POST", NAME "/versions/1.0.0/review",
           "{\"verdict\":\"approve\",\"sha256\":\"00\"}");
    EXPECT_INT(200, ask(&kim.by, "POST", NAME "/versions/1.0.0/review", "{\"verdict\":\"approve\"}", &answer));
    EXPECT_INT(1000, json_integer_value(json_object_get(
                         json_object_get(json_object_get(answer, "labels"), "production"), "1.0.0")));
    json_decref(answer);
}

static void labels_go_whole_and_protected_ones_by_approvers(void)
{
    json_t *answer;
    struct extra any = {"*", NULL}, other = {"\"1\"", NULL};
    expect(428, "if_match_needed", &ana.by, "PUT", NAME "/labels/trial", "{\"shares\":{\"1.0.0\":1000}}");
    EXPECT_INT(200, ask_with(&ana.by, "PUT", NAME "/labels/trial", "{\"shares\":{\"1.0.0\":1000}}", &any, &answer,
                             NULL));
    json_decref(answer);
    EXPECT_INT(412, ask_with(&ana.by, "PUT", NAME "/labels/trial", "{\"shares\":{\"1.0.0\":1000}}", &other, &answer,
                             NULL));
    json_decref(answer);
    EXPECT_INT(403, ask_with(&ana.by, "PUT", NAME "/labels/production", "{\"shares\":{\"1.0.0\":1000}}", &any, &answer,
                             NULL));
    json_decref(answer);
    EXPECT_INT(409, ask_with(&kim.by, "PUT", NAME "/labels/production", "{\"shares\":{\"1.0.0\":999}}", &any, &answer,
                             NULL));
    EXPECT_STR("shares", code_of(answer));
    json_decref(answer);
    EXPECT_INT(400, ask_with(&kim.by, "PUT", NAME "/labels/trial", "{\"shares\":[1]}", &any, &answer, NULL));
    json_decref(answer);
    EXPECT_INT(200, ask_with(&ana.by, "DELETE", NAME "/labels/trial", NULL, &any, &answer, NULL));
    EXPECT(!json_object_get(json_object_get(answer, "labels"), "trial"));
    json_decref(answer);
    expect(409, "in_production", &kim.by, "POST", NAME "/versions/1.0.0/revoke", NULL);
    EXPECT_INT(200, ask(&max.by, "GET", NAME "/history", NULL, &answer));
    EXPECT(json_integer_value(json_object_get(answer, "total")) > 4);
    json_decref(answer);
}

/* ---- Pages. */

static void lists_come_in_pages(void)
{
    char path[80];
    json_t *page;
    size_t seen = 0;
    snprintf(path, sizeof path, "/people?limit=3");
    for (int pages = 0; pages < 10; pages++) {
        EXPECT_INT(200, ask(&local, "GET", path, NULL, &page));
        seen += json_array_size(json_object_get(page, "items"));
        EXPECT_INT(5, json_integer_value(json_object_get(page, "total"))); /* those four, and who is local */
        const char *next = json_string_value(json_object_get(page, "next"));
        if (next) snprintf(path, sizeof path, "/people?limit=3&cursor=%s", next);
        json_decref(page);
        if (!next) break;
    }
    EXPECT_INT(5, seen);
    expect(400, "invalid_limit", &local, "GET", "/people?limit=0", NULL);
    expect(400, "invalid_limit", &local, "GET", "/people?limit=501", NULL);
    expect(400, "invalid_limit", &local, "GET", "/people?limit=many", NULL);
    expect(400, "invalid_cursor", &local, "GET", "/people?cursor=per_nobody", NULL);
}

int main(void)
{
    open_all();
    api.rules = rules_of;
    api.rules_arg = &rules;
    make_all();
    RUN(a_request_is_asked_for_by_the_rules);
    RUN(a_request_waits_for_whom_the_row_names);
    RUN(a_grant_is_ended_where_the_role_covers_it);
    RUN(broken_glass_is_closed_by_somebody_else);
    RUN(a_prompt_is_written_by_authors_of_its_department);
    RUN(its_text_is_shown_to_its_department_alone);
    RUN(it_goes_to_production_by_somebody_else);
    RUN(labels_go_whole_and_protected_ones_by_approvers);
    RUN(lists_come_in_pages);
    close_all();
    return unit_close("api_governed");
}
