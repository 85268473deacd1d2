#include "flow/routes.h"

#include <stdio.h>

/* Paths that ask about the process. */
static const struct health {
    const char *path;
    enum route_kind kind;
} healths[] = {{"/livez", ROUTE_LIVEZ}, {"/readyz", ROUTE_READYZ}};
#define HEALTH_COUNT (sizeof healths / sizeof healths[0])

struct place {
    enum route_kind kind;
    const struct api *api;
    const char *method;
    struct slice rest; /* what the path's star stands for */
};

static bool path_fits(const char *pattern, struct slice path, struct slice *rest)
{
    struct slice own = slice_str(pattern);
    const char *star = strchr(pattern, '*');
    if (!star) return slice_equal(path, own);
    size_t before = (size_t)(star - pattern), behind = own.len - before - 1;
    if (path.len <= before + behind || memcmp(path.ptr, pattern, before) != 0) return false;
    if (memcmp(path.ptr + path.len - behind, star + 1, behind) != 0) return false;
    *rest = slice_of(path.ptr + before, path.len - before - behind);
    return true;
}

static bool find(struct slice path, struct place *place)
{
    const struct api *api;
    for (size_t i = 0; (api = api_at(i)) != NULL; i++) {
        *place = (struct place){ROUTE_API, api, api->method, SLICE_NONE};
        if (path_fits(api->path, path, &place->rest)) return true;
    }
    for (size_t i = 0; i < HEALTH_COUNT; i++) {
        *place = (struct place){healths[i].kind, &api_none, "GET", SLICE_NONE};
        if (slice_equal(path, slice_str(healths[i].path))) return true;
    }
    return false;
}

static bool is_path(struct slice path)
{
    struct place place;
    return find(path, &place);
}

static bool takes(const char *own, struct slice method)
{
    return slice_equal(method, slice_str(own)) || (strcmp(own, "GET") == 0 && slice_equal(method, SLICE("HEAD")));
}

static const char *allow_of(const char *method)
{
    return strcmp(method, "GET") == 0 ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
}

/* Those with a star are left out: who asks for one model knows of the list. */
static void list_paths(struct fault *fault)
{
    char paths[sizeof fault->text] = "";
    size_t len = 0;
    const struct api *api;
    for (size_t i = 0; (api = api_at(i)) != NULL && len < sizeof paths; i++) {
        if (!strchr(api->path, '*'))
            len += (size_t)snprintf(paths + len, sizeof paths - len, "%s%s", len ? ", " : "", api->path);
    }
    for (size_t i = 0; i < HEALTH_COUNT && len < sizeof paths; i++) {
        const char *link = i + 1 < HEALTH_COUNT ? ", " : " and ";
        len += (size_t)snprintf(paths + len, sizeof paths - len, "%s%s", link, healths[i].path);
    }
    fault_set(fault, FAULT_UNKNOWN_PATH, "There is no such path. There are %s.", paths);
}

/* The commonest slip is a base URL without its /v1, or with it twice. */
static void explain_unknown(struct fault *fault, struct slice path)
{
    char fuller[256];
    struct slice rest = SLICE_NONE;
    if (path.len + 3 < sizeof fuller) {
        memcpy(fuller, "/v1", 3);
        memcpy(fuller + 3, path.ptr, path.len);
        rest = slice_of(fuller, path.len + 3);
    }
    if (rest.ptr && is_path(rest)) {
        fault_set(fault, FAULT_UNKNOWN_PATH, "There is no such path; did you mean %.*s? Base URLs end in /v1.",
                  SLICE_FMT(rest));
    } else if (slice_starts(path, SLICE("/v1")) && is_path(slice_of(path.ptr + 3, path.len - 3))) {
        fault_set(fault, FAULT_UNKNOWN_PATH, "There is no such path; did you mean %.*s?",
                  SLICE_FMT(slice_of(path.ptr + 3, path.len - 3)));
    } else {
        list_paths(fault);
    }
}

struct route_match routes_find(struct slice method, struct slice path)
{
    struct route_match match = {.kind = ROUTE_NONE, .api = &api_none};
    struct place place;
    if (!find(path, &place)) {
        explain_unknown(&match.fault, path);
        return match;
    }
    match.api = place.api;
    match.id = place.rest;
    match.allow = slice_str(allow_of(place.method));
    if (slice_equal(method, SLICE("OPTIONS"))) {
        match.kind = ROUTE_OPTIONS;
    } else if (takes(place.method, method)) {
        match.kind = place.kind;
    } else {
        fault_set(&match.fault, FAULT_METHOD, "This path does not take %.*s; it takes %s.", SLICE_FMT(method),
                  allow_of(place.method));
    }
    return match;
}
