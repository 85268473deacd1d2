#include "server/config_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/finding_guess.h"
#include "base/limits.h"
#include "server/address.h"
#include "server/kind.h"
#include "server/units.h"

/* ---- Saying what is wrong. */

void config_complain(struct config_reader *r, const struct place *place, bool is_value, const char *hint,
                     struct slice text)
{
    struct diagnostic d = {.finding = finding_guess(text, false), .file = r->config->file,
                           .text = text, .hint = slice_str(hint)};
    if (place) {
        d.line = is_value ? place->value_line : place->key_line;
        d.column = is_value ? place->value_column : place->key_column;
    }
    report_add(r->report, &d, r->text);
}

/* An error about the value of the field at `path`. Always false. */
bool config_bad(struct config_reader *r, struct slice path, const char *hint, const char *format, ...)
{
    struct buf text;
    va_list args;
    bool is_exact;
    const struct place *place = places_find(&r->places, path, &is_exact);
    buf_init(&text);
    buf_printf(&text, "%.*s: ", SLICE_FMT(path));
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    config_complain(r, place, is_exact, hint, buf_slice(&text));
    buf_clear(&text);
    return false;
}

/* ---- Values. */

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

static bool resolve_env(struct config_reader *r, struct slice path, const char *name, struct slice *out)
{
    const char *value = getenv(name);
    if (!value) {
        return config_bad(r, path, "set it for the process that runs moongate, or use file \"path\"",
                          "the environment variable %s is not set", name);
    }
    if (!*value)
        return config_bad(r, path, "leave the field out when there is none", "the environment variable %s is empty",
                          name);
    *out = arena_copy(r->arena, slice_str(value));
    return true;
}

static bool resolve_file(struct config_reader *r, struct slice path, const char *name, struct slice *out)
{
    struct slice full = config_resolve_path(r, slice_str(name));
    struct buf content;
    buf_init(&content);
    bool is_good = config_read_file(full.ptr, LIMIT_SECRET_BYTES, &content);
    struct slice text = buf_slice(&content);
    if (!is_good) {
        config_bad(r, path, "paths are relative to the configuration file", "%s: %s", full.ptr, strerror(errno));
    } else if (text.len && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    if (is_good && text.len == 0) is_good = config_bad(r, path, NULL, "%s is empty", full.ptr);
    if (is_good) *out = arena_copy(r->arena, text);
    if (buf_len(&content)) explicit_bzero(buf_ptr(&content), buf_len(&content));
    buf_clear(&content);
    return is_good;
}

/* Text, or what a handle stands for. */
static bool read_text(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    const char *env = json_string_value(json_object_get(value, "$env"));
    const char *file = json_string_value(json_object_get(value, "$file"));
    if (env) return resolve_env(r, path, env, out);
    if (file) return resolve_file(r, path, file, out);
    if (!json_is_string(value)) {
        return config_bad(r, path, NULL, "must be text, env \"NAME\" or file \"path\", not %s",
                          config_type_name(value));
    }
    struct slice text = slice_of(json_string_value(value), json_string_length(value));
    if (text.len == 0) return config_bad(r, path, "leave the field out for its default", "is empty");
    if (memchr(text.ptr, '\0', text.len)) return config_bad(r, path, NULL, "has a NUL in it");
    *out = arena_copy(r->arena, text);
    return true;
}

static bool read_address(struct config_reader *r, struct slice path, const json_t *value, bool is_admin,
                         struct slice *out)
{
    struct listener_address address;
    struct slice text;
    struct fault why;
    if (!read_text(r, path, value, &text)) return false;
    if (!listener_parse(text.ptr, &address, &why)) return config_bad(r, path, NULL, "%s", fault_message(&why));
    if (is_admin && !address_is_loopback(&address)) {
        return config_bad(
            r, path, "use 127.0.0.1 or [::1], and a proxy with authentication in front if others must reach it",
            "the admin listener has no admin keys yet, so it may only be on a loopback address, not `%.*s`",
            SLICE_FMT(text));
    }
    *out = text;
    return true;
}

static bool read_url(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text, rest;
    if (!read_text(r, path, value, &text)) return false;
    size_t scheme = slice_starts(text, SLICE("https://")) ? 8 : slice_starts(text, SLICE("http://")) ? 7 : 0;
    struct slice host = slice_split(slice_of(text.ptr + scheme, text.len - scheme), '/', &rest);
    if (!scheme || host.len == 0) {
        return config_bad(r, path, "write \"https://host/v1\"", "`%.*s` is not an http:// or https:// URL",
                          SLICE_FMT(text));
    }
    if (memchr(host.ptr, '@', host.len))
        return config_bad(r, path, "put it into `key`", "a URL must not hold a credential");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7F || c == '?' || c == '#' || c == '\\') {
            return config_bad(r, path, NULL, "`%.*s` has a character that may not stand there", SLICE_FMT(text));
        }
    }
    while (text.len && text.ptr[text.len - 1] == '/')
        text.len--;
    *out = arena_copy(r->arena, text);
    return true;
}

/* It goes into a header: a line break in it would be a second header. */
static bool read_secret(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!read_text(r, path, value, &text)) return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7F) return config_bad(r, path, NULL, "a key must be visible ASCII without spaces");
    }
    *out = text;
    return true;
}

static bool read_word(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!json_is_string(value)) return config_bad(r, path, NULL, "must be a word, not %s", config_type_name(value));
    if (!read_text(r, path, value, &text)) return false;
    if (text.len > LIMIT_LABEL_BYTES || strspn(text.ptr, "abcdefghijklmnopqrstuvwxyz0123456789-_") != text.len)
        return config_bad(r, path, NULL, "must have 1 to %u characters of a-z, 0-9, - and _", LIMIT_LABEL_BYTES);
    *out = text;
    return true;
}

static bool read_kind(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!read_text(r, path, value, &text)) return false;
    if (!kind_is_known(text)) {
        return config_bad(r, path, "this version speaks \"openai\"", "unknown kind of provider `%.*s`",
                          SLICE_FMT(text));
    }
    *out = text;
    return true;
}

static bool read_ca(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!json_is_string(value))
        return config_bad(r, path, NULL, "must be the path of a PEM file, not %s", config_type_name(value));
    if (!read_text(r, path, value, &text)) return false;
    text = config_resolve_path(r, text);
    if (access(text.ptr, R_OK) != 0) return config_bad(r, path, NULL, "%s: %s", text.ptr, strerror(errno));
    *out = text;
    return true;
}

static bool read_path(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!json_is_string(value)) return config_bad(r, path, NULL, "must be a path, not %s", config_type_name(value));
    if (!read_text(r, path, value, &text)) return false;
    *out = config_resolve_path(r, text);
    return true;
}

/* ---- Numbers. */

static bool read_duration(struct config_reader *r, struct slice path, const json_t *value, uint64_t *ms)
{
    static const char hint[] = "write \"30s\", \"200ms\", \"5m\", or a number of seconds";
    double seconds = json_number_value(value);
    if (json_is_number(value)) {
        if (seconds < 0 || seconds > 1e9) return config_bad(r, path, hint, "out of range");
        *ms = (uint64_t)llround(seconds * 1000);
        if (*ms == 0 && seconds > 0) return config_bad(r, path, hint, "shorter than a millisecond");
        return true;
    }
    if (!json_is_string(value)) return config_bad(r, path, hint, "must be a duration, not %s", config_type_name(value));
    if (units_duration(slice_str(json_string_value(value)), ms)) return true;
    return config_bad(r, path, hint, "`%s` is not a duration", json_string_value(value));
}

static bool read_size(struct config_reader *r, struct slice path, const json_t *value, uint64_t *bytes)
{
    static const char hint[] = "write \"32MB\", \"512KB\", or a number of bytes";
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *bytes = (uint64_t)json_integer_value(value);
        return true;
    }
    if (!json_is_string(value)) return config_bad(r, path, hint, "must be a size, not %s", config_type_name(value));
    if (units_size(slice_str(json_string_value(value)), bytes)) return true;
    return config_bad(r, path, hint, "`%s` is not a size", json_string_value(value));
}

static bool read_count(struct config_reader *r, struct slice path, const json_t *value, uint64_t *count)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return config_bad(r, path, NULL, "must be a whole number, not %s",
                          json_is_number(value) ? "this" : config_type_name(value));
    }
    *count = (uint64_t)json_integer_value(value);
    return true;
}

static void print_amount(const struct field *f, uint64_t amount, char *text, unsigned size)
{
    if (f->kind == FIELD_DURATION) {
        units_print_duration(amount, text, size);
    } else if (f->kind == FIELD_SIZE) {
        units_print_size(amount, text, size);
    } else {
        snprintf(text, size, "%llu", (unsigned long long)amount);
    }
}

static void read_number(struct config_reader *r, const struct field *f, struct slice path, const json_t *value,
                        void *to)
{
    uint64_t n = 0;
    char least[32], most[32];
    bool is_good = f->kind == FIELD_DURATION ? read_duration(r, path, value, &n)
                   : f->kind == FIELD_SIZE   ? read_size(r, path, value, &n)
                                             : read_count(r, path, value, &n);
    if (!is_good) return;
    if (n < f->min || n > f->max) {
        print_amount(f, f->min, least, sizeof least);
        print_amount(f, f->max, most, sizeof most);
        config_bad(r, path, NULL, "must be from %s to %s", least, most);
    } else if (f->kind == FIELD_SIZE) {
        *(size_t *)to = (size_t)n;
    } else if (f->kind == FIELD_COUNT64) {
        *(uint64_t *)to = n;
    } else {
        *(uint32_t *)to = (uint32_t)n;
    }
}

static void read_flag(struct config_reader *r, struct slice path, const json_t *value, bool *to)
{
    if (json_is_boolean(value)) {
        *to = json_is_true(value);
    } else {
        config_bad(r, path, NULL, "must be true or false, not %s", config_type_name(value));
    }
}

void config_read_value(struct config_reader *r, const struct field *f, struct slice path, const json_t *value, void *to)
{
    switch (f->kind) {
    case FIELD_GROUP:
    case FIELD_PROVIDERS:
    case FIELD_EGRESS: check(!"a table is not a value"); return;
    case FIELD_ADDRESS: read_address(r, path, value, false, to); return;
    case FIELD_ADMIN: read_address(r, path, value, true, to); return;
    case FIELD_PATH: read_path(r, path, value, to); return;
    case FIELD_CA: read_ca(r, path, value, to); return;
    case FIELD_WORD: read_word(r, path, value, to); return;
    case FIELD_KIND: read_kind(r, path, value, to); return;
    case FIELD_URL: read_url(r, path, value, to); return;
    case FIELD_SECRET: read_secret(r, path, value, to); return;
    case FIELD_FLAG: read_flag(r, path, value, to); return;
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_COUNT:
    case FIELD_COUNT64: read_number(r, f, path, value, to); return;
    }
}
