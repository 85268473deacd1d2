/* What policies keep: by name, for a time, within bounds, the least used going first. */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/cache.h"

static void set(struct cache *cache, const char *key, const char *value, uint64_t ttl_ms, uint64_t now_ms)
{
    EXPECT(cache_set(cache, slice_str(key), slice_str(value), ttl_ms, now_ms));
}

static void values_live_as_long_as_said(void)
{
    struct cache *cache = cache_new(1000, 10);
    EXPECT(!cache_get(cache, SLICE("a"), 0).ptr);
    set(cache, "a", "1", 100, 50);
    EXPECT_SLICE(SLICE("1"), cache_get(cache, SLICE("a"), 50));
    EXPECT_SLICE(SLICE("1"), cache_get(cache, SLICE("a"), 149));
    EXPECT(!cache_get(cache, SLICE("a"), 150).ptr);
    EXPECT_INT(0, cache_entries(cache));
    set(cache, "a", "2", 100, 200);
    set(cache, "a", "3", 100, 201);
    EXPECT_SLICE(SLICE("3"), cache_get(cache, SLICE("a"), 202));
    EXPECT_INT(1, cache_entries(cache));
    set(cache, "a", "", 0, 202);
    EXPECT(!cache_get(cache, SLICE("a"), 202).ptr);
    EXPECT_INT(0, cache_bytes(cache));
    cache_free(cache);
    cache_free(NULL);
}

static void the_least_used_goes_first(void)
{
    struct cache *cache = cache_new(10000, 3);
    set(cache, "a", "1", 100, 0);
    set(cache, "b", "2", 100, 0);
    set(cache, "c", "3", 100, 0);
    cache_get(cache, SLICE("a"), 1);
    set(cache, "d", "4", 100, 2);
    EXPECT(!cache_get(cache, SLICE("b"), 3).ptr);
    EXPECT_SLICE(SLICE("1"), cache_get(cache, SLICE("a"), 3));
    EXPECT_SLICE(SLICE("3"), cache_get(cache, SLICE("c"), 3));
    EXPECT_SLICE(SLICE("4"), cache_get(cache, SLICE("d"), 3));
    cache_free(cache);
}

static void bytes_are_bounded(void)
{
    struct cache *cache = cache_new(1000, 100);
    char big[2000] = {0}, key[16];
    EXPECT(cache_set(cache, SLICE("x"), slice_of(big, 900), 100, 0));
    EXPECT(!cache_set(cache, SLICE("x"), slice_of(big, sizeof big), 100, 0));
    EXPECT(!cache_get(cache, SLICE("x"), 1).ptr); /* not the old one either */
    for (int i = 0; i < 10000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        set(cache, key, "0123456789", 100, 0);
        if (cache_bytes(cache) > 1000) UNIT_FAIL("%zu bytes", cache_bytes(cache));
    }
    EXPECT_SLICE(SLICE("0123456789"), cache_get(cache, SLICE("k9999"), 1));
    EXPECT(cache_entries(cache) > 5 && cache_entries(cache) < 20);
    cache_free(cache);
}

/* Against a plain array. */
static void it_agrees_with_a_simple_one(void)
{
    struct cache *cache = cache_new(1u << 20, 1000);
    int until[50] = {0}, values[50] = {0};
    srand(7);
    for (int now = 1; now < 20000; now++) {
        int k = rand() % 50;
        char key[8], value[16];
        snprintf(key, sizeof key, "%d", k);
        struct slice got = cache_get(cache, slice_str(key), (uint64_t)now);
        snprintf(value, sizeof value, "%d", values[k]);
        if (now < until[k])
            EXPECT_SLICE(slice_str(value), got);
        else
            EXPECT(!got.ptr);
        if (rand() % 3) continue;
        values[k] = rand();
        until[k] = now + rand() % 200;
        snprintf(value, sizeof value, "%d", values[k]);
        set(cache, key, value, (uint64_t)(until[k] - now), (uint64_t)now);
    }
    cache_free(cache);
}

int main(void)
{
    RUN(values_live_as_long_as_said);
    RUN(the_least_used_goes_first);
    RUN(bytes_are_bounded);
    RUN(it_agrees_with_a_simple_one);
    return unit_close("cache");
}
