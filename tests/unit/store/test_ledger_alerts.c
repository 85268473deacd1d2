/* Notices of budgets: each threshold of a budget once in its period, whoever brings it, in one transaction with what is
 * still to be sent of it. */
#include "ledger_kit.h"

#include "base/clock.h"
#include "base/limits.h"
#include "store/ledger/alerts.h"
#include "store/ledger/check.h"
#include "store/ledger/outbox.h"

static struct ledger *ledger;

#define SALES "budget/sales"

/* As flow/notices.h writes it; each has an id and a request of its own, as those of several workers might. */
static enum ledger_put put(const char *budget, const char *key, long long period, unsigned at)
{
    static unsigned count;
    struct buf body;
    buf_init(&body);
    buf_printf(&body,
               "{\"id\":\"alert_%u\",\"time\":\"" KIT_TIME "\",\"key\":\"%s\",\"period\":%lld,\"at\":%u,"
               "\"to\":[\"slack:#ai-spend\",\"owner\"],\"text\":\"much is used\",\"rule\":\"%s@%u%%\"}",
               ++count, key, period, at, budget, at / 100);
    enum ledger_put done = kit_put_text(ledger, CHAIN_ALERT, NULL, buf_slice(&body));
    buf_clear(&body);
    return done;
}

static enum ledger_put commit(const char *budget, const char *key, long long period, unsigned at)
{
    kit_begin(ledger);
    enum ledger_put done = put(budget, key, period, at);
    kit_commit(ledger);
    return done;
}

static const char *alerts(void)
{
    return kit_ask("SELECT count(*) FROM chain WHERE kind = 8");
}

static void open_ledger(void)
{
    ledger = kit_open();
}

static void close_ledger(void)
{
    ledger_close(ledger);
}

static void fifty_tell_it_and_it_is_there_once(void)
{
    kit_fresh();
    open_ledger();
    unsigned stored = 0;
    for (int i = 0; i < 25; i++)
        stored += commit(SALES, "department=sales", 1000, 8000) == LEDGER_STORED;
    close_ledger();
    open_ledger();
    kit_begin(ledger);
    for (int i = 0; i < 25; i++)
        stored += put(SALES, "department=sales", 1000, 8000) == LEDGER_STORED;
    kit_commit(ledger);
    EXPECT_INT(1, stored);
    EXPECT_STR("1", alerts());
    EXPECT_STR("slack|slack:#ai-spend", kit_ask("SELECT sink, receiver FROM outbox ORDER BY id"));
    EXPECT_STR("2", kit_ask("SELECT count(*) FROM outbox"));
    close_ledger();
    kit_verify(1);
}

static void what_lies_below_counts_as_told(void)
{
    kit_fresh();
    open_ledger();
    EXPECT_INT(LEDGER_STORED, commit(SALES, "department=sales", 1000, 8000));
    EXPECT_INT(LEDGER_STORED, commit(SALES, "department=sales", 1000, 10000));
    EXPECT_INT(LEDGER_KNOWN, commit(SALES, "department=sales", 1000, 9000));
    EXPECT_INT(LEDGER_KNOWN, commit(SALES, "department=sales", 1000, 10000));
    EXPECT_STR("10000|2", kit_ask("SELECT at, seq FROM alerts"));
    close_ledger();
}

/* A month and its first day begin at the same time, and may be of the same department. */
static void another_budget_key_or_period_is_another(void)
{
    kit_fresh();
    open_ledger();
    EXPECT_INT(LEDGER_STORED, commit(SALES, "department=sales", 1000, 8000));
    EXPECT_INT(LEDGER_STORED, commit("budget/sales-a-day", "department=sales", 1000, 8000));
    EXPECT_INT(LEDGER_STORED, commit(SALES, "department=support", 1000, 8000));
    EXPECT_INT(LEDGER_STORED, commit(SALES, "department=sales", 2000, 8000));
    EXPECT_STR("4", alerts());
    close_ledger();
}

static void what_is_rolled_back_was_not_told(void)
{
    kit_fresh();
    open_ledger();
    kit_begin(ledger);
    EXPECT_INT(LEDGER_STORED, put(SALES, "department=sales", 1000, 8000));
    ledger_rollback(ledger);
    EXPECT_STR("0", kit_ask("SELECT count(*) FROM outbox"));
    EXPECT_INT(LEDGER_STORED, commit(SALES, "department=sales", 1000, 8000));
    EXPECT(ledger_has_posted(ledger));
    EXPECT_STR("2", kit_ask("SELECT count(*) FROM outbox"));
    kit_begin(ledger);
    kit_commit(ledger);
    EXPECT(!ledger_has_posted(ledger));
    close_ledger();
}

static void run(const char *sql)
{
    EXPECT_INT(SQLITE_OK, sqlite3_exec(ledger_connection(ledger), sql, NULL, NULL, NULL));
}

static void a_session_that_begins_anew_is_told_of_anew(void)
{
    kit_fresh();
    open_ledger();
    run("INSERT INTO charges VALUES('session=1', 0, 0, 600, 5, 1000, 900)");
    EXPECT_INT(LEDGER_STORED, commit(SALES, "session=1", 0, 8000));
    run("UPDATE charges SET nano = 9, last_s = 9000"); /* an answer that took long */
    EXPECT_INT(LEDGER_KNOWN, commit(SALES, "session=1", 0, 8000));
    run("UPDATE charges SET nano = 2, last_s = 9800, begun_s = 9800");
    EXPECT_INT(LEDGER_STORED, commit(SALES, "session=1", 0, 8000));
    close_ledger();
}

static void put_session(uint64_t n, long long time_s)
{
    struct buf body;
    char time[CLOCK_TEXT_BYTES];
    uint8_t id[16];
    kit_id(id, n);
    clock_format((uint64_t)time_s * NS_PER_S, time);
    buf_init(&body);
    buf_printf(&body,
               "{\"id\":\"req_%llu\",\"time\":\"%s\",\"outcome\":\"ok\",\"cost\":{\"usd\":0,\"nano_usd\":1},"
               "\"holds\":[{\"id\":\"h\",\"money\":[[\"session=1\",0,0,600]]}]}",
               (unsigned long long)n, time);
    EXPECT_INT(LEDGER_STORED, kit_put_text(ledger, CHAIN_EXCHANGE, id, buf_slice(&body)));
    buf_clear(&body);
}

/* Answers that took long end together: their batch is longer than the session's silence, and none is in it. */
static void a_session_of_one_batch_goes_on(void)
{
    kit_fresh();
    open_ledger();
    kit_begin(ledger);
    put_session(1, 1000);
    kit_commit(ledger);
    EXPECT_INT(LEDGER_STORED, commit(SALES, "session=1", 0, 8000));
    kit_begin(ledger);
    put_session(2, 1500);
    put_session(3, 2000);
    kit_commit(ledger);
    EXPECT_STR("3|2000", kit_ask("SELECT nano, last_s FROM charges"));
    EXPECT_INT(LEDGER_KNOWN, commit(SALES, "session=1", 0, 8000));
    kit_begin(ledger);
    put_session(4, 2700);
    kit_commit(ledger);
    EXPECT_INT(LEDGER_STORED, commit(SALES, "session=1", 0, 8000));
    close_ledger();
}

/* --- checked --- */

static char said[512];

static void on_difference(void *arg, const char *text)
{
    (void)arg;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s; ", text);
}

static const char *check_it(bool is_repair)
{
    struct fault why;
    struct ledger_check how = {.data_dir = kit_dir, .is_repair = is_repair, .on_difference = on_difference};
    struct ledger_checked found;
    said[0] = '\0';
    if (!ledger_check(&how, &found, &why)) UNIT_FAIL("check: %s", fault_message(&why));
    return said;
}

static void what_was_told_is_checked_and_repaired(void)
{
    char path[96];
    long long month = (long long)(clock_wall_ns() / NS_PER_S) - 86400;
    kit_fresh();
    open_ledger();
    commit(SALES, "department=sales", month, 8000);
    commit(SALES, "department=sales", month, 9500);
    commit(SALES, "department=hr", month, 8000);
    commit(SALES, "department=hr", month - 401 * 86400, 8000); /* told of no more */
    commit(SALES, "session=1", 0, 8000);
    close_ledger();
    kit_path(path, "ledger.db");
    EXPECT_STR("", check_it(false));
    kit_damage(path, "DELETE FROM alerts WHERE start_s = 0 OR start_s < unixepoch() - 300 * 86400");
    EXPECT_STR("", check_it(false));
    kit_damage(path, "DELETE FROM alerts WHERE key = 'department=sales'");
    kit_damage(path, "INSERT INTO alerts VALUES('department=it', 1000, 'budget/it', 8000, 3, 1000, 0)");
    kit_damage(path, "INSERT INTO outbox VALUES(NULL, 77, 'slack', 'slack:#x', 0, 0, 0)");
    kit_damage(path, "UPDATE alerts SET at = 10000 WHERE key = 'department=hr'");
    EXPECT_STR("alerts: a row without an entry: 3; alerts: a row without an entry: 3; alerts: an entry without a row: 1; "
               "alerts: an entry without a row: 2; outbox: a row without an entry: 77; ", check_it(false));
    check_it(true);
    EXPECT_STR("", check_it(false));
    EXPECT_STR("department=hr 8000 3, department=sales 9500 2",
               kit_ask("SELECT group_concat(key || ' ' || at || ' ' || seq, ', ') FROM"
                       " (SELECT * FROM alerts ORDER BY key)"));
    open_ledger();
    EXPECT_INT(LEDGER_KNOWN, commit(SALES, "department=sales", month, 8000));
    EXPECT_INT(LEDGER_STORED, commit(SALES, "department=hr", month, 9500));
    close_ledger();
}

static void what_was_told_is_forgotten_when_no_period_lasts_so_long(void)
{
    kit_fresh();
    open_ledger();
    commit(SALES, "department=sales", 1000, 8000);
    run("UPDATE alerts SET time_s = unixepoch() - 401 * 86400");
    run("INSERT INTO alerts VALUES('department=support', 1000, 'budget/x', 8000, 1, unixepoch() - 399 * 86400, 0)");
    commit(SALES, "department=hr", 1000, 8000);
    EXPECT_STR("0", kit_ask("SELECT count(*) FROM alerts WHERE key = 'department=sales'"));
    EXPECT_STR("1", kit_ask("SELECT count(*) FROM alerts WHERE key = 'department=support'"));
    close_ledger();
}

static void what_is_no_notice_stands_in_the_chain_and_goes_to_nobody(void)
{
    kit_fresh();
    open_ledger();
    kit_begin(ledger);
    EXPECT_INT(LEDGER_STORED, kit_put_text(ledger, CHAIN_ALERT, NULL, SLICE("{\"to\":[\"x\"]}")));
    EXPECT_INT(LEDGER_STORED, kit_put_text(ledger, CHAIN_ALERT, NULL, SLICE("none")));
    kit_commit(ledger);
    EXPECT_STR("2", alerts());
    EXPECT_STR("0", kit_ask("SELECT count(*) FROM outbox"));
    close_ledger();
}

static void the_outbox_gives_what_is_due(void)
{
    struct outbox_item item;
    struct fault why;
    int64_t count;
    kit_fresh();
    open_ledger();
    commit(SALES, "department=sales", 1000, 8000);
    sqlite3 *db = ledger_connection(ledger);
    outbox_item_init(&item);
    EXPECT(!outbox_next(db, SLICE("pager"), 5000, &item, &why) && why.code == FAULT_NONE);
    EXPECT(outbox_next(db, SLICE("slack"), 5000, &item, &why));
    EXPECT(slice_equal(buf_slice(&item.receiver), SLICE("slack:#ai-spend")) && item.seq == 1 && item.tries == 0);
    EXPECT(slice_starts(buf_slice(&item.body), SLICE("{\"id\":\"alert_")));
    EXPECT(outbox_postpone(db, item.id, 9000, &why));
    EXPECT(!outbox_next(db, SLICE("slack"), 8999, &item, &why));
    EXPECT(outbox_next(db, SLICE("slack"), 9000, &item, &why) && item.tries == 1);
    /* A clock that was put back. */
    EXPECT(outbox_postpone(db, item.id, 9000 + 3600 * INT64_C(1000000), &why));
    EXPECT(outbox_next(db, SLICE("slack"), 9000, &item, &why));
    EXPECT(!outbox_oldest(db, 5000, &item, &why) && why.code == FAULT_NONE);
    run("UPDATE outbox SET since_us = 4999 WHERE sink = 'owner'"); /* not before those that came before it */
    EXPECT(!outbox_oldest(db, 5000, &item, &why) && why.code == FAULT_NONE);
    run("UPDATE outbox SET since_us = 4999");
    EXPECT(outbox_oldest(db, 5000, &item, &why));
    EXPECT(slice_equal(buf_slice(&item.receiver), SLICE("slack:#ai-spend")));
    /* Its entry was deleted for its age. */
    run("DELETE FROM chain");
    EXPECT(outbox_next(db, SLICE("slack"), 9000, &item, &why) && buf_len(&item.body) == 0);
    EXPECT(outbox_drop(db, item.id, &why) && outbox_count(db, &count, &why) && count == 1);
    EXPECT(outbox_drop_all(db, SLICE("owner"), &why) && outbox_count(db, &count, &why) && count == 0);
    outbox_item_clear(&item);
    close_ledger();
}

int main(void)
{
    RUN(fifty_tell_it_and_it_is_there_once);
    RUN(what_lies_below_counts_as_told);
    RUN(another_budget_key_or_period_is_another);
    RUN(what_is_rolled_back_was_not_told);
    RUN(a_session_that_begins_anew_is_told_of_anew);
    RUN(what_was_told_is_forgotten_when_no_period_lasts_so_long);
    RUN(what_is_no_notice_stands_in_the_chain_and_goes_to_nobody);
    RUN(a_session_of_one_batch_goes_on);
    RUN(what_was_told_is_checked_and_repaired);
    RUN(the_outbox_gives_what_is_due);
    kit_end();
    return unit_close("ledger_alerts");
}
