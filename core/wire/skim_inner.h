/*
 * Between the files of wire/skim: skim.c reads, skim_piece.c writes the pieces. No one else includes this.
 */
#ifndef MOONGATE_WIRE_SKIM_INNER_H
#define MOONGATE_WIRE_SKIM_INNER_H

#include "base/buf.h"
#include "base/limits.h"
#include "wire/skim.h"

#define SKIM_WORD_BYTES 64 /* of a number or a word; a longer one is null */

/* What the next byte is. */
enum place {
    OUTSIDE, /* of any object */
    BEFORE_KEY,
    IN_KEY,
    BEHIND_KEY,
    BEFORE_VALUE,
    IN_STRING,
    IN_ESCAPE, /* of a string; what there was of it is in `word` */
    IN_WORD,
    BEHIND_VALUE,
    TOO_DEEP, /* inside of a value that is left out */
    TOO_DEEP_STRING,
    TOO_DEEP_ESCAPE,
    BROKEN,
};

/* An open object or list. */
struct level {
    bool is_list, has_written; /* has_written: something of it stands in the piece */
    uint8_t key_len, index_len;
    char key[LIMIT_SKIM_KEY_BYTES]; /* of the member under way, as it was written */
    char index[SKIM_WORD_BYTES];    /* the object's number "index" */
    uint32_t count;                 /* of a list: elements that have begun */
};

struct skim {
    struct buf piece;
    enum place place;
    bool is_escape;     /* of a key: the byte before was a backslash */
    bool is_long_key;   /* and its name is left out */
    bool has_root;
    unsigned depth, deep; /* deep: levels below those that are kept */
    uint32_t half; /* the first half of a surrogate pair; 0: none */
    size_t word_len;
    char word[SKIM_WORD_BYTES];
    uint64_t fed_bytes, told_bytes;
    skim_fn fn; /* of the call under way */
    void *arg;
    struct level levels[LIMIT_JSON_DEPTH];
};

static inline struct level *skim_innermost(struct skim *s)
{
    return &s->levels[s->depth - 1];
}

/* Where a value of that level begins. */
void skim_write_place(struct skim *s, struct level *level);
/* All that is open is closed, and the piece told. */
void skim_tell(struct skim *s);
/* Inside of a text, between two characters. */
void skim_cut_text(struct skim *s);
/* Between two values. */
void skim_cut_if_long(struct skim *s);
/* Of a text: as it stands in JSON; a unit of UTF-16 that an escape gives; the end of what may be half a pair. */
void skim_write_plain(struct skim *s, struct slice plain);
void skim_write_unit(struct skim *s, uint32_t unit);
void skim_end_half(struct skim *s);

#endif
