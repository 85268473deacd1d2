#include "store/keyring.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/keyring_inner.h"

const struct section_shape keyring_shape = {
    .kind = SECTION_KEYS,
    .version = 2,
    .table_count = KEYRING_TABLES,
    .bytes_max = LIMIT_KEYRING_BYTES,
    .tables = {
        [KEYRING_KEYS] = {.row_bytes = sizeof(struct key_row),
                          .rows_max = LIMIT_KEYS,
                          .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct key_row, texts), KEY_OWN_TEXTS,
                                       LIMIT_KEY_FIELD_BYTES},
                                      {SECTION_COLUMN_ROW, offsetof(struct key_row, profile), 1, KEYRING_PROFILES}}},
        [KEYRING_PROFILES] = {.row_bytes = sizeof(struct profile_row),
                              .rows_max = LIMIT_KEYS,
                              .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct profile_row, texts),
                                           KEY_TEXTS - KEY_OWN_TEXTS, LIMIT_KEY_FIELD_BYTES},
                                          {SECTION_COLUMN_LISTS, offsetof(struct profile_row, roles), 2, KEYRING_ITEMS},
                                          {SECTION_COLUMN_LISTS, offsetof(struct profile_row, labels), 1,
                                           KEYRING_LABELS}}},
        [KEYRING_ITEMS] = {.row_bytes = sizeof(struct section_text),
                           .rows_max = UINT32_MAX,
                           .columns = {{SECTION_COLUMN_TEXTS, 0, 1, LIMIT_KEY_FIELD_BYTES}}},
        [KEYRING_LABELS] = {.row_bytes = sizeof(struct label_row),
                            .rows_max = UINT32_MAX,
                            .columns = {{SECTION_COLUMN_TEXTS, 0, 2, LIMIT_KEY_FIELD_BYTES}}},
        [KEYRING_BY_DIGEST] = {.rows_max = UINT32_MAX,
                               .is_index = true,
                               .index_of = KEYRING_KEYS,
                               .key_at = offsetof(struct key_row, digest),
                               .key_bytes = KEY_DIGEST_BYTES},
    }};

struct keyring {
    unsigned refs;
    struct section *section; /* NULL: empty */
    const struct key_row *rows;
    uint32_t count;
    struct key_record **made; /* of each row that was asked for; else NULL */
    struct arena arena;
};

struct slice *key_record_text(struct key_record *key, enum key_text text)
{
    switch (text) {
    case KEY_TEXT_ID: return &key->id;
    case KEY_TEXT_USER: return &key->user;
    case KEY_TEXT_PERSON: return &key->person;
    case KEY_TEXT_APP: return &key->app;
    case KEY_TEXT_DEPARTMENT: return &key->department;
    case KEY_TEXT_TEAM: return &key->team;
    case KEY_TEXT_TIER: return &key->tier;
    case KEY_TEXT_REGION: return &key->region;
    case KEY_TEXT_CLEARANCE: return &key->clearance;
    case KEY_TEXT_ENV: return &key->env;
    case KEY_TEXTS: break;
    }
    return NULL;
}

/* ---- Having one. */

struct keyring *keyring_empty(void)
{
    struct keyring *ring = mem_zalloc(1, sizeof *ring);
    ring->refs = 1;
    arena_init(&ring->arena);
    return ring;
}

static struct keyring *take(struct section *section)
{
    if (!section) return NULL;
    struct keyring *ring = keyring_empty();
    ring->section = section;
    ring->rows = section_rows(section, KEYRING_KEYS, &ring->count);
    ring->made = mem_zalloc(ring->count, sizeof(struct key_record *));
    return ring;
}

struct keyring *keyring_map(int fd, struct fault *why)
{
    return take(section_map(fd, &keyring_shape, why));
}

struct keyring *keyring_copy(struct slice section, struct fault *why)
{
    return take(section_copy(section, &keyring_shape, why));
}

struct keyring *keyring_ref(struct keyring *ring)
{
    ring->refs++;
    return ring;
}

void keyring_unref(struct keyring *ring)
{
    if (!ring || --ring->refs > 0) return;
    section_unref(ring->section);
    arena_clear(&ring->arena);
    mem_free(ring->made);
    mem_free(ring);
}

size_t keyring_count(const struct keyring *ring)
{
    return ring->count;
}

const struct section_about *keyring_about(const struct keyring *ring)
{
    return ring->section ? section_about(ring->section) : NULL;
}

/* ---- Records. */

static struct slice *make_list(struct keyring *ring, struct section_list list)
{
    uint32_t count;
    const struct section_text *items = section_rows(ring->section, KEYRING_ITEMS, &count);
    struct slice *made = arena_alloc(&ring->arena, list.count * sizeof *made);
    for (uint32_t i = 0; i < list.count; i++)
        made[i] = section_text(ring->section, items[list.first + i]);
    return made;
}

static struct key_label *make_labels(struct keyring *ring, struct section_list list)
{
    uint32_t count;
    const struct label_row *rows = section_rows(ring->section, KEYRING_LABELS, &count);
    struct key_label *made = arena_alloc(&ring->arena, list.count * sizeof *made);
    for (uint32_t i = 0; i < list.count; i++) {
        const struct label_row *row = &rows[list.first + i];
        made[i] = (struct key_label){section_text(ring->section, row->name), section_text(ring->section, row->value)};
    }
    return made;
}

static struct key_record *make_record(struct keyring *ring, const struct key_row *row)
{
    uint32_t count;
    struct key_record *key = arena_zalloc(&ring->arena, sizeof *key);
    const struct profile_row *profiles = section_rows(ring->section, KEYRING_PROFILES, &count);
    const struct profile_row *profile = &profiles[row->profile];
    memcpy(key->digest, row->digest, sizeof key->digest);
    for (enum key_text i = 0; i < KEY_TEXTS; i++) {
        struct section_text text = i < KEY_OWN_TEXTS ? row->texts[i] : profile->texts[i - KEY_OWN_TEXTS];
        *key_record_text(key, i) = section_text(ring->section, text);
    }
    key->roles = make_list(ring, profile->roles);
    key->role_count = profile->roles.count;
    key->approvals = make_list(ring, profile->approvals);
    key->approval_count = profile->approvals.count;
    key->labels = make_labels(ring, profile->labels);
    key->label_count = profile->labels.count;
    key->expires_wall_ns = row->expires_wall_ns;
    key->confirmed_wall_ns = row->confirmed_wall_ns;
    key->is_revoked = row->flags & KEY_FLAG_REVOKED;
    key->ends_requests = row->flags & KEY_FLAG_ENDS_REQUESTS;
    return key;
}

/* What is made once is no change that anybody sees. */
const struct key_record *keyring_at(const struct keyring *ring, size_t index)
{
    check(index < ring->count);
    if (!ring->made[index]) ring->made[index] = make_record((struct keyring *)(uintptr_t)ring, &ring->rows[index]);
    return ring->made[index];
}

void keyring_digest(struct slice key, uint8_t digest[KEY_DIGEST_BYTES])
{
    /* Fetched once: SHA256() looks its own algorithm up by name, which takes longer than hashing a key. */
    static EVP_MD *sha256;
    if (!sha256) sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    check(sha256 && EVP_Digest(key.ptr ? key.ptr : "", key.len, digest, NULL, sha256, NULL) == 1);
}

const struct key_record *keyring_find(const struct keyring *ring, const uint8_t digest[KEY_DIGEST_BYTES])
{
    uint32_t row;
    struct slice key = slice_of((const char *)digest, KEY_DIGEST_BYTES);
    bool is_known = ring->section && section_find(ring->section, KEYRING_BY_DIGEST, key, &row);
    return is_known ? keyring_at(ring, row) : NULL;
}

bool key_record_is_live(const struct key_record *key, uint64_t now_wall_ns)
{
    return !key->is_revoked && (key->expires_wall_ns == 0 || now_wall_ns < key->expires_wall_ns);
}

uint64_t key_record_end(const struct key_record *key, uint64_t confirm_ns)
{
    uint64_t end;
    if (!confirm_ns || !key->confirmed_wall_ns) return key->expires_wall_ns;
    if (__builtin_add_overflow(key->confirmed_wall_ns, confirm_ns, &end)) end = UINT64_MAX;
    return key->expires_wall_ns && key->expires_wall_ns < end ? key->expires_wall_ns : end;
}
