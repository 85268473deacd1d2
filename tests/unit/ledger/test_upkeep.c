/* The ledger's upkeep beside commits that never end. */
#include "../store/ledger_kit.h"

#include "base/limits.h"
#include "ledger/commit.h"
#include "ledger/upkeep.h"
#include "net/loop.h"

static struct loop *loop;
static struct ledger *ledger;

static void ignore(void *arg)
{
    (void)arg;
}

static void ignore_batch(void *arg, const struct commit_batch *batch)
{
    (void)arg;
    (void)batch;
}

static void ignore_state(void *arg, bool is_failing, const char *why)
{
    (void)arg;
    (void)is_failing;
    (void)why;
}

static const struct commit_events events = {ignore, ignore_batch, ignore_state};

static struct loop_timer looking;

static void on_look(void *arg)
{
    (void)arg;
    if (strcmp(kit_ask("SELECT min(seq) FROM chain"), "60") == 0)
        loop_stop(loop);
    else
        loop_timer_arm_ms(&looking, 5);
}

/* A queue that is never empty is what a busy ledger has: what is too old goes all the same. */
static void retention_goes_on_while_entries_wait(void)
{
    kit_fresh();
    ledger = kit_open();
    kit_begin(ledger);
    for (uint64_t n = 1; n <= 100; n++)
        EXPECT_INT(LEDGER_STORED, kit_put(ledger, n));
    kit_commit(ledger);
    EXPECT(sqlite3_exec(ledger_connection(ledger), "INSERT INTO anchors VALUES(60, 1000, x'00', x'00')", NULL, NULL,
                        NULL) == SQLITE_OK);
    loop = loop_new();
    struct commit *commit = commit_new(loop, &events, NULL); /* not opened: nothing is ever committed */
    commit_add(commit, &(struct commit_entry){.kind = CHAIN_EXCHANGE, .body = SLICE("{}")});
    struct upkeep *upkeep = upkeep_new(loop, ledger, commit);
    upkeep_retain(upkeep, 86400000, 0);
    loop_timer_init(&looking, loop, on_look, NULL);
    on_look(NULL);
    loop_run(loop);
    EXPECT_INT(1, commit_waiting(commit));
    loop_timer_disarm(&looking);
    upkeep_free(upkeep);
    commit_free(commit);
    loop_free(loop);
    ledger_close(ledger);
}

int main(void)
{
    RUN(retention_goes_on_while_entries_wait);
    kit_end();
    return unit_close("upkeep");
}
