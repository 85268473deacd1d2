#include "store/access_tokens.h"

#include <string.h>

#include "base/check.h"

#define TRIES 64u /* to read one that is being written: that takes a microsecond, once in an hour */

static struct access_tokens_slot *find(const struct access_tokens *all, uint64_t id)
{
    for (size_t i = 0; all && i < ACCESS_TOKENS_SLOTS; i++) {
        const struct access_tokens_slot *slot = &all->slots[i];
        if (id && atomic_load_explicit(&slot->id, memory_order_acquire) == id)
            return (struct access_tokens_slot *)(uintptr_t)slot;
    }
    return NULL;
}

/* ---- Writing. */

static void write_words(struct access_tokens_slot *slot, struct slice token)
{
    uint64_t word;
    for (size_t at = 0; at < LIMIT_ACCESS_TOKEN_BYTES; at += sizeof word) {
        size_t left = at < token.len ? token.len - at : 0;
        word = 0;
        if (left) memcpy(&word, token.ptr + at, left < sizeof word ? left : sizeof word);
        atomic_store_explicit(&slot->words[at / sizeof word], word, memory_order_relaxed);
    }
}

/* Whoever wrote last may have died in the middle of it: the turn goes on from an even one. */
static void write_slot(struct access_tokens_slot *slot, struct slice token, uint64_t until_ns)
{
    uint64_t turn = atomic_load(&slot->turn) & ~(uint64_t)1;
    atomic_store(&slot->turn, turn + 1);
    atomic_thread_fence(memory_order_seq_cst);
    write_words(slot, token);
    atomic_store_explicit(&slot->len, (uint32_t)token.len, memory_order_relaxed);
    atomic_store_explicit(&slot->until_ns, until_ns, memory_order_relaxed);
    atomic_store(&slot->turn, turn + 2);
}

static void empty(struct access_tokens_slot *slot)
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

static void add(struct access_tokens *all, uint64_t id)
{
    for (size_t i = 0; i < ACCESS_TOKENS_SLOTS; i++) {
        struct access_tokens_slot *slot = &all->slots[i];
        if (atomic_load(&slot->id)) continue;
        empty(slot);
        atomic_store(&slot->id, id);
        return;
    }
}

void access_tokens_keep(struct access_tokens *all, const uint64_t *ids, size_t count)
{
    check(count <= LIMIT_ACCESS_TOKENS);
    for (size_t i = 0; i < ACCESS_TOKENS_SLOTS; i++) {
        struct access_tokens_slot *slot = &all->slots[i];
        bool is_half = atomic_load(&slot->turn) & 1, is_used = atomic_load(&slot->id) != 0;
        bool goes = is_used && !is_kept(atomic_load(&slot->id), ids, count);
        if (goes) atomic_store(&slot->id, 0);
        if (goes || is_half) empty(slot);
    }
    for (size_t i = 0; i < count; i++)
        if (!find(all, ids[i])) add(all, ids[i]);
}

void access_tokens_put(struct access_tokens *all, uint64_t id, struct slice token, uint64_t until_ns)
{
    struct access_tokens_slot *slot = find(all, id);
    check(token.len <= LIMIT_ACCESS_TOKEN_BYTES);
    if (!slot) return;
    write_slot(slot, token, until_ns);
    atomic_store(&slot->is_failing, 0);
}

void access_tokens_failed(struct access_tokens *all, uint64_t id)
{
    struct access_tokens_slot *slot = find(all, id);
    if (slot) atomic_store(&slot->is_failing, 1);
}

uint64_t access_tokens_until(const struct access_tokens *all, uint64_t id)
{
    const struct access_tokens_slot *slot = find(all, id);
    return slot ? atomic_load(&slot->until_ns) : 0;
}

bool access_tokens_is_refused(const struct access_tokens *all, uint64_t id)
{
    const struct access_tokens_slot *slot = find(all, id);
    return slot && atomic_load(&slot->until_ns) && atomic_load(&slot->refused) == atomic_load(&slot->turn) / 2;
}

/* ---- Reading. */

/* False: it was written meanwhile. */
static bool read_once(const struct access_tokens_slot *slot, uint64_t *until_ns, struct access_tokens_copy *copy)
{
    uint64_t turn = atomic_load(&slot->turn), word;
    if (turn & 1) return false;
    *until_ns = atomic_load_explicit(&slot->until_ns, memory_order_relaxed);
    copy->number = turn / 2;
    copy->len = atomic_load_explicit(&slot->len, memory_order_relaxed);
    if (copy->len > LIMIT_ACCESS_TOKEN_BYTES) return false;
    for (size_t at = 0; at < copy->len; at += sizeof word) {
        word = atomic_load_explicit(&slot->words[at / sizeof word], memory_order_relaxed);
        memcpy(copy->token + at, &word, sizeof word);
    }
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load(&slot->turn) == turn;
}

enum access_tokens_state access_tokens_get(const struct access_tokens *all, uint64_t id, uint64_t now_ns,
                                           struct access_tokens_copy *copy)
{
    const struct access_tokens_slot *slot = find(all, id);
    uint64_t until_ns = 0;
    bool is_whole = false;
    copy->len = 0;
    for (unsigned i = 0; slot && !is_whole && i < TRIES; i++)
        is_whole = read_once(slot, &until_ns, copy);
    if (is_whole && copy->len && now_ns < until_ns && atomic_load(&slot->id) == id) return ACCESS_TOKENS_GOOD;
    access_tokens_copy_wipe(copy);
    return slot && is_whole && atomic_load(&slot->is_failing) ? ACCESS_TOKENS_FAILED : ACCESS_TOKENS_AWAITED;
}

void access_tokens_copy_wipe(struct access_tokens_copy *copy)
{
    explicit_bzero(copy, sizeof *copy);
}

void access_tokens_refuse(struct access_tokens *all, uint64_t id, uint64_t number)
{
    struct access_tokens_slot *slot = find(all, id);
    if (slot) atomic_store(&slot->refused, number);
}

void access_tokens_wipe(struct access_tokens *all)
{
    for (size_t i = 0; i < ACCESS_TOKENS_SLOTS; i++) {
        struct access_tokens_slot *slot = &all->slots[i];
        if (!atomic_load(&slot->turn)) continue;
        atomic_store(&slot->id, 0);
        empty(slot);
    }
}
