/*
 * A bounded store of values by key that owns its memory: what was not asked for the longest goes first.
 *
 *     struct lru *lru = lru_new(&(struct lru_rules){.entries_max = 16384, .bytes_max = 16 * MIB});
 *     void *value = lru_put(lru, SLICE("prices/eur"), 4);       // to be filled; NULL: larger than all of it may be
 *     struct slice found = lru_get(lru, SLICE("prices/eur"));   // SLICE_NONE: never put, removed or pushed out
 *     lru_remove(lru, SLICE("prices/eur"));
 *     lru_free(lru);
 *
 * An entry weighs its key, its value and LRU_ENTRY_BYTES. Who keeps in values what must be given back names on_drop.
 * One thread. Time is the caller's: nothing expires by itself.
 */
#ifndef MOONGATE_BASE_LRU_H
#define MOONGATE_BASE_LRU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define LRU_ENTRY_BYTES 64u /* what an entry weighs beside its bytes */

struct lru;

struct lru_rules {
    uint32_t entries_max;
    size_t bytes_max;             /* 0: only the entries are bounded */
    void (*on_drop)(void *value); /* an entry goes, for whatever reason; NULL: nothing to do. It must not come back */
};

struct lru *lru_new(const struct lru_rules *rules);
void lru_free(struct lru *lru); /* NULL is welcome */
void lru_clear(struct lru *lru);
/* The value's bytes, borrowed until its entry goes, aligned for any type; the entry is the youngest now. */
struct slice lru_get(struct lru *lru, struct slice key);
/* The value's bytes as above, for the caller to fill at once. What that key had before is dropped in any case, so
 * the key must not be borrowed from there. */
void *lru_put(struct lru *lru, struct slice key, size_t value_len);
bool lru_remove(struct lru *lru, struct slice key);
uint32_t lru_count(const struct lru *lru);
size_t lru_bytes(const struct lru *lru);

#endif
