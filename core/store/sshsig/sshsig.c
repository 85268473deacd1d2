#include "store/sshsig/sshsig.h"

#include <endian.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/limits.h"
#include "store/sshsig/sshsig_inner.h"

#define BEGIN SLICE("-----BEGIN SSH SIGNATURE-----\n")
#define END SLICE("-----END SSH SIGNATURE-----\n")
#define MAGIC SLICE("SSHSIG")
#define VERSION 1u
#define LINE_CHARS 70u
#define TOUCH_BYTES 5u

/* ---- The armor: lines of 70 characters, the last of 1 to 70. */

static bool join_lines(struct slice lines, struct buf *out)
{
    while (lines.len) {
        const char *end = memchr(lines.ptr, '\n', lines.len);
        size_t len = end ? (size_t)(end - lines.ptr) : 0;
        bool is_last = len + 1 == lines.len;
        if (len == 0 || len > LINE_CHARS || (!is_last && len != LINE_CHARS)) return false;
        buf_append(out, slice_of(lines.ptr, len));
        lines = slice_of(lines.ptr + len + 1, lines.len - len - 1);
    }
    return true;
}

static bool ends_with(struct slice text, struct slice end)
{
    return text.len >= end.len && memcmp(text.ptr + text.len - end.len, end.ptr, end.len) == 0;
}

static bool unarmor(struct slice text, struct arena *arena, struct slice *bytes)
{
    struct buf joined;
    size_t edges = BEGIN.len + END.len;
    if (text.len > LIMIT_SSHSIG_BYTES || text.len < edges || !slice_starts(text, BEGIN) || !ends_with(text, END))
        return false;
    buf_init(&joined);
    bool is_good = join_lines(slice_of(text.ptr + BEGIN.len, text.len - edges), &joined);
    char *to = arena_alloc(arena, BASE64_BYTES_MAX(buf_len(&joined)) + 1);
    size_t len = 0;
    is_good = is_good && base64_read(buf_slice(&joined), (uint8_t *)to, &len);
    *bytes = slice_of(to, len);
    buf_clear(&joined);
    return is_good;
}

/* ---- What is in it. */

static bool take_signature(struct slice bytes, struct sshsig *sig)
{
    if (!ssh_take_string(&bytes, &sig->algorithm) || !ssh_take_string(&bytes, &sig->signature)) return false;
    sig->touch = bytes;
    return bytes.len == 0 || bytes.len == TOUCH_BYTES;
}

static bool read_fields(struct slice bytes, struct sshsig *sig)
{
    struct slice reserved, signature;
    return ssh_take_string(&bytes, &sig->key) && ssh_take_string(&bytes, &sig->name) &&
           ssh_take_string(&bytes, &reserved) && reserved.len == 0 && ssh_take_string(&bytes, &sig->hash) &&
           ssh_take_string(&bytes, &signature) && bytes.len == 0 && take_signature(signature, sig);
}

bool sshsig_read(struct slice text, struct arena *arena, struct sshsig *sig, struct fault *why)
{
    struct slice bytes, magic;
    uint32_t version;
    *sig = (struct sshsig){.key = SLICE_NONE};
    if (!unarmor(text, arena, &bytes))
        return fault_set(why, FAULT_INTERNAL, "it is not the text of a signature as ssh-keygen -Y sign writes it");
    if (!ssh_take(&bytes, MAGIC.len, &magic) || !slice_equal(magic, MAGIC) || !ssh_take_u32(&bytes, &version))
        return fault_set(why, FAULT_INTERNAL, "it holds something else than a signature over a file");
    if (version != VERSION)
        return fault_set(why, FAULT_INTERNAL, "it is in version %u of the format, of which 1 is known", version);
    return read_fields(bytes, sig) || fault_set(why, FAULT_INTERNAL, "it is cut or damaged");
}

/* ---- What was signed. */

static const EVP_MD *hash_of(struct slice name)
{
    if (slice_equal(name, SLICE("sha512"))) return EVP_sha512();
    return slice_equal(name, SLICE("sha256")) ? EVP_sha256() : NULL;
}

static void append_string(struct buf *out, struct slice text)
{
    uint32_t len = htobe32((uint32_t)text.len);
    buf_append(out, slice_of((const char *)&len, sizeof len));
    buf_append(out, text);
}

static void append_signed(struct buf *out, const struct sshsig *sig, const EVP_MD *hash, struct slice message)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len;
    check(EVP_Digest(message.ptr, message.len, digest, &len, hash, NULL) == 1);
    buf_append(out, MAGIC);
    append_string(out, sig->name);
    append_string(out, SLICE_NONE);
    append_string(out, sig->hash);
    append_string(out, slice_of((const char *)digest, len));
}

static bool verify_with(const struct ssh_key *key, const struct sshsig *sig, struct slice message)
{
    struct buf text;
    const EVP_MD *hash = hash_of(sig->hash);
    if (!hash) return false;
    buf_init(&text);
    append_signed(&text, sig, hash, message);
    bool is_good = ssh_key_verify(key, sig->algorithm, sig->signature, sig->touch, buf_slice(&text));
    buf_clear(&text);
    return is_good;
}

bool sshsig_verify(const struct sshsig *sig, struct slice message, struct slice name, struct fault *why)
{
    if (!slice_equal(sig->name, name))
        return fault_set(why, FAULT_INTERNAL, "it was made for something else: its namespace is not \"%.*s\"",
                         SLICE_FMT(name));
    struct ssh_key *key = ssh_key_read(sig->key, why);
    if (!key) return false;
    bool is_good = verify_with(key, sig, message);
    ssh_key_free(key);
    return is_good || fault_set(why, FAULT_INTERNAL, "it signs other bytes than these");
}

bool sshsig_key_check(struct slice type, struct slice key, struct fault *why)
{
    struct ssh_key *read = ssh_key_read(key, why);
    if (!read) return false;
    bool is_named_so = slice_equal(type, slice_str(ssh_key_type(read)));
    ssh_key_free(read);
    return is_named_so || fault_set(why, FAULT_INTERNAL, "the key is of another type than stands before it");
}
