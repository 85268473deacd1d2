#include "flow/routes.h"

#include <stdio.h>

#include "flow/foreign.h"
#include "wire/http.h"

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
    struct slice rest, inner; /* what the path's stars stand for */
};

/* Of two stars, the second at the end: neither stands for a slash. */
static bool both_fit(struct slice before, struct slice between, struct slice path, struct place *place)
{
    if (!slice_starts(path, before)) return false;
    place->rest = slice_split(slice_of(path.ptr + before.len, path.len - before.len), '/', &path);
    if (!place->rest.len || !slice_starts(path, between)) return false;
    place->inner = slice_of(path.ptr + between.len, path.len - between.len);
    return place->inner.len && !memchr(place->inner.ptr, '/', place->inner.len);
}

static bool path_fits(const char *pattern, struct slice path, struct place *place)
{
    struct slice own = slice_str(pattern);
    const char *star = strchr(pattern, '*'), *second = star ? strchr(star + 1, '*') : NULL;
    if (!star) return slice_equal(path, own);
    if (second)
        return both_fit(slice_of(pattern, (size_t)(star - pattern)), slice_of(star + 2, (size_t)(second - star - 2)),
                        path, place);
    size_t before = (size_t)(star - pattern), behind = own.len - before - 1;
    if (path.len <= before + behind || memcmp(path.ptr, pattern, before) != 0) return false;
    if (memcmp(path.ptr + path.len - behind, star + 1, behind) != 0) return false;
    place->rest = slice_of(path.ptr + before, path.len - before - behind);
    return true;
}

/* An id holds no slash, a model's name may. */
static bool is_one(const struct api *api, struct slice rest)
{
    return !api->place || !memchr(rest.ptr, '/', rest.len);
}

static bool find(struct slice path, struct place *place)
{
    const struct api *api;
    for (size_t i = 0; (api = api_at(i)) != NULL; i++) {
        *place = (struct place){.kind = ROUTE_API, .api = api, .method = api->method};
        if (!api->if_header && path_fits(api->path, path, place) && is_one(api, place->rest)) return true;
    }
    for (size_t i = 0; i < HEALTH_COUNT; i++) {
        *place = (struct place){.kind = healths[i].kind, .api = &api_none, .method = "GET"};
        if (slice_equal(path, slice_str(healths[i].path))) return true;
    }
    return false;
}

static bool is_path(struct slice path)
{
    struct place place;
    return find(path, &place);
}

/* Of objects that providers keep: rows that share a path, one a method. */
static bool has_methods(const struct api *api)
{
    return api->place || api->stands_for || api->kind == API_LIST;
}

static bool takes(const struct place *place, struct slice method)
{
    bool is_get = strcmp(place->method, "GET") == 0 && !has_methods(place->api);
    return slice_equal(method, slice_str(place->method)) || (is_get && slice_equal(method, SLICE("HEAD")));
}

static const char *allow_of(const char *method)
{
    return strcmp(method, "GET") == 0 ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
}

static bool is_same_path(const struct api *api, const struct api *other)
{
    return has_methods(api) && strcmp(api->path, other->path) == 0;
}

/* GET where HEAD is taken, too: of an object its provider alone knows what that would say. */
static const char *allow_at(const struct place *place, struct arena *arena)
{
    struct slice all = SLICE("");
    const struct api *api;
    if (!has_methods(place->api)) return allow_of(place->method);
    for (size_t i = 0; (api = api_at(i)) != NULL; i++) {
        if (is_same_path(api, place->api))
            all = arena_printf(arena, "%.*s%s, ", SLICE_FMT(all), api->method);
    }
    return arena_printf(arena, "%.*sOPTIONS%c", SLICE_FMT(all), '\0').ptr;
}

/* The row of the same path that has the method, if there is one. */
static void choose_method(struct place *place, struct slice method)
{
    const struct api *api;
    for (size_t i = 0; has_methods(place->api) && (api = api_at(i)) != NULL; i++) {
        if (!is_same_path(api, place->api) || !slice_equal(method, slice_str(api->method))) continue;
        place->api = api;
        place->method = api->method;
    }
}

/* Those that are asked for most: a text has an end. */
static bool is_common(const struct api *api)
{
    if (api->kind == API_LIST) return false;
    return api->kind != API_CALL || chat_is_written(api->asks) || api->asks == CHAT_EMBEDDINGS;
}

/* Those with a star are left out: who asks for one model knows of the list. */
static void list_paths(struct fault *fault)
{
    char paths[sizeof fault->text] = "";
    size_t len = 0;
    const struct api *api;
    for (size_t i = 0; (api = api_at(i)) != NULL && len < sizeof paths; i++) {
        if (!strchr(api->path, '*') && !api->if_header && is_common(api))
            len += (size_t)snprintf(paths + len, sizeof paths - len, "%s%s", len ? ", " : "", api->path);
    }
    for (size_t i = 0; i < HEALTH_COUNT && len < sizeof paths; i++) {
        const char *link = i + 1 < HEALTH_COUNT ? ", " : " and ";
        len += (size_t)snprintf(paths + len, sizeof paths - len, "%s%s", link, healths[i].path);
    }
    fault_set(fault, FAULT_UNKNOWN_PATH, "There is no such path. Among others there are %s.", paths);
}

/* The commonest slip is a base URL without its /v1, or with it twice. */
static bool explain_v1(struct fault *fault, struct slice path)
{
    char fuller[256];
    struct slice rest = SLICE_NONE;
    if (path.len + 3 < sizeof fuller) {
        memcpy(fuller, "/v1", 3);
        memcpy(fuller + 3, path.ptr, path.len);
        rest = slice_of(fuller, path.len + 3);
    }
    if (rest.ptr && is_path(rest)) {
        fault_set(fault, FAULT_MISSPELT_PATH, "There is no such path; did you mean %.*s? Base URLs end in /v1.",
                  SLICE_FMT(rest));
    } else if (slice_starts(path, SLICE("/v1")) && is_path(slice_of(path.ptr + 3, path.len - 3))) {
        fault_set(fault, FAULT_MISSPELT_PATH, "There is no such path; did you mean %.*s?",
                  SLICE_FMT(slice_of(path.ptr + 3, path.len - 3)));
    } else {
        return false;
    }
    return true;
}

static bool is_websocket(struct slice upgrade)
{
    return http_list_has(upgrade, SLICE("websocket"));
}

/* Codex falls back to HTTP at once on 426, and on nothing else. */
static void explain_unknown(struct fault *fault, struct slice path, struct slice upgrade)
{
    if (!is_websocket(upgrade) && explain_v1(fault, path)) return;
    bool is_foreign = foreign_explain(path, fault);
    if (is_foreign && is_websocket(upgrade))
        *fault = (struct fault){.code = FAULT_UPGRADE};
    else if (!is_foreign)
        list_paths(fault);
}

/* One slash for several, none at the end: base URLs and paths are put together carelessly. */
static char *tidy(struct slice path, struct arena *arena, size_t *len)
{
    char *to = arena_alloc(arena, path.len + 1);
    *len = 0;
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] != '/' || !*len || to[*len - 1] != '/') to[(*len)++] = path.ptr[i];
    }
    if (*len > 1 && to[*len - 1] == '/') --*len;
    return to;
}

/* Behind the beginning that OpenRouter, Groq, Google for clients of OpenAI, or others for Anthropic's, have before /v1
 * or in its place. */
static struct slice meant_by(struct slice path, struct arena *arena)
{
    static const struct slice beginnings[] = {
        {"/openai/v1/", 11}, {"/api/v1/", 8}, {"/v1beta/openai/", 15}, {"/anthropic/v1/", 14}};
    size_t len;
    char *text = tidy(path, arena, &len);
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        size_t cut = beginnings[i].len - 4;
        if (!slice_starts(slice_of(text, len), beginnings[i])) continue;
        memcpy(text + cut, "/v1/", 4);
        return slice_of(text + cut, len - cut);
    }
    return slice_of(text, len);
}

/* Google serves the same paths behind /v1, where others have models alone: "/v1/models/NAME:generateContent". */
static bool find_google(struct slice path, struct arena *arena, struct place *place)
{
    struct place found;
    if (!slice_starts(path, SLICE("/v1/models/"))) return false;
    path = arena_join(arena, SLICE("/v1beta"), slice_of(path.ptr + 3, path.len - 3));
    if (!find(path, &found) || found.api->kind != API_CALL) return false;
    *place = found;
    return true;
}

/* Vertex AI has a project and a place before its publishers, or neither, as its own clients say; which is asked is the
 * account's to say here. */
static bool find_vertex(struct slice path, struct arena *arena, struct place *place)
{
    static const char google[] = "/publishers/google/models/";
    bool is_versioned = slice_starts(path, SLICE("/v1/")) || slice_starts(path, SLICE("/v1beta1/"));
    const char *at = is_versioned ? memmem(path.ptr, path.len, google, sizeof google - 1) : NULL;
    struct place found;
    if (!at) return false;
    size_t models = (size_t)(at - path.ptr) + sizeof "/publishers/google" - 1;
    path = arena_join(arena, SLICE("/v1beta"), slice_of(path.ptr + models, path.len - models));
    if (!find(path, &found) || found.api->kind != API_CALL) return false;
    *place = found;
    return true;
}

static bool find_plain(struct slice path, struct arena *arena, struct place *place)
{
    return find_google(path, arena, place) || find_vertex(path, arena, place) || find(path, place);
}

static bool find_meant(struct slice *path, struct arena *arena, struct place *place)
{
    bool is_tidy = path->len < 2 || path->ptr[path->len - 1] != '/';
    is_tidy = is_tidy && !memmem(path->ptr, path->len, "//", 2);
    if (is_tidy && find_plain(*path, arena, place)) return true;
    *path = meant_by(*path, arena);
    return find_plain(*path, arena, place);
}

struct route_match routes_find(struct slice method, struct slice path, struct slice upgrade, struct arena *arena)
{
    struct route_match match = {.kind = ROUTE_NONE, .api = &api_none};
    struct place place;
    bool is_found = find_meant(&path, arena, &place);
    /* Behind /v1/models/ Google's clients have verbs. */
    if (!is_found || (place.api->kind == API_MODEL && foreign_explain(path, &match.fault))) {
        explain_unknown(&match.fault, path, upgrade);
        return match;
    }
    choose_method(&place, method);
    match.api = place.api;
    match.id = place.rest;
    match.inner = place.inner;
    match.allow = slice_str(allow_at(&place, arena));
    if (slice_equal(method, SLICE("OPTIONS"))) {
        match.kind = ROUTE_OPTIONS;
    } else if (takes(&place, method)) {
        match.kind = place.kind;
    } else if (is_websocket(upgrade)) {
        match.fault.code = FAULT_UPGRADE;
    } else {
        fault_set(&match.fault, FAULT_METHOD, "This path does not take %.*s; it takes %s.", SLICE_FMT(method),
                  match.allow.ptr);
    }
    return match;
}
