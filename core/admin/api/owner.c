#include "admin/api/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/registry/registry.h"

#define LOOK_MS 20u

struct owner {
    int lock_fd;
    struct registry *registry;
};

static bool take(int fd, unsigned wait_ms)
{
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || wait_ms == 0) return false;
        unsigned step_ms = wait_ms < LOOK_MS ? wait_ms : LOOK_MS;
        usleep(step_ms * 1000u);
        wait_ms -= step_ms;
    }
    return true;
}

/* -1 and *why. */
static int lock(const char *data_dir, unsigned wait_ms, struct fault *why)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/registry.lock", data_dir);
    buf_append_char(&path, '\0');
    int fd = open(buf_ptr(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool is_taken = fd >= 0 && take(fd, wait_ms);
    if (!is_taken && fd >= 0 && errno == EWOULDBLOCK)
        fault_set(why, FAULT_INTERNAL, "%s: another process changes the registry", buf_ptr(&path));
    else if (!is_taken)
        fault_set(why, FAULT_INTERNAL, "%s: %s", buf_ptr(&path), strerror(errno));
    buf_clear(&path);
    if (is_taken || fd < 0) return fd;
    close(fd);
    return -1;
}

struct owner *owner_open(const char *data_dir, unsigned wait_ms, struct fault *why)
{
    int fd = lock(data_dir, wait_ms, why);
    struct registry *registry = fd >= 0 ? registry_open(data_dir, why) : NULL;
    if (!registry) {
        if (fd >= 0) close(fd);
        return NULL;
    }
    struct owner *owner = mem_zalloc(1, sizeof *owner);
    *owner = (struct owner){fd, registry};
    return owner;
}

struct registry *owner_registry(const struct owner *owner)
{
    return owner->registry;
}

void owner_close(struct owner *owner)
{
    if (!owner) return;
    registry_close(owner->registry);
    close(owner->lock_fd);
    mem_free(owner);
}
