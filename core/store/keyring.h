/*
 * API keys as a worker sees them: an immutable section of the registry, looked up by the SHA-256 of the whole key.
 *
 *     struct keyring *ring = keyring_map(fd, &why);            // what store/keyring_build.h made
 *     uint8_t digest[KEY_DIGEST_BYTES];
 *     keyring_digest(presented, digest);
 *     const struct key_record *key = keyring_find(ring, digest); // NULL: no such key
 *     keyring_unref(ring);
 *
 * The key itself is never stored, logged or handed to Lua; digests are compared in constant time, whole.
 * A record is valid while its keyring is held. Expiry and revocation are the caller's to check (key_record_is_live).
 * The section is read in place; a record is made of a row when its key is first found, and kept.
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
struct section_about;

struct key_label {
    struct slice name, value;
};

struct key_record {
    uint8_t digest[KEY_DIGEST_BYTES]; /* SHA-256 of the key's text */
    struct slice id;                  /* "key_7Q2f…": safe to show */
    struct slice app, department, user, team, tier, region, clearance, env; /* empty: not said */
    struct slice person; /* "per_7Q2f…": whose it is, in the registry; empty: nobody's, as far as is known */
    struct slice subject; /* of a token's its "sub"; of a key's empty */
    struct slice *roles;
    size_t role_count;
    struct key_label *labels; /* any further name = value */
    size_t label_count;
    struct slice *approvals;  /* models this holder is approved for, said with the key itself */
    size_t approval_count;
    uint64_t expires_wall_ns; /* 0: never */
    /* When the owner's identity provider last said that he is there; 0: nobody has to say so. How long that counts is
     * the policies' to say (auth_rules.confirm_ns). */
    uint64_t confirmed_wall_ns;
    bool is_revoked;
    bool ends_requests; /* revoked, and what it began shall not go on */
};

/* From a sealed memory file, or of a copy of its bytes. NULL and *why: it is not one, and nothing of it is taken. */
struct keyring *keyring_map(int fd, struct fault *why);
struct keyring *keyring_copy(struct slice section, struct fault *why);
/* One with no keys. */
struct keyring *keyring_empty(void);
struct keyring *keyring_ref(struct keyring *ring);
void keyring_unref(struct keyring *ring); /* NULL is welcome */
size_t keyring_count(const struct keyring *ring);
/* NULL: it is of no section. */
const struct section_about *keyring_about(const struct keyring *ring);
/* In the section's order; index must be below the count. */
const struct key_record *keyring_at(const struct keyring *ring, size_t index);

void keyring_digest(struct slice key, uint8_t digest[KEY_DIGEST_BYTES]);
const struct key_record *keyring_find(const struct keyring *ring, const uint8_t digest[KEY_DIGEST_BYTES]);
bool key_record_is_live(const struct key_record *key, uint64_t now_wall_ns);
/* The record's end, where its owner has to be confirmed each confirm_ns (0: never has to); 0: there is none. */
uint64_t key_record_end(const struct key_record *key, uint64_t confirm_ns);

#endif
