/* Sets of keys: which are kept, which are passed over, what is no set. */
#include "../unit.h"

#include <openssl/evp.h>

#include "base/limits.h"
#include "signer.h"

static EVP_PKEY *keys[JWT_ALGS];

static void jwk(struct buf *out, enum jwt_alg alg, const char *kid, const char *more)
{
    if (buf_len(out) > 0) buf_append_char(out, ',');
    signer_jwk(out, alg, keys[alg], kid, more);
}

/* NULL with what is wrong in *why. */
static struct jwks *parse_list(const struct buf *list, struct fault *why)
{
    struct buf json;
    buf_init(&json);
    buf_printf(&json, "{\"keys\":[%.*s],\"more\":1}", SLICE_FMT(buf_slice(list)));
    struct jwks *set = jwks_parse(buf_slice(&json), why);
    buf_clear(&json);
    return set;
}

/* The reason why this one key is passed over, by a set that has a good one beside it. */
static void expect_passed(const char *text, const char *word)
{
    struct buf list;
    struct fault why;
    const char *reason = NULL;
    buf_init(&list);
    jwk(&list, JWT_EDDSA, "good", "");
    buf_printf(&list, ",%s", text);
    struct jwks *set = parse_list(&list, &why);
    if (!set) {
        UNIT_FAIL("%s: %s", text, why.text);
    } else if (jwks_count(set) != 1 || jwks_passed_over(set, &reason) != 1 || !strstr(reason, word)) {
        UNIT_FAIL("%s: %zu kept; %s", text, jwks_count(set), reason ? reason : "no reason");
    }
    jwks_unref(set);
    buf_clear(&list);
}

static void expect_made_passed(enum jwt_alg alg, const char *more, const char *word)
{
    struct buf text;
    buf_init(&text);
    jwk(&text, alg, "k", more);
    buf_append_char(&text, '\0');
    expect_passed(buf_ptr(&text), word);
    buf_clear(&text);
}

static void keys_that_must_not_verify_are_passed_over(void)
{
    expect_passed("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"alg\":\"HS256\"}", "symmetric");
    expect_passed("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}", "its type");
    expect_passed("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}", "its type");
    expect_passed("{}", "its type");
    expect_passed("{\"kty\":1}", "its type");
    expect_made_passed(JWT_RS256, ",\"use\":\"enc\"", "use");
    expect_made_passed(JWT_RS256, ",\"use\":1", "use");
    expect_made_passed(JWT_RS256, ",\"key_ops\":[\"encrypt\"]", "key_ops");
    expect_made_passed(JWT_RS256, ",\"key_ops\":\"verify\"", "key_ops");
    expect_made_passed(JWT_RS256, ",\"alg\":\"RS512\"", "alg");
    expect_made_passed(JWT_RS256, ",\"alg\":\"HS256\"", "alg");
    expect_made_passed(JWT_ES256, ",\"alg\":\"RS256\"", "alg");
    expect_made_passed(JWT_EDDSA, ",\"d\":\"AAAA\"", "private");
    expect_passed("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "2048");
    expect_passed("{\"kty\":\"RSA\",\"n\":\"AQ==\",\"e\":\"AQAB\"}", "malformed");
    expect_passed("{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "missing");
    expect_passed("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "32 bytes");
    expect_passed("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}", "32 bytes");
    expect_passed("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
                  "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
                  "curve");
}

static void a_short_rsa_key_is_passed_over(void)
{
    EVP_PKEY *kept = keys[JWT_RS256];
    keys[JWT_RS256] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    expect_made_passed(JWT_RS256, "", "2048 bits");
    EVP_PKEY_free(keys[JWT_RS256]);
    keys[JWT_RS256] = kept;
}

static void what_says_that_it_verifies_is_kept(void)
{
    struct buf list;
    struct fault why;
    const struct jwks_key *key;
    buf_init(&list);
    jwk(&list, JWT_RS256, "a", ",\"use\":\"sig\",\"key_ops\":[\"verify\"],\"alg\":\"RS256\",\"x5c\":[\"MIIB\"]");
    jwk(&list, JWT_ES256, "a", ",\"key_ops\":[\"sign\",\"verify\"]"); /* another type may have the same id (RFC 7517 4.5) */
    jwk(&list, JWT_EDDSA, NULL, "");
    struct jwks *set = parse_list(&list, &why);
    EXPECT(set != NULL);
    if (set) {
        EXPECT_INT(3, jwks_count(set));
        EXPECT_INT(JWKS_FOUND, jwks_find(set, SLICE("a"), JWT_RS256, &key));
        EXPECT_INT(JWKS_FOUND, jwks_find(set, SLICE("a"), JWT_ES256, &key));
        EXPECT_INT(JWKS_UNKNOWN, jwks_find(set, SLICE("a"), JWT_EDDSA, &key));
        EXPECT_INT(JWKS_FOUND, jwks_find(set, SLICE_NONE, JWT_EDDSA, &key));
        jwks_unref(jwks_ref(set));
    }
    jwks_unref(set);
    buf_clear(&list);
}

static void doubles(void)
{
    struct buf list;
    struct fault why;
    const struct jwks_key *key;
    buf_init(&list);
    jwk(&list, JWT_ES256, "a", "");
    jwk(&list, JWT_ES256, "a", ",\"use\":\"sig\"");
    struct jwks *set = parse_list(&list, &why);
    EXPECT(set && jwks_count(set) == 1); /* the same key twice is one */
    jwks_unref(set);
    EVP_PKEY *other = keys[JWT_ES256];
    keys[JWT_ES256] = signer_key(JWT_ES256);
    jwk(&list, JWT_ES256, "a", "");
    EXPECT(!parse_list(&list, &why) && strstr(why.text, "same kid, 'a'"));
    buf_reset(&list);
    jwk(&list, JWT_ES256, NULL, "");
    EVP_PKEY_free(keys[JWT_ES256]);
    keys[JWT_ES256] = other;
    jwk(&list, JWT_ES256, NULL, "");
    set = parse_list(&list, &why);
    EXPECT(set && jwks_count(set) == 2);
    if (set) EXPECT_INT(JWKS_AMBIGUOUS, jwks_find(set, SLICE_NONE, JWT_ES256, &key));
    jwks_unref(set);
    buf_reset(&list);
    jwk(&list, JWT_ES256, "a", ",\"\\u006bty\":\"RSA\"");
    EXPECT(!parse_list(&list, &why) && strstr(why.text, "twice"));
    buf_clear(&list);
}

static void what_is_no_set(void)
{
    static const struct {
        const char *json, *word;
    } cases[] = {
        {"", "byte"},
        {"[]", "JWK set"},
        {"{}", "JWK set"},
        {"{\"keys\":{}}", "JWK set"},
        {"{\"keys\":[],\"keys\":[]}", "JWK set"},
        {"{\"keys\":[]}", "no key"},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}", "symmetric"},
        {"{\"keys\":[1]}", "keys[0]"},
        {"{\"keys\":[{}],}", "byte"},
        {"<!doctype html>", "byte"},
    };
    struct fault why;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct jwks *set = jwks_parse(slice_str(cases[i].json), &why);
        if (set || !strstr(why.text, cases[i].word)) UNIT_FAIL("%s: %s", cases[i].json, set ? "taken" : why.text);
        jwks_unref(set);
    }
    struct buf list;
    buf_init(&list);
    for (unsigned i = 0; i <= LIMIT_JWKS_KEYS; i++)
        buf_printf(&list, "%s{}", i ? "," : "");
    EXPECT(!parse_list(&list, &why) && strstr(why.text, "limit"));
    buf_reset(&list);
    while (buf_len(&list) <= LIMIT_JWKS_BYTES)
        buf_append(&list, SLICE("                "));
    EXPECT(!parse_list(&list, &why) && strstr(why.text, "larger"));
    buf_clear(&list);
}

int main(void)
{
    for (int alg = 0; alg < JWT_ALGS; alg++)
        keys[alg] = signer_key((enum jwt_alg)alg);
    RUN(keys_that_must_not_verify_are_passed_over);
    RUN(a_short_rsa_key_is_passed_over);
    RUN(what_says_that_it_verifies_is_kept);
    RUN(doubles);
    RUN(what_is_no_set);
    for (int alg = 0; alg < JWT_ALGS; alg++)
        EVP_PKEY_free(keys[alg]);
    return unit_close("jwks");
}
