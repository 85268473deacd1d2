/*
 * Tokens and sets of keys from anybody: no reader leaves the bytes, and nobody who holds no key makes a good token.
 *
 * The input is tried as a token, as a set of keys, and as a token's header and claims (a line each), which reach deeper
 * than the few inputs that are base64url throughout.
 */
#include <stdint.h>

#include "../unit/wire/signer.h"

#include "base/check.h"
#include "wire/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* RFC 8037 A.1 and RFC 7515 A.3: keys whose private halves this fuzzer does not have. */
static const char set_text[] =
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"es\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static void judge(struct slice token, const struct jwks *set)
{
    struct slice audience = SLICE("moongate");
    struct jwt t;
    jwt_init(&t);
    if (jwt_parse(&t, token) == JWT_GOOD) {
        struct jwt_rules rules = {
            .issuer = t.issuer, .audiences = &audience, .audience_count = 1, .algorithms = 7, .leeway_s = 30};
        check(jwt_verify(&t, &rules, set, 1764000000) != JWT_GOOD);
        jwt_claim(&t, SLICE("a.b.c"));
    }
    jwt_clear(&t);
}

static void judge_lines(struct slice text, const struct jwks *set)
{
    struct slice claims, signature;
    struct buf token;
    struct slice header = slice_split(text, '\n', &claims);
    claims = slice_split(claims, '\n', &signature);
    buf_init(&token);
    signer_base64(&token, header);
    buf_append_char(&token, '.');
    signer_base64(&token, claims);
    buf_append_char(&token, '.');
    signer_base64(&token, signature);
    judge(buf_slice(&token), set);
    buf_clear(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct jwks *set;
    struct fault why;
    struct slice input = slice_of((const char *)bytes, len);
    if (!set) set = jwks_parse(slice_str(set_text), &why);
    check(set);
    judge(input, set);
    judge_lines(input, set);
    struct jwks *own = jwks_parse(input, &why);
    if (own) judge_lines(SLICE("{\"alg\":\"ES256\"}\n{\"iss\":\"a\"}\nx"), own);
    jwks_unref(own);
    return 0;
}
