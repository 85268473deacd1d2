/*
 * A text as who reads it sees it, and where in the text each of it stands: for all who scan texts (detectors, keywords,
 * placeholders), so that no spelling hides anything from them.
 *
 *     if (!sight_is_other(text)) ... it is seen as it stands: scan it ...
 *
 *     struct sight s;
 *     sight_init(&s);
 *     sight_feed(&s, piece);                              // pieces cut anywhere, even inside characters and escapes
 *     sight_flush(&s);                                    // nothing more comes: what was open stands as it is written
 *     ... scan sight_from(&s, at); of a hit: sight_next_part(&s, &from, to, &part): its places in the text ...
 *     sight_forget(&s, at);                               // nobody asks for what is seen before
 *     sight_clear(&s);
 *
 * Undone are
 *   - the escapes of JSON that stands in the text, as a whole or with other text around it: an object or array, as far
 *     as it is well-formed, whose strings may hold JSON again, LIMIT_SIGHT_LEVELS deep. Of what is deeper, is_too_deep
 *     says that it was not seen;
 *   - \uXXXX anywhere. Other escapes outside JSON are read as they stand: "C:\new" is a folder. That a letter behind a
 *     backslash may be one is told by the detectors (detect_is_word_before);
 *   - lookalikes: decimal digits of all alphabets, full-width and mathematical letters and digits, full-width
 *     @ . - + / _ ( ) [ ], true hyphens; and what shows nothing (zero-width, direction marks, soft hyphen, variation
 *     selectors) is not there.
 *
 * Offsets count from the text's start: `seen` ones in what is seen, `raw` ones in the text. Keeps what is seen from the
 * last forgotten place on, and a few bytes more; takes time in proportion to the text.
 */
#ifndef MOONGATE_WIRE_SIGHT_H
#define MOONGATE_WIRE_SIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/slice.h"

#define SIGHT_TOKEN_BYTES 48u
#define SIGHT_ESCAPE_BYTES 12u

/* A byte on its way, and what of the text it stands for. */
struct sight_byte {
    unsigned char byte;
    uint64_t from, to;
};

/* One level of JSON in strings; the text itself is the first. */
struct sight_level {
    unsigned char state;
    bool is_value; /* outside strings: a value begins here, if anything does */
    unsigned char escape_len;
    char escape[SIGHT_ESCAPE_BYTES]; /* an escape that is not over */
    uint32_t depth;                  /* open brackets */
    uint64_t from, middle, to;       /* of the escape in the text; middle: where its second half begins */
};

/* A run of what is seen, of one kind. */
struct sight_span {
    uint64_t seen, raw;   /* where it begins */
    uint32_t raw_len;     /* 0: byte for byte; else all of it stands for that many bytes */
    unsigned char depth;  /* how many strings of JSON it stands in */
    unsigned char kind;
};

struct sight {
    struct sight_level levels[LIMIT_SIGHT_LEVELS];
    unsigned innermost;
    struct sight_byte token[SIGHT_TOKEN_BYTES]; /* a number or word of JSON that is not over */
    unsigned token_len;
    struct sight_byte wide[4]; /* a character that has not come in full */
    unsigned wide_len;
    struct buf seen;
    uint64_t begun;   /* of the first byte in seen */
    uint64_t fed;     /* raw */
    uint64_t told_to; /* raw: before it, all is told */
    struct sight_span *spans;
    uint32_t span_count, span_cap;
    bool is_too_deep;
};

/* Whether anything in the text is seen otherwise than it stands. */
bool sight_is_other(struct slice text);

void sight_init(struct sight *s);
void sight_clear(struct sight *s);
void sight_feed(struct sight *s, struct slice piece);
void sight_flush(struct sight *s);
/* What is fed next begins a text of its own, though offsets go on. After a flush. */
void sight_restart(struct sight *s);

/* Offset behind all that is seen so far. */
static inline uint64_t sight_end(const struct sight *s)
{
    return s->begun + buf_len(&s->seen);
}
struct slice sight_from(const struct sight *s, uint64_t seen);
/* Where in the text what is seen there begins; for sight_end(), what is not told yet. */
uint64_t sight_raw(const struct sight *s, uint64_t seen);
void sight_forget(struct sight *s, uint64_t seen);

/* A run of the text that may be replaced as one. */
struct sight_part {
    uint64_t from, to; /* raw */
    unsigned depth;    /* how many strings of JSON it stands in */
    bool is_number;    /* of JSON, outside its strings: what replaces it is a string with its quotes */
};

/* The next part of what is seen in [*from, to), and *from moves behind it; false at the end. Brackets, quotes and
 * commas of JSON are in no part: whatever takes the place of the parts, JSON stays JSON. */
bool sight_next_part(const struct sight *s, uint64_t *from, uint64_t to, struct sight_part *part);

/* All of it as one, whatever it is: for what is no value of JSON's, as placeholders are. from < to. */
struct sight_part sight_place(const struct sight *s, uint64_t from, uint64_t to);

/* Appends the text of such a part: its escapes undone, nothing else. */
void sight_read(struct slice raw, unsigned depth, struct buf *out);
/* Appends a text as it is written where the part stands. */
void sight_write(struct slice text, unsigned depth, bool is_number, struct buf *out);

#endif
