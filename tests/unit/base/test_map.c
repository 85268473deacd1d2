/* The table and the store on top of it, both against plain arrays that are searched from end to end. */
#include "../unit.h"

#include <stdlib.h>

#include "base/lru.h"
#include "base/map.h"
#include "base/mem.h"

#define KEYS 400u

/* ---- map */

/* Keys of all lengths from 0 on, with bytes that text would not have. */
struct keys {
    char bytes[KEYS][KEYS / 8 + 8];
    size_t len[KEYS];
};

static struct slice key_of(const void *owner, uint32_t item)
{
    const struct keys *keys = owner;
    return slice_of(keys->bytes[item], keys->len[item]);
}

static void make_keys(struct keys *keys)
{
    memset(keys, 0, sizeof *keys);
    for (uint32_t i = 1; i < KEYS; i++) {
        keys->len[i] = 4 + i / 8;
        memcpy(keys->bytes[i] + i / 8, &i, sizeof i);
    }
}

static void expect_same(const struct map *map, const struct keys *keys, const bool *is_in, uint32_t count)
{
    EXPECT_INT(count, map->count);
    for (uint32_t i = 0; i < KEYS; i++) {
        uint32_t item = UINT32_MAX;
        bool is_found = map_find(map, key_of(keys, i), &item);
        if (is_found != is_in[i] || (is_found && item != i)) UNIT_FAIL("key %u: %d, %u", i, is_found, item);
    }
}

static void a_map_agrees_with_an_array(void)
{
    static struct keys keys;
    bool is_in[KEYS] = {false};
    struct map map;
    uint32_t count = 0;
    srand(11);
    make_keys(&keys);
    map_init(&map, key_of, &keys);
    for (int round = 0; round < 40000; round++) {
        /* Fuller and emptier by turns, so that it grows, and runs of full slots come together and fall apart. */
        uint32_t i = (uint32_t)rand() % KEYS;
        bool adds = rand() % 100 < (round / 5000 % 2 ? 30 : 70);
        if (adds && !is_in[i]) {
            map_add(&map, i);
            is_in[i] = true;
            count++;
        } else if (!adds) {
            EXPECT(map_remove(&map, key_of(&keys, i)) == is_in[i]);
            count -= is_in[i];
            is_in[i] = false;
        }
        if (round % 97 == 0) expect_same(&map, &keys, is_in, count);
    }
    expect_same(&map, &keys, is_in, count);
    map_clear(&map);
    EXPECT_INT(0, map.count);
    memset(is_in, 0, sizeof is_in);
    expect_same(&map, &keys, is_in, 0);
    map_add(&map, 3);
    is_in[3] = true;
    expect_same(&map, &keys, is_in, 1);
    map_clear(&map);
}

static struct slice number_key(const void *owner, uint32_t item)
{
    return slice_of((const char *)((const uint64_t *)owner + item), sizeof(uint64_t));
}

/* So many that some share all 32 bits of hash that a slot keeps: then the keys themselves decide. */
static void many_keys_are_told_apart(void)
{
    enum { COUNT = 300000 };
    uint64_t *keys = mem_alloc(COUNT * sizeof *keys);
    struct map map;
    unsigned wrong = 0;
    map_init(&map, number_key, keys);
    for (uint32_t i = 0; i < COUNT; i++) {
        keys[i] = i;
        map_add(&map, i);
    }
    EXPECT_INT(COUNT, map.count);
    EXPECT(map.slot_count >= COUNT && map.slot_count <= 4 * (unsigned)COUNT);
    for (uint64_t key = 0; key < 2 * COUNT; key++) {
        uint32_t item = UINT32_MAX;
        bool is_found = map_find(&map, slice_of((const char *)&key, sizeof key), &item);
        wrong += is_found != (key < COUNT) || (is_found && item != key);
    }
    EXPECT_INT(0, wrong);
    map_clear(&map);
    mem_free(keys);
}

/* ---- lru */

static unsigned dropped;

static void on_drop(void *value)
{
    (void)value;
    dropped++;
}

static bool put(struct lru *lru, const char *key, const char *value)
{
    void *to = lru_put(lru, slice_str(key), strlen(value));
    if (to) memcpy(to, value, strlen(value));
    return to != NULL;
}

static void the_one_not_asked_for_the_longest_goes_first(void)
{
    dropped = 0;
    struct lru *lru = lru_new(&(struct lru_rules){.entries_max = 3, .on_drop = on_drop});
    EXPECT(put(lru, "a", "1") && put(lru, "b", "2") && put(lru, "c", "3"));
    EXPECT_SLICE(SLICE("1"), lru_get(lru, SLICE("a")));
    EXPECT(put(lru, "d", "4"));
    EXPECT(!lru_get(lru, SLICE("b")).ptr);
    EXPECT_INT(1, dropped);
    EXPECT(put(lru, "c", "33")); /* put anew, it is the youngest */
    EXPECT_INT(2, dropped);
    EXPECT(put(lru, "e", "5") && put(lru, "f", "6"));
    EXPECT(!lru_get(lru, SLICE("a")).ptr && !lru_get(lru, SLICE("d")).ptr);
    EXPECT_SLICE(SLICE("33"), lru_get(lru, SLICE("c")));
    EXPECT(lru_remove(lru, SLICE("e")) && !lru_remove(lru, SLICE("e")));
    EXPECT_INT(2, lru_count(lru));
    lru_clear(lru);
    EXPECT_INT(0, lru_count(lru));
    EXPECT_INT(0, lru_bytes(lru));
    EXPECT_INT(7, dropped);
    EXPECT(put(lru, "", ""));
    EXPECT(lru_get(lru, SLICE("")).ptr && lru_get(lru, SLICE("")).len == 0);
    lru_free(lru);
    EXPECT_INT(8, dropped);
    lru_free(NULL);
}

static void what_is_too_large_is_not_kept(void)
{
    char big[2000] = {0};
    struct lru *lru = lru_new(&(struct lru_rules){.entries_max = 100, .bytes_max = 1000});
    EXPECT(put(lru, "x", "old") && put(lru, "y", "other"));
    EXPECT(lru_put(lru, SLICE("x"), sizeof big) == NULL);
    EXPECT(!lru_get(lru, SLICE("x")).ptr); /* not the old one either */
    EXPECT_SLICE(SLICE("other"), lru_get(lru, SLICE("y")));
    EXPECT(lru_put(lru, SLICE("x"), 1000 - 1 - LRU_ENTRY_BYTES) != NULL);
    EXPECT_INT(1000, lru_bytes(lru));
    EXPECT(!lru_get(lru, SLICE("y")).ptr);
    EXPECT(lru_put(lru, SLICE("x"), 1000 - LRU_ENTRY_BYTES) == NULL);
    lru_free(lru);
}

/* The oldest first; searched from end to end. */
struct oracle {
    struct {
        unsigned key;
        size_t value_len;
    } entries[KEYS];
    unsigned count;
    size_t bytes;
};

static size_t weight(unsigned key, size_t value_len)
{
    char text[16];
    return (size_t)snprintf(text, sizeof text, "%u", key) + value_len + LRU_ENTRY_BYTES;
}

static bool oracle_take(struct oracle *o, unsigned key, size_t *value_len)
{
    for (unsigned i = 0; i < o->count; i++) {
        if (o->entries[i].key != key) continue;
        *value_len = o->entries[i].value_len;
        o->bytes -= weight(key, *value_len);
        memmove(o->entries + i, o->entries + i + 1, (--o->count - i) * sizeof o->entries[0]);
        return true;
    }
    return false;
}

static void oracle_put(struct oracle *o, unsigned key, size_t value_len)
{
    o->entries[o->count].key = key;
    o->entries[o->count++].value_len = value_len;
    o->bytes += weight(key, value_len);
}

#define ENTRIES_MAX 48u
#define BYTES_MAX 8000u

/* One random operation on both. */
static void step(struct lru *lru, struct oracle *o)
{
    char text[16];
    unsigned key = (unsigned)rand() % 150;
    size_t len = (size_t)rand() % 200, before;
    struct slice name = slice_of(text, (size_t)snprintf(text, sizeof text, "%u", key));
    bool is_in = oracle_take(o, key, &before);
    int what = rand() % 10;
    if (what == 0) {
        EXPECT(lru_remove(lru, name) == is_in);
    } else if (what < 5) {
        void *value = lru_put(lru, name, len);
        EXPECT(value != NULL && (uintptr_t)value % sizeof(void *) == 0);
        if (value) memset(value, (int)(key ^ len), len);
        while (o->count == ENTRIES_MAX || o->bytes + weight(key, len) > BYTES_MAX)
            oracle_take(o, o->entries[0].key, &before);
        oracle_put(o, key, len);
    } else {
        struct slice value = lru_get(lru, name);
        EXPECT((value.ptr != NULL) == is_in);
        if (!is_in) return;
        EXPECT_INT(before, value.len);
        for (size_t i = 0; i < value.len; i++) {
            if ((unsigned char)value.ptr[i] != (unsigned char)(key ^ before)) UNIT_FAIL("byte %zu of %u", i, key);
        }
        oracle_put(o, key, before);
    }
}

static void an_lru_agrees_with_an_array(void)
{
    static struct oracle o;
    struct lru *lru = lru_new(&(struct lru_rules){.entries_max = ENTRIES_MAX, .bytes_max = BYTES_MAX});
    bool was_full = false, was_heavy = false;
    srand(13);
    for (int round = 0; round < 60000; round++) {
        step(lru, &o);
        if (o.count != lru_count(lru) || o.bytes != lru_bytes(lru))
            UNIT_FAIL("round %d: %u and %zu, not %u and %zu", round, lru_count(lru), lru_bytes(lru), o.count, o.bytes);
        was_full |= o.count == ENTRIES_MAX;
        was_heavy |= o.bytes > BYTES_MAX - 100 && o.count < ENTRIES_MAX;
        if (unit_case_failures) break;
    }
    EXPECT(was_full && was_heavy); /* both bounds were met */
    lru_free(lru);
}

int main(void)
{
    RUN(a_map_agrees_with_an_array);
    RUN(many_keys_are_told_apart);
    RUN(the_one_not_asked_for_the_longest_goes_first);
    RUN(what_is_too_large_is_not_kept);
    RUN(an_lru_agrees_with_an_array);
    return unit_close("map");
}
