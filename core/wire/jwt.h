/*
 * A signed token (JWT as compact JWS: RFC 7515, 7519, 8725): taken apart, verified, its claims read.
 *
 *     struct jwt t;
 *     jwt_init(&t);
 *     enum jwt_refusal no = jwt_parse(&t, token);                       // shape only: nothing of it may be believed
 *     if (no == JWT_GOOD) no = jwt_verify(&t, &rules, set, now_s);      // t.issuer said whose rules and keys
 *     if (no == JWT_GOOD) node = jwt_claim(&t, SLICE("sub"));
 *     jwt_clear(&t);
 *
 * The algorithm is one that the rules allow and that the key is for; there is no "none" and no HMAC. Keys come from the
 * issuer's set alone: "jwk", "jku", "x5c", "x5u" in a token's header are never looked at, and "kid" is compared,
 * nothing else. Header or claims in which a member stands twice, any "crit", "b64" and a "typ" of another kind of token
 * are refused. "exp" must be there. The token's bytes are borrowed until jwt_clear().
 * Bounds: LIMIT_TOKEN_BYTES, LIMIT_TOKEN_MEMBERS, LIMIT_KID_BYTES.
 */
#ifndef MOONGATE_WIRE_JWT_H
#define MOONGATE_WIRE_JWT_H

#include "base/arena.h"
#include "wire/json.h"
#include "wire/jwks.h"

/* Why a token is refused: name, word for records and metrics, what the record says.
 * From JWT_EXPIRED on the signature was good, and the caller may be told which it is. */
/* clang-format off */
#define JWT_REFUSALS(X)                                                                                                \
    X(GOOD,          "accepted",           "the token is good")                                                        \
    X(TOO_LARGE,     "too_large",          "the token is larger than a token may be")                                  \
    X(MALFORMED,     "malformed",          "it is not three parts of base64url, or one is not what RFC 7519 says")     \
    X(UNSUPPORTED,   "unsupported",        "its header asks for something that is not understood (crit, b64 or typ)")  \
    X(ALGORITHM,     "algorithm",          "its alg is not one of those that auth.lua allows for the issuer")          \
    X(ISSUER,        "issuer",             "its issuer (iss) is none of auth.lua's")                                   \
    X(NO_KEYS,       "keys_unavailable",   "the issuer's keys (JWKS) could not be had")                                \
    X(UNKNOWN_KEY,   "unknown_key",        "the issuer's keys have none of its kid for its alg")                       \
    X(AMBIGUOUS_KEY, "ambiguous_key",      "it names no key (kid), and the issuer has several for its alg")            \
    X(SIGNATURE,     "signature",          "its signature is wrong")                                                   \
    X(EXPIRED,       "expired",            "the token has expired")                                                    \
    X(EARLY,         "not_yet_valid",      "the token is not valid yet: its nbf or iat lies in the future")            \
    X(AUDIENCE,      "audience",           "the token is meant for another audience")                                  \
    X(CLAIM,         "claim",              "a claim of the token cannot be used")                                      \
    X(DISABLED,      "person_disabled",    "whose token it is has been disabled in the registry")
/* clang-format on */

enum jwt_refusal {
#define X(name, word, text) JWT_##name,
    JWT_REFUSALS(X)
#undef X
};
#define JWT_REFUSAL_COUNT (JWT_DISABLED + 1)

const char *jwt_refusal_word(enum jwt_refusal refusal);
const char *jwt_refusal_text(enum jwt_refusal refusal);

/* What one issuer's tokens must be like. */
struct jwt_rules {
    struct slice issuer;     /* exactly */
    struct slice *audiences; /* one of them */
    size_t audience_count;
    unsigned algorithms; /* bit 1 << enum jwt_alg */
    uint32_t leeway_s;
};

struct jwt {
    struct slice issuer; /* as the token says: believed only after jwt_verify() */
    uint64_t expires_s;  /* exp, since 1970 */
    /* private */
    struct arena arena;
    struct json_tape header, claims;
    struct slice signed_part, signature;
};

void jwt_init(struct jwt *t);
void jwt_clear(struct jwt *t);
enum jwt_refusal jwt_parse(struct jwt *t, struct slice token);
/* keys NULL: JWT_NO_KEYS, once everything is checked that needs none. */
enum jwt_refusal jwt_verify(struct jwt *t, const struct jwt_rules *rules, const struct jwks *keys, uint64_t now_s);
/* The member of the claims that is called so, else the one at the end of a path with dots ("realm_access.roles");
 * JSON_NONE when there is none. */
uint32_t jwt_claim(const struct jwt *t, struct slice name);

/* Three parts with dots, as no API key has them: for who must tell them apart. Says nothing about validity. */
bool jwt_looks_like(struct slice text);

#endif
