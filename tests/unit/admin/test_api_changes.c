/* What calls of the admin API change in a registry, and what they may not. */
#include "api_kit.h"
#include "store/registry/admin_keys.h"
#include "store/registry/calls.h"

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

int main(void)
{
    open_all();
    RUN(people_are_made_and_disabled);
    RUN(nobody_gives_himself_a_role);
    RUN(an_admin_key_lives_while_its_owner_does);
    RUN(two_editors_get_one_412);
    RUN(the_same_call_is_made_once);
    RUN(a_call_whose_answer_was_lost_is_not_made_again);
    RUN(a_switch_reaches_the_shared_memory);
    RUN(top_ups_are_made_and_ended);
    close_all();
    return unit_close("api_changes");
}
