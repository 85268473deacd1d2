#include "admin/scim/user.h"

#include <jansson.h>
#include <stdio.h>
#include <strings.h>

#include "admin/scim/refuse.h"

#define USER_SCHEMA "urn:ietf:params:scim:schemas:core:2.0:User"
#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

enum attribute { NONE, USER_NAME, EXTERNAL_ID, DISPLAY_NAME, NAME, EMAILS, EMAIL, ACTIVE, DEPARTMENT, EXTENSION };

/* As RFC 7644 3.10 writes them; attribute names have no case. */
static enum attribute attribute_of(const char *path)
{
    static const struct {
        const char *path;
        enum attribute attribute;
    } known[] = {{"userName", USER_NAME},         {"externalId", EXTERNAL_ID},
                 {"displayName", DISPLAY_NAME},   {"name.formatted", DISPLAY_NAME},
                 {"name", NAME},                  {"emails", EMAILS},
                 {"active", ACTIVE},              {ENTERPRISE ":department", DEPARTMENT},
                 {ENTERPRISE ".department", DEPARTMENT}, {ENTERPRISE, EXTENSION},
                 {"emails[type eq \"work\"].value", EMAIL}, {"emails[primary eq true].value", EMAIL}};
    if (strncasecmp(path, USER_SCHEMA ":", sizeof USER_SCHEMA) == 0) path += sizeof USER_SCHEMA;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcasecmp(path, known[i].path) == 0) return known[i].attribute;
    return NONE;
}

/* ---- Values. */

static bool read_text(const char *path, json_t *value, struct arena *arena, struct slice *to,
                      struct scim_answer *answer)
{
    if (json_is_null(value)) {
        *to = SLICE_NONE;
        return true;
    }
    if (!json_is_string(value)) return scim_refuse(answer, 400, "invalidValue", "%s is no text", path);
    *to = arena_copy(arena, slice_of(json_string_value(value), json_string_length(value)));
    return true;
}

/* true and false, and the texts that Entra sends for them. */
static bool read_active(json_t *value, bool *is_active, struct scim_answer *answer)
{
    const char *text = json_string_value(value);
    bool is_true = json_is_true(value) || (text && strcasecmp(text, "true") == 0);
    bool is_false = json_is_false(value) || (text && strcasecmp(text, "false") == 0);
    if (!is_true && !is_false) return scim_refuse(answer, 400, "invalidValue", "active is neither true nor false");
    *is_active = is_true;
    return true;
}

/* The primary one, else the first. */
static bool read_emails(json_t *value, struct arena *arena, struct slice *to, struct scim_answer *answer)
{
    size_t i;
    json_t *one, *chosen = json_array_get(value, 0);
    if (!json_is_array(value)) return scim_refuse(answer, 400, "invalidValue", "emails is no list");
    json_array_foreach(value, i, one)
        if (json_is_true(json_object_get(one, "primary"))) chosen = one;
    *to = SLICE_NONE;
    return !chosen || read_text("emails.value", json_object_get(chosen, "value"), arena, to, answer);
}

static bool read_name(json_t *value, struct arena *arena, struct slice *to, struct scim_answer *answer)
{
    const char *formatted = json_string_value(json_object_get(value, "formatted"));
    const char *given = json_string_value(json_object_get(value, "givenName"));
    const char *family = json_string_value(json_object_get(value, "familyName"));
    if (!json_is_object(value)) return scim_refuse(answer, 400, "invalidValue", "name is no object");
    if (formatted) *to = arena_copy(arena, slice_str(formatted));
    else if (given || family)
        *to = arena_printf(arena, "%s%s%s", given ? given : "", given && family ? " " : "", family ? family : "");
    return true;
}

/* ---- One attribute, by its path. */

/* Whose he is never changes. */
static bool set_external_id(json_t *value, struct arena *arena, struct provided_spec *spec, struct scim_answer *answer)
{
    struct slice said;
    if (!read_text("externalId", value, arena, &said, answer)) return false;
    if (spec->subject.len && !slice_equal(said, spec->subject))
        return scim_refuse(answer, 400, "mutability",
                           "externalId is what tokens call this person and never changes: make a new one");
    spec->subject = said;
    return true;
}

static bool set_attribute(const char *path, json_t *value, struct arena *arena, struct provided_spec *spec,
                          unsigned *kept, struct scim_answer *answer)
{
    enum attribute attribute = attribute_of(path);
    json_t *department;
    *kept += attribute != NONE;
    switch (attribute) {
    case NONE: return true;
    case USER_NAME: return read_text(path, value, arena, &spec->user_name, answer);
    case EXTERNAL_ID: return set_external_id(value, arena, spec, answer);
    case DISPLAY_NAME: return read_text(path, value, arena, &spec->name, answer);
    case NAME: return read_name(value, arena, &spec->name, answer);
    case EMAILS: return read_emails(value, arena, &spec->email, answer);
    case EMAIL: return read_text(path, value, arena, &spec->email, answer);
    case ACTIVE: return read_active(value, &spec->is_active, answer);
    case DEPARTMENT: return read_text(path, value, arena, &spec->department, answer);
    case EXTENSION:
        department = json_object_get(value, "department");
        *kept -= !department;
        return !department || read_text("department", department, arena, &spec->department, answer);
    }
    return true;
}

static bool set_all(json_t *object, struct arena *arena, struct provided_spec *spec, unsigned *kept,
                    struct scim_answer *answer)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
        if (!set_attribute(name, value, arena, spec, kept, answer)) return false;
    return true;
}

static bool is_whole(const struct provided_spec *spec, struct scim_answer *answer)
{
    if (!spec->user_name.len) return scim_refuse(answer, 400, "invalidValue", "userName is missing");
    return spec->subject.len ||
           scim_refuse(answer, 400, "invalidValue",
                       "externalId is missing: map to it what tokens call the person (sub, or the object id)");
}

bool user_read(json_t *body, struct arena *arena, struct provided_spec *spec, struct scim_answer *answer)
{
    unsigned kept = 0;
    if (!json_is_object(body)) return scim_refuse(answer, 400, "invalidSyntax", "a User is a JSON object");
    spec->is_active = true;
    json_t *shown = json_object_get(body, "displayName"); /* before what is made of a name's parts */
    return set_all(body, arena, spec, &kept, answer) &&
           (!shown || read_text("displayName", shown, arena, &spec->name, answer)) && is_whole(spec, answer);
}

/* ---- PATCH (RFC 7644 3.5.2). */

static bool remove_attribute(const char *path, struct provided_spec *spec, unsigned *kept, struct scim_answer *answer)
{
    enum attribute attribute = attribute_of(path);
    *kept += attribute != NONE;
    if (attribute == USER_NAME || attribute == EXTERNAL_ID || attribute == ACTIVE)
        return scim_refuse(answer, 400, "invalidValue", "%s cannot be removed", path);
    if (attribute == DISPLAY_NAME || attribute == NAME) spec->name = SLICE_NONE;
    if (attribute == EMAIL || attribute == EMAILS) spec->email = SLICE_NONE;
    if (attribute == DEPARTMENT || attribute == EXTENSION) spec->department = SLICE_NONE;
    return true;
}

static bool do_operation(json_t *operation, struct arena *arena, struct provided_spec *spec, unsigned *kept,
                         struct scim_answer *answer)
{
    const char *op = json_string_value(json_object_get(operation, "op"));
    const char *path = json_string_value(json_object_get(operation, "path"));
    json_t *value = json_object_get(operation, "value");
    if (op && strcasecmp(op, "remove") == 0)
        return path ? remove_attribute(path, spec, kept, answer)
                    : scim_refuse(answer, 400, "noTarget", "remove needs a path");
    if (!op || (strcasecmp(op, "add") != 0 && strcasecmp(op, "replace") != 0))
        return scim_refuse(answer, 400, "invalidSyntax", "op is none of add, replace and remove");
    if (path)
        return value ? set_attribute(path, value, arena, spec, kept, answer)
                     : scim_refuse(answer, 400, "invalidValue", "%s has no value", path);
    return json_is_object(value) ? set_all(value, arena, spec, kept, answer)
                                 : scim_refuse(answer, 400, "invalidValue", "without a path the value is an object");
}

bool user_patch(json_t *body, struct arena *arena, struct provided_spec *spec, struct scim_answer *answer)
{
    size_t i;
    unsigned kept = 0;
    json_t *operation, *operations = json_object_get(body, "Operations");
    if (!json_is_array(operations) || json_array_size(operations) == 0)
        return scim_refuse(answer, 400, "invalidSyntax", "a PATCH has a list of Operations");
    json_array_foreach(operations, i, operation)
        if (!do_operation(operation, arena, spec, &kept, answer)) return false;
    if (kept == 0)
        return scim_refuse(answer, 400, "invalidPath",
                           "none of these attributes is kept here: userName, displayName, name, emails, active, "
                           "department of the enterprise extension; take the others out of the mapping");
    return is_whole(spec, answer);
}

/* ---- Told. */

static void copy(json_t *to, const char *name, json_t *from, const char *field)
{
    json_t *value = json_object_get(from, field);
    if (value) json_object_set(to, name, value);
}

json_t *user_tell(json_t *person)
{
    const char *id = json_string_value(json_object_get(person, "id"));
    bool is_active = json_integer_value(json_object_get(person, "disabled_at")) == 0;
    char where[sizeof SCIM_BASE "/Users/" + PERSON_ID_BYTES];
    snprintf(where, sizeof where, SCIM_BASE "/Users/%s", id);
    json_t *user = json_pack("{s:[s, s], s:s, s:b, s:{s:s, s:s}}", "schemas", USER_SCHEMA, ENTERPRISE, "id", id,
                             "active", is_active, "meta", "resourceType", "User", "location", where);
    copy(user, "externalId", person, "subject");
    copy(user, "userName", person, "user_name");
    copy(user, "displayName", person, "name");
    if (json_object_get(person, "email"))
        json_object_set_new(user, "emails", json_pack("[{s:O, s:s, s:b}]", "value", json_object_get(person, "email"),
                                                      "type", "work", "primary", 1));
    if (json_object_get(person, "department"))
        json_object_set_new(user, ENTERPRISE,
                            json_pack("{s:O}", "department", json_object_get(person, "department")));
    return user;
}
