/*
 * A run of digits in groups, as cards, social security numbers and phone numbers are written, read once for all.
 *
 *     detect_run_prefix(v, at, &run);                 // what stands before the first digit
 *     detect_run_read(v, at, &run);                   // groups with one separator between two of them
 *     if (run.is_later) return FOUND_LATER;
 *
 * Never reads further than RUN_GROUPS groups or RUN_DIGITS digits, so that rows of numbers take no time.
 */
#ifndef MOONGATE_WIRE_DETECT_RUN_H
#define MOONGATE_WIRE_DETECT_RUN_H

#include "wire/detect_inner.h"

#define RUN_GROUPS 8u
#define RUN_DIGITS 20u
#define CARD_DIGITS_MIN 13u
#define CARD_DIGITS_MAX 19u
#define E164_DIGITS 15u /* ITU-T E.164, 6: country and number together */

enum separator { SEP_NONE, SEP_SPACE, SEP_HYPHEN, SEP_DOT, SEP_SLASH, SEP_PAREN };

struct group {
    size_t from, to;      /* its digits */
    unsigned total;       /* digits of the run up to its end */
    enum separator after; /* what joins it to the next group */
};

struct run {
    struct group groups[RUN_GROUPS];
    unsigned count;
    unsigned char digits[RUN_DIGITS];
    bool is_plus, is_open; /* a '+', a '(' right before it */
    bool is_tail, is_row;  /* digits stand before it, and a separator: a space for is_row, another for is_tail */
    bool is_column;        /* is_row, and those digits are four at least */
    bool is_later;         /* it may go on */
    size_t at, prefix;     /* the first digit, and how many of '+' and '(' go with it */
};

void detect_run_prefix(const struct view *v, size_t at, struct run *run);
void detect_run_read(const struct view *v, size_t at, struct run *run);
/* Where the candidate begins; what of its prefix belongs to an earlier hit does not count. */
size_t detect_run_start(const struct view *v, const struct run *run);
/* The kinds that a run may be. */
bool detect_card(const struct run *run, struct candidate *c);
bool detect_ssn(const struct run *run, struct candidate *c);
bool detect_phone(const struct view *v, const struct run *run, struct candidate *c);

static inline unsigned group_len(const struct run *run, unsigned i)
{
    return (unsigned)(run->groups[i].to - run->groups[i].from);
}

/* The first `count` groups are joined by `sep` and nothing else. */
static inline bool is_joined_by(const struct run *run, unsigned count, enum separator sep)
{
    for (unsigned i = 0; i + 1 < count; i++) {
        if (run->groups[i].after != sep) return false;
    }
    return true;
}

static inline bool has_lengths(const struct run *run, unsigned first, unsigned a, unsigned b, unsigned c)
{
    return run->count >= first + 3 && group_len(run, first) == a && group_len(run, first + 1) == b &&
           group_len(run, first + 2) == c;
}

static inline unsigned leading(const struct run *run, unsigned first, unsigned count)
{
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++)
        value = value * 10 + run->digits[first + i];
    return value;
}

#endif
