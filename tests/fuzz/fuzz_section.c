/* A section from anywhere: refused, or whole. Its hashes are set right first, as one who can compute them would send
 * it; keys and top-ups in turn, by the kind that it names. */
#include "base/arena.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/keyring.h"
#include "store/section/section.h"
#include "store/topups.h"

#define KIND_AT 12
#define CONTENT_AT 72

static void seal(char *bytes, size_t len)
{
    uint64_t hash = hash_bytes(slice_of(bytes + SECTION_HEAD_BYTES, len - SECTION_HEAD_BYTES), 0);
    memcpy(bytes + CONTENT_AT, &hash, sizeof hash);
    hash = hash_bytes(slice_of(bytes, CONTENT_AT + sizeof hash), 0);
    memcpy(bytes + CONTENT_AT + sizeof hash, &hash, sizeof hash);
}

/* Touches the ends of a text: the sanitizer sees one that is not there. */
static void touch(struct slice text)
{
    if (text.len) check(memchr(text.ptr, text.ptr[text.len - 1], text.len) != NULL);
}

static void walk_keys(const struct keyring *ring)
{
    for (size_t i = 0; i < keyring_count(ring) && i < 100; i++) {
        const struct key_record *key = keyring_at(ring, i);
        keyring_find(ring, key->digest);
        touch(key->id);
        touch(key->person);
        for (size_t n = 0; n < key->role_count; n++)
            touch(key->roles[n]);
        for (size_t n = 0; n < key->label_count; n++)
            touch(key->labels[n].value);
    }
}

static void walk_topups(const struct topups *topups)
{
    struct slice budget, scope;
    for (size_t i = 0; i < topups_count(topups); i++) {
        topups_at(topups, i, &budget, &scope);
        struct topups_sum sum = topups_now(topups, budget, scope, 1);
        check(sum.nano >= 0 && sum.count <= topups_count(topups));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fault why;
    uint32_t kind = 0;
    char *copy = mem_alloc(len + 1);
    if (len) memcpy(copy, bytes, len);
    if (len >= SECTION_HEAD_BYTES) seal(copy, len);
    if (len >= SECTION_HEAD_BYTES) memcpy(&kind, copy + KIND_AT, sizeof kind);
    struct keyring *ring = kind == SECTION_KEYS ? keyring_copy(slice_of(copy, len), &why) : NULL;
    struct topups *topups = kind == SECTION_TOPUPS ? topups_copy(slice_of(copy, len), &why) : NULL;
    if (ring) walk_keys(ring);
    if (topups) walk_topups(topups);
    keyring_unref(ring);
    topups_unref(topups);
    mem_free(copy);
    return 0;
}
