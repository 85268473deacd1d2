/*
 * Memory of one Lua state: small blocks from pages cut into pieces of one size, large ones from malloc.
 *
 *     struct pages pages = {0};
 *     void *block = pages_move(&pages, NULL, 0, size);            // NULL: there is none, and Lua raises
 *     block = pages_move(&pages, block, size, larger);
 *     pages_give_back(&pages, block, larger);
 *     pages_clear(&pages);                                        // once all small blocks are unwanted
 *
 * A small block goes back to the list of its size: a request makes some forty of them, and this costs a fifth of what
 * malloc does. Pages go with the state. Sanitizers see malloc instead.
 */
#ifndef MOONGATE_LUA_PAGES_H
#define MOONGATE_LUA_PAGES_H

#include <stddef.h>

#define PAGES_CLASSES 64

struct pages {
    struct page *newest;
    struct free_block *free[PAGES_CLASSES];
};

void *pages_move(struct pages *p, void *ptr, size_t old_size, size_t new_size);
void pages_give_back(struct pages *p, void *ptr, size_t size);
/* Rests on a fiber (base/fiber.h): a large state has thousands of pages. */
void pages_clear(struct pages *p);

#endif
