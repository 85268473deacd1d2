/* API keys: the snapshot workers hold, and the registry that makes it. */
#include "../unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/keyring.h"
#include "store/keyring_build.h"
#include "store/registry/registry.h"

#define DIGEST_A "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592"

static const struct key_record *find_key(const struct keyring *ring, const char *text)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    keyring_digest(slice_str(text), digest);
    return keyring_find(ring, digest);
}

static void a_snapshot_is_read_whole(void)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    char hex[65], json[1024];
    struct fault why;
    keyring_digest(SLICE("mgk_test"), digest);
    hex_write(digest, sizeof digest, hex);
    snprintf(
        json, sizeof json,
        "{\"keys\":[{\"id\":\"key_1\",\"digest\":\"%s\",\"app\":\"bot\",\"department\":\"Sales\",\"roles\":[\"admin\","
        "\"dev\"],\"labels\":{\"cost\":\"42\"},\"approvals\":[\"gpt-4o\"],\"expires_at\":1000,\"revoked\":false},"
        "{\"id\":\"key_2\",\"digest\":\"" DIGEST_A "\",\"revoked\":true}]}",
        hex);
    struct keyring *ring = keyring_parse(slice_str(json), &why);
    EXPECT(ring != NULL);
    if (!ring) return;
    EXPECT_INT(2, keyring_count(ring));
    const struct key_record *key = find_key(ring, "mgk_test");
    EXPECT(key != NULL);
    EXPECT(find_key(ring, "mgk_tesu") == NULL);
    EXPECT(find_key(ring, "") == NULL);
    if (!key) return;
    EXPECT_SLICE(SLICE("key_1"), key->id);
    EXPECT_SLICE(SLICE("Sales"), key->department);
    EXPECT_SLICE(SLICE(""), key->team);
    EXPECT_INT(2, key->role_count);
    EXPECT_SLICE(SLICE("dev"), key->roles[1]);
    EXPECT_SLICE(SLICE("cost"), key->labels[0].name);
    EXPECT_SLICE(SLICE("42"), key->labels[0].value);
    EXPECT_SLICE(SLICE("gpt-4o"), key->approvals[0]);
    EXPECT(key_record_is_live(key, 999999999999ull));
    EXPECT(!key_record_is_live(key, 1000000000000ull));
    EXPECT(hex_read(SLICE(DIGEST_A), digest, sizeof digest));
    EXPECT(!key_record_is_live(keyring_find(ring, digest), 1));
    keyring_unref(keyring_ref(ring));
    keyring_unref(ring);
}

/* One that ends beyond the clock's last second must not take all the others with it. */
static void an_expiry_beyond_the_clock_is_the_last_second(void)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    struct fault why;
    struct keyring *ring = keyring_parse(
        SLICE("{\"keys\":[{\"id\":\"a\",\"digest\":\"" DIGEST_A "\",\"expires_at\":86400000000000}]}"), &why);
    EXPECT(ring != NULL);
    if (!ring) return;
    EXPECT(hex_read(SLICE(DIGEST_A), digest, sizeof digest));
    EXPECT(key_record_is_live(keyring_find(ring, digest), UINT64_MAX - 1));
    keyring_unref(ring);
}

static void what_is_not_a_snapshot_is_refused_with_its_place(void)
{
    static const struct {
        const char *json, *word;
    } cases[] = {
        {"", "line"},
        {"[]", "object"},
        {"{\"keys\":{}}", "object"},
        {"{\"keys\":[],\"more\":1}", "one field"},
        {"{\"keys\":[1]}", "keys[0]"},
        {"{\"keys\":[{\"digest\":\"" DIGEST_A "\"}]}", "keys[0].id: missing"},
        {"{\"keys\":[{\"id\":\"a\"}]}", "keys[0].digest: missing"},
        {"{\"keys\":[{\"id\":\"a\",\"digest\":\"12\"}]}", "64 hexadecimal"},
        {"{\"keys\":[{\"id\":\"a\",\"digest\":\"" DIGEST_A "\"},{\"id\":\"b\",\"digest\":\"" DIGEST_A "\"}]}",
         "keys[1].digest: another"},
        {"{\"keys\":[{\"id\":\"a\",\"digest\":\"" DIGEST_A "\",\"deparment\":\"x\"}]}", "keys[0].deparment: no such"},
        {"{\"keys\":[{\"id\":\"a\",\"digest\":\"" DIGEST_A "\",\"app\":7}]}", "keys[0].app: not a string"},
        {"{\"keys\":[{\"id\":\"a\",\"digest\":\"" DIGEST_A "\",\"roles\":\"x\"}]}", "keys[0].roles: not a list"},
        {"{\"keys\":[{\"id\":\"a\",\"digest\":\"" DIGEST_A "\",\"expires_at\":-1}]}", "expires_at"},
        {"{\"keys\":[{\"id\":\"a\",\"digest\":\"" DIGEST_A "\",\"revoked\":0}]}", "revoked"},
        {"{\"keys\":[{\"id\":\"a\",\"id\":\"b\",\"digest\":\"" DIGEST_A "\"}]}", "duplicate"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault why = {0};
        struct keyring *ring = keyring_parse(slice_str(cases[i].json), &why);
        if (ring || !strstr(why.text, cases[i].word)) UNIT_FAIL("%s: %s", cases[i].json, why.text);
        keyring_unref(ring);
    }
}

static void an_empty_ring_knows_nobody(void)
{
    struct keyring *ring = keyring_empty();
    EXPECT(find_key(ring, "mgk_x") == NULL);
    EXPECT_INT(0, keyring_count(ring));
    keyring_unref(ring);
}

static void a_large_ring_finds_each_key(void)
{
    struct buf json;
    struct fault why;
    char text[32], hex[65];
    uint8_t digest[KEY_DIGEST_BYTES];
    buf_init(&json);
    buf_append(&json, SLICE("{\"keys\":["));
    for (int i = 0; i < 3000; i++) {
        snprintf(text, sizeof text, "mgk_%d", i);
        keyring_digest(slice_str(text), digest);
        hex_write(digest, sizeof digest, hex);
        buf_printf(&json, "%s{\"id\":\"key_%d\",\"digest\":\"%s\"}", i ? "," : "", i, hex);
    }
    buf_append(&json, SLICE("]}"));
    struct keyring *ring = keyring_parse(buf_slice(&json), &why);
    buf_clear(&json);
    EXPECT(ring != NULL);
    for (int i = 0; ring && i < 3000; i++) {
        snprintf(text, sizeof text, "mgk_%d", i);
        const struct key_record *key = find_key(ring, text);
        snprintf(text, sizeof text, "key_%d", i);
        EXPECT(key && slice_equal(key->id, slice_str(text)));
    }
    keyring_unref(ring);
}

static char dir[] = "/tmp/moongate-keys-XXXXXX";
static const struct change_by by = {.actor = SLICE("kim"), .via = SLICE("cli"), .uid = 7};

static struct keyring *export_ring(struct registry *r, struct buf *json)
{
    struct fault why;
    buf_reset(json);
    EXPECT(registry_export_keys(r, json, &why));
    struct keyring *ring = keyring_parse(buf_slice(json), &why);
    if (!ring) UNIT_FAIL("%s", why.text);
    return ring;
}

static void a_key_is_made_found_listed_and_revoked(void)
{
    struct fault why = {0};
    struct key_made made, second;
    struct buf json;
    struct slice role = SLICE("dev"), model = SLICE("claude-3-opus");
    struct key_label label = {SLICE("cost centre"), SLICE("4711 é")};
    struct key_spec spec = {.app = SLICE("bot"),
                            .department = SLICE("Sales"),
                            .user = SLICE("m.ito"),
                            .roles = &role,
                            .role_count = 1,
                            .labels = &label,
                            .label_count = 1,
                            .approvals = &model,
                            .approval_count = 1,
                            .expires_at = 4102444800};
    buf_init(&json);
    struct registry *r = registry_open(dir, &why);
    if (!r) UNIT_FAIL("%s", why.text);
    if (!r) return;
    EXPECT(registry_key_create(r, &spec, &by, &made, &why));
    EXPECT(registry_key_create(r, &spec, &by, &second, &why));
    EXPECT_INT(47, strlen(made.text));
    EXPECT(strncmp(made.text, "mgk_", 4) == 0 && strncmp(made.id, "key_", 4) == 0);
    EXPECT(strcmp(made.text, second.text) != 0 && strcmp(made.id, second.id) != 0);

    struct keyring *ring = export_ring(r, &json);
    EXPECT(!memmem(buf_ptr(&json), buf_len(&json), made.text + 4, 43));
    const struct key_record *key = ring ? find_key(ring, made.text) : NULL;
    EXPECT(key != NULL);
    if (key) {
        EXPECT_SLICE(slice_str(made.id), key->id);
        EXPECT_SLICE(SLICE("m.ito"), key->user);
        EXPECT_SLICE(SLICE("4711 é"), key->labels[0].value);
        EXPECT_SLICE(SLICE("claude-3-opus"), key->approvals[0]);
        EXPECT(key_record_is_live(key, 1));
    }
    keyring_unref(ring);

    EXPECT_INT(REGISTRY_MISSING, registry_key_revoke(r, SLICE("key_none"), false, &by, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(made.id), false, &by, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(made.id), true, &by, &why));
    ring = export_ring(r, &json);
    if (ring) {
        EXPECT(!key_record_is_live(find_key(ring, made.text), 1));
        EXPECT(find_key(ring, made.text)->ends_requests && !find_key(ring, second.text)->ends_requests);
        EXPECT(key_record_is_live(find_key(ring, second.text), 1));
    }
    keyring_unref(ring);

    json_t *keys = registry_keys(r, &why);
    EXPECT_INT(2, json_array_size(keys));
    json_t *first = json_array_get(keys, 0);
    EXPECT_STR(made.text + 43, json_string_value(json_object_get(first, "tail")));
    EXPECT(json_object_get(first, "digest") == NULL);
    EXPECT(json_integer_value(json_object_get(first, "revoked_at")) > 0);
    json_decref(keys);
    registry_close(r);
    buf_clear(&json);
}

static void a_rotated_key_has_a_successor_that_stands_for_the_same(void)
{
    struct fault why = {0};
    struct key_made made;
    struct key_rotated rotated, again;
    struct buf json;
    struct slice role = SLICE("dev");
    uint64_t now = clock_wall_ns() / NS_PER_S;
    struct key_spec spec = {.app = SLICE("bot"), .roles = &role, .role_count = 1, .expires_at = now + 1000};
    buf_init(&json);
    struct registry *r = registry_open(dir, &why);
    EXPECT(registry_key_create(r, &spec, &by, &made, &why));
    EXPECT_INT(REGISTRY_MISSING, registry_key_rotate(r, SLICE("key_none"), 60, &by, &rotated, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_key_rotate(r, slice_str(made.id), 60, &by, &rotated, &why));
    EXPECT(rotated.old_expires_at >= now + 60 && rotated.old_expires_at < now + 1000);
    EXPECT(rotated.expires_at >= now + 1000);
    struct keyring *ring = export_ring(r, &json);
    const struct key_record *old = find_key(ring, made.text), *new = find_key(ring, rotated.made.text);
    EXPECT_SLICE(SLICE("bot"), new->app);
    EXPECT_SLICE(role, new->roles[0]);
    EXPECT(key_record_is_live(old, (now + 59) * NS_PER_S) && !key_record_is_live(old, (now + 99) * NS_PER_S));
    keyring_unref(ring);
    EXPECT_INT(REGISTRY_FAILED, registry_key_rotate(r, slice_str(made.id), 60, &by, &again, &why));
    EXPECT(strstr(why.text, "rotated before") != NULL);
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(rotated.made.id), false, &by, &why));
    EXPECT_INT(REGISTRY_FAILED, registry_key_rotate(r, slice_str(rotated.made.id), 0, &by, &again, &why));
    EXPECT(strstr(why.text, "revoked") != NULL);
    registry_close(r);
    buf_clear(&json);
}

static void the_old_key_never_lives_longer_than_it_would_have(void)
{
    struct fault why = {0};
    struct key_made made;
    struct key_rotated rotated;
    uint64_t now = clock_wall_ns() / NS_PER_S;
    struct registry *r = registry_open(dir, &why);
    EXPECT(registry_key_create(r, &(struct key_spec){.app = SLICE("b"), .expires_at = now + 50}, &by, &made, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_key_rotate(r, slice_str(made.id), 3600, &by, &rotated, &why));
    EXPECT_INT(now + 50, rotated.old_expires_at);
    EXPECT(registry_key_create(r, &(struct key_spec){.app = SLICE("b")}, &by, &made, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_key_rotate(r, slice_str(made.id), 0, &by, &rotated, &why));
    EXPECT_INT(0, rotated.expires_at);
    EXPECT(rotated.old_expires_at <= clock_wall_ns() / NS_PER_S);
    registry_close(r);
}

/* As version 1 made it. */
static void an_older_file_is_brought_up_to_date(void)
{
    char folder[] = "/tmp/moongate-keys-XXXXXX", path[64];
    struct fault why = {0};
    sqlite3 *db;
    EXPECT(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/registry.db", folder);
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db,
                                       "CREATE TABLE keys(id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, tail TEXT NOT"
                                       " NULL, attributes TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER"
                                       " NOT NULL, revoked_at INTEGER NOT NULL) STRICT;"
                                       "INSERT INTO keys VALUES('key_old', '5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592',"
                                       " 'tail', '{\"app\":\"bot\"}', 1, 0, 0);"
                                       "PRAGMA user_version = 1",
                                       NULL, NULL, NULL));
    sqlite3_close(db);
    for (int i = 0; i < 2; i++) {
        struct registry *r = registry_open(folder, &why);
        json_t *keys = r ? registry_keys(r, &why) : NULL;
        EXPECT_INT(1, json_array_size(keys));
        EXPECT_STR("", json_string_value(json_object_get(json_array_get(keys, 0), "successor")));
        json_decref(keys);
        registry_close(r);
    }
    unlink(path);
    rmdir(folder);
}

static void what_cannot_be_a_key_is_refused(void)
{
    struct fault why = {0};
    struct key_made made;
    char wide[300];
    memset(wide, 'a', sizeof wide);
    struct registry *r = registry_open(dir, &why);
    struct key_label nameless = {SLICE(""), SLICE("x")};
    EXPECT(!registry_key_create(r, &(struct key_spec){.app = slice_of(wide, sizeof wide)}, &by, &made, &why));
    EXPECT(strstr(why.text, "256 bytes") != NULL);
    EXPECT(!registry_key_create(r, &(struct key_spec){.app = SLICE("\xff")}, &by, &made, &why));
    EXPECT(strstr(why.text, "UTF-8") != NULL);
    EXPECT(!registry_key_create(r, &(struct key_spec){.labels = &nameless, .label_count = 1}, &by, &made, &why));
    registry_close(r);
}

static void the_file_is_private_and_holds_no_key(void)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "%s/registry.db", dir);
    EXPECT(stat(path, &st) == 0);
    EXPECT_INT(0600, st.st_mode & 0777);
}

static void a_newer_schema_is_not_touched(void)
{
    char path[64];
    struct fault why = {0};
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/registry.db", dir);
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL));
    sqlite3_close(db);
    EXPECT(registry_open(dir, &why) == NULL);
    EXPECT(strstr(why.text, "newer moongate") != NULL);
    EXPECT(registry_open("/nonexistent", &why) == NULL);
    EXPECT(strstr(why.text, "/nonexistent/registry.db: No such file") != NULL);
}

static void remove_files(void)
{
    static const char *const names[] = {"registry.db", "registry.db-wal", "registry.db-shm"};
    char path[64];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    EXPECT_INT(0, rmdir(dir));
}

int main(void)
{
    if (!mkdtemp(dir)) return 1;
    RUN(a_snapshot_is_read_whole);
    RUN(an_expiry_beyond_the_clock_is_the_last_second);
    RUN(what_is_not_a_snapshot_is_refused_with_its_place);
    RUN(an_empty_ring_knows_nobody);
    RUN(a_large_ring_finds_each_key);
    RUN(a_key_is_made_found_listed_and_revoked);
    RUN(a_rotated_key_has_a_successor_that_stands_for_the_same);
    RUN(the_old_key_never_lives_longer_than_it_would_have);
    RUN(an_older_file_is_brought_up_to_date);
    RUN(what_cannot_be_a_key_is_refused);
    RUN(the_file_is_private_and_holds_no_key);
    RUN(a_newer_schema_is_not_touched);
    RUN(remove_files);
    return unit_close("keys");
}
