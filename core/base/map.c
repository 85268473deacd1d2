#include "base/map.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

#define FIRST_SLOTS 8u
#define SLOTS_MAX (1u << 31)

/* Open addressing, linear probing: a key stands in its home (the hash's last bits) or in one of the next slots, without
 * a gap between. */
struct map_slot {
    uint32_t hash;
    uint32_t place; /* item + 1; 0: free */
};

void map_init(struct map *map, struct slice (*key_of)(const void *owner, uint32_t item), const void *owner)
{
    *map = (struct map){.key_of = key_of, .owner = owner};
}

void map_clear(struct map *map)
{
    mem_free(map->slots);
    map_init(map, map->key_of, map->owner);
}

static void put(struct map *map, struct map_slot slot)
{
    uint32_t mask = map->slot_count - 1, at = slot.hash & mask;
    while (map->slots[at].place)
        at = (at + 1) & mask;
    map->slots[at] = slot;
}

static void grow(struct map *map)
{
    struct map_slot *before = map->slots;
    uint32_t count = map->slot_count;
    check(count < SLOTS_MAX);
    map->slot_count = count ? 2 * count : FIRST_SLOTS;
    map->slots = mem_zalloc(map->slot_count, sizeof *map->slots);
    for (uint32_t i = 0; i < count; i++) {
        if (before[i].place) put(map, before[i]);
    }
    mem_free(before);
}

void map_add(struct map *map, uint32_t item)
{
    check(item < UINT32_MAX);
    if (map->count >= map->slot_count - map->slot_count / 4) grow(map);
    put(map, (struct map_slot){(uint32_t)hash_secret(map->key_of(map->owner, item)), item + 1});
    map->count++;
}

static struct map_slot *find(const struct map *map, struct slice key)
{
    if (map->count == 0) return NULL;
    uint32_t hash = (uint32_t)hash_secret(key), mask = map->slot_count - 1;
    for (uint32_t at = hash & mask; map->slots[at].place; at = (at + 1) & mask) {
        struct map_slot *slot = &map->slots[at];
        if (slot->hash == hash && slice_equal(map->key_of(map->owner, slot->place - 1), key)) return slot;
    }
    return NULL;
}

bool map_find(const struct map *map, struct slice key, uint32_t *item)
{
    const struct map_slot *slot = find(map, key);
    if (slot) *item = slot->place - 1;
    return slot != NULL;
}

/* Those behind the gap move into it, unless that would put them before their home. */
static void close_gap(struct map *map, uint32_t gap)
{
    uint32_t mask = map->slot_count - 1;
    for (uint32_t at = (gap + 1) & mask; map->slots[at].place; at = (at + 1) & mask) {
        uint32_t from_home = (at - map->slots[at].hash) & mask, from_gap = (at - gap) & mask;
        if (from_home < from_gap) continue;
        map->slots[gap] = map->slots[at];
        gap = at;
    }
    map->slots[gap].place = 0;
}

bool map_remove(struct map *map, struct slice key)
{
    struct map_slot *slot = find(map, key);
    if (!slot) return false;
    close_gap(map, (uint32_t)(slot - map->slots));
    map->count--;
    return true;
}
