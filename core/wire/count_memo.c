#include <string.h>

#include <sys/random.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/count_inner.h"

struct entry {
    struct count_key key;
    uint32_t tokens[VOCABULARIES]; /* 0: not counted in that one */
};

/* Texts whose hashes fall on one place, the one that was asked for last in front; a new one takes the last one's part.
 * With one text a place a sixth of a few thousand would be forgotten again and again. */
#define TEXTS_A_PLACE 4u
struct place {
    struct entry entries[TEXTS_A_PLACE];
};

struct count_memo {
    struct place places[LIMIT_COUNT_MEMO / TEXTS_A_PLACE];
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

static struct place *place_of(struct count_memo *memo, const struct count_key *key)
{
    uint32_t first;
    memcpy(&first, key->digest, sizeof first);
    return &memo->places[first % (LIMIT_COUNT_MEMO / TEXTS_A_PLACE)];
}

/* The text's entry, in front now; NULL: there is none. */
static struct entry *find(struct place *place, const struct count_key *key)
{
    for (size_t i = 0; i < TEXTS_A_PLACE; i++) {
        struct entry found = place->entries[i];
        if (memcmp(&found.key, key, sizeof *key) != 0) continue;
        memmove(place->entries + 1, place->entries, i * sizeof found);
        place->entries[0] = found;
        return place->entries;
    }
    return NULL;
}

uint64_t count_memo_find(struct count_memo *memo, const struct count_key *key, unsigned vocabulary)
{
    const struct entry *e = find(place_of(memo, key), key);
    return e ? e->tokens[vocabulary] : 0;
}

void count_memo_keep(struct count_memo *memo, const struct count_key *key, unsigned vocabulary, uint64_t tokens)
{
    struct place *place = place_of(memo, key);
    struct entry *e = find(place, key);
    if (!e) {
        e = place->entries;
        memmove(e + 1, e, (TEXTS_A_PLACE - 1) * sizeof *e);
        *e = (struct entry){.key = *key};
    }
    e->tokens[vocabulary] = tokens <= UINT32_MAX ? (uint32_t)tokens : 0;
}
