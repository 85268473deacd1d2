#include "base/base64.h"

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
