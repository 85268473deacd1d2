#include "wire/json.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "wire/json_inner.h"

#define NUMBER_BYTES 64 /* longer ones are rare enough for the heap */

void json_init(struct json_tape *tape)
{
    *tape = (struct json_tape){0};
}

void json_clear(struct json_tape *tape)
{
    mem_free(tape->nodes);
    json_init(tape);
}

size_t json_bytes(const struct json_tape *tape)
{
    return tape->cap * sizeof *tape->nodes;
}

static inline const struct json_node *node_at(const struct json_tape *tape, uint32_t node)
{
    check(node < tape->count);
    return &tape->nodes[node];
}

static inline enum json_type type_of(const struct json_node *node)
{
    return (enum json_type)(node->meta & JSON_TYPE_MASK);
}

static inline bool is_container(const struct json_node *node)
{
    return type_of(node) >= JSON_ARRAY;
}

enum json_type json_type(const struct json_tape *tape, uint32_t node)
{
    return type_of(node_at(tape, node));
}

bool json_is(const struct json_tape *tape, uint32_t node, enum json_type type)
{
    return node != JSON_NONE && json_type(tape, node) == type;
}

uint32_t json_after(const struct json_tape *tape, uint32_t node)
{
    const struct json_node *n = node_at(tape, node);
    return is_container(n) ? n->meta >> JSON_AFTER_SHIFT : node + 1;
}

uint32_t json_first(const struct json_tape *tape, uint32_t container)
{
    return json_after(tape, container) > container + 1 ? container + 1 : JSON_NONE;
}

uint32_t json_next(const struct json_tape *tape, uint32_t value)
{
    return value == 0 || node_at(tape, value)->meta & JSON_LAST ? JSON_NONE : json_after(tape, value);
}

uint32_t json_count(const struct json_tape *tape, uint32_t node)
{
    uint32_t count = 0, after = json_after(tape, node);
    if (!is_container(node_at(tape, node))) return 0;
    for (uint32_t n = node + 1; n < after; n = json_after(tape, n))
        count++;
    return count;
}

struct slice json_raw(const struct json_tape *tape, uint32_t node)
{
    if (node == JSON_NONE) return SLICE_NONE;
    const struct json_node *n = node_at(tape, node);
    return slice_of(tape->bytes + n->start, n->end - n->start);
}

static struct slice without_quotes(struct slice raw)
{
    return slice_of(raw.ptr + 1, raw.len - 2);
}

static struct slice key_of(const struct json_tape *tape, const struct json_node *n)
{
    uint32_t end = n->start;
    while (tape->bytes[end - 1] != '"')
        end--;
    return slice_of(tape->bytes + n->key, end - n->key);
}

struct slice json_key(const struct json_tape *tape, uint32_t value)
{
    const struct json_node *n = node_at(tape, value);
    return n->key == JSON_NONE ? SLICE_NONE : key_of(tape, n);
}

/* The character that the escape at *p (at its backslash) spells; *p moves behind it. The parser has seen it valid. */
static char short_escape(char c)
{
    static const char values[128] = {['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    char value = values[c & 0x7F]; /* the tape has checked that it is one */
    return value ? value : c;
}

static uint32_t read_escape(const char **p)
{
    char c = (*p)[1];
    *p += 2;
    if (c == 'u') {
        uint32_t unit = hex_four(*p);
        *p += 4;
        if (unit < 0xD800 || unit > 0xDBFF) return unit;
        uint32_t low = hex_four(*p + 2);
        *p += 6;
        return 0x10000 + ((unit - 0xD800) << 10 | (low - 0xDC00));
    }
    return (uint32_t)(unsigned char)short_escape(c);
}

/* An escape is never shorter than what it spells. */
static struct slice decode(struct slice inner, struct arena *arena)
{
    const char *p = inner.ptr, *end = inner.ptr + inner.len;
    char *text = arena_alloc(arena, inner.len + 1), *to = text;
    while (p < end) {
        const char *run = memchr(p, '\\', (size_t)(end - p));
        size_t len = (size_t)((run ? run : end) - p);
        memcpy(to, p, len);
        to += len;
        p += len;
        if (p == end) break;
        if (p[1] != 'u') { /* nearly always: a quote or the end of a line */
            *to++ = short_escape(p[1]);
            p += 2;
        } else {
            to += utf8_write(to, read_escape(&p));
        }
    }
    *to = '\0';
    return slice_of(text, (size_t)(to - text));
}

static bool decodes_to(struct slice inner, struct slice text)
{
    const char *p = inner.ptr, *end = inner.ptr + inner.len;
    size_t at = 0;
    while (p < end) {
        char bytes[4];
        size_t len = 1;
        if (*p == '\\') {
            len = utf8_write(bytes, read_escape(&p));
        } else {
            bytes[0] = *p++;
        }
        if (text.len - at < len || memcmp(text.ptr + at, bytes, len) != 0) return false;
        at += len;
    }
    return at == text.len;
}

struct slice json_key_text(const struct json_tape *tape, uint32_t value, struct arena *arena)
{
    struct slice key = json_key(tape, value);
    if (!key.ptr) return SLICE_NONE;
    key = without_quotes(key);
    return node_at(tape, value)->meta & JSON_KEY_ESCAPED ? decode(key, arena) : key;
}

/* By its beginning first: where the key ends is found backwards. */
static inline bool may_be_one_of(const struct json_tape *tape, const struct json_node *n, const struct json_keys *keys)
{
    if (n->meta & JSON_KEY_ESCAPED) return true;
    uint64_t lengths = keys->lengths[tape->bytes[n->key + 1] & 31];
    size_t len = lengths ? without_quotes(key_of(tape, n)).len : 64;
    return len < 64 && lengths >> len & 1;
}

uint32_t json_next_key(const struct json_tape *tape, uint32_t node, const struct json_keys *keys)
{
    const struct json_node *nodes = node_at(tape, 0);
    uint32_t after = json_after(tape, 0);
    for (node++; node < after; node++) {
        if (nodes[node].key != JSON_NONE && may_be_one_of(tape, &nodes[node], keys)) return node;
    }
    return JSON_NONE;
}

/* Of a member. */
static inline bool key_is(const struct json_tape *tape, const struct json_node *n, struct slice name)
{
    if (n->meta & JSON_KEY_ESCAPED) return decodes_to(without_quotes(key_of(tape, n)), name);
    /* A key's closing quote is the first one behind its text. */
    const char *key = tape->bytes + n->key + 1;
    return n->start - n->key > name.len + 1 && key[name.len] == '"' && memcmp(key, name.ptr, name.len) == 0;
}

bool json_key_is(const struct json_tape *tape, uint32_t value, struct slice name)
{
    const struct json_node *n = node_at(tape, value);
    return n->key != JSON_NONE && key_is(tape, n, name);
}

/* Among the members of an object from one on. Answers of providers are asked for a dozen names each. */
static uint32_t find(const struct json_tape *tape, uint32_t from, uint32_t after, struct slice name)
{
    check(after <= tape->count);
    for (uint32_t at = from; at < after;) {
        const struct json_node *n = &tape->nodes[at];
        if (key_is(tape, n, name)) return at;
        at = is_container(n) ? n->meta >> JSON_AFTER_SHIFT : at + 1;
    }
    return JSON_NONE;
}

uint32_t json_get(const struct json_tape *tape, uint32_t object, struct slice name)
{
    if (!json_is(tape, object, JSON_OBJECT)) return JSON_NONE;
    return find(tape, object + 1, json_after(tape, object), name);
}

uint32_t json_get_behind(const struct json_tape *tape, uint32_t object, uint32_t member, struct slice name)
{
    return find(tape, json_after(tape, member), json_after(tape, object), name);
}

bool json_has_duplicate(const struct json_tape *tape, uint32_t object, struct slice name)
{
    uint32_t first = json_get(tape, object, name);
    return first != JSON_NONE && json_get_behind(tape, object, first, name) != JSON_NONE;
}

struct slice json_text(const struct json_tape *tape, uint32_t string, struct arena *arena)
{
    const struct json_node *n = node_at(tape, string);
    check(type_of(n) == JSON_STRING);
    struct slice inner = without_quotes(json_raw(tape, string));
    return n->meta & JSON_VALUE_ESCAPED ? decode(inner, arena) : inner;
}

struct slice json_decode(struct slice raw, struct arena *arena)
{
    struct slice inner = without_quotes(raw);
    return memchr(inner.ptr, '\\', inner.len) ? decode(inner, arena) : inner;
}

bool json_text_piece(const struct json_tape *tape, uint32_t string, size_t *at, size_t max, struct buf *out,
                     struct slice *piece)
{
    struct slice inner = without_quotes(json_raw(tape, string));
    const char *p = inner.ptr + *at, *end = inner.ptr + inner.len;
    const char *stop = (size_t)(end - p) > max ? p + max : end;
    if (p == end) return false;
    if (!(node_at(tape, string)->meta & JSON_VALUE_ESCAPED)) {
        *piece = slice_of(p, (size_t)(stop - p));
        *at += piece->len;
        return true;
    }
    buf_reset(out);
    buf_reserve(out, (size_t)(stop - p)); /* decoded it is shorter */
    while (p < stop) {
        const char *run = memchr(p, '\\', (size_t)(stop - p));
        buf_append(out, slice_of(p, (size_t)((run ? run : stop) - p)));
        p = run ? run : stop;
        if (p < stop) buf_grew(out, utf8_write(buf_reserve(out, 4), read_escape(&p)));
    }
    *at = (size_t)(p - inner.ptr);
    *piece = buf_slice(out);
    return true;
}

bool json_text_is(const struct json_tape *tape, uint32_t node, struct slice text)
{
    if (!json_is(tape, node, JSON_STRING)) return false;
    struct slice inner = without_quotes(json_raw(tape, node));
    return node_at(tape, node)->meta & JSON_VALUE_ESCAPED ? decodes_to(inner, text) : slice_equal(inner, text);
}

bool json_to_i64(const struct json_tape *tape, uint32_t number, int64_t *value)
{
    struct slice raw = json_raw(tape, number);
    check(json_type(tape, number) == JSON_NUMBER);
    bool is_negative = raw.ptr[0] == '-';
    int64_t sum = 0;
    for (size_t i = is_negative; i < raw.len; i++) {
        int digit = raw.ptr[i] - '0';
        if (digit < 0 || digit > 9) return false;
        if (__builtin_mul_overflow(sum, 10, &sum)) return false;
        if (__builtin_add_overflow(sum, is_negative ? -digit : digit, &sum)) return false;
    }
    *value = sum;
    return true;
}

bool json_to_bytes(const struct json_tape *tape, uint32_t node, uint8_t *bytes, size_t len)
{
    struct slice raw = json_raw(tape, node);
    return json_is(tape, node, JSON_STRING) && raw.len == 2 * len + 2 &&
           hex_read(slice_of(raw.ptr + 1, 2 * len), bytes, len);
}

double json_to_double(const struct json_tape *tape, uint32_t number)
{
    struct slice raw = json_raw(tape, number);
    check(json_type(tape, number) == JSON_NUMBER);
    char small[NUMBER_BYTES];
    char *text = raw.len < sizeof small ? small : mem_alloc(raw.len + 1);
    memcpy(text, raw.ptr, raw.len);
    text[raw.len] = '\0';
    double value = strtod(text, NULL);
    if (text != small) mem_free(text);
    return value;
}
