/*
 * The mock's language: deterministic text, and its token rule: a token is a run of bytes between white space (space,
 * tab, CR, LF), so usage can be recomputed by any test with a word count.
 *
 *     struct words w = words_of(words_seed(prompt), 16, SLICE_NONE);
 *     while (words_next(&w, &piece)) ...           "Amber", " stone", " river", …: joined they are the answer
 */
#ifndef MOONGATE_MOCK_WORDS_H
#define MOONGATE_MOCK_WORDS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct words {
    uint64_t seed, at, count;
    struct slice fixed; /* what is left of a given text; ptr NULL when words are made up */
};

uint64_t words_seed(struct slice prompt);
/* `count` words made up from the seed (UINT64_MAX: endless), or the first `count` of `fixed`, which is borrowed. */
struct words words_of(uint64_t seed, uint64_t count, struct slice fixed);
/* The next word with the white space before it; false at the end. */
bool words_next(struct words *w, struct slice *piece);
uint64_t words_count(struct slice text);

#endif
