#include "store/tokens.h"

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "store/claims.h"

#define BUCKETS (2 * LIMIT_TOKEN_CACHE)

_Static_assert((BUCKETS & (BUCKETS - 1)) == 0, "the first bits of a digest are the bucket");

struct token {
    unsigned refs;
    uint8_t digest[KEY_DIGEST_BYTES]; /* of its whole text */
    struct arena arena;
    struct key_record record;
    const struct issuer_rules *issuer;
    uint64_t expires_wall_ns;
    struct list_link age;
    struct token *next; /* in its bucket */
};

struct tokens {
    struct list_link ages; /* oldest use first */
    size_t count;
    struct token *buckets[BUCKETS];
};

struct tokens *tokens_new(void)
{
    struct tokens *cache = mem_zalloc(1, sizeof *cache);
    list_init(&cache->ages);
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

static struct token **bucket_of(struct tokens *cache, const uint8_t *digest)
{
    uint32_t head;
    memcpy(&head, digest, sizeof head);
    return &cache->buckets[head & (BUCKETS - 1)];
}

static void drop(struct tokens *cache, struct token *token)
{
    struct token **at = bucket_of(cache, token->digest);
    while (*at != token)
        at = &(*at)->next;
    *at = token->next;
    list_remove(&token->age);
    cache->count--;
    token_unref(token);
}

void tokens_clear(struct tokens *cache)
{
    while (!list_is_empty(&cache->ages))
        drop(cache, LIST_OWNER(cache->ages.next, struct token, age));
}

void tokens_free(struct tokens *cache)
{
    if (!cache) return;
    tokens_clear(cache);
    mem_free(cache);
}

size_t tokens_count(const struct tokens *cache)
{
    return cache->count;
}

static struct token *find(struct tokens *cache, const uint8_t *digest, uint64_t now_wall_ns)
{
    struct token *token = *bucket_of(cache, digest);
    while (token && CRYPTO_memcmp(token->digest, digest, KEY_DIGEST_BYTES) != 0)
        token = token->next;
    if (!token) return NULL;
    if (now_wall_ns >= token->expires_wall_ns) {
        drop(cache, token);
        return NULL;
    }
    list_remove(&token->age);
    list_append(&cache->ages, &token->age);
    return token;
}

static void keep(struct tokens *cache, struct token *token, uint64_t now_wall_ns)
{
    if (now_wall_ns >= token->expires_wall_ns) return; /* good by the leeway alone: looked at anew each time */
    if (cache->count == LIMIT_TOKEN_CACHE) drop(cache, LIST_OWNER(cache->ages.next, struct token, age));
    struct token **bucket = bucket_of(cache, token->digest);
    token->next = *bucket;
    *bucket = token_ref(token);
    list_append(&cache->ages, &token->age);
    cache->count++;
}

static struct token *token_new(const uint8_t *digest, const struct issuer_rules *issuer, uint64_t expires_s)
{
    struct token *token = mem_zalloc(1, sizeof *token);
    token->refs = 1;
    token->issuer = issuer;
    token->expires_wall_ns = expires_s > UINT64_MAX / NS_PER_S ? UINT64_MAX : expires_s * NS_PER_S;
    memcpy(token->digest, digest, KEY_DIGEST_BYTES);
    list_init(&token->age);
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
        token = token_new(digest, answer->issuer, t.expires_s);
        if (claims_read(answer->issuer, &t, &token->arena, &token->record, &answer->claim)) {
            if (cache) keep(cache, token, now_wall_ns);
            answer->token = token;
        } else {
            answer->refusal = JWT_CLAIM;
            token_unref(token);
        }
    }
    jwt_clear(&t);
}
