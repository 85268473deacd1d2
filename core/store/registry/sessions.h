/*
 * Sign-ins of people: in a browser by a cookie, at a command by a secret of the same kind.
 *
 *     struct session_made made;
 *     if (!registry_session_begin(r, &spec, &by, &made, &why)) …      // made.secret is given once and kept nowhere
 *     struct session session;
 *     registry_session_find(r, secret as it came, now_s, idle_s, &session, &why);
 *     registry_session_end(r, slice_str(session.id), &by, &why);
 *
 * Only the SHA-256 of the secret is kept. A session is good while nobody ended it, its time is not over, it was used
 * within idle_s, its person is there and not disabled, and the key that it began with is good: told at each look. That
 * it was used is written at most once in SESSION_SEEN_S, and is no change.
 */
#ifndef MOONGATE_STORE_REGISTRY_SESSIONS_H
#define MOONGATE_STORE_REGISTRY_SESSIONS_H

#include "base/limits.h"
#include "store/registry/people.h"

#define SESSION_ID_BYTES 17     /* "ses_", 12 characters of base 62, the NUL */
#define SESSION_SECRET_BYTES 44 /* 43 characters of base 62 (256 bits), the NUL */
#define SESSION_SEEN_S 60
#define SESSION_KEPT_S (30 * 86400) /* those that are over, for who looks back */

struct session_spec {
    struct slice person;
    struct slice key;   /* the id of the credential that it begins with; empty: the identity provider's word */
    struct slice place; /* whence: an address; is shown */
    int64_t ends_at;    /* seconds since 1970 */
};

struct session_made {
    char secret[SESSION_SECRET_BYTES]; /* wipe it after use */
    char id[SESSION_ID_BYTES];
};

/* A good one, and whose it is. */
struct session {
    char id[SESSION_ID_BYTES];
    char person[PERSON_ID_BYTES];
    char kind[8]; /* "human", "service" */
    char name[LIMIT_KEY_FIELD_BYTES + 1];
    int64_t made_at, ends_at;
};

bool registry_session_begin(struct registry *r, const struct session_spec *spec, const struct change_by *by,
                            struct session_made *made, struct fault *why);
/* REGISTRY_MISSING: it is none, or not good now. */
enum registry_found registry_session_find(struct registry *r, struct slice secret, int64_t now_s, int64_t idle_s,
                                          struct session *session, struct fault *why);
/* Doing it twice changes nothing. */
enum registry_found registry_session_end(struct registry *r, struct slice id, const struct change_by *by,
                                         struct fault *why);
/* The good ones, of one person (or of everybody: empty), the newest first: "id", "person", "key", "place", "made_at",
 * "seen_at", "ends_at". NULL and *why. */
struct json_t *registry_sessions(struct registry *r, struct slice person, int64_t now_s, int64_t idle_s,
                                 struct fault *why);
/* Somebody showed what is no key, to begin one. */
bool registry_session_refused(struct registry *r, struct slice place, const struct change_by *by, struct fault *why);

#endif
