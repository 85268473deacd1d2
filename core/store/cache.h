/*
 * What policies keep for later requests of the same worker: texts by name, for a time. Survives reloads of policies;
 * ends with the process.
 *
 *     struct cache *cache = cache_new(16 * MIB, 16384);
 *     cache_set(cache, SLICE("prices/eur"), SLICE("0.92"), 60000, loop_now_ms);
 *     struct slice value = cache_get(cache, SLICE("prices/eur"), now_ms);   // SLICE_NONE: never set, over, pushed out
 *     cache_free(cache);
 *
 * Bounded in bytes and entries: what was not asked for the longest goes first. Keys are hashed with a seed of the
 * process, so callers cannot choose keys that collide. One process, one thread.
 */
#ifndef MOONGATE_STORE_CACHE_H
#define MOONGATE_STORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct cache;

struct cache *cache_new(size_t bytes_max, size_t entries_max);
void cache_free(struct cache *cache); /* NULL is welcome */
/* Copies both. False: it is larger than the cache may be, and nothing is kept under that key. ttl_ms 0: it goes. */
bool cache_set(struct cache *cache, struct slice key, struct slice value, uint64_t ttl_ms, uint64_t now_ms);
/* Borrowed until the next call. */
struct slice cache_get(struct cache *cache, struct slice key, uint64_t now_ms);
size_t cache_bytes(const struct cache *cache);
size_t cache_entries(const struct cache *cache);

#endif
