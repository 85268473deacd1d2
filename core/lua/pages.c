#include "lua/pages.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fiber.h"
#include "base/limits.h"

#ifdef __SANITIZE_ADDRESS__
#define SMALL_BYTES_MAX 0u
#else
#define SMALL_BYTES_MAX 1024u
#endif
#define SMALL_STEP 16u
#define PAGE_BYTES (32u * KIB)

struct free_block {
    struct free_block *next;
};

struct page {
    struct page *older;
    max_align_t bytes[];
};

static bool is_small(size_t size)
{
    return size > 0 && size <= SMALL_BYTES_MAX;
}

/* Cuts a new page for blocks of this class. */
static bool add_page(struct pages *p, size_t class)
{
    size_t size = (class + 1) * SMALL_STEP;
    struct page *page = malloc(PAGE_BYTES);
    if (!page) return false;
    page->older = p->newest;
    p->newest = page;
    char *end = (char *)page + PAGE_BYTES;
    for (char *at = (char *)page->bytes; (size_t)(end - at) >= size; at += size) {
        struct free_block *block = (struct free_block *)at;
        block->next = p->free[class];
        p->free[class] = block;
    }
    return true;
}

static void *take(struct pages *p, size_t size)
{
    if (!is_small(size)) return malloc(size);
    size_t class = (size - 1) / SMALL_STEP;
    if (!p->free[class] && !add_page(p, class)) return NULL;
    struct free_block *block = p->free[class];
    p->free[class] = block->next;
    return block;
}

void pages_give_back(struct pages *p, void *ptr, size_t size)
{
    if (!is_small(size)) {
        free(ptr);
        return;
    }
    struct free_block *block = ptr;
    block->next = p->free[(size - 1) / SMALL_STEP];
    p->free[(size - 1) / SMALL_STEP] = block;
}

void *pages_move(struct pages *p, void *ptr, size_t old_size, size_t new_size)
{
    if (!ptr) return take(p, new_size);
    if (!is_small(old_size) && !is_small(new_size)) return realloc(ptr, new_size);
    if (is_small(old_size) && is_small(new_size) && (old_size - 1) / SMALL_STEP == (new_size - 1) / SMALL_STEP)
        return ptr;
    void *moved = take(p, new_size);
    if (!moved) return NULL;
    memcpy(moved, ptr, old_size < new_size ? old_size : new_size);
    pages_give_back(p, ptr, old_size);
    return moved;
}

void pages_clear(struct pages *p)
{
    while (p->newest) {
        struct page *older = p->newest->older;
        free(p->newest);
        p->newest = older;
        fiber_rest();
    }
}
