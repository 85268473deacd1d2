#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hex.h"
#include "store/anchor.h"
#include "wire/json.h"

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

bool anchor_trust_add(struct anchor_trust *trust, const struct anchor_public *key)
{
    for (size_t i = 0; i < trust->count; i++) {
        if (memcmp(trust->keys[i].bytes, key->bytes, sizeof key->bytes) == 0) return true;
    }
    if (trust->count == LIMIT_ANCHOR_KEYS) return false;
    trust->keys[trust->count++] = *key;
    return true;
}

const struct anchor_public *anchor_signer(const struct anchor_trust *trust, const struct anchor *a)
{
    for (size_t i = trust->count; i-- > 0;) {
        if (anchor_is_signed_by(a, &trust->keys[i])) return &trust->keys[i];
    }
    return NULL;
}

/* ---- A file of public keys. */

static bool read_text(const char *path, char *text, size_t size, size_t *len, struct fault *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)size;
    ssize_t n = is_file ? read(fd, text, size) : -1;
    close(fd);
    *len = n > 0 ? (size_t)n : 0;
    return n >= 0 || fault_set(why, FAULT_INTERNAL, "%s is no file of public keys", path);
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

/* False: there is no more. */
static bool next_pem(BIO *bio, unsigned char **der, long *len)
{
    char *name, *header;
    if (PEM_read_bio(bio, &name, &header, der, len) != 1) return false;
    OPENSSL_free(name);
    OPENSSL_free(header);
    return true;
}

bool anchor_trust_read(struct anchor_trust *trust, const char *path, struct fault *why)
{
    char text[LIMIT_ANCHOR_FILE_BYTES];
    size_t len = 0;
    trust->count = 0;
    if (!read_text(path, text, sizeof text, &len, why)) return false;
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    unsigned char *der;
    long der_bytes;
    bool is_good = true;
    while (is_good && next_pem(bio, &der, &der_bytes)) {
        is_good = add_der(trust, der, der_bytes, path, why);
        OPENSSL_free(der);
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the file is one to OpenSSL */
    if (is_good && trust->count == 0) return fault_set(why, FAULT_INTERNAL, "%s holds no public key in PEM", path);
    return is_good;
}

/* ---- A new key. */

static void succession_text(struct slice gateway, const struct anchor_public *old, const struct anchor_public *next,
                            struct buf *text)
{
    buf_init(text);
    buf_append(text, SLICE("moongate anchor key 1\n"));
    buf_append_json(text, gateway);
    buf_printf(text, "\n%s\n%s\n", old->fingerprint, next->fingerprint);
}

static void append_key(struct buf *body, const char *name, const struct anchor_public *key)
{
    char hex[2 * ANCHOR_PUBLIC_BYTES + 1];
    hex_write(key->bytes, sizeof key->bytes, hex);
    buf_printf(body, ",\"%s\":{\"key\":\"%s\",\"public\":\"%s\"}", name, key->fingerprint, hex);
}

void anchor_succession_write(const struct anchor_key *old, const struct anchor_public *next, struct slice gateway,
                             struct slice actor, struct buf *body)
{
    struct buf text;
    uint8_t signature[ANCHOR_SIGNATURE_BYTES];
    char time[CLOCK_TEXT_BYTES], hex[2 * ANCHOR_SIGNATURE_BYTES + 1];
    succession_text(gateway, anchor_key_public(old), next, &text);
    anchor_key_sign(old, buf_slice(&text), signature);
    buf_clear(&text);
    hex_write(signature, sizeof signature, hex);
    clock_format(clock_wall_ns(), time);
    buf_printf(body, "{\"time\":\"%s\",\"actor\":", time);
    buf_append_json(body, actor);
    buf_append(body, SLICE(",\"action\":\"" ANCHOR_SUCCESSION "\",\"target\":\"" ANCHOR_KEY_FILE "\""));
    append_key(body, "before", anchor_key_public(old));
    append_key(body, "after", next);
    buf_printf(body, ",\"signature\":\"%s\"}", hex);
}

static bool read_bytes(const struct json_tape *tape, uint32_t node, uint8_t *bytes, size_t len)
{
    struct slice raw = json_raw(tape, node);
    return raw.len == 2 * len + 2 && raw.ptr[0] == '"' && hex_read(slice_of(raw.ptr + 1, 2 * len), bytes, len);
}

static bool read_key(const struct json_tape *tape, struct slice name, struct anchor_public *key)
{
    uint8_t bytes[ANCHOR_PUBLIC_BYTES];
    uint32_t object = json_get(tape, 0, name);
    if (!read_bytes(tape, json_get(tape, object, SLICE("public")), bytes, sizeof bytes)) return false;
    anchor_public_set(key, bytes);
    return true;
}

static bool is_trusted(const struct anchor_trust *trust, const struct anchor_public *key)
{
    for (size_t i = 0; i < trust->count; i++) {
        if (memcmp(trust->keys[i].bytes, key->bytes, sizeof key->bytes) == 0) return true;
    }
    return false;
}

static bool is_announced(const struct json_tape *tape, struct slice gateway, const struct anchor_trust *trust,
                         struct anchor_public *next)
{
    struct anchor_public old;
    struct buf text;
    uint8_t signature[ANCHOR_SIGNATURE_BYTES];
    if (!read_key(tape, SLICE("before"), &old) || !read_key(tape, SLICE("after"), next)) return false;
    if (!read_bytes(tape, json_get(tape, 0, SLICE("signature")), signature, sizeof signature)) return false;
    succession_text(gateway, &old, next, &text);
    bool is_good = is_trusted(trust, &old) && anchor_public_signed(&old, buf_slice(&text), signature);
    buf_clear(&text);
    return is_good;
}

enum anchor_succession anchor_succession_read(struct slice body, struct slice gateway, const struct anchor_trust *trust,
                                              struct anchor_public *next)
{
    struct json_tape tape;
    struct fault why;
    enum anchor_succession found = SUCCESSION_NONE;
    if (!memmem(body.ptr, body.len, ANCHOR_SUCCESSION, sizeof ANCHOR_SUCCESSION - 1)) return found;
    json_init(&tape);
    if (json_parse(&tape, body, &why) &&
        json_text_is(&tape, json_get(&tape, 0, SLICE("action")), SLICE(ANCHOR_SUCCESSION)))
        found = is_announced(&tape, gateway, trust, next) ? SUCCESSION_GOOD : SUCCESSION_FORGED;
    json_clear(&tape);
    return found;
}
