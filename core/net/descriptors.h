/*
 * How many descriptors this process may have, and who gets them: clients, the connections to providers that their
 * requests need, and what the process needs for itself.
 *
 *     struct descriptors d = descriptors_share(descriptors_limit(), settings->connections_max);
 *     … d.clients …  d.overloaded …  d.upstream …
 *
 * A request takes two, the client's and its provider's: a client that is let in without a second one left would be told
 * that the provider cannot be reached. So clients get no more than half of what is there.
 */
#ifndef MOONGATE_NET_DESCRIPTORS_H
#define MOONGATE_NET_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

struct descriptors {
    uint64_t limit;      /* of the process */
    uint32_t clients;    /* of those asked for; at least 1 */
    uint32_t overloaded; /* beyond them, to be told that there are too many */
    uint32_t upstream;
    bool is_short; /* fewer clients than were asked for */
};

/* The soft limit of now. */
uint64_t descriptors_limit(void);
struct descriptors descriptors_share(uint64_t limit, uint32_t connections);

#endif
