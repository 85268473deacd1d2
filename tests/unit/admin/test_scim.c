/* SCIM: bodies as Entra and Okta send them, and what has no effect. */
#include "api_kit.h"

#include "admin/scim/scim.h"

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

static struct scim_key key;

static int scim(const char *method, const char *path, const char *body, json_t **answer)
{
    struct arena arena;
    struct scim_answer got;
    struct slice query, bare = slice_split(slice_str(path), '?', &query);
    struct scim_ask ask = {slice_str(method), bare, query, &key};
    arena_init(&arena);
    scim_run(api.registry, &ask, slice_str(body), &arena, &got);
    arena_clear(&arena);
    *answer = got.body;
    return got.status;
}

/* The status, and SCIM's word for what is wrong. */
static void refused(int status, const char *type, const char *method, const char *path, const char *body)
{
    json_t *answer;
    int got = scim(method, path, body, &answer);
    if (got != status || strcmp(type, text_of(answer, "scimType")) != 0)
        UNIT_FAIL("%s %s %s: %d %s", method, path, body, got, text_of(answer, "scimType"));
    json_decref(answer);
}

static char ana[64]; /* "/Users/per_…" */

/* {userName, displayName, emails, department, active} of ana, after a call that is to succeed */
static const char *does(const char *method, const char *body)
{
    static char out[256];
    json_t *answer;
    int status = scim(method, ana, body, &answer);
    if (status != 200) UNIT_FAIL("%s %s: %d %s", method, body, status, text_of(answer, "detail"));
    snprintf(out, sizeof out, "%s|%s|%s|%s|%s", text_of(answer, "userName"), text_of(answer, "displayName"),
             text_of(json_array_get(json_object_get(answer, "emails"), 0), "value"),
             text_of(json_object_get(answer, ENTERPRISE), "department"),
             json_is_true(json_object_get(answer, "active")) ? "on" : "off");
    json_decref(answer);
    return out;
}

static void begin(void)
{
    struct fault why;
    struct key_made made;
    char owner_id[PERSON_ID_BYTES];
    struct change_by by = {.actor = SLICE("kim"), .via = SLICE("cli")};
    struct person_spec owner_spec = {.issuer = PERSON_LOCAL, .subject = SLICE("kim")};
    EXPECT(registry_person_create(api.registry, &owner_spec, &by, owner_id, &why));
    EXPECT(!registry_scim_key_create(api.registry, PERSON_LOCAL, slice_str(owner_id), 0, &by, &made, &why));
    EXPECT(registry_scim_key_create(api.registry, SLICE("https://id.example"), slice_str(owner_id), 0, &by, &made, &why));
    EXPECT(registry_scim_key_find(api.registry, slice_str(made.text), 1, &key, &why) == REGISTRY_FOUND);
    EXPECT_STR("https://id.example", key.issuer);
}

/* Okta: a whole User, with what is not kept. */
static void a_person_is_made_once(void)
{
    json_t *answer;
    const char *body = "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"ana@x.example\","
                       "\"name\":{\"givenName\":\"Ana\",\"familyName\":\"Lee\"},\"emails\":[{\"primary\":true,"
                       "\"value\":\"ana@x.example\",\"type\":\"work\"}],\"externalId\":\"00u1\",\"locale\":\"en-US\","
                       "\"groups\":[],\"password\":\"x\",\"active\":true}";
    EXPECT_INT(201, scim("POST", "/Users", body, &answer));
    snprintf(ana, sizeof ana, "/Users/%s", text_of(answer, "id"));
    EXPECT_STR("00u1", text_of(answer, "externalId"));
    EXPECT_STR("Ana Lee", text_of(answer, "displayName"));
    json_decref(answer);
    refused(409, "uniqueness", "POST", "/Users", body);
    refused(409, "uniqueness", "POST", "/Users", "{\"userName\":\"ANA@x.example\",\"externalId\":\"00u2\"}");
    refused(400, "invalidValue", "POST", "/Users", "{\"userName\":\"bob\"}");
    refused(400, "invalidValue", "POST", "/Users", "{\"externalId\":\"00u3\"}");
    refused(400, "invalidSyntax", "POST", "/Users", "{");
    refused(400, "invalidSyntax", "POST", "/Users", "{\"userName\":\"a\",\"userName\":\"b\"}");
}

static unsigned found(const char *path)
{
    json_t *answer;
    EXPECT_INT(200, scim("GET", path, NULL, &answer));
    unsigned total = (unsigned)json_integer_value(json_object_get(answer, "totalResults"));
    json_decref(answer);
    return total;
}

static void filters_find(void)
{
    EXPECT_INT(1, found("/Users?filter=userName%20eq%20%22ANA%40x.example%22"));
    EXPECT_INT(1, found("/Users?filter=externalId+eq+%2200u1%22&startIndex=1&count=10"));
    EXPECT_INT(0, found("/Users?filter=userName+eq+%22bob%22"));
    EXPECT_INT(1, found("/Users"));
    refused(400, "invalidFilter", "GET", "/Users?filter=userName+sw+%22a%22", NULL);
    refused(400, "invalidFilter", "GET", "/Users?filter=title+eq+%22a%22", NULL);
}

#define PATCH(ops) "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[" ops "]}"

static void entras_and_oktas_ways_are_taken(void)
{
    EXPECT_STR("ana@x.example|Ana Lee|ana@x.example||off",
               does("PATCH", PATCH("{\"op\":\"Replace\",\"path\":\"active\",\"value\":\"False\"}")));
    EXPECT_STR("ana@x.example|Ana Lee|ana@x.example||on",
               does("PATCH", PATCH("{\"op\":\"replace\",\"value\":{\"active\":true}}")));
    EXPECT_STR("ana@x.example|Ana Lee|ana@x.example||off",
               does("PATCH", PATCH("{\"op\":\"Replace\",\"value\":{\"active\":\"false\"}}")));
    EXPECT_STR("ana@x.example|Ana Lee|ana@x.example||on",
               does("PATCH", PATCH("{\"op\":\"Add\",\"path\":\"active\",\"value\":\"True\"}")));
    EXPECT_STR("ana@x.example|Ana|a@y.example|claims|on",
               does("PATCH", PATCH("{\"op\":\"Replace\",\"path\":\"displayName\",\"value\":\"Ana\"},"
                                   "{\"op\":\"Add\",\"path\":\"emails[type eq \\\"work\\\"].value\",\"value\":\"a@y.example\"},"
                                   "{\"op\":\"Add\",\"path\":\"" ENTERPRISE ":department\",\"value\":\"claims\"},"
                                   "{\"op\":\"Add\",\"path\":\"title\",\"value\":\"Dr\"}")));
    EXPECT_STR("ana@x.example|Ana|a@y.example|sales|on",
               does("PATCH", PATCH("{\"op\":\"replace\",\"value\":{\"" ENTERPRISE "\":{\"department\":\"sales\"}}}")));
    EXPECT_STR("ana@x.example|Ana|a@y.example||on",
               does("PATCH", PATCH("{\"op\":\"Remove\",\"path\":\"" ENTERPRISE ":department\"}")));
    EXPECT_STR("ana@z.example|||hq|off",
               does("PUT", "{\"userName\":\"ana@z.example\",\"externalId\":\"00u1\",\"active\":false,\"" ENTERPRISE
                           "\":{\"department\":\"hq\"}}"));
    EXPECT_STR("ana@z.example|||hq|on", does("PATCH", PATCH("{\"op\":\"replace\",\"path\":\"active\",\"value\":true}")));
}

static void what_has_no_effect_is_refused(void)
{
    refused(400, "invalidPath", "PATCH", ana, PATCH("{\"op\":\"replace\",\"path\":\"title\",\"value\":\"Dr\"}"));
    refused(400, "invalidPath", "PATCH", ana, PATCH("{\"op\":\"replace\",\"value\":{\"nickName\":\"A\"}}"));
    refused(400, "invalidValue", "PATCH", ana, PATCH("{\"op\":\"replace\",\"path\":\"active\",\"value\":\"no\"}"));
    refused(400, "invalidValue", "PATCH", ana, PATCH("{\"op\":\"replace\",\"path\":\"active\",\"value\":0}"));
    refused(400, "invalidValue", "PATCH", ana, PATCH("{\"op\":\"replace\",\"path\":\"active\"}"));
    refused(400, "invalidValue", "PATCH", ana, PATCH("{\"op\":\"remove\",\"path\":\"active\"}"));
    refused(400, "noTarget", "PATCH", ana, PATCH("{\"op\":\"remove\"}"));
    refused(400, "invalidSyntax", "PATCH", ana, PATCH("{\"op\":\"move\",\"path\":\"active\",\"value\":true}"));
    refused(400, "invalidSyntax", "PATCH", ana, "{\"Operations\":[]}");
    refused(400, "mutability", "PATCH", ana, PATCH("{\"op\":\"replace\",\"path\":\"externalId\",\"value\":\"00u9\"}"));
    refused(404, "", "PATCH", "/Users/per_none", PATCH("{\"op\":\"replace\",\"path\":\"active\",\"value\":true}"));
    refused(404, "", "GET", "/Groups", NULL);
    refused(405, "", "DELETE", "/Users", NULL);
}

static void who_was_disabled_by_hand_is_not_enabled_by_scim(void)
{
    struct fault why;
    struct slice id = slice_str(ana + 7);
    struct change_by by = {.actor = SLICE("kim"), .via = SLICE("cli")};
    EXPECT(registry_person_disable(api.registry, id, 0, &by, &why) == REGISTRY_FOUND);
    refused(409, "mutability", "PATCH", ana, PATCH("{\"op\":\"replace\",\"path\":\"active\",\"value\":true}"));
    EXPECT_STR("ana@z.example|||it|off",
               does("PATCH", PATCH("{\"op\":\"replace\",\"value\":{\"active\":false,\"" ENTERPRISE
                                   ":department\":\"it\"}}")));
    EXPECT(registry_person_enable(api.registry, id, 0, &by, &why) == REGISTRY_FOUND);
}

static void who_is_deleted_is_disabled_and_comes_back_as_the_same(void)
{
    json_t *answer;
    EXPECT_INT(204, scim("DELETE", ana, NULL, &answer));
    json_decref(answer);
    refused(404, "", "GET", ana, NULL);
    refused(404, "", "DELETE", ana, NULL);
    EXPECT_INT(200, ask(&local, "GET", "/people", NULL, &answer));
    json_t *one = json_array_get(json_object_get(answer, "items"), 1), *zero = json_array_get(json_object_get(answer, "items"), 0);
    one = strcmp(text_of(one, "id"), ana + 7) == 0 ? one : zero;
    EXPECT(json_is_string(json_object_get(one, "disabled_at")));
    json_decref(answer);
    EXPECT_INT(201, scim("POST", "/Users", "{\"userName\":\"ana@x.example\",\"externalId\":\"00u1\"}", &answer));
    EXPECT_STR(ana + 7, text_of(answer, "id"));
    EXPECT(json_is_true(json_object_get(answer, "active")));
    json_decref(answer);
}

static void it_says_what_it_can(void)
{
    json_t *answer;
    EXPECT_INT(200, scim("GET", "/ServiceProviderConfig", NULL, &answer));
    EXPECT(json_is_true(json_object_get(json_object_get(answer, "patch"), "supported")));
    EXPECT(json_is_false(json_object_get(json_object_get(answer, "bulk"), "supported")));
    json_decref(answer);
}

int main(void)
{
    open_all();
    begin();
    RUN(a_person_is_made_once);
    RUN(filters_find);
    RUN(entras_and_oktas_ways_are_taken);
    RUN(what_has_no_effect_is_refused);
    RUN(who_was_disabled_by_hand_is_not_enabled_by_scim);
    RUN(who_is_deleted_is_disabled_and_comes_back_as_the_same);
    RUN(it_says_what_it_can);
    close_all();
    return unit_close("scim");
}
