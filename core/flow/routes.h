/*
 * The data listener's paths: one table of path, method and what it asks for.
 *
 *     struct route_match match = routes_find(method, path);
 *     if (match.fault.code) ... 404 with a hint, or 405 with match.allow ...
 *
 * Private to core/flow.
 */
#ifndef MOONGATE_FLOW_ROUTES_H
#define MOONGATE_FLOW_ROUTES_H

#include "base/fault.h"
#include "exchange/exchange.h"

enum route_kind {
    ROUTE_NONE,
    ROUTE_API,     /* an exchange: `api` says which */
    ROUTE_LIVEZ,   /* the process answers */
    ROUTE_READYZ,  /* and takes requests: 503 while draining */
    ROUTE_OPTIONS, /* which methods the path takes */
};

struct route_match {
    enum route_kind kind;
    enum exchange_api api;
    struct slice id;    /* API_MODEL: the raw path segment behind /v1/models/ */
    struct slice allow; /* methods of the path, for 405 and OPTIONS */
    struct fault fault; /* UNKNOWN_PATH or METHOD when kind is NONE */
};

struct route_match routes_find(struct slice method, struct slice path);

#endif
