/*
 * Who acts: people and services, and the roles they have. Keys, sign-ins and decisions belong to a person; "somebody
 * else" compares persons, never keys or e-mail.
 *
 *     struct person_spec ana = {.kind = PERSON_HUMAN, .issuer = SLICE("https://id.example"), .subject = SLICE("ana")};
 *     char id[PERSON_ID_BYTES];
 *     if (!registry_person_create(r, &ana, &by, id, &why)) …        // REGISTRY_EXISTS: it is there
 *     struct role_spec role = {slice_str(id), SLICE("approver"), SLICE("claims"), .given_by = SLICE("per_…")};
 *     if (!registry_role_give(r, &role, &by, &why)) …                   // REGISTRY_SELF_APPROVAL
 *     registry_role_is_held(r, id, SLICE("approver"), SLICE("claims"), now_s, &is_held, &why);
 *
 * Nobody is ever deleted. Who was merged into somebody else counts as that one, in what he did before too; he himself
 * is disabled. A role's scope is a department, or "*"; a free word is a role as well ("legal").
 * if_rev: the `rev` of the object as it was seen (If-Match); 0: as it may be. REGISTRY_FAILED and
 * REGISTRY_STALE: somebody changed it meanwhile.
 */
#ifndef MOONGATE_STORE_REGISTRY_PEOPLE_H
#define MOONGATE_STORE_REGISTRY_PEOPLE_H

#include "store/registry/registry.h"

#define PERSON_ID_BYTES 17 /* "per_", 12 characters of base 62, the NUL */
#define PERSON_LOCAL SLICE("local") /* the issuer of who has no identity provider */

enum person_kind { PERSON_HUMAN, PERSON_SERVICE };

/* Empty: not said. */
struct person_spec {
    enum person_kind kind;
    struct slice issuer, subject, name, email, department;
    struct slice made_by; /* of a service: the person who made it */
};

bool registry_person_create(struct registry *r, const struct person_spec *spec, const struct change_by *by,
                            char id[PERSON_ID_BYTES], struct fault *why);
/* Whose sign-in that is: the one he was merged into, where he was. */
enum registry_found registry_person_find(struct registry *r, struct slice issuer, struct slice subject,
                                         char id[PERSON_ID_BYTES], struct fault *why);
/* Who is disabled has no key, no session, no role and no grant that counts, until he is enabled again; what was revoked
 * by hand stays so. Doing it twice changes nothing. */
enum registry_found registry_person_disable(struct registry *r, struct slice id, int64_t if_rev,
                                            const struct change_by *by, struct fault *why);
enum registry_found registry_person_enable(struct registry *r, struct slice id, int64_t if_rev,
                                           const struct change_by *by, struct fault *why);
/* `from` is from now on the same as `into`, and disabled. For good. REGISTRY_MISSING: one of them is not there. */
enum registry_found registry_person_merge(struct registry *r, struct slice from, struct slice into,
                                          const struct change_by *by, struct fault *why);
/* One, or all (id empty), as objects: "id", "kind", "issuer", "subject", "name", "email", "department", "made_by",
 * "confirmed_at", "disabled_at", "same_as", "clearance", "user_name", "managed_by", "rev" (what is not said is left
 * out; instants 0), "roles": as below. */
struct json_t *registry_people(struct registry *r, struct slice id, struct fault *why);

struct role_spec {
    struct slice person, role, scope;
    struct slice given_by; /* a person, or who runs a command where there is none */
    int64_t ends_at;       /* 0: never */
};

/* Giving what is held is REGISTRY_EXISTS. */
bool registry_role_give(struct registry *r, const struct role_spec *spec, const struct change_by *by,
                        struct fault *why);
enum registry_found registry_role_take(struct registry *r, const struct role_spec *spec, const struct change_by *by,
                                       struct fault *why);
/* All, of one person (or of everybody: empty): "person", "role", "scope", "given_by", "at", "ends_at" (0), "rev". */
struct json_t *registry_roles(struct registry *r, struct slice person, struct fault *why);
/* By a person who is not disabled, in a scope that covers the department. */
bool registry_role_is_held(struct registry *r, struct slice person, struct slice role, struct slice department,
                           int64_t now_s, bool *is_held, struct fault *why);

#endif
