#include "store/ledger_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"

int ledger_lock(const char *data_dir, struct fault *why)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/lock", data_dir);
    buf_append_char(&path, '\0');
    int fd = open(buf_ptr(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        fault_set(why, FAULT_INTERNAL, "%s: %s", buf_ptr(&path), strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        fault_set(why, FAULT_INTERNAL, "a gateway runs with the data folder %s: stop it first", data_dir);
        close(fd);
        fd = LEDGER_LOCK_HELD;
    }
    buf_clear(&path);
    return fd;
}
