#include "base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES 262144u

/* O_NONBLOCK is for the opening alone. */
static int open_at_once(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return -1;
    bool is_folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    if (!is_folder && fcntl(fd, F_SETFL, 0) == 0) return fd;
    close(fd);
    if (is_folder) errno = EISDIR;
    return -1;
}

bool input_open(struct input *in, const char *path, struct fault *why)
{
    *in = (struct input){.name = path ? path : "stdin", .fd = path ? open_at_once(path) : STDIN_FILENO};
    buf_init(&in->bytes);
    return in->fd >= 0 || fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
}

/* ---- Files alone. */

static const char *cure_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR: return "is the name right, and the folder?";
    case EACCES:
    case EPERM: return "run it as a user who may read it";
    default: return "name another file";
    }
}

static bool is_plain(const char *path, const struct stat *st, struct fault *why)
{
    const char *copy = "write what comes of it into a file, and name that";
    switch (st->st_mode & S_IFMT) {
    case S_IFREG: return true;
    case S_IFDIR: return fault_set(why, FAULT_INTERNAL, "%s is a folder\nname a file in it", path);
    case S_IFIFO: return fault_set(why, FAULT_INTERNAL, "%s is a pipe and no file\n%s", path, copy);
    case S_IFSOCK: return fault_set(why, FAULT_INTERNAL, "%s is a socket and no file\n%s", path, copy);
    default: return fault_set(why, FAULT_INTERNAL, "%s is a device and no file\n%s", path, copy);
    }
}

bool input_is_file(const char *path, struct fault *why)
{
    struct stat st;
    if (stat(path, &st) == 0) return is_plain(path, &st, why);
    int error = errno;
    return fault_set(why, FAULT_INTERNAL, "%s: %s\n%s", path, strerror(error), cure_of(error));
}

bool input_is_odd(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

void input_close(struct input *in)
{
    if (in->fd > STDIN_FILENO) close(in->fd);
    buf_clear(&in->bytes);
}

static bool read_more(struct input *in, struct buf *to, struct fault *why)
{
    ssize_t n;
    do
        n = read(in->fd, buf_reserve(to, BLOCK_BYTES), BLOCK_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0) return fault_set(why, FAULT_INTERNAL, "%s: %s", in->name, strerror(errno));
    buf_grew(to, (size_t)n);
    in->is_over = n == 0;
    return true;
}

bool input_all(struct input *in, size_t most, struct buf *to, struct fault *why)
{
    while (!in->is_over && buf_len(to) <= most)
        if (!read_more(in, to, why)) return false;
    return buf_len(to) <= most ||
           fault_set(why, FAULT_INTERNAL, "%s: more than %zu bytes\nsplit it", in->name, most);
}

/* Looks for the newline only in what was not looked at before. */
static bool find_end(struct input *in, size_t most, size_t *end, struct fault *why)
{
    for (size_t at = 0;;) {
        struct slice all = buf_slice(&in->bytes);
        const char *newline = all.len > at ? memchr(all.ptr + at, '\n', all.len - at) : NULL;
        *end = newline ? (size_t)(newline - all.ptr) : all.len;
        if (*end > most)
            return fault_set(why, FAULT_INTERNAL, "%s: line %zu has more than %zu bytes", in->name, in->line + 1,
                             most);
        if (newline || in->is_over) return true;
        at = all.len;
        if (!read_more(in, &in->bytes, why)) return false;
    }
}

/* The line that was given before is still there, so that it may be read: it goes now. */
enum input_got input_line(struct input *in, size_t most, struct slice *line, struct fault *why)
{
    size_t end;
    buf_consume(&in->bytes, in->done);
    in->done = 0;
    if (!find_end(in, most, &end, why)) return INPUT_FAILED;
    bool is_ended = end < buf_len(&in->bytes);
    if (!is_ended && end == 0) return INPUT_END;
    *line = slice_of(buf_ptr(&in->bytes), end);
    in->done = end + is_ended;
    in->line++;
    return INPUT_LINE;
}
