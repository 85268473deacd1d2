#include "server/report.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

#define SOURCE_LINE_BYTES 400u

struct report {
    json_t *list;
    size_t errors, warnings;
    bool is_sorted;
};

struct report *report_new(void)
{
    struct report *r = mem_zalloc(1, sizeof *r);
    r->list = json_array();
    return r;
}

void report_free(struct report *r)
{
    if (!r) return;
    json_decref(r->list);
    mem_free(r);
}

static struct slice line_of(struct slice source, int line)
{
    struct slice rest = source, found = SLICE_NONE;
    for (int i = 0; i < line; i++) {
        if (rest.len == 0) return SLICE_NONE;
        found = slice_split(rest, '\n', &rest);
    }
    if (found.len && found.ptr[found.len - 1] == '\r') found.len--;
    return found.len > SOURCE_LINE_BYTES ? SLICE_NONE : found;
}

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t' && c != '\n') || c == 0x7f;
}

/* Lossy where the text is not UTF-8: a diagnostic must not fail. Nor may a source line move a terminal's cursor. */
static json_t *text_json(struct slice text)
{
    char *copy = mem_strndup(text.ptr ? text.ptr : "", text.len);
    for (size_t i = 0; i < text.len; i++) {
        if (is_control(copy[i])) copy[i] = '?';
    }
    json_t *json = json_stringn(copy, text.len);
    for (size_t i = 0; !json && i < text.len; i++) {
        if ((unsigned char)copy[i] >= 0x80) copy[i] = '?';
    }
    if (!json) json = json_stringn(copy, text.len);
    mem_free(copy);
    return json;
}

static void append(struct report *r, json_t *item, bool is_warning)
{
    *(is_warning ? &r->warnings : &r->errors) += 1;
    r->is_sorted = false;
    if (json_array_size(r->list) >= LIMIT_DIAGNOSTICS) {
        json_decref(item);
        return;
    }
    json_array_append_new(r->list, item);
}

void report_add(struct report *r, const struct diagnostic *d, struct slice source)
{
    bool is_warning = finding_is_warning(d->finding);
    json_t *item = json_object();
    bool is_kept = json_array_size(r->list) < LIMIT_DIAGNOSTICS;
    struct slice line = is_kept ? line_of(source, d->line) : SLICE_NONE;
    json_object_set_new(item, "severity", json_string(is_warning ? "warning" : "error"));
    json_object_set_new(item, "code", json_string(finding_info(d->finding)->code));
    if (d->file.len) json_object_set_new(item, "file", text_json(d->file));
    if (d->line) json_object_set_new(item, "line", json_integer(d->line));
    if (d->column) json_object_set_new(item, "column", json_integer(d->column));
    json_object_set_new(item, "message", text_json(d->text));
    if (d->hint.len) json_object_set_new(item, "help", text_json(d->hint));
    if (line.ptr) json_object_set_new(item, "source", text_json(line));
    append(r, item, is_warning);
}

void report_say(struct report *r, enum finding finding, const char *format, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    report_add(r, &(struct diagnostic){.finding = finding, .text = buf_slice(&text)}, SLICE_NONE);
    buf_clear(&text);
}

size_t report_errors(const struct report *r)
{
    return r->errors;
}

size_t report_warnings(const struct report *r)
{
    return r->warnings;
}

static json_int_t number_of(const json_t *item, const char *name)
{
    return json_integer_value(json_object_get(item, name));
}

static int compare(const void *left, const void *right)
{
    const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
    const char *file_a = json_string_value(json_object_get(a, "file"));
    const char *file_b = json_string_value(json_object_get(b, "file"));
    int order = strcmp(file_a ? file_a : "", file_b ? file_b : "");
    if (order) return order;
    json_int_t by_line = number_of(a, "line") - number_of(b, "line");
    if (by_line) return by_line < 0 ? -1 : 1;
    json_int_t by_column = number_of(a, "column") - number_of(b, "column");
    return by_column < 0 ? -1 : by_column > 0;
}

json_t *report_json(struct report *r)
{
    size_t count = json_array_size(r->list);
    if (r->is_sorted || count < 2) return r->list;
    json_t **items = mem_alloc(count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = json_incref(json_array_get(r->list, i));
    qsort(items, count, sizeof *items, compare);
    json_array_clear(r->list);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(r->list, items[i]);
    mem_free(items);
    r->is_sorted = true;
    return r->list;
}

void report_write(struct report *r, struct buf *out)
{
    char *text = json_dumps(report_json(r), JSON_COMPACT);
    buf_append(out, text ? slice_str(text) : SLICE("[]"));
    mem_free(text);
}

bool report_merge(struct report *r, struct slice text)
{
    size_t i;
    json_t *item, *list = json_loadb(text.ptr ? text.ptr : "", text.len, 0, NULL);
    if (!json_is_array(list)) {
        json_decref(list);
        return false;
    }
    json_array_foreach(list, i, item)
    {
        const char *severity = json_string_value(json_object_get(item, "severity"));
        append(r, json_incref(item), severity && strcmp(severity, "warning") == 0);
    }
    json_decref(list);
    return true;
}

static json_t *first_error(struct report *r)
{
    size_t i;
    json_t *item;
    json_array_foreach(report_json(r), i, item)
    {
        const char *severity = json_string_value(json_object_get(item, "severity"));
        if (severity && strcmp(severity, "error") == 0) return item;
    }
    return NULL;
}

enum finding report_first(struct report *r)
{
    const char *code = json_string_value(json_object_get(first_error(r), "code"));
    enum finding finding = finding_of(slice_str(code));
    return finding ? finding : FINDING_OTHER_ERROR;
}

static void append_place(const json_t *item, struct buf *out)
{
    const char *file = json_string_value(json_object_get(item, "file"));
    if (file) buf_append(out, slice_str(file));
    if (number_of(item, "line")) buf_printf(out, ":%lld", (long long)number_of(item, "line"));
    if (number_of(item, "column")) buf_printf(out, ":%lld", (long long)number_of(item, "column"));
}

void report_first_place(struct report *r, struct buf *out)
{
    append_place(first_error(r), out);
}

void report_first_line(struct report *r, struct buf *out)
{
    json_t *item = first_error(r);
    if (!item) return;
    const char *help = json_string_value(json_object_get(item, "help"));
    append_place(item, out);
    if (json_object_get(item, "file")) buf_append(out, SLICE(": "));
    buf_append(out, slice_str(json_string_value(json_object_get(item, "message"))));
    if (help) buf_printf(out, " (%s)", help);
}
