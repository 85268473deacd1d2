/*
 * Listening sockets: parsing an address, opening it, and accepting without ever blocking or starving the loop.
 *
 *     struct listener_address a;
 *     if (!listener_parse("127.0.0.1:8090", &a, &why)) ...
 *     if (!listener_probe(&a, &why)) ...                 // somebody else listens there
 *     int fd = listener_open(&a, &why);                  // SO_REUSEPORT: one such socket for each worker
 *     struct listener *l = listener_new(loop, fd, on_accept, arg);
 *     listener_free(l);
 *     close(fd);
 *
 * Knows nothing of what is spoken on the connections. When descriptors run out the connection that cannot be had is
 * closed at once instead of waiting unanswered, and accepting pauses for LISTENER_PAUSE_MS.
 */
#ifndef MOONGATE_NET_LISTENER_H
#define MOONGATE_NET_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "net/loop.h"

#define LISTENER_BACKLOG 4096
#define LISTENER_BATCH 2 /* connections accepted in one turn: who came is heard before many more come */
#define LISTENER_PAUSE_MS 100u
#define LISTENER_TEXT_BYTES 56 /* "[ipv6]:port" with its NUL */

struct listener_address {
    struct sockaddr_storage where;
    socklen_t len;
};

/* "127.0.0.1:8090", "0.0.0.0:8090", "[::1]:8090", "localhost:8090" (127.0.0.1), "*:8090" ([::], IPv4 too); port 0: the
 * kernel chooses. The fault names the text, what is wrong and what would be right. */
bool listener_parse(const char *text, struct listener_address *address, struct fault *why);
/* "127.0.0.1:8090", "[::1]:8090", "unix". */
void listener_format(const struct sockaddr *where, char text[LISTENER_TEXT_BYTES]);
/* False when any other socket listens there. Opens nothing for longer than the call. */
bool listener_probe(const struct listener_address *address, struct fault *why);
/* A listening socket with SO_REUSEPORT and TCP_NODELAY, non-blocking, close-on-exec; -1 on failure. The caller's. */
int listener_open(const struct listener_address *address, struct fault *why);
/* The port that a socket is bound to; -1 when it has none. */
int listener_port(int fd);

struct listener;

/* One new connection, non-blocking and close-on-exec, now the callee's. */
typedef void (*listener_accept_fn)(void *arg, int fd, const struct sockaddr *peer);

/* Accepts on fd, which is borrowed and stays open after listener_free(). */
struct listener *listener_new(struct loop *loop, int fd, listener_accept_fn on_accept, void *arg);
/* Safe inside on_accept. NULL is welcome. */
void listener_free(struct listener *l);
/* Connections closed because no descriptor was left. */
uint64_t listener_dropped(const struct listener *l);

#endif
