/*
 * What may be changed of a key that callers have, without a new secret: whose it is, until when it lives, its labels.
 *
 *     struct key_change change = {.has_owner = true, .owner = SLICE("per_…")};
 *     registry_key_change(r, id, if_rev, &change, &by, &why);
 */
#ifndef MOONGATE_STORE_REGISTRY_KEY_CHANGE_H
#define MOONGATE_STORE_REGISTRY_KEY_CHANGE_H

#include "store/registry/registry.h"

struct key_change {
    bool has_owner, has_end, has_labels;
    struct slice owner; /* the id of a person; empty: nobody's */
    int64_t expires_at; /* seconds since 1970, after now; 0: never */
    struct json_t *labels; /* an object of texts, borrowed; all labels are these from now on */
};

/* Of a key that is not revoked: REGISTRY_IMMUTABLE. if_rev: what was seen; 0: as it may be (REGISTRY_STALE). */
enum registry_found registry_key_change(struct registry *r, struct slice id, int64_t if_rev,
                                        const struct key_change *change, const struct change_by *by, struct fault *why);

#endif
