/*
 * The admin API over HTTP/1.1: from a connection's events to calls, and answers back.
 *
 *     if (api_http_is_api(head->path)) api_http_request(&http, c, head, is_local);   // inside on_request
 *     if (conn_context(c)) api_http_body(c, bytes); … api_http_body_end(c); … api_http_over(c);
 *
 * A call is the connection's context until api_http_over(), which both on_reply_end and on_gone are to call. At most
 * BODY_BYTES_MAX of a body are kept, and only of callers who may ask what they ask; all other bodies are never read.
 * Errors are admin/api/answer.h's with the request's id.
 */
#ifndef MOONGATE_ADMIN_API_HTTP_H
#define MOONGATE_ADMIN_API_HTTP_H

#include "admin/api/api.h"
#include "admin/api/door.h"
#include "base/fault.h"
#include "net/conn.h"

#define API_FLOOR_MS 250 /* a sign-in, good or not, is answered no sooner */

struct loop;

struct api_http {
    struct loop *loop;
    struct admin_api api;
    struct door *door;
    /* The registry has changed: who goes by it is told. May be NULL. */
    void (*on_changed)(void *arg);
    void *arg;
};

bool api_http_is_api(struct slice path);
/* SCIM (admin/scim/scim.h), whose calls go the same way. */
bool api_http_is_scim(struct slice path);
void api_http_request(struct api_http *http, struct conn *c, const struct http_head *head, bool is_local);
void api_http_body(struct conn *c, struct slice bytes);
void api_http_body_end(struct conn *c);
/* The request under way cannot be read on. */
void api_http_refused(struct conn *c, const struct fault *why);
void api_http_over(struct conn *c);

#endif
