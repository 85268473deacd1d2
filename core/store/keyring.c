#include "store/keyring.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

struct keyring {
    unsigned refs;
    struct arena arena;
    struct key_record *records;
    size_t count;
    struct map by_digest; /* a digest that was guessed in part is never compared: see base/map.h */
};

/* Where in the snapshot an error stands. */
struct place {
    size_t key;
    struct fault *why;
};

static bool bad(const struct place *at, const char *field, const char *what)
{
    return fault_set(at->why, FAULT_INTERNAL, "keyring: keys[%zu].%s: %s", at->key, field, what);
}

static bool read_text(struct arena *arena, const struct place *at, const char *name, const json_t *value,
                      struct slice *out)
{
    if (!json_is_string(value)) return bad(at, name, "not a string");
    struct slice text = slice_of(json_string_value(value), json_string_length(value));
    if (text.len > LIMIT_KEY_FIELD_BYTES) return bad(at, name, "longer than 256 bytes");
    *out = arena_copy(arena, text);
    return true;
}

static bool read_list(struct arena *arena, const struct place *at, const char *name, const json_t *value,
                      struct slice **out, size_t *count)
{
    if (!json_is_array(value)) return bad(at, name, "not a list");
    size_t n = json_array_size(value);
    if (n > LIMIT_KEY_LIST) return bad(at, name, "more than 256 entries");
    *out = arena_alloc(arena, n * sizeof **out);
    for (size_t i = 0; i < n; i++) {
        if (!read_text(arena, at, name, json_array_get(value, i), &(*out)[i])) return false;
    }
    *count = n;
    return true;
}

static bool read_labels(struct arena *arena, const struct place *at, json_t *value, struct key_record *key)
{
    const char *name;
    json_t *text;
    if (!json_is_object(value)) return bad(at, "labels", "not an object");
    if (json_object_size(value) > LIMIT_KEY_LIST) return bad(at, "labels", "more than 256 entries");
    key->labels = arena_alloc(arena, json_object_size(value) * sizeof *key->labels);
    json_object_foreach(value, name, text)
    {
        struct key_label *label = &key->labels[key->label_count];
        label->name = arena_copy(arena, slice_str(name));
        if (!read_text(arena, at, "labels", text, &label->value)) return false;
        key->label_count++;
    }
    return true;
}

static bool read_digest(const struct place *at, const json_t *value, uint8_t digest[KEY_DIGEST_BYTES])
{
    struct slice hex = slice_of(json_string_value(value), json_string_length(value));
    if (!hex_read(hex, digest, KEY_DIGEST_BYTES)) return bad(at, "digest", "not 64 hexadecimal digits");
    return true;
}

static bool read_expiry(const struct place *at, const json_t *value, uint64_t *wall_ns)
{
    json_int_t seconds = json_integer_value(value);
    if (!json_is_integer(value) || seconds < 0) return bad(at, "expires_at", "not a time in seconds since 1970");
    /* Beyond the clock's end is no reason to know no key at all. */
    if (__builtin_mul_overflow((uint64_t)seconds, (uint64_t)NS_PER_S, wall_ns)) *wall_ns = UINT64_MAX;
    return true;
}

static bool read_flag(const struct place *at, const char *name, const json_t *value, bool *out)
{
    *out = json_is_true(value);
    return json_is_boolean(value) || bad(at, name, "not true or false");
}

/* The record's field of that name, or NULL when no plain text field is called so. */
static struct slice *text_field(struct key_record *key, const char *name)
{
    const struct {
        const char *name;
        struct slice *field;
    } fields[] = {{"id", &key->id},     {"app", &key->app},       {"department", &key->department},
                  {"user", &key->user}, {"team", &key->team},     {"tier", &key->tier},
                  {"env", &key->env},   {"region", &key->region}, {"clearance", &key->clearance}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].name, name) == 0) return fields[i].field;
    }
    return NULL;
}

static bool read_field(struct arena *arena, const struct place *at, const char *name, json_t *value,
                       struct key_record *key)
{
    struct slice *text = text_field(key, name);
    if (text) return read_text(arena, at, name, value, text);
    if (strcmp(name, "digest") == 0) return read_digest(at, value, key->digest);
    if (strcmp(name, "roles") == 0) return read_list(arena, at, name, value, &key->roles, &key->role_count);
    if (strcmp(name, "approvals") == 0) return read_list(arena, at, name, value, &key->approvals, &key->approval_count);
    if (strcmp(name, "labels") == 0) return read_labels(arena, at, value, key);
    if (strcmp(name, "expires_at") == 0) return read_expiry(at, value, &key->expires_wall_ns);
    if (strcmp(name, "revoked") == 0) return read_flag(at, name, value, &key->is_revoked);
    if (strcmp(name, "ends_requests") == 0) return read_flag(at, name, value, &key->ends_requests);
    return bad(at, name, "no such field");
}

static bool read_record(struct arena *arena, const struct place *at, json_t *value, struct key_record *key)
{
    const char *name;
    json_t *field;
    if (!json_is_object(value)) return bad(at, "", "not an object");
    json_object_foreach(value, name, field)
    {
        if (!read_field(arena, at, name, field, key)) return false;
    }
    if (key->id.len == 0) return bad(at, "id", "missing");
    if (!json_object_get(value, "digest")) return bad(at, "digest", "missing");
    return true;
}

static struct slice digest_of(const void *owner, uint32_t item)
{
    const struct keyring *ring = owner;
    return slice_of((const char *)ring->records[item].digest, KEY_DIGEST_BYTES);
}

static bool index_records(struct keyring *ring, struct fault *why)
{
    for (size_t i = 0; i < ring->count; i++) {
        if (keyring_find(ring, ring->records[i].digest))
            return bad(&(struct place){i, why}, "digest", "another key has it too");
        map_add(&ring->by_digest, (uint32_t)i);
    }
    return true;
}

static bool read_all(struct keyring *ring, json_t *root, struct fault *why)
{
    json_t *keys = json_object_get(root, "keys");
    if (!json_is_object(root) || json_object_size(root) != 1 || !json_is_array(keys)) {
        return fault_set(why, FAULT_INTERNAL, "keyring: not an object with the one field \"keys\"");
    }
    ring->count = json_array_size(keys);
    ring->records = mem_zalloc(ring->count, sizeof *ring->records);
    for (size_t i = 0; i < ring->count; i++) {
        if (!read_record(&ring->arena, &(struct place){i, why}, json_array_get(keys, i), &ring->records[i]))
            return false;
    }
    return index_records(ring, why);
}

static struct keyring *keyring_new(void)
{
    struct keyring *ring = mem_zalloc(1, sizeof *ring);
    ring->refs = 1;
    map_init(&ring->by_digest, digest_of, ring);
    arena_init(&ring->arena);
    return ring;
}

struct keyring *keyring_parse(struct slice json, struct fault *why)
{
    json_error_t error;
    if (json.len > LIMIT_KEYRING_BYTES) {
        fault_set(why, FAULT_INTERNAL, "keyring: %zu bytes are over the limit of %u", json.len, LIMIT_KEYRING_BYTES);
        return NULL;
    }
    json_t *root = json_loadb(json.ptr ? json.ptr : "", json.len, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        fault_set(why, FAULT_INTERNAL, "keyring: line %d: %s", error.line, error.text);
        return NULL;
    }
    struct keyring *ring = keyring_new();
    bool is_good = read_all(ring, root, why);
    json_decref(root);
    if (is_good) return ring;
    keyring_unref(ring);
    return NULL;
}

struct keyring *keyring_empty(void)
{
    return keyring_new();
}

struct keyring *keyring_ref(struct keyring *ring)
{
    ring->refs++;
    return ring;
}

void keyring_unref(struct keyring *ring)
{
    if (!ring || --ring->refs > 0) return;
    arena_clear(&ring->arena);
    mem_free(ring->records);
    map_clear(&ring->by_digest);
    mem_free(ring);
}

size_t keyring_count(const struct keyring *ring)
{
    return ring->count;
}

const struct key_record *keyring_at(const struct keyring *ring, size_t index)
{
    check(index < ring->count);
    return &ring->records[index];
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
    uint32_t item;
    bool is_known = map_find(&ring->by_digest, slice_of((const char *)digest, KEY_DIGEST_BYTES), &item);
    return is_known ? &ring->records[item] : NULL;
}

bool key_record_is_live(const struct key_record *key, uint64_t now_wall_ns)
{
    return !key->is_revoked && (key->expires_wall_ns == 0 || now_wall_ns < key->expires_wall_ns);
}
