/* Public keys as SSH writes them, and signatures by them (RFC 8709, RFC 5656 3.1, RFC 8332, OpenSSH PROTOCOL.u2f). */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/sshsig/sshsig_inner.h"

#define ED25519_BYTES 32u
#define ED25519_SIGNATURE_BYTES 64u
#define EXPONENT_BYTES_MAX 8u
#define POINT_BYTES 65u
#define SCALAR_BYTES 32u
#define DER_BYTES_MAX 80u
#define SHA256_BYTES 32u
#define FLAG_TOUCHED 0x01

struct key_type {
    const char *name;
    /* Takes what stands behind the name. NULL: it is none of the type. */
    EVP_PKEY *(*read)(struct slice *rest, struct slice *application);
    bool (*verify)(const struct ssh_key *key, struct slice algorithm, struct slice signature, struct slice touch,
                   struct slice text);
    const char *wants; /* said of one that cannot be read */
};

struct ssh_key {
    const struct key_type *type;
    EVP_PKEY *pkey;
    struct slice application; /* of a hardware key: "ssh:"; lies in the bytes that it was read from */
};

static bool verify(EVP_PKEY *pkey, const EVP_MD *hash, struct slice signature, struct slice text)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool is_good = md && EVP_DigestVerifyInit(md, NULL, hash, NULL, pkey) == 1 &&
                   EVP_DigestVerify(md, (const unsigned char *)signature.ptr, signature.len,
                                    (const unsigned char *)text.ptr, text.len) == 1;
    EVP_MD_CTX_free(md);
    return is_good;
}

static EVP_PKEY *make(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    check(ctx && params);
    if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* ---- Ed25519, and in hardware. */

static EVP_PKEY *read_ed25519(struct slice *rest, struct slice *application)
{
    struct slice bytes;
    (void)application;
    if (!ssh_take_string(rest, &bytes) || bytes.len != ED25519_BYTES) return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)bytes.ptr, bytes.len);
}

static bool verify_ed25519(const struct ssh_key *key, struct slice algorithm, struct slice signature,
                           struct slice touch, struct slice text)
{
    return slice_equal(algorithm, slice_str(key->type->name)) && touch.len == 0 &&
           signature.len == ED25519_SIGNATURE_BYTES && verify(key->pkey, NULL, signature, text);
}

static EVP_PKEY *read_hardware(struct slice *rest, struct slice *application)
{
    EVP_PKEY *pkey = read_ed25519(rest, application);
    if (pkey && ssh_take_string(rest, application) && slice_starts(*application, SLICE("ssh:"))) return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static void hash(struct slice bytes, unsigned char digest[SHA256_BYTES])
{
    check(EVP_Digest(bytes.ptr, bytes.len, digest, NULL, EVP_sha256(), NULL) == 1);
}

/* What it signs: whose it is, that somebody touched it, how often it was asked, and the text. */
static bool verify_hardware(const struct ssh_key *key, struct slice algorithm, struct slice signature,
                            struct slice touch, struct slice text)
{
    unsigned char all[2 * SHA256_BYTES + 5];
    if (!slice_equal(algorithm, slice_str(key->type->name)) || touch.len != 5 || !(touch.ptr[0] & FLAG_TOUCHED))
        return false;
    hash(key->application, all);
    memcpy(all + SHA256_BYTES, touch.ptr, touch.len);
    hash(text, all + SHA256_BYTES + 5);
    return signature.len == ED25519_SIGNATURE_BYTES &&
           verify(key->pkey, NULL, signature, slice_of((const char *)all, sizeof all));
}

/* ---- ECDSA on P-256. */

static bool is_on_curve(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool is_good = ctx && EVP_PKEY_public_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_good;
}

static EVP_PKEY *read_ecdsa(struct slice *rest, struct slice *application)
{
    char group[] = "prime256v1";
    unsigned char copy[POINT_BYTES];
    struct slice curve, point;
    (void)application;
    if (!ssh_take_string(rest, &curve) || !slice_equal(curve, SLICE("nistp256"))) return NULL;
    if (!ssh_take_string(rest, &point) || point.len != POINT_BYTES || point.ptr[0] != 4) return NULL;
    memcpy(copy, point.ptr, sizeof copy);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof copy),
                           OSSL_PARAM_construct_end()};
    EVP_PKEY *pkey = make("EC", params);
    if (pkey && is_on_curve(pkey)) return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static BIGNUM *number(struct slice bytes)
{
    BIGNUM *n = BN_bin2bn((const unsigned char *)bytes.ptr, (int)bytes.len, NULL);
    check(n);
    return n;
}

static bool verify_pair(EVP_PKEY *pkey, struct slice r, struct slice s, struct slice text)
{
    unsigned char der[DER_BYTES_MAX], *to = der;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    check(sig && ECDSA_SIG_set0(sig, number(r), number(s)) == 1);
    int len = i2d_ECDSA_SIG(sig, NULL);
    bool is_good = len > 0 && (size_t)len <= sizeof der && i2d_ECDSA_SIG(sig, &to) == len;
    ECDSA_SIG_free(sig);
    return is_good && verify(pkey, EVP_sha256(), slice_of((const char *)der, (size_t)len), text);
}

static bool verify_ecdsa(const struct ssh_key *key, struct slice algorithm, struct slice signature,
                         struct slice touch, struct slice text)
{
    struct slice r, s;
    return slice_equal(algorithm, slice_str(key->type->name)) && touch.len == 0 && ssh_take_number(&signature, &r) &&
           ssh_take_number(&signature, &s) && signature.len == 0 && r.len <= SCALAR_BYTES && s.len <= SCALAR_BYTES &&
           verify_pair(key->pkey, r, s, text);
}

/* ---- RSA. */

static EVP_PKEY *make_rsa(struct slice n, struct slice e)
{
    BIGNUM *modulus = number(n), *exponent = number(e);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    check(build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
          OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *pkey = make("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(exponent);
    BN_free(modulus);
    return pkey;
}

static bool is_odd_above_two(struct slice bytes)
{
    return bytes.ptr[bytes.len - 1] & 1 && (bytes.len > 1 || bytes.ptr[0] > 2);
}

static EVP_PKEY *read_rsa(struct slice *rest, struct slice *application)
{
    struct slice n, e;
    (void)application;
    if (!ssh_take_number(rest, &e) || !ssh_take_number(rest, &n)) return NULL;
    if (e.len > EXPONENT_BYTES_MAX || n.len > LIMIT_SSHSIG_RSA_BITS_MAX / 8 || !is_odd_above_two(e)) return NULL;
    EVP_PKEY *pkey = make_rsa(n, e);
    if (pkey && EVP_PKEY_bits(pkey) >= (int)LIMIT_SSHSIG_RSA_BITS_MIN) return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static const EVP_MD *rsa_hash(struct slice algorithm)
{
    if (slice_equal(algorithm, SLICE("rsa-sha2-512"))) return EVP_sha512();
    return slice_equal(algorithm, SLICE("rsa-sha2-256")) ? EVP_sha256() : NULL;
}

static bool verify_rsa(const struct ssh_key *key, struct slice algorithm, struct slice signature, struct slice touch,
                       struct slice text)
{
    const EVP_MD *sha2 = rsa_hash(algorithm);
    return sha2 && touch.len == 0 && signature.len == (size_t)EVP_PKEY_size(key->pkey) &&
           verify(key->pkey, sha2, signature, text);
}

/* ---- All of them. */

static const struct key_type types[] = {
    {"ssh-ed25519", read_ed25519, verify_ed25519, "its Ed25519 key cannot be read"},
    {"sk-ssh-ed25519@openssh.com", read_hardware, verify_hardware, "its hardware key cannot be read"},
    {"ecdsa-sha2-nistp256", read_ecdsa, verify_ecdsa, "its key is no point on P-256"},
    {"ssh-rsa", read_rsa, verify_rsa, "its RSA key is none of 3072 to 8192 bits"},
};

static const struct key_type *type_of(struct slice name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (slice_equal(name, slice_str(types[i].name))) return &types[i];
    }
    return NULL;
}

struct ssh_key *ssh_key_read(struct slice bytes, struct fault *why)
{
    struct slice name, application = SLICE_NONE;
    const struct key_type *type = ssh_take_string(&bytes, &name) ? type_of(name) : NULL;
    if (!type) {
        fault_set(why, FAULT_INTERNAL, "its key is of a type that is not taken: ssh-ed25519, sk-ssh-ed25519, "
                                       "ecdsa-sha2-nistp256 and RSA from 3072 bits are");
        return NULL;
    }
    EVP_PKEY *pkey = type->read(&bytes, &application);
    if (!pkey || bytes.len) {
        EVP_PKEY_free(pkey);
        fault_set(why, FAULT_INTERNAL, "%s", type->wants);
        return NULL;
    }
    struct ssh_key *key = mem_alloc(sizeof *key);
    *key = (struct ssh_key){type, pkey, application};
    return key;
}

void ssh_key_free(struct ssh_key *key)
{
    if (!key) return;
    EVP_PKEY_free(key->pkey);
    mem_free(key);
}

const char *ssh_key_type(const struct ssh_key *key)
{
    return key->type->name;
}

bool ssh_key_verify(const struct ssh_key *key, struct slice algorithm, struct slice signature, struct slice touch,
                    struct slice text)
{
    return key->type->verify(key, algorithm, signature, touch, text);
}
