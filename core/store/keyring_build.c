#include "store/keyring_build.h"

#include <jansson.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/keyring_inner.h"
#include "store/section/build.h"

/* Where it is written out, to be recognised. */
struct known_profile {
    size_t at, len;
};

struct keyring_build {
    struct section_build *section;
    struct buf written;
    struct known_profile *profiles; /* each row of KEYRING_PROFILES */
    uint32_t profile_room;
    struct map by_written;
};

/* Where an error stands. */
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
                  {"env", &key->env},   {"region", &key->region}, {"clearance", &key->clearance},
                  {"person", &key->person}};
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

static bool read_fields(struct arena *arena, const struct place *at, json_t *value, struct key_record *key)
{
    const char *name;
    json_t *field;
    if (!json_is_object(value)) return bad(at, "", "not an object");
    json_object_foreach(value, name, field)
    {
        if (!read_field(arena, at, name, field, key)) return false;
    }
    return true;
}

static bool read_record(struct arena *arena, const struct place *at, json_t *value, struct key_record *key)
{
    if (!read_fields(arena, at, value, key)) return false;
    if (key->id.len == 0) return bad(at, "id", "missing");
    if (!json_object_get(value, "digest")) return bad(at, "digest", "missing");
    return true;
}

/* ---- Rows. */

static struct slice written_profile(const void *owner, uint32_t profile)
{
    const struct keyring_build *b = owner;
    return slice_of(buf_ptr(&b->written) + b->profiles[profile].at, b->profiles[profile].len);
}

struct keyring_build *keyring_build_new(void)
{
    struct keyring_build *b = mem_zalloc(1, sizeof *b);
    b->section = section_build_new(&keyring_shape);
    buf_init(&b->written);
    map_init(&b->by_written, written_profile, b);
    return b;
}

void keyring_build_free(struct keyring_build *b)
{
    if (!b) return;
    section_build_free(b->section);
    buf_clear(&b->written);
    map_clear(&b->by_written);
    mem_free(b->profiles);
    mem_free(b);
}

static bool add_list(struct section_build *to, const struct place *at, const char *name, const struct slice *items,
                     size_t count, struct section_list *list)
{
    if (count > LIMIT_KEY_LIST) return bad(at, name, "more than 256 entries");
    *list = (struct section_list){section_build_count(to, KEYRING_ITEMS), (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        if (items[i].len > LIMIT_KEY_FIELD_BYTES) return bad(at, name, "longer than 256 bytes");
        struct section_text text = section_build_text(to, items[i]);
        if (!section_build_row(to, KEYRING_ITEMS, &text, at->why)) return false;
    }
    return true;
}

static bool add_labels(struct section_build *to, const struct place *at, const struct key_record *key,
                       struct section_list *list)
{
    if (key->label_count > LIMIT_KEY_LIST) return bad(at, "labels", "more than 256 entries");
    *list = (struct section_list){section_build_count(to, KEYRING_LABELS), (uint32_t)key->label_count};
    for (size_t i = 0; i < key->label_count; i++) {
        const struct key_label *label = &key->labels[i];
        if (label->name.len > LIMIT_KEY_FIELD_BYTES || label->value.len > LIMIT_KEY_FIELD_BYTES)
            return bad(at, "labels", "longer than 256 bytes");
        struct label_row row = {section_build_text(to, label->name), section_build_text(to, label->value)};
        if (!section_build_row(to, KEYRING_LABELS, &row, at->why)) return false;
    }
    return true;
}

static bool check_texts(const struct place *at, const struct key_record *key)
{
    struct key_record copy = *key;
    for (enum key_text i = 0; i < KEY_TEXTS; i++) {
        if (key_record_text(&copy, i)->len > LIMIT_KEY_FIELD_BYTES) return bad(at, "a field", "longer than 256 bytes");
    }
    return key->id.len > 0 || bad(at, "id", "missing");
}

/* Copies of texts of a record, from one on. */
static void copy_texts(struct section_build *to, const struct key_record *key, enum key_text from, size_t count,
                       struct section_text *texts)
{
    struct key_record copy = *key;
    for (size_t i = 0; i < count; i++)
        texts[i] = section_build_text(to, *key_record_text(&copy, (enum key_text)(from + i)));
}

static void write_text(struct buf *out, struct slice text)
{
    uint32_t len = (uint32_t)text.len;
    buf_append(out, slice_of((const char *)&len, sizeof len));
    buf_append(out, text);
}

static void write_count(struct buf *out, size_t count)
{
    buf_append(out, slice_of((const char *)&count, sizeof count));
}

/* Two that are the same are written alike, and no others. */
static void write_profile(struct buf *out, const struct key_record *key)
{
    struct key_record copy = *key;
    for (enum key_text i = KEY_OWN_TEXTS; i < KEY_TEXTS; i++)
        write_text(out, *key_record_text(&copy, i));
    write_count(out, key->role_count);
    for (size_t i = 0; i < key->role_count; i++)
        write_text(out, key->roles[i]);
    write_count(out, key->approval_count);
    for (size_t i = 0; i < key->approval_count; i++)
        write_text(out, key->approvals[i]);
    for (size_t i = 0; i < key->label_count; i++) {
        write_text(out, key->labels[i].name);
        write_text(out, key->labels[i].value);
    }
}

static bool add_profile(struct keyring_build *b, const struct place *at, const struct key_record *key,
                        struct known_profile written)
{
    struct profile_row row;
    struct section_build *to = b->section;
    uint32_t number = section_build_count(to, KEYRING_PROFILES);
    copy_texts(to, key, KEY_OWN_TEXTS, KEY_TEXTS - KEY_OWN_TEXTS, row.texts);
    if (!add_list(to, at, "roles", key->roles, key->role_count, &row.roles) ||
        !add_list(to, at, "approvals", key->approvals, key->approval_count, &row.approvals) ||
        !add_labels(to, at, key, &row.labels) || !section_build_row(to, KEYRING_PROFILES, &row, at->why))
        return false;
    if (number == b->profile_room) {
        b->profile_room = b->profile_room ? 2 * b->profile_room : 64;
        b->profiles = mem_realloc(b->profiles, b->profile_room * sizeof *b->profiles);
    }
    b->profiles[number] = written;
    map_add(&b->by_written, number);
    return true;
}

static bool find_profile(struct keyring_build *b, const struct place *at, const struct key_record *key,
                         uint32_t *profile)
{
    struct known_profile written = {.at = buf_len(&b->written)};
    write_profile(&b->written, key);
    written.len = buf_len(&b->written) - written.at;
    struct slice text = slice_of(buf_ptr(&b->written) + written.at, written.len);
    if (map_find(&b->by_written, text, profile)) {
        buf_shorten(&b->written, written.at);
        return true;
    }
    *profile = section_build_count(b->section, KEYRING_PROFILES);
    return add_profile(b, at, key, written);
}

bool keyring_build_add(struct keyring_build *b, const struct key_record *key, struct fault *why)
{
    uint32_t other;
    struct section_build *to = b->section;
    struct place at = {section_build_count(to, KEYRING_KEYS), why};
    struct key_row row = {.expires_wall_ns = key->expires_wall_ns, .confirmed_wall_ns = key->confirmed_wall_ns};
    memcpy(row.digest, key->digest, sizeof row.digest);
    row.flags = (key->is_revoked ? KEY_FLAG_REVOKED : 0) | (key->ends_requests ? KEY_FLAG_ENDS_REQUESTS : 0);
    if (!check_texts(&at, key)) return false;
    if (section_build_find(to, KEYRING_BY_DIGEST, slice_of((const char *)row.digest, sizeof row.digest), &other))
        return bad(&at, "digest", "another key has it too");
    copy_texts(to, key, KEY_TEXT_ID, KEY_OWN_TEXTS, row.texts);
    return find_profile(b, &at, key, &row.profile) && section_build_row(to, KEYRING_KEYS, &row, why);
}

bool keyring_build_add_fields(struct keyring_build *b, const struct key_record *key, json_t *fields, struct fault *why)
{
    struct arena arena;
    struct key_record record = *key;
    struct place at = {section_build_count(b->section, KEYRING_KEYS), why};
    arena_init(&arena);
    bool is_good = read_fields(&arena, &at, fields, &record) && keyring_build_add(b, &record, why);
    arena_clear(&arena);
    return is_good;
}

bool keyring_build_add_json(struct keyring_build *b, json_t *key, struct fault *why)
{
    struct arena arena;
    struct key_record record = {.id = SLICE_NONE};
    struct place at = {section_build_count(b->section, KEYRING_KEYS), why};
    arena_init(&arena);
    bool is_good = read_record(&arena, &at, key, &record) && keyring_build_add(b, &record, why);
    arena_clear(&arena);
    return is_good;
}

bool keyring_build_end(struct keyring_build *b, const struct section_about *about, struct buf *out, struct fault *why)
{
    return section_build_end(b->section, about, out, why);
}

/* ---- Texts. */

static bool add_all(struct keyring_build *b, json_t *root, struct fault *why)
{
    size_t i;
    json_t *keys = json_object_get(root, "keys"), *key;
    if (!json_is_object(root) || json_object_size(root) != 1 || !json_is_array(keys)) {
        return fault_set(why, FAULT_INTERNAL, "keyring: not an object with the one field \"keys\"");
    }
    json_array_foreach(keys, i, key)
    {
        if (!keyring_build_add_json(b, key, why)) return false;
    }
    return true;
}

static json_t *load(struct slice json, struct fault *why)
{
    json_error_t error;
    if (json.len > LIMIT_KEYRING_BYTES) {
        fault_set(why, FAULT_INTERNAL, "keyring: %zu bytes are over the limit of %u", json.len, LIMIT_KEYRING_BYTES);
        return NULL;
    }
    json_t *root = json_loadb(json.ptr ? json.ptr : "", json.len, JSON_REJECT_DUPLICATES, &error);
    if (!root) fault_set(why, FAULT_INTERNAL, "keyring: line %d: %s", error.line, error.text);
    return root;
}

bool keyring_build_text(struct slice json, const struct section_about *about, struct buf *out, struct fault *why)
{
    json_t *root = load(json, why);
    if (!root) return false;
    struct keyring_build *b = keyring_build_new();
    bool is_good = add_all(b, root, why) && keyring_build_end(b, about, out, why);
    keyring_build_free(b);
    json_decref(root);
    return is_good;
}

struct keyring *keyring_parse(struct slice json, struct fault *why)
{
    struct buf bytes;
    buf_init(&bytes);
    bool is_good = keyring_build_text(json, &(struct section_about){.kind = SECTION_KEYS}, &bytes, why);
    struct keyring *ring = is_good ? keyring_copy(buf_slice(&bytes), why) : NULL;
    buf_clear(&bytes);
    return ring;
}
