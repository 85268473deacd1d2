#include "wire/translate/halves.h"

#define NO_HALF SLICE("\\ufffd")

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The unit of an escape at the beginning; -1: there is none. */
static int unit(struct slice text)
{
    int value = 0;
    if (text.len < HALF_BYTES || text.ptr[0] != '\\' || text.ptr[1] != 'u') return -1;
    for (size_t i = 2; i < HALF_BYTES; i++) {
        int digit = hex(text.ptr[i]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

static bool is_first(int value)
{
    return value >= 0xD800 && value <= 0xDBFF;
}

static bool is_second(int value)
{
    return value >= 0xDC00 && value <= 0xDFFF;
}

static struct slice from(struct slice text, size_t at)
{
    return slice_of(text.ptr + at, text.len - at);
}

/* How many bytes the escape at the beginning has; of a half *is_half says so. */
static size_t escape_len(struct slice text, bool *is_half)
{
    int value = unit(text);
    if (value < 0) return text.len < 2 ? text.len : 2;
    if (is_first(value) && is_second(unit(from(text, HALF_BYTES)))) return 2 * HALF_BYTES;
    *is_half = is_first(value) || is_second(value);
    return HALF_BYTES;
}

bool halves_mend(struct slice json, struct buf *out)
{
    bool has_any = false;
    for (size_t at = 0, len; at < json.len; at += len) {
        const char *escape = memchr(json.ptr + at, '\\', json.len - at);
        size_t plain = escape ? (size_t)(escape - (json.ptr + at)) : json.len - at;
        bool is_half = false;
        buf_append(out, slice_of(json.ptr + at, plain));
        at += plain;
        len = escape_len(from(json, at), &is_half);
        buf_append(out, is_half ? NO_HALF : slice_of(json.ptr + at, len));
        has_any |= is_half;
    }
    return has_any;
}

bool halves_at_end(struct slice text)
{
    if (text.len < HALF_BYTES || !is_first(unit(from(text, text.len - HALF_BYTES)))) return false;
    size_t backslashes = 0, at = text.len - HALF_BYTES + 1;
    while (at > backslashes && text.ptr[at - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

bool halves_at_start(struct slice text)
{
    return is_second(unit(text));
}
