#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/registry/registry_inner.h"

/* Of this process and of all that it forks: said once, when the configuration is known, before anything is opened. */
static char *conninfo, *node;

static char *copy_of(struct slice text)
{
    return text.len ? mem_strndup(text.ptr, text.len) : NULL;
}

void registry_use(struct slice url, struct slice name)
{
    if (conninfo) explicit_bzero(conninfo, strlen(conninfo));
    mem_free(conninfo);
    mem_free(node);
    conninfo = copy_of(url);
    node = copy_of(name);
}

bool registry_is_shared(void)
{
    return conninfo != NULL;
}

const char *registry_place(struct buf *name)
{
    buf_printf(name, "moongate %s registry%c", node ? node : "", '\0');
    return conninfo;
}

struct registry *registry_open(const char *data_dir, struct fault *why)
{
    if (!conninfo) return registry_open_folder(data_dir, why);
    struct buf name;
    buf_init(&name);
    const char *place = registry_place(&name);
    struct registry *r = registry_open_postgres(place, buf_ptr(&name), why);
    buf_clear(&name);
    return r;
}

bool registry_open_to_read(const char *data_dir, struct registry **r, struct fault *why)
{
    if (!conninfo) return registry_read_folder(data_dir, r, why);
    *r = registry_open(data_dir, why);
    return *r != NULL;
}

bool registry_is_there(const char *data_dir)
{
    if (conninfo) return true;
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" REGISTRY_FILE "%c", data_dir, '\0');
    bool is_there = access(buf_ptr(&path), F_OK) == 0;
    buf_clear(&path);
    return is_there;
}
