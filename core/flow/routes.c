#include "flow/routes.h"

static const struct route {
    const char *path; /* a trailing slash stands for one more segment */
    const char *method, *allow;
    enum route_kind kind;
    enum exchange_api api;
} routes[] = {
    {"/v1/chat/completions", "POST", "POST, OPTIONS", ROUTE_API, API_CHAT},
    {"/v1/completions", "POST", "POST, OPTIONS", ROUTE_API, API_COMPLETIONS},
    {"/v1/embeddings", "POST", "POST, OPTIONS", ROUTE_API, API_EMBEDDINGS},
    {"/v1/models", "GET", "GET, HEAD, OPTIONS", ROUTE_API, API_MODELS},
    {"/v1/models/", "GET", "GET, HEAD, OPTIONS", ROUTE_API, API_MODEL},
    {"/livez", "GET", "GET, HEAD, OPTIONS", ROUTE_LIVEZ, API_NONE},
    {"/readyz", "GET", "GET, HEAD, OPTIONS", ROUTE_READYZ, API_NONE},
};
#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

/* A model's id may itself hold slashes ("openai/small"), so the segment is all that follows. */
static bool path_fits(const struct route *route, struct slice path)
{
    struct slice own = slice_str(route->path);
    if (own.ptr[own.len - 1] != '/') return slice_equal(path, own);
    return path.len > own.len && slice_starts(path, own);
}

static const struct route *find(struct slice path)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (path_fits(&routes[i], path)) return &routes[i];
    }
    return NULL;
}

static bool takes(const struct route *route, struct slice method)
{
    struct slice own = slice_str(route->method);
    return slice_equal(method, own) || (slice_equal(own, SLICE("GET")) && slice_equal(method, SLICE("HEAD")));
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
    if (rest.ptr && find(rest)) {
        fault_set(fault, FAULT_UNKNOWN_PATH, "There is no such path; did you mean %.*s? Base URLs end in /v1.",
                  SLICE_FMT(rest));
    } else if (slice_starts(path, SLICE("/v1")) && find(slice_of(path.ptr + 3, path.len - 3))) {
        fault_set(fault, FAULT_UNKNOWN_PATH, "There is no such path; did you mean %.*s?",
                  SLICE_FMT(slice_of(path.ptr + 3, path.len - 3)));
    } else {
        fault_set(fault, FAULT_UNKNOWN_PATH,
                  "There is no such path. There are /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models, "
                  "/livez and /readyz.");
    }
}

struct route_match routes_find(struct slice method, struct slice path)
{
    struct route_match match = {.kind = ROUTE_NONE};
    const struct route *route = find(path);
    if (!route) {
        explain_unknown(&match.fault, path);
        return match;
    }
    match.allow = slice_str(route->allow);
    if (slice_equal(method, SLICE("OPTIONS"))) {
        match.kind = ROUTE_OPTIONS;
    } else if (!takes(route, method)) {
        fault_set(&match.fault, FAULT_METHOD, "This path does not take %.*s; it takes %s.", SLICE_FMT(method),
                  route->allow);
    } else {
        size_t own = strlen(route->path);
        match.kind = route->kind;
        match.api = route->api;
        if (route->api == API_MODEL) match.id = slice_of(path.ptr + own, path.len - own);
    }
    return match;
}
