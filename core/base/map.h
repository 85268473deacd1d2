/*
 * The one hash table: from the bytes of a key to the number of an item that its owner keeps in an array.
 *
 *     static struct slice key_of(const void *ring, uint32_t item)
 *     {
 *         return ((const struct ring *)ring)->keys[item].id;
 *     }
 *
 *     map_init(&ring->map, key_of, ring);
 *     map_add(&ring->map, 7);                            // keys[7] is there, and no other has its key
 *     if (map_find(&ring->map, SLICE("k-7"), &item)) …
 *     map_remove(&ring->map, SLICE("k-7"));              // while keys[7] still is there
 *     map_clear(&ring->map);
 *
 * It holds numbers, 11 to 21 bytes a key, and asks the owner for keys. They are hashed under the process's secret, so
 * they may come from anybody: none can be chosen that collide, and the time of a search tells nothing of the keys that
 * are there. Its bound is its owner's array. base/lru.h keeps keys and values itself, and forgets the oldest.
 */
#ifndef MOONGATE_BASE_MAP_H
#define MOONGATE_BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct map {
    struct map_slot *slots;
    uint32_t slot_count, count;
    struct slice (*key_of)(const void *owner, uint32_t item);
    const void *owner;
};

void map_init(struct map *map, struct slice (*key_of)(const void *owner, uint32_t item), const void *owner);
/* Empty again, and without memory of its own. */
void map_clear(struct map *map);
/* The item's key must not be in it yet. */
void map_add(struct map *map, uint32_t item);
bool map_find(const struct map *map, struct slice key, uint32_t *item);
/* False: there was none. */
bool map_remove(struct map *map, struct slice key);

#endif
