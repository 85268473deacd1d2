/*
 * One HTTP/1.1 request over a Unix socket, asked and answered at once: for commands, which have no loop.
 *
 *     struct local_http ask = {.dir = "data", .name = "admin.sock", .method = "GET", .path = "/admin/v1/people"};
 *     int status = local_http_ask(&ask, &answer, &why);          // 0: nobody answered, and *why
 *
 * Blocks, at most LOCAL_HTTP_MS. An answer has at most LOCAL_HTTP_BYTES. Goes through no proxy, whatever the
 * environment says.
 */
#ifndef MOONGATE_NET_LOCAL_HTTP_H
#define MOONGATE_NET_LOCAL_HTTP_H

#include "base/buf.h"
#include "base/fault.h"
#include "base/limits.h"

#define LOCAL_HTTP_MS 30000L
#define LOCAL_HTTP_BYTES (256u * 1024 * KIB)

struct local_http {
    const char *dir, *name; /* the socket's folder, of any length, and its file there */
    const char *method, *path;
    const char *header; /* "Name: value"; NULL: none beside the usual ones */
    const char *body;   /* JSON; NULL: none */
};

/* Appends the answer's body. */
int local_http_ask(const struct local_http *ask, struct buf *answer, struct fault *why);

#endif
