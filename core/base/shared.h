/*
 * Memory that processes share without a name in any file system: memfd, its size sealed when it is made.
 *
 *     struct shared area;
 *     if (!shared_create(&area, "stats", bytes)) ...     // zeroed; children that fork from here see it too
 *     shared_close(&area);
 *
 * It never synchronises: what lies inside is atomics, or belongs to one writer.
 */
#ifndef MOONGATE_BASE_SHARED_H
#define MOONGATE_BASE_SHARED_H

#include <stdbool.h>
#include <stddef.h>

struct shared {
    void *base;
    size_t size;
    int fd; /* close-on-exec */
};

/* False: errno says why. */
bool shared_create(struct shared *area, const char *name, size_t size);
/* Unmaps and closes; others keep their own view. Welcome on a zeroed struct or one that was closed. */
void shared_close(struct shared *area);

#endif
