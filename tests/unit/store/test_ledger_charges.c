/* What budgets are charged: read from records, summed in the batch's transaction, checked, kept and forgotten. */
#include "ledger_kit.h"

#include "base/clock.h"
#include "base/limits.h"
#include "store/counters/counters.h"
#include "store/ledger/charges.h"
#include "store/ledger/check.h"
#include "store/ledger/keep.h"
#include "store/ledger/read.h"

#define T0 1748952000 /* 2025-06-03T12:00:00Z */
#define MONTH "1748736000,1751328000,0"

static struct fault why;

/* A request of that time and cost. */
static int64_t took_s; /* each request that is put */

static enum ledger_put put(struct ledger *l, uint64_t n, int64_t time_s, int64_t nano, const char *holds)
{
    struct buf body;
    uint8_t id[16];
    char time[CLOCK_TEXT_BYTES], hex[33];
    kit_id(id, n);
    hex_write(id, 16, hex);
    clock_format((uint64_t)time_s * NS_PER_S, time);
    buf_init(&body);
    buf_printf(&body,
               "{\"id\":\"req_%.8s-%.4s-%.4s-%.4s-%s\",\"time\":\"%s\",\"outcome\":\"ok\",\"status\":200,\"ms\":{\"total\":%lld},"
               "\"cost\":{\"usd\":0,\"nano_usd\":%lld,\"price\":\"rev1\"},\"holds\":%s}",
               hex, hex + 8, hex + 12, hex + 16, hex + 20, time, (long long)took_s * 1000, (long long)nano, holds);
    enum ledger_put result =
        ledger_put(l, &(struct ledger_entry){.kind = CHAIN_EXCHANGE, .id = id, .body = buf_slice(&body)}, &why);
    buf_clear(&body);
    return result;
}

static void put_alone(struct ledger *l, uint64_t n, int64_t time_s, int64_t nano, const char *holds)
{
    kit_begin(l);
    EXPECT_INT(LEDGER_STORED, put(l, n, time_s, nano, holds));
    kit_commit(l);
}

#define CHARGED "SELECT coalesce(group_concat(key || ' ' || nano, ', '), '') FROM (SELECT * FROM charges ORDER BY 1, 2)"

static uint64_t differences(bool is_repair)
{
    struct ledger_check how = {.data_dir = kit_dir, .is_repair = is_repair};
    struct ledger_checked found;
    if (!ledger_check(&how, &found, &why)) UNIT_FAIL("check: %s", fault_message(&why));
    return found.differences;
}

/* --- what a record says --- */

static const struct ledger_held *read_held(const char *holds)
{
    static struct ledger_reader reader;
    static struct ledger_record record;
    static struct buf body;
    static bool is_ready;
    if (!is_ready) ledger_reader_init(&reader), buf_init(&body), is_ready = true;
    buf_reset(&body);
    buf_printf(&body, "{\"time\":\"" KIT_TIME "\",\"holds\":%s}", holds);
    ledger_record_read(&reader, &record, CHAIN_EXCHANGE, buf_slice(&body), NULL);
    return &record.held;
}

static void holds_are_read(void)
{
    const struct ledger_held *held = read_held("[{\"id\":\"req_1\",\"money\":[[\"app=a\",10,20,0],[\"s\",0,0,60]]},"
                                               "{\"id\":\"req_1/2\",\"money\":[[\"app=a\",10,20,0],[\"app=a\",20,30,0]]}]");
    EXPECT_INT(2, held->hold_count);
    EXPECT_SLICE(SLICE("req_1/2"), held->holds[1]);
    EXPECT_INT(3, held->charge_count); /* what is there twice counts once */
    EXPECT_SLICE(SLICE("app=a"), held->charges[0].key);
    EXPECT_INT(20, held->charges[0].stop_s);
    EXPECT_INT(60, held->charges[1].idle_s);
    EXPECT_INT(20, held->charges[2].start_s);
}

static void what_is_no_hold_is_left_out(void)
{
    static const char *const bad[] = {
        "null", "17", "\"x\"", "{}", "[]", "[null,1,\"x\",[]]", "[{}]", "[{\"id\":7}]", "[{\"money\":7}]",
        "[{\"money\":[7,null,\"x\",{},[]]}]", "[{\"money\":[[7,1,2,3]]}]", "[{\"money\":[[null]]}]",
        "[{\"money\":[[\"\",1,2,3]]}]", "[{\"id\":null,\"money\":{\"a\":[\"k\",1,2,3]}}]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct ledger_held *held = read_held(bad[i]);
        if (held->hold_count || held->charge_count) UNIT_FAIL("%s is read as something", bad[i]);
    }
    const struct ledger_held *held = read_held(
        "[{\"money\":[[\"a\"],[\"b\",\"x\",-5,1e99],[\"c\",1.5,99999999999999999999,99999999999,7,8]]}]");
    EXPECT_INT(3, held->charge_count);
    for (size_t i = 0; i < held->charge_count; i++) {
        const struct ledger_charge *c = &held->charges[i];
        EXPECT(c->start_s >= 0 && c->stop_s >= 0 && c->idle_s >= 0 && c->idle_s <= UINT32_MAX);
    }
}

static void no_more_is_read_than_there_is_place_for(void)
{
    struct buf text;
    buf_init(&text);
    buf_append_char(&text, '[');
    for (int i = 0; i < 300; i++)
        buf_printf(&text, "%s{\"id\":\"req_%d\",\"money\":[[\"k%d\",1,2,0],[\"l%d\",1,2,0]]}", i ? "," : "", i, i, i);
    buf_append(&text, SLICE("]\0"));
    const struct ledger_held *held = read_held(buf_ptr(&text));
    EXPECT_INT(LIMIT_LEDGER_HOLDS, held->hold_count);
    EXPECT_INT(LIMIT_COUNTERS_ITEMS, held->charge_count);
    buf_clear(&text);
}

/* --- sums --- */

#define APP "[{\"id\":\"req_x\",\"money\":[[\"app=a\"," MONTH "]]}]"
#define BOTH "[{\"id\":\"req_x\",\"money\":[[\"app=a\"," MONTH "],[\"user=u\"," MONTH "]]},"                                  \
             "{\"id\":\"req_x/2\",\"money\":[[\"app=a\"," MONTH "]]}]"
#define SESSION "[{\"id\":\"req_x\",\"money\":[[\"session=s\",0,0,60]]}]"

static void a_record_is_charged_to_each_of_its_budgets_once(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    size_t count;
    kit_begin(l);
    put(l, 1, T0, 100, BOTH);
    put(l, 2, T0, 10, APP);
    kit_commit(l);
    EXPECT_STR("app=a 110, user=u 100", kit_ask(CHARGED));
    ledger_charges_holds(ledger_last_charges(l), &count);
    EXPECT_INT(3, count);
    const struct counters_spent *sums = ledger_charges_sums(ledger_last_charges(l), &count);
    EXPECT_INT(2, count);
    EXPECT_INT(110, sums[0].nano);
    kit_begin(l); /* known already */
    EXPECT_INT(LEDGER_KNOWN, put(l, 1, T0, 100, BOTH));
    kit_commit(l);
    EXPECT_STR("app=a 110, user=u 100", kit_ask(CHARGED));
    ledger_close(l);
}

static void add_nano(void *arg, const struct counters_spent *spent)
{
    *(int64_t *)arg += spent->nano;
}

static int64_t charge(const char *key, int64_t start_s, int64_t now_s)
{
    int64_t nano = 0;
    struct ledger_read *l = ledger_read_open(kit_dir, &why);
    if (!l || !ledger_read_charge(l, slice_str(key), start_s, now_s, add_nano, &nano, &why))
        UNIT_FAIL("%s", fault_message(&why));
    ledger_read_close(l);
    return nano;
}

static void one_sum_is_looked_up(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    put_alone(l, 1, T0, 100, BOTH);
    put_alone(l, 2, T0, 10, APP);
    put_alone(l, 3, T0, 7, SESSION);
    EXPECT_INT(110, charge("app=a", 1748736000, T0));
    EXPECT_INT(0, charge("app=a", 1748736001, T0));
    EXPECT_INT(0, charge("app=", 1748736000, T0));
    EXPECT_INT(0, charge("app=a", 1748736000, 1751328000)); /* it is over */
    EXPECT_INT(7, charge("session=s", 0, T0 + 59));
    EXPECT_INT(0, charge("session=s", 0, T0 + 60));
    ledger_close(l);
}

static void a_batch_that_is_given_up_charges_nothing(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    size_t count;
    put_alone(l, 1, T0, 100, APP);
    kit_begin(l);
    put(l, 2, T0, 900, BOTH);
    put(l, 3, T0, 900, SESSION);
    put(l, 4, T0 + 1000, 900, SESSION); /* a session that is written before the batch ends */
    ledger_rollback(l);
    ledger_charges_sums(ledger_last_charges(l), &count);
    EXPECT_INT(0, count);
    EXPECT_STR("app=a 100", kit_ask(CHARGED));
    put_alone(l, 2, T0, 5, BOTH);
    EXPECT_STR("app=a 105, user=u 5", kit_ask(CHARGED));
    ledger_close(l);
}

static void sums_have_an_end(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    for (uint64_t n = 1; n <= 5; n++)
        put_alone(l, n, T0, COUNTERS_AMOUNT_MAX - 10, APP);
    EXPECT_STR("app=a 4611686018427387903", kit_ask(CHARGED));
    ledger_close(l);
    EXPECT_INT(0, differences(false));
}

static void a_session_begins_anew_after_its_silence(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    put_alone(l, 1, T0, 1, SESSION);
    put_alone(l, 2, T0 + 60, 2, SESSION);
    EXPECT_STR("session=s 3", kit_ask(CHARGED));
    put_alone(l, 3, T0 + 121, 4, SESSION);
    EXPECT_STR("session=s 4", kit_ask(CHARGED));
    kit_begin(l); /* the first of them goes on, the last does not */
    put(l, 4, T0 + 181, 8, SESSION);
    put(l, 5, T0 + 300, 16, SESSION);
    put(l, 6, T0 + 301, 32, SESSION);
    kit_commit(l);
    EXPECT_STR("session=s 48", kit_ask(CHARGED));
    put_alone(l, 7, T0 + 250, 64, SESSION); /* it ended later than it came */
    EXPECT_STR("session=s 112", kit_ask(CHARGED));
    ledger_close(l);
    EXPECT_INT(0, differences(false));
}

/* An answer takes longer than a session may be silent. */
static void a_session_is_not_silent_while_it_is_answered(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    size_t count;
    took_s = 300;
    put_alone(l, 1, T0, 1, SESSION);
    EXPECT_INT(T0 + 300, ledger_charges_sums(ledger_last_charges(l), &count)->last_s);
    put_alone(l, 2, T0 + 360, 2, SESSION);
    put_alone(l, 3, T0 + 370, 4, SESSION);
    EXPECT_STR("session=s 7", kit_ask(CHARGED));
    EXPECT_INT(T0, ledger_charges_sums(ledger_last_charges(l), &count)->begun_s);
    put_alone(l, 4, T0 + 731, 8, SESSION);
    EXPECT_STR("session=s 8", kit_ask(CHARGED));
    put_alone(l, 5, T0, 1, APP);
    EXPECT_INT(T0, ledger_charges_sums(ledger_last_charges(l), &count)->last_s);
    took_s = 0;
    ledger_close(l);
    EXPECT_INT(0, differences(false));
}

/* When it began is what counters know it by. */
static void a_session_says_when_it_began(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    size_t count;
    put_alone(l, 1, T0, 1, SESSION);
    put_alone(l, 2, T0 + 60, 2, SESSION);
    EXPECT_INT(T0, ledger_charges_sums(ledger_last_charges(l), &count)->begun_s);
    kit_begin(l);
    put(l, 3, T0 + 200, 4, SESSION);
    put(l, 4, T0 + 210, 4, SESSION);
    kit_commit(l);
    EXPECT_INT(T0 + 200, ledger_charges_sums(ledger_last_charges(l), &count)->begun_s);
    put_alone(l, 5, T0, 1, APP);
    EXPECT_INT(0, ledger_charges_sums(ledger_last_charges(l), &count)->begun_s);
    ledger_close(l);
    EXPECT_INT(0, differences(false));
}

/* A file of before this was noted. */
static void a_session_of_an_older_file_goes_on(void)
{
    char path[96];
    kit_fresh();
    struct ledger *l = kit_open();
    size_t count;
    put_alone(l, 1, T0, 1, SESSION);
    ledger_close(l);
    kit_path(path, "ledger.db");
    kit_damage(path, "DROP TABLE objects; DROP TRIGGER charges_anew; DROP INDEX alerts_seq; ALTER TABLE alerts DROP COLUMN whose;"
                     "ALTER TABLE charges DROP COLUMN begun_s; ALTER TABLE charges_cut DROP COLUMN begun_s;"
                     "CREATE TRIGGER charges_anew AFTER UPDATE ON charges WHEN new.last_s - old.last_s > old.idle_s"
                     "  BEGIN DELETE FROM alerts WHERE key = new.key; END;"
                     "PRAGMA user_version = 2");
    l = kit_open();
    put_alone(l, 2, T0 + 60, 2, SESSION);
    EXPECT_STR("session=s 3", kit_ask(CHARGED));
    EXPECT_INT(0, ledger_charges_sums(ledger_last_charges(l), &count)->begun_s);
    EXPECT_INT(0, differences(false));
    put_alone(l, 3, T0 + 200, 4, SESSION);
    EXPECT_INT(T0 + 200, ledger_charges_sums(ledger_last_charges(l), &count)->begun_s);
    ledger_close(l);
    EXPECT_INT(0, differences(false));
}

static unsigned seed;

static unsigned below(unsigned end)
{
    seed = (unsigned)((uint64_t)seed * 48271 % 2147483647);
    return seed % end;
}

/* The same records, in batches of so many. */
static void put_random(char *to, size_t size, unsigned from_seed, unsigned batch)
{
    static const char *const holds[] = {APP, BOTH, SESSION, "[{\"id\":\"r\",\"money\":[[\"session=t\",0,0,10]]}]", "[]"};
    int64_t time_s = T0;
    kit_fresh();
    struct ledger *l = kit_open();
    seed = from_seed;
    for (uint64_t n = 1; n <= 200; n++) {
        if (n % batch == 1 || batch == 1) kit_begin(l);
        time_s += below(40) - 10;
        int64_t nano = below(1000);
        EXPECT_INT(LEDGER_STORED, put(l, n, time_s, nano, holds[below(5)]));
        if (n % batch == 0 || n == 200) kit_commit(l);
    }
    snprintf(to, size, "%s", kit_ask("SELECT group_concat(key || nano || ' ' || begun_s || ' ' || last_s || ' ' || idle_s)"
                                     " FROM (SELECT * FROM charges ORDER BY 1, 2)"));
    ledger_close(l);
}

static void a_batch_comes_to_the_same_as_its_records_one_by_one(void)
{
    char alone[500], together[500];
    for (unsigned s = 1; s <= 5; s++) {
        put_random(alone, sizeof alone, s, 1);
        put_random(together, sizeof together, s, 1 + s * s * 7);
        EXPECT_STR(alone, together);
        EXPECT_INT(0, differences(false));
    }
}

/* --- checked, kept, forgotten --- */

static void what_is_wrong_is_found_and_repaired(void)
{
    char path[96];
    kit_fresh();
    struct ledger *l = kit_open();
    put_alone(l, 1, T0, 100, BOTH);
    put_alone(l, 2, T0, 7, SESSION);
    ledger_close(l);
    kit_path(path, "ledger.db");
    EXPECT_INT(0, differences(false));
    kit_damage(path, "UPDATE charges SET nano = nano + 1 WHERE key = 'app=a'");
    kit_damage(path, "DELETE FROM charges WHERE key = 'user=u'");
    kit_damage(path, "INSERT INTO charges VALUES('app=z', 0, 1751328000, 0, 5, 6, 0)");
    EXPECT_INT(3, differences(false));
    EXPECT_INT(3, differences(true));
    EXPECT_INT(0, differences(false));
    EXPECT_STR("app=a 100, session=s 7, user=u 100", kit_ask(CHARGED));
}

static void anchor_at(struct ledger *l, int64_t seq, int64_t time_s)
{
    char sql[120];
    snprintf(sql, sizeof sql, "INSERT INTO anchors VALUES(%lld, %lld, x'00', x'00')", (long long)seq,
             (long long)time_s * 1000000);
    EXPECT(sqlite3_exec(ledger_connection(l), sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void tend(struct ledger *l, int64_t now_s, int64_t retain_s)
{
    struct ledger_upkeep how = {.now_us = (uint64_t)now_s * 1000000, .retain_us = (uint64_t)retain_s * 1000000};
    enum ledger_tended tended;
    for (int i = 0; i < 50 && (tended = ledger_tend(l, &how, &why)) != LEDGER_TENDED; i++)
        EXPECT(tended == LEDGER_MORE);
}

static void what_is_cut_stays_charged(void)
{
    char path[96];
    kit_fresh();
    struct ledger *l = kit_open();
    for (uint64_t n = 1; n <= 20; n++)
        put_alone(l, n, T0 + (int64_t)n, 10, n % 3 ? BOTH : SESSION);
    anchor_at(l, 16, T0 + 20);
    tend(l, T0 + 2 * 86400, 86400);
    EXPECT_STR("16", kit_ask("SELECT min(seq) FROM chain"));
    EXPECT_STR("app=a 140, session=s 60, user=u 140", kit_ask(CHARGED));
    put_alone(l, 21, T0 + 40, 10, SESSION);
    EXPECT_STR("app=a 140, session=s 70, user=u 140", kit_ask(CHARGED));
    ledger_close(l);
    EXPECT_INT(0, differences(false));
    kit_path(path, "ledger.db");
    kit_damage(path, "UPDATE charges SET nano = 1");
    EXPECT(differences(true) > 0);
    EXPECT_STR("app=a 140, session=s 70, user=u 140", kit_ask(CHARGED));
}

static void what_nobody_asks_for_is_forgotten(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    put_alone(l, 1, T0, 100, BOTH);
    put_alone(l, 2, T0, 100, SESSION);
    tend(l, T0 + 300 * 86400, 0); /* the clock stands wrong: no request is of that time */
    EXPECT_STR("app=a 100, session=s 100, user=u 100", kit_ask(CHARGED));
    put_alone(l, 3, T0 + 41 * 86400, 1, "[]");
    tend(l, T0 + 301 * 86400, 0);
    EXPECT_STR("app=a 100, user=u 100", kit_ask(CHARGED)); /* whose month ended later */
    EXPECT_INT(0, differences(false));
    put_alone(l, 4, T0 + 90 * 86400, 1, "[]");
    tend(l, T0 + 302 * 86400, 0);
    EXPECT_STR("", kit_ask(CHARGED));
    ledger_close(l);
    EXPECT_INT(0, differences(false));
    EXPECT_INT(0, differences(true));
}

int main(void)
{
    RUN(holds_are_read);
    RUN(what_is_no_hold_is_left_out);
    RUN(no_more_is_read_than_there_is_place_for);
    RUN(a_record_is_charged_to_each_of_its_budgets_once);
    RUN(one_sum_is_looked_up);
    RUN(a_batch_that_is_given_up_charges_nothing);
    RUN(sums_have_an_end);
    RUN(a_session_begins_anew_after_its_silence);
    RUN(a_session_is_not_silent_while_it_is_answered);
    RUN(a_session_says_when_it_began);
    RUN(a_session_of_an_older_file_goes_on);
    RUN(a_batch_comes_to_the_same_as_its_records_one_by_one);
    RUN(what_is_wrong_is_found_and_repaired);
    RUN(what_is_cut_stays_charged);
    RUN(what_nobody_asks_for_is_forgotten);
    kit_end();
    return unit_close("ledger_charges");
}
