/*
 * Who asks the admin API, and what that person may do there.
 *
 *     if (caller_has(by, API_APPROVER, department)) …
 *     struct change_by change = caller_change(by, reason);
 *
 * Roles add up: an approver may what authors may, an admin what all may. A role is held for one scope, a department or
 * "*"; a route asks for the role in any scope (API_SOMEWHERE), and what it acts on may then ask for that scope.
 * Other roles (manager, legal) are words that rules of governance ask for, and open no route.
 */
#ifndef MOONGATE_ADMIN_API_CALLER_H
#define MOONGATE_ADMIN_API_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"
#include "store/change.h"

/* From the least to the most. 0 is none, so that a route without one is nobody's; anybody: also whom nobody knows. */
enum api_role { API_NOBODY, API_ANYBODY, API_PERSON, API_VIEWER, API_AUTHOR, API_APPROVER, API_ADMIN };

#define API_SOMEWHERE SLICE("")
#define API_EVERYWHERE SLICE("*")

/* Slices are borrowed from who made it. */
struct api_held_role {
    struct slice role, scope;
    int64_t ends_at; /* seconds since 1970; 0: never */
};

struct api_caller {
    struct slice person; /* per_…; empty: one's own user of whom the registry knows nothing yet (people.h makes it) */
    struct slice login;  /* at this machine: the user's name, by the kernel's word */
    struct slice kind;   /* "human" or "service" */
    struct slice name;   /* how it is shown: who did it, in the ledger */
    struct slice via;    /* "api", or "cli" on this machine */
    struct slice key;    /* the id of the admin key; empty: none was needed */
    struct slice session; /* the id of the session; empty: he shows a key, or is at this machine … */
    int64_t signed_in_at, session_ends_at; /* … and when it began and ends */
    struct slice host;   /* of this machine, where it is one's own user */
    uint32_t uid;        /* likewise */
    bool is_local;       /* the gateway's own user at this machine, who may all that the files allow */
    const struct api_held_role *roles;
    size_t role_count;
};

/* "viewer" …; "person" for who has no role. */
const char *caller_role_word(enum api_role role);
/* API_NOBODY: it is no role of the API's. */
enum api_role caller_role_of(struct slice word);
/* At least that role, for that scope. */
bool caller_has(const struct api_caller *by, enum api_role role, struct slice scope);
/* The highest of all scopes; API_NOBODY for NULL. */
enum api_role caller_highest(const struct api_caller *by);
struct change_by caller_change(const struct api_caller *by, struct slice reason);

#endif
