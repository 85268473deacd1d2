/*
 * Addresses of host names, looked up by a child process: the system's resolver blocks for as long as name servers take.
 *
 *     struct resolve *r = resolve_start(loop, names, count, on_result, arg, &why);
 *     on_result: r->addresses[…] in text, of which name; or *why
 *     resolve_free(r);                                  // at any time; the child ends with it
 *
 * One child for all names, killed when the time is over (LIMIT_RESOLVE_MS). It has no descriptors but its pipe, and
 * calls nothing but getaddrinfo(). Nothing is cached: that is for who asks, and the child is a copy of all of him.
 * Providers' names are looked up by curl; workers ask here for a Redis's alone, when they connect to it.
 */
#ifndef MOONGATE_NET_RESOLVE_H
#define MOONGATE_NET_RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "base/limits.h"

struct loop;
struct resolve;

struct resolve_address {
    size_t name; /* which of the names, from 0 */
    char text[INET6_ADDRSTRLEN];
};

struct resolve_result {
    struct resolve_address addresses[LIMIT_RESOLVE_ADDRESSES]; /* by name, in the resolver's order */
    size_t count;
};

/* *why is set when a name has no address, the first such one; other names' addresses may be there all the same.
 * Once, from the loop. */
typedef void (*resolve_fn)(void *arg, const struct resolve_result *result, const struct fault *why);

/* Copies the names. NULL and *why: no child could be made. */
struct resolve *resolve_start(struct loop *loop, const char *const *names, size_t count, resolve_fn fn, void *arg,
                              struct fault *why);
void resolve_free(struct resolve *r); /* NULL is welcome; from inside fn too */

#endif
