/*
 * What requests, decisions and grants share; nobody else includes it.
 */
#ifndef MOONGATE_STORE_REGISTRY_APPROVALS_INNER_H
#define MOONGATE_STORE_REGISTRY_APPROVALS_INNER_H

#include "store/registry/approvals.h"
#include "store/registry/registry_inner.h"

/* A request, inside the transaction that changes it. Owns its texts. */
struct access_old {
    char *subject_kind, *subject, *object, *purpose, *requested_by;
    struct json_t *rule; /* {"by", "also", "department"} */
    int64_t seconds, expires_at, rev;
    bool is_pending;
};

enum registry_found access_read(struct registry *r, struct slice id, struct access_old *old, struct fault *why);
void access_forget(struct access_old *old);
bool access_set_state(struct registry *r, struct slice id, const char *state, struct fault *why);
/* Also where one was merged into the other. */
bool access_is_same_person(struct registry *r, struct slice one, struct slice other, bool *is_same, struct fault *why);

bool access_check_subject(struct slice kind, struct slice subject, struct slice object, struct fault *why);
bool access_check_purpose(struct slice purpose, struct fault *why);

#endif
