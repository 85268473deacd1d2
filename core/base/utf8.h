/*
 * Strict UTF-8 (RFC 3629): is this text valid, where does it stop being valid, where may it be cut.
 *
 *     if (!utf8_is_valid(text)) ...
 *     struct slice shown = utf8_cut(text, 200);      // never ends inside a character
 *
 * Overlong forms, surrogates and code points above U+10FFFF are not valid. Never repairs, never copies.
 */
#ifndef MOONGATE_BASE_UTF8_H
#define MOONGATE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

bool utf8_is_valid(struct slice s);
/* Bytes before the first one that begins no valid character; s.len when all of it is valid. */
size_t utf8_valid_len(struct slice s);
/* Length of the valid character at p, 1 to 4; 0 when there is none in the `left` bytes (at least 1). */
size_t utf8_char_len(const unsigned char *p, size_t left);
/* The longest prefix of at most max_bytes that does not end inside a character. s must be valid. */
struct slice utf8_cut(struct slice s, size_t max_bytes);
/* The code point that so many bytes spell, 1 to 4 by the first of them; what they are is checked by others. */
static inline uint32_t utf8_code_point(const unsigned char *p, size_t len)
{
    uint32_t c = len == 1 ? p[0] : p[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[i] & 0x3Fu);
    return c;
}
/* Writes a code point (no surrogate, at most U+10FFFF) and returns its 1 to 4 bytes. */
size_t utf8_write(char to[4], uint32_t code_point);

#endif
