/* "Did you mean …?": the known word that a misspelt one most likely stands for. */
#ifndef MOONGATE_BASE_NEAREST_H
#define MOONGATE_BASE_NEAREST_H

#include <stddef.h>

#include "base/slice.h"

/* The word with the fewest edits (insert, delete, change, swap of neighbours), at most a third of the given one's
 * length and never fewer than one; NULL when none is that near. Words over 64 bytes are near to nothing. */
const char *nearest_word(struct slice word, const char *const *known, size_t count);

#endif
