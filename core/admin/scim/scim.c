#include "admin/scim/scim.h"

#include <jansson.h>

#include "admin/scim/refuse.h"
#include "admin/scim/user.h"
#include "wire/http.h"

#define MESSAGES "urn:ietf:params:scim:api:messages:2.0:"

struct scim {
    struct registry *registry;
    const struct scim_ask *ask;
    struct arena *arena;
    struct scim_answer *answer;
    json_t *body; /* NULL: none that is JSON */
};

/* What the store says, in SCIM's words. Always false. */
static bool refuse_store(struct scim *s, const struct fault *why)
{
    switch (registry_refused(s->registry)) {
    case REGISTRY_EXISTS: return scim_refuse(s->answer, 409, "uniqueness", "userName or externalId is somebody's");
    case REGISTRY_IMMUTABLE:
        return scim_refuse(s->answer, 409, "mutability",
                           "an administrator has disabled this person here: `moongate people enable` takes it back");
    case REGISTRY_INVALID: return scim_refuse(s->answer, 400, "invalidValue", "a text is longer than 256 bytes");
    default: return scim_refuse(s->answer, 503, NULL, "%s", fault_message(why));
    }
}

static struct change_by acts(const struct scim *s)
{
    return (struct change_by){.actor = slice_str(s->ask->key->id), .via = SLICE("scim")};
}

/* ---- Users. */

static json_t *find(struct scim *s, enum provided_by by, struct slice value)
{
    struct fault why;
    json_t *people = registry_provided(s->registry, slice_str(s->ask->key->issuer), by, value, &why);
    if (!people) refuse_store(s, &why);
    return people;
}

/* Borrowed from the list, which is the caller's; NULL: it is answered. */
static json_t *find_one(struct scim *s, struct slice id, json_t **list)
{
    *list = find(s, PROVIDED_ID, id);
    json_t *person = json_array_get(*list, 0);
    if (*list && !person) scim_refuse(s->answer, 404, NULL, "there is no User %.*s", SLICE_FMT(id));
    return person;
}

static void show(struct scim *s, int status, struct slice id)
{
    json_t *list, *person = find_one(s, id, &list);
    if (person) {
        s->answer->status = status;
        s->answer->body = user_tell(person);
    }
    json_decref(list);
}

static void write(struct scim *s, struct provided_spec *spec, int status)
{
    struct fault why;
    char id[PERSON_ID_BYTES];
    struct change_by by = acts(s);
    spec->key = slice_str(s->ask->key->id);
    spec->issuer = slice_str(s->ask->key->issuer);
    if (!registry_provided_write(s->registry, spec, &by, id, &why)) {
        refuse_store(s, &why);
        return;
    }
    s->answer->has_changed = true;
    show(s, status, slice_str(id));
}

static void create(struct scim *s)
{
    struct provided_spec spec = {.is_new = true};
    if (user_read(s->body, s->arena, &spec, s->answer)) write(s, &spec, 201);
}

static struct slice member(struct scim *s, json_t *person, const char *name)
{
    const json_t *value = json_object_get(person, name);
    return arena_copy(s->arena, slice_of(json_string_value(value), json_string_length(value)));
}

static void replace(struct scim *s, struct slice id)
{
    json_t *list, *person = find_one(s, id, &list);
    struct provided_spec spec = {.subject = person ? member(s, person, "subject") : SLICE_NONE};
    if (person && user_read(s->body, s->arena, &spec, s->answer)) write(s, &spec, 200);
    json_decref(list);
}

static void patch(struct scim *s, struct slice id)
{
    json_t *list, *person = find_one(s, id, &list);
    if (person) {
        struct provided_spec spec = {.subject = member(s, person, "subject"),
                                     .user_name = member(s, person, "user_name"),
                                     .name = member(s, person, "name"),
                                     .email = member(s, person, "email"),
                                     .department = member(s, person, "department"),
                                     .is_active = !json_integer_value(json_object_get(person, "disabled_at"))};
        if (user_patch(s->body, s->arena, &spec, s->answer)) write(s, &spec, 200);
    }
    json_decref(list);
}

static void take_away(struct scim *s, struct slice id)
{
    struct fault why;
    const struct scim_key *key = s->ask->key;
    struct change_by by = acts(s);
    switch (registry_provided_remove(s->registry, slice_str(key->issuer), slice_str(key->id), id, &by, &why)) {
    case REGISTRY_FAILED: refuse_store(s, &why); return;
    case REGISTRY_MISSING: scim_refuse(s->answer, 404, NULL, "there is no User %.*s", SLICE_FMT(id)); return;
    case REGISTRY_FOUND: break;
    }
    s->answer->status = 204;
    s->answer->has_changed = true;
}

/* ---- Lists. */

static struct slice query(struct scim *s, const char *name)
{
    struct slice rest = s->ask->query, text;
    while (rest.len) {
        struct slice value, part = slice_split(rest, '&', &rest);
        if (!slice_iequal(slice_split(part, '=', &value), slice_str(name))) continue;
        struct slice plain = arena_copy(s->arena, value);
        for (size_t i = 0; i < plain.len; i++)
            if (plain.ptr[i] == '+') ((char *)(uintptr_t)plain.ptr)[i] = ' ';
        return http_decode_segment(s->arena, plain, &text) ? text : SLICE_NONE;
    }
    return SLICE_NONE;
}

/* userName eq "ana@example.com" */
static bool read_filter(struct scim *s, struct slice filter, enum provided_by *by, struct slice *value)
{
    struct slice rest, attribute = slice_split(filter, ' ', &rest), op = slice_split(rest, ' ', &rest);
    struct slice quoted = slice_trim(rest);
    bool is_quoted = quoted.len >= 2 && quoted.ptr[0] == '"' && quoted.ptr[quoted.len - 1] == '"';
    *by = slice_iequal(attribute, SLICE("userName"))     ? PROVIDED_USER_NAME
          : slice_iequal(attribute, SLICE("externalId")) ? PROVIDED_SUBJECT
                                                         : PROVIDED_ALL;
    json_t *text = is_quoted ? json_loadb(quoted.ptr, quoted.len, JSON_DECODE_ANY, NULL) : NULL;
    *value = arena_copy(s->arena, slice_of(json_string_value(text), json_string_length(text)));
    json_decref(text);
    return (*by != PROVIDED_ALL && slice_iequal(op, SLICE("eq")) && text) ||
           scim_refuse(s->answer, 400, "invalidFilter", "filters are userName eq \"…\" and externalId eq \"…\"");
}

static size_t number(struct slice text, size_t usual, size_t most)
{
    uint64_t value;
    if (!slice_to_u64(text, &value)) return usual;
    return value < most ? (size_t)value : most;
}

static void list(struct scim *s)
{
    struct slice filter = query(s, "filter"), value = SLICE_NONE;
    enum provided_by by = PROVIDED_ALL;
    if (filter.len && !read_filter(s, filter, &by, &value)) return;
    json_t *people = find(s, by, value), *users = json_array();
    size_t total = json_array_size(people), first = number(query(s, "startIndex"), 1, SIZE_MAX / 2);
    size_t most = number(query(s, "count"), 100, SCIM_PAGE_MAX);
    if (first == 0) first = 1;
    for (size_t i = first - 1; i < total && json_array_size(users) < most; i++)
        json_array_append_new(users, user_tell(json_array_get(people, i)));
    if (people) {
        s->answer->status = 200;
        s->answer->body = json_pack("{s:[s], s:I, s:I, s:I, s:O}", "schemas", MESSAGES "ListResponse", "totalResults",
                                    (json_int_t)total, "startIndex", (json_int_t)first, "itemsPerPage",
                                    (json_int_t)json_array_size(users), "Resources", users);
    }
    json_decref(users);
    json_decref(people);
}

/* ---- What it can. */

static void tell_config(struct scim *s)
{
    s->answer->status = 200;
    s->answer->body =
        json_pack("{s:[s], s:{s:b}, s:{s:b, s:i, s:i}, s:{s:b, s:i}, s:{s:b}, s:{s:b}, s:{s:b}, s:[{s:s, s:s, s:s}]}",
                  "schemas", "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig", "patch", "supported", 1,
                  "bulk", "supported", 0, "maxOperations", 0, "maxPayloadSize", 0, "filter", "supported", 1,
                  "maxResults", SCIM_PAGE_MAX, "changePassword", "supported", 0, "sort", "supported", 0, "etag",
                  "supported", 0, "authenticationSchemes", "type", "oauthbearertoken", "name", "Bearer token",
                  "description", "a credential of the kind scim");
}

/* ---- Which of them. */

static bool is(const struct scim *s, const char *method)
{
    return slice_equal(s->ask->method, slice_str(method));
}

static bool refuse_method(struct scim *s)
{
    return scim_refuse(s->answer, 405, NULL, "%.*s is nothing that %.*s takes", SLICE_FMT(s->ask->method),
                       SLICE_FMT(s->ask->path));
}

static void run_user(struct scim *s, struct slice id)
{
    if (is(s, "GET")) show(s, 200, id);
    else if (is(s, "PUT")) replace(s, id);
    else if (is(s, "PATCH")) patch(s, id);
    else if (is(s, "DELETE")) take_away(s, id);
    else refuse_method(s);
}

static void route(struct scim *s)
{
    struct slice path = s->ask->path, id = SLICE_NONE, users = SLICE("/Users/");
    if (path.len > 1 && path.ptr[path.len - 1] == '/') path.len--;
    if (slice_starts(path, users)) id = slice_of(path.ptr + users.len, path.len - users.len);
    if (slice_equal(path, SLICE("/ServiceProviderConfig")) && is(s, "GET")) tell_config(s);
    else if (slice_equal(path, SLICE("/Users")) && is(s, "GET")) list(s);
    else if (slice_equal(path, SLICE("/Users")) && is(s, "POST")) create(s);
    else if (id.len && !memchr(id.ptr, '/', id.len)) run_user(s, id);
    else if (slice_equal(path, SLICE("/Users")) || slice_equal(path, SLICE("/ServiceProviderConfig")))
        refuse_method(s);
    else scim_refuse(s->answer, 404, NULL, "there are Users and ServiceProviderConfig here");
}

void scim_run(struct registry *registry, const struct scim_ask *ask, struct slice body, struct arena *arena,
              struct scim_answer *answer)
{
    struct scim s = {.registry = registry, .ask = ask, .arena = arena, .answer = answer};
    *answer = (struct scim_answer){.status = 0};
    bool has_body = slice_equal(ask->method, SLICE("POST")) || slice_equal(ask->method, SLICE("PUT")) ||
                    slice_equal(ask->method, SLICE("PATCH"));
    if (has_body) s.body = json_loadb(body.ptr ? body.ptr : "", body.len, JSON_REJECT_DUPLICATES, NULL);
    if (!registry) scim_refuse(answer, 503, NULL, "the registry cannot be opened now: try again");
    else if (has_body && !s.body) scim_refuse(answer, 400, "invalidSyntax", "the body is no JSON");
    else route(&s);
    json_decref(s.body);
}
