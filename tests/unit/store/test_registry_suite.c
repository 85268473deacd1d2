/* The registry in a file: what every engine does alike, and what SQLite alone does. */
#include <stdlib.h>
#include <unistd.h>

#define SUITE_BLOB "BLOB"
#define SUITE_DROP_TRIGGER "DROP TRIGGER %s /* ON %s */"
#include "registry_race.h"

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

int main(void)
{
    suite_run();
    RUN(who_races_to_approve_his_own_does_not_get_it);
    RUN(replacing_is_no_way_around);
    remove_files();
    return unit_close("registry_suite");
}
