#include "store/owned.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/hash.h"

#define BUCKETS (LIMIT_OWNED / OWNED_WAYS)
#define TRIES 64 /* while others write the same entry */

struct words {
    uint64_t at[4];
};

/* How long the owner is comes first: where he ends and the id begins is no matter of their letters. */
void owned_key(struct owned_key *key, struct slice owner, struct slice id)
{
    struct buf both;
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint64_t len = owner.len;
    buf_init(&both);
    buf_append(&both, slice_of((const char *)&len, sizeof len));
    if (owner.len) buf_append(&both, owner);
    if (id.len) buf_append(&both, id);
    check(EVP_Digest(buf_ptr(&both), buf_len(&both), digest, NULL, EVP_sha256(), NULL) == 1);
    memcpy(key->bytes, digest, sizeof key->bytes);
    buf_clear(&both);
}

uint64_t owned_account(struct slice name)
{
    return hash_bytes(name, 0);
}

/* ---- One entry. */

static struct words words_of(const struct owned_key *key, const struct owned *owned)
{
    struct words w;
    memcpy(w.at, key->bytes, sizeof key->bytes);
    w.at[2] = owned->account;
    w.at[3] = (uint64_t)owned->until_s << 32 | owned->kind;
    return w;
}

static bool is_nobodys(const struct words *w)
{
    return !w->at[0] && !w->at[1];
}

static bool has_key(const struct words *w, const struct owned_key *key)
{
    return memcmp(w->at, key->bytes, sizeof key->bytes) == 0;
}

static uint64_t until_of(const struct words *w)
{
    return is_nobodys(w) ? 0 : w->at[3] >> 32;
}

/* False: it is being written, or was meanwhile too often. */
static bool look(const struct owned_slot *slot, struct words *w, uint64_t *version)
{
    for (int i = 0; i < TRIES; i++) {
        *version = atomic_load(&slot->version);
        if (*version & 1) continue;
        for (int word = 0; word < 4; word++)
            w->at[word] = atomic_load(&slot->words[word]);
        if (atomic_load(&slot->version) == *version) return true;
    }
    return false;
}

/* False: somebody else has changed it since that version. */
static bool write_slot(struct owned_slot *slot, uint64_t version, const struct words *w)
{
    if (!atomic_compare_exchange_strong(&slot->version, &version, version + 1)) return false;
    for (int word = 0; word < 4; word++)
        atomic_store(&slot->words[word], w->at[word]);
    atomic_store(&slot->version, version + 2);
    return true;
}

/* ---- Its bucket. */

static size_t bucket_of(const struct owned_key *key)
{
    uint64_t first;
    memcpy(&first, key->bytes, sizeof first);
    return (size_t)(first % BUCKETS) * OWNED_WAYS;
}

/* The entry of that key, or else the one whose end is first, those that are nobody's before all. */
static struct owned_slot *choose(struct owned_slot *bucket, const struct owned_key *key, uint64_t now_s,
                                 uint64_t *version)
{
    struct owned_slot *best = NULL;
    uint64_t best_until = UINT64_MAX;
    for (size_t i = 0; i < OWNED_WAYS; i++) {
        struct words w;
        uint64_t seen;
        if (!look(&bucket[i], &w, &seen)) continue;
        bool is_same = has_key(&w, key);
        uint64_t until = until_of(&w) > now_s ? until_of(&w) : 0;
        if (!is_same && until >= best_until) continue;
        best = &bucket[i];
        best_until = until;
        *version = seen;
        if (is_same) return best;
    }
    return best;
}

bool owned_put(struct owned_table *table, const struct owned_key *key, const struct owned *owned, uint64_t now_s)
{
    struct words w = words_of(key, owned);
    for (int i = 0; i < TRIES; i++) {
        uint64_t version;
        struct owned_slot *slot = choose(&table->slots[bucket_of(key)], key, now_s, &version);
        if (!slot) return false;
        if (write_slot(slot, version, &w)) return true;
    }
    return false;
}

bool owned_find(const struct owned_table *table, const struct owned_key *key, uint64_t now_s, struct owned *owned)
{
    const struct owned_slot *bucket = &table->slots[bucket_of(key)];
    for (size_t i = 0; i < OWNED_WAYS; i++) {
        struct words w;
        uint64_t version;
        if (!look(&bucket[i], &w, &version) || !has_key(&w, key) || until_of(&w) <= now_s) continue;
        *owned = (struct owned){w.at[2], (uint32_t)(w.at[3] >> 32), (uint32_t)w.at[3]};
        return true;
    }
    return false;
}

/* Two processes may have put it at the same time. */
void owned_forget(struct owned_table *table, const struct owned_key *key)
{
    static const struct words nobodys;
    struct owned_slot *bucket = &table->slots[bucket_of(key)];
    for (size_t i = 0; i < OWNED_WAYS; i++) {
        struct words w;
        uint64_t version;
        if (look(&bucket[i], &w, &version) && has_key(&w, key)) write_slot(&bucket[i], version, &nobodys);
    }
}
