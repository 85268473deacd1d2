#include "store/registry/prompts_inner.h"

#include <jansson.h>

/* Rows of other tables are put where they belong: names and versions find them. */

static json_t *prompt_of(json_t *list, struct slice name)
{
    json_t *prompt;
    size_t i;
    json_array_foreach(list, i, prompt)
    {
        if (slice_equal(slice_str(json_string_value(json_object_get(prompt, "name"))), name)) return prompt;
    }
    return NULL;
}

/* Columns 1 to 3. */
static void write_version(const struct registry_query *q, char text[SEMVER_BYTES])
{
    struct semver v = {(uint32_t)registry_int(q, 1), (uint32_t)registry_int(q, 2), (uint32_t)registry_int(q, 3)};
    semver_write(v, text);
}

static json_t *version_of(json_t *list, const struct registry_query *q)
{
    json_t *version, *prompt = prompt_of(list, registry_text(q, 0));
    char text[SEMVER_BYTES];
    size_t i;
    write_version(q, text);
    json_array_foreach(json_object_get(prompt, "versions"), i, version)
    {
        if (slice_equal(slice_str(json_string_value(json_object_get(version, "version"))), slice_str(text)))
            return version;
    }
    return NULL;
}

static void add_prompt(json_t *list, const struct registry_query *q)
{
    json_t *prompt = json_object();
    registry_set_text(prompt, "name", q, 0);
    registry_set_text(prompt, "owner", q, 1);
    registry_set_text(prompt, "department", q, 2);
    json_t *fields = json_loadb(registry_text(q, 3).ptr, registry_text(q, 3).len, 0, NULL);
    json_object_set_new(prompt, "fields", fields ? fields : json_object());
    registry_set_int(prompt, "rev", q, 4);
    json_object_set_new(prompt, "versions", json_array());
    json_object_set_new(prompt, "labels", json_object());
    json_object_set_new(prompt, "aliases", json_array());
    json_array_append_new(list, prompt);
}

static void add_version(json_t *list, const struct registry_query *q)
{
    json_t *version = json_object(), *prompt = prompt_of(list, registry_text(q, 0));
    char text[SEMVER_BYTES];
    write_version(q, text);
    json_object_set_new(version, "version", json_string(text));
    registry_set_text(version, "status", q, 4);
    registry_set_text(version, "sha256", q, 5);
    registry_set_int(version, "rev", q, 6);
    json_object_set_new(version, "authors", json_array());
    json_object_set_new(version, "reviews", json_array());
    json_array_append_new(json_object_get(prompt, "versions"), version);
}

static void add_author(json_t *list, const struct registry_query *q)
{
    struct slice person = registry_text(q, 4);
    json_array_append_new(json_object_get(version_of(list, q), "authors"), json_stringn(person.ptr, person.len));
}

static void add_review(json_t *list, const struct registry_query *q)
{
    json_t *review = json_object();
    registry_set_text(review, "person", q, 4);
    registry_set_text(review, "verdict", q, 5);
    registry_set_text(review, "role", q, 6);
    registry_set_text(review, "sha256", q, 7);
    registry_set_text(review, "comment", q, 8);
    json_array_append_new(json_object_get(version_of(list, q), "reviews"), review);
}

static void add_label(json_t *list, const struct registry_query *q)
{
    json_t *labels = json_object_get(prompt_of(list, registry_text(q, 0)), "labels");
    struct slice name = registry_text(q, 4);
    json_t *set = json_object_getn(labels, name.ptr, name.len);
    char text[SEMVER_BYTES];
    write_version(q, text);
    if (!set) {
        set = json_object();
        json_object_setn_new(labels, name.ptr, name.len, set);
    }
    json_object_set_new(set, text, json_integer(registry_int(q, 5)));
}

static void add_alias(json_t *list, const struct registry_query *q)
{
    struct slice alias = registry_text(q, 1);
    json_array_append_new(json_object_get(prompt_of(list, registry_text(q, 0)), "aliases"),
                          json_stringn(alias.ptr, alias.len));
}

#define OF_ONE " WHERE (? = '' OR name = ?) ORDER BY name"
#define BY_VERSION ", major, minor, patch"

static const struct part {
    const char *sql;
    void (*add)(json_t *list, const struct registry_query *q);
} parts[] = {
    {"SELECT name, owner, department, fields, rev FROM prompt" OF_ONE, add_prompt},
    {"SELECT name, major, minor, patch, status, sha256, rev FROM prompt_version" OF_ONE BY_VERSION, add_version},
    {"SELECT name, major, minor, patch, person FROM prompt_author" OF_ONE BY_VERSION ", person", add_author},
    {"SELECT name, major, minor, patch, person, verdict, role, sha256, comment FROM prompt_review" OF_ONE BY_VERSION
     ", rev",
     add_review},
    {"SELECT name, major, minor, patch, label, share FROM prompt_label" OF_ONE ", label" BY_VERSION, add_label},
    {"SELECT name, alias FROM prompt_alias" OF_ONE ", alias", add_alias},
};

static bool read_parts(struct registry *r, struct slice name, json_t *list, struct fault *why)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct registry_query *q = REGISTRY_ASK(r, parts[i].sql, value_text(name), value_text(name));
        while (registry_next(q))
            parts[i].add(list, q);
        if (!registry_end(q, why)) return false;
    }
    return true;
}

json_t *registry_prompts(struct registry *r, struct slice name, struct fault *why)
{
    json_t *list = json_array();
    if (registry_read_begin(r, why) && registry_read_end(r, read_parts(r, name, list, why), why)) return list;
    json_decref(list);
    return NULL;
}

static void set_json(json_t *object, const char *name, const struct registry_query *q, int column)
{
    struct slice text = registry_text(q, column);
    json_t *value = registry_is_null(q, column) ? NULL : json_loadb(text.ptr, text.len, 0, NULL);
    if (value) json_object_set_new(object, name, value);
}

json_t *registry_prompt_history(struct registry *r, struct slice name, struct fault *why)
{
    json_t *list = json_array();
    struct registry_query *q = REGISTRY_ASK(r,
                                            "SELECT rev, at, actor, via, action, reason, before, after FROM event"
                                            " WHERE object = ? AND action LIKE 'prompts.%' ORDER BY rev DESC",
                                            value_text(name));
    while (registry_next(q)) {
        json_t *event = json_object();
        registry_set_int(event, "rev", q, 0);
        registry_set_int(event, "at", q, 1);
        registry_set_text(event, "actor", q, 2);
        registry_set_text(event, "via", q, 3);
        registry_set_text(event, "action", q, 4);
        registry_set_text(event, "reason", q, 5);
        set_json(event, "before", q, 6);
        set_json(event, "after", q, 7);
        json_array_append_new(list, event);
    }
    if (registry_end(q, why)) return list;
    json_decref(list);
    return NULL;
}
