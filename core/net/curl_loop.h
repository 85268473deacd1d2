/*
 * libcurl's multi interface on our loop: its sockets, its one timer, and turns in which handles may come and go.
 *
 *     struct curl_loop *c = curl_loop_new(loop, &events, pool);
 *     curl_loop_adopt(c, easy);             once for each easy handle
 *     curl_loop_kick(c);                    → on_outside: curl_loop_add(c, easy) …  → on_done(easy, result)
 *     curl_loop_remove(c, easy);
 *
 * Between kick and on_outside lies at most the rest of this loop turn. A kept connection stays registered with epoll
 * while it idles, because registering costs more than the request around it (curl says "remove" after every transfer).
 * Knows nothing of requests and answers.
 */
#ifndef MOONGATE_NET_CURL_LOOP_H
#define MOONGATE_NET_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct curl_loop;

/* The sockets that one transfer has opened; curl itself does not tell before the transfer's end. */
struct curl_loop_sockets {
    struct curl_loop *c;
    int fds[4];
    unsigned opened; /* 0: the transfer goes over a kept connection */
};

struct curl_loop_events {
    /* A socket is opened for this transfer. Inside of curl. */
    void (*on_connecting)(struct curl_loop_sockets *sockets);
    /* Outside of curl: handles may be added, removed, resumed. */
    void (*on_outside)(void *arg);
    /* The transfer has ended and its handle is removed already. */
    void (*on_done)(void *arg, CURL *easy, CURLcode result);
};

/* NULL when curl cannot be set up. `events` is borrowed for ever. */
struct curl_loop *curl_loop_new(struct loop *loop, const struct curl_loop_events *events, void *arg);
/* No more connections than these, idle and busy; who needs another one waits for it. */
void curl_loop_limit(struct curl_loop *c, uint32_t connections);
/* After all handles have been removed; closes the kept connections. */
void curl_loop_free(struct curl_loop *c);

/* Makes the handle open and close its sockets here, and share its TLS sessions with the others. `sockets` lives as long
 * as the handle; curl_loop_add() empties it.
 */
void curl_loop_adopt(struct curl_loop *c, CURL *easy, struct curl_loop_sockets *sockets);
void curl_loop_add(struct curl_loop *c, CURL *easy, struct curl_loop_sockets *sockets);
/* Closes the connection at once when the transfer had not ended. */
void curl_loop_remove(struct curl_loop *c, CURL *easy);
/* Ends curl's own pause; may call the handle's callbacks. */
CURLcode curl_loop_resume(struct curl_loop *c, CURL *easy);
/* From the handle's pre-request callback when a socket was opened: one of them is established now, and from here on
 * curl closes it through us. Empties `sockets`. */
void curl_loop_connected(struct curl_loop_sockets *sockets, int local_port);

/* Inside of curl nothing may be added, removed or resumed. */
bool curl_loop_is_inside(const struct curl_loop *c);
void curl_loop_kick(struct curl_loop *c);

/* Established now, idle and busy; established ever. */
/* A transfer was paused inside curl, or is no longer: told once each way. */
void curl_loop_hold(struct curl_loop *c, bool is_held);
uint32_t curl_loop_open(const struct curl_loop *c);
uint64_t curl_loop_created(const struct curl_loop *c);

#endif
