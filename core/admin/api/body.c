#include "admin/api/body.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "admin/api/answer.h"
#include "base/clock.h"
#include "base/nearest.h"
#include "wire/http.h"

/* ---- Instants. */

static bool number_at(struct slice text, size_t at, size_t len, int *number)
{
    uint64_t value;
    if (!slice_to_u64(slice_of(text.ptr + at, len), &value)) return false;
    *number = (int)value;
    return true;
}

/* ".123" is left out; then comes Z. */
static bool ends_well(struct slice rest)
{
    uint64_t fraction;
    if (rest.len < 1 || rest.ptr[rest.len - 1] != 'Z') return false;
    struct slice digits = slice_of(rest.ptr + 1, rest.len - 2);
    return rest.len == 1 || (rest.ptr[0] == '.' && digits.len <= 9 && slice_to_u64(digits, &fraction));
}

bool instant_read(struct slice text, int64_t *seconds)
{
    struct tm tm = {0};
    if (text.len < 20 || text.ptr[4] != '-' || text.ptr[7] != '-' || text.ptr[10] != 'T' || text.ptr[13] != ':' ||
        text.ptr[16] != ':' || !number_at(text, 0, 4, &tm.tm_year) || !number_at(text, 5, 2, &tm.tm_mon) ||
        !number_at(text, 8, 2, &tm.tm_mday) || !number_at(text, 11, 2, &tm.tm_hour) ||
        !number_at(text, 14, 2, &tm.tm_min) || !number_at(text, 17, 2, &tm.tm_sec) ||
        !ends_well(slice_of(text.ptr + 19, text.len - 19)))
        return false;
    struct tm given = tm;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *seconds = (int64_t)timegm(&tm);
    /* timegm() makes March 2 of February 30. */
    return tm.tm_year + 1900 == given.tm_year && tm.tm_mon + 1 == given.tm_mon && tm.tm_mday == given.tm_mday &&
           tm.tm_hour == given.tm_hour && tm.tm_min == given.tm_min && tm.tm_sec == given.tm_sec && *seconds > 0;
}

json_t *instant_json(int64_t seconds)
{
    char text[CLOCK_TEXT_BYTES];
    if (seconds <= 0) return json_null();
    clock_format((uint64_t)seconds * NS_PER_S, text);
    snprintf(text + 19, sizeof text - 19, "Z");
    return json_string(text);
}

/* ---- Checks. */

/* Marks that turn the direction of writing or end a line in some readers (UAX #9, UAX #14) would show another text. */
static bool is_line(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7F) return false;
        if (c == 0xC2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xA0) return false;
        if (c != 0xE2 || i + 2 >= text.len) continue;
        unsigned char second = (unsigned char)text.ptr[i + 1], third = (unsigned char)text.ptr[i + 2];
        if ((second == 0x80 && third >= 0xA8 && third <= 0xAE) || (second == 0x81 && third >= 0xA6 && third <= 0xA9))
            return false;
    }
    return true;
}

static struct slice text_of(const json_t *value)
{
    return slice_of(json_string_value(value), json_string_length(value));
}

static bool check_text(const json_t *value, const char **what)
{
    *what = NULL;
    if (!json_is_string(value)) *what = "is to be a text";
    else if (json_string_length(value) > BODY_TEXT_BYTES_MAX) *what = "is longer than 4096 bytes";
    return !*what;
}

static bool check_line(const json_t *value, const char **what)
{
    if (check_text(value, what) && !is_line(text_of(value))) *what = "is to be one line of visible text";
    return !*what;
}

static bool check_texts(const json_t *value, const char **what)
{
    size_t i;
    json_t *item;
    if (!json_is_array(value)) *what = "is to be a list of texts";
    else if (json_array_size(value) > BODY_LIST_MAX) *what = "has more than 256 members";
    json_array_foreach (value, i, item)
        if (*what || !check_text(item, what)) return false;
    return !*what;
}

static bool check_labels(json_t *value, const char **what)
{
    const char *name;
    json_t *item;
    if (!json_is_object(value)) *what = "is to be an object whose values are texts";
    else if (json_object_size(value) > BODY_LIST_MAX) *what = "has more than 256 members";
    json_object_foreach (value, name, item)
        if (*what || !check_text(item, what)) return false;
    return !*what;
}

static bool is_of_type(json_t *value, enum api_type type, const char **what)
{
    int64_t seconds;
    *what = NULL;
    switch (type) {
    case API_TEXT: return check_line(value, what);
    case API_NAME: return check_text(value, what);
    case API_TEXTS: return check_texts(value, what);
    case API_LABELS: return check_labels(value, what);
    case API_JSON: return true;
    case API_INTEGER: *what = json_is_integer(value) ? NULL : "is to be a number without a fraction"; break;
    case API_FLAG: *what = json_is_boolean(value) ? NULL : "is to be true or false"; break;
    case API_INSTANT:
        *what = json_is_string(value) && instant_read(text_of(value), &seconds)
                    ? NULL
                    : "is to be an instant in UTC, as \"2026-11-27T18:00:00Z\"";
        break;
    }
    return !*what;
}

static const struct api_field *field_of(const struct api_field *fields, const char *name)
{
    for (const struct api_field *f = fields; f && f->name; f++)
        if (strcmp(f->name, name) == 0) return f;
    return NULL;
}

#define FIELDS_MAX 48u

static bool refuse_unknown(struct api_call *call, const char *name)
{
    const char *known[FIELDS_MAX];
    size_t count = 0;
    for (const struct api_field *f = call->route->fields; f && f->name && count < FIELDS_MAX; f++)
        known[count++] = f->name;
    const char *near = nearest_word(slice_str(name), known, count);
    struct slice hint = near ? arena_printf(&call->arena, "did you mean `%s`?", near)
                             : arena_printf(&call->arena, "GET " API_BASE "/openapi.json says what it takes");
    return answer_refuse(call, 400, "unknown_field", name, hint.ptr, "%s %s takes no field `%s`", call->route->method,
                         call->route->path, name);
}

static bool check_fields(struct api_call *call)
{
    const char *name, *what;
    json_t *value;
    json_object_foreach (call->body, name, value) {
        const struct api_field *f = field_of(call->route->fields, name);
        if (!f) return refuse_unknown(call, name);
        if (!json_is_null(value) && !is_of_type(value, f->type, &what))
            return answer_refuse(call, 400, "invalid_field", name, f->summary, "`%s` %s", name, what);
    }
    for (const struct api_field *f = call->route->fields; f && f->name; f++) {
        json_t *given = json_object_get(call->body, f->name);
        bool is_there = given && !json_is_null(given) && !(json_is_string(given) && json_string_length(given) == 0);
        if (f->is_needed && !is_there)
            return answer_refuse(call, 400, "missing_field", f->name, f->summary, "`%s` is missing", f->name);
    }
    return true;
}

bool body_read(struct api_call *call, struct slice bytes)
{
    json_error_t error;
    if (bytes.len == 0) {
        call->body = json_object();
        return check_fields(call);
    }
    call->body = json_loadb(bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, &error);
    if (!call->body)
        return answer_refuse(call, 400, "invalid_json", NULL, "send one JSON object in UTF-8",
                             "the body is not JSON: line %d, column %d: %s", error.line, error.column, error.text);
    if (!json_is_object(call->body))
        return answer_refuse(call, 400, "invalid_json", NULL, "send one JSON object in UTF-8",
                             "the body is JSON, but no object");
    return check_fields(call);
}

/* ---- What stands there. */

struct slice body_text(const struct api_call *call, const char *name)
{
    const json_t *value = json_object_get(call->body, name);
    return json_is_string(value) ? text_of(value) : SLICE("");
}

int64_t body_integer(const struct api_call *call, const char *name)
{
    return json_integer_value(json_object_get(call->body, name));
}

int64_t body_instant(const struct api_call *call, const char *name)
{
    int64_t seconds = 0;
    instant_read(body_text(call, name), &seconds);
    return seconds;
}

bool body_flag(const struct api_call *call, const char *name)
{
    return json_is_true(json_object_get(call->body, name));
}

bool body_has(const struct api_call *call, const char *name)
{
    return json_object_get(call->body, name) != NULL;
}

const struct slice *body_texts(struct api_call *call, const char *name, size_t *count)
{
    size_t i;
    json_t *item, *list = json_object_get(call->body, name);
    *count = json_array_size(list);
    struct slice *texts = arena_alloc(&call->arena, (*count + 1) * sizeof *texts);
    json_array_foreach (list, i, item)
        texts[i] = text_of(item);
    return texts;
}

json_t *body_json(const struct api_call *call, const char *name)
{
    json_t *value = json_object_get(call->body, name);
    return json_is_null(value) ? NULL : value;
}

struct slice body_query(struct api_call *call, struct slice name)
{
    struct slice query = call->query, text;
    while (query.len) {
        struct slice part = slice_split(query, '&', &query), value;
        if (!slice_equal(slice_split(part, '=', &value), name)) continue;
        return http_decode_segment(&call->arena, value, &text) ? text : SLICE("");
    }
    return SLICE("");
}
