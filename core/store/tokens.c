#include "store/tokens.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/lru.h"
#include "base/mem.h"
#include "store/claims.h"

struct token {
    unsigned refs;
    struct arena arena;
    struct key_record record;
    const struct issuer_rules *issuer;
    uint64_t expires_wall_ns;
};

/* By the digest of a token's whole text. */
struct tokens {
    struct lru *lru;
};

static void on_drop(void *value)
{
    token_unref(*(struct token **)value);
}

struct tokens *tokens_new(void)
{
    struct tokens *cache = mem_zalloc(1, sizeof *cache);
    cache->lru = lru_new(&(struct lru_rules){.entries_max = LIMIT_TOKEN_CACHE, .on_drop = on_drop});
    return cache;
}

struct token *token_ref(struct token *token)
{
    token->refs++;
    return token;
}

void token_unref(struct token *token)
{
    if (!token || --token->refs > 0) return;
    arena_clear(&token->arena);
    mem_free(token);
}

const struct key_record *token_record(const struct token *token)
{
    return &token->record;
}

static struct slice key_of(const uint8_t *digest)
{
    return slice_of((const char *)digest, KEY_DIGEST_BYTES);
}

void tokens_clear(struct tokens *cache)
{
    lru_clear(cache->lru);
}

void tokens_free(struct tokens *cache)
{
    if (!cache) return;
    lru_free(cache->lru);
    mem_free(cache);
}

size_t tokens_count(const struct tokens *cache)
{
    return lru_count(cache->lru);
}

static struct token *find(struct tokens *cache, const uint8_t *digest, uint64_t now_wall_ns)
{
    struct slice found = lru_get(cache->lru, key_of(digest));
    struct token *token = found.ptr ? *(struct token *const *)found.ptr : NULL;
    if (!token || now_wall_ns < token->expires_wall_ns) return token;
    lru_remove(cache->lru, key_of(digest));
    return NULL;
}

static void keep(struct tokens *cache, const uint8_t *digest, struct token *token, uint64_t now_wall_ns)
{
    if (now_wall_ns >= token->expires_wall_ns) return; /* good by the leeway alone: looked at anew each time */
    *(struct token **)lru_put(cache->lru, key_of(digest), sizeof(struct token *)) = token_ref(token);
}

static struct token *token_new(const struct issuer_rules *issuer, uint64_t expires_s)
{
    struct token *token = mem_zalloc(1, sizeof *token);
    token->refs = 1;
    token->issuer = issuer;
    token->expires_wall_ns = expires_s > UINT64_MAX / NS_PER_S ? UINT64_MAX : expires_s * NS_PER_S;
    arena_init(&token->arena);
    return token;
}

static enum jwt_refusal verify(const struct auth_rules *rules, const struct keysets *sets, struct jwt *t,
                               struct slice text, uint64_t now_wall_ns, const struct issuer_rules **issuer)
{
    enum jwt_refusal no = jwt_parse(t, text);
    if (no != JWT_GOOD) return no;
    *issuer = auth_rules_issuer(rules, t->issuer);
    if (!*issuer) return JWT_ISSUER;
    const struct jwks *keys = (*issuer)->keys ? (*issuer)->keys : keysets_get(sets, (*issuer)->url, now_wall_ns);
    return jwt_verify(t, &(*issuer)->token, keys, now_wall_ns / NS_PER_S);
}

void tokens_judge(struct tokens *cache, const struct auth_rules *rules, const struct keysets *sets, struct slice text,
                  uint64_t now_wall_ns, struct token_answer *answer)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    struct jwt t;
    *answer = (struct token_answer){.refusal = JWT_TOO_LARGE};
    if (text.len > LIMIT_TOKEN_BYTES) return;
    keyring_digest(text, digest);
    struct token *token = cache ? find(cache, digest, now_wall_ns) : NULL;
    if (token) {
        *answer = (struct token_answer){JWT_GOOD, token_ref(token), token->issuer, SLICE_NONE};
        return;
    }
    jwt_init(&t);
    answer->refusal = verify(rules, sets, &t, text, now_wall_ns, &answer->issuer);
    if (answer->refusal == JWT_GOOD) {
        token = token_new(answer->issuer, t.expires_s);
        if (claims_read(answer->issuer, &t, &token->arena, &token->record, &answer->claim)) {
            if (cache) keep(cache, digest, token, now_wall_ns);
            answer->token = token;
        } else {
            answer->refusal = JWT_CLAIM;
            token_unref(token);
        }
    }
    jwt_clear(&t);
}
