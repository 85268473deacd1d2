/* The registry in PostgreSQL: what every engine does alike, and what PostgreSQL alone does. */
#include "../postgres_kit.h"

#define SUITE_BLOB "bytea"
#define SUITE_DROP_TRIGGER "DROP TRIGGER %s ON %s"
#include "registry_race.h"
#include "registry_suite_people.h"

#include "base/log.h"
#include "store/registry/backup.h"

static struct registry *suite_reopen(void)
{
    struct fault why = {0};
    struct registry *r = registry_open_postgres(server_conninfo(), "moongate test", &why);
    if (!r) UNIT_FAIL("%s", why.text);
    return r;
}

static struct registry *suite_fresh(void)
{
    server_ask("DROP SCHEMA IF EXISTS moongate_registry CASCADE");
    return suite_reopen();
}

/* What was done in a transaction is gone with its connection, and nothing more is done outside of it. */
static void a_connection_that_is_lost_is_made_anew_between_changes(void)
{
    struct fault why = {0};
    struct registry *r = suite_fresh();
    EXPECT(registry_begin(r, &why) && registry_run(r, PERSON("per_ana", "human"), &why));
    server_ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'moongate test'");
    EXPECT(!registry_run(r, PERSON("per_kim", "human"), &why));
    EXPECT(!registry_run(r, PERSON("per_lee", "human"), &why));
    EXPECT(!registry_commit(r, &suite_by, "test", SLICE("x"), NULL, NULL, &why));
    EXPECT(!registry_abort(r));
    EXPECT_STR("0|0", suite_ask(r, "SELECT rev, (SELECT count(*) FROM person) FROM rev", 2));
    suite_do(r, PERSON("per_ana", "human"));
    registry_close(r);
}

/* PostgreSQL itself would say yes to the COMMIT of what has failed, and take it back. */
static void what_has_failed_is_not_committed(void)
{
    struct fault why = {0};
    struct registry *r = suite_fresh();
    EXPECT(registry_begin(r, &why) && registry_run(r, PERSON("per_ana", "human"), &why));
    EXPECT(!registry_run(r, PERSON("per_ana", "human"), &why));
    EXPECT(!registry_run(r, "COMMIT", &why));
    EXPECT(!registry_abort(r));
    EXPECT_STR("0", suite_ask(r, "SELECT count(*) FROM person", 1));
    registry_close(r);
}

static void several_that_start_together_make_it_once(void)
{
    enum { CHILDREN = 4 };
    pid_t children[CHILDREN];
    int status;
    server_ask("DROP SCHEMA IF EXISTS moongate_registry CASCADE");
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct fault why = {0};
            _exit(registry_open_postgres(server_conninfo(), "moongate test", &why) ? 0 : 1);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        waitpid(children[i], &status, 0);
        EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    EXPECT_STR("1", server_ask("SELECT count(*) FROM moongate_registry.rev"));
}

static void a_newer_one_is_not_touched(void)
{
    struct fault why = {0};
    registry_close(suite_fresh());
    server_ask("UPDATE moongate_registry.meta SET v = '99'");
    EXPECT(registry_open_postgres(server_conninfo(), "moongate test", &why) == NULL);
    EXPECT(strstr(why.text, "newer moongate") != NULL);
    EXPECT(registry_open_postgres("host=/nonexistent user=a password=verysecret", "moongate test", &why) == NULL);
    EXPECT(why.text[0] && !strstr(why.text, "verysecret"));
}

/* Who stands still in the midst of a change keeps others waiting no longer than their deadline. */
static void a_statement_has_a_deadline(void)
{
    struct fault why = {0};
    struct registry *r = suite_fresh(), *other = suite_reopen();
    EXPECT(registry_begin(r, &why));
    EXPECT(!registry_begin(other, &why));
    EXPECT(registry_refused(other) == REGISTRY_ACCEPTED && why.text[0]);
    EXPECT_STR("0", suite_ask(other, "SELECT rev FROM rev", 1));
    EXPECT(!registry_abort(r));
    EXPECT(registry_begin(other, &why) && registry_commit(other, &suite_by, "test", SLICE("x"), NULL, NULL, &why));
    registry_close(other);
    registry_close(r);
}

/* ---- From a file, and back into one. */

static void what_was_moved_is_here_and_the_file_is_read_only(void)
{
    char dir[] = "/tmp/moongate-moved-XXXXXX", path[96];
    struct fault why = {0};
    struct registry_backup about;
    struct key_made made;
    struct key_spec spec = {.app = SLICE("bot")};
    if (!mkdtemp(dir)) exit(1);
    struct registry *file = registry_open(dir, &why), *r = suite_fresh();
    suite_people(file);
    EXPECT(registry_key_create(file, &spec, &suite_by, &made, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_person_merge(file, SLICE("per_ana"), SLICE("per_kim"), &suite_by, &why));
    registry_close(file);
    if (!registry_move(dir, r, &about, &why)) UNIT_FAIL("%s", why.text);
    EXPECT_INT(4 + 1 + 6, about.rows);
    EXPECT_STR("6|5|per_kim", suite_ask(r, "SELECT rev, (SELECT count(*) FROM event WHERE action <> 'people.merge'),"
                                           " (SELECT same_as FROM person WHERE id = 'per_ana') FROM rev", 3));
    EXPECT_STR("", suite_check(r));
    EXPECT_STR("immutable", suite_try(r, "DELETE FROM credential")); /* triggers are up again */
    file = registry_open(dir, &why);
    EXPECT(file && !registry_key_create(file, &spec, &suite_by, &made, &why));
    EXPECT(strstr(why.text, "moved to PostgreSQL") != NULL);
    registry_close(file);
    EXPECT(!registry_move(dir, r, &about, &why)); /* it is not empty any more */
    suite_do(r, PERSON("per_new", "human"));
    snprintf(path, sizeof path, "%s/copy.db", dir);
    if (!registry_backup(r, path, &about, &why)) UNIT_FAIL("%s", why.text);
    EXPECT_INT(7, about.revision);
    file = registry_open_reader_file(path, &why);
    EXPECT_STR("7|5", suite_ask(file, "SELECT rev, (SELECT count(*) FROM person) FROM rev", 2));
    EXPECT_STR("", suite_check(file));
    registry_close(file);
    registry_close(r);
    nftw(dir, server_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- The race. */

static void who_races_to_approve_his_own_does_not_get_it(void)
{
    race_run("PostgreSQL, as changes", suite_reopen, RACE_CHANGES);
}

static void who_races_by_sql_does_not_get_it_either(void)
{
    race_run("PostgreSQL, by SQL", suite_reopen, RACE_SQL);
}

/* Triggers without their place in the queue. */
static struct registry *without_queue(void)
{
    server_ask("UPDATE pg_proc SET prosrc = replace(prosrc, 'UPDATE rev SET rev = rev WHERE id = 1;', '')"
               " WHERE pronamespace = 'moongate_registry'::regnamespace");
    return suite_reopen();
}

/* She puts into production what he archives, before she has committed. */
static const char *two_at_once(struct registry *she, struct registry *he)
{
    struct fault why = {0};
    suite_people(she);
    suite_do(she, "INSERT INTO prompt(name, owner, department, rev) VALUES('p', 'o', 'd', 1)");
    suite_do(she, VERSION("draft"));
    suite_do(she, AUTHOR("per_ana"));
    suite_do(she, MOVE("review"));
    suite_do(she, REVIEW("per_kim", "h"));
    suite_do(she, MOVE("approved"));
    EXPECT(registry_run(she, "BEGIN", &why) && registry_run(she, LABEL("production", "1000"), &why));
    bool is_good =
        registry_run(he, "BEGIN", &why) && registry_run(he, MOVE("archived"), &why) && registry_run(he, "COMMIT", &why);
    if (!is_good) registry_abort(he);
    EXPECT(registry_run(she, "COMMIT", &why));
    return suite_check(she);
}

/* So the check would see it, had the triggers no queue. */
static void what_the_queue_is_for(void)
{
    struct registry *r = suite_fresh(), *other = suite_reopen();
    EXPECT_STR("", two_at_once(r, other));
    registry_close(other);
    registry_close(r);
    registry_close(suite_fresh());
    r = without_queue();
    other = suite_reopen();
    EXPECT_STR("V2 p@1.0.0", two_at_once(r, other));
    registry_close(other);
    registry_close(r);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    setenv("MOONGATE_LOG", "error", 0);
    log_init("test");
    server_start(NULL);
    suite_run();
    suite_run_people();
    RUN(a_connection_that_is_lost_is_made_anew_between_changes);
    RUN(what_has_failed_is_not_committed);
    RUN(several_that_start_together_make_it_once);
    RUN(a_newer_one_is_not_touched);
    RUN(a_statement_has_a_deadline);
    RUN(what_was_moved_is_here_and_the_file_is_read_only);
    RUN(who_races_to_approve_his_own_does_not_get_it);
    RUN(who_races_by_sql_does_not_get_it_either);
    RUN(what_the_queue_is_for);
    server_end();
    return unit_close("registry_postgres");
}
