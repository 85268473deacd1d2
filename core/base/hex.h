/* Bytes as lower-case hexadecimal digits, and back. */
#ifndef MOONGATE_BASE_HEX_H
#define MOONGATE_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* What one digit of either case stands for; -1: it is none. */
static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Of four bytes that are digits, as behind a \u. */
static inline uint32_t hex_four(const char *digits)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 4 | (uint32_t)hex_digit(digits[i]);
    return value;
}

/* Writes 2 * len digits and a NUL. */
void hex_write(const uint8_t *bytes, size_t len, char *text);
/* Exactly 2 * len digits of either case; false otherwise. */
bool hex_read(struct slice text, uint8_t *bytes, size_t len);

#endif
