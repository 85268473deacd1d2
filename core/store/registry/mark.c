#include <sys/stat.h>

#include "base/clock.h"
#include "store/registry/registry_inner.h"

/* Above the grain of a file system's times: of what was written so lately more may follow with the same time. */
#define GRAIN_NS (50 * (int64_t)NS_PER_MS)

static void read_part(const char *data_dir, const char *name, struct registry_mark_part *part)
{
    struct stat st;
    struct buf path;
    *part = (struct registry_mark_part){.size = 0};
    buf_init(&path);
    buf_printf(&path, "%s/%s", data_dir, name);
    buf_append_char(&path, '\0');
    if (stat(buf_ptr(&path), &st) == 0 && st.st_size > 0) {
        part->device = st.st_dev;
        part->inode = st.st_ino;
        part->size = st.st_size;
        part->written_ns = (int64_t)st.st_mtim.tv_sec * (int64_t)NS_PER_S + st.st_mtim.tv_nsec;
    }
    buf_clear(&path);
}

static bool is_fresh(const struct registry_mark_part *part, int64_t now_ns)
{
    int64_t age_ns = now_ns - part->written_ns;
    return part->size > 0 && age_ns > -GRAIN_NS && age_ns < GRAIN_NS;
}

struct registry_mark registry_mark(const char *data_dir)
{
    struct registry_mark mark;
    int64_t now_ns = (int64_t)clock_wall_ns();
    read_part(data_dir, REGISTRY_FILE, &mark.file);
    read_part(data_dir, REGISTRY_FILE "-wal", &mark.log);
    mark.is_settled = !is_fresh(&mark.file, now_ns) && !is_fresh(&mark.log, now_ns);
    return mark;
}

static bool is_same_part(const struct registry_mark_part *a, const struct registry_mark_part *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->written_ns == b->written_ns;
}

bool registry_mark_is_same(const struct registry_mark *then, const struct registry_mark *now)
{
    return then->is_settled && is_same_part(&then->file, &now->file) && is_same_part(&then->log, &now->log);
}
