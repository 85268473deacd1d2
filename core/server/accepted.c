#include "server/accepted.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/input.h"

#define HEAD "moongate-accepted v2"
#define HEAD_OLD "moongate-accepted v1" /* without the highest serial */
#define BYTES_MAX 512u

/* serial, digest, time: a line each. *rest: what stands behind them. */
static bool parse_lines(struct slice text, struct accepted *last, struct slice *rest)
{
    struct slice serial = slice_split(text, '\n', &text), digest = slice_split(text, '\n', &text);
    uint64_t seconds;
    bool is_good = slice_to_u64(serial, &last->serial) && last->serial && digest.len == MANIFEST_DIGEST_BYTES - 1 &&
                   manifest_is_base(digest) && slice_to_u64(slice_split(text, '\n', rest), &seconds) &&
                   seconds <= INT64_MAX;
    if (!is_good) return false;
    memcpy(last->digest, digest.ptr, digest.len);
    last->at_s = (int64_t)seconds;
    last->highest = last->serial;
    return true;
}

static bool parse(struct slice text, struct accepted *last)
{
    struct slice rest, head = slice_split(text, '\n', &text);
    if (!parse_lines(text, last, &rest)) return false;
    if (slice_equal(head, SLICE(HEAD_OLD))) return rest.len == 0;
    return slice_equal(head, SLICE(HEAD)) && slice_to_u64(slice_split(rest, '\n', &rest), &last->highest) &&
           rest.len == 0 && last->highest >= last->serial;
}

bool accepted_read(const char *data_dir, struct accepted *last, struct fault *why)
{
    char path[PATH_MAX];
    struct input in;
    struct buf text;
    *last = (struct accepted){.serial = 0};
    snprintf(path, sizeof path, "%s/" ACCEPTED_FILE, data_dir);
    if (access(path, F_OK) != 0 && errno == ENOENT) return true;
    buf_init(&text);
    bool is_read = input_open(&in, path, why) && input_all(&in, BYTES_MAX, &text, why);
    input_close(&in);
    bool is_whole = is_read && buf_len(&text) && buf_ptr(&text)[buf_len(&text) - 1] == '\n';
    bool is_good = is_whole && parse(buf_slice(&text), last);
    if (is_read && !is_good)
        fault_set(why, FAULT_INTERNAL, "%s is damaged: which bundle was accepted last is not known; put a copy of the "
                  "file back", path);
    buf_clear(&text);
    return is_good;
}

static bool write_whole(const char *path, const char *text)
{
    size_t len = strlen(text);
    unlink(path); /* of a process that was killed here */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool is_good = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return is_good;
}

/* A rename lasts when its folder is on the disk. */
static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return is_good;
}

bool accepted_write(const char *data_dir, const struct accepted *next, struct fault *why)
{
    char path[PATH_MAX], beside[PATH_MAX], text[BYTES_MAX];
    snprintf(path, sizeof path, "%s/" ACCEPTED_FILE, data_dir);
    snprintf(beside, sizeof beside, "%s/" ACCEPTED_FILE ".new", data_dir);
    snprintf(text, sizeof text, HEAD "\n%" PRIu64 "\n%s\n%" PRId64 "\n%" PRIu64 "\n", next->serial, next->digest,
             next->at_s, next->highest > next->serial ? next->highest : next->serial);
    return (write_whole(beside, text) && rename(beside, path) == 0 && sync_folder(data_dir)) ||
           fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
}
