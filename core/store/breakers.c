#include "store/breakers.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"

enum { NEVER, FREED, KEYS }; /* of slots that are nobody's; keys of accounts are none of these */

static uint64_t key_of(struct slice name)
{
    uint64_t key = hash_bytes(name, 0);
    return key < KEYS ? key + KEYS : key;
}

static struct breakers_slot *slot_at(struct breakers *all, uint64_t key, size_t step)
{
    return &all->slots[(key + step) % BREAKERS_SLOTS];
}

/* Slots are never emptied, only freed: one that was nobody's yet ends the search. */
static struct breakers_slot *find(struct breakers *all, uint64_t key)
{
    for (size_t i = 0; i < BREAKERS_SLOTS; i++) {
        struct breakers_slot *slot = slot_at(all, key, i);
        uint64_t found = atomic_load_explicit(&slot->key, memory_order_acquire);
        if (found == key) return slot;
        if (found == NEVER) return NULL;
    }
    return NULL;
}

struct breaker *breakers_find(struct breakers *all, struct slice name)
{
    struct breakers_slot *slot = all ? find(all, key_of(name)) : NULL;
    return slot ? &slot->breaker : NULL;
}

/* ---- Whose they are. */

static bool is_kept(uint64_t key, const struct slice *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (key_of(names[i]) == key) return true;
    return false;
}

static void free_others(struct breakers *all, const struct slice *names, size_t count)
{
    for (size_t i = 0; i < BREAKERS_SLOTS; i++) {
        struct breakers_slot *slot = &all->slots[i];
        uint64_t key = atomic_load(&slot->key);
        if (key >= KEYS && !is_kept(key, names, count)) atomic_store(&slot->key, FREED);
    }
}

static void write_name(struct breakers_slot *slot, struct slice name)
{
    uint64_t words[BREAKERS_NAME_BYTES / 8] = {0};
    check(name.len < sizeof words);
    memcpy(words, name.ptr, name.len);
    for (size_t i = 0; i < BREAKERS_NAME_BYTES / 8; i++)
        atomic_store_explicit(&slot->name[i], words[i], memory_order_relaxed);
}

static void add(struct breakers *all, struct slice name)
{
    uint64_t key = key_of(name);
    size_t step = 0;
    if (find(all, key)) return;
    while (atomic_load(&slot_at(all, key, step)->key) >= KEYS)
        step++;
    struct breakers_slot *slot = slot_at(all, key, step);
    breaker_reset(&slot->breaker);
    write_name(slot, name);
    atomic_store(&slot->key, key);
}

void breakers_keep(struct breakers *all, const struct slice *names, size_t count)
{
    check(count <= LIMIT_PROVIDERS);
    free_others(all, names, count);
    for (size_t i = 0; i < count; i++)
        add(all, names[i]);
}

/* The key before and after: the name is whole. */
bool breakers_get(const struct breakers *all, size_t i, struct breakers_entry *entry)
{
    const struct breakers_slot *slot = &all->slots[i];
    uint64_t words[BREAKERS_NAME_BYTES / 8], key = atomic_load(&slot->key);
    if (key < KEYS) return false;
    for (size_t word = 0; word < BREAKERS_NAME_BYTES / 8; word++)
        words[word] = atomic_load(&slot->name[word]);
    memcpy(entry->name, words, sizeof words);
    entry->breaker = &slot->breaker;
    return atomic_load(&slot->key) == key && key_of(slice_str(entry->name)) == key;
}
