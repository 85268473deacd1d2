#include "admin/api/csrf.h"

#include <stdbool.h>
#include <string.h>

static bool is_safe(struct slice method)
{
    return slice_equal(method, SLICE("GET")) || slice_equal(method, SLICE("HEAD"));
}

static bool is_trusted(const struct csrf_request *r)
{
    for (size_t i = 0; i < r->trusted_count; i++)
        if (r->trusted[i].len && slice_iequal(r->origin, r->trusted[i])) return true;
    return false;
}

/* "http://127.0.0.1:8091" → "127.0.0.1:8091"; an opaque origin ("null") has none. */
static struct slice host_of(struct slice origin)
{
    for (size_t i = 0; i + 3 <= origin.len; i++)
        if (memcmp(origin.ptr + i, "://", 3) == 0) return slice_of(origin.ptr + i + 3, origin.len - i - 3);
    return SLICE_NONE;
}

const char *csrf_refusal(const struct csrf_request *r)
{
    if (is_safe(r->method) || is_trusted(r)) return NULL;
    if (r->fetch_site.len)
        return slice_equal(r->fetch_site, SLICE("same-origin")) ? NULL : "another site's page made this request";
    if (!r->origin.len) return "a browser's request says whose page made it; scripts show an admin key";
    struct slice host = host_of(r->origin);
    return host.len && slice_iequal(host, r->host) ? NULL : "a page of another origin made this request";
}

struct slice csrf_origin_of(struct slice url)
{
    struct slice rest = host_of(url);
    if (!rest.len) return SLICE_NONE;
    const char *slash = memchr(rest.ptr, '/', rest.len);
    return slice_of(url.ptr, slash ? (size_t)(slash - url.ptr) : url.len);
}
