/* Changes on their way into the chain: each is committed once, then the registry and the supervisor hear of it. */
#include "../store/ledger_kit.h"

#include "base/limits.h"
#include "ledger/changes.h"
#include "net/loop.h"
#include "store/registry/registry.h"
#include "store/texts/texts.h"

#define ONE SLICE("{\"id\":\"chg_019a3e0c-5b1f-7c00-8000-000000000001\",\"action\":\"reload\"}")
#define ERASE                                                                                                          \
    SLICE("{\"id\":\"chg_019a3e0c-5b1f-7c00-8000-000000000003\",\"action\":\"texts.erase\",\"target\":\"user:ana\"}")
#define TWO SLICE("{\"id\":\"chg_019a3e0c-5b1f-7c00-8000-000000000002\",\"action\":\"reload\"}")

static struct loop *loop;
static struct commit *commit;
static struct changes *changes;
static struct ledger *ledger;
static struct loop_timer quiet;
static uint64_t kept[8], stop_at;
static unsigned kept_count;
static struct change_end last;
static char last_why[256];
static struct texts *texts;

/* ---- Around it. */

static void on_begin(void *arg)
{
    (void)arg;
}

static void on_batch(void *arg, const struct commit_batch *batch)
{
    (void)arg;
    if (batch->entries) changes_committed(changes);
    if (commit_done(commit) >= stop_at && commit_waiting(commit) == 0) loop_stop(loop);
}

static void on_state(void *arg, bool is_failing, const char *why)
{
    (void)arg;
    if (is_failing) UNIT_FAIL("%s", why);
}

static const struct commit_events events = {on_begin, on_batch, on_state};

static void on_change_end(void *arg, const struct change_end *end)
{
    (void)arg;
    last = *end;
    snprintf(last_why, sizeof last_why, "%s", end->why ? end->why : "");
    if (kept_count < 8) kept[kept_count++] = end->number;
}

static void begin(void)
{
    struct fault why = {0};
    loop = loop_new();
    kept_count = 0;
    ledger = kit_open();
    commit = commit_new(loop, &events, NULL);
    changes = changes_new(loop, kit_dir, commit, on_change_end, NULL);
    texts = texts_open(kit_dir, &why);
    EXPECT(texts != NULL);
    commit_open(commit, ledger, texts);
    changes_open(changes, texts);
}

/* As if it were killed. */
static void drop(void)
{
    changes_free(changes);
    commit_free(commit);
    texts_close(texts);
    ledger_close(ledger);
    loop_free(loop);
}

/* Until so many entries were committed here. */
static void run_until(uint64_t entries)
{
    stop_at = entries;
    if (commit_done(commit) < entries || commit_waiting(commit)) loop_run(loop);
}

static void unlink_registry(void)
{
    static const char *const names[] = {"registry.db", "registry.db-wal", "registry.db-shm",
                                        "subjects.db", "subjects.db-wal", "subjects.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[96];
        kit_path(path, names[i]);
        unlink(path);
    }
}

static void run_sql_on(const char *file, const char *sql)
{
    char path[96];
    sqlite3 *db;
    kit_path(path, file);
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, sql, NULL, NULL, NULL));
    sqlite3_close(db);
}

static void run_sql(const char *sql)
{
    run_sql_on("registry.db", sql);
}

static void make_keys(unsigned count)
{
    struct fault why = {0};
    struct key_made made;
    struct change_by by = {.actor = SLICE("kim")};
    struct registry *r = registry_open(kit_dir, &why);
    for (unsigned i = 0; i < count; i++)
        EXPECT(registry_key_create(r, &(struct key_spec){.app = SLICE("bot")}, &by, &made, &why));
    registry_close(r);
}

static void count_one(void *arg, uint64_t number, struct slice body)
{
    (void)number;
    (void)body;
    ++*(unsigned *)arg;
}

static unsigned not_taken(void)
{
    struct fault why = {0};
    unsigned count = 0;
    struct registry *r = registry_open(kit_dir, &why);
    EXPECT(registry_changes(r, 0, 10000, count_one, &count, &why));
    registry_close(r);
    return count;
}

static void fresh(void)
{
    kit_fresh();
    unlink_registry();
}

/* ---- What is so. */

static void what_the_supervisor_tells_is_kept_once_it_is_committed(void)
{
    fresh();
    begin();
    changes_tell(changes, 7, ONE);
    changes_tell(changes, 8, TWO);
    EXPECT_INT(0, kept_count);
    run_until(2);
    EXPECT_INT(2, kept_count);
    EXPECT(kept[0] == 7 && kept[1] == 8);
    drop();
    begin(); /* told again, for it was killed before it said so */
    changes_tell(changes, 8, TWO);
    run_until(1);
    EXPECT_INT(1, kept_count);
    drop();
    kit_verify(2);
}

/* Who is killed before the commit must find them again. */
static void what_is_not_committed_is_not_taken(void)
{
    fresh();
    make_keys(3);
    begin();
    changes_look(changes);
    changes_look(changes);
    EXPECT_INT(3, commit_waiting(commit));
    EXPECT_INT(3, not_taken());
    run_until(3);
    EXPECT_INT(0, not_taken());
    drop();
}

static void what_is_no_change_is_left_out_and_not_asked_for_again(void)
{
    fresh();
    begin();
    changes_tell(changes, 1, SLICE("[]"));
    changes_tell(changes, 2, SLICE("{\"id\":\"req_019a3e0c-5b1f-7c00-8000-000000000001\"}"));
    EXPECT_INT(2, kept_count);
    EXPECT_INT(0, commit_waiting(commit));
    drop();
}

/* A record with a prompt, on its way; the prompt's own subject. */
static void add_prompt(uint64_t n, const char *subject)
{
    uint8_t id[16];
    kit_id(id, n);
    commit_add(commit, &(struct commit_entry){.kind = CHAIN_EXCHANGE, .id = id, .body = SLICE("{\"outcome\":\"ok\"}"),
                                              .prompt = SLICE("what was said"), .subject = slice_str(subject)});
}

static enum texts_found read_prompt(uint64_t n)
{
    struct fault why = {0};
    struct buf out;
    uint8_t id[16];
    kit_id(id, n);
    buf_init(&out);
    enum texts_found found = texts_read(texts, ledger_connection(ledger), id, TEXTS_PROMPT, &out, &why);
    buf_clear(&out);
    return found;
}

static void an_erasure_is_of_all_that_was_queued_before_it(void)
{
    fresh();
    begin();
    add_prompt(1, "user:ana");
    add_prompt(2, "user:bob");
    changes_tell(changes, 5, ERASE);
    changes_tell(changes, 6, ONE);
    add_prompt(3, "user:ana");
    EXPECT_INT(0, kept_count);
    run_until(5);
    EXPECT_INT(2, kept_count);
    EXPECT(kept[0] == 6 && kept[1] == 5 && last.had_key && last.why == NULL);
    EXPECT_INT(TEXTS_ERASED, read_prompt(1));
    EXPECT_INT(TEXTS_FOUND, read_prompt(2));
    drop();
    begin(); /* told once more, for it was killed before it said so */
    changes_tell(changes, 5, ERASE);
    run_until(1);
    EXPECT_INT(1, kept_count);
    EXPECT(last.why == NULL);
    drop();
    kit_verify(5);
}

static void an_erasure_that_fails_says_why_and_is_no_entry(void)
{
    fresh();
    begin();
    run_sql_on("subjects.db", "ALTER TABLE subjects RENAME TO moved");
    changes_tell(changes, 5, ERASE);
    EXPECT_INT(1, kept_count);
    EXPECT(strstr(last_why, "nothing is erased: ") == last_why);
    changes_tell(changes, 6, ONE);
    run_until(1);
    EXPECT(kept_count == 2 && kept[1] == 6 && last.why == NULL);
    drop();
    kit_verify(1);
}

static void without_a_registry_none_is_made(void)
{
    char path[96];
    fresh();
    begin();
    changes_look(changes);
    kit_path(path, "registry.db");
    EXPECT(access(path, F_OK) != 0);
    drop();
}

static void all_of_the_registry_are_taken_a_slice_at_a_time(void)
{
    const unsigned count = LIMIT_LEDGER_SLICE + 10;
    fresh();
    make_keys(count);
    begin();
    changes_look(changes);
    EXPECT_INT(LIMIT_LEDGER_SLICE, commit_waiting(commit));
    run_until(count);
    EXPECT_INT(0, not_taken());
    changes_look(changes);
    EXPECT_INT(0, commit_waiting(commit));
    make_keys(1);
    changes_look(changes);
    run_until(count + 1);
    EXPECT_INT(0, not_taken());
    drop();
    kit_verify(count + 1);
}

/* Killed before the commit, and between the commit and the mark. */
static void one_that_was_killed_neither_loses_nor_doubles_any(void)
{
    fresh();
    make_keys(3);
    begin();
    changes_look(changes);
    EXPECT_INT(3, commit_waiting(commit));
    drop();
    EXPECT_INT(3, not_taken());
    begin();
    changes_look(changes);
    run_until(3);
    drop();
    EXPECT_INT(0, not_taken());
    run_sql("UPDATE event SET chained = 0");
    begin();
    changes_look(changes);
    run_until(3);
    drop();
    EXPECT_INT(0, not_taken());
    kit_verify(3);
}

static void on_quiet(void *arg)
{
    (void)arg;
    if (not_taken() == 0)
        loop_stop(loop);
    else
        loop_timer_arm_ms(&quiet, 20);
}

/* Whoever holds the registry delays the mark, nothing else. */
static void a_registry_that_is_held_is_tried_again(void)
{
    char path[96];
    sqlite3 *db;
    fresh();
    make_keys(2);
    kit_path(path, "registry.db");
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    begin();
    changes_look(changes);
    run_until(2);
    EXPECT_STR("2", kit_ask("SELECT count(*) FROM chain"));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL));
    sqlite3_close(db);
    stop_at = UINT64_MAX;
    loop_timer_init(&quiet, loop, on_quiet, NULL);
    loop_timer_arm_ms(&quiet, 20);
    loop_run(loop);
    loop_timer_disarm(&quiet);
    drop();
    kit_verify(2);
}

static void a_broken_one_does_not_hold_the_others_up(void)
{
    fresh();
    make_keys(2);
    run_sql("DROP TRIGGER event_stays; UPDATE event SET id = 'chg_none' WHERE rev = 1");
    begin();
    changes_look(changes);
    run_until(1);
    EXPECT_INT(0, not_taken());
    run_sql("UPDATE event SET id = 'chg_' || rev, chained = 0");
    changes_look(changes);
    EXPECT_INT(0, not_taken());
    drop();
    kit_verify(1);
}

int main(void)
{
    RUN(what_the_supervisor_tells_is_kept_once_it_is_committed);
    RUN(what_is_not_committed_is_not_taken);
    RUN(what_is_no_change_is_left_out_and_not_asked_for_again);
    RUN(an_erasure_is_of_all_that_was_queued_before_it);
    RUN(an_erasure_that_fails_says_why_and_is_no_entry);
    RUN(without_a_registry_none_is_made);
    RUN(all_of_the_registry_are_taken_a_slice_at_a_time);
    RUN(one_that_was_killed_neither_loses_nor_doubles_any);
    RUN(a_registry_that_is_held_is_tried_again);
    RUN(a_broken_one_does_not_hold_the_others_up);
    unlink_registry();
    kit_end();
    return unit_close("ledger/changes");
}
