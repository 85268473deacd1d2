/* Access reviews in PostgreSQL. */
#include "../postgres_kit.h"

#define SUITE_DROP_TRIGGER(name, table) "DROP TRIGGER " name " ON " table
#include "reviews_suite.h"

#include "base/log.h"

static struct registry *suite_fresh(void)
{
    server_ask("DROP SCHEMA IF EXISTS moongate_registry CASCADE");
    struct registry *made_anew = registry_open_postgres(server_conninfo(), "moongate test", &why);
    if (!made_anew) UNIT_FAIL("%s", why.text);
    return made_anew;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    setenv("MOONGATE_LOG", "error", 0);
    log_init("test");
    server_start(NULL);
    anchor = anchor_key_open(server_dir, &why);
    if (anchor) suite_run();
    EXPECT(anchor != NULL);
    anchor_key_free(anchor);
    server_end();
    return unit_close("reviews_postgres");
}
