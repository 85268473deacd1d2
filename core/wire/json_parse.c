#include "wire/json_inner.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/utf8.h"

#define FIRST_NODES 64u

typedef json_at bytes_at;

/* One run over the bytes. `key` is the member's key that was read and waits for its value. */
struct parser {
    bytes_at first, end;
    struct json_tape *tape;
    struct fault *why;
    uint32_t key, key_flags;
    uint32_t value; /* the node that was completed last */
    uint32_t depth;
    uint32_t open[LIMIT_JSON_DEPTH]; /* the containers around here, outermost first */
};

static inline bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bytes_at fail(struct parser *ps, bytes_at at, const char *expected)
{
    char found[24] = "the end";
    if (at < ps->end) {
        snprintf(found, sizeof found, *at > ' ' && *at < 0x7F ? "'%c'" : "byte 0x%02X", *at);
    }
    fault_set(ps->why, FAULT_BAD_JSON, "byte %zu: expected %s, found %s", (size_t)(at - ps->first), expected, found);
    return NULL;
}

static bytes_at fail_limit(struct parser *ps, bytes_at at, unsigned limit, const char *of_what)
{
    fault_set(ps->why, FAULT_BAD_JSON, "byte %zu: more than %u %s", (size_t)(at - ps->first), limit, of_what);
    return NULL;
}

static inline bytes_at skip_space(const struct parser *ps, bytes_at p)
{
    while (p < ps->end && is_space(*p))
        p++;
    return p;
}

/* p is behind "\u"; returns behind the four digits. */
static bytes_at scan_hex(struct parser *ps, bytes_at p, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, p++) {
        int digit = p < ps->end ? hex_digit((char)*p) : -1;
        if (digit < 0) return fail(ps, p, "four hexadecimal digits behind \\u");
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return p;
}

/* p is behind "\u". A surrogate counts only as the first half of a pair. */
static bytes_at scan_unicode(struct parser *ps, bytes_at p)
{
    uint32_t unit;
    bytes_at escape = p - 2, after = scan_hex(ps, p, &unit);
    if (!after || unit < 0xD800 || unit > 0xDFFF) return after;
    if (unit <= 0xDBFF && ps->end - after >= 2 && after[0] == '\\' && after[1] == 'u') {
        after = scan_hex(ps, after + 2, &unit);
        if (!after || (unit >= 0xDC00 && unit <= 0xDFFF)) return after;
    }
    return fail(ps, escape, "no lone surrogate");
}

/* p is at the backslash. */
static bytes_at scan_escape(struct parser *ps, bytes_at p)
{
    static const char expected[] = "one of \"\\/bfnrtu behind the backslash";
    if (++p == ps->end) return fail(ps, p, expected);
    switch (*p) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return p + 1;
    case 'u': return scan_unicode(ps, p + 1);
    }
    return fail(ps, p, expected);
}

/* p is at the opening quote; returns behind the closing one. Sets `flag` in *flags when there is an escape. */
static inline bytes_at scan_string(struct parser *ps, bytes_at p, uint32_t flag, uint32_t *flags)
{
    p++;
    for (;;) {
        p = json_skip_plain(p, ps->end);
        if (p == ps->end) return fail(ps, p, "a closing quote");
        if (*p == '"') return p + 1;
        if (*p != '\\') return fail(ps, p, "no control character in a string (write it as an escape)");
        *flags |= flag;
        if (!(p = scan_escape(ps, p))) return NULL;
    }
}

static bytes_at scan_digits(struct parser *ps, bytes_at p)
{
    if (p == ps->end || !is_digit(*p)) return fail(ps, p, "a digit");
    while (p < ps->end && is_digit(*p))
        p++;
    return p;
}

static bytes_at scan_number(struct parser *ps, bytes_at p)
{
    if (*p == '-') p++;
    bytes_at digits = p;
    if (!(p = scan_digits(ps, p))) return NULL;
    if (*digits == '0' && p - digits > 1) return fail(ps, digits + 1, "no digit behind a leading zero");
    if (p < ps->end && *p == '.' && !(p = scan_digits(ps, p + 1))) return NULL;
    if (p < ps->end && (*p | 0x20) == 'e') {
        p++;
        if (p < ps->end && (*p == '+' || *p == '-')) p++;
        return scan_digits(ps, p);
    }
    return p;
}

static bytes_at scan_word(struct parser *ps, bytes_at p, const char *word, const char *expected)
{
    size_t len = strlen(word);
    for (size_t i = 0; i < len; i++) {
        if (p + i == ps->end || p[i] != (unsigned char)word[i]) return fail(ps, p + i, expected);
    }
    return p + len;
}

/* p is where a key must begin; returns where its value must. */
static inline bytes_at scan_key(struct parser *ps, bytes_at p, const char *expected)
{
    if (p == ps->end || *p != '"') return fail(ps, p, expected);
    bytes_at quote = p;
    ps->key = (uint32_t)(p - ps->first);
    ps->key_flags = 0;
    if (!(p = scan_string(ps, p, JSON_KEY_ESCAPED, &ps->key_flags))) return NULL;
    if ((size_t)(p - quote) - 2 > LIMIT_JSON_KEY_BYTES)
        return fail_limit(ps, quote, LIMIT_JSON_KEY_BYTES, "bytes in a key");
    p = skip_space(ps, p);
    if (p == ps->end || *p != ':') return fail(ps, p, "':' behind the key");
    return skip_space(ps, p + 1);
}

static bool grow(struct parser *ps, bytes_at p)
{
    struct json_tape *tape = ps->tape;
    if (tape->count >= LIMIT_JSON_NODES) return fail_limit(ps, p, LIMIT_JSON_NODES, "values");
    uint32_t cap = tape->cap ? tape->cap * 2 : FIRST_NODES;
    struct json_node *nodes = mem_try_realloc(tape->nodes, cap * sizeof *nodes);
    if (!nodes) return fault_set(ps->why, FAULT_OUT_OF_MEMORY, "there is no memory to read so many values");
    tape->nodes = nodes;
    tape->cap = cap;
    return true;
}

static inline struct json_node *add_node(struct parser *ps, bytes_at p, enum json_type type)
{
    struct json_tape *tape = ps->tape;
    if (tape->count == tape->cap && !grow(ps, p)) return NULL;
    struct json_node *node = &tape->nodes[tape->count++];
    node->start = (uint32_t)(p - ps->first);
    node->end = node->start;
    node->key = ps->key;
    node->meta = (uint32_t)type | ps->key_flags;
    return node;
}

/* A value that holds no others. */
static inline bytes_at scan_scalar(struct parser *ps, bytes_at p, enum json_type type)
{
    struct json_node *node = add_node(ps, p, type);
    if (!node) return NULL;
    switch (type) {
    case JSON_STRING: p = scan_string(ps, p, JSON_VALUE_ESCAPED, &node->meta); break;
    case JSON_NUMBER: p = scan_number(ps, p); break;
    case JSON_TRUE: p = scan_word(ps, p, "true", "true"); break;
    case JSON_FALSE: p = scan_word(ps, p, "false", "false"); break;
    case JSON_NULL: p = scan_word(ps, p, "null", "null"); break;
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    if (p) node->end = (uint32_t)(p - ps->first);
    ps->value = ps->tape->count - 1;
    return p;
}

static inline void leave(struct parser *ps, bytes_at after)
{
    ps->value = ps->open[--ps->depth];
    struct json_node *node = &ps->tape->nodes[ps->value];
    node->end = (uint32_t)(after - ps->first);
    node->meta |= ps->tape->count << JSON_AFTER_SHIFT;
}

/* p is at the bracket; returns where the first element's value must begin, or behind an empty container, which is then
 * closed again: *is_empty. */
static bytes_at enter(struct parser *ps, bytes_at p, enum json_type type, bool *is_empty)
{
    if (ps->depth == LIMIT_JSON_DEPTH) return fail_limit(ps, p, LIMIT_JSON_DEPTH, "levels of arrays and objects");
    if (!add_node(ps, p, type)) return NULL;
    ps->open[ps->depth++] = ps->tape->count - 1;
    p = skip_space(ps, p + 1);
    *is_empty = p < ps->end && *p == (type == JSON_OBJECT ? '}' : ']');
    if (*is_empty) {
        leave(ps, p + 1);
        return p + 1;
    }
    if (type == JSON_OBJECT) return scan_key(ps, p, "a key or '}'");
    ps->key = JSON_NONE;
    ps->key_flags = 0;
    return p;
}

/* p is behind a value; closes what ends here. Returns where the next value must begin, or the end of the text with
 * depth 0. */
static inline bytes_at follow(struct parser *ps, bytes_at p)
{
    while (ps->depth > 0) {
        bool in_object = (ps->tape->nodes[ps->open[ps->depth - 1]].meta & JSON_TYPE_MASK) == JSON_OBJECT;
        p = skip_space(ps, p);
        if (p < ps->end && *p == ',') {
            p = skip_space(ps, p + 1);
            if (in_object) return scan_key(ps, p, "a key");
            ps->key = JSON_NONE;
            ps->key_flags = 0;
            return p;
        }
        if (p == ps->end || *p != (in_object ? '}' : ']')) return fail(ps, p, in_object ? "',' or '}'" : "',' or ']'");
        ps->tape->nodes[ps->value].meta |= JSON_LAST;
        leave(ps, ++p);
    }
    p = skip_space(ps, p);
    return p == ps->end ? p : fail(ps, p, "nothing behind the value");
}

static enum json_type type_of(struct parser *ps, bytes_at p)
{
    switch (p < ps->end ? *p : 0) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't': return JSON_TRUE;
    case 'f': return JSON_FALSE;
    case 'n': return JSON_NULL;
    }
    return JSON_NUMBER;
}

static bool run(struct parser *ps)
{
    bytes_at p = skip_space(ps, ps->first);
    do {
        enum json_type type = type_of(ps, p);
        if (type >= JSON_ARRAY) {
            bool is_empty;
            p = enter(ps, p, type, &is_empty);
            if (p && !is_empty) continue;
        } else if (type == JSON_NUMBER && (p == ps->end || (*p != '-' && !is_digit(*p)))) {
            p = fail(ps, p, "a value");
        } else {
            p = scan_scalar(ps, p, type);
        }
        if (p) p = follow(ps, p);
    } while (p && ps->depth > 0);
    return p != NULL;
}

bool json_parse(struct json_tape *tape, struct slice bytes, struct fault *why)
{
    struct parser ps = {.tape = tape, .why = why, .key = JSON_NONE};
    ps.first = (bytes_at)(bytes.ptr ? bytes.ptr : "");
    ps.end = ps.first + bytes.len;
    tape->bytes = (const char *)ps.first;
    tape->count = 0;
    if (bytes.len >= JSON_NONE) return fault_set(why, FAULT_BAD_JSON, "more than %u bytes", JSON_NONE - 1);
    size_t valid = utf8_valid_len(bytes);
    if (valid == bytes.len && run(&ps)) return true;
    if (valid < bytes.len) fail(&ps, ps.first + valid, "valid UTF-8");
    tape->count = 0;
    return false;
}
