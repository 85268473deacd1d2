#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"

static void *must(void *ptr, size_t size)
{
    if (!ptr && size > 0) {
        fprintf(stderr, "moongate: out of memory (%zu bytes)\n", size);
        abort();
    }
    return ptr;
}

void *mem_alloc(size_t size)
{
    return must(malloc(size ? size : 1), size);
}

void *mem_zalloc(size_t count, size_t size)
{
    check(size == 0 || count <= SIZE_MAX / size);
    return must(calloc(count ? count : 1, size ? size : 1), count * size);
}

void *mem_realloc(void *ptr, size_t size)
{
    return must(realloc(ptr, size ? size : 1), size);
}

void *mem_try_realloc(void *ptr, size_t size)
{
    return realloc(ptr, size ? size : 1);
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *bytes, size_t len)
{
    char *copy = mem_alloc(len + 1);
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

void mem_free(void *ptr)
{
    free(ptr);
}

/* glibc raises the bound by itself to what was freed last, and then holds holes where bodies were. */
void mem_keep_large_apart(void)
{
    mallopt(M_MMAP_THRESHOLD, LIMIT_LARGE_BYTES);
}
