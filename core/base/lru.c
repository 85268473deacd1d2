#include "base/lru.h"

#include <stdalign.h>

#include "base/check.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

struct entry {
    struct list_link used;
    uint32_t number;
    size_t value_len, key_len;
    alignas(max_align_t) char bytes[]; /* value, key */
};

struct place {
    struct entry *entry;
    uint32_t next_free; /* of a place without an entry; NO_PLACE: it is the last */
};

#define NO_PLACE UINT32_MAX

struct lru {
    struct lru_rules rules;
    struct map map;
    struct place *places;
    uint32_t place_count, place_cap, free_place;
    struct list_link used; /* the oldest first */
    size_t bytes;
};

static struct slice key_of(const void *owner, uint32_t number)
{
    const struct entry *e = ((const struct lru *)owner)->places[number].entry;
    return slice_of(e->bytes + e->value_len, e->key_len);
}

static size_t weight(size_t key_len, size_t value_len)
{
    return key_len + value_len + LRU_ENTRY_BYTES;
}

struct lru *lru_new(const struct lru_rules *rules)
{
    struct lru *lru = mem_zalloc(1, sizeof *lru);
    check(rules->entries_max > 0);
    lru->rules = *rules;
    lru->free_place = NO_PLACE;
    map_init(&lru->map, key_of, lru);
    list_init(&lru->used);
    return lru;
}

static void drop(struct lru *lru, struct entry *e)
{
    map_remove(&lru->map, key_of(lru, e->number));
    list_remove(&e->used);
    lru->bytes -= weight(e->key_len, e->value_len);
    lru->places[e->number] = (struct place){NULL, lru->free_place};
    lru->free_place = e->number;
    if (lru->rules.on_drop) lru->rules.on_drop(e->bytes);
    mem_free(e);
}

static struct entry *oldest(const struct lru *lru)
{
    return LIST_OWNER(lru->used.next, struct entry, used);
}

void lru_clear(struct lru *lru)
{
    while (!list_is_empty(&lru->used))
        drop(lru, oldest(lru));
}

void lru_free(struct lru *lru)
{
    if (!lru) return;
    lru_clear(lru);
    map_clear(&lru->map);
    mem_free(lru->places);
    mem_free(lru);
}

static struct entry *find(const struct lru *lru, struct slice key)
{
    uint32_t number;
    return map_find(&lru->map, key, &number) ? lru->places[number].entry : NULL;
}

struct slice lru_get(struct lru *lru, struct slice key)
{
    struct entry *e = find(lru, key);
    if (!e) return SLICE_NONE;
    list_remove(&e->used);
    list_append(&lru->used, &e->used);
    return slice_of(e->bytes, e->value_len);
}

static uint32_t take_place(struct lru *lru)
{
    uint32_t number = lru->free_place;
    if (number != NO_PLACE) {
        lru->free_place = lru->places[number].next_free;
        return number;
    }
    if (lru->place_count == lru->place_cap) {
        lru->place_cap = lru->place_cap ? 2 * lru->place_cap : 8;
        lru->places = mem_realloc(lru->places, lru->place_cap * sizeof *lru->places);
    }
    return lru->place_count++;
}

static struct entry *entry_new(struct lru *lru, struct slice key, size_t value_len)
{
    struct entry *e = mem_alloc(sizeof *e + value_len + key.len);
    e->number = take_place(lru);
    e->value_len = value_len;
    e->key_len = key.len;
    if (key.len) memcpy(e->bytes + value_len, key.ptr, key.len);
    lru->places[e->number].entry = e;
    return e;
}

static bool has_room(const struct lru *lru, size_t bytes)
{
    return lru->map.count < lru->rules.entries_max &&
           (lru->rules.bytes_max == 0 || lru->bytes + bytes <= lru->rules.bytes_max);
}

void *lru_put(struct lru *lru, struct slice key, size_t value_len)
{
    size_t bytes = weight(key.len, value_len);
    lru_remove(lru, key);
    if (lru->rules.bytes_max && bytes > lru->rules.bytes_max) return NULL;
    while (!has_room(lru, bytes))
        drop(lru, oldest(lru));
    struct entry *e = entry_new(lru, key, value_len);
    map_add(&lru->map, e->number);
    list_append(&lru->used, &e->used);
    lru->bytes += bytes;
    return e->bytes;
}

bool lru_remove(struct lru *lru, struct slice key)
{
    struct entry *e = find(lru, key);
    if (e) drop(lru, e);
    return e != NULL;
}

uint32_t lru_count(const struct lru *lru)
{
    return lru->map.count;
}

size_t lru_bytes(const struct lru *lru)
{
    return lru->bytes;
}
