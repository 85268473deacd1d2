#include "store/section/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/input.h"
#include "base/limits.h"

#define MAGIC "MGSNAP1\n"

struct file_head {
    char magic[8];
    uint32_t count, reserved;
};

static bool fail(struct fault *why, const char *path)
{
    return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
}

/* ---- Writing. */

/* Appends a whole memory file. */
static bool append_fd(struct buf *out, int fd, struct fault *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size < 0 || st.st_size > (off_t)LIMIT_SECTION_FILE_BYTES)
        return fault_set(why, FAULT_INTERNAL, "a section cannot be kept: it has no size, or too large a one");
    size_t len = (size_t)st.st_size;
    if (pread(fd, buf_reserve(out, len), len, 0) != (ssize_t)len)
        return fault_set(why, FAULT_INTERNAL, "a section cannot be read: %s", strerror(errno));
    buf_grew(out, len);
    while (buf_len(out) % 8)
        buf_append_char(out, '\0');
    return true;
}

static bool write_out(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t done = write(fd, bytes.ptr, bytes.len);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        bytes = slice_of(bytes.ptr + done, bytes.len - (size_t)done);
    }
    return true;
}

static bool sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return is_good;
}

static bool write_whole(const char *path, struct slice bytes, struct fault *why)
{
    char beside[PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) return fail(why, path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return fail(why, beside);
    bool is_good = write_out(fd, bytes) && fsync(fd) == 0;
    if (!is_good) fail(why, beside);
    close(fd);
    if (!is_good) unlink(beside);
    return is_good && ((rename(beside, path) == 0 && sync_folder(path)) || fail(why, path));
}

bool section_file_write(const char *path, const int *fds, unsigned count, struct fault *why)
{
    struct buf out;
    struct file_head head = {.count = count};
    bool is_good = true;
    memcpy(head.magic, MAGIC, sizeof head.magic);
    buf_init(&out);
    buf_append(&out, slice_of((const char *)&head, sizeof head));
    for (unsigned i = 0; is_good && i < count; i++)
        is_good = append_fd(&out, fds[i], why);
    uint64_t hash = hash_bytes(buf_slice(&out), 0);
    buf_append(&out, slice_of((const char *)&hash, sizeof hash));
    is_good = is_good && write_whole(path, buf_slice(&out), why);
    buf_clear(&out);
    return is_good;
}

/* ---- Reading. */

/* Without the hash at its end. False: it is not whole. */
static bool check_file(struct slice *bytes, struct file_head *head)
{
    uint64_t hash;
    if (bytes->len < sizeof *head + sizeof hash) return false;
    memcpy(head, bytes->ptr, sizeof *head);
    bytes->len -= sizeof hash;
    memcpy(&hash, bytes->ptr + bytes->len, sizeof hash);
    return memcmp(head->magic, MAGIC, sizeof head->magic) == 0 && hash_bytes(*bytes, 0) == hash;
}

static bool next_section(struct slice *rest, struct section_about *about, struct slice *section, struct fault *why)
{
    if (!section_head(*rest, about, why)) return false;
    uint64_t padded = about->bytes <= rest->len ? (about->bytes + 7) / 8 * 8 : UINT64_MAX;
    if (about->bytes < SECTION_HEAD_BYTES || padded > rest->len)
        return fault_set(why, FAULT_INTERNAL, "a section is cut off");
    *section = slice_of(rest->ptr, (size_t)about->bytes);
    *rest = slice_of(rest->ptr + padded, rest->len - (size_t)padded);
    return true;
}

/* each: NULL to see first whether all of them can be handed out. */
static bool walk(struct slice rest, uint32_t count,
                 bool (*each)(void *arg, const struct section_about *about, struct slice section), void *arg,
                 struct fault *why)
{
    for (uint32_t i = 0; i < count; i++) {
        struct section_about about;
        struct slice section;
        if (!next_section(&rest, &about, &section, why)) return false;
        if (each && !each(arg, &about, section)) return false;
    }
    return rest.len == 0 || fault_set(why, FAULT_INTERNAL, "there is more behind its sections");
}

bool section_file_read(const char *path,
                       bool (*each)(void *arg, const struct section_about *about, struct slice section), void *arg,
                       struct fault *why)
{
    struct input in;
    struct buf text;
    struct file_head head;
    buf_init(&text);
    bool is_read = input_open(&in, path, why) && input_all(&in, LIMIT_SECTION_FILE_BYTES, &text, why);
    struct slice bytes = buf_slice(&text);
    bool is_whole = is_read && check_file(&bytes, &head);
    if (is_read && !is_whole) fault_set(why, FAULT_INTERNAL, "%s: damaged, or of another moongate", path);
    struct slice rest = is_whole ? slice_of(bytes.ptr + sizeof head, bytes.len - sizeof head) : SLICE_NONE;
    bool is_good = is_whole && walk(rest, head.count, NULL, NULL, why) && walk(rest, head.count, each, arg, why);
    input_close(&in);
    buf_clear(&text);
    return is_good;
}
