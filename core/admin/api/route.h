/*
 * The admin API's one table: who may ask what, what it is called in the ledger, and who answers.
 *
 *     const struct api_route *route = route_find(api_routes, method, path, &match);
 *     route_parameters(&call->arena, route, path, call->parameters);
 *
 * Routing, roles, bodies, the OpenAPI document and the tests that walk the table all go by these rows. A path is
 * "/keys/{id}/rotate": what stands in braces is one segment, percent-decoded, never empty. All members are given in
 * each row, in their order; the build fails for one without a role (-Wextra), and so does a test.
 */
#ifndef MOONGATE_ADMIN_API_ROUTE_H
#define MOONGATE_ADMIN_API_ROUTE_H

#include "admin/api/api.h"

enum api_type {
    API_TEXT,    /* one line of visible text */
    API_NAME,    /* any text: what others named so */
    API_INTEGER, /* a number without a fraction */
    API_INSTANT, /* "2026-11-27T18:00:00Z" */
    API_FLAG,    /* true or false */
    API_TEXTS,   /* a list of such texts */
    API_LABELS,  /* an object whose values are such texts */
    API_JSON,    /* an object, list or text that who answers checks */
};

struct api_field {
    const char *name;
    enum api_type type;
    bool is_needed;
    const char *summary; /* with units and bounds */
};

struct api_route {
    const char *method, *path;
    enum api_role role;
    const char *action; /* of the change in the ledger; NULL: nothing changes */
    void (*handle)(struct api_call *call);
    const char *summary;
    const struct api_field *fields; /* of the body, ends with a name of NULL; NULL: it takes none */
    bool is_matched;                /* only with If-Match, so that no change of somebody else's is lost */
};

/* Ends with a path of NULL. */
extern const struct api_route api_routes[];

/* What a path is, whatever the method. */
struct route_match {
    bool is_known;
    char allow[64]; /* the methods that it takes: "GET, POST"; HEAD goes with GET */
};

/* NULL: nothing has that path and method. HEAD finds GET's. */
const struct api_route *route_find(const struct api_route *routes, struct slice method, struct slice path,
                                   struct route_match *match);
/* False: a segment is no percent-encoded UTF-8 text. They live as long as the arena. */
bool route_parameters(struct arena *arena, const struct api_route *route, struct slice path,
                      struct slice parameters[API_PARAMETERS_MAX]);
/* The name of the n-th parameter, without its braces; empty: there are fewer. */
struct slice route_parameter_name(const struct api_route *route, size_t n);

#endif
