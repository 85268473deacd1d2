#include "script.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    const char *name;
    size_t offset;
    int64_t value;
} numbers[] = {
#define X(name, value) {#name, offsetof(struct script, name), value},
    SCRIPT_NUMBERS(X)
#undef X
};

static const struct {
    const char *name;
    size_t offset;
} texts[] = {
#define X(name) {#name, offsetof(struct script, name)},
    SCRIPT_TEXTS(X)
#undef X
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NUMBER(s, i) (*(int64_t *)((char *)(s) + numbers[i].offset))
#define TEXT(s, i) (*(char **)((char *)(s) + texts[i].offset))

void script_init(struct script *s)
{
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < COUNT(numbers); i++)
        NUMBER(s, i) = numbers[i].value;
}

void script_clear(struct script *s)
{
    for (size_t i = 0; i < COUNT(texts); i++)
        mem_free(TEXT(s, i));
    script_init(s);
}

static void set_text(struct script *s, size_t i, struct slice value)
{
    mem_free(TEXT(s, i));
    TEXT(s, i) = mem_strndup(value.ptr, value.len);
    if (&TEXT(s, i) == &s->raw) s->raw_len = value.len;
}

void script_copy(struct script *to, const struct script *from)
{
    *to = *from;
    for (size_t i = 0; i < COUNT(texts); i++)
        TEXT(to, i) = NULL;
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *text = *(char *const *)((const char *)from + texts[i].offset);
        if (text) set_text(to, i, slice_of(text, text == from->raw ? from->raw_len : strlen(text)));
    }
}

static bool parse_number(struct slice text, int64_t *value)
{
    char copy[24], *end;
    if (slice_equal(text, SLICE("true"))) text = SLICE("1");
    if (slice_equal(text, SLICE("false"))) text = SLICE("0");
    if (text.len == 0 || text.len >= sizeof copy) return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *value = strtoll(copy, &end, 10);
    return *end == '\0';
}

static bool set(struct script *s, struct slice name, struct slice value, struct fault *why)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (!slice_equal(name, slice_str(numbers[i].name))) continue;
        if (parse_number(value, &NUMBER(s, i))) return true;
        return fault_set(why, FAULT_BAD_BODY, "%s wants a number, not \"%.*s\"", numbers[i].name, SLICE_FMT(value));
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (!slice_equal(name, slice_str(texts[i].name))) continue;
        set_text(s, i, value);
        return true;
    }
    return fault_set(why, FAULT_BAD_BODY, "no setting is called \"%.*s\"", SLICE_FMT(name));
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* In place; returns the new length. */
static size_t percent_decode(char *text, size_t len)
{
    size_t to = 0;
    for (size_t i = 0; i < len; i++) {
        bool is_escape = text[i] == '%' && i + 2 < len && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
        text[to++] = is_escape ? (char)(hex(text[i + 1]) * 16 + hex(text[i + 2])) : text[i] == '+' ? ' ' : text[i];
        if (is_escape) i += 2;
    }
    return to;
}

bool script_set_query(struct script *s, struct slice query, struct fault *why)
{
    bool is_good = true;
    while (query.len) {
        struct slice name, value, pair = slice_split(query, '&', &query);
        name = slice_split(pair, '=', &value);
        char *copy = mem_strndup(value.len ? value.ptr : "", value.len);
        if (!set(s, name, slice_of(copy, percent_decode(copy, value.len)), why)) is_good = false;
        mem_free(copy);
    }
    return is_good;
}

bool script_set_json(struct script *s, const json_t *object, struct fault *why)
{
    bool is_good = true;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        struct slice text;
        char number[24];
        if (json_is_string(value)) {
            text = slice_of(json_string_value(value), json_string_length(value));
        } else if (json_is_boolean(value)) {
            text = json_is_true(value) ? SLICE("1") : SLICE("0");
        } else {
            int len = snprintf(number, sizeof number, "%lld", (long long)json_number_value(value));
            text = slice_of(number, (size_t)len);
        }
        if (!set(s, slice_str(name), text, why)) is_good = false;
    }
    return is_good;
}

bool script_is(const char *setting, const char *value)
{
    return setting && strcmp(setting, value) == 0;
}
