/*
 * The circuit breakers of all provider accounts, in memory that the processes of a gateway share: a small fixed table,
 * made by the supervisor, which alone says whose they are.
 *
 *     breakers_keep(all, names, count);                    // the supervisor: at each configuration that is accepted
 *     struct breaker *b = breakers_find(all, name);        // any process: NULL: that account has none
 *     for (size_t i = 0; i < BREAKERS_SLOTS; i++)
 *         if (breakers_get(all, i, &entry)) …              // for who shows them
 *
 * An account that is kept keeps its state, across reloads and whatever process dies; who finds its breaker reads a
 * word or two. Of two accounts the names' hashes differ (64 bits); they are the operator's. Zeroed memory is an empty
 * table.
 */
#ifndef MOONGATE_STORE_BREAKERS_H
#define MOONGATE_STORE_BREAKERS_H

#include <stddef.h>

#include "base/limits.h"
#include "base/slice.h"
#include "store/breaker.h"

#define BREAKERS_SLOTS (2 * LIMIT_PROVIDERS)
#define BREAKERS_NAME_BYTES (LIMIT_LABEL_BYTES + 8u) /* with the NUL, in whole words */

struct breakers_slot {
    _Atomic uint64_t key; /* the name's hash; 0: was nobody's yet, 1: is nobody's */
    struct breaker breaker;
    _Atomic uint64_t name[BREAKERS_NAME_BYTES / 8];
};

struct breakers {
    struct breakers_slot slots[BREAKERS_SLOTS];
};

struct breakers_entry {
    char name[BREAKERS_NAME_BYTES];
    const struct breaker *breaker; /* borrowed; another account's after a reload that takes this one out */
};

/* LIMIT_PROVIDERS at most. What is not among them goes. */
void breakers_keep(struct breakers *all, const struct slice *names, size_t count);
/* NULL, too, where `all` is. */
struct breaker *breakers_find(struct breakers *all, struct slice name);
bool breakers_get(const struct breakers *all, size_t i, struct breakers_entry *entry);

#endif
