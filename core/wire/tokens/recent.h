/*
 * Counts of short pieces seen lately: most of a text is the same few thousand words, and their counts are remembered
 * whole, byte for byte, so that the big tables are asked for the rest only.
 *
 *     struct recent_place *table = recent_tables[index];
 *     uint64_t last, first = recent_first(p, len, end, &last);   // 0 < len <= RECENT_BYTES_MAX, p + len <= end
 *     unsigned n = recent_find(table, first, last);              // 0: not remembered
 *     recent_keep(table, first, last, n);
 *
 * One table a vocabulary, of fixed size, for the process: it has one thread. A place holds two, and the newest takes
 * the older one's part. Whoever sends words that fall on one place makes them be counted anew,
 * never be counted wrongly.
 */
#ifndef MOONGATE_WIRE_TOKENS_RECENT_H
#define MOONGATE_WIRE_TOKENS_RECENT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "wire/tokens/vocabulary.h"

#define RECENT_BYTES_MAX 15u
#define RECENT_PLACES (LIMIT_TOKEN_RECENT / 2)

/* A piece's bytes as two words, filled up with zeros, and in the highest four bits its length: no two pieces have the
 * same. The four bits below those are the count's in an entry, and 0 in a key: a piece has no more tokens than bytes.
 * Two numbers and no struct, which the compiler would build in memory. */
#define RECENT_LEN_SHIFT 60
#define RECENT_COUNT_SHIFT 56
#define RECENT_COUNT ((uint64_t)0xF << RECENT_COUNT_SHIFT)

struct recent_entry {
    uint64_t first, last;
};

struct recent_place {
    struct recent_entry newer, older;
};

extern struct recent_place recent_tables[VOCABULARIES][RECENT_PLACES];

/* The first `len` of eight bytes. */
static inline uint64_t recent_word(const unsigned char *p, size_t len)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word & UINT64_MAX >> (64 - 8 * len);
}

static inline uint64_t recent_last(const unsigned char *p, size_t len)
{
    return (len > 8 ? recent_word(p + 8, len - 8) : 0) | (uint64_t)len << RECENT_LEN_SHIFT;
}

/* Where whole words would be read beyond the end. */
uint64_t recent_first_at_end(const unsigned char *p, size_t len, uint64_t *last);

static inline uint64_t recent_first(const unsigned char *p, size_t len, const unsigned char *end, uint64_t *last)
{
    if (end - p < 16) return recent_first_at_end(p, len, last);
    *last = recent_last(p, len);
    return recent_word(p, len < 8 ? len : 8);
}

/* Fibonacci hashing (Knuth, TAOCP 6.4). */
static inline size_t recent_at(uint64_t first, uint64_t last)
{
    return ((first ^ (last << 23 | last >> 41)) * 0x9E3779B97F4A7C15ull >> 32) % RECENT_PLACES;
}

static inline unsigned recent_count(const struct recent_entry *entry, uint64_t first, uint64_t last)
{
    uint64_t count = (entry->last ^ last) >> RECENT_COUNT_SHIFT;
    return entry->first == first && !((entry->last ^ last) & ~RECENT_COUNT) ? (unsigned)count : 0;
}

static inline unsigned recent_find(const struct recent_place *table, uint64_t first, uint64_t last)
{
    const struct recent_place *place = table + recent_at(first, last);
    unsigned count = recent_count(&place->newer, first, last);
    return count ? count : recent_count(&place->older, first, last);
}

static inline void recent_keep(struct recent_place *table, uint64_t first, uint64_t last, unsigned count)
{
    struct recent_place *place = table + recent_at(first, last);
    place->older = place->newer;
    place->newer = (struct recent_entry){first, last | (uint64_t)count << RECENT_COUNT_SHIFT};
}

#endif
