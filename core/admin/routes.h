/*
 * The admin listener's one table: method, path, handler, one line on what it is for.
 *
 *     const struct admin_route *route = admin_route_find(method, path, &is_path_known);
 *     route->handle(parts, query, &answer);
 *
 * A handler fills the answer from what it is given; it knows no connection and cannot wait.
 */
#ifndef MOONGATE_ADMIN_ROUTES_H
#define MOONGATE_ADMIN_ROUTES_H

#include <stdbool.h>

#include "admin/admin.h"
#include "base/buf.h"
#include "base/slice.h"

struct admin_answer {
    int status;
    const char *content_type;
    struct buf body;
};

struct admin_route {
    const char *path;
    void (*handle)(const struct admin_parts *parts, struct slice query, struct admin_answer *answer);
    const char *summary;
};

/* All answer GET and HEAD. Ends with a path of NULL. */
extern const struct admin_route admin_routes[];

/* NULL: unknown path. */
const struct admin_route *admin_route_find(struct slice path);

#endif
