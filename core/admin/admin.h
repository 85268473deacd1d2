/*
 * The admin listener's answers: is it alive, is it ready, how much did it do, and the admin API. The process around it
 * is the server's.
 *
 *     struct admin *a = admin_new(&(struct admin_parts){.loop = loop, .listen_fd = fd, ...});
 *     admin_free(a);
 *
 *     GET /livez            200: this process answers
 *     GET /readyz           200 or 503; ?verbose says line by line what is and what is not
 *     GET /metrics          Prometheus text, summed over all processes
 *     /admin/v1/…           the API (admin/api/api.h), here with admin keys, and at <data>/admin.sock for the gateway's
 *                           own user without
 *
 * Asked under names that only this machine has (admin/hosts.h), by at most LIMIT_ADMIN_CONNECTIONS at a time, of whom
 * the oldest makes place for the next: who opens many and asks nothing keeps nobody out.
 * Beside the API it reads shared memory and nothing else: it can neither slow a worker nor wait for one. Errors are
 * JSON.
 */
#ifndef MOONGATE_ADMIN_ADMIN_H
#define MOONGATE_ADMIN_ADMIN_H

#include <stddef.h>

#include "admin/api/api.h"
#include "admin/board.h"
#include "base/slice.h"

#define ADMIN_SOCKET "admin.sock" /* in the data folder, 0600 */

struct admin;
struct access_token_fetcher;
struct jwks_fetcher;
struct loop;

struct admin_parts {
    struct loop *loop;
    int listen_fd;             /* borrowed */
    struct slice host;         /* a name under which it may be asked, beside those of admin/hosts.h; may be empty */
    const struct board *board; /* borrowed, as all that follows */
    void *const *segments;     /* metrics: one a process slot */
    size_t segment_count;
    const char *data_dir;
    const struct jwks_fetcher *jwks; /* the keys of tokens' issuers; may be NULL */
    struct access_tokens *access_tokens; /* the tokens of provider accounts */
    const struct access_token_fetcher *access_token_fetcher; /* who asks for them; may be NULL */
    struct admin_api api;            /* what the API's calls work on */
    void (*on_changed)(void *arg); /* … and who is told when they have changed the registry; may be NULL */
    void *arg;
};

struct admin_console {
    struct slice url; /* where people open it; empty: nobody said */
    uint32_t idle_ms, longest_ms; /* of sessions */
};

struct admin *admin_new(const struct admin_parts *parts);
/* NULL: it cannot be opened now, and `trouble` (borrowed) says why. Both are borrowed. */
void admin_set_registry(struct admin *a, struct registry *registry, const char *trouble);
/* What moongate.lua says of sign-ins; before, the usual. */
void admin_set_console(struct admin *a, const struct admin_console *console);
/* Closes all connections. NULL is welcome. */
void admin_free(struct admin *a);

#endif
