#include "base/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool fail(const char *path, struct fault *why)
{
    int error = errno;
    return fault_set(why, FAULT_INTERNAL, "%s: %s\n%s", path, strerror(error), cure_of(error));
}

bool plain_check(const char *path, struct fault *why)
{
    struct stat st;
    return stat(path, &st) == 0 ? is_plain(path, &st, why) : fail(path, why);
}

/* Looked at twice: it may be another one when it is opened, and that must not wait. */
int plain_open(const char *path, struct fault *why)
{
    struct stat st;
    if (!plain_check(path, why)) return -1;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) fail(path, why);
    else if (is_plain(path, &st, why)) return fd;
    if (fd >= 0) close(fd);
    return -1;
}
