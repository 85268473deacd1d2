/*
 * The automaton of a keyword list as keywords_build.c makes it and keywords.c runs it.
 *
 * A state stands for the set of beginnings of words that the text may be in the middle of. States are numbered so that
 * those at the end of a word come last; in the table a state is the offset of its row.
 */
#ifndef MOONGATE_WIRE_KEYWORDS_INNER_H
#define MOONGATE_WIRE_KEYWORDS_INNER_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/keywords.h"

#define NO_WORD UINT32_MAX
#define STOP_ROW UINT32_MAX

struct keyword_state {
    uint16_t depth;       /* of the longest beginning, in characters as the automaton sees them */
    uint32_t first, ends; /* the words that end here: ends[first] and so on, the longest first */
};

struct keyword_end {
    uint32_t word;
    uint16_t len;                 /* in characters as the automaton sees them */
    bool begins_word, ends_word;  /* no letter or digit may stand before it, behind it */
};

struct keywords {
    uint32_t subject;
    unsigned char classes[256]; /* of a byte; all white space is one */
    unsigned char quick[256];   /* the same, but what may begin blanks outside ASCII has the class stop */
    unsigned class_count, stop; /* stop is the last class; in the table it leads nowhere, to STOP_ROW */
    uint32_t *table;            /* the row of the next state, by row + class */
    struct keyword_state *states;
    uint32_t state_count, accepting; /* accepting: the first row whose state ends a word */
    struct keyword_end *ends;
    uint32_t end_count;
};

static inline bool keyword_is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Length of the white space outside ASCII at p, 0 when it is none: U+00A0, U+2000 to U+200A, U+202F, U+205F, U+3000. */
static inline size_t keyword_wide_space(const unsigned char *p, size_t left)
{
    if (left >= 2 && p[0] == 0xC2) return p[1] == 0xA0 ? 2 : 0;
    if (left < 3 || p[0] < 0xE2 || p[0] > 0xE3) return 0;
    if (p[0] == 0xE3) return p[1] == 0x80 && p[2] == 0x80 ? 3 : 0;
    if (p[1] == 0x80) return (p[2] >= 0x80 && p[2] <= 0x8A) || p[2] == 0xAF ? 3 : 0;
    return p[1] == 0x81 && p[2] == 0x9F ? 3 : 0;
}

/* Length of the character at p that shows nothing, 0 when it is none: U+00AD, U+200B to U+200F, U+202A to U+202E,
 * U+2060 to U+2069, U+FEFF, and the tags U+E0000 to U+E007F. */
static inline size_t keyword_invisible(const unsigned char *p, size_t left)
{
    if (left >= 2 && p[0] == 0xC2) return p[1] == 0xAD ? 2 : 0;
    if (left >= 4 && p[0] == 0xF3) return p[1] == 0xA0 && (p[2] == 0x80 || p[2] == 0x81) ? 4 : 0;
    if (left >= 3 && p[0] == 0xEF) return p[1] == 0xBB && p[2] == 0xBF ? 3 : 0;
    if (left < 3 || p[0] != 0xE2) return 0;
    if (p[1] == 0x80) return (p[2] >= 0x8B && p[2] <= 0x8F) || (p[2] >= 0xAA && p[2] <= 0xAE) ? 3 : 0;
    return p[1] == 0x81 && p[2] >= 0xA0 && p[2] <= 0xA9 ? 3 : 0;
}

#endif
