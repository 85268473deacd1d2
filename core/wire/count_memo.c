#include <string.h>

#include <openssl/evp.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/count_inside.h"

struct entry {
    struct count_key key;
    uint32_t tokens[VOCABULARIES]; /* 0: not counted in that one */
};

/* A text has one place, and a newer one takes it: fixed memory, and nothing to keep in order. */
struct count_memo {
    struct entry entries[LIMIT_COUNT_MEMO];
};

struct count_memo *count_memo_new(void)
{
    return mem_zalloc(1, sizeof(struct count_memo));
}

void count_memo_free(struct count_memo *memo)
{
    mem_free(memo);
}

bool count_memo_wants(const struct count_memo *memo, size_t bytes)
{
    return memo && bytes >= LIMIT_COUNT_MEMO_BYTES_MIN && bytes <= LIMIT_COUNT_MEMO_BYTES_MAX;
}

/* SHA-256, because a caller may choose the texts: with a weaker hash one could be made to count as another. */
struct count_key count_memo_key(struct slice raw)
{
    static EVP_MD *sha256;
    uint8_t digest[32];
    struct count_key key;
    if (!sha256) sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    check(sha256 && EVP_Digest(raw.ptr, raw.len, digest, NULL, sha256, NULL) == 1);
    memcpy(key.digest, digest, sizeof key.digest);
    return key;
}

static size_t place_of(const struct count_key *key)
{
    uint32_t first;
    memcpy(&first, key->digest, sizeof first);
    return first % LIMIT_COUNT_MEMO;
}

uint64_t count_memo_find(const struct count_memo *memo, const struct count_key *key, unsigned vocabulary)
{
    const struct entry *e = &memo->entries[place_of(key)];
    return memcmp(&e->key, key, sizeof *key) == 0 ? e->tokens[vocabulary] : 0;
}

void count_memo_keep(struct count_memo *memo, const struct count_key *key, unsigned vocabulary, uint64_t tokens)
{
    struct entry *e = &memo->entries[place_of(key)];
    if (memcmp(&e->key, key, sizeof *key) != 0) *e = (struct entry){.key = *key};
    e->tokens[vocabulary] = tokens <= UINT32_MAX ? (uint32_t)tokens : 0;
}
