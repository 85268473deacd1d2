#include "wire/translate/arguments.h"

#include <string.h>

#include "wire/json.h"

/* One character of the text inside. */
static void look(struct arguments *a, char c)
{
    a->has_any |= c != ' ' && c != '\t' && c != '\r' && c != '\n';
    if (a->is_escaped) {
        a->is_escaped = false;
    } else if (a->is_string) {
        a->is_escaped = c == '\\';
        a->is_string = c != '"';
    } else if (c == '"') {
        a->is_string = true;
    } else if (c == '{' || c == '[') {
        a->depth++;
    } else if ((c == '}' || c == ']') && a->depth) {
        a->is_over = --a->depth == 0;
    }
}

/* Of an escape only what could be one of JSON's own signs counts. */
static char escaped(const char *escape)
{
    static const char signs[] = "\"\\{}[]";
    unsigned value = 0;
    if (escape[1] != 'u') return escape[1] == '"' || escape[1] == '\\' ? escape[1] : ' ';
    for (int i = 2; i < 6; i++) {
        unsigned char c = (unsigned char)escape[i];
        value = value << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value && value < 128 && strchr(signs, (int)value) ? (char)value : 'x';
}

void arguments_add(struct arguments *a, struct slice text)
{
    if (!buf_len(&a->raw)) buf_append_char(&a->raw, '"');
    buf_append(&a->raw, text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\\') {
            look(a, text.ptr[i]);
            continue;
        }
        look(a, escaped(text.ptr + i));
        i += text.ptr[i + 1] == 'u' ? 5 : 1;
    }
}

bool arguments_read(const struct arguments *a, struct arena *arena, struct slice *json)
{
    *json = SLICE("{}");
    return !a->has_any || arguments_parse(arguments_text(a), arena, json);
}

bool arguments_parse(struct slice text, struct arena *arena, struct slice *json)
{
    struct json_tape tape;
    struct fault why;
    struct slice open = arena_join(arena, SLICE("\""), text);
    *json = json_decode(arena_join(arena, open, SLICE("\"")), arena);
    json_init(&tape);
    bool is_object = json_parse(&tape, *json, &why) && json_is(&tape, 0, JSON_OBJECT);
    json_clear(&tape);
    return is_object;
}

struct slice arguments_text(const struct arguments *a)
{
    struct slice raw = buf_slice(&a->raw);
    return raw.len ? slice_of(raw.ptr + 1, raw.len - 1) : SLICE_NONE;
}

void arguments_clear(struct arguments *a)
{
    buf_clear(&a->raw);
    *a = (struct arguments){0};
}
