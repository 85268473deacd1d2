/*
 * From a token's claims to an identity: the same record that an API key has, so that everything after it need not know
 * which of the two it was.
 *
 *     struct key_record who;
 *     if (!claims_read(issuer, &token, &arena, &who, &claim)) …   // claim: the one that cannot be used
 *
 * A claim that is absent, null or empty leaves its field empty. Numbers and booleans become text. A list fills a field
 * only when it holds one text: which of several would be meant nobody can know. Roles and approvals are lists, or one
 * text that spaces divide, as "scope" is. LIMIT_KEY_FIELD_BYTES and LIMIT_KEY_LIST are those of keys.
 */
#ifndef MOONGATE_STORE_CLAIMS_H
#define MOONGATE_STORE_CLAIMS_H

#include "store/auth_rules.h"
#include "store/keyring.h"

/* The record's slices live in the arena, its id is "jwt_" and the SHA-256 of issuer and subject. False, with the name
 * of the claim, for one of another shape or over a limit. */
bool claims_read(const struct issuer_rules *issuer, const struct jwt *token, struct arena *arena,
                 struct key_record *record, struct slice *claim);

#endif
