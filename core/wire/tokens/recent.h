/*
 * Counts of short pieces seen lately: most of a text is the same few thousand words, and their counts are remembered
 * whole, byte for byte, so that the big tables are asked for the rest only.
 *
 *     struct recent_key key = recent_key(p, len);            // len <= RECENT_BYTES_MAX
 *     unsigned n = recent_find(index, key);                  // 0: not remembered
 *     recent_keep(index, key, n);
 *
 * One table a vocabulary, of fixed size, for the process: it has one thread. A newer piece takes an older one's place.
 */
#ifndef MOONGATE_WIRE_TOKENS_RECENT_H
#define MOONGATE_WIRE_TOKENS_RECENT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire/tokens/vocabulary.h"

#define RECENT_BYTES_MAX 16u
#define RECENT_BITS 13u

/* First and last eight bytes, which overlap in shorter pieces, and the length: no two pieces have the same. */
struct recent_key {
    uint64_t first, last;
    uint32_t len;
};

struct recent_entry {
    uint64_t first, last;
    uint32_t len, count; /* count 0: empty */
};

extern struct recent_entry recent_entries[VOCABULARIES][1u << RECENT_BITS];

static inline struct recent_key recent_key(const unsigned char *p, size_t len)
{
    struct recent_key key = {.len = (uint32_t)len};
    if (len >= 8) {
        memcpy(&key.first, p, 8);
        memcpy(&key.last, p + len - 8, 8);
    } else if (len >= 4) {
        memcpy(&key.first, p, 4);
        memcpy(&key.last, p + len - 4, 4);
    } else {
        memcpy(&key.first, p, 2); /* of one byte nobody asks */
        key.last = p[len - 1];
    }
    return key;
}

static inline struct recent_entry *recent_slot(unsigned vocabulary, struct recent_key key)
{
    uint64_t mixed = (key.first ^ (key.last << 23 | key.last >> 41) ^ key.len) * 0x9E3779B97F4A7C15ull;
    return &recent_entries[vocabulary][mixed >> (64 - RECENT_BITS)];
}

static inline unsigned recent_find(unsigned vocabulary, struct recent_key key)
{
    const struct recent_entry *e = recent_slot(vocabulary, key);
    return e->first == key.first && e->last == key.last && e->len == key.len ? e->count : 0;
}

static inline void recent_keep(unsigned vocabulary, struct recent_key key, unsigned count)
{
    *recent_slot(vocabulary, key) = (struct recent_entry){key.first, key.last, key.len, count};
}

#endif
