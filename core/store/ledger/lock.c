#include "store/ledger/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"

static int open_file(const char *data_dir, struct fault *why)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/lock", data_dir);
    buf_append_char(&path, '\0');
    int fd = open(buf_ptr(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) fault_set(why, FAULT_INTERNAL, "%s: %s", buf_ptr(&path), strerror(errno));
    buf_clear(&path);
    return fd;
}

/* Of the first byte. Of the open file, not of the process: no other close() gives it up. */
static struct flock mark(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
}

/* On the same file as the lock, which flock() keeps apart from these. */
int ledger_living(const char *data_dir, struct fault *why)
{
    struct flock shared = mark(F_RDLCK);
    int fd = open_file(data_dir, why);
    if (fd < 0 || fcntl(fd, F_OFD_SETLK, &shared) == 0) return fd;
    fault_set(why, FAULT_INTERNAL, "%s/lock: %s", data_dir, strerror(errno));
    close(fd);
    return -1;
}

bool ledger_is_alone(int living)
{
    struct flock others = mark(F_WRLCK);
    return fcntl(living, F_OFD_GETLK, &others) == 0 && others.l_type == F_UNLCK;
}

/* Who writes, although the folder is not locked. */
static bool has_nobody(int fd, const char *data_dir, struct fault *why)
{
    return ledger_is_alone(fd) ||
           fault_set(why, FAULT_INTERNAL,
                     "the ledger process of a gateway that was killed still writes to %s: it ends by itself, try again",
                     data_dir);
}

int ledger_lock(const char *data_dir, struct fault *why)
{
    int fd = open_file(data_dir, why), answer = -1;
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        if (has_nobody(fd, data_dir, why)) return fd;
    } else if (errno == EWOULDBLOCK) {
        fault_set(why, FAULT_INTERNAL, "a gateway runs with the data folder %s: stop it first", data_dir);
        answer = LEDGER_LOCK_HELD;
    } else {
        fault_set(why, FAULT_INTERNAL, "%s/lock: %s", data_dir, strerror(errno));
    }
    close(fd);
    return answer;
}
