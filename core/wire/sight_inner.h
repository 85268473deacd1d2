/*
 * What the files of wire/sight share: which characters are seen otherwise than they stand, and what levels tell.
 */
#ifndef MOONGATE_WIRE_SIGHT_INNER_H
#define MOONGATE_WIRE_SIGHT_INNER_H

#include "wire/sight.h"

enum sight_kind {
    SIGHT_TEXT,
    SIGHT_STRUCTURE, /* of JSON: brackets, quotes, commas, blanks, true, false, null */
    SIGHT_NUMBER,    /* of JSON */
};

/* What a character is seen as: a byte of ASCII, nothing, or itself. */
#define SIGHT_NOTHING 0u
#define SIGHT_ITSELF 0xFFFFu
unsigned sight_fold(uint32_t code_point);

/* Bytes that characters may begin with which are no themselves. */
extern const unsigned char sight_lead[256];
static inline unsigned sight_char_len(unsigned char lead)
{
    return lead >= 0xF0 ? 4u : lead >= 0xE0 ? 3u : 2u;
}

/* The levels (sight_levels.c): one byte comes in, everything that is open ends. */
void sight_take(struct sight *s, unsigned level, struct sight_byte b);
void sight_close(struct sight *s, unsigned level);

/* What they tell (sight_seen.c). */
void sight_tell_run(struct sight *s, struct slice run, uint64_t raw);
void sight_tell(struct sight *s, struct sight_byte b, unsigned depth, enum sight_kind kind);
/* A character that will not come in full is what it is. */
void sight_flush_wide(struct sight *s);

enum sight_state {
    LEVEL_TEXT,
    LEVEL_OBJECT, /* behind a '{' that begins JSON if a string follows, or a '}' */
    LEVEL_ARRAY,  /* behind a '[' that begins JSON if a value follows */
    LEVEL_BARE,   /* in JSON, outside strings */
    LEVEL_TOKEN,  /* in a number or a word of it */
    LEVEL_STRING, /* in a string of it: the next level reads what it holds */
};

#endif
