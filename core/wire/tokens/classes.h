/*
 * The classes of code points that the pre-tokenizers tell apart, and how a text's next one is found.
 *
 *     size_t len;
 *     enum piece_class c = class_at(p, end, &len);   // CLASS_END, length 0, at the end
 *
 * The text must be valid UTF-8. Source: Unicode Character Database 16.0 (vocabulary/README.md).
 */
#ifndef MOONGATE_WIRE_TOKENS_CLASSES_H
#define MOONGATE_WIRE_TOKENS_CLASSES_H

#include <stddef.h>
#include <stdint.h>

#include "wire/tokens/table.h"

/* The order is that of the letters in vocabulary/make_tables.c. */
enum piece_class {
    CLASS_OTHER,
    CLASS_UPPER,  /* Lu Lt */
    CLASS_LOWER,  /* Ll */
    CLASS_LETTER, /* Lm Lo: no case */
    CLASS_MARK,
    CLASS_NUMBER,
    CLASS_SPACE, /* White_Space but for the next */
    CLASS_BREAK, /* CR LF */
    CLASS_END,
};

/* Of bytes below 0x80; CLASS_END, which no byte has, marks the others. */
extern const unsigned char class_of_byte[256];
/* The build's table: the index, then the pages. */
extern const unsigned char class_table[];

/* Of a character of two to four bytes. */
static inline enum piece_class class_of_multibyte(const unsigned char *p, size_t *len)
{
    uint32_t point;
    if (p[0] < 0xE0) {
        *len = 2;
        point = (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3Fu);
    } else if (p[0] < 0xF0) {
        *len = 3;
        point = (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3Fu);
    } else {
        *len = 4;
        point = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 |
                (p[3] & 0x3Fu);
    }
    size_t page = class_table[point / TABLE_CLASS_PAGE];
    return (enum piece_class)class_table[TABLE_CLASS_INDEX + page * TABLE_CLASS_PAGE + point % TABLE_CLASS_PAGE];
}

static inline enum piece_class class_at(const unsigned char *p, const unsigned char *end, size_t *len)
{
    if (p == end) {
        *len = 0;
        return CLASS_END;
    }
    enum piece_class c = (enum piece_class)class_of_byte[*p];
    *len = 1;
    return c != CLASS_END ? c : class_of_multibyte(p, len);
}

#endif
