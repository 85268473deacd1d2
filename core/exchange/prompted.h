/*
 * The prompt that a request names, and which version answers it: facts for policies, the record and the client.
 *
 *     if (prompted_is(&x->prompted)) ... x->prompted.name, x->prompted.version ...
 *
 * All texts are in the exchange's arena, or static. Names of variables alone: never what callers give.
 */
#ifndef MOONGATE_EXCHANGE_PROMPTED_H
#define MOONGATE_EXCHANGE_PROMPTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct prompted {
    struct slice name;      /* empty: none is named */
    struct slice version;   /* "2.1.0" */
    struct slice sha256;    /* of its content, hexadecimal */
    struct slice status;    /* "approved", "archived", "draft" */
    struct slice label;     /* it was found by; empty: by its number */
    struct slice data;      /* the class of data that it says; empty: none */
    struct slice shown;     /* "support/reply@2.1.0", as the client is told */
    uint32_t share;         /* of that label, in thousandths; 0: by its number */
    struct slice variables; /* JSON: names of those that were given; empty: none */
    uint64_t bytes;         /* of all values */
    bool is_verified;       /* the caller's messages were an instance of it; else it was written */
};

static inline bool prompted_is(const struct prompted *p)
{
    return p->name.len > 0;
}

#endif
