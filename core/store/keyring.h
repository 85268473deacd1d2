/*
 * API keys as a worker sees them: an immutable snapshot of the registry, looked up by the SHA-256 of the whole key.
 *
 *     struct keyring *ring = keyring_parse(json, &why);        // the snapshot the registry made
 *     uint8_t digest[KEY_DIGEST_BYTES];
 *     keyring_digest(presented, digest);
 *     const struct key_record *key = keyring_find(ring, digest); // NULL: no such key
 *     keyring_unref(ring);
 *
 * The key itself is never stored, logged or handed to Lua; digests are compared in constant time, whole.
 * A record is valid while its keyring is held. Expiry and revocation are the caller's to check (key_record_is_live).
 */
#ifndef MOONGATE_STORE_KEYRING_H
#define MOONGATE_STORE_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

#define KEY_DIGEST_BYTES 32

struct keyring;

struct key_label {
    struct slice name, value;
};

struct key_record {
    uint8_t digest[KEY_DIGEST_BYTES]; /* SHA-256 of the key's text */
    struct slice id;                  /* "key_7Q2f…": safe to show */
    struct slice app, department, user, team, tier, region, clearance, env; /* empty: not said */
    struct slice *roles;
    size_t role_count;
    struct key_label *labels; /* any further name = value */
    size_t label_count;
    struct slice *approvals;  /* models this holder is approved for, until the governance store holds them */
    size_t approval_count;
    uint64_t expires_wall_ns; /* 0: never */
    bool is_revoked;
    bool ends_requests; /* revoked, and what it began shall not go on */
};

/* A snapshot: {"keys":[{"id","digest" (64 hex),"app","department","user","team","tier","region","clearance","env",
 * "roles":[…],"labels":{…},"approvals":[…],"expires_at" (s since 1970, 0 never),"revoked",
 * "ends_requests"}]}. NULL and *why on bad input. */
struct keyring *keyring_parse(struct slice json, struct fault *why);
/* One with no keys. */
struct keyring *keyring_empty(void);
struct keyring *keyring_ref(struct keyring *ring);
void keyring_unref(struct keyring *ring); /* NULL is welcome */
size_t keyring_count(const struct keyring *ring);
/* In the snapshot's order; index must be below the count. */
const struct key_record *keyring_at(const struct keyring *ring, size_t index);

void keyring_digest(struct slice key, uint8_t digest[KEY_DIGEST_BYTES]);
const struct key_record *keyring_find(const struct keyring *ring, const uint8_t digest[KEY_DIGEST_BYTES]);
bool key_record_is_live(const struct key_record *key, uint64_t now_wall_ns);

#endif
