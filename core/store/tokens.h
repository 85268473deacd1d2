/*
 * Tokens of callers: verified once, then known by the SHA-256 of all of their bytes until they expire.
 *
 *     struct tokens *cache = tokens_new();
 *     struct token_answer answer;
 *     tokens_judge(cache, rules, sets, text, now_wall_ns, &answer);
 *     if (answer.refusal == JWT_GOOD) … token_record(answer.token) …; token_unref(answer.token);
 *     tokens_clear(cache);                      // other rules or other keys: nothing that was verified counts any more
 *     tokens_free(cache);
 *
 * At most LIMIT_TOKEN_CACHE, the one used longest ago goes first. Only good tokens are kept, never their text.
 */
#ifndef MOONGATE_STORE_TOKENS_H
#define MOONGATE_STORE_TOKENS_H

#include "store/auth_rules.h"
#include "store/keyring.h"
#include "store/keysets.h"

struct tokens;
struct token;

struct token_answer {
    enum jwt_refusal refusal;
    struct token *token;               /* JWT_GOOD: a reference, the caller's to give back; else NULL */
    const struct issuer_rules *issuer; /* NULL: it is nobody's */
    struct slice claim;                /* JWT_CLAIM: the name of the one that cannot be used, or empty */
};

struct tokens *tokens_new(void);
void tokens_free(struct tokens *cache); /* NULL is welcome */
void tokens_clear(struct tokens *cache);
size_t tokens_count(const struct tokens *cache);
/* cache NULL: judged afresh, and not remembered. */
void tokens_judge(struct tokens *cache, const struct auth_rules *rules, const struct keysets *sets, struct slice text,
                  uint64_t now_wall_ns, struct token_answer *answer);

/* Who it is; valid while the token is held. */
const struct key_record *token_record(const struct token *token);
struct token *token_ref(struct token *token);
void token_unref(struct token *token); /* NULL is welcome */

#endif
