/* The registry in PostgreSQL: what every engine does alike, and what PostgreSQL alone does. */
#include "../postgres_kit.h"

#define SUITE_BLOB "bytea"
#define SUITE_DROP_TRIGGER "DROP TRIGGER %s ON %s"
#include "registry_suite.h"

#include "base/log.h"

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

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    setenv("MOONGATE_LOG", "error", 0);
    log_init("test");
    server_start(NULL);
    suite_run();
    RUN(a_connection_that_is_lost_is_made_anew_between_changes);
    RUN(what_has_failed_is_not_committed);
    RUN(several_that_start_together_make_it_once);
    RUN(a_newer_one_is_not_touched);
    RUN(a_statement_has_a_deadline);
    server_end();
    return unit_close("registry_postgres");
}
