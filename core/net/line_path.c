#include "net/line_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

/* Fills the address; *dir_fd is to be closed after its use, or -1. */
static bool address_of(const char *path, struct sockaddr_un *address, int *dir_fd)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    *dir_fd = -1;
    size_t len = strlen(path);
    if (len < sizeof address->sun_path) {
        memcpy(address->sun_path, path, len + 1);
        return true;
    }
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *dir = slash ? mem_strndup(path, (size_t)(slash - path + 1)) : mem_strdup(".");
    *dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    mem_free(dir);
    if (*dir_fd < 0) return false;
    int wrote = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *dir_fd, name);
    if (wrote < (int)sizeof address->sun_path) return true;
    close(*dir_fd);
    errno = ENAMETOOLONG;
    return false;
}

static int close_keeping_errno(int fd)
{
    int saved = errno;
    if (fd >= 0) close(fd);
    errno = saved;
    return -1;
}

static int bind_path(const char *path)
{
    struct sockaddr_un address;
    int dir_fd;
    if (!address_of(path, &address, &dir_fd)) return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old = umask(0177);
    int result = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof address);
    umask(old);
    close_keeping_errno(dir_fd);
    return result == 0 ? fd : close_keeping_errno(fd);
}

int line_path_connect(const char *path, unsigned timeout_ms)
{
    struct sockaddr_un address;
    int dir_fd;
    if (!address_of(path, &address, &dir_fd)) return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval wait = {timeout_ms / 1000, (suseconds_t)(timeout_ms % 1000) * 1000};
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    int result = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&address, sizeof address);
    close_keeping_errno(dir_fd);
    return result == 0 ? fd : close_keeping_errno(fd);
}

/* Removes a socket that nobody listens on; anything else at the path is left alone. */
static bool clear_path(const char *path, struct fault *why)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        if (errno == ENOENT) return true;
        return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    }
    if (!S_ISSOCK(st.st_mode))
        return fault_set(why, FAULT_INTERNAL, "%s is in the way: it is not a socket; move it elsewhere", path);
    int fd = line_path_connect(path, 1000);
    if (fd >= 0 || errno == EAGAIN) {
        if (fd >= 0) close(fd);
        return fault_set(why, FAULT_INTERNAL, "another instance answers at %s", path);
    }
    if (errno != ECONNREFUSED || unlink(path) != 0)
        return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    return true;
}

int line_path_listen(const char *path, int backlog, struct fault *why)
{
    if (!clear_path(path, why)) return -1;
    int fd = bind_path(path);
    if (fd >= 0 && listen(fd, backlog) == 0) return fd;
    fault_set(why, FAULT_INTERNAL, "cannot listen on %s: %s", path, strerror(errno));
    return close_keeping_errno(fd);
}
