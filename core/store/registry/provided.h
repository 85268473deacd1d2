/*
 * People as an identity provider keeps them up to date (SCIM): one credential of the kind "scim" speaks for one issuer.
 *
 *     registry_scim_key_create(r, issuer, owner, expires_at, &by, &made, &why);      // made.text: "mgs_…", shown once
 *     registry_scim_key_find(r, text as it came, now_s, &key, &why);
 *     struct provided_spec spec = {.key = …, .issuer = …, .subject = SLICE("8f2c…"), .user_name = SLICE("ana"), …};
 *     registry_provided_write(r, &spec, &by, id, &why);
 *
 * Who was disabled by hand is enabled by hand: REGISTRY_IMMUTABLE. Nobody is deleted: who is taken away is disabled,
 * and no longer seen here until he is made again.
 */
#ifndef MOONGATE_STORE_REGISTRY_PROVIDED_H
#define MOONGATE_STORE_REGISTRY_PROVIDED_H

#include "base/limits.h"
#include "store/registry/people.h"

#define SCIM_KEY_PREFIX "mgs_" /* as long as KEY_TEXT_PREFIX */

struct scim_key {
    char id[KEY_ID_BYTES];
    char owner[PERSON_ID_BYTES];
    char issuer[LIMIT_KEY_FIELD_BYTES + 1];
};

/* The owner answers for it: REGISTRY_UNKNOWN, there is no such person, or he is disabled. expires_at 0: never. */
bool registry_scim_key_create(struct registry *r, struct slice issuer, struct slice owner, int64_t expires_at,
                              const struct change_by *by, struct key_made *made, struct fault *why);
/* REGISTRY_MISSING: it is none, or not good now: told as of keys of the admin API. */
enum registry_found registry_scim_key_find(struct registry *r, struct slice text, int64_t now_s, struct scim_key *key,
                                           struct fault *why);

/* Empty: not said. */
struct provided_spec {
    struct slice key;    /* the id of the credential */
    struct slice issuer; /* its issuer */
    struct slice subject; /* what tokens call him: needed */
    struct slice user_name; /* needed; of no two, whatever their case */
    struct slice name, email, department;
    bool is_active;
    bool is_new; /* REGISTRY_EXISTS where he is there already; who only signed in before is taken over */
};

bool registry_provided_write(struct registry *r, const struct provided_spec *spec, const struct change_by *by,
                             char id[PERSON_ID_BYTES], struct fault *why);
enum registry_found registry_provided_remove(struct registry *r, struct slice issuer, struct slice key,
                                             struct slice id, const struct change_by *by, struct fault *why);

enum provided_by { PROVIDED_ALL, PROVIDED_ID, PROVIDED_USER_NAME, PROVIDED_SUBJECT };

/* Those of an issuer that are kept up to date, by what they are asked for: "id", "subject", "user_name", "name",
 * "email", "department", "disabled_at" (0), "rev". NULL and *why. */
struct json_t *registry_provided(struct registry *r, struct slice issuer, enum provided_by by, struct slice value,
                                 struct fault *why);

#endif
