#include "admin/api/openapi.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>

#include "admin/api/body.h"
#include "base/version.h"

/* ---- Schemas. */

static json_t *list_of(json_t *items)
{
    return json_pack("{s:s, s:i, s:o}", "type", "array", "maxItems", (int)BODY_LIST_MAX, "items", items);
}

static json_t *schema_of(enum api_type type)
{
    json_t *line = json_pack("{s:s, s:i}", "type", "string", "maxLength", (int)BODY_TEXT_BYTES_MAX);
    switch (type) {
    case API_TEXT:
    case API_NAME: return line;
    case API_TEXTS: return list_of(line);
    case API_LABELS:
        return json_pack("{s:s, s:i, s:o}", "type", "object", "maxProperties", (int)BODY_LIST_MAX,
                         "additionalProperties", line);
    case API_INTEGER: json_decref(line); return json_pack("{s:s, s:s}", "type", "integer", "format", "int64");
    case API_FLAG: json_decref(line); return json_pack("{s:s}", "type", "boolean");
    case API_INSTANT: json_decref(line); return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
    case API_JSON: break;
    }
    json_decref(line);
    return json_object();
}

static json_t *body_of(const struct api_field *fields)
{
    json_t *properties = json_object(), *needed = json_array();
    for (const struct api_field *f = fields; f->name; f++) {
        json_t *schema = schema_of(f->type);
        json_object_set_new(schema, "description", json_string(f->summary));
        json_object_set_new(properties, f->name, schema);
        if (f->is_needed) json_array_append_new(needed, json_string(f->name));
    }
    bool is_needed = json_array_size(needed) > 0;
    json_t *schema = json_pack("{s:s, s:b, s:o, s:o}", "type", "object", "additionalProperties", 0, "properties",
                               properties, "required", needed);
    return json_pack("{s:b, s:{s:{s:o}}}", "required", is_needed, "content", "application/json", "schema", schema);
}

/* admin/api/answer.h */
static json_t *error_schema(void)
{
    json_t *text = json_pack("{s:s}", "type", "string"), *or_null = json_pack("{s:[s,s]}", "type", "string", "null");
    json_t *members = json_pack("{s:O, s:O, s:O, s:O, s:O}", "code", text, "message", text, "hint", or_null, "field",
                                or_null, "request_id", text);
    json_t *needed = json_pack("[s,s,s,s,s]", "code", "message", "hint", "field", "request_id");
    json_t *error = json_pack("{s:s, s:o, s:o}", "type", "object", "required", needed, "properties", members);
    json_decref(text);
    json_decref(or_null);
    return json_pack("{s:s, s:[s], s:{s:o}}", "type", "object", "required", "error", "properties", "error", error);
}

/* ---- Operations. */

static json_t *header_of(const char *name, bool is_needed, const char *what)
{
    return json_pack("{s:s, s:s, s:b, s:s, s:{s:s}}", "name", name, "in", "header", "required", is_needed,
                     "description", what, "schema", "type", "string");
}

static json_t *parameters_of(const struct api_route *route)
{
    json_t *all = json_array();
    struct slice name;
    for (size_t i = 0; (name = route_parameter_name(route, i)).len; i++)
        json_array_append_new(all, json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", name.ptr, name.len, "in", "path",
                                             "required", 1, "schema", "type", "string"));
    if (route->is_matched)
        json_array_append_new(all, header_of("If-Match", true, "the object's ETag, or *"));
    if (strcmp(route->method, "POST") == 0)
        json_array_append_new(all, header_of("Idempotency-Key", false,
                                             "the same answer for the same body, for 24 hours"));
    return all;
}

static json_t *response(const char *what, json_t *schema)
{
    return json_pack("{s:s, s:{s:{s:o}}}", "description", what, "content", "application/json", "schema", schema);
}

static json_t *outcomes_of(void)
{
    json_t *refused = json_pack("{s:s}", "$ref", "#/components/schemas/Error");
    return json_pack("{s:o, s:o}", "2XX", response("done", json_object()), "default", response("refused", refused));
}

/* "POST /keys/{id}/rotate" is post_keys_id_rotate. */
static json_t *name_of(const struct api_route *route)
{
    char text[128];
    size_t len = 0;
    for (const char *at = route->method; *at && len < sizeof text - 1; at++)
        text[len++] = (char)tolower((unsigned char)*at);
    for (const char *at = route->path; *at && len < sizeof text - 1; at++) {
        if (isalnum((unsigned char)*at)) text[len++] = *at;
        else if (text[len - 1] != '_' && at[1]) text[len++] = '_';
    }
    return json_stringn(text, len);
}

static json_t *operation_of(const struct api_route *route)
{
    json_t *operation = json_pack("{s:o, s:s, s:s, s:o, s:o}", "operationId", name_of(route), "summary", route->summary,
                                  "x-moongate-role", caller_role_word(route->role), "parameters", parameters_of(route),
                                  "responses", outcomes_of());
    if (route->fields) json_object_set_new(operation, "requestBody", body_of(route->fields));
    if (route->action) json_object_set_new(operation, "x-moongate-action", json_string(route->action));
    return operation;
}

json_t *openapi_document(const struct api_route *routes)
{
    json_t *paths = json_object();
    for (const struct api_route *r = routes; r->path; r++) {
        char method[16];
        json_t *at = json_object_get(paths, r->path);
        if (!at) json_object_set_new(paths, r->path, at = json_object());
        snprintf(method, sizeof method, "%s", r->method);
        for (char *c = method; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        json_object_set_new(at, method, operation_of(r));
    }
    json_t *schemes = json_pack("{s:{s:s, s:s}}", "admin_key", "type", "http", "scheme", "bearer");
    return json_pack("{s:s, s:{s:s, s:s}, s:[{s:s}], s:[{s:[]}], s:o, s:{s:{s:o}, s:o}}", "openapi", "3.1.0", "info",
                     "title", "moongate admin API", "version", MOONGATE_VERSION, "servers", "url", API_BASE, "security",
                     "admin_key", "paths", paths, "components", "schemas", "Error", error_schema(), "securitySchemes",
                     schemes);
}
