/* The ledger's queue: what came together is committed together, and what cannot be committed waits in its order. */
#include "../store/ledger_kit.h"

#include "base/limits.h"
#include "ledger/commit.h"
#include "net/loop.h"

struct seen {
    struct loop *loop;
    unsigned batches, entries, stored, failures, recoveries, begins;
    unsigned stop_at; /* entries */
    bool stops_at_failure;
    char why[256];
};

static void on_begin(void *arg)
{
    ((struct seen *)arg)->begins++;
}

static void on_batch(void *arg, const struct commit_batch *batch)
{
    struct seen *s = arg;
    s->batches += batch->entries > 0;
    s->entries += batch->entries;
    s->stored += batch->stored;
    EXPECT(batch->ended_ns >= batch->began_ns);
    if (s->entries >= s->stop_at) loop_stop(s->loop);
}

static void on_state(void *arg, bool is_failing, const char *why)
{
    struct seen *s = arg;
    s->failures += is_failing;
    s->recoveries += !is_failing;
    snprintf(s->why, sizeof s->why, "%s", why);
    if (is_failing && s->stops_at_failure) loop_stop(s->loop);
}

static const struct commit_events events = {on_begin, on_batch, on_state};

static void add(struct commit *c, uint64_t n)
{
    struct buf body;
    uint8_t id[16];
    buf_init(&body);
    kit_id(id, n);
    kit_body(&body, n, KIT_TIME);
    commit_add(c, &(struct commit_entry){.kind = CHAIN_EXCHANGE, .id = id, .body = buf_slice(&body)});
    buf_clear(&body);
}

static void what_came_together_is_committed_together(void)
{
    kit_fresh();
    struct seen s = {.loop = loop_new(), .stop_at = 10};
    struct ledger *l = kit_open();
    struct commit *c = commit_new(s.loop, &events, &s);
    for (uint64_t n = 0; n < 10; n++)
        add(c, n);
    EXPECT_INT(10, commit_waiting(c));
    commit_open(c, l, NULL);
    loop_run(s.loop);
    EXPECT_INT(1, s.batches);
    EXPECT_INT(10, s.stored);
    EXPECT_INT(0, commit_waiting(c));
    EXPECT_INT(10, commit_done(c));
    add(c, 9); /* it is there */
    s.stop_at = 11;
    loop_run(s.loop);
    EXPECT_INT(2, s.batches);
    EXPECT_INT(10, s.stored);
    EXPECT_INT(0, s.failures + s.recoveries);
    commit_free(c);
    ledger_close(l);
    loop_free(s.loop);
    kit_verify(10);
}

static void a_batch_has_a_bound(void)
{
    kit_fresh();
    struct seen s = {.loop = loop_new(), .stop_at = LIMIT_LEDGER_BATCH + 5};
    struct ledger *l = kit_open();
    struct commit *c = commit_new(s.loop, &events, &s);
    commit_open(c, l, NULL);
    for (uint64_t n = 0; n < LIMIT_LEDGER_BATCH + 5; n++)
        add(c, n);
    loop_run(s.loop);
    EXPECT_INT(2, s.batches);
    EXPECT_INT(LIMIT_LEDGER_BATCH + 5, s.stored);
    commit_free(c);
    ledger_close(l);
    loop_free(s.loop);
}

static void set_pages(struct ledger *l, const char *pages)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %s", pages);
    EXPECT_INT(SQLITE_OK, sqlite3_exec(ledger_connection(l), sql, NULL, NULL, NULL));
}

/* A full disk takes nothing, says so once, and takes all when there is room again. */
static void what_cannot_be_committed_waits(void)
{
    kit_fresh();
    struct seen s = {.loop = loop_new(), .stop_at = 5};
    struct ledger *l = kit_open();
    struct commit *c = commit_new(s.loop, &events, &s);
    commit_open(c, l, NULL);
    for (uint64_t n = 0; n < 5; n++)
        add(c, n);
    loop_run(s.loop);
    set_pages(l, "1"); /* no more than it has */
    s.stops_at_failure = true;
    s.stop_at = 2000;
    for (uint64_t n = 5; n < 2000; n++)
        add(c, n);
    loop_run(s.loop);
    EXPECT_INT(1, s.failures);
    EXPECT(strstr(s.why, "ledger.db") != NULL && strstr(s.why, "full") != NULL);
    EXPECT(commit_is_failing(c));
    EXPECT_INT(1995, commit_waiting(c));
    EXPECT_INT(5, s.entries);
    EXPECT(!commit_is_full(c));
    set_pages(l, "1000000");
    loop_run(s.loop);
    EXPECT_INT(1, s.failures);
    EXPECT_INT(1, s.recoveries);
    EXPECT_STR("", s.why);
    EXPECT_INT(2000, s.stored);
    commit_free(c);
    ledger_close(l);
    loop_free(s.loop);
    kit_verify(2000);
    EXPECT_STR("0", kit_ask("SELECT count(*) FROM records r JOIN records q ON q.seq = r.seq + 1 WHERE q.id < r.id"));
}

static void the_queue_says_when_it_is_full(void)
{
    struct seen s = {.loop = loop_new()};
    struct commit *c = commit_new(s.loop, &events, &s);
    struct buf body;
    buf_init(&body);
    while (buf_len(&body) < MIB)
        buf_append(&body, SLICE("0123456789abcdef"));
    for (unsigned i = 0; i < LIMIT_LEDGER_QUEUE_BYTES / MIB; i++) {
        EXPECT(!commit_is_full(c));
        commit_add(c, &(struct commit_entry){.kind = CHAIN_EXCHANGE, .body = buf_slice(&body)});
    }
    EXPECT(commit_is_full(c));
    commit_free(c);
    buf_clear(&body);
    loop_free(s.loop);
}

int main(void)
{
    RUN(what_came_together_is_committed_together);
    RUN(a_batch_has_a_bound);
    RUN(what_cannot_be_committed_waits);
    RUN(the_queue_says_when_it_is_full);
    kit_end();
    return unit_close("commit");
}
