/*
 * One call to a provider and its answer, streamed: the only way upstream.
 *
 *     struct fetch_pool *pool = fetch_pool_new(loop, "moongate/1.0");
 *     struct fetch *f = fetch_start(pool, &request, &events, x);
 *     ... on_head(x, head) · on_data(x, bytes) · on_data … · on_end(x, NULL, true)
 *     fetch_pause(f); … fetch_resume(f);          while the client is slow
 *     fetch_cancel(f);                            the client is gone: the provider sees the connection close
 *
 * Events never come from inside fetch_start(), fetch_pause(), fetch_resume() or fetch_cancel(); all verbs may be called
 * inside events, also of other fetches. Order: on_head at most once, on_data only after it, on_end exactly once and
 * last, unless cancelled.
 *
 * Never follows redirects, uses proxies, cookies or netrc, asks for or undoes compression, or accepts a certificate
 * that does not verify. A request is sent again only when a kept connection turns out to have been closed by the
 * provider before it answered with a single byte. Bounds: answers' heads LIMIT_RESPONSE_HEAD_BYTES and
 * LIMIT_RESPONSE_HEADERS_COUNT; connections kept LIMIT_UPSTREAM_CONNECTIONS; after fetch_pause() at most one read (16
 * KiB) is held back in memory; in one turn of the loop LIMIT_TURN_FETCH_BYTES of each answer, however fast it comes.
 */
#ifndef MOONGATE_NET_FETCH_H
#define MOONGATE_NET_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct loop;
struct fetch_pool;
struct fetch;

struct fetch_header {
    struct slice name, value;
};

struct fetch_request {
    struct slice method; /* "POST" */
    struct slice url;    /* http:// or https://, without user and password */
    /* Copied. Host and User-Agent have defaults; Content-Length, Transfer-Encoding, Expect and Connection given here
     * are left out, because framing is the fetch's own affair. */
    const struct fetch_header *headers;
    size_t header_count;
    /* The body is the pieces one after the other. The array is copied; the bytes are borrowed until on_end or
     * fetch_cancel(). */
    const struct slice *body;
    size_t body_count;
    const char *ca_file; /* PEM certificates to trust instead of the system's; NULL or "": the system's. Copied. */
    bool is_http2;       /* offer HTTP/2 over TLS; otherwise HTTP/1.1 */
    /* The answer comes in small pieces for a long time: reads of 2 KiB instead of 16, unless the last ones flooded. */
    bool is_trickle;
    /* 0: no such limit. */
    uint32_t connect_timeout_ms;    /* name, TCP and TLS: FAULT_CONNECT_TIMEOUT */
    uint32_t first_byte_timeout_ms; /* since the last body byte was sent: FAULT_FIRST_BYTE_TIMEOUT */
    uint32_t idle_timeout_ms;       /* since the provider's last bytes, not while paused: FAULT_UPSTREAM_IDLE_TIMEOUT */
    uint32_t total_timeout_ms;      /* since fetch_start(), paused or not: FAULT_TOTAL_TIMEOUT */
};

/* Borrowed until on_head returns. */
struct fetch_head {
    int status;                         /* 200 … 599: interim answers are skipped */
    const struct fetch_header *headers; /* as received; names in the provider's spelling */
    size_t header_count;
};

struct fetch_events {
    void (*on_head)(void *arg, const struct fetch_head *head);
    /* Body bytes as they come, without transfer framing, never empty; all are consumed; borrowed until the return. */
    void (*on_data)(void *arg, struct slice bytes);
    /* why: NULL exactly when complete, that is when the answer ended as its own framing says. The fetch is gone when
     * this returns: drop the pointer. */
    void (*on_end)(void *arg, const struct fault *why, bool complete);
};

enum fetch_phase {
    FETCH_CONNECTING, /* also: waiting for the name, shaking hands */
    FETCH_AWAITING,   /* the request is being sent or was, nothing has come back */
    FETCH_STREAMING,  /* the final status line has arrived */
    FETCH_ENDED,      /* inside on_end */
};

struct fetch_pool_stats {
    uint64_t connections_created; /* sockets opened, ever */
    uint64_t connections_reused;  /* requests that went out on a kept connection, ever */
    uint32_t connections_open;    /* idle and busy */
    uint32_t fetches_active;      /* started and neither ended nor cancelled */
    uint32_t fetches_paused;
};

/* One for each process and loop. `user_agent` is copied. The process should ignore SIGPIPE. */
struct fetch_pool *fetch_pool_new(struct loop *loop, const char *user_agent);
/* No more connections to providers than these at a time; who needs another one waits for it. */
void fetch_pool_limit(struct fetch_pool *pool, uint32_t connections);
/* Cancels what is under way and closes all connections. Not inside events. */
void fetch_pool_free(struct fetch_pool *pool);
struct fetch_pool_stats fetch_pool_stats(const struct fetch_pool *pool);

/* Never NULL: what is wrong with the request is told by on_end. `request` is borrowed for the call (but see body);
 * `events` until the end. */
struct fetch *fetch_start(struct fetch_pool *pool, const struct fetch_request *request,
                          const struct fetch_events *events, void *arg);
/* Stops reading from the provider; no on_data until fetch_resume(), but on_end may come (a timer, a closed connection).
 */
void fetch_pause(struct fetch *f);
void fetch_resume(struct fetch *f);
/* No event follows. The connection is closed before the loop waits again, unless the answer was complete. NULL is
 * welcome. */
void fetch_cancel(struct fetch *f);

/* The request's bytes are no longer borrowed: they are copied, or sent and cannot be asked for again. */
bool fetch_has_body(const struct fetch *f);
enum fetch_phase fetch_phase(const struct fetch *f);
/* The provider may have the request, or a part of it; false while connecting. In on_end: as it was before the end. */
bool fetch_is_sent(const struct fetch *f);
/* The request went out on a connection that had served another. False while connecting. */
bool fetch_connection_reused(const struct fetch *f);

#endif
