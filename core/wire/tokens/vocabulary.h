/*
 * The vocabularies that are public, as tables in the binary's read-only data: nothing is read or built at start, and
 * all processes share the pages.
 *
 *     const struct vocabulary *v = vocabulary_find(SLICE("o200k_base"));   // NULL: none of that name
 *
 * Immutable, never freed. Names are those of OpenAI's tiktoken.
 */
#ifndef MOONGATE_WIRE_TOKENS_VOCABULARY_H
#define MOONGATE_WIRE_TOKENS_VOCABULARY_H

#include <stddef.h>

#include "base/slice.h"

#define VOCABULARIES 2

struct vocabulary;

const struct vocabulary *vocabulary_find(struct slice name);
const struct vocabulary *vocabulary_at(unsigned index); /* 0: o200k_base, 1: cl100k_base */
unsigned vocabulary_index(const struct vocabulary *v);
const char *vocabulary_name(const struct vocabulary *v);
size_t vocabulary_bytes(const struct vocabulary *v); /* of its tables */

#endif
