/* Changes by administrators: noted with what they change, taken once, known by their ids. */
#include "ledger_kit.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/limits.h"
#include "store/ledger/check.h"
#include "store/registry/registry.h"

static const struct change_by by = {.actor = SLICE("k\"im"),
                                    .host = SLICE("gw-1"),
                                    .via = SLICE("cli"),
                                    .reason = SLICE("ticket 4711"),
                                    .uid = 1000};

static void unlink_registry(void)
{
    static const char *const names[] = {"registry.db", "registry.db-wal", "registry.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[96];
        kit_path(path, names[i]);
        unlink(path);
    }
}

static struct registry *fresh(void)
{
    struct fault why = {0};
    kit_fresh();
    unlink_registry();
    struct registry *r = registry_open(kit_dir, &why);
    if (!r) UNIT_FAIL("%s", why.text);
    return r;
}

struct seen {
    unsigned count;
    uint64_t last;
    json_t *all;
};

static void on_change(void *arg, uint64_t number, struct slice body)
{
    struct seen *s = arg;
    EXPECT(number > s->last);
    s->last = number;
    s->count++;
    json_array_append_new(s->all, json_loadb(body.ptr, body.len, 0, NULL));
}

static struct seen look(struct registry *r, uint64_t after, unsigned max)
{
    struct fault why = {0};
    struct seen s = {.all = json_array()};
    if (!registry_changes(r, after, max, on_change, &s, &why)) UNIT_FAIL("%s", why.text);
    return s;
}

static const char *text_at(const struct seen *s, unsigned i, const char *name)
{
    const char *text = json_string_value(json_object_get(json_array_get(s->all, i), name));
    return text ? text : "";
}

static json_t *part_at(const struct seen *s, unsigned i, const char *part, const char *name)
{
    return json_object_get(json_object_get(json_array_get(s->all, i), part), name);
}

static struct key_made make(struct registry *r, const char *app)
{
    struct fault why = {0};
    struct key_made made;
    EXPECT(registry_key_create(r, &(struct key_spec){.app = slice_str(app)}, &by, &made, &why));
    return made;
}

static void each_change_says_who_what_and_what_differs(void)
{
    struct fault why = {0};
    struct key_rotated rotated;
    struct registry *r = fresh();
    struct key_made made = make(r, "bot");
    EXPECT_INT(REGISTRY_FOUND, registry_key_rotate(r, slice_str(made.id), 60, &by, &rotated, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(made.id), true, &by, &why));
    struct seen s = look(r, 0, 10);
    EXPECT_INT(3, s.count);
    EXPECT_STR("keys.create", text_at(&s, 0, "action"));
    EXPECT_STR("keys.rotate", text_at(&s, 1, "action"));
    EXPECT_STR("keys.revoke", text_at(&s, 2, "action"));
    for (unsigned i = 0; i < s.count; i++) {
        EXPECT_STR(made.id, text_at(&s, i, "target"));
        EXPECT_STR("k\"im", text_at(&s, i, "actor"));
        EXPECT_STR("cli", text_at(&s, i, "via"));
        EXPECT_STR("ok", text_at(&s, i, "result"));
        EXPECT_STR("ticket 4711", text_at(&s, i, "reason"));
        EXPECT_INT(1000, json_integer_value(json_object_get(json_array_get(s.all, i), "uid")));
        EXPECT(strncmp(text_at(&s, i, "id"), "chg_", 4) == 0 && strlen(text_at(&s, i, "id")) == CHANGE_ID_BYTES - 1);
        EXPECT(text_at(&s, i, "id")[4 + 14] == '7');
    }
    EXPECT(strcmp(text_at(&s, 0, "id"), text_at(&s, 1, "id")) != 0);
    EXPECT_STR("bot", json_string_value(part_at(&s, 0, "after", "app")));
    EXPECT(json_object_get(json_array_get(s.all, 0), "before") == NULL);
    EXPECT_INT(0, json_integer_value(part_at(&s, 1, "before", "expires_at")));
    EXPECT_INT(rotated.old_expires_at, json_integer_value(part_at(&s, 1, "after", "expires_at")));
    EXPECT_STR(rotated.made.id, json_string_value(part_at(&s, 1, "after", "successor")));
    EXPECT(json_is_false(part_at(&s, 2, "before", "revoked")) && json_is_true(part_at(&s, 2, "after", "revoked")));
    EXPECT(json_is_true(part_at(&s, 2, "after", "ends_requests")));
    char *text = json_dumps(s.all, 0);
    EXPECT(!strstr(text, made.text + 4) && !strstr(text, rotated.made.text + 4) && !strstr(text, "digest"));
    free(text);
    json_decref(s.all);
    registry_close(r);
}

static void what_changes_nothing_is_not_noted(void)
{
    struct fault why = {0};
    struct key_rotated rotated;
    struct key_made made;
    struct registry *r = fresh();
    EXPECT(!registry_key_create(r, &(struct key_spec){.app = SLICE("\xff")}, &by, &made, &why));
    EXPECT_INT(REGISTRY_MISSING, registry_key_revoke(r, SLICE("key_none"), false, &by, &why));
    EXPECT_INT(REGISTRY_MISSING, registry_key_rotate(r, SLICE("key_none"), 1, &by, &rotated, &why));
    made = make(r, "bot");
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(made.id), false, &by, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(made.id), false, &by, &why)); /* again */
    EXPECT_INT(REGISTRY_FAILED, registry_key_rotate(r, slice_str(made.id), 1, &by, &rotated, &why));
    struct seen s = look(r, 0, 10);
    EXPECT_INT(2, s.count);
    json_decref(s.all);
    /* … but that its requests end, too, is a change. */
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(made.id), true, &by, &why));
    s = look(r, s.last, 10);
    EXPECT_INT(1, s.count);
    EXPECT(part_at(&s, 0, "after", "revoked") == NULL && json_is_true(part_at(&s, 0, "after", "ends_requests")));
    json_decref(s.all);
    registry_close(r);
}

/* Nothing is done that could not be noted. */
static void a_change_and_its_note_are_one(void)
{
    char path[96];
    struct fault why = {0};
    struct key_made made;
    struct key_rotated rotated;
    sqlite3 *db;
    struct registry *r = fresh();
    struct key_made first = make(r, "bot");
    kit_path(path, "registry.db");
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db,
                                       "CREATE TRIGGER full BEFORE INSERT ON event"
                                       " BEGIN SELECT RAISE(ABORT, 'no room'); END",
                                       NULL, NULL, NULL));
    EXPECT(!registry_key_create(r, &(struct key_spec){.app = SLICE("b")}, &by, &made, &why));
    EXPECT(strstr(why.text, "no room") != NULL);
    EXPECT_INT(REGISTRY_FAILED, registry_key_revoke(r, slice_str(first.id), false, &by, &why));
    EXPECT_INT(REGISTRY_FAILED, registry_key_rotate(r, slice_str(first.id), 1, &by, &rotated, &why));
    json_t *keys = registry_keys(r, &why);
    EXPECT_INT(1, json_array_size(keys));
    EXPECT(json_is_false(json_object_get(json_array_get(keys, 0), "revoked")));
    EXPECT_STR("", json_string_value(json_object_get(json_array_get(keys, 0), "successor")));
    json_decref(keys);
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, "DROP TRIGGER full", NULL, NULL, NULL));
    sqlite3_close(db);
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(first.id), false, &by, &why));
    registry_close(r);
}

static void what_was_taken_does_not_come_again(void)
{
    struct fault why = {0};
    struct registry *r = fresh();
    for (int i = 0; i < 5; i++)
        make(r, "bot");
    struct seen s = look(r, 0, 3);
    EXPECT_INT(3, s.count);
    json_decref(s.all);
    struct seen rest = look(r, s.last, 10);
    EXPECT_INT(2, rest.count);
    json_decref(rest.all);
    EXPECT(registry_changes_taken(r, s.last, &why));
    EXPECT(registry_changes_taken(r, s.last, &why));
    registry_close(r);
    r = registry_open(kit_dir, &why);
    s = look(r, 0, 10);
    EXPECT_INT(2, s.count);
    json_decref(s.all);
    registry_close(r);
}

/* Who has no time says so, and reads beside a writer. */
static void nobody_in_a_hurry_waits(void)
{
    char path[96];
    struct fault why = {0};
    sqlite3 *db;
    struct registry *r = fresh();
    make(r, "bot");
    kit_path(path, "registry.db");
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    struct registry *second = registry_open(kit_dir, &why);
    EXPECT(second != NULL);
    registry_be_brief(second);
    struct seen s = look(second, 0, 10);
    EXPECT_INT(1, s.count);
    json_decref(s.all);
    EXPECT(!registry_changes_taken(second, s.last, &why));
    EXPECT(strstr(why.text, "locked") != NULL);
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL));
    sqlite3_close(db);
    EXPECT(registry_changes_taken(second, s.last, &why));
    registry_close(second);
    registry_close(r);
}

/* As version 2 made it: its keys have no notes. */
static void an_older_file_is_brought_up_to_date(void)
{
    char path[96];
    struct fault why = {0};
    sqlite3 *db;
    kit_fresh();
    unlink_registry();
    kit_path(path, "registry.db");
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db,
                                       "CREATE TABLE keys(id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, tail TEXT NOT"
                                       " NULL, attributes TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER"
                                       " NOT NULL, revoked_at INTEGER NOT NULL) STRICT;"
                                       "ALTER TABLE keys ADD COLUMN ends_requests INTEGER NOT NULL DEFAULT 0;"
                                       "ALTER TABLE keys ADD COLUMN successor TEXT NOT NULL DEFAULT '';"
                                       "INSERT INTO keys VALUES('key_old',"
                                       " '5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592', 'tail', '{\"app\":\"bot\"}', 1, 0, 0, 0, '');"
                                       "PRAGMA user_version = 2",
                                       NULL, NULL, NULL));
    sqlite3_close(db);
    struct registry *r = registry_open(kit_dir, &why);
    if (!r) UNIT_FAIL("%s", why.text);
    struct seen s = look(r, 0, 10);
    EXPECT_INT(0, s.count);
    json_decref(s.all);
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, SLICE("key_old"), false, &by, &why));
    s = look(r, 0, 10);
    EXPECT_INT(1, s.count);
    EXPECT_STR("key_old", text_at(&s, 0, "target"));
    json_decref(s.all);
    registry_close(r);
}

/* ---- In the ledger. */

#define A SLICE("{\"id\":\"chg_019a3e0c-5b1f-7c00-8000-00000000000a\",\"action\":\"reload\"}")
#define B SLICE("{\"id\":\"chg_019a3e0c-5b1f-7c00-8000-00000000000b\",\"action\":\"reload\"}")

static void the_ledger_keeps_each_once(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    EXPECT_INT(LEDGER_STORED, kit_put_text(l, CHAIN_CHANGE, NULL, A));
    EXPECT_INT(LEDGER_KNOWN, kit_put_text(l, CHAIN_CHANGE, NULL, A)); /* in the same batch … */
    EXPECT_INT(LEDGER_STORED, kit_put_text(l, CHAIN_CHANGE, NULL, B));
    kit_commit(l);
    ledger_close(l);
    l = kit_open();
    kit_begin(l);
    EXPECT_INT(LEDGER_KNOWN, kit_put_text(l, CHAIN_CHANGE, NULL, B)); /* … and in a later one, of a later process */
    EXPECT_INT(LEDGER_STORED, kit_put(l, 1));
    EXPECT_INT(LEDGER_KNOWN, kit_put_text(l, CHAIN_CHANGE, NULL, A));
    kit_commit(l);
    ledger_close(l);
    kit_verify(3);
    EXPECT_STR("2|1|2", kit_ask("SELECT count(*), min(seq), max(seq) FROM changes"));
}

static void change_file(const char *sql)
{
    char path[96];
    sqlite3 *db;
    kit_path(path, "ledger.db");
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, sql, NULL, NULL, NULL));
    sqlite3_close(db);
}

static uint64_t differences(bool is_repair)
{
    struct fault why = {0};
    struct ledger_checked found;
    if (!ledger_check(&(struct ledger_check){.data_dir = kit_dir, .is_repair = is_repair}, &found, &why))
        UNIT_FAIL("%s", why.text);
    return found.differences;
}

/* What they are known by can be made anew. */
static void the_check_finds_and_repairs_their_rows(void)
{
    EXPECT_INT(0, differences(false));
    change_file("UPDATE changes SET id = x'00', seq = 3 WHERE seq = 1");
    EXPECT_INT(2, differences(false));
    EXPECT_INT(2, differences(true));
    EXPECT_INT(0, differences(false));
    EXPECT_STR("2|1|2", kit_ask("SELECT count(*), min(seq), max(seq) FROM changes"));
}

static void changes_without_an_id_and_other_kinds_are_not_compared(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    for (int i = 0; i < 2; i++) {
        EXPECT_INT(LEDGER_STORED, kit_put_text(l, CHAIN_CHANGE, NULL, SLICE("{\"action\":\"delete_entries\"}")));
        EXPECT_INT(LEDGER_STORED, kit_put_text(l, CHAIN_CHANGE, NULL, SLICE("no JSON")));
        EXPECT_INT(LEDGER_STORED, kit_put_text(l, CHAIN_START, NULL, A));
    }
    kit_commit(l);
    ledger_close(l);
    kit_verify(6);
}

int main(void)
{
    RUN(each_change_says_who_what_and_what_differs);
    RUN(what_changes_nothing_is_not_noted);
    RUN(a_change_and_its_note_are_one);
    RUN(what_was_taken_does_not_come_again);
    RUN(nobody_in_a_hurry_waits);
    RUN(an_older_file_is_brought_up_to_date);
    RUN(the_ledger_keeps_each_once);
    RUN(the_check_finds_and_repairs_their_rows);
    RUN(changes_without_an_id_and_other_kinds_are_not_compared);
    unlink_registry();
    kit_end();
    return unit_close("changes");
}
