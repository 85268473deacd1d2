/* Signatures as the real ssh-keygen makes them: taken whole, and in no other form. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "store/sshsig/sshsig.h"
#include "../files.h"
#include "../unit.h"

#define NAME SLICE("moongate-bundle")
#define MESSAGE SLICE("moongate-bundle v1\nserial 1\n")

static char folder[] = "/tmp/moongate-sshsig-XXXXXX";

__attribute__((format(printf, 1, 2))) static bool shell(const char *format, ...)
{
    struct buf line;
    va_list args;
    buf_init(&line);
    buf_printf(&line, "cd %s && ", folder);
    va_start(args, format);
    buf_vprintf(&line, format, args);
    va_end(args);
    buf_append(&line, slice_of(" >/dev/null 2>&1", 17));
    bool is_good = system(buf_ptr(&line)) == 0;
    if (!is_good) fprintf(stderr, "failed: %s\n", buf_ptr(&line));
    buf_clear(&line);
    return is_good;
}

static void write_file(const char *name, struct slice bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    check(file && fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len && fclose(file) == 0);
}

/* The signature of the message by a new key of the kind; it is left in the folder. */
static struct buf sign_as(const char *name, const char *kind, const char *more, const char *space)
{
    struct buf text;
    check(shell("rm -f m.sig %s %s.pub && ssh-keygen -q %s -N '' -f %s", name, name, kind, name));
    write_file("m", MESSAGE);
    check(shell("ssh-keygen -q -Y sign %s -n %s -f %s m", more, space, name));
    check(read_file(folder, "m.sig", &text));
    return text;
}

static bool is_taken(struct slice text, struct slice message, struct slice name)
{
    struct arena arena;
    struct sshsig sig;
    struct fault why;
    arena_init(&arena);
    bool is_good = sshsig_read(text, &arena, &sig, &why) && sshsig_verify(&sig, message, name, &why);
    if (!is_good) EXPECT(fault_message(&why)[0] != '\0');
    arena_clear(&arena);
    return is_good;
}

static void expect_every_byte_counts(struct slice text)
{
    struct buf copy;
    buf_init(&copy);
    buf_append(&copy, text);
    for (size_t i = 0; i < text.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            buf_ptr(&copy)[i] ^= (char)(1u << bit);
            EXPECT(!is_taken(buf_slice(&copy), MESSAGE, NAME));
            buf_ptr(&copy)[i] ^= (char)(1u << bit);
        }
    }
    for (size_t len = 0; len < text.len; len++) {
        EXPECT(!is_taken(slice_of(text.ptr, len), MESSAGE, NAME));
        EXPECT(!is_taken(slice_of(text.ptr + len + 1, text.len - len - 1), MESSAGE, NAME));
    }
    buf_append(&copy, SLICE("\n"));
    EXPECT(!is_taken(buf_slice(&copy), MESSAGE, NAME));
    buf_clear(&copy);
}

static void expect_taken(const char *kind, const char *more)
{
    struct buf text = sign_as("key", kind, more, "moongate-bundle");
    EXPECT(is_taken(buf_slice(&text), MESSAGE, NAME));
    EXPECT(!is_taken(buf_slice(&text), SLICE("moongate-bundle v1\nserial 2\n"), NAME));
    EXPECT(!is_taken(buf_slice(&text), SLICE(""), NAME));
    EXPECT(!is_taken(buf_slice(&text), MESSAGE, SLICE("git")));
    expect_every_byte_counts(buf_slice(&text));
    buf_clear(&text);
}

static void takes_ed25519(void)
{
    expect_taken("-t ed25519", "");
    expect_taken("-t ed25519", "-Ohashalg=sha256");
}

static void takes_p256(void)
{
    for (int i = 0; i < 8; i++) /* numbers with and without a zero before them */
        expect_taken("-t ecdsa -b 256", "");
}

static void takes_rsa(void)
{
    expect_taken("-t rsa -b 3072", "");
}

static void refuses_weak_and_other_keys(void)
{
    static const char *const kinds[] = {"-t rsa -b 2048", "-t rsa -b 3064", "-t ecdsa -b 384", "-t ecdsa -b 521"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct buf text = sign_as("key", kinds[i], "", "moongate-bundle");
        EXPECT(!is_taken(buf_slice(&text), MESSAGE, NAME));
        buf_clear(&text);
    }
}

static void refuses_another_namespace(void)
{
    static const char *const spaces[] = {"git", "file", "moongate-bundle2", "moongate-bundl", "Moongate-bundle"};
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        struct buf text = sign_as("key", "-t ed25519", "", spaces[i]);
        EXPECT(!is_taken(buf_slice(&text), MESSAGE, NAME));
        EXPECT(is_taken(buf_slice(&text), MESSAGE, slice_str(spaces[i])));
        buf_clear(&text);
    }
}

/* ---- A hardware key, made of a pair in memory: what the hardware signs is known, and OpenSSH itself agrees. */

static void append_u32(struct buf *out, size_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_append_char(out, (char)(value >> shift));
}

static void append_string(struct buf *out, struct slice text)
{
    append_u32(out, text.len);
    buf_append(out, text);
}

static struct slice sha(const EVP_MD *md, struct slice text, char *to)
{
    unsigned len;
    check(EVP_Digest(text.ptr, text.len, (unsigned char *)to, &len, md, NULL) == 1);
    return slice_of(to, len);
}

#define TYPE SLICE("sk-ssh-ed25519@openssh.com")

static void append_key(struct buf *out, EVP_PKEY *pair)
{
    unsigned char public[32];
    size_t len = sizeof public;
    check(EVP_PKEY_get_raw_public_key(pair, public, &len) == 1);
    append_string(out, TYPE);
    append_string(out, slice_of((const char *)public, len));
    append_string(out, SLICE("ssh:"));
}

static void append_signature(struct buf *out, EVP_PKEY *pair, char flags)
{
    char hash[64], touch[5] = {flags, 0, 0, 1, 7};
    unsigned char sig[64];
    size_t len = sizeof sig;
    struct buf text, all;
    buf_init(&text);
    buf_init(&all);
    buf_append(&text, SLICE("SSHSIG"));
    append_string(&text, NAME);
    append_string(&text, SLICE(""));
    append_string(&text, SLICE("sha512"));
    append_string(&text, sha(EVP_sha512(), MESSAGE, hash));
    buf_append(&all, sha(EVP_sha256(), SLICE("ssh:"), hash));
    buf_append(&all, slice_of(touch, sizeof touch));
    buf_append(&all, sha(EVP_sha256(), buf_slice(&text), hash));
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    check(EVP_DigestSignInit(md, NULL, NULL, NULL, pair) == 1);
    check(EVP_DigestSign(md, sig, &len, (unsigned char *)buf_ptr(&all), buf_len(&all)) == 1);
    EVP_MD_CTX_free(md);
    buf_reset(&text);
    append_string(&text, TYPE);
    append_string(&text, slice_of((const char *)sig, len));
    buf_append(&text, slice_of(touch, sizeof touch));
    append_string(out, buf_slice(&text));
    buf_clear(&text);
    buf_clear(&all);
}

static struct buf sign_in_hardware(EVP_PKEY *pair, char flags)
{
    struct buf blob, key, text;
    buf_init(&blob);
    buf_init(&key);
    buf_init(&text);
    append_key(&key, pair);
    buf_append(&blob, SLICE("SSHSIG"));
    append_u32(&blob, 1);
    append_string(&blob, buf_slice(&key));
    append_string(&blob, NAME);
    append_string(&blob, SLICE(""));
    append_string(&blob, SLICE("sha512"));
    append_signature(&blob, pair, flags);
    char base64[2048];
    int len = EVP_EncodeBlock((unsigned char *)base64, (unsigned char *)buf_ptr(&blob), (int)buf_len(&blob));
    buf_append(&text, SLICE("-----BEGIN SSH SIGNATURE-----\n"));
    for (int at = 0; at < len; at += 70)
        buf_printf(&text, "%.70s\n", base64 + at);
    buf_append(&text, SLICE("-----END SSH SIGNATURE-----\n"));
    buf_clear(&blob);
    buf_clear(&key);
    return text;
}

static void takes_touched_hardware(void)
{
    EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct buf text = sign_in_hardware(pair, 1);
    EXPECT(is_taken(buf_slice(&text), MESSAGE, NAME));
    expect_every_byte_counts(buf_slice(&text));
    write_file("hw.sig", buf_slice(&text));
    write_file("m", MESSAGE);
    EXPECT(shell("ssh-keygen -Y check-novalidate -n moongate-bundle -s hw.sig <m"));
    buf_clear(&text);
    text = sign_in_hardware(pair, 5); /* verified by a PIN, too */
    EXPECT(is_taken(buf_slice(&text), MESSAGE, NAME));
    buf_clear(&text);
    text = sign_in_hardware(pair, 4); /* nobody was there */
    EXPECT(!is_taken(buf_slice(&text), MESSAGE, NAME));
    buf_clear(&text);
    EVP_PKEY_free(pair);
}

static void refuses_what_is_none(void)
{
    EXPECT(!is_taken(SLICE_NONE, MESSAGE, NAME));
    EXPECT(!is_taken(SLICE("-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n"), MESSAGE, NAME));
    EXPECT(!is_taken(SLICE("-----BEGIN SSH SIGNATURE-----\n====\n-----END SSH SIGNATURE-----\n"), MESSAGE, NAME));
    EXPECT(!is_taken(SLICE("-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAf////8=\n-----END SSH SIGNATURE-----\n"),
                     MESSAGE, NAME));
}

int main(void)
{
    check(mkdtemp(folder));
    RUN(takes_ed25519);
    RUN(takes_p256);
    RUN(takes_rsa);
    RUN(refuses_weak_and_other_keys);
    RUN(refuses_another_namespace);
    RUN(takes_touched_hardware);
    RUN(refuses_what_is_none);
    check(shell("rm -r %s", folder));
    return unit_close("sshsig");
}
