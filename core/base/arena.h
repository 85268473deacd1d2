/*
 * Memory with one owner and one end: everything taken from an arena lives until arena_clear().
 * What lives as long as a request comes from its exchange's arena.
 *
 *     struct arena a;
 *     arena_init(&a);
 *     struct slice name = arena_copy(&a, header->name);
 *     arena_clear(&a);
 */
#ifndef MOONGATE_BASE_ARENA_H
#define MOONGATE_BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *newest;
    size_t used; /* bytes handed out, over all blocks */
};

void arena_init(struct arena *a);
void arena_clear(struct arena *a);
/* Aligned for any type, not zeroed. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_zalloc(struct arena *a, size_t size);
/* A copy followed by a NUL that the length does not count. */
struct slice arena_copy(struct arena *a, struct slice s);
/* One behind the other, a NUL behind both. */
struct slice arena_join(struct arena *a, struct slice first, struct slice second);
struct slice arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
