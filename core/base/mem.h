/*
 * Memory that never comes back NULL: exhausted memory ends the process with a message, because no caller could do
 * better. Sizes that a peer or a policy controls are checked against base/limits.h before they come here.
 *
 * What one request takes much of (its body, the index over it, an answer that is kept) comes from mem_try_realloc():
 * where that fails, it is the request that is refused, not the worker that ends.
 */
#ifndef MOONGATE_BASE_MEM_H
#define MOONGATE_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
/* count * size zeroed bytes; an overflowing product is a bug. */
void *mem_zalloc(size_t count, size_t size);
void *mem_realloc(void *ptr, size_t size);
/* NULL: there is none; ptr is as it was. */
void *mem_try_realloc(void *ptr, size_t size);
char *mem_strdup(const char *text);
/* A NUL-terminated copy of len bytes. */
char *mem_strndup(const char *bytes, size_t len);
/* NULL is welcome. */
void mem_free(void *ptr);
/* From now on large pieces are the system's again as soon as they are freed, and growing one copies nothing: for a
 * process whose bounds are to hold of what it takes from the machine, too. */
void mem_keep_large_apart(void);

#endif
