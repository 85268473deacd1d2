/*
 * The cookie of a session of the admin API.
 *
 *     struct slice secret = cookie_read(head, is_loopback);            // empty: there is none
 *     cookie_write(&arena, secret, kind) → "__Host-mg_session=…; Path=/; Secure; HttpOnly; SameSite=Strict"
 *
 * "__Host-": a browser takes and sends it only over HTTPS, or to this machine, and no other name of the domain can set
 * it. Safari takes no Secure cookie from http://localhost: there, and there alone, it is plain "mg_session".
 */
#ifndef MOONGATE_ADMIN_API_COOKIE_H
#define MOONGATE_ADMIN_API_COOKIE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

struct http_head;

/* Borrowed from the head. */
struct slice cookie_read(const struct http_head *head);
/* Of a browser that is asked for a plain one: Safari, at this machine. */
bool cookie_is_plain(const struct http_head *head);
/* secret empty: it is taken away. */
struct slice cookie_write(struct arena *arena, struct slice secret, bool is_plain);

#endif
