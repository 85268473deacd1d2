#include "store/grants.h"

#include <string.h>

#include "base/check.h"

#define TRIES 64u /* to read one that is being written: that takes a microsecond, once in an hour */

static struct grants_slot *find(const struct grants *all, uint64_t id)
{
    for (size_t i = 0; all && i < GRANTS_SLOTS; i++) {
        const struct grants_slot *slot = &all->slots[i];
        if (id && atomic_load_explicit(&slot->id, memory_order_acquire) == id)
            return (struct grants_slot *)(uintptr_t)slot;
    }
    return NULL;
}

/* ---- Writing. */

static void write_words(struct grants_slot *slot, struct slice token)
{
    uint64_t word;
    for (size_t at = 0; at < LIMIT_GRANT_BYTES; at += sizeof word) {
        size_t left = at < token.len ? token.len - at : 0;
        word = 0;
        if (left) memcpy(&word, token.ptr + at, left < sizeof word ? left : sizeof word);
        atomic_store_explicit(&slot->words[at / sizeof word], word, memory_order_relaxed);
    }
}

/* Whoever wrote last may have died in the middle of it: the turn goes on from an even one. */
static void write_slot(struct grants_slot *slot, struct slice token, uint64_t until_ns)
{
    uint64_t turn = atomic_load(&slot->turn) & ~(uint64_t)1;
    atomic_store(&slot->turn, turn + 1);
    atomic_thread_fence(memory_order_seq_cst);
    write_words(slot, token);
    atomic_store_explicit(&slot->len, (uint32_t)token.len, memory_order_relaxed);
    atomic_store_explicit(&slot->until_ns, until_ns, memory_order_relaxed);
    atomic_store(&slot->turn, turn + 2);
}

static void empty(struct grants_slot *slot)
{
    write_slot(slot, SLICE_NONE, 0);
    atomic_store(&slot->is_failing, 0);
}

static bool is_kept(uint64_t id, const uint64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id) return true;
    return false;
}

static void add(struct grants *all, uint64_t id)
{
    for (size_t i = 0; i < GRANTS_SLOTS; i++) {
        struct grants_slot *slot = &all->slots[i];
        if (atomic_load(&slot->id)) continue;
        empty(slot);
        atomic_store(&slot->id, id);
        return;
    }
}

void grants_keep(struct grants *all, const uint64_t *ids, size_t count)
{
    check(count <= LIMIT_GRANTS);
    for (size_t i = 0; i < GRANTS_SLOTS; i++) {
        struct grants_slot *slot = &all->slots[i];
        bool is_half = atomic_load(&slot->turn) & 1, is_used = atomic_load(&slot->id) != 0;
        bool goes = is_used && !is_kept(atomic_load(&slot->id), ids, count);
        if (goes) atomic_store(&slot->id, 0);
        if (goes || is_half) empty(slot);
    }
    for (size_t i = 0; i < count; i++)
        if (!find(all, ids[i])) add(all, ids[i]);
}

void grants_put(struct grants *all, uint64_t id, struct slice token, uint64_t until_ns)
{
    struct grants_slot *slot = find(all, id);
    check(token.len <= LIMIT_GRANT_BYTES);
    if (!slot) return;
    write_slot(slot, token, until_ns);
    atomic_store(&slot->is_failing, 0);
}

void grants_failed(struct grants *all, uint64_t id)
{
    struct grants_slot *slot = find(all, id);
    if (slot) atomic_store(&slot->is_failing, 1);
}

uint64_t grants_until(const struct grants *all, uint64_t id)
{
    const struct grants_slot *slot = find(all, id);
    return slot ? atomic_load(&slot->until_ns) : 0;
}

bool grants_is_refused(const struct grants *all, uint64_t id)
{
    const struct grants_slot *slot = find(all, id);
    return slot && atomic_load(&slot->until_ns) && atomic_load(&slot->refused) == atomic_load(&slot->turn) / 2;
}

/* ---- Reading. */

/* False: it was written meanwhile. */
static bool read_once(const struct grants_slot *slot, uint64_t *until_ns, struct grants_copy *copy)
{
    uint64_t turn = atomic_load(&slot->turn), word;
    if (turn & 1) return false;
    *until_ns = atomic_load_explicit(&slot->until_ns, memory_order_relaxed);
    copy->number = turn / 2;
    copy->len = atomic_load_explicit(&slot->len, memory_order_relaxed);
    if (copy->len > LIMIT_GRANT_BYTES) return false;
    for (size_t at = 0; at < copy->len; at += sizeof word) {
        word = atomic_load_explicit(&slot->words[at / sizeof word], memory_order_relaxed);
        memcpy(copy->token + at, &word, sizeof word);
    }
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load(&slot->turn) == turn;
}

enum grants_state grants_get(const struct grants *all, uint64_t id, uint64_t now_ns, struct grants_copy *copy)
{
    const struct grants_slot *slot = find(all, id);
    uint64_t until_ns = 0;
    bool is_whole = false;
    copy->len = 0;
    for (unsigned i = 0; slot && !is_whole && i < TRIES; i++)
        is_whole = read_once(slot, &until_ns, copy);
    if (is_whole && copy->len && now_ns < until_ns && atomic_load(&slot->id) == id) return GRANTS_GOOD;
    grants_copy_wipe(copy);
    return slot && is_whole && atomic_load(&slot->is_failing) ? GRANTS_FAILED : GRANTS_AWAITED;
}

void grants_copy_wipe(struct grants_copy *copy)
{
    explicit_bzero(copy, sizeof *copy);
}

void grants_refuse(struct grants *all, uint64_t id, uint64_t number)
{
    struct grants_slot *slot = find(all, id);
    if (slot) atomic_store(&slot->refused, number);
}

void grants_wipe(struct grants *all)
{
    for (size_t i = 0; i < GRANTS_SLOTS; i++) {
        struct grants_slot *slot = &all->slots[i];
        if (!atomic_load(&slot->turn)) continue;
        atomic_store(&slot->id, 0);
        empty(slot);
    }
}
