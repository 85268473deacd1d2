/*
 * Asks for the tokens of provider accounts that have a key file (wire/assertion.h), for all workers of the gateway, and
 * long before one ends for the next. Where they are put: store/access_tokens.h.
 *
 *     struct access_token_fetcher *f = access_token_fetcher_new(loop, tokens, on_outcome, arg);
 *     access_token_fetcher_sources(f, list, count);     // after each configuration that is accepted
 *     access_token_fetcher_look(f);                     // now and then: has a provider refused one?
 *     access_token_fetcher_free(f);
 *
 * One question at a time for each credential; after a failure another, with growing pauses, while the token that is
 * there goes on. A token is asked for anew when three quarters of its time are over, and counts no more shortly before
 * its end. Redirects are not followed; what is not an answer of RFC 6749 is a failure. Bounds: LIMIT_ACCESS_TOKEN_*.
 */
#ifndef MOONGATE_ADMIN_ACCESS_TOKEN_FETCHER_H
#define MOONGATE_ADMIN_ACCESS_TOKEN_FETCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct access_tokens;
struct access_token_fetcher;
struct loop;

/* What an account is given tokens for. Borrowed for the call. */
struct access_token_source {
    uint64_t id;           /* not 0; of all that follows but the account's name */
    struct slice account;  /* one of those that have it, for people */
    struct slice key_file; /* JSON, a secret */
    struct slice scope;
    struct slice ca_file;  /* PEM to verify with; empty: the system's */
};

/* One question has ended. */
typedef void (*access_token_outcome_fn)(void *arg, struct slice account, bool is_good);

struct access_token_fetcher *access_token_fetcher_new(struct loop *loop, struct access_tokens *tokens,
                                                      access_token_outcome_fn on_outcome, void *arg);
/* Wipes what it has of keys; the tokens stay where they are. NULL is welcome. */
void access_token_fetcher_free(struct access_token_fetcher *f);
/* These and no others, LIMIT_ACCESS_TOKENS at most, each id once. Those that are there already go on as they were. */
void access_token_fetcher_sources(struct access_token_fetcher *f, const struct access_token_source *sources,
                                  size_t count);
void access_token_fetcher_look(struct access_token_fetcher *f);

/* For /readyz. */
struct access_token_view {
    struct slice account;
    const char *error;   /* of the last question; "": it went well, or none has ended */
    uint64_t left_s;     /* what is there is good for so long; 0: there is none */
    bool is_tried;
};

/* false: no more. */
bool access_token_fetcher_view(const struct access_token_fetcher *f, size_t index, struct access_token_view *view);

#endif
