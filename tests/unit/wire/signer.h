/*
 * An issuer of tokens for tests: keys of every kind, their JWK, and tokens of whatever header and claims.
 *
 *     EVP_PKEY *key = signer_key(JWT_ES256);
 *     signer_jwk(&out, JWT_ES256, key, "k1");                       appends {"kty":"EC",…}
 *     signer_token(&out, JWT_ES256, key, "{\"alg\":…}", "{\"iss\":…}");
 */
#ifndef MOONGATE_TESTS_SIGNER_H
#define MOONGATE_TESTS_SIGNER_H

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/check.h"
#include "wire/jwks.h"

static inline EVP_PKEY *signer_key(enum jwt_alg alg)
{
    switch (alg) {
    case JWT_RS256: return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    case JWT_ES256: return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case JWT_EDDSA: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    return NULL;
}

static inline void signer_base64(struct buf *out, struct slice bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t held = 0;
        for (size_t k = 0; k < 3; k++)
            held = held << 8 | (k < left ? (uint8_t)bytes.ptr[i + k] : 0);
        for (size_t k = 0; k <= left; k++)
            buf_append_char(out, alphabet[held >> (18 - 6 * k) & 63]);
    }
}

static inline void signer_number(struct buf *out, const EVP_PKEY *key, const char *param, const char *name, int len)
{
    BIGNUM *n = NULL;
    unsigned char bytes[1024];
    check(EVP_PKEY_get_bn_param(key, param, &n) == 1);
    if (len == 0) len = BN_num_bytes(n);
    check(BN_bn2binpad(n, bytes, len) == len);
    buf_printf(out, ",\"%s\":\"", name);
    signer_base64(out, slice_of((char *)bytes, (size_t)len));
    buf_append_char(out, '"');
    BN_free(n);
}

/* more: further members, beginning with a comma. */
static inline void signer_jwk(struct buf *out, enum jwt_alg alg, EVP_PKEY *key, const char *kid, const char *more)
{
    static const char *const kty[] = {"RSA", "EC\",\"crv\":\"P-256", "OKP\",\"crv\":\"Ed25519"};
    buf_printf(out, "{\"kty\":\"%s\"", kty[alg]);
    if (kid) buf_printf(out, ",\"kid\":\"%s\"", kid);
    if (alg == JWT_RS256) {
        signer_number(out, key, OSSL_PKEY_PARAM_RSA_N, "n", 0);
        signer_number(out, key, OSSL_PKEY_PARAM_RSA_E, "e", 0);
    } else if (alg == JWT_ES256) {
        signer_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", 32);
        signer_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", 32);
    } else {
        unsigned char bytes[32];
        size_t len = sizeof bytes;
        check(EVP_PKEY_get_raw_public_key(key, bytes, &len) == 1);
        buf_append(out, SLICE(",\"x\":\""));
        signer_base64(out, slice_of((char *)bytes, len));
        buf_append_char(out, '"');
    }
    buf_printf(out, "%s}", more);
}

static inline size_t signer_raw(unsigned char *der, size_t len, unsigned char raw[64])
{
    const unsigned char *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    check(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32 &&
          BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32);
    ECDSA_SIG_free(sig);
    return 64;
}

static inline void signer_token(struct buf *out, enum jwt_alg alg, EVP_PKEY *key, const char *header, const char *claims)
{
    unsigned char signature[1024], raw[64];
    size_t len = sizeof signature, start = buf_len(out);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    signer_base64(out, slice_str(header));
    buf_append_char(out, '.');
    signer_base64(out, slice_str(claims));
    check(EVP_DigestSignInit(ctx, NULL, alg == JWT_EDDSA ? NULL : EVP_sha256(), NULL, key) == 1 &&
          EVP_DigestSign(ctx, signature, &len, (unsigned char *)buf_ptr(out) + start, buf_len(out) - start) == 1);
    EVP_MD_CTX_free(ctx);
    buf_append_char(out, '.');
    if (alg == JWT_ES256) {
        len = signer_raw(signature, len, raw);
        memcpy(signature, raw, len);
    }
    signer_base64(out, slice_of((char *)signature, len));
}

#endif
