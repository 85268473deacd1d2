#include "lua/promptfile.h"

#include <stdio.h>

#include "wire/json.h"

struct writing {
    const struct json_tape *tape;
    struct arena *arena;
    struct buf *out;
};

/* ---- Lua. */

static void append_text(struct buf *out, struct slice text)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n')
            buf_append(out, SLICE("\\n"));
        else if (c < 32 || c == 127)
            buf_printf(out, "\\%03u", c);
        else
            buf_append_char(out, (char)c);
    }
    buf_append_char(out, '"');
}

/* Can a table of Lua say it? Not null, not whether nothing is a list, not numbers beyond a double's. */
static bool is_plain(const struct json_tape *tape, uint32_t node)
{
    for (uint32_t n = node; n < json_after(tape, node); n++) {
        bool is_container = json_type(tape, n) >= JSON_ARRAY;
        if (json_is(tape, n, JSON_NULL) || (is_container && json_count(tape, n) == 0)) return false;
        if (json_is(tape, n, JSON_NUMBER) && json_raw(tape, n).len > 15) return false;
    }
    return true;
}

/* A name that needs no brackets. */
static bool is_identifier(struct slice name)
{
    static const char *const reserved[] = {"and",    "break", "do",   "else", "elseif", "end",   "false", "for",
                                           "function", "goto", "if",   "in",   "local",  "nil",   "not",   "or",
                                           "repeat", "return", "then", "true", "until",  "while"};
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9')) return false;
    }
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (slice_equal(name, slice_str(reserved[i]))) return false;
    }
    return name.len > 0;
}

static void append_name(struct writing *w, struct slice name)
{
    if (is_identifier(name)) {
        buf_append(w->out, name);
        return;
    }
    buf_append_char(w->out, '[');
    append_text(w->out, name);
    buf_append_char(w->out, ']');
}

static void append_value(struct writing *w, uint32_t node);

static void append_table(struct writing *w, uint32_t node)
{
    buf_append(w->out, SLICE("{ "));
    for (uint32_t n = json_first(w->tape, node); n != JSON_NONE; n = json_next(w->tape, n)) {
        if (n != json_first(w->tape, node)) buf_append(w->out, SLICE(", "));
        if (json_is(w->tape, node, JSON_OBJECT)) {
            append_name(w, json_key_text(w->tape, n, w->arena));
            buf_append(w->out, SLICE(" = "));
        }
        append_value(w, n);
    }
    buf_append(w->out, SLICE(" }"));
}

static void append_value(struct writing *w, uint32_t node)
{
    if (json_is(w->tape, node, JSON_STRING))
        append_text(w->out, json_text(w->tape, node, w->arena));
    else if (json_type(w->tape, node) >= JSON_ARRAY)
        append_table(w, node);
    else
        buf_append(w->out, json_raw(w->tape, node));
}

/* In brackets that do not stand in it. */
static void append_json(struct writing *w, uint32_t node)
{
    struct slice raw = json_raw(w->tape, node);
    char close[16], equals[12] = "";
    size_t level = 0;
    do {
        snprintf(close, sizeof close, "]%s]", equals);
        if (!memmem(raw.ptr, raw.len, close, strlen(close))) break;
        equals[level++] = '=';
    } while (level < sizeof equals - 1);
    buf_printf(w->out, "json [%s[", equals);
    buf_append(w->out, raw);
    buf_append(w->out, slice_str(close));
}

static void append_field(struct writing *w, const char *name)
{
    uint32_t node = json_get(w->tape, 0, slice_str(name));
    if (node == JSON_NONE) return;
    bool is_scalar = json_type(w->tape, node) < JSON_ARRAY;
    buf_printf(w->out, "%s = ", name);
    if (is_plain(w->tape, node) || is_scalar)
        append_value(w, node);
    else
        append_json(w, node);
    buf_append(w->out, SLICE(",\n"));
}

/* One a line, as people write them. */
static void append_variables(struct writing *w)
{
    uint32_t variables = json_get(w->tape, 0, SLICE("variables"));
    if (variables == JSON_NONE || !json_is(w->tape, variables, JSON_OBJECT)) return;
    if (!json_count(w->tape, variables)) return;
    buf_append(w->out, SLICE("variables = {\n"));
    for (uint32_t n = json_first(w->tape, variables); n != JSON_NONE; n = json_next(w->tape, n)) {
        buf_append(w->out, SLICE("  "));
        append_name(w, json_key_text(w->tape, n, w->arena));
        buf_append(w->out, SLICE(" = "));
        if (is_plain(w->tape, n))
            append_value(w, n);
        else if (json_count(w->tape, n) == 0)
            buf_append(w->out, SLICE("{}"));
        else
            append_json(w, n);
        buf_append(w->out, SLICE(",\n"));
    }
    buf_append(w->out, SLICE("},\n"));
}

/* ---- Messages. */

static bool needs_escape(struct slice line, bool is_last)
{
    size_t at = 0;
    while (at < line.len && line.ptr[at] == '\\')
        at++;
    struct slice rest = slice_of(line.ptr + at, line.len - at);
    if (slice_trim(rest).len) return rest.ptr[0] == '@';
    return at > 0 || is_last;
}

static void append_message_text(struct writing *w, struct slice text)
{
    struct slice rest = text;
    bool is_more = text.len > 0;
    while (is_more) {
        is_more = memchr(rest.ptr, '\n', rest.len) != NULL;
        struct slice line = slice_split(rest, '\n', &rest);
        bool is_blank = slice_trim(line).len == 0;
        if (needs_escape(line, !is_more && is_blank)) buf_append_char(w->out, '\\');
        buf_append(w->out, line);
        buf_append_char(w->out, '\n');
        if (is_more && rest.len == 0) {
            buf_append(w->out, SLICE("\\\n"));
            return;
        }
    }
}

static void append_messages(struct writing *w)
{
    uint32_t messages = json_get(w->tape, 0, SLICE("messages")), number = 0;
    uint32_t insert = json_get(w->tape, 0, SLICE("insert_at"));
    int64_t insert_at = -1;
    if (json_is(w->tape, insert, JSON_NUMBER)) json_to_i64(w->tape, insert, &insert_at);
    for (uint32_t n = json_first(w->tape, messages); n != JSON_NONE; n = json_next(w->tape, n), number++) {
        if (number == insert_at) buf_append(w->out, SLICE("@messages\n"));
        struct slice role = json_text(w->tape, json_get(w->tape, n, SLICE("role")), w->arena);
        buf_printf(w->out, "@%.*s\n", SLICE_FMT(role));
        append_message_text(w, json_text(w->tape, json_get(w->tape, n, SLICE("content")), w->arena));
    }
}

static bool has_messages(const struct json_tape *tape)
{
    uint32_t messages = json_get(tape, 0, SLICE("messages"));
    if (!json_is(tape, messages, JSON_ARRAY)) return false;
    for (uint32_t n = json_first(tape, messages); n != JSON_NONE; n = json_next(tape, n)) {
        if (!json_is(tape, json_get(tape, n, SLICE("role")), JSON_STRING)) return false;
        if (!json_is(tape, json_get(tape, n, SLICE("content")), JSON_STRING)) return false;
    }
    return true;
}

static void write_all(struct writing *w, const struct json_tape *about, const struct json_tape *content)
{
    static const char *const about_names[] = {"name", "version", "department", "owner", "description", "tags", "links"};
    static const char *const names[] = {"model", "parameters",      "open",  "data",
                                        "apps",  "response_format", "tools", "cases"};
    buf_append(w->out, SLICE("---\n"));
    w->tape = about;
    for (size_t i = 0; i < sizeof about_names / sizeof about_names[0]; i++)
        append_field(w, about_names[i]);
    w->tape = content;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        append_field(w, names[i]);
    append_variables(w);
    buf_append(w->out, SLICE("---\n"));
    append_messages(w);
}

bool promptfile_write(struct slice about, struct slice content, struct buf *out)
{
    struct json_tape one, other;
    struct arena arena;
    struct fault why;
    struct writing w = {.arena = &arena, .out = out};
    json_init(&one);
    json_init(&other);
    arena_init(&arena);
    bool is_good = json_parse(&one, about, &why) && json_parse(&other, content, &why) &&
                   json_is(&one, 0, JSON_OBJECT) && json_is(&other, 0, JSON_OBJECT) && has_messages(&other);
    if (is_good) write_all(&w, &one, &other);
    arena_clear(&arena);
    json_clear(&one);
    json_clear(&other);
    return is_good;
}
