#include "store/cache.h"

#include "base/lru.h"
#include "base/mem.h"

/* Before the text of each value. */
struct head {
    uint64_t until_ms;
};

struct cache {
    struct lru *lru;
};

struct cache *cache_new(size_t bytes_max, size_t entries_max)
{
    struct cache *cache = mem_zalloc(1, sizeof *cache);
    cache->lru = lru_new(&(struct lru_rules){.entries_max = (uint32_t)entries_max, .bytes_max = bytes_max});
    return cache;
}

void cache_free(struct cache *cache)
{
    if (!cache) return;
    lru_free(cache->lru);
    mem_free(cache);
}

bool cache_set(struct cache *cache, struct slice key, struct slice value, uint64_t ttl_ms, uint64_t now_ms)
{
    if (ttl_ms == 0) {
        lru_remove(cache->lru, key);
        return true;
    }
    struct head *head = lru_put(cache->lru, key, sizeof *head + value.len);
    if (!head) return false;
    head->until_ms = now_ms + ttl_ms;
    if (value.len) memcpy(head + 1, value.ptr, value.len);
    return true;
}

struct slice cache_get(struct cache *cache, struct slice key, uint64_t now_ms)
{
    struct slice found = lru_get(cache->lru, key);
    const struct head *head = (const struct head *)found.ptr;
    if (!head) return SLICE_NONE;
    if (now_ms >= head->until_ms) {
        lru_remove(cache->lru, key);
        return SLICE_NONE;
    }
    return slice_of((const char *)(head + 1), found.len - sizeof *head);
}

size_t cache_bytes(const struct cache *cache)
{
    return lru_bytes(cache->lru);
}

size_t cache_entries(const struct cache *cache)
{
    return lru_count(cache->lru);
}
