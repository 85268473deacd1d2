#include "base/hash.h"

#include <stdbool.h>
#include <sys/random.h>
#include <xxhash.h>

#include "base/check.h"

uint64_t hash_bytes(struct slice bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.ptr, bytes.len, seed);
}

/* A secret and not a seed: from a seed XXH3 makes its secret by adding it, which leaves most of it known. */
static const uint8_t *process_secret(void)
{
    static uint8_t secret[XXH3_SECRET_SIZE_MIN];
    static bool is_made;
    if (!is_made) check(getrandom(secret, sizeof secret, 0) == (ssize_t)sizeof secret);
    is_made = true;
    return secret;
}

uint64_t hash_secret(struct slice bytes)
{
    return XXH3_64bits_withSecret(bytes.ptr, bytes.len, process_secret(), XXH3_SECRET_SIZE_MIN);
}

_Static_assert(HASH_SECRET_BYTES >= XXH3_SECRET_SIZE_MIN, "XXH3 wants more");

void hash_twice(struct slice bytes, const uint8_t secret[HASH_SECRET_BYTES], uint64_t out[2])
{
    XXH128_hash_t hash = XXH3_128bits_withSecret(bytes.ptr, bytes.len, secret, HASH_SECRET_BYTES);
    out[0] = hash.low64;
    out[1] = hash.high64;
}
