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

/* ---- By the rules in force (registry_govern); approvals_rules.c. */

struct governance_row;

/* Whose access to what. */
struct access_subject {
    struct slice kind, subject, object, purpose, department;
};

/* NULL: no rules are known, or no row wants an approval there. */
const struct governance_row *access_row(const struct registry *r, struct slice object, struct slice department);
/* May a grant of this row be this subject's, for this purpose? REGISTRY_INVALID with the row's place. */
bool access_fits(struct registry *r, const struct governance_row *row, const struct access_subject *s,
                 struct fault *why);
/* The rules' roles and times take the place of those in the spec; REGISTRY_INVALID: they allow less. */
bool access_ask_by_rules(struct registry *r, struct access_spec *spec, struct fault *why);
bool access_break_by_rules(struct registry *r, struct glass_spec *spec, struct fault *why);

#endif
