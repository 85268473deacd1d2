/*
 * The data listener's paths: which row of exchange/api.h one leads to, or which answer about the process itself.
 *
 *     struct route_match match = routes_find(method, path, upgrade, arena);
 *     if (match.fault.code) ... 400 or 404 with what to do, 405 with match.allow, 426 ...
 *
 * Slashes that are doubled or at the end, and the beginnings that other services give the same paths (/openai/v1,
 * /api/v1), are the client's spelling: such paths are served. Other APIs' paths, and ours without /v1, are known and
 * not spoken: 400, since clients repeat a 404 or keep its text from their users.
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_ROUTES_H
#define MOONGATE_FLOW_ROUTES_H

#include "base/arena.h"
#include "base/fault.h"
#include "exchange/api.h"

enum route_kind {
    ROUTE_NONE,
    ROUTE_API,     /* an exchange: `api` says which */
    ROUTE_LIVEZ,   /* the process answers */
    ROUTE_READYZ,  /* and takes requests: 503 while draining */
    ROUTE_OPTIONS, /* which methods the path takes */
};

struct route_match {
    enum route_kind kind;
    const struct api *api; /* whose path it is, whatever the method; api_none: nobody's */
    struct slice id;       /* of a path with a star: what it stands for, as it came */
    struct slice inner;    /* … and the second star */
    struct slice allow;    /* methods of the path, for 405 and OPTIONS */
    struct fault fault;    /* why, when kind is NONE */
};

/* upgrade: the value of that header, or empty. arena: for a path that is put right. */
struct route_match routes_find(struct slice method, struct slice path, struct slice upgrade, struct arena *arena);

#endif
