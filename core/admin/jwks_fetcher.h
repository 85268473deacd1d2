/*
 * Fetches the keys of token issuers (JWKS) for all workers of the node, and keeps them fresh.
 *
 *     struct jwks_fetcher *f = jwks_fetcher_new(loop, data_dir, on_outcome, arg);
 *     jwks_fetcher_sources(f, SLICE("alone\thttps://login.example.com/jwks\t\n"));  // after each change of policies
 *     jwks_fetcher_want(f, url);                 // a token names a key that nobody has: look again, but not too often
 *     jwks_fetcher_free(f);
 *
 * A source is fetched at once, then every LIMIT_JWKS_REFRESH_MS; after a failure sooner, with growing pauses. What does
 * not parse as a set with a usable key is a failure, and what was there stays: lying servers lock nobody out. Good sets
 * are kept in <data>/jwks, so that a restart does not need the issuer; the workers count them out after
 * LIMIT_JWKS_STALE_S. Redirects are not followed. Bounds: LIMIT_JWKS_*.
 *
 * A line of sources: "keys" or "alone" (whether callers can come with API keys too), tab, URL, tab, CA file or nothing.
 */
#ifndef MOONGATE_ADMIN_JWKS_FETCHER_H
#define MOONGATE_ADMIN_JWKS_FETCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct loop;
struct jwks_fetcher;

/* How an attempt ended. Borrowed for the call. */
struct jwks_outcome {
    struct slice url;
    struct slice json;   /* of a good one; ptr NULL: it failed, or there was none */
    bool is_attempt;     /* false: it was asked for too often */
    bool is_changed;     /* other bytes than the last good one's */
    uint64_t wall_ns;    /* when it was fetched */
};

typedef void (*jwks_outcome_fn)(void *arg, const struct jwks_outcome *outcome);

struct jwks_fetcher *jwks_fetcher_new(struct loop *loop, const char *data_dir, jwks_outcome_fn on_outcome, void *arg);
void jwks_fetcher_free(struct jwks_fetcher *f); /* NULL is welcome */
/* These and no others. Those that are there already are fetched anew. */
void jwks_fetcher_sources(struct jwks_fetcher *f, struct slice lines);
/* on_outcome follows, perhaps before this returns; none for a URL that is no source. */
void jwks_fetcher_want(struct jwks_fetcher *f, struct slice url);

/* For /readyz. */
struct jwks_state {
    struct slice url;
    size_t keys;          /* usable ones; 0: never had any */
    uint64_t fetched_wall_ns;
    const char *error;    /* of the last attempt; "": it went well */
    bool is_tried;        /* an attempt has ended */
    bool is_alone;        /* without its keys nobody can come in */
};

/* false: no more. */
bool jwks_fetcher_state(const struct jwks_fetcher *f, size_t index, struct jwks_state *state);

#endif
