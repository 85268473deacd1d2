#include "base/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS_SIZE (F_SEAL_SHRINK | F_SEAL_GROW)

static int memfd_of_size(const char *name, size_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

bool shared_create(struct shared *area, const char *name, size_t size)
{
    *area = (struct shared){.fd = memfd_of_size(name, size), .size = size};
    if (area->fd < 0) return false;
    area->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, area->fd, 0);
    if (area->base == MAP_FAILED || fcntl(area->fd, F_ADD_SEALS, SEALS_SIZE | F_SEAL_SEAL) != 0) {
        int why = errno;
        if (area->base == MAP_FAILED) area->base = NULL;
        shared_close(area);
        errno = why;
        return false;
    }
    return true;
}

void shared_close(struct shared *area)
{
    if (area->size == 0) return;
    if (area->base) munmap(area->base, area->size);
    if (area->fd >= 0) close(area->fd);
    *area = (struct shared){.fd = -1};
}
