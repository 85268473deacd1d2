/* The registry in a file: what every engine does alike, and what SQLite alone does. */
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#define SUITE_BLOB "BLOB"
#define SUITE_DROP_TRIGGER "DROP TRIGGER %s /* ON %s */"
#include "registry_race.h"
#include "registry_suite_people.h"

static char dir[64];

static void remove_files(void)
{
    static const char *const names[] = {"registry.db", "registry.db-wal", "registry.db-shm"};
    char path[96];
    for (size_t i = 0; dir[0] && i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    if (dir[0]) EXPECT_INT(0, rmdir(dir));
    dir[0] = '\0';
}

static struct registry *suite_reopen(void)
{
    struct fault why = {0};
    struct registry *r = registry_open(dir, &why);
    if (!r) UNIT_FAIL("%s", why.text);
    return r;
}

static struct registry *suite_fresh(void)
{
    remove_files();
    snprintf(dir, sizeof dir, "/tmp/moongate-registry-XXXXXX");
    if (!mkdtemp(dir)) exit(1);
    return suite_reopen();
}

/* A row that REPLACE would take away is one that is deleted. */
static void replacing_is_no_way_around(void)
{
    struct registry *r = suite_fresh();
    suite_people(r);
    EXPECT_STR("immutable", suite_try(r, "INSERT OR REPLACE INTO person(id, kind, issuer, subject, rev)"
                                         " VALUES('per_bot', 'human', 'local', 'per_bot', 1)"));
    registry_close(r);
}

static void who_races_to_approve_his_own_does_not_get_it(void)
{
    race_run("SQLite, as changes and by SQL", suite_reopen, RACE_BOTH);
}

static void run_old(const char *sql)
{
    char path[96], *said = NULL;
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/registry.db", dir);
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    if (sqlite3_exec(db, sql, NULL, NULL, &said) != SQLITE_OK) UNIT_FAIL("%s", said);
    sqlite3_free(said);
    sqlite3_close(db);
}

#define HEX(first) "'" first "d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c59'"

/* As the last version before this one left it. */
static const char old_file[] =
    "CREATE TABLE keys(id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, tail TEXT NOT NULL, attributes TEXT NOT NULL,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL) STRICT;"
    "ALTER TABLE keys ADD COLUMN ends_requests INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE keys ADD COLUMN successor TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE changes(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,"
    " taken INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX changes_new ON changes(number) WHERE taken = 0;"
    "CREATE TABLE topups(id TEXT PRIMARY KEY, budget TEXT NOT NULL, scope TEXT NOT NULL, nano INTEGER NOT NULL"
    " CHECK(nano > 0), reason TEXT NOT NULL, made_by TEXT NOT NULL, created_at INTEGER NOT NULL, starts_at INTEGER NOT"
    " NULL, ends_at INTEGER NOT NULL, ended_at INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX topups_live ON topups(ends_at) WHERE ended_at = 0;"
    "INSERT INTO keys VALUES('key_a', " HEX("5d") ", 'aaaa', '{\"app\":\"bot\",\"roles\":[\"r\"]}', 10, 90, 0, 0,"
    " 'key_b'), ('key_b', " HEX("6d") ", 'bbbb', '{\"app\":\"bot\",\"roles\":[\"r\"]}', 11, 0, 12, 1, '');"
    "INSERT INTO changes VALUES(3, 'chg_019a3e0c-5b1f-7c00-8000-00000000000a', '{\"id\":"
    "\"chg_019a3e0c-5b1f-7c00-8000-00000000000a\",\"time\":\"2025-11-01T10:00:00.095Z\",\"actor\":\"kim\",\"uid\":7,"
    "\"via\":\"cli\",\"action\":\"keys.create\",\"target\":\"key_a\",\"result\":\"ok\",\"after\":{\"app\":\"bot\"}}',"
    " 1), (5, 'chg_019a3e0c-5b1f-7c00-8000-00000000000b', '{\"id\":\"chg_019a3e0c-5b1f-7c00-8000-00000000000b\","
    "\"time\":\"2025-11-01T10:00:01.000Z\",\"actor\":\"kim\",\"uid\":7,\"action\":\"keys.rotate\",\"target\":\"key_a\","
    "\"reason\":\"yearly\"}', 0);"
    "INSERT INTO topups VALUES('topup_a', 'b/r', 'user=x', 5, 'why', 'kim', 1, 1, 99, 0), ('topup_b', 'b/r', '', 6, 'why',"
    " 'kim', 2, 2, 99, 50);"
    "PRAGMA user_version = 4";

static void an_old_file_becomes_one_of_today(void)
{
    struct fault why = {0};
    registry_close(suite_fresh());
    remove_files();
    snprintf(dir, sizeof dir, "/tmp/moongate-registry-XXXXXX");
    if (!mkdtemp(dir)) exit(1);
    run_old(old_file);
    for (int i = 0; i < 2; i++) {
        struct registry *r = suite_reopen();
        EXPECT_STR("", suite_check(r));
        EXPECT_STR("2|2|1", suite_ask(r, "SELECT rev, (SELECT count(*) FROM event), (SELECT sum(chained) FROM event)"
                                         " FROM rev", 3));
        EXPECT_STR("key_b|key_a|bot|{\"roles\":[\"r\"]}||12|1",
                   suite_ask(r, "SELECT id, replaces, app, fields, expires_at, revoked_at, ends_requests FROM credential"
                                " WHERE replaces IS NOT NULL", 7));
        EXPECT_STR("key_a|32|90|", suite_ask(r, "SELECT id, length(digest), expires_at, revoked_at FROM credential"
                                                " ORDER BY made LIMIT 1", 4));
        EXPECT_STR("kim|7|keys.rotate|key_a|yearly|1761991201",
                   suite_ask(r, "SELECT actor, uid, action, object, reason, at FROM event WHERE rev = 2", 6));
        EXPECT_STR("{\"app\":\"bot\"}", suite_ask(r, "SELECT after FROM event WHERE rev = 1", 1));
        EXPECT_STR("topup_b|50|topup_a", suite_ask(r, "SELECT id, ended_at, (SELECT id FROM topup WHERE ended_at IS NULL)"
                                                      " FROM topup WHERE ended_at IS NOT NULL", 3));
        EXPECT_STR("0", suite_ask(r, "SELECT count(*) FROM sqlite_schema WHERE name IN('keys', 'topups', 'changes')", 1));
        registry_close(r);
    }
    /* One that is damaged stays as it was. */
    remove_files();
    snprintf(dir, sizeof dir, "/tmp/moongate-registry-XXXXXX");
    if (!mkdtemp(dir)) exit(1);
    run_old(old_file);
    run_old("UPDATE keys SET digest = 'none' WHERE id = 'key_b'");
    EXPECT(registry_open(dir, &why) == NULL);
    EXPECT(strstr(why.text, "the digest of key_b is damaged") != NULL);
    run_old("SELECT successor FROM keys; SELECT taken FROM changes; SELECT ended_at FROM topups");
}

int main(void)
{
    suite_run();
    suite_run_people();
    RUN(who_races_to_approve_his_own_does_not_get_it);
    RUN(replacing_is_no_way_around);
    RUN(an_old_file_becomes_one_of_today);
    remove_files();
    return unit_close("registry_suite");
}
