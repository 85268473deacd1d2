#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

/* One request with few headers fills the first block, with a usual client's the next; blocks are kept through long
 * streams, and the last is mostly empty, so they are small. */
#define FIRST_BLOCK_BYTES 2048
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

static inline void *take(struct arena *a, size_t size, size_t align)
{
    check(size < SIZE_MAX / 2);
    size_t at = a->newest ? (a->newest->used + align - 1) / align * align : 0;
    if (!a->newest || a->newest->cap < at || a->newest->cap - at < size) {
        add_block(a, size);
        at = 0;
    }
    a->newest->used = at + size;
    a->used += size;
    return a->newest->bytes + at;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return take(a, size, ARENA_ALIGN);
}

/* Bytes, which may stand anywhere: most of what a request keeps is names and values of a few bytes. */
static char *take_text(struct arena *a, size_t size)
{
    return take(a, size, 1);
}

void *arena_zalloc(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    char *copy = take_text(a, s.len + 1);
    if (s.len) memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return slice_of(copy, s.len);
}

struct slice arena_join(struct arena *a, struct slice first, struct slice second)
{
    char *copy = take_text(a, first.len + second.len + 1);
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
    char *text = take_text(a, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return slice_of(text, (size_t)len);
}
