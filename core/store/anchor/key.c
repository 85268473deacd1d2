#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "store/anchor/anchor.h"

struct anchor_key {
    EVP_PKEY *pair;
    struct anchor_public public;
};

/* ---- Files: a private one is this user's alone, and is there whole or not at all. */

static char *path_of(const char *data_dir, const char *name)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/%s", data_dir, name);
    buf_append_char(&path, '\0');
    char *text = mem_strdup(buf_ptr(&path));
    buf_clear(&path);
    return text;
}

static bool fail(struct fault *why, const char *path)
{
    return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = slice_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return true;
}

/* A rename or a link lasts when its folder is on the disk. */
static void sync_folder(const char *data_dir)
{
    int fd = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

static bool write_beside(const char *beside, struct slice bytes, mode_t mode, struct fault *why)
{
    unlink(beside); /* of a process that was killed here */
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    bool is_good = fd >= 0 && write_all(fd, bytes) && fsync(fd) == 0;
    if (!is_good) fail(why, beside);
    if (fd >= 0) close(fd);
    return is_good;
}

/* link() refuses a name that is taken: no key is ever written over. */
static bool write_once(const char *data_dir, const char *name, struct slice bytes, struct fault *why)
{
    char *path = path_of(data_dir, name), *beside = path_of(data_dir, "anchor.new");
    bool is_good = write_beside(beside, bytes, 0600, why);
    if (is_good && link(beside, path) != 0) is_good = fail(why, path);
    unlink(beside);
    sync_folder(data_dir);
    mem_free(path);
    mem_free(beside);
    return is_good;
}

static bool write_over(const char *data_dir, const char *name, struct slice bytes, struct fault *why)
{
    char *path = path_of(data_dir, name), *beside = path_of(data_dir, "anchor.new");
    bool is_good = write_beside(beside, bytes, 0644, why);
    if (is_good && rename(beside, path) != 0) is_good = fail(why, path);
    sync_folder(data_dir);
    mem_free(path);
    mem_free(beside);
    return is_good;
}

/* ---- The pair. */

static bool take_public(struct anchor_key *key)
{
    uint8_t bytes[ANCHOR_PUBLIC_BYTES];
    size_t len = sizeof bytes;
    if (EVP_PKEY_get_raw_public_key(key->pair, bytes, &len) != 1 || len != sizeof bytes) return false;
    anchor_public_set(&key->public, bytes);
    return true;
}

static bool is_private(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_uid == geteuid() && (st->st_mode & 077) == 0 &&
           st->st_size <= (off_t)LIMIT_ANCHOR_FILE_BYTES;
}

/* NULL: *why says what is wrong; errno is ENOENT when there is no such file. */
static EVP_PKEY *read_pair(const char *path, struct fault *why)
{
    struct stat st;
    char text[LIMIT_ANCHOR_FILE_BYTES];
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        fail(why, path);
        return NULL;
    }
    bool is_good = fstat(fd, &st) == 0 && is_private(&st);
    ssize_t len = is_good ? read(fd, text, sizeof text) : 0;
    close(fd);
    errno = 0;
    if (!is_good) {
        fault_set(why, FAULT_INTERNAL, "%s must be a file of this user's own that nobody else reads: chmod 600", path);
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(text, len > 0 ? (int)len : 0);
    EVP_PKEY *pair = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
    BIO_free(bio);
    explicit_bzero(text, sizeof text);
    if (pair && EVP_PKEY_is_a(pair, "ED25519")) return pair;
    EVP_PKEY_free(pair);
    fault_set(why, FAULT_INTERNAL, "%s holds no Ed25519 key in PEM; put the backup of it back", path);
    errno = 0;
    return NULL;
}

static bool make_pair(const char *data_dir, const char *name, struct fault *why)
{
    char *text;
    EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *bio = BIO_new(BIO_s_secmem());
    if (!pair || !bio || PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL) != 1) {
        EVP_PKEY_free(pair);
        BIO_free(bio);
        return fault_set(why, FAULT_INTERNAL, "no Ed25519 key could be made");
    }
    long len = BIO_get_mem_data(bio, &text);
    bool is_good = write_once(data_dir, name, slice_of(text, (size_t)len), why);
    BIO_free(bio);
    EVP_PKEY_free(pair);
    return is_good;
}

static struct anchor_key *open_key(const char *path, struct fault *why)
{
    EVP_PKEY *pair = read_pair(path, why);
    if (!pair) return NULL;
    struct anchor_key *key = mem_zalloc(1, sizeof *key);
    key->pair = pair;
    check(take_public(key));
    return key;
}

void anchor_key_free(struct anchor_key *key)
{
    if (!key) return;
    EVP_PKEY_free(key->pair);
    mem_free(key);
}

const struct anchor_public *anchor_key_public(const struct anchor_key *key)
{
    return &key->public;
}

void anchor_key_sign(const struct anchor_key *key, struct slice text, uint8_t signature[ANCHOR_SIGNATURE_BYTES])
{
    size_t len = ANCHOR_SIGNATURE_BYTES;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    check(md && EVP_DigestSignInit(md, NULL, NULL, NULL, key->pair) == 1);
    check(EVP_DigestSign(md, signature, &len, (const unsigned char *)text.ptr, text.len) == 1);
    check(len == ANCHOR_SIGNATURE_BYTES);
    EVP_MD_CTX_free(md);
}

/* ---- anchor.pub: the public keys there were, the present one last. */

static void append_public(struct buf *out, const struct anchor_public *key)
{
    char *text;
    EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, sizeof key->bytes);
    BIO *bio = BIO_new(BIO_s_mem());
    check(public && bio && PEM_write_bio_PUBKEY(bio, public) == 1);
    long len = BIO_get_mem_data(bio, &text);
    buf_append(out, slice_of(text, (size_t)len));
    BIO_free(bio);
    EVP_PKEY_free(public);
}

static bool write_public(const char *data_dir, const struct anchor_trust *all, struct fault *why)
{
    struct buf out;
    buf_init(&out);
    for (size_t i = 0; i < all->count; i++)
        append_public(&out, &all->keys[i]);
    bool is_good = write_over(data_dir, ANCHOR_PUBLIC_FILE, buf_slice(&out), why);
    buf_clear(&out);
    return is_good;
}

/* What is there and cannot be read is not written over: it may be all that older keys are known by. */
static bool read_public(const char *data_dir, struct anchor_trust *all, struct fault *why)
{
    struct stat st;
    struct fault reason;
    char *path = path_of(data_dir, ANCHOR_PUBLIC_FILE);
    bool is_missing = lstat(path, &st) != 0 && errno == ENOENT;
    all->count = 0;
    bool is_good = is_missing || anchor_trust_read(all, path, &reason);
    mem_free(path);
    return is_good || fault_set(why, FAULT_INTERNAL, "%s; put a copy of it back, or move it away: then it is made anew "
                                "with the present key alone", fault_message(&reason));
}

/* The present key last, also when it was there before: a backup of anchor.key may have been put back. */
static bool list_public(const char *data_dir, const struct anchor_public *key, struct fault *why)
{
    struct anchor_trust all, listed = {.count = 0};
    if (!read_public(data_dir, &all, why)) return false;
    if (all.count && memcmp(all.keys[all.count - 1].bytes, key->bytes, sizeof key->bytes) == 0) return true;
    for (size_t i = 0; i < all.count; i++) {
        if (memcmp(all.keys[i].bytes, key->bytes, sizeof key->bytes) != 0) anchor_trust_add(&listed, &all.keys[i]);
    }
    anchor_trust_follow(&listed, key);
    return write_public(data_dir, &listed, why);
}

/* ---- Verbs. */

struct anchor_key *anchor_key_open(const char *data_dir, struct fault *why)
{
    char *path = path_of(data_dir, ANCHOR_KEY_FILE);
    struct anchor_key *key = open_key(path, why);
    if (!key && errno == ENOENT && make_pair(data_dir, ANCHOR_KEY_FILE, why)) key = open_key(path, why);
    mem_free(path);
    if (key && list_public(data_dir, &key->public, why)) return key;
    anchor_key_free(key);
    return NULL;
}

struct anchor_key *anchor_key_open_next(const char *data_dir, struct fault *why)
{
    char *path = path_of(data_dir, ANCHOR_NEXT_FILE);
    struct anchor_key *key = open_key(path, why);
    if (!key && errno == ENOENT) *why = (struct fault){0};
    mem_free(path);
    return key;
}

bool anchor_key_make_next(const char *data_dir, struct fault *why)
{
    return make_pair(data_dir, ANCHOR_NEXT_FILE, why);
}

bool anchor_key_take_next(const char *data_dir, struct fault *why)
{
    char *next = path_of(data_dir, ANCHOR_NEXT_FILE), *path = path_of(data_dir, ANCHOR_KEY_FILE);
    bool is_good = rename(next, path) == 0 || fail(why, next);
    sync_folder(data_dir);
    mem_free(next);
    mem_free(path);
    return is_good;
}
