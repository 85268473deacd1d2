/*
 * Who asks: what was presented, whose record it names, and what the auth policy made of that.
 *
 *     x->identity.key = keyring_find(x->identity.keyring, digest);      // flow/identify.c
 *     ... x->identity.app, x->identity.department ...                   // as policies, records and metrics have it
 *
 * The credential itself is not here, so no policy, record or log can get at it. The exchange owns the references to
 * keyring and token; texts live in its arena, or in the record, which one of the two holds.
 */
#ifndef MOONGATE_EXCHANGE_IDENTITY_H
#define MOONGATE_EXCHANGE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "exchange/granted.h"
#include "exchange/pair.h"
#include "store/keyring.h"
#include "store/tokens.h"

struct identity {
    /* The record that the presented key's SHA-256 names. NULL until looked up, and when there is none. */
    struct keyring *keyring;
    const struct key_record *key;
    bool key_presented; /* an API key was in the request, known or not */
    /* A token was instead of it. A good one is held, and key is its record; of another the rest says why not. */
    bool token_presented;
    struct token *token;
    enum jwt_refusal token_refusal;
    struct slice token_issuer, token_claim;
    struct slice credential_header; /* where the one or the other was; empty: nowhere */
    struct slice simulated_claims;  /* JSON that stands for a verified token's: from simulate.h, never from a request */

    /* As the auth policy settled it: it may add a default app, never replace what the key says. */
    struct slice app, department, user, team;
    struct pair *added; /* what enrich() added beside these four */
    size_t added_count;

    const struct granted *grants; /* what the registry says of this caller, of any model */
    size_t grant_count;
};

#endif
