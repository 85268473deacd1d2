/*
 * The data listener's paths: which row of exchange/api.h one leads to, or which answer about the process itself.
 *
 *     struct route_match match = routes_find(method, path);
 *     if (match.fault.code) ... 404 with a hint, or 405 with match.allow ...
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_ROUTES_H
#define MOONGATE_FLOW_ROUTES_H

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
    struct slice id;       /* API_MODEL: the raw path behind /v1/models/ */
    struct slice allow;    /* methods of the path, for 405 and OPTIONS */
    struct fault fault;    /* UNKNOWN_PATH or METHOD when kind is NONE */
};

struct route_match routes_find(struct slice method, struct slice path);

#endif
