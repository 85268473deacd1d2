/*
 * What the registry says of one caller and one model that wants an approval: a grant that holds, one that has ended, or
 * a request for one that waits.
 *
 * Filled by who knows the registry, when a policy asks; read by lua/bind_grants.c. Slices live as long as the exchange.
 */
#ifndef MOONGATE_EXCHANGE_GRANTED_H
#define MOONGATE_EXCHANGE_GRANTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum granted_state {
    GRANTED_ACTIVE,
    GRANTED_GLASS,   /* active, and break-glass */
    GRANTED_EXPIRED, /* or revoked */
    GRANTED_PENDING, /* a request, by its id */
};

enum granted_covers { GRANTED_USER, GRANTED_APP, GRANTED_DEPARTMENT };

struct granted {
    struct slice model, id, purpose;
    int64_t ends_s; /* seconds since 1970: it holds before, and not at it */
    enum granted_state state;
    enum granted_covers covers;
};

struct exchange;

/* All of this caller's, from x->grants, unless they are there already: when the auth policy has settled who it is. */
void granted_fill(struct exchange *x);
/* Now, as grants have it: never behind the clock of who gave them. */
uint64_t granted_now_ns(const struct exchange *x);
/* Whose key or token it is, as the registry names people; empty: nobody's, as far as it knows. */
struct slice granted_person(const struct exchange *x);

#endif
