/*
 * How the accounts of Google's services prove who they are: a key file, a JWT that is signed with the key in it, and
 * the token that is given for that.
 *
 *     struct service_account who;
 *     if (!service_account_read(json, &arena, &who, &why)) ...     // what the file lacks
 *     if (!assertion_write(&who, scope, now_s, &body, &why)) ...   // a form's body, for a POST to who.token_url
 *     if (!access_token_read(answer, &token, &why)) ...            // what came: token, and for how long it is good
 *     access_token_clear(&token);                                  // wipes
 *
 * The JWT says for whom it is: the token URL, whatever the file calls so. A file with a wrong one gives its receiver
 * nothing that is taken elsewhere. That URL is https://, or http:// on this machine itself: a token over a wire that
 * all can read is nobody's secret.
 * Source: RFC 7515, RFC 7523 2.1 and 4; RFC 6749 5; "Using OAuth 2.0 for Server to Server Applications" (Google).
 */
#ifndef MOONGATE_WIRE_ASSERTION_H
#define MOONGATE_WIRE_ASSERTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"

/* Texts of the arena or of the JSON; the key is a secret. */
struct service_account {
    struct slice email, key_id, token_url;
    struct slice key; /* PEM, RSA of 2048 bits at least; a copy in the arena */
};

struct access_token {
    struct buf text;
    uint32_t life_s; /* from 1 to LIMIT_ACCESS_TOKEN_LIFE_S */
};

/* False: FAULT_BAD_BODY. No fault names a secret. */
bool service_account_read(struct slice json, struct arena *arena, struct service_account *who, struct fault *why);
/* Its key, also where that could not be read to the end. */
void service_account_wipe(struct service_account *who);
/* Its clock may be a little ahead of the other's: what is signed was issued LIMIT_ACCESS_TOKEN_SKEW_S ago. */
bool assertion_write(const struct service_account *who, struct slice scope, uint64_t now_s, struct buf *body,
                     struct fault *why);
/* Of an answer with status 200. False: it holds no token that can be used. */
bool access_token_read(struct slice json, struct access_token *token, struct fault *why);
void access_token_clear(struct access_token *token);
/* What an answer with another status says: "invalid_grant: Invalid JWT Signature."; visible ASCII, no more than fits,
 * "" for one that says nothing. */
void assertion_refusal(struct slice json, char *text, size_t size);

#endif
