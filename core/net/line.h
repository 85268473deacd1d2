/*
 * Lines of text over a unix socket that only its owner may use: the control socket's transport, both ends.
 *
 *     struct line_server *s = line_server_new(loop, "/var/lib/moongate/control.sock", &events, supervisor, &why);
 *     ... on_line(supervisor, peer, line): line_reply(peer, SLICE("{\"ok\":true}")); ...
 *     line_server_free(s);
 *
 *     struct line_client *c = line_client_open(path, 5000, &why);            blocking, for commands
 *     line_client_call(c, SLICE("{\"command\":\"reload\"}"), &answer, 60000, &why);
 *     line_client_close(c);
 *
 * The socket has mode 0600, and peers of another user (but root) are turned away by their credentials. At most
 * LIMIT_CONTROL_CLIENTS peers; lines of at most LIMIT_CONTROL_LINE_BYTES to the server and LIMIT_CONTROL_ANSWER_BYTES
 * from it; a peer that sends more, or one too many, is cut off after one line {"error":…}. Reads no JSON.
 */
#ifndef MOONGATE_NET_LINE_H
#define MOONGATE_NET_LINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"

struct loop;
struct line_server;
struct line_peer;
struct line_client;

struct line_events {
    /* One line without its newline, borrowed until the return. Answer each, now or later, with line_reply(): a peer
     * that has shut its side stays until its lines are answered. */
    void (*on_line)(void *arg, struct line_peer *peer, struct slice line);
    /* The peer has left or was closed: drop the pointer. Once for each peer that had a line; may be left out. */
    void (*on_gone)(void *arg, struct line_peer *peer);
};

/* Binds and listens. A dead socket at the path is replaced; one that answers is a fault ("another instance"). Paths of
 * any length are taken. `events` is borrowed until line_server_free(). */
struct line_server *line_server_new(struct loop *loop, const char *path, const struct line_events *events, void *arg,
                                    struct fault *why);
/* Closes all peers (after one attempt to send what they are owed; no on_gone) and removes the socket file. */
void line_server_free(struct line_server *s);

/* Sends the line and a newline; the line must not contain one. An answer over LIMIT_CONTROL_ANSWER_BYTES, or a peer
 * that does not take its answers, closes the peer. */
void line_reply(struct line_peer *peer, struct slice line);
/* Closes once everything is sent. */
void line_close(struct line_peer *peer);
/* The user's own pointer, NULL at first. */
void line_set_data(struct line_peer *peer, void *data);
void *line_data(const struct line_peer *peer);
/* Whose process it is, as the kernel says. */
uid_t line_uid(const struct line_peer *peer);

/* NULL: nobody listens there, no right to, or no answer in time; the fault says which. */
struct line_client *line_client_open(const char *path, unsigned timeout_ms, struct fault *why);
/* Does anybody listen there, whether he answers or not? */
bool line_is_served(const char *path, unsigned timeout_ms);
bool line_client_send(struct line_client *c, struct slice line, unsigned timeout_ms, struct fault *why);
/* The next line, without its newline, replaces the content of `line`. */
bool line_client_read(struct line_client *c, struct buf *line, unsigned timeout_ms, struct fault *why);
/* Sends one line and reads one. */
bool line_client_call(struct line_client *c, struct slice line, struct buf *answer, unsigned timeout_ms,
                      struct fault *why);
void line_client_close(struct line_client *c);

#endif
