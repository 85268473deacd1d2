/*
 * Who comes to the admin API: the gateway's own user at its Unix socket, whoever shows an admin key, or a browser with
 * the cookie of a session (admin/api/session.h), which may change something only from a page of ours (csrf.h).
 *
 *     struct door *door = door_new(&api);
 *     struct visitor visitor;
 *     if (door_let(door, head, &where, &visitor)) …visitor.caller…     // until door_leave()
 *     else … visitor.refusal …
 *     door_leave(&visitor);
 *
 * A key is looked up by its SHA-256, which is compared again in constant time. It is good while it is not revoked nor
 * expired and its owner is there and not disabled; roles are read at each call, so that one taken away is gone at once.
 * Whoever shows none that is good may try so again DOOR_TRIES times, then once in DOOR_TRY_MS, and all such together
 * DOOR_ALL_TRIES times a minute; a good key is never kept out by that. What was shown is in no log and no answer.
 */
#ifndef MOONGATE_ADMIN_API_DOOR_H
#define MOONGATE_ADMIN_API_DOOR_H

#include "admin/api/api.h"

#define DOOR_TRIES 5u
#define DOOR_TRY_MS 12000u
#define DOOR_ALL_TRIES 30u
#define DOOR_TRUSTED 2u
#define DOOR_CALLS 200u /* of one person at once … */
#define DOOR_CALL_MS 20u /* … then one in so many */

struct door;
struct http_head;

struct door_place {
    const char *peer; /* "127.0.0.1:51234" */
    bool is_local;    /* at the Unix socket, where … */
    uint32_t uid;     /* … the kernel says who it is */
};

struct visitor {
    struct arena arena;
    struct api_caller caller;
    int status; /* of a refusal: 401, 429, 503 */
    const char *code, *hint;
    struct slice message;
    unsigned retry_after_s;
};

struct door *door_new(struct admin_api *api /* borrowed */);
void door_free(struct door *door); /* NULL is welcome */
/* False: the visitor's refusal says why. door_leave() in both cases. */
bool door_let(struct door *door, const struct http_head *head, const struct door_place *place, struct visitor *visitor);
void door_leave(struct visitor *visitor);
/* Somebody shows a key to sign in. As door_let(); what is refused is told to the ledger. */
bool door_sign_in(struct door *door, struct slice key, const char *peer, struct visitor *visitor);
struct scim_key;
/* An identity provider's call, by its bearer token. As door_let(). */
bool door_let_scim(struct door *door, const struct http_head *head, const char *peer, struct scim_key *key,
                   struct visitor *visitor);
/* Why another site's page seems to have made this request; NULL: it does not. */
const char *door_cross(const struct door *door, const struct http_head *head);
/* "127.0.0.1" of "127.0.0.1:51234". */
struct slice door_address(const char *peer);

/* How long a session may be unused, and last; both of 1 s on. */
void door_set_times(struct door *door, int64_t idle_s, int64_t longest_s);
int64_t door_idle_s(const struct door *door);
int64_t door_longest_s(const struct door *door);
/* The n-th (0, 1) further origin of pages of ours, "https://gateway.example.com"; empty: none. */
void door_trust(struct door *door, size_t n, struct slice origin);

#endif
