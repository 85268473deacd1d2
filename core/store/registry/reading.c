#include <jansson.h>

#include "store/registry/registry_inner.h"

bool registry_read_topups(const char *data_dir, int64_t now_s, struct buf *out, struct fault *why)
{
    struct registry *r;
    if (!registry_open_to_read(data_dir, &r, why)) return false;
    bool is_good = true;
    if (r) is_good = registry_export_topups(r, now_s, out, why);
    else buf_append(out, SLICE("{\"topups\":[]}"));
    registry_close(r);
    return is_good;
}

static json_t *read_list(const char *data_dir, json_t *(*list)(struct registry *, struct fault *), struct fault *why)
{
    struct registry *r;
    if (!registry_open_to_read(data_dir, &r, why)) return NULL;
    json_t *all = r ? list(r, why) : json_array();
    registry_close(r);
    return all;
}

json_t *registry_read_all_topups(const char *data_dir, struct fault *why)
{
    return read_list(data_dir, registry_topups, why);
}

json_t *registry_read_all_keys(const char *data_dir, struct fault *why)
{
    return read_list(data_dir, registry_keys, why);
}
