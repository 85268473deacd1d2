#include "admin/api/route.h"

#include <stdio.h>

#include "base/utf8.h"
#include "wire/http.h"

static bool is_parameter(struct slice segment)
{
    return segment.len > 2 && segment.ptr[0] == '{';
}

/* The first segment of "/a/b", which is "a"; *rest is "/b". */
static struct slice next_segment(struct slice path, struct slice *rest)
{
    struct slice body = slice_of(path.ptr + 1, path.len - 1);
    const char *slash = memchr(body.ptr, '/', body.len);
    size_t len = slash ? (size_t)(slash - body.ptr) : body.len;
    *rest = slice_of(body.ptr + len, body.len - len);
    return slice_of(body.ptr, len);
}

static bool fits(struct slice pattern, struct slice path)
{
    while (pattern.len && path.len && path.ptr[0] == '/') {
        struct slice want = next_segment(pattern, &pattern), got = next_segment(path, &path);
        if (is_parameter(want) ? got.len == 0 : !slice_equal(want, got)) return false;
    }
    return pattern.len == 0 && path.len == 0;
}

static void allow(struct route_match *match, const char *method)
{
    size_t len = strlen(match->allow);
    match->is_known = true;
    if (strstr(match->allow, method)) return;
    snprintf(match->allow + len, sizeof match->allow - len, "%s%s%s", len ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

const struct api_route *route_find(const struct api_route *routes, struct slice method, struct slice path,
                                   struct route_match *match)
{
    const struct api_route *found = NULL;
    struct slice wanted = slice_equal(method, SLICE("HEAD")) ? SLICE("GET") : method;
    *match = (struct route_match){0};
    for (const struct api_route *r = routes; r->path; r++) {
        if (!fits(slice_str(r->path), path)) continue;
        allow(match, r->method);
        if (!found && slice_equal(wanted, slice_str(r->method))) found = r;
    }
    return found;
}

bool route_parameters(struct arena *arena, const struct api_route *route, struct slice path,
                      struct slice parameters[API_PARAMETERS_MAX])
{
    size_t count = 0;
    struct slice pattern = slice_str(route->path);
    while (pattern.len && path.len) {
        struct slice want = next_segment(pattern, &pattern), got = next_segment(path, &path), text;
        if (!is_parameter(want) || count == API_PARAMETERS_MAX) continue;
        if (!http_decode_segment(arena, got, &text) || !utf8_is_valid(text)) return false;
        parameters[count++] = text;
    }
    return true;
}

struct slice route_parameter_name(const struct api_route *route, size_t n)
{
    struct slice pattern = slice_str(route->path);
    while (pattern.len) {
        struct slice segment = next_segment(pattern, &pattern);
        if (is_parameter(segment) && n-- == 0) return slice_of(segment.ptr + 1, segment.len - 2);
    }
    return SLICE_NONE;
}
