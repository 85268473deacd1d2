/*
 * A section of top-ups: what who builds it and who reads it share; nobody else includes it.
 */
#ifndef MOONGATE_STORE_TOPUPS_INNER_H
#define MOONGATE_STORE_TOPUPS_INNER_H

#include "store/section/section.h"
#include "store/topups.h"

enum { TOPUPS_ITEMS, TOPUPS_SCOPES, TOPUPS_BY_SCOPE, TOPUPS_TABLES };

struct topup_row {
    int64_t nano, starts_at, ends_at;
    struct section_text id, budget, scope;
    uint32_t next, reserved; /* next: one before it of the same scope; itself: there is none */
};

struct topup_scope {
    struct section_text scope;
    uint32_t last, reserved; /* last: the row of TOPUPS_ITEMS that came last */
};

extern const struct section_shape topups_shape;

#endif
