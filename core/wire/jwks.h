/*
 * The public keys of an issuer of tokens: a JWK Set (RFC 7517, 7518, 8037) read once, then only looked at.
 *
 *     struct jwks *set = jwks_parse(json, &why);            // NULL: not a set, or no key in it can be used
 *     switch (jwks_find(set, kid, JWT_ES256, &key)) { case JWKS_FOUND: … }
 *     bool good = jwks_verify(key, JWT_ES256, signed_bytes, signature);
 *     jwks_unref(set);
 *
 * Kept are RSA keys of 2048 to 8192 bits, EC keys on P-256 and Ed25519 keys that are meant for verifying signatures
 * ("use", "key_ops", "alg"). Others are passed over, as RFC 7517 5 asks; jwks_passed_over() says how many and why.
 * Refused as a whole is what cannot be meant: members that stand twice, two different keys of one type and "kid", more
 * than LIMIT_JWKS_BYTES or LIMIT_JWKS_KEYS. Symmetric and private keys are never kept: both forge as well as they
 * verify. All cryptography is OpenSSL's.
 */
#ifndef MOONGATE_WIRE_JWKS_H
#define MOONGATE_WIRE_JWKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "base/slice.h"

/* There is no word for "none" or HMAC, so that no table can allow them. */
enum jwt_alg { JWT_RS256, JWT_ES256, JWT_EDDSA };
#define JWT_ALGS (JWT_EDDSA + 1)

const char *jwt_alg_name(enum jwt_alg alg); /* "RS256" */
bool jwt_alg_parse(struct slice name, enum jwt_alg *alg);

struct jwks;
struct jwks_key;

struct jwks *jwks_parse(struct slice json, struct fault *why);
struct jwks *jwks_ref(struct jwks *set);
void jwks_unref(struct jwks *set); /* NULL is welcome */
size_t jwks_count(const struct jwks *set);
/* Keys that were not kept, and in *reason why the first of them was not. */
size_t jwks_passed_over(const struct jwks *set, const char **reason);

enum jwks_found {
    JWKS_FOUND,
    JWKS_UNKNOWN,   /* none of that id, or none that takes this algorithm */
    JWKS_AMBIGUOUS, /* the token names no key, and several would do */
};

/* kid.ptr NULL: the token names none; then the set's only key for the algorithm is meant. The key lives as long as the
 * set. */
enum jwks_found jwks_find(const struct jwks *set, struct slice kid, enum jwt_alg alg, const struct jwks_key **key);
/* Is it the signature of exactly these bytes? alg must be one that jwks_find() found the key for. */
bool jwks_verify(const struct jwks_key *key, enum jwt_alg alg, struct slice bytes, struct slice signature);

#endif
