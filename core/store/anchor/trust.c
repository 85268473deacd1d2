#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/input.h"
#include "store/anchor/anchor.h"

/* RFC 8410 4: the SubjectPublicKeyInfo of an Ed25519 key, before its 32 bytes. */
static const uint8_t info[12] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

void anchor_public_set(struct anchor_public *key, const uint8_t bytes[ANCHOR_PUBLIC_BYTES])
{
    uint8_t der[sizeof info + ANCHOR_PUBLIC_BYTES], digest[SHA256_DIGEST_LENGTH];
    memcpy(der, info, sizeof info);
    memcpy(der + sizeof info, bytes, ANCHOR_PUBLIC_BYTES);
    SHA256(der, sizeof der, digest);
    memcpy(key->bytes, bytes, ANCHOR_PUBLIC_BYTES);
    hex_write(digest, sizeof digest, key->fingerprint);
}

bool anchor_public_signed(const struct anchor_public *key, struct slice text,
                          const uint8_t signature[ANCHOR_SIGNATURE_BYTES])
{
    EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, sizeof key->bytes);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    bool is_good = public && md && EVP_DigestVerifyInit(md, NULL, NULL, NULL, public) == 1 &&
                   EVP_DigestVerify(md, signature, ANCHOR_SIGNATURE_BYTES, bytes, text.len) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(public);
    return is_good;
}

bool anchor_trust_has(const struct anchor_trust *trust, const struct anchor_public *key)
{
    for (size_t i = 0; i < trust->count; i++) {
        if (memcmp(trust->keys[i].bytes, key->bytes, sizeof key->bytes) == 0) return true;
    }
    return false;
}

bool anchor_trust_add(struct anchor_trust *trust, const struct anchor_public *key)
{
    if (anchor_trust_has(trust, key)) return true;
    if (trust->count == LIMIT_ANCHOR_KEYS) return false;
    trust->keys[trust->count++] = *key;
    return true;
}

void anchor_trust_follow(struct anchor_trust *trust, const struct anchor_public *next)
{
    if (anchor_trust_add(trust, next)) return;
    memmove(&trust->keys[0], &trust->keys[1], (LIMIT_ANCHOR_KEYS - 1) * sizeof trust->keys[0]);
    trust->keys[LIMIT_ANCHOR_KEYS - 1] = *next;
}

/* ---- A file of public keys. */

static bool read_text(const char *path, struct buf *text, struct fault *why)
{
    struct input in;
    if (!input_is_file(path, why)) return false;
    bool is_good = input_open(&in, path, why) && input_all(&in, LIMIT_ANCHOR_FILE_BYTES, text, why);
    input_close(&in);
    return is_good;
}

static bool add_der(struct anchor_trust *trust, const unsigned char *der, long len, const char *path, struct fault *why)
{
    struct anchor_public key;
    if (len != sizeof info + ANCHOR_PUBLIC_BYTES || memcmp(der, info, sizeof info) != 0)
        return fault_set(why, FAULT_INTERNAL, "%s: a key in it is no public one of Ed25519", path);
    anchor_public_set(&key, der + sizeof info);
    return anchor_trust_add(trust, &key) ||
           fault_set(why, FAULT_INTERNAL, "%s: more than %u keys", path, LIMIT_ANCHOR_KEYS);
}

enum found { FOUND, FOUND_NO_MORE, FOUND_BROKEN };

static enum found next_pem(BIO *bio, unsigned char **der, long *len)
{
    char *name, *header;
    ERR_clear_error();
    if (PEM_read_bio(bio, &name, &header, der, len) == 1) {
        OPENSSL_free(name);
        OPENSSL_free(header);
        return FOUND;
    }
    bool is_over = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return is_over ? FOUND_NO_MORE : FOUND_BROKEN;
}

static bool read_keys(struct anchor_trust *trust, struct slice text, const char *path, struct fault *why)
{
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    unsigned char *der;
    long der_bytes;
    bool is_good = true;
    enum found found;
    while (is_good && (found = next_pem(bio, &der, &der_bytes)) != FOUND_NO_MORE) {
        is_good = found == FOUND ? add_der(trust, der, der_bytes, path, why)
                                 : fault_set(why, FAULT_INTERNAL, "%s: a key in it is broken off, or changed", path);
        if (found == FOUND) OPENSSL_free(der);
    }
    BIO_free(bio);
    return is_good;
}

bool anchor_trust_read(struct anchor_trust *trust, const char *path, struct fault *why)
{
    struct buf text;
    buf_init(&text);
    trust->count = 0;
    bool is_good = read_text(path, &text, why);
    if (is_good && buf_len(&text)) is_good = read_keys(trust, buf_slice(&text), path, why);
    buf_clear(&text);
    if (is_good && trust->count == 0) return fault_set(why, FAULT_INTERNAL, "%s holds no public key in PEM", path);
    return is_good;
}
