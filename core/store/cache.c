#include "store/cache.h"

#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/list.h"
#include "base/mem.h"

#define ENTRY_OVERHEAD 64u /* what an entry weighs beside its bytes */

struct entry {
    struct entry *next; /* in its bucket */
    struct list_link used;
    uint64_t hash, until_ms;
    size_t key_len, value_len;
    char bytes[]; /* key, value */
};

struct cache {
    struct entry **buckets;
    size_t bucket_mask;
    struct list_link used; /* the one that was not asked for the longest first */
    size_t bytes, bytes_max, count, count_max;
    uint64_t seed;
};

struct cache *cache_new(size_t bytes_max, size_t entries_max)
{
    struct cache *cache = mem_zalloc(1, sizeof *cache);
    size_t buckets = 16;
    while (buckets < entries_max)
        buckets *= 2;
    cache->buckets = mem_zalloc(buckets, sizeof *cache->buckets);
    cache->bucket_mask = buckets - 1;
    cache->bytes_max = bytes_max;
    cache->count_max = entries_max;
    list_init(&cache->used);
    check(getrandom(&cache->seed, sizeof cache->seed, 0) == (ssize_t)sizeof cache->seed);
    return cache;
}

/* FNV-1a (Fowler, Noll, Vo), begun at a secret place and stirred at the end. */
static uint64_t hash_of(const struct cache *cache, struct slice key)
{
    uint64_t hash = 0xcbf29ce484222325ull ^ cache->seed;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * 0x100000001b3ull;
    hash ^= hash >> 29;
    return hash * 0x9e3779b97f4a7c15ull >> 16;
}

static size_t weight(const struct entry *e)
{
    return e->key_len + e->value_len + ENTRY_OVERHEAD;
}

static struct entry **find(struct cache *cache, uint64_t hash, struct slice key)
{
    struct entry **at = &cache->buckets[hash & cache->bucket_mask];
    while (*at && ((*at)->hash != hash || !slice_equal(slice_of((*at)->bytes, (*at)->key_len), key)))
        at = &(*at)->next;
    return at;
}

static void drop(struct cache *cache, struct entry **at)
{
    struct entry *e = *at;
    *at = e->next;
    list_remove(&e->used);
    cache->bytes -= weight(e);
    cache->count--;
    mem_free(e);
}

static void drop_oldest(struct cache *cache)
{
    struct entry *e = LIST_OWNER(cache->used.next, struct entry, used);
    drop(cache, find(cache, e->hash, slice_of(e->bytes, e->key_len)));
}

void cache_free(struct cache *cache)
{
    if (!cache) return;
    while (cache->count)
        drop_oldest(cache);
    mem_free(cache->buckets);
    mem_free(cache);
}

bool cache_set(struct cache *cache, struct slice key, struct slice value, uint64_t ttl_ms, uint64_t now_ms)
{
    uint64_t hash = hash_of(cache, key);
    struct entry **at = find(cache, hash, key);
    if (*at) drop(cache, at);
    if (ttl_ms == 0) return true;
    if (key.len + value.len + ENTRY_OVERHEAD > cache->bytes_max) return false;
    while (cache->count == cache->count_max || cache->bytes + key.len + value.len + ENTRY_OVERHEAD > cache->bytes_max)
        drop_oldest(cache);
    struct entry *e = mem_alloc(sizeof *e + key.len + value.len);
    *e = (struct entry){.hash = hash, .until_ms = now_ms + ttl_ms, .key_len = key.len, .value_len = value.len};
    if (key.len) memcpy(e->bytes, key.ptr, key.len);
    if (value.len) memcpy(e->bytes + key.len, value.ptr, value.len);
    e->next = cache->buckets[hash & cache->bucket_mask];
    cache->buckets[hash & cache->bucket_mask] = e;
    list_append(&cache->used, &e->used);
    cache->bytes += weight(e);
    cache->count++;
    return true;
}

struct slice cache_get(struct cache *cache, struct slice key, uint64_t now_ms)
{
    struct entry **at = find(cache, hash_of(cache, key), key), *e = *at;
    if (!e) return SLICE_NONE;
    if (now_ms >= e->until_ms) {
        drop(cache, at);
        return SLICE_NONE;
    }
    list_remove(&e->used);
    list_append(&cache->used, &e->used);
    return slice_of(e->bytes + e->key_len, e->value_len);
}

size_t cache_bytes(const struct cache *cache)
{
    return cache->bytes;
}

size_t cache_entries(const struct cache *cache)
{
    return cache->count;
}
