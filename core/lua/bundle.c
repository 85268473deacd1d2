#include "lua/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/fiber.h"
#include "base/limits.h"
#include "base/mem.h"

/* The flat form: "MGB1", count as u32, then for each file path length and text length as u32, path, text. Numbers are
 * in the machine's own order: it never leaves the machine. */
static const char magic[4] = {'M', 'G', 'B', '1'};

struct bundle {
    unsigned refs;
    struct arena arena;
    struct bundle_file *files;
    size_t count, cap;
    size_t bytes; /* of all texts */
    char digest[65];
};

/* --- building --- */

static struct bundle *bundle_new(void)
{
    struct bundle *b = mem_zalloc(1, sizeof *b);
    b->refs = 1;
    arena_init(&b->arena);
    return b;
}

struct bundle *bundle_ref(struct bundle *b)
{
    b->refs++;
    return b;
}

void bundle_unref(struct bundle *b)
{
    if (!b || --b->refs > 0) return;
    arena_clear(&b->arena);
    mem_free(b->files);
    mem_free(b);
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool ends_in(struct slice path, struct slice ending)
{
    return path.len > ending.len && memcmp(path.ptr + path.len - ending.len, ending.ptr, ending.len) == 0;
}

/* ^[a-z0-9_/]+\.(lua|json)$ without empty parts. */
static bool is_path(struct slice path)
{
    size_t ending = ends_in(path, SLICE(".lua")) ? 4 : ends_in(path, SLICE(".json")) ? 5 : 0;
    if (!ending || path.len > LIMIT_POLICY_PATH_BYTES) return false;
    char before = '/';
    for (size_t i = 0; i < path.len - ending; i++) {
        char c = path.ptr[i];
        if (!is_name_char(c) && !(c == '/' && before != '/')) return false;
        before = c;
    }
    return before != '/';
}

/* Takes a text that already lies in the arena; copies the path. */
static bool add_file(struct bundle *b, struct slice path, struct slice text, struct fault *why)
{
    if (!is_path(path)) {
        return fault_set(why, FAULT_POLICY,
                         "policies/%.*s: a policy file's name is made of a-z, 0-9 and _, at most %u bytes",
                         SLICE_FMT(path), LIMIT_POLICY_PATH_BYTES);
    }
    if (text.len > LIMIT_POLICY_FILE_BYTES) {
        return fault_set(why, FAULT_POLICY,
                         "policies/%.*s: larger than %u MB: move rows into a file of their own that ends with "
                         "return { … }; models { require \"models.openai\", … } takes those of models/openai.lua in",
                         SLICE_FMT(path), LIMIT_POLICY_FILE_BYTES / MIB);
    }
    if (b->count == LIMIT_POLICY_FILES) {
        return fault_set(why, FAULT_POLICY, "policies/%.*s: more than %u files", SLICE_FMT(path), LIMIT_POLICY_FILES);
    }
    if (b->bytes + text.len > LIMIT_POLICY_BUNDLE_BYTES) {
        return fault_set(why, FAULT_POLICY, "policies/%.*s: all files together are larger than %u bytes",
                         SLICE_FMT(path), LIMIT_POLICY_BUNDLE_BYTES);
    }
    if (b->count == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 16;
        b->files = mem_realloc(b->files, b->cap * sizeof *b->files);
    }
    b->files[b->count++] = (struct bundle_file){arena_copy(&b->arena, path), text};
    b->bytes += text.len;
    return true;
}

static int compare_paths(struct slice a, struct slice b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_path(const void *a, const void *b)
{
    return compare_paths(((const struct bundle_file *)a)->path, ((const struct bundle_file *)b)->path);
}

#define DIGEST_BYTES (64u * KIB) /* between two looks at whether a slice is over */

static void digest_slice(EVP_MD_CTX *md, struct slice s)
{
    uint64_t len = s.len;
    check(EVP_DigestUpdate(md, &len, sizeof len) == 1);
    for (size_t piece, at = 0; at < s.len; at += piece) {
        piece = s.len - at < DIGEST_BYTES ? s.len - at : DIGEST_BYTES;
        check(EVP_DigestUpdate(md, s.ptr + at, piece) == 1);
        fiber_rest();
    }
}

/* Sorts, refuses doubles, computes the digest: each path and text with its length before it. */
static bool finish(struct bundle *b, struct fault *why)
{
    if (b->count) qsort(b->files, b->count, sizeof *b->files, by_path);
    for (size_t i = 1; i < b->count; i++) {
        if (slice_equal(b->files[i].path, b->files[i - 1].path)) {
            return fault_set(why, FAULT_POLICY, "policies/%.*s: there twice", SLICE_FMT(b->files[i].path));
        }
    }
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char hash[32];
    check(md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < b->count; i++) {
        digest_slice(md, b->files[i].path);
        digest_slice(md, b->files[i].text);
    }
    check(EVP_DigestFinal_ex(md, hash, NULL) == 1);
    EVP_MD_CTX_free(md);
    for (int i = 0; i < 32; i++)
        snprintf(b->digest + 2 * i, 3, "%02x", hash[i]);
    return true;
}

/* --- from a folder --- */

static bool read_dir(struct bundle *b, int fd, struct slice prefix, struct fault *why);

/* Up to one byte beyond the limit: add_file() refuses that. */
static bool read_all(int fd, struct slice path, struct buf *text, struct fault *why)
{
    size_t max = LIMIT_POLICY_FILE_BYTES + 1;
    while (buf_len(text) < max) {
        size_t room = max - buf_len(text);
        ssize_t n = read(fd, buf_reserve(text, room), room);
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fault_set(why, FAULT_POLICY, "policies/%.*s: %s", SLICE_FMT(path), strerror(errno));
        buf_grew(text, (size_t)n);
    }
    return true;
}

static bool read_file(struct bundle *b, int dir_fd, const char *name, struct slice path, struct fault *why)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        const char *what = errno == ELOOP ? "is a symbolic link; policy files must be regular files" : strerror(errno);
        return fault_set(why, FAULT_POLICY, "policies/%.*s: %s", SLICE_FMT(path), what);
    }
    struct stat st;
    struct buf text;
    buf_init(&text);
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (!ok) fault_set(why, FAULT_POLICY, "policies/%.*s: is not a regular file", SLICE_FMT(path));
    ok = ok && read_all(fd, path, &text, why) && add_file(b, path, arena_copy(&b->arena, buf_slice(&text)), why);
    close(fd);
    buf_clear(&text);
    return ok;
}

static bool read_subdir(struct bundle *b, int dir_fd, const char *name, struct slice prefix, struct fault *why)
{
    for (const char *c = name; *c; c++) {
        if (!is_name_char(*c)) return true;
    }
    if (prefix.len == 0 && strcmp(name, "specs") == 0) return true;
    if (prefix.len + strlen(name) > LIMIT_POLICY_PATH_BYTES) {
        return fault_set(why, FAULT_POLICY, "policies/%.*s%s: folders are nested too deep", SLICE_FMT(prefix), name);
    }
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return fault_set(why, FAULT_POLICY, "policies/%.*s%s: %s", SLICE_FMT(prefix), name, strerror(errno));
    }
    return read_dir(b, fd, arena_printf(&b->arena, "%.*s%s/", SLICE_FMT(prefix), name), why);
}

static bool read_entry(struct bundle *b, int dir_fd, const struct dirent *entry, struct slice prefix, struct fault *why)
{
    const char *name = entry->d_name;
    if (name[0] == '.') return true;
    struct slice path = arena_printf(&b->arena, "%.*s%s", SLICE_FMT(prefix), name);
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return fault_set(why, FAULT_POLICY, "policies/%.*s: %s", SLICE_FMT(path), strerror(errno));
    }
    if (S_ISDIR(st.st_mode)) return read_subdir(b, dir_fd, name, prefix, why);
    /* Whatever ends in .lua is meant; of other people's JSON only what a policy could name. */
    bool is_data = ends_in(path, SLICE(".json")) && is_path(path) && S_ISREG(st.st_mode);
    return !(is_data || ends_in(path, SLICE(".lua"))) || read_file(b, dir_fd, name, path, why);
}

/* Takes the descriptor. */
static bool read_dir(struct bundle *b, int fd, struct slice prefix, struct fault *why)
{
    DIR *dir = fdopendir(fd);
    check(dir);
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(dir));)
        ok = read_entry(b, fd, entry, prefix, why);
    closedir(dir);
    return ok;
}

/* b, or NULL after dropping it. */
static struct bundle *finish_or_drop(struct bundle *b, bool ok, struct fault *why)
{
    if (ok && finish(b, why)) return b;
    bundle_unref(b);
    return NULL;
}

struct bundle *bundle_read(const char *dir, struct fault *why)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        fault_set(why, FAULT_POLICY, "policy folder %s: %s", dir, strerror(errno));
        return NULL;
    }
    struct bundle *b = bundle_new();
    return finish_or_drop(b, read_dir(b, fd, SLICE(""), why), why);
}

struct bundle *bundle_of(const struct bundle_file *files, size_t count, struct fault *why)
{
    struct bundle *b = bundle_new();
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = add_file(b, files[i].path, arena_copy(&b->arena, files[i].text), why);
    }
    return finish_or_drop(b, ok, why);
}

/* --- the flat form --- */

static void append_u32(struct buf *out, size_t value)
{
    uint32_t v = (uint32_t)value;
    buf_append(out, slice_of((const char *)&v, sizeof v));
}

void bundle_serialise(const struct bundle *b, struct buf *out)
{
    buf_append(out, slice_of(magic, sizeof magic));
    append_u32(out, b->count);
    for (size_t i = 0; i < b->count; i++) {
        append_u32(out, b->files[i].path.len);
        append_u32(out, b->files[i].text.len);
        buf_append(out, b->files[i].path);
        buf_append(out, b->files[i].text);
    }
}

static bool take(struct slice *rest, size_t len, struct slice *taken)
{
    if (rest->len < len) return false;
    *taken = slice_of(rest->ptr, len);
    *rest = slice_of(rest->ptr + len, rest->len - len);
    return true;
}

static bool take_u32(struct slice *rest, uint32_t *value)
{
    struct slice bytes;
    if (!take(rest, sizeof *value, &bytes)) return false;
    memcpy(value, bytes.ptr, sizeof *value);
    return true;
}

static bool parse_file(struct bundle *b, struct slice *rest, struct fault *why)
{
    uint32_t path_len, text_len;
    struct slice path, text;
    if (!take_u32(rest, &path_len) || !take_u32(rest, &text_len) || path_len > LIMIT_POLICY_PATH_BYTES ||
        text_len > LIMIT_POLICY_FILE_BYTES || !take(rest, path_len, &path) || !take(rest, text_len, &text)) {
        return fault_set(why, FAULT_POLICY, "policy bundle: cut or damaged after %zu files", b->count);
    }
    fiber_rest();
    return add_file(b, path, arena_copy(&b->arena, text), why);
}

struct bundle *bundle_parse(struct slice bytes, struct fault *why)
{
    struct slice rest = bytes, head = SLICE_NONE;
    uint32_t count = 0;
    if (!take(&rest, sizeof magic, &head) || memcmp(head.ptr, magic, sizeof magic) != 0 || !take_u32(&rest, &count)) {
        fault_set(why, FAULT_POLICY, "policy bundle: not a bundle");
        return NULL;
    }
    struct bundle *b = bundle_new();
    bool ok = true;
    for (uint32_t i = 0; ok && i < count; i++)
        ok = parse_file(b, &rest, why);
    if (ok && rest.len) ok = fault_set(why, FAULT_POLICY, "policy bundle: %zu bytes after its end", rest.len);
    return finish_or_drop(b, ok, why);
}

/* --- reading it --- */

const char *bundle_digest(const struct bundle *b)
{
    return b->digest;
}

size_t bundle_count(const struct bundle *b)
{
    return b->count;
}

size_t bundle_bytes(const struct bundle *b)
{
    return b->bytes;
}

const struct bundle_file *bundle_at(const struct bundle *b, size_t index)
{
    check(index < b->count);
    return &b->files[index];
}

const struct bundle_file *bundle_find(const struct bundle *b, struct slice path)
{
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_paths(b->files[middle].path, path);
        if (order == 0) return &b->files[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
