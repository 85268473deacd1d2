/*
 * Keys of the admin API: credentials of the kind "admin", each a person's. They open nothing on the data listener, as
 * keys of callers open nothing here.
 *
 *     struct key_made made;
 *     if (!registry_admin_key_create(r, person, expires_at, &by, &made, &why)) …   // made.text: "mga_…", shown once
 *     struct admin_key key;
 *     registry_admin_key_find(r, made.text as it came, now_s, &key, &why);
 *
 * As of all keys only the SHA-256 is kept. A key is good while it is not revoked, has not expired, and its owner is
 * there and not disabled: told at each look, never copied.
 */
#ifndef MOONGATE_STORE_REGISTRY_ADMIN_KEYS_H
#define MOONGATE_STORE_REGISTRY_ADMIN_KEYS_H

#include "base/limits.h"
#include "store/registry/people.h"

#define ADMIN_KEY_PREFIX "mga_" /* as long as KEY_TEXT_PREFIX */

/* A good one, and whose it is. */
struct admin_key {
    char id[KEY_ID_BYTES];
    char person[PERSON_ID_BYTES];
    char kind[8];                           /* "human", "service" */
    char name[LIMIT_KEY_FIELD_BYTES + 1];   /* of the person, else his subject */
};

/* REGISTRY_UNKNOWN: there is no such person; REGISTRY_NOT_HUMAN: he is disabled. expires_at 0: never. */
bool registry_admin_key_create(struct registry *r, struct slice person, int64_t expires_at, const struct change_by *by,
                               struct key_made *made, struct fault *why);
/* REGISTRY_MISSING: it is none, or not good now. */
enum registry_found registry_admin_key_find(struct registry *r, struct slice text, int64_t now_s,
                                            struct admin_key *key, struct fault *why);
/* Doing it twice changes nothing. if_rev as in people.h. */
enum registry_found registry_admin_key_revoke(struct registry *r, struct slice id, int64_t if_rev,
                                              const struct change_by *by, struct fault *why);
/* All, oldest first: "id", "tail", "owner", "created_at", "expires_at", "revoked_at" (0: never, not), "rev". */
struct json_t *registry_admin_keys(struct registry *r, struct fault *why);
/* REGISTRY_MISSING: there is no credential of that id; else its kind: "data", "admin", "scim". */
enum registry_found registry_credential_kind(struct registry *r, struct slice id, char kind[8], struct fault *why);

#endif
