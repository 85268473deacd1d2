/* Tokens: what the RFCs print is accepted, and what an attacker would send is not. */
#include "../unit.h"

#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/mem.h"
#include "signer.h"
#include "wire/jwt.h"

#define NOW 1764000000
#define CLAIMS "{\"iss\":\"https://a\",\"aud\":\"moongate\",\"exp\":1764000060,\"sub\":\"ana\"}"

/* RFC 7515 A.2, A.3; RFC 8037 A.4. */
#define RFC_RSA_KEY                                                                                                    \
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0" \
    "Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQ" \
    "OS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs9" \
    "1kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}"
#define RFC_PAYLOAD                                                                                                    \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC_RSA_TOKEN                                                                                                  \
    "eyJhbGciOiJSUzI1NiJ9." RFC_PAYLOAD                                                                                \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7" \
    "t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j" \
    "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQG" \
    "e77Rw"
#define RFC_EC_KEY                                                                                                     \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tu"  \
    "e659LNpXW6pCyStikYjKIWI5a0\"}"
#define RFC_EC_TOKEN                                                                                                   \
    "eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD                                                                                \
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define RFC_ED_KEY                                                                                                     \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

static EVP_PKEY *keys[JWT_ALGS];
static struct jwks *set; /* the three, under the ids rs, es, ed */

static struct jwks *set_of(const char *list)
{
    char json[8192];
    struct fault why;
    snprintf(json, sizeof json, "{\"keys\":[%s]}", list);
    struct jwks *made = jwks_parse(slice_str(json), &why);
    if (!made) UNIT_FAIL("%s", why.text);
    return made;
}

static struct slice audience = {"moongate", 8};
static struct jwt_rules rules = {
    .issuer = {"https://a", 9}, .audiences = &audience, .audience_count = 1, .algorithms = 7, .leeway_s = 0};

static enum jwt_refusal judge(struct slice token, const struct jwt_rules *by, const struct jwks *with, uint64_t now)
{
    struct jwt t;
    jwt_init(&t);
    enum jwt_refusal no = jwt_parse(&t, token);
    if (no == JWT_GOOD) no = jwt_verify(&t, by, with, now);
    jwt_clear(&t);
    return no;
}

/* A token that is signed as it should be, whatever it says. */
static enum jwt_refusal judge_made(const char *header, const char *claims)
{
    struct buf token;
    buf_init(&token);
    signer_token(&token, JWT_EDDSA, keys[JWT_EDDSA], header, claims);
    enum jwt_refusal no = judge(buf_slice(&token), &rules, set, NOW);
    buf_clear(&token);
    return no;
}

#define EXPECT_REFUSAL(want, got) EXPECT_STR(jwt_refusal_word(want), jwt_refusal_word(got))

static void the_rfcs_examples_verify(void)
{
    static const struct {
        const char *key, *token;
    } cases[] = {{RFC_RSA_KEY, RFC_RSA_TOKEN}, {RFC_EC_KEY, RFC_EC_TOKEN}};
    struct jwt_rules joe = {.issuer = SLICE("joe"), .algorithms = 7};
    for (size_t i = 0; i < 2; i++) {
        struct jwks *one = set_of(cases[i].key);
        /* They name no audience, and that is found out last. */
        EXPECT_REFUSAL(JWT_AUDIENCE, judge(slice_str(cases[i].token), &joe, one, 1300819379));
        EXPECT_REFUSAL(JWT_EXPIRED, judge(slice_str(cases[i].token), &joe, one, 1300819380));
        jwks_unref(one);
    }
    const struct jwks_key *key = NULL;
    struct jwks *ed = set_of(RFC_ED_KEY);
    uint8_t signature[64];
    EXPECT(base64url_read(SLICE("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
                          signature));
    EXPECT_INT(JWKS_FOUND, jwks_find(ed, SLICE_NONE, JWT_EDDSA, &key));
    struct slice bytes = SLICE("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
    EXPECT(jwks_verify(key, JWT_EDDSA, bytes, slice_of((char *)signature, 64)));
    signature[63] ^= 1;
    EXPECT(!jwks_verify(key, JWT_EDDSA, bytes, slice_of((char *)signature, 64)));
    jwks_unref(ed);
}

static void each_algorithm_verifies_with_its_own_key_only(void)
{
    static const char *const kids[] = {"rs", "es", "ed"};
    for (int alg = 0; alg < JWT_ALGS; alg++) {
        for (int kid = 0; kid < JWT_ALGS; kid++) {
            char header[64];
            struct buf token;
            buf_init(&token);
            snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"%s\"}", jwt_alg_name((enum jwt_alg)alg), kids[kid]);
            signer_token(&token, (enum jwt_alg)alg, keys[alg], header, CLAIMS);
            EXPECT_REFUSAL(alg == kid ? JWT_GOOD : JWT_UNKNOWN_KEY, judge(buf_slice(&token), &rules, set, NOW));
            struct jwt_rules narrow = rules;
            narrow.algorithms &= ~(1u << alg);
            EXPECT_REFUSAL(JWT_ALGORITHM, judge(buf_slice(&token), &narrow, set, NOW));
            buf_clear(&token);
        }
    }
}

/* The oldest trick: the public key's text, which everybody has, as the secret of an HMAC. */
static void a_public_key_is_no_hmac_secret(void)
{
    char *pem;
    unsigned char mac[32];
    unsigned len = 0;
    struct buf token;
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, keys[JWT_RS256]);
    long size = BIO_get_mem_data(bio, &pem);
    buf_init(&token);
    signer_base64(&token, SLICE("{\"alg\":\"HS256\",\"kid\":\"rs\"}"));
    buf_append_char(&token, '.');
    signer_base64(&token, SLICE(CLAIMS));
    HMAC(EVP_sha256(), pem, (int)size, (unsigned char *)buf_ptr(&token), buf_len(&token), mac, &len);
    buf_append_char(&token, '.');
    signer_base64(&token, slice_of((char *)mac, len));
    EXPECT_REFUSAL(JWT_ALGORITHM, judge(buf_slice(&token), &rules, set, NOW));
    buf_clear(&token);
    BIO_free(bio);
}

static void headers_that_ask_for_more_are_refused(void)
{
    static const struct {
        const char *header;
        enum jwt_refusal want;
    } cases[] = {
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", JWT_GOOD},
        {"{\"alg\":\"EdDSA\"}", JWT_GOOD}, /* the only one of its type */
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"JWT\"}", JWT_GOOD},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"at+JWT\"}", JWT_GOOD},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"logout+jwt\"}", JWT_UNSUPPORTED},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":1}", JWT_UNSUPPORTED},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"crit\":[]}", JWT_UNSUPPORTED},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"crit\":[\"exp\"],\"exp\":1}", JWT_UNSUPPORTED},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"b64\":false,\"crit\":[\"b64\"]}", JWT_UNSUPPORTED},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"b64\":true}", JWT_UNSUPPORTED},
        {"{\"alg\":\"none\",\"kid\":\"ed\"}", JWT_ALGORITHM},
        {"{\"alg\":\"None\"}", JWT_ALGORITHM},
        {"{\"alg\":\"\"}", JWT_ALGORITHM},
        {"{\"alg\":\"eddsa\",\"kid\":\"ed\"}", JWT_ALGORITHM},
        {"{\"alg\":\"EdDSA \",\"kid\":\"ed\"}", JWT_ALGORITHM},
        {"{\"alg\":\"EdDSA\\u0000\",\"kid\":\"ed\"}", JWT_ALGORITHM},
        {"{\"alg\":\"HS256\",\"kid\":\"ed\"}", JWT_ALGORITHM},
        {"{\"alg\":\"RS384\",\"kid\":\"rs\"}", JWT_ALGORITHM},
        {"{\"alg\":[\"EdDSA\"],\"kid\":\"ed\"}", JWT_MALFORMED},
        {"{\"alg\":null}", JWT_MALFORMED},
        {"{\"kid\":\"ed\"}", JWT_MALFORMED},
        {"{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"kid\":\"ed\"}", JWT_MALFORMED},
        {"{\"alg\":\"none\",\"\\u0061lg\":\"EdDSA\",\"kid\":\"ed\"}", JWT_MALFORMED},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"kid\":\"ed\"}", JWT_MALFORMED},
        {"[\"alg\"]", JWT_MALFORMED},
        {"\"alg\"", JWT_MALFORMED},
        {"{\"alg\":\"EdDSA\",\"kid\":1}", JWT_MALFORMED},
        {"{\"alg\":\"EdDSA\",\"kid\":null}", JWT_MALFORMED},
        /* An id names a key of the set and nothing else: no file, no query, no address. */
        {"{\"alg\":\"EdDSA\",\"kid\":\"\"}", JWT_UNKNOWN_KEY},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ED\"}", JWT_UNKNOWN_KEY},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\\u0000\"}", JWT_UNKNOWN_KEY},
        {"{\"alg\":\"EdDSA\",\"kid\":\"../../../../dev/null\"}", JWT_UNKNOWN_KEY},
        {"{\"alg\":\"EdDSA\",\"kid\":\"x' UNION SELECT 'k\"}", JWT_UNKNOWN_KEY},
        {"{\"alg\":\"EdDSA\",\"kid\":\"http://127.0.0.1/jwks\"}", JWT_UNKNOWN_KEY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum jwt_refusal got = judge_made(cases[i].header, CLAIMS);
        if (got != cases[i].want) UNIT_FAIL("%s: %s", cases[i].header, jwt_refusal_word(got));
    }
    char header[600];
    snprintf(header, sizeof header, "{\"alg\":\"EdDSA\",\"kid\":\"%0300d\"}", 0);
    EXPECT_REFUSAL(JWT_MALFORMED, judge_made(header, CLAIMS));
}

/* A stranger's token that carries the stranger's key, in all the places that RFC 7515 knows. */
static void a_key_that_comes_with_the_token_is_not_looked_at(void)
{
    static const char *const forms[] = {"{\"alg\":\"EdDSA\",\"jwk\":%s}", "{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"jwk\":%s}",
                                        "{\"alg\":\"EdDSA\",\"jku\":\"https://evil/jwks\",\"x5u\":\"https://evil\",\"x\":%s}"};
    EVP_PKEY *own = signer_key(JWT_EDDSA);
    struct buf jwk, token;
    buf_init(&jwk);
    buf_init(&token);
    signer_jwk(&jwk, JWT_EDDSA, own, "ed", "");
    buf_append_char(&jwk, '\0');
    for (size_t i = 0; i < 3; i++) {
        char header[1024];
        /* clang-format off */
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"")
        snprintf(header, sizeof header, forms[i], buf_ptr(&jwk));
        _Pragma("GCC diagnostic pop")
        /* clang-format on */
        buf_reset(&token);
        signer_token(&token, JWT_EDDSA, own, header, CLAIMS);
        EXPECT_REFUSAL(JWT_SIGNATURE, judge(buf_slice(&token), &rules, set, NOW));
    }
    buf_clear(&jwk);
    buf_clear(&token);
    EVP_PKEY_free(own);
}

static void claims_are_judged_to_the_second_and_to_the_letter(void)
{
#define C(more) "{\"iss\":\"https://a\"," more "}"
#define D(more) "{\"iss\":\"https://a\",\"aud\":\"moongate\"," more "}"
    static const struct {
        const char *claims;
        enum jwt_refusal want;
    } cases[] = {
        {D("\"exp\":1764000001"), JWT_GOOD},
        {D("\"exp\":1764000000"), JWT_EXPIRED},
        {D("\"exp\":1764000000.9"), JWT_EXPIRED},
        {D("\"exp\":0"), JWT_EXPIRED},
        {D("\"exp\":1.764000001e9"), JWT_GOOD},
        {D("\"exp\":1764000001,\"nbf\":1764000000,\"iat\":1764000000"), JWT_GOOD},
        {D("\"exp\":1764000001,\"nbf\":1764000001"), JWT_EARLY},
        {D("\"exp\":1764000001,\"iat\":1764000001"), JWT_EARLY},
        {D("\"sub\":\"ana\""), JWT_CLAIM}, /* no exp: it would be good for ever */
        {D("\"exp\":null"), JWT_CLAIM},
        {D("\"exp\":\"1764000001\""), JWT_CLAIM},
        {D("\"exp\":1e400"), JWT_CLAIM},
        {D("\"exp\":99999999999999999999999999999999999999999"), JWT_CLAIM},
        {D("\"exp\":-1"), JWT_CLAIM},
        {D("\"exp\":1764000001,\"nbf\":true"), JWT_CLAIM},
        {D("\"exp\":1764000001,\"nbf\":1e300"), JWT_CLAIM},
        {D("\"exp\":[1764000001]"), JWT_CLAIM},
        {D("\"exp\":1764000001,\"exp\":1764000001"), JWT_MALFORMED},
        {D("\"exp\":1764000001,\"sub\":\"a\",\"\\u0073ub\":\"b\""), JWT_MALFORMED},
        {C("\"exp\":1764000001,\"aud\":[\"x\",\"moongate\"]"), JWT_GOOD},
        {C("\"exp\":1764000001,\"aud\":[\"x\",1,{\"moongate\":1}]"), JWT_AUDIENCE},
        {C("\"exp\":1764000001,\"aud\":[]"), JWT_AUDIENCE},
        {C("\"exp\":1764000001,\"aud\":{\"a\":\"moongate\"}"), JWT_AUDIENCE},
        {C("\"exp\":1764000001,\"aud\":[[\"moongate\"]]"), JWT_AUDIENCE},
        {C("\"exp\":1764000001,\"aud\":\"Moongate\""), JWT_AUDIENCE},
        {C("\"exp\":1764000001,\"aud\":\"moongate2\""), JWT_AUDIENCE},
        {C("\"exp\":1764000001,\"aud\":\"\""), JWT_AUDIENCE},
        {C("\"exp\":1764000001"), JWT_AUDIENCE},
        {"{\"iss\":\"https://a/\",\"aud\":\"moongate\",\"exp\":1764000001}", JWT_ISSUER},
        {"{\"iss\":\"https://\\u0061\",\"aud\":\"moongate\",\"exp\":1764000001}", JWT_GOOD},
        {"{\"iss\":[\"https://a\"],\"aud\":\"moongate\",\"exp\":1764000001}", JWT_ISSUER},
        {"{\"aud\":\"moongate\",\"exp\":1764000001}", JWT_ISSUER},
        {"[]", JWT_MALFORMED},
        {"null", JWT_MALFORMED},
        {"{\"iss\":\"https://a\",\"aud\":\"\xff\"}", JWT_MALFORMED},
        {"\xEF\xBB\xBF{}", JWT_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum jwt_refusal got = judge_made("{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", cases[i].claims);
        if (got != cases[i].want) UNIT_FAIL("%s: %s", cases[i].claims, jwt_refusal_word(got));
    }
}

static void leeway_helps_on_both_sides(void)
{
    struct jwt_rules lax = rules;
    struct buf token;
    lax.leeway_s = 30;
    buf_init(&token);
    signer_token(&token, JWT_EDDSA, keys[JWT_EDDSA], "{\"alg\":\"EdDSA\"}",
                 "{\"iss\":\"https://a\",\"aud\":\"moongate\",\"nbf\":1764000000,\"iat\":1764000000,\"exp\":1764000060}");
    struct slice t = buf_slice(&token);
    EXPECT_REFUSAL(JWT_EARLY, judge(t, &lax, set, NOW - 31));
    EXPECT_REFUSAL(JWT_GOOD, judge(t, &lax, set, NOW - 30));
    EXPECT_REFUSAL(JWT_GOOD, judge(t, &lax, set, NOW + 89));
    EXPECT_REFUSAL(JWT_EXPIRED, judge(t, &lax, set, NOW + 90));
    EXPECT_REFUSAL(JWT_NO_KEYS, judge(t, &lax, NULL, NOW));
    buf_clear(&token);
}

static void a_token_cut_or_changed_anywhere_is_refused(void)
{
    for (int alg = 0; alg < JWT_ALGS; alg++) {
        char header[40];
        struct buf token;
        buf_init(&token);
        snprintf(header, sizeof header, "{\"alg\":\"%s\"}", jwt_alg_name((enum jwt_alg)alg));
        signer_token(&token, (enum jwt_alg)alg, keys[alg], header, CLAIMS);
        EXPECT_REFUSAL(JWT_GOOD, judge(buf_slice(&token), &rules, set, NOW));
        for (size_t cut = 0; cut < buf_len(&token); cut++) {
            char *exact = mem_strndup(buf_ptr(&token), cut); /* so that a sanitizer sees the first byte beyond */
            if (judge(slice_of(exact, cut), &rules, set, NOW) == JWT_GOOD) UNIT_FAIL("cut at %zu", cut);
            mem_free(exact);
            char was = buf_ptr(&token)[cut];
            buf_ptr(&token)[cut] = was == 'A' ? 'B' : 'A';
            if (judge(buf_slice(&token), &rules, set, NOW) == JWT_GOOD) UNIT_FAIL("changed at %zu", cut);
            buf_ptr(&token)[cut] = was;
        }
        static const char *const behind[] = {"=", ".", "A", " ", "\n", ".AAAA"};
        for (size_t i = 0; i < 6; i++) {
            size_t len = buf_len(&token);
            buf_append(&token, slice_str(behind[i]));
            if (judge(buf_slice(&token), &rules, set, NOW) == JWT_GOOD) UNIT_FAIL("with \"%s\" behind", behind[i]);
            token.end -= buf_len(&token) - len;
        }
        buf_clear(&token);
    }
}

/* The last character of 64 bytes carries four bits: two others decode to the same bytes where a reader is lax. */
static void spare_bits_must_be_zero(void)
{
    uint8_t bytes[8];
    EXPECT(base64url_read(SLICE("AQ"), bytes) && bytes[0] == 1);
    EXPECT(!base64url_read(SLICE("AR"), bytes));
    EXPECT(!base64url_read(SLICE("AQ=="), bytes));
    EXPECT(!base64url_read(SLICE("A"), bytes));
    EXPECT(!base64url_read(SLICE("A+"), bytes));
    EXPECT(!base64url_read(SLICE("A/"), bytes));
    EXPECT(!base64url_read(SLICE("AA AA"), bytes));
    EXPECT(base64url_read(SLICE("-_-_"), bytes) && bytes[0] == 0xFB);
    EXPECT(base64url_read(SLICE(""), bytes));
    EXPECT_INT(2, BASE64URL_BYTES(3));
}

static void size_is_bounded(void)
{
    struct buf token;
    buf_init(&token);
    for (size_t i = 0; i < LIMIT_TOKEN_BYTES; i++)
        buf_append_char(&token, 'A');
    EXPECT_REFUSAL(JWT_MALFORMED, judge(buf_slice(&token), &rules, set, NOW));
    buf_append_char(&token, 'A');
    EXPECT_REFUSAL(JWT_TOO_LARGE, judge(buf_slice(&token), &rules, set, NOW));
    buf_reset(&token);
    buf_append_char(&token, '{');
    for (unsigned i = 0; i <= LIMIT_TOKEN_MEMBERS; i++)
        buf_printf(&token, "%s\"m%u\":1", i ? "," : "", i);
    buf_append(&token, SLICE("}"));
    buf_append_char(&token, '\0');
    EXPECT_REFUSAL(JWT_MALFORMED, judge_made("{\"alg\":\"EdDSA\"}", buf_ptr(&token)));
    buf_clear(&token);
}

static void claims_are_found_by_name_and_by_path(void)
{
    struct jwt t;
    struct buf token;
    buf_init(&token);
    jwt_init(&t);
    signer_token(&token, JWT_EDDSA, keys[JWT_EDDSA], "{\"alg\":\"EdDSA\"}",
                 "{\"iss\":\"https://a\",\"aud\":\"moongate\",\"exp\":1764000060,\"https://x.y/dept\":\"law\","
                 "\"realm\":{\"roles\":[\"a\"],\"x\":{\"y\":2}},\"a.b\":\"flat\",\"a\":{\"b\":\"deep\"}}");
    EXPECT_REFUSAL(JWT_GOOD, jwt_parse(&t, buf_slice(&token)));
    EXPECT_SLICE(SLICE("\"law\""), json_raw(&t.claims, jwt_claim(&t, SLICE("https://x.y/dept"))));
    EXPECT_SLICE(SLICE("[\"a\"]"), json_raw(&t.claims, jwt_claim(&t, SLICE("realm.roles"))));
    EXPECT_SLICE(SLICE("2"), json_raw(&t.claims, jwt_claim(&t, SLICE("realm.x.y"))));
    EXPECT_SLICE(SLICE("\"flat\""), json_raw(&t.claims, jwt_claim(&t, SLICE("a.b"))));
    EXPECT_INT(JSON_NONE, jwt_claim(&t, SLICE("realm.nothing.y")));
    EXPECT_INT(JSON_NONE, jwt_claim(&t, SLICE("iss.x")));
    EXPECT_INT(JSON_NONE, jwt_claim(&t, SLICE("")));
    jwt_clear(&t);
    buf_clear(&token);
}

int main(void)
{
    struct buf all;
    static const char *const kids[] = {"rs", "es", "ed"};
    buf_init(&all);
    for (int alg = 0; alg < JWT_ALGS; alg++) {
        keys[alg] = signer_key((enum jwt_alg)alg);
        if (alg) buf_append_char(&all, ',');
        signer_jwk(&all, (enum jwt_alg)alg, keys[alg], kids[alg], "");
    }
    buf_append_char(&all, '\0');
    set = set_of(buf_ptr(&all));
    buf_clear(&all);
    RUN(the_rfcs_examples_verify);
    RUN(each_algorithm_verifies_with_its_own_key_only);
    RUN(a_public_key_is_no_hmac_secret);
    RUN(headers_that_ask_for_more_are_refused);
    RUN(a_key_that_comes_with_the_token_is_not_looked_at);
    RUN(claims_are_judged_to_the_second_and_to_the_letter);
    RUN(leeway_helps_on_both_sides);
    RUN(a_token_cut_or_changed_anywhere_is_refused);
    RUN(spare_bits_must_be_zero);
    RUN(size_is_bounded);
    RUN(claims_are_found_by_name_and_by_path);
    for (int alg = 0; alg < JWT_ALGS; alg++)
        EVP_PKEY_free(keys[alg]);
    jwks_unref(set);
    return unit_close("jwt");
}
