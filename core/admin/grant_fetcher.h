/*
 * Asks for the tokens of provider accounts that have a key file (wire/assertion.h), for all workers of the gateway, and
 * long before one ends for the next. Where they are put: store/grants.h.
 *
 *     struct grant_fetcher *f = grant_fetcher_new(loop, grants, on_outcome, arg);
 *     grant_fetcher_sources(f, list, count);     // after each configuration that is accepted
 *     grant_fetcher_look(f);                     // now and then: has a provider refused one?
 *     grant_fetcher_free(f);
 *
 * One question at a time for each credential; after a failure another, with growing pauses, while the token that is
 * there goes on. A token is asked for anew when three quarters of its time are over, and counts no more shortly before
 * its end. Redirects are not followed; what is not an answer of RFC 6749 is a failure. Bounds: LIMIT_GRANT_*.
 */
#ifndef MOONGATE_ADMIN_GRANT_FETCHER_H
#define MOONGATE_ADMIN_GRANT_FETCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct grants;
struct grant_fetcher;
struct loop;

/* What an account is given tokens for. Borrowed for the call. */
struct grant_source {
    uint64_t id;           /* not 0; of all that follows but the account's name */
    struct slice account;  /* one of those that have it, for people */
    struct slice key_file; /* JSON, a secret */
    struct slice scope;
    struct slice ca_file;  /* PEM to verify with; empty: the system's */
};

/* One question has ended. */
typedef void (*grant_outcome_fn)(void *arg, struct slice account, bool is_good);

struct grant_fetcher *grant_fetcher_new(struct loop *loop, struct grants *grants, grant_outcome_fn on_outcome,
                                        void *arg);
/* Wipes what it has of keys; the tokens stay where they are. NULL is welcome. */
void grant_fetcher_free(struct grant_fetcher *f);
/* These and no others, LIMIT_GRANTS at most, each id once. Those that are there already go on as they were. */
void grant_fetcher_sources(struct grant_fetcher *f, const struct grant_source *sources, size_t count);
void grant_fetcher_look(struct grant_fetcher *f);

/* For /readyz. */
struct grant_view {
    struct slice account;
    const char *error;   /* of the last question; "": it went well, or none has ended */
    uint64_t left_s;     /* what is there is good for so long; 0: there is none */
    bool is_tried;
};

/* false: no more. */
bool grant_fetcher_view(const struct grant_fetcher *f, size_t index, struct grant_view *view);

#endif
