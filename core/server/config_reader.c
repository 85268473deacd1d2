#include "server/config_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nearest.h"

#define KNOWN_MAX 32u

/* ---- Saying what is wrong. */

/* At that place, of the field's value or of its name. */
static void complain(struct config_reader *r, const struct diagnostic *about, const struct place *place, bool is_value)
{
    struct diagnostic d = *about;
    d.file = r->config->file;
    if (place) {
        d.line = is_value ? place->value_line : place->key_line;
        d.column = is_value ? place->value_column : place->key_column;
    }
    report_add(r->report, &d, r->text);
}

/* Of the field at `path`; about->text is what the format gives. */
static void complain_of(struct config_reader *r, struct slice path, const struct diagnostic *about, const char *format,
                        va_list args)
{
    struct buf text;
    struct diagnostic d = *about;
    bool is_exact;
    const struct place *place = places_find(&r->places, path, &is_exact);
    buf_init(&text);
    buf_printf(&text, "%.*s: ", SLICE_FMT(path));
    buf_vprintf(&text, format, args);
    d.text = buf_slice(&text);
    complain(r, &d, place, is_exact);
    buf_clear(&text);
}

bool config_bad(struct config_reader *r, struct slice path, enum finding finding, const char *hint, const char *format,
                ...)
{
    va_list args;
    va_start(args, format);
    complain_of(r, path, &(struct diagnostic){.finding = finding, .hint = slice_str(hint)}, format, args);
    va_end(args);
    return false;
}

void config_warn(struct config_reader *r, struct slice path, enum finding finding, const char *hint, const char *format,
                 ...)
{
    va_list args;
    va_start(args, format);
    complain_of(r, path, &(struct diagnostic){.finding = finding, .hint = slice_str(hint)}, format,
                args);
    va_end(args);
}

/* ---- Files and paths. */

struct slice config_resolve_path(struct config_reader *r, struct slice path)
{
    if (path.len && path.ptr[0] == '/') return arena_copy(r->arena, path);
    return arena_printf(r->arena, "%.*s%.*s", SLICE_FMT(r->dir), SLICE_FMT(path));
}

bool config_read_file(const char *path, size_t max, struct buf *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    bool is_good = fstat(fd, &st) == 0;
    if (is_good && !S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        is_good = false;
    }
    while (is_good) {
        ssize_t n = read(fd, buf_reserve(out, 65536), 65536);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            is_good = n == 0;
            break;
        }
        buf_grew(out, (size_t)n);
        if (buf_len(out) > max) {
            errno = EFBIG;
            is_good = false;
        }
    }
    int why = errno;
    close(fd);
    errno = why;
    return is_good;
}

/* ---- Tables. */

const char *config_type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return json_object_get(value, "$env") || json_object_get(value, "$file") ? "a handle" : "a table";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return "text";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "true or false";
    case JSON_NULL: return "nothing";
    }
    return "something else";
}

static void bad_name(struct config_reader *r, struct slice path, struct slice name, const struct field *fields)
{
    const char *known[KNOWN_MAX];
    size_t count = 0;
    struct buf hint, text;
    buf_init(&hint);
    buf_init(&text);
    for (; fields[count].name && count < KNOWN_MAX; count++)
        known[count] = fields[count].name;
    const char *nearest = nearest_word(name, known, count);
    if (nearest) {
        buf_printf(&hint, "did you mean `%s`?", nearest);
    } else {
        buf_append(&hint, SLICE("known here:"));
        for (size_t i = 0; i < count; i++)
            buf_printf(&hint, "%s %s", i ? "," : "", known[i]);
    }
    buf_printf(&text, "unknown field `%.*s`", SLICE_FMT(path));
    struct diagnostic about = {.finding = FINDING_UNKNOWN_FIELD, .hint = buf_slice(&hint), .text = buf_slice(&text)};
    complain(r, &about, places_find(&r->places, path, NULL), false);
    buf_clear(&hint);
    buf_clear(&text);
}

struct slice config_join(struct config_reader *r, struct slice path, const char *name)
{
    if (path.len == 0) return arena_copy(r->arena, slice_str(name));
    return arena_printf(r->arena, "%.*s.%s", SLICE_FMT(path), name);
}

bool config_is_table(struct config_reader *r, struct slice path, const json_t *value)
{
    if (json_is_object(value) && strcmp(config_type_name(value), "a table") == 0) return true;
    return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be a table of named fields, not %s",
                      config_type_name(value));
}

static void read_field(struct config_reader *r, const struct field *f, struct slice path, json_t *value)
{
    if (f->type->read_table) {
        f->type->read_table(r, f, path, value);
    } else {
        config_read_value(r, f, path, value);
    }
}

/* After what is there, in the order of the table: what ought to be. */
static void miss(struct config_reader *r, const struct field *fields, struct slice path, const json_t *table)
{
    char hint[64];
    for (const struct field *f = fields; f->name; f++) {
        if (!f->required || json_object_get(table, f->name)) continue;
        snprintf(hint, sizeof hint, "add %s", f->required);
        config_bad(r, path, FINDING_MISSING_FIELD, hint, "`%s` is missing", f->name);
    }
}

void config_read_group(struct config_reader *r, const struct field *fields, struct slice path, json_t *table)
{
    const char *name;
    json_t *value;
    if (!config_is_table(r, path, table)) return;
    for (const struct field *f = fields; f->name; f++) {
        value = json_object_get(table, f->name);
        if (value) read_field(r, f, config_join(r, path, f->name), value);
    }
    json_object_foreach(table, name, value)
    {
        const struct field *f = fields;
        while (f->name && strcmp(f->name, name) != 0)
            f++;
        if (!f->name) bad_name(r, config_join(r, path, name), slice_str(name), fields);
    }
    miss(r, fields, path, table);
}

void config_read_table(struct config_reader *r, const struct field *f, struct slice path, json_t *table)
{
    config_read_group(r, f->group, path, table);
}

static void set_initial(struct config_reader *r, const struct field *f)
{
    void *to = field_value(&r->homes, f);
    if (f->type->store != STORE_TEXT) {
        field_set_number(f, to, f->initial);
    } else {
        struct slice text = slice_str(f->initial_text);
        *(struct slice *)to = f->type == &type_path ? config_resolve_path(r, text) : text;
    }
}

void config_set_initial(struct config_reader *r, const struct field *fields)
{
    for (const struct field *f = fields; f->name; f++) {
        if (f->group) config_set_initial(r, f->group);
        if (f->type->store != STORE_TABLE && !f->initial_words) set_initial(r, f);
    }
}
