#include <string.h>

#include <sys/random.h>
#include <xxhash.h>

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
    /* Drawn anew in each process: a caller may choose the texts, and must not be able to make one count as another. */
    uint8_t secret[XXH3_SECRET_SIZE_MIN];
};

struct count_memo *count_memo_new(void)
{
    struct count_memo *memo = mem_zalloc(1, sizeof *memo);
    check(getrandom(memo->secret, sizeof memo->secret, 0) == (ssize_t)sizeof memo->secret);
    return memo;
}

void count_memo_free(struct count_memo *memo)
{
    mem_free(memo);
}

bool count_memo_wants(const struct count_memo *memo, size_t bytes)
{
    return memo && bytes >= LIMIT_COUNT_MEMO_BYTES_MIN && bytes <= LIMIT_COUNT_MEMO_BYTES_MAX;
}

/* XXH3 under a secret, 128 bits: hashing is worth it only where it is far quicker than counting. */
struct count_key count_memo_key(const struct count_memo *memo, struct slice raw)
{
    struct count_key key;
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSecret(raw.ptr, raw.len, memo->secret, sizeof memo->secret));
    memcpy(key.digest, canonical.digest, sizeof key.digest);
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
