/* The registry's top-ups for who only reads: what is live, without making or changing anything. */
#include "../unit.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../files.h"
#include "base/clock.h"
#include "store/registry/registry.h"
#include "store/topups.h"

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

/* As the version before top-ups left it. */
static void an_older_file_stays_as_it_is(void)
{
    char path[96];
    sqlite3 *db;
    struct buf before, after;
    fresh_folder();
    path_of(path, "registry.db");
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, "CREATE TABLE keys(id TEXT); PRAGMA user_version = 3", NULL, NULL, NULL));
    sqlite3_close(db);
    EXPECT(read_file(dir, "registry.db", &before));
    EXPECT_INT(0, sales(now_s()));
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

int main(void)
{
    RUN(none_are_where_no_registry_is);
    RUN(those_that_hold_are_there);
    RUN(an_older_file_stays_as_it_is);
    RUN(a_broken_file_is_named);
    fresh_folder();
    EXPECT_INT(0, rmdir(dir));
    return unit_close("registry_reading");
}
