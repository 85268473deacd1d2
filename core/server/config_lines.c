/* Fields that are lists, kept as one text of lines: headers, names of headers, origins. */
#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "server/config_reader.h"
#include "wire/http.h"

/* ---- Which headers there may be. */

/* The framing of a message, and what the gateway says itself. */
static bool is_ours(struct slice name)
{
    static const struct slice names[] = {
        {"accept-encoding", 15}, {"connection", 10}, {"content-encoding", 16}, {"content-length", 14},
        {"content-type", 12},    {"expect", 6},      {"host", 4},              {"keep-alive", 10},
        {"te", 2},               {"trailer", 7},     {"transfer-encoding", 17}, {"upgrade", 7}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_iequal(name, names[i])) return true;
    }
    return name.len > 11 && slice_iequal(slice_of(name.ptr, 11), SLICE("x-moongate-"));
}

static bool check_name(struct config_reader *r, struct slice path, struct slice name)
{
    if (!http_is_token(name))
        return config_bad(r, path, FINDING_BAD_VALUE, "write it as \"X-Title\"", "`%.*s` is not a header's name",
                          SLICE_FMT(name));
    if (is_ours(name))
        return config_bad(r, path, FINDING_BAD_VALUE, "leave it out", "`%.*s` must not be set here: the gateway does",
                          SLICE_FMT(name));
    return true;
}

/* ---- headers = { ["X-Title"] = "Helpdesk", ["X-Token"] = env "TOKEN" } */

static bool add_header(struct config_reader *r, struct slice path, const char *name, const json_t *value,
                       struct buf *lines)
{
    struct slice text;
    if (!check_name(r, path, slice_str(name)) || !config_read_secret(r, path, value, &text)) return false;
    if (!http_is_field_value(text) || text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ')
        return config_bad(r, path, FINDING_BAD_VALUE, NULL,
                          "a header's value must not have line ends, or blanks around it");
    buf_printf(lines, "%c%s:%.*s\n", json_is_string(value) ? '+' : '-', name, SLICE_FMT(text));
    return true;
}

static bool has_twin(json_t *table, const char *name)
{
    const char *other;
    json_t *value;
    json_object_foreach(table, other, value)
    {
        if (strcmp(other, name) != 0 && slice_iequal(slice_str(other), slice_str(name))) return true;
    }
    return false;
}

bool config_read_headers(struct config_reader *r, struct slice path, const json_t *given, struct slice *out)
{
    json_t *table = (json_t *)(uintptr_t)given; /* jansson's walk takes no const */
    struct buf lines;
    const char *name;
    json_t *value;
    bool is_good = config_is_table(r, path, given);
    if (is_good && json_object_size(given) > LIMIT_PROVIDER_HEADERS)
        is_good =
            config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be no more than %u headers", LIMIT_PROVIDER_HEADERS);
    if (!is_good) return false;
    buf_init(&lines);
    json_object_foreach(table, name, value)
    {
        struct slice place = config_join(r, path, name);
        if (has_twin(table, name))
            is_good = config_bad(r, place, FINDING_BAD_VALUE, NULL,
                                 "is named twice: another case of letters makes no other header");
        is_good = add_header(r, place, name, value, &lines) && is_good;
    }
    if (is_good) *out = arena_copy(r->arena, buf_slice(&lines));
    if (buf_len(&lines)) explicit_bzero(buf_ptr(&lines), buf_len(&lines));
    buf_clear(&lines);
    return is_good;
}

/* ---- Lists of texts. */

bool config_read_lines(struct config_reader *r, struct slice path, const json_t *list, size_t max,
                       config_line_fn check, struct slice *out)
{
    struct buf lines;
    size_t count = json_array_size(list);
    bool is_empty = json_is_object(list) && json_object_size(list) == 0; /* Lua's {} */
    if (!json_is_array(list) && !is_empty)
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be a list of texts, not %s", config_type_name(list));
    if (count > max) return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be no more than %zu", max);
    buf_init(&lines);
    bool is_good = true;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        struct slice line = slice_of(json_string_value(item), json_string_length(item));
        if (!json_is_string(item))
            is_good = config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be a list of texts; number %zu is %s", i + 1,
                                 config_type_name(item));
        else
            is_good = check(r, path, line) && is_good;
        if (i) buf_append_char(&lines, '\n');
        buf_append(&lines, line);
    }
    if (is_good) *out = arena_copy(r->arena, buf_slice(&lines));
    buf_clear(&lines);
    return is_good;
}

static bool check_passed(struct config_reader *r, struct slice path, struct slice name)
{
    if (!check_name(r, path, name)) return false;
    if (!http_is_credential(name)) return true;
    return config_bad(r, path, FINDING_BAD_VALUE, "the account's own go into `key` and `headers`",
                      "`%.*s` holds callers' credentials, which go to no provider", SLICE_FMT(name));
}

bool config_read_header_names(struct config_reader *r, struct slice path, const json_t *list, struct slice *out)
{
    return config_read_lines(r, path, list, LIMIT_PROVIDER_HEADERS, check_passed, out);
}

/* As browsers send it (RFC 6454 7): scheme, host and port, in small letters. */
static bool check_origin(struct config_reader *r, struct slice path, struct slice origin)
{
    static const char hint[] = "write { \"https://app.example.com\" }, or { \"*\" } for all pages";
    if (slice_equal(origin, SLICE("*"))) return true;
    struct slice plain = settings_origin(origin);
    if (plain.ptr && plain.len == origin.len && http_is_field_value(origin)) return true;
    return config_bad(r, path, FINDING_BAD_VALUE, hint,
                      "`%.*s` is not an origin: scheme, host and port, without a path", SLICE_FMT(origin));
}

bool config_read_origins(struct config_reader *r, struct slice path, const json_t *list, struct slice *out)
{
    return config_read_lines(r, path, list, LIMIT_CORS_ORIGINS, check_origin, out);
}

/* ---- command = { "/usr/local/bin/page", "--now" } */

static bool check_command_word(struct config_reader *r, struct slice path, struct slice word)
{
    if (word.len && !memchr(word.ptr, '\n', word.len) && !memchr(word.ptr, '\0', word.len)) return true;
    return config_bad(r, path, FINDING_BAD_VALUE, NULL, "a word of a command is neither empty nor has line ends");
}

bool config_read_command(struct config_reader *r, struct slice path, const json_t *list, struct slice *out)
{
    struct slice lines = SLICE_NONE;
    if (json_is_string(list))
        return config_bad(r, path, FINDING_BAD_VALUE, "write { \"/usr/local/bin/page\", \"--now\" }",
                          "a program and its arguments are a list, no shell reads them");
    if (!config_read_lines(r, path, list, LIMIT_SINK_COMMAND_WORDS, check_command_word, &lines)) return false;
    if (lines.len == 0 || lines.ptr[0] != '/')
        return config_bad(r, path, FINDING_BAD_VALUE, "write { \"/usr/local/bin/page\" }",
                          "begins with the absolute path of a program");
    *out = lines;
    return true;
}
