#include "wire/jwks.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/check.h"
#include "base/fiber.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/json.h"

#define RSA_BYTES_MIN 256u /* 2048 bits: RFC 7518 3.3 */
#define RSA_BYTES_MAX 1024u
#define RSA_EXPONENT_BYTES_MAX 4u
#define CURVE_BYTES 32u

static const struct {
    const char *name, *kty, *crv;
} algorithms[JWT_ALGS] = {
    [JWT_RS256] = {"RS256", "RSA", NULL},
    [JWT_ES256] = {"ES256", "EC", "P-256"},
    [JWT_EDDSA] = {"EdDSA", "OKP", "Ed25519"},
};

struct jwks_key {
    enum jwt_alg alg; /* a type of key takes one algorithm here */
    struct slice kid; /* ptr NULL: it has none */
    EVP_PKEY *pkey;
};

struct jwks {
    unsigned refs;
    struct arena arena;
    struct jwks_key *keys;
    size_t count, passed_over;
    const char *reason;
};

const char *jwt_alg_name(enum jwt_alg alg)
{
    return algorithms[alg].name;
}

bool jwt_alg_parse(struct slice name, enum jwt_alg *alg)
{
    for (int i = 0; i < JWT_ALGS; i++) {
        if (!slice_equal(name, slice_str(algorithms[i].name))) continue;
        *alg = (enum jwt_alg)i;
        return true;
    }
    return false;
}

/* ---- One key. Each reader gives NULL when it is good, or why the key is passed over. */

struct reader {
    const struct json_tape *tape;
    uint32_t node; /* the key's object */
    struct arena *arena;
};

static struct slice member_text(const struct reader *r, const char *name)
{
    uint32_t node = json_get(r->tape, r->node, slice_str(name));
    return json_is(r->tape, node, JSON_STRING) ? json_text(r->tape, node, r->arena) : SLICE_NONE;
}

static bool has_member(const struct reader *r, const char *name)
{
    return json_get(r->tape, r->node, slice_str(name)) != JSON_NONE;
}

/* The bytes of a base64url member of at most max bytes; SLICE_NONE when it is none. */
static struct slice member_bytes(const struct reader *r, const char *name, size_t max)
{
    struct slice text = member_text(r, name);
    size_t len = BASE64URL_BYTES(text.len);
    if (text.len == 0 || len > max) return SLICE_NONE;
    uint8_t *bytes = arena_alloc(r->arena, len + 1);
    return base64url_read(text, bytes) ? slice_of((const char *)bytes, len) : SLICE_NONE;
}

static const char *read_use(const struct reader *r)
{
    uint32_t ops = json_get(r->tape, r->node, SLICE("key_ops"));
    struct slice use = member_text(r, "use");
    if (has_member(r, "use") && !slice_equal(use, SLICE("sig"))) return "its \"use\" is not \"sig\"";
    if (ops == JSON_NONE) return NULL;
    for (uint32_t n = json_first(r->tape, ops); n != JSON_NONE; n = json_next(r->tape, n)) {
        if (json_text_is(r->tape, n, SLICE("verify"))) return NULL;
    }
    return "its \"key_ops\" have no \"verify\"";
}

static const char *read_type(const struct reader *r, enum jwt_alg *alg)
{
    struct slice kty = member_text(r, "kty"), crv = member_text(r, "crv");
    for (int i = 0; i < JWT_ALGS; i++) {
        if (!slice_equal(kty, slice_str(algorithms[i].kty))) continue;
        if (algorithms[i].crv && !slice_equal(crv, slice_str(algorithms[i].crv))) continue;
        *alg = (enum jwt_alg)i;
        if (has_member(r, "alg") && !slice_equal(member_text(r, "alg"), slice_str(algorithms[i].name)))
            return "its \"alg\" is not one of RS256, ES256, EdDSA, or not one of its type";
        return NULL;
    }
    if (slice_equal(kty, SLICE("oct"))) return "it is symmetric: whoever can verify with it can forge";
    return "its type is not RSA, EC on P-256 or OKP Ed25519";
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    check(ctx && params);
    if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return pkey;
}

static BIGNUM *number_of(struct slice bytes)
{
    BIGNUM *number = BN_bin2bn((const unsigned char *)bytes.ptr, (int)bytes.len, NULL);
    check(number);
    return number;
}

static const char *read_rsa(const struct reader *r, EVP_PKEY **pkey)
{
    struct slice n = member_bytes(r, "n", RSA_BYTES_MAX + 1), e = member_bytes(r, "e", RSA_EXPONENT_BYTES_MAX);
    while (n.len && n.ptr[0] == 0) /* some write a leading zero, which RFC 7518 2 forbids and which harms nothing */
        n = slice_of(n.ptr + 1, n.len - 1);
    if (!n.len || !e.len) return "its modulus or exponent is missing, malformed or too large";
    if (n.len < RSA_BYTES_MIN || !(n.ptr[0] & 0x80)) return "an RSA key must have 2048 bits or more";
    if (n.len > RSA_BYTES_MAX) return "an RSA key must have at most 8192 bits";
    if (!(n.ptr[n.len - 1] & 1) || !(e.ptr[e.len - 1] & 1) || (e.len == 1 && e.ptr[0] == 1))
        return "its modulus or exponent is none that RSA can have";
    BIGNUM *modulus = number_of(n), *exponent = number_of(e);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    check(build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
          OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    *pkey = make_key("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    return *pkey ? NULL : "its numbers make no RSA key";
}

static bool is_on_curve(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool is_good = ctx && EVP_PKEY_public_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return is_good;
}

static const char *read_ec(const struct reader *r, EVP_PKEY **pkey)
{
    struct slice x = member_bytes(r, "x", CURVE_BYTES), y = member_bytes(r, "y", CURVE_BYTES);
    unsigned char point[1 + 2 * CURVE_BYTES] = {4}; /* uncompressed (SEC 1, 2.3.3) */
    char group[] = "P-256";
    if (x.len != CURVE_BYTES || y.len != CURVE_BYTES) return "its x and y must be 32 bytes each";
    memcpy(point + 1, x.ptr, CURVE_BYTES);
    memcpy(point + 1 + CURVE_BYTES, y.ptr, CURVE_BYTES);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
                           OSSL_PARAM_construct_end()};
    *pkey = make_key("EC", params);
    if (*pkey && is_on_curve(*pkey)) return NULL;
    EVP_PKEY_free(*pkey);
    *pkey = NULL;
    return "its x and y are no point of the curve";
}

static const char *read_ed25519(const struct reader *r, EVP_PKEY **pkey)
{
    struct slice x = member_bytes(r, "x", CURVE_BYTES);
    if (x.len != CURVE_BYTES) return "its x must be 32 bytes";
    *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.ptr, x.len);
    ERR_clear_error();
    return *pkey ? NULL : "its x is no Ed25519 key";
}

static const char *read_key(const struct reader *r, struct jwks_key *key)
{
    const char *wrong = read_type(r, &key->alg);
    if (!wrong) wrong = read_use(r);
    if (wrong) return wrong;
    if (has_member(r, "d")) return "it is a private key, which must never be published: replace it";
    if (has_member(r, "kid")) {
        struct slice kid = member_text(r, "kid");
        if (!kid.ptr || kid.len > LIMIT_KID_BYTES) return "its \"kid\" is no text, or too long";
        key->kid = kid;
    }
    switch (key->alg) {
    case JWT_RS256: return read_rsa(r, &key->pkey);
    case JWT_ES256: return read_ec(r, &key->pkey);
    case JWT_EDDSA: return read_ed25519(r, &key->pkey);
    }
    return "its type is unknown";
}

/* ---- The set. */

static bool is_same_kid(struct slice a, struct slice b)
{
    return !a.ptr == !b.ptr && slice_equal(a, b);
}

/* False: another key has its type and id, so that nobody could say which is meant. The same key twice is one key. */
static bool keep(struct jwks *set, const struct jwks_key *key)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct jwks_key *other = &set->keys[i];
        if (other->alg != key->alg || !is_same_kid(other->kid, key->kid)) continue;
        bool is_same = EVP_PKEY_eq(other->pkey, key->pkey) == 1;
        if (!is_same && !key->kid.ptr) continue; /* keys without ids: jwks_find() says "ambiguous" */
        EVP_PKEY_free(key->pkey);
        return is_same;
    }
    set->keys[set->count] = *key;
    if (key->kid.ptr) set->keys[set->count].kid = arena_copy(&set->arena, key->kid);
    set->count++;
    return true;
}

static bool has_double(const struct json_tape *tape, uint32_t object, struct arena *arena)
{
    for (uint32_t n = json_first(tape, object); n != JSON_NONE; n = json_next(tape, n)) {
        if (json_has_duplicate(tape, object, json_key_text(tape, n, arena))) return true;
    }
    return false;
}

static bool read_one(struct jwks *set, const struct reader *r, size_t index, struct fault *why)
{
    struct jwks_key key = {.kid = SLICE_NONE};
    if (!json_is(r->tape, r->node, JSON_OBJECT) || json_count(r->tape, r->node) > LIMIT_TOKEN_MEMBERS)
        return fault_set(why, FAULT_BAD_JSON, "keys[%zu]: is not an object, or one of too many members", index);
    if (has_double(r->tape, r->node, r->arena))
        return fault_set(why, FAULT_BAD_JSON, "keys[%zu]: a member stands there twice", index);
    const char *wrong = read_key(r, &key);
    if (wrong) {
        if (set->passed_over++ == 0) set->reason = wrong;
        return true;
    }
    if (keep(set, &key)) return true;
    return fault_set(why, FAULT_BAD_JSON, "keys[%zu]: another key has the same kid, '%.*s'", index,
                     (int)(key.kid.len < 64 ? key.kid.len : 64), key.kid.ptr);
}

static bool read_set(struct jwks *set, const struct json_tape *tape, struct arena *arena, struct fault *why)
{
    uint32_t keys = json_get(tape, 0, SLICE("keys"));
    size_t index = 0;
    if (!json_is(tape, keys, JSON_ARRAY) || json_has_duplicate(tape, 0, SLICE("keys")))
        return fault_set(why, FAULT_BAD_JSON, "not a JWK set: an object with one list \"keys\" is wanted");
    size_t count = json_count(tape, keys);
    if (count > LIMIT_JWKS_KEYS)
        return fault_set(why, FAULT_BAD_JSON, "%zu keys are over the limit of %u", count, LIMIT_JWKS_KEYS);
    set->keys = mem_zalloc(count + 1, sizeof *set->keys);
    for (uint32_t n = json_first(tape, keys); n != JSON_NONE; n = json_next(tape, n)) {
        struct reader r = {tape, n, arena};
        fiber_rest();
        if (!read_one(set, &r, index++, why)) return false;
    }
    if (set->count > 0) return true;
    return fault_set(why, FAULT_BAD_JSON, "no key in the set can be used%s%s", set->reason ? ": " : "",
                     set->reason ? set->reason : "");
}

struct jwks *jwks_parse(struct slice json, struct fault *why)
{
    struct json_tape tape;
    struct arena scratch;
    if (json.len > LIMIT_JWKS_BYTES) {
        fault_set(why, FAULT_BAD_JSON, "larger than %u bytes", LIMIT_JWKS_BYTES);
        return NULL;
    }
    struct jwks *set = mem_zalloc(1, sizeof *set);
    set->refs = 1;
    arena_init(&set->arena);
    arena_init(&scratch);
    json_init(&tape);
    bool is_good = json_parse(&tape, json, why) && read_set(set, &tape, &scratch, why);
    json_clear(&tape);
    arena_clear(&scratch);
    if (is_good) return set;
    jwks_unref(set);
    return NULL;
}

struct jwks *jwks_ref(struct jwks *set)
{
    set->refs++;
    return set;
}

void jwks_unref(struct jwks *set)
{
    if (!set || --set->refs > 0) return;
    for (size_t i = 0; i < set->count; i++)
        EVP_PKEY_free(set->keys[i].pkey);
    mem_free(set->keys);
    arena_clear(&set->arena);
    mem_free(set);
}

size_t jwks_count(const struct jwks *set)
{
    return set->count;
}

size_t jwks_passed_over(const struct jwks *set, const char **reason)
{
    *reason = set->reason;
    return set->passed_over;
}

enum jwks_found jwks_find(const struct jwks *set, struct slice kid, enum jwt_alg alg, const struct jwks_key **key)
{
    size_t found = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct jwks_key *k = &set->keys[i];
        if (k->alg != alg || (kid.ptr && !is_same_kid(k->kid, kid))) continue;
        *key = k;
        found++;
    }
    return found == 1 ? JWKS_FOUND : found == 0 ? JWKS_UNKNOWN : JWKS_AMBIGUOUS;
}

/* ---- Signatures. */

static bool verify(EVP_PKEY *pkey, const EVP_MD *digest, struct slice bytes, struct slice signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    check(ctx);
    bool is_good = EVP_DigestVerifyInit(ctx, NULL, digest, NULL, pkey) == 1 &&
                   EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                                    (const unsigned char *)bytes.ptr, bytes.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return is_good;
}

/* A token's signature is r and s, 32 bytes each (RFC 7518 3.4); OpenSSL takes them as DER. */
static bool verify_es256(EVP_PKEY *pkey, struct slice bytes, struct slice signature)
{
    unsigned char *der = NULL;
    if (signature.len != 2 * CURVE_BYTES) return false;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    check(sig && ECDSA_SIG_set0(sig, number_of(slice_of(signature.ptr, CURVE_BYTES)),
                                number_of(slice_of(signature.ptr + CURVE_BYTES, CURVE_BYTES))) == 1);
    int len = i2d_ECDSA_SIG(sig, &der);
    ECDSA_SIG_free(sig);
    bool is_good = len > 0 && verify(pkey, EVP_sha256(), bytes, slice_of((const char *)der, (size_t)len));
    OPENSSL_free(der);
    return is_good;
}

bool jwks_verify(const struct jwks_key *key, enum jwt_alg alg, struct slice bytes, struct slice signature)
{
    if (key->alg != alg) return false;
    switch (alg) {
    case JWT_RS256: return verify(key->pkey, EVP_sha256(), bytes, signature);
    case JWT_ES256: return verify_es256(key->pkey, bytes, signature);
    case JWT_EDDSA: return verify(key->pkey, NULL, bytes, signature);
    }
    return false;
}
