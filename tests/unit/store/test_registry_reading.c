/* The registry for who only reads: what is there, without making or changing anything; and has it changed? */
#include "../unit.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../files.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/registry/registry.h"
#include "store/topups_build.h"

#define DIGEST "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592"

static char dir[64];

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

static void path_of(char path[96], const char *name)
{
    snprintf(path, 96, "%s/%s", dir, name);
}

static void fresh_folder(void)
{
    static const char *const names[] = {"registry.db", "registry.db-wal", "registry.db-shm"};
    char path[96];
    for (size_t i = 0; dir[0] && i < 3; i++) {
        path_of(path, names[i]);
        unlink(path);
    }
    if (dir[0]) EXPECT_INT(0, rmdir(dir));
    snprintf(dir, sizeof dir, "/tmp/moongate-reading-XXXXXX");
    if (!mkdtemp(dir)) exit(1);
}

/* What sales has at that time; -1 after a fault, which goes to why. */
static int64_t read_sales(int64_t at_s, struct fault *why)
{
    struct buf text;
    buf_init(&text);
    struct topups *topups =
        registry_read_topups(dir, at_s, &text, why) ? topups_parse(buf_slice(&text), why) : NULL;
    int64_t nano = topups ? topups_now(topups, SLICE("budget/sales"), SLICE("department=sales"), at_s).nano : -1;
    topups_unref(topups);
    buf_clear(&text);
    return nano;
}

static int64_t sales(int64_t at_s)
{
    struct fault why = {0};
    int64_t nano = read_sales(at_s, &why);
    if (nano < 0) UNIT_FAIL("%s", why.text);
    return nano;
}

static struct registry *open_it(void)
{
    struct fault why = {0};
    struct registry *r = registry_open(dir, &why);
    if (!r) UNIT_FAIL("%s", why.text);
    return r;
}

static void none_are_where_no_registry_is(void)
{
    char path[96];
    fresh_folder();
    EXPECT_INT(0, sales(now_s()));
    path_of(path, "registry.db");
    EXPECT(access(path, F_OK) != 0);
}

static void those_that_hold_are_there(void)
{
    static const struct change_by by = {.actor = SLICE("kim"), .via = SLICE("cli"), .reason = SLICE("quarter end")};
    struct fault why = {0};
    struct topup_made made;
    struct topup_ended ended;
    fresh_folder();
    struct registry *r = open_it();
    EXPECT_INT(0, sales(now_s()));
    struct topup_spec spec = {SLICE("budget/sales"), SLICE("department=sales"), 7, now_s() + 1000};
    EXPECT(registry_topup_create(r, &spec, &by, &made, &why));
    EXPECT_INT(7, sales(now_s() + 10)); /* while it is open for writing */
    EXPECT_INT(0, sales(spec.ends_at));
    registry_close(r);
    EXPECT_INT(7, sales(now_s() + 10));
    r = open_it();
    EXPECT_INT(REGISTRY_FOUND, registry_topup_end(r, slice_str(made.id), &by, &ended, &why));
    registry_close(r);
    EXPECT_INT(0, sales(now_s() + 10));
}

static int64_t count(json_t *list)
{
    int64_t all = list ? (int64_t)json_array_size(list) : -1;
    json_decref(list);
    return all;
}

/* As the first version left it: it is brought up to date in memory. */
static void an_older_file_stays_as_it_is(void)
{
    char path[96];
    sqlite3 *db;
    struct buf before, after;
    fresh_folder();
    path_of(path, "registry.db");
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, "CREATE TABLE keys(id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, tail TEXT NOT"
                                       " NULL, attributes TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER"
                                       " NOT NULL, revoked_at INTEGER NOT NULL) STRICT;"
                                       "INSERT INTO keys VALUES('key_a', '" DIGEST "', 'tail', '{}', 1, 0, 0);"
                                       "PRAGMA user_version = 1", NULL, NULL, NULL));
    sqlite3_close(db);
    EXPECT(read_file(dir, "registry.db", &before));
    EXPECT_INT(0, sales(now_s()));
    EXPECT_INT(1, count(registry_read_all_keys(dir, &(struct fault){.text = ""})));
    EXPECT(read_file(dir, "registry.db", &after));
    EXPECT_SLICE(buf_slice(&before), buf_slice(&after));
    buf_clear(&before);
    buf_clear(&after);
}

static void a_broken_file_is_named(void)
{
    char path[96];
    struct fault why = {0};
    fresh_folder();
    path_of(path, "registry.db");
    FILE *file = fopen(path, "wb");
    EXPECT(file && fputs("no database, and longer than a header of one would be, so that it is looked at", file) > 0);
    if (file) fclose(file);
    EXPECT_INT(-1, read_sales(now_s(), &why));
    EXPECT(strstr(why.text, "registry.db"));
}

static void run_sql(const char *sql)
{
    char path[96];
    sqlite3 *db;
    path_of(path, "registry.db");
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, sql, NULL, NULL, NULL));
    sqlite3_close(db);
}

static void lists_make_nothing(void)
{
    struct fault why = {0};
    char path[96];
    fresh_folder();
    EXPECT_INT(0, count(registry_read_all_topups(dir, &why)));
    EXPECT_INT(0, count(registry_read_all_keys(dir, &why)));
    EXPECT_INT(0, count(registry_read_all_keys("/tmp/moongate-reading-none", &why)));
    path_of(path, "registry.db");
    EXPECT(access(path, F_OK) != 0 && access("/tmp/moongate-reading-none", F_OK) != 0);
    registry_close(open_it());
    run_sql("INSERT INTO topup VALUES('topup_a', 'b/r', '', 1, 'x', 'kim', 1, 1, 2, NULL, NULL, 1, 1)");
    EXPECT_INT(1, count(registry_read_all_topups(dir, &why)));
    run_sql("INSERT INTO credential(id, kind, digest, tail, fields, created_at, made, rev)"
            " VALUES('key_a', 'data', x'" DIGEST "', 't', '{}', 1, 1, 1)");
    EXPECT_INT(1, count(registry_read_all_keys(dir, &why)));
}

/* As a clock that was set back leaves them: each was made when others were over. The keys stand beside them. */
static void of_too_many_those_that_end_last_are_handed_over(void)
{
    struct fault why = {0};
    struct buf bytes;
    char sql[400];
    fresh_folder();
    struct registry *r = open_it();
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
             "INSERT INTO topup SELECT 'topup_' || i, 'b/r', 'user=' || i, 1, 'x', 'kim', 1, 1, %lld + i, NULL, NULL, 1, 1 FROM n",
             LIMIT_TOPUPS + 100, (long long)now_s() + 100000);
    run_sql(sql);
    buf_init(&bytes);
    EXPECT(registry_section(r, SECTION_TOPUPS, now_s(), &bytes, &why));
    struct topups *topups = topups_copy(buf_slice(&bytes), &why);
    if (!topups) UNIT_FAIL("%s", why.text);
    EXPECT_INT(0, topups_now(topups, SLICE("b/r"), SLICE("user=100"), now_s()).count);
    EXPECT_INT(1, topups_now(topups, SLICE("b/r"), SLICE("user=101"), now_s()).count);
    EXPECT_INT(1, topups_now(topups, SLICE("b/r"), SLICE("user=1100"), now_s()).count);
    topups_unref(topups);
    static const struct change_by by = {.actor = SLICE("kim"), .via = SLICE("cli"), .reason = SLICE("quarter end")};
    struct topup_spec spec = {SLICE("b/r"), SLICE("user=1"), 7, now_s() + 1000};
    struct topup_made made;
    EXPECT(!registry_topup_create(r, &spec, &by, &made, &why));
    EXPECT(strstr(why.text, "1100 top-ups are live, and of more than 1000 those that end last alone would hold"));
    buf_clear(&bytes);
    registry_close(r);
}

/* Read by a clock that is ahead, asked by one that was set right. */
static int64_t sales_later(int64_t read_s, int64_t at_s)
{
    struct fault why = {0};
    struct buf text;
    buf_init(&text);
    struct topups *topups =
        registry_read_topups(dir, read_s, &text, &why) ? topups_parse(buf_slice(&text), &why) : NULL;
    if (!topups) UNIT_FAIL("%s", why.text);
    int64_t nano = topups_now(topups, SLICE("budget/sales"), SLICE("department=sales"), at_s).nano;
    topups_unref(topups);
    buf_clear(&text);
    return nano;
}

static void what_a_wrong_clock_takes_for_over_is_handed_over_for_a_day(void)
{
    fresh_folder();
    registry_close(open_it());
    run_sql("INSERT INTO topup VALUES('topup_a', 'budget/sales', 'department=sales', 5, 'x', 'kim', 1, 1, 1000, NULL, NULL, 1, 1)");
    EXPECT_INT(5, sales_later(1000 + 86399, 999));
    EXPECT_INT(0, sales_later(1000 + 86399, 1000));
    EXPECT_INT(0, sales_later(1000 + 86400, 999));
}

/* ---- Has it changed? */

static struct registry_mark settled(void)
{
    struct registry_mark mark;
    do mark = registry_mark(dir);
    while (!mark.is_settled);
    return mark;
}

static void a_mark_changes_with_each_commit_and_with_nothing_else(void)
{
    struct fault why = {0};
    fresh_folder();
    struct registry_mark before = settled(), after;
    EXPECT_INT(0, before.file.size);
    struct registry *r = open_it();
    after = registry_mark(dir);
    EXPECT(after.file.size > 0 && !registry_mark_is_same(&before, &after));
    for (int i = 0; i < 3; i++) {
        before = settled();
        EXPECT_INT(0, count(registry_read_all_keys(dir, &why)));
        registry_close(open_it());
        after = settled();
        EXPECT(registry_mark_is_same(&before, &after));
        run_sql("UPDATE rev SET rev = rev + 1");
        after = registry_mark(dir);
        EXPECT(!registry_mark_is_same(&before, &after));
        EXPECT(!registry_mark_is_same(&after, &after)); /* another commit may follow in the same tick of the clock */
    }
    registry_close(r);
    before = settled();
    registry_close(open_it());
    after = settled();
    EXPECT(registry_mark_is_same(&before, &after));
}

int main(void)
{
    RUN(none_are_where_no_registry_is);
    RUN(those_that_hold_are_there);
    RUN(an_older_file_stays_as_it_is);
    RUN(a_broken_file_is_named);
    RUN(lists_make_nothing);
    RUN(of_too_many_those_that_end_last_are_handed_over);
    RUN(what_a_wrong_clock_takes_for_over_is_handed_over_for_a_day);
    RUN(a_mark_changes_with_each_commit_and_with_nothing_else);
    fresh_folder();
    EXPECT_INT(0, rmdir(dir));
    return unit_close("registry_reading");
}
