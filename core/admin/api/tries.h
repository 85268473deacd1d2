/*
 * How often somebody may do something: so many at once, then one each so often (the generic cell rate algorithm).
 *
 *     struct tries *t = tries_new(&(struct tries_rule){.burst = 5, .each_ms = 12000});
 *     unsigned wait_s = tries_take(t, SLICE("192.0.2.1"), now_ns);     // 0: it may, and that counts
 *     tries_free(t);
 *
 * Known by a text; of more than LIMIT_TRIES of them the one that came longest ago is forgotten.
 */
#ifndef MOONGATE_ADMIN_API_TRIES_H
#define MOONGATE_ADMIN_API_TRIES_H

#include <stdint.h>

#include "base/slice.h"

#define LIMIT_TRIES 4096u

struct tries;

struct tries_rule {
    uint32_t burst;   /* not 0 */
    uint32_t each_ms; /* not 0 */
};

struct tries *tries_new(const struct tries_rule *rule);
void tries_free(struct tries *t); /* NULL is welcome */
/* The seconds to wait, rounded up; such a try does not count. */
unsigned tries_take(struct tries *t, struct slice who, uint64_t now_ns);

#endif
