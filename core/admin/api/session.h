/*
 * Sign-ins at the admin API: POST /session takes an admin key and gives a cookie, GET tells whose it is, DELETE ends it
 * on the server; /sessions lists them and ends others.
 *
 * A sign-in always makes a new session and ends the one that came along, so that nobody can give somebody a session
 * of his own beforehand. What such a session may is its person's roles at each call; new keys of this API, roles and
 * break-glass want a sign-in of the last SESSION_FRESH_S.
 */
#ifndef MOONGATE_ADMIN_API_SESSION_H
#define MOONGATE_ADMIN_API_SESSION_H

#include "admin/api/route.h"

#define SESSION_FRESH_S 300
#define SESSION_IDLE_S 1800
#define SESSION_LONGEST_S 43200

struct door;

/* Where somebody signs in; NULL at a call that no browser can have made. */
struct api_browser {
    struct door *door;
    const char *peer; /* its address and port */
    struct slice old; /* the secret that came along; may be empty */
    bool is_plain;    /* what cookie it takes (admin/api/cookie.h) */
    const char *cross; /* another site's page made this request: why it is taken for that; NULL: none did */
};

extern const struct api_field session_begin_fields[];

/* False: it is answered, the route wants a fresh sign-in and this one is older. */
bool session_is_fresh(struct api_call *call);

void session_begin(struct api_call *call);
void session_show(struct api_call *call);
void session_end(struct api_call *call);
void sessions_list(struct api_call *call);
void sessions_end(struct api_call *call);

#endif
