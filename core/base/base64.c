#include "base/base64.h"

/* Of the usual alphabet: six bits, or 64. */
static unsigned usual_bits_of(char c)
{
    if (c >= 'A' && c <= 'Z') return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z') return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9') return (unsigned)(c - '0') + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : 64;
}

static bool read_group(const char *text, size_t chars, uint8_t *bytes)
{
    uint32_t held = 0;
    for (size_t i = 0; i < 4; i++) {
        unsigned bits = i < chars ? usual_bits_of(text[i]) : 0;
        if (bits == 64) return false;
        held = held << 6 | bits;
    }
    for (size_t i = 0; i + 1 < chars; i++)
        bytes[i] = (uint8_t)(held >> (16 - 8 * i));
    return (held & ((1u << (8 * (4 - chars))) - 1)) == 0;
}

bool base64_read(struct slice text, uint8_t *bytes, size_t *len)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
        padding++;
    *len = 0;
    if (text.len % 4 != 0) return false;
    for (size_t at = 0; at < text.len; at += 4) {
        size_t chars = at + 4 == text.len ? 4 - padding : 4;
        if (!read_group(text.ptr + at, chars, bytes + *len)) return false;
        *len += chars - 1;
    }
    return true;
}

/* The six bits a character stands for, or 64. */
static unsigned bits_of(char c)
{
    if (c >= 'A' && c <= 'Z') return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z') return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9') return (unsigned)(c - '0') + 52;
    if (c == '-') return 62;
    return c == '_' ? 63 : 64;
}

bool base64url_read(struct slice text, uint8_t *bytes)
{
    uint32_t held = 0;
    unsigned count = 0; /* bits in `held` that are not yet written */
    if (text.len % 4 == 1) return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned bits = bits_of(text.ptr[i]);
        if (bits == 64) return false;
        held = held << 6 | bits;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        *bytes++ = (uint8_t)(held >> count);
        held &= (1u << count) - 1;
    }
    return held == 0;
}

void base64url_append(struct slice bytes, struct buf *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < left ? (uint8_t)bytes.ptr[i + k] : 0);
        for (size_t k = 0; k < left + 1; k++)
            buf_append_char(out, alphabet[bits >> (18 - 6 * k) & 63]);
    }
}
