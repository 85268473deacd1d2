/*
 * Hashes of bytes: XXH3, 64 bits (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).
 *
 *     uint64_t draw = hash_bytes(SLICE("user-17"), 0);   // the same everywhere and for ever: may decide, be recorded
 *     uint64_t slot = hash_secret(key);                  // another in every start of the gateway: for tables
 *
 * Whoever knows a hash can make texts that share it. A table whose keys come from outside takes hash_secret(): its
 * secret is drawn once a process, and a forked one has its parent's. Neither is a digest: what must be told apart from
 * what an enemy makes up is hashed with SHA-256.
 */
#ifndef MOONGATE_BASE_HASH_H
#define MOONGATE_BASE_HASH_H

#include <stdint.h>

#include "base/slice.h"

uint64_t hash_bytes(struct slice bytes, uint64_t seed);
uint64_t hash_secret(struct slice bytes);
/* 128 bits under a secret of one's own, which processes may share. */
#define HASH_SECRET_BYTES 136
void hash_twice(struct slice bytes, const uint8_t secret[HASH_SECRET_BYTES], uint64_t out[2]);

#endif
