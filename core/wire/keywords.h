/*
 * Finds many keywords, phrases and masks in text at once, in time that grows with the text and not with their number:
 * the lists of guards against prompt injection and of content rules.
 *
 *     struct keywords *k = keywords_new(words, count, KEYWORDS_WHOLE_WORDS, &why);     // once a policy generation
 *     struct detect_state at = {0};
 *     keywords_scan(k, &at, text, true, on_hit, job);           // hit->kind is the index in `words`
 *
 * ASCII letters match in either case, other bytes as they are; a run of white space (also a no-break space) is one
 * space, and what shows nothing (a soft hyphen, a zero-width space, a direction mark) is not there. In a word, '#' is
 * a digit, '@' an ASCII letter, and '\' makes the next character plain, as in masks of wire/detect.h. Hits are the
 * leftmost ones, of those the longest; they come in order and do not overlap.
 *
 * The contract for streams is that of detect_scan(): any cutting of a text gives the same hits, and no more than
 * LIMIT_DETECT_HOLD_BYTES are held. A phrase that white space stretches beyond that is none.
 *
 * One automaton over all words (Aho and Corasick, 1975), its table bounded by LIMIT_KEYWORDS_TABLE_BYTES. A struct
 * keywords never changes once made and may be shared. Never decodes JSON, never keeps text.
 */
#ifndef MOONGATE_WIRE_KEYWORDS_H
#define MOONGATE_WIRE_KEYWORDS_H

#include "wire/detect.h"

struct keywords;

/* Only between characters that are no letters and digits; see wire/detect.h for those of other alphabets. */
#define KEYWORDS_WHOLE_WORDS 1u

/* Nothing is borrowed. NULL, with a sentence in *why: an empty or overlong word, more than LIMIT_KEYWORDS, or a table
 * that would be over its bound. */
struct keywords *keywords_new(const struct slice *words, size_t count, unsigned flags, struct fault *why);
void keywords_free(struct keywords *k); /* NULL is welcome */
/* See detect_subject(). */
uint32_t keywords_subject(const struct keywords *k);

/* See detect_scan(); hit->kind is the index of the word, the first one where several are the same. */
size_t keywords_scan(const struct keywords *k, struct detect_state *at, struct slice text, bool is_last,
                     detect_hit_fn on_hit, void *arg);

#endif
