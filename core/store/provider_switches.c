#include "store/provider_switches.h"

#include "base/hash.h"

#define OFF (UINT64_C(1) << 63)
#define CUT (UINT64_C(1) << 62)
#define UNTIL (CUT - 1)

static uint64_t key_of(struct slice name)
{
    uint64_t key = hash_bytes(name, 0);
    return key ? key : 1;
}

/* Slots are never given back: one that is nobody's ends the search. */
static size_t find(const struct provider_switches *all, uint64_t key)
{
    for (size_t step = 0; step < PROVIDER_SWITCHES_SLOTS; step++) {
        size_t at = (key + step) % PROVIDER_SWITCHES_SLOTS;
        uint64_t found = atomic_load_explicit(&all->slots[at].key, memory_order_acquire);
        if (found == key || !found) return at;
    }
    return PROVIDER_SWITCHES_SLOTS;
}

static void count_cuts(struct provider_switches *all)
{
    uint32_t cuts = 0;
    for (size_t i = 0; i < PROVIDER_SWITCHES_SLOTS; i++) {
        uint64_t word = atomic_load_explicit(&all->slots[i].word, memory_order_relaxed);
        cuts += (word & OFF) && (word & CUT);
    }
    atomic_store(&all->cuts, cuts);
}

bool provider_switches_set(struct provider_switches *all, struct slice name, const struct provider_switch *to)
{
    uint64_t key = key_of(name), until = (uint64_t)to->until_s & UNTIL;
    size_t at = find(all, key);
    if (at == PROVIDER_SWITCHES_SLOTS) return false;
    struct provider_switches_slot *slot = &all->slots[at];
    atomic_store(&slot->word, to->is_off ? OFF | (to->is_cut ? CUT : 0) | until : 0);
    atomic_store_explicit(&slot->key, key, memory_order_release);
    count_cuts(all);
    return true;
}

struct provider_switch provider_switches_get(const struct provider_switches *all, struct slice name)
{
    uint64_t key = key_of(name);
    size_t at = all ? find(all, key) : PROVIDER_SWITCHES_SLOTS;
    if (at == PROVIDER_SWITCHES_SLOTS || atomic_load(&all->slots[at].key) != key)
        return (struct provider_switch){false, false, 0};
    uint64_t word = atomic_load(&all->slots[at].word);
    return (struct provider_switch){(word & OFF) != 0, (word & CUT) != 0, (int64_t)(word & UNTIL)};
}

bool provider_switch_is_off(const struct provider_switch *s, int64_t now_s)
{
    return s->is_off && (!s->until_s || now_s < s->until_s);
}

bool provider_switches_cuts(const struct provider_switches *all)
{
    return all && atomic_load_explicit(&all->cuts, memory_order_relaxed) > 0;
}
