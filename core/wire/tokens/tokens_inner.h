/* What the rooms of this folder share: a vocabulary opened up, and its arrays. Private to core/wire/tokens. */
#ifndef MOONGATE_WIRE_TOKENS_INNER_H
#define MOONGATE_WIRE_TOKENS_INNER_H

#include <stddef.h>

#include "wire/tokens/pieces.h"
#include "wire/tokens/table.h"
#include "wire/tokens/vocabulary.h"

struct vocabulary {
    const char *name;
    unsigned index;
    const struct table_head *head;
    piece_end_fn piece_end;
};

static inline const uint64_t *vocabulary_array(const struct vocabulary *v, uint64_t at)
{
    return (const uint64_t *)(const void *)((const char *)v->head + at);
}

/* The id that two tokens merge to; TABLE_NONE: they do not. */
static inline uint32_t pairs_find(const uint64_t *pairs, uint64_t bits, uint32_t left, uint32_t right)
{
    uint64_t key = table_pair_key(left, right), word;
    uint32_t slot = table_pair_slot(key, bits), mask = (1u << bits) - 1;
    while ((word = pairs[slot]) != TABLE_PAIR_EMPTY) {
        if (word >> 18 == key) return (uint32_t)word & 0x3FFFF;
        slot = (slot + 1) & mask;
    }
    return TABLE_NONE;
}

#endif
