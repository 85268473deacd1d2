/* Whose request it is: the presented credential's SHA-256 names a key record, or none. Policies never see the key. */
#include "flow/job.h"

/* "Bearer" and one or more spaces (RFC 6750 2.1; the scheme's case does not matter, RFC 9110 11.1). */
static struct slice bearer_token(struct slice authorization)
{
    struct slice rest;
    struct slice scheme = slice_split(authorization, ' ', &rest);
    return slice_iequal(scheme, SLICE("Bearer")) ? slice_trim(rest) : SLICE_NONE;
}

void identify(struct job *job)
{
    struct exchange *x = job->x;
    uint8_t digest[KEY_DIGEST_BYTES];
    struct slice key = bearer_token(exchange_header(x, SLICE("authorization")));
    if (!key.len) key = slice_trim(exchange_header(x, SLICE("x-api-key")));
    if (!key.len) return;
    x->key_presented = true;
    keyring_digest(key, digest);
    x->key = keyring_find(x->keyring, digest);
}
