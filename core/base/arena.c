#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

/* One request with a usual client's headers fills the first block; what is begun afterwards is kept through long
 * streams, mostly empty, so it is small. */
#define FIRST_BLOCK_BYTES 3072
#define NEXT_BLOCK_BYTES 1024
#define ARENA_ALIGN alignof(max_align_t)

struct arena_block {
    struct arena_block *older;
    size_t used;
    size_t cap;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

void arena_clear(struct arena *a)
{
    while (a->newest) {
        struct arena_block *older = a->newest->older;
        mem_free(a->newest);
        a->newest = older;
    }
    a->used = 0;
}

static void add_block(struct arena *a, size_t size)
{
    size_t cap = a->newest ? NEXT_BLOCK_BYTES : FIRST_BLOCK_BYTES;
    if (size > cap) cap = size;
    struct arena_block *block = mem_alloc(sizeof *block + cap);
    block->older = a->newest;
    block->used = 0;
    block->cap = cap;
    a->newest = block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    check(size < SIZE_MAX / 2);
    size_t rounded = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (!a->newest || a->newest->cap - a->newest->used < rounded) add_block(a, rounded);
    void *ptr = a->newest->bytes + a->newest->used;
    a->newest->used += rounded;
    a->used += rounded;
    return ptr;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    char *copy = arena_alloc(a, s.len + 1);
    if (s.len) memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return slice_of(copy, s.len);
}

struct slice arena_join(struct arena *a, struct slice first, struct slice second)
{
    char *copy = arena_alloc(a, first.len + second.len + 1);
    if (first.len) memcpy(copy, first.ptr, first.len);
    if (second.len) memcpy(copy + first.len, second.ptr, second.len);
    copy[first.len + second.len] = '\0';
    return slice_of(copy, first.len + second.len);
}

struct slice arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    check(len >= 0);
    char *text = arena_alloc(a, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return slice_of(text, (size_t)len);
}
