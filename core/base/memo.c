#include "base/memo.h"

#include <string.h>

#include <sys/random.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/mem.h"

struct entry {
    struct memo_key key;
    uint32_t subject, number; /* number 0: nothing is there */
};
_Static_assert(sizeof(struct entry) == MEMO_ENTRY_BYTES, "the header says so");

/* What falls on one place, the one that was asked for last in front; a new one takes the last one's part. With one
 * number a place a sixth of a few thousand would be forgotten again and again. */
struct place {
    struct entry entries[MEMO_TOGETHER];
};

struct memo {
    struct place *places;
    uint32_t place_count;
    /* A secret and not a seed: from a seed XXH3 makes its secret by adding it, which leaves most of it known. */
    uint8_t secret[XXH3_SECRET_SIZE_MIN];
};

struct memo *memo_new(uint32_t numbers)
{
    struct memo *memo = mem_zalloc(1, sizeof *memo);
    check(numbers >= MEMO_TOGETHER && numbers % MEMO_TOGETHER == 0);
    memo->place_count = numbers / MEMO_TOGETHER;
    memo->places = mem_zalloc(memo->place_count, sizeof *memo->places);
    check(getrandom(memo->secret, sizeof memo->secret, 0) == (ssize_t)sizeof memo->secret);
    return memo;
}

void memo_free(struct memo *memo)
{
    if (!memo) return;
    mem_free(memo->places);
    mem_free(memo);
}

struct memo_key memo_key(const struct memo *memo, struct slice text)
{
    struct memo_key key;
    XXH128_canonical_t canonical;
    XXH128_hash_t hash = XXH3_128bits_withSecret(text.ptr, text.len, memo->secret, sizeof memo->secret);
    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(key.digest, canonical.digest, sizeof key.digest);
    return key;
}

/* What is known of one text as to several subjects does not push itself out. */
static struct place *place_of(struct memo *memo, const struct memo_key *key, uint32_t subject)
{
    uint32_t first;
    memcpy(&first, key->digest, sizeof first);
    return &memo->places[(first ^ subject * 0x9E3779B1u) % memo->place_count];
}

/* Its entry, in front now; NULL: there is none. */
static struct entry *find(struct place *place, const struct memo_key *key, uint32_t subject)
{
    for (size_t i = 0; i < MEMO_TOGETHER; i++) {
        struct entry found = place->entries[i];
        if (found.subject != subject || memcmp(&found.key, key, sizeof *key) != 0) continue;
        memmove(place->entries + 1, place->entries, i * sizeof found);
        place->entries[0] = found;
        return place->entries;
    }
    return NULL;
}

uint32_t memo_find(struct memo *memo, const struct memo_key *key, uint32_t subject)
{
    const struct entry *e = find(place_of(memo, key, subject), key, subject);
    return e ? e->number : 0;
}

void memo_keep(struct memo *memo, const struct memo_key *key, uint32_t subject, uint64_t number)
{
    struct place *place = place_of(memo, key, subject);
    struct entry *e = find(place, key, subject);
    if (!e) {
        e = place->entries;
        memmove(e + 1, e, (MEMO_TOGETHER - 1) * sizeof *e);
        *e = (struct entry){.key = *key, .subject = subject};
    }
    e->number = number <= UINT32_MAX ? (uint32_t)number : 0;
}

uint32_t memo_subject(void)
{
    static uint32_t last;
    check(last < UINT32_MAX);
    return ++last;
}
