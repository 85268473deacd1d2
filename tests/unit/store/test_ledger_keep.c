/* The ledger while it lives: its log, what grows too old, free pages, and what is made from its chain. */
#include "ledger_kit.h"

#include "base/limits.h"
#include "store/ledger/check.h"
#include "store/ledger/keep.h"
#include "store/ledger/pace.h"

#define NOW 1800000000000000ull /* microseconds */
#define DAY 86400000000ull

static long long number(struct ledger *l, const char *sql)
{
    sqlite3_stmt *q = NULL;
    EXPECT(sqlite3_prepare_v2(ledger_connection(l), sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW);
    long long value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return value;
}

/* A piece is a small one, and entries are synced behind it. */
static enum ledger_tended tend_once(struct ledger *l, const struct ledger_upkeep *how, struct fault *why)
{
    static const char *const counts[] = {"SELECT count(*) FROM chain", "SELECT count(*) FROM texts",
                                         "PRAGMA page_count"};
    static const long long most[] = {LIMIT_LEDGER_CUT, LIMIT_LEDGER_CUT, LIMIT_LEDGER_GIVE_PAGES + 1};
    long long before[3];
    for (int i = 0; i < 3; i++)
        before[i] = number(l, counts[i]);
    enum ledger_tended done = ledger_tend(l, how, why);
    for (int i = 0; i < 3; i++) {
        long long gone = before[i] - number(l, counts[i]);
        if (gone > most[i]) UNIT_FAIL("%s: %lld fewer in one step", counts[i], gone);
    }
    EXPECT_INT(2, number(l, "PRAGMA synchronous")); /* FULL */
    return done;
}

/* Until nothing is left to do; how many calls that took. */
static int tend(struct ledger *l, struct ledger_upkeep how)
{
    struct fault why = {0};
    int calls = 1;
    if (!how.now_us) how.now_us = NOW;
    enum ledger_tended done;
    while ((done = tend_once(l, &how, &why)) == LEDGER_MORE)
        calls++;
    if (done != LEDGER_TENDED) UNIT_FAIL("tend: %s", why.text);
    return calls;
}

static void run_sql(struct ledger *l, const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(ledger_connection(l), sql, NULL, NULL, &error) != SQLITE_OK) UNIT_FAIL("%s: %s", sql, error);
    sqlite3_free(error);
}

static void put_anchor(struct ledger *l, uint64_t seq, uint64_t time_us)
{
    char sql[160];
    snprintf(sql, sizeof sql, "INSERT INTO anchors VALUES(%llu, %llu, x'00', x'00')", (unsigned long long)seq,
             (unsigned long long)time_us);
    run_sql(l, sql);
}

/* ---- The log. */

static void the_log_stays_small(void)
{
    long long most = 0;
    kit_fresh();
    struct ledger *l = kit_open();
    for (uint64_t n = 0; n < 60; n++) {
        kit_put_many(l, n * 200, 200, 200);
        tend(l, (struct ledger_upkeep){.now_us = NOW});
        if (kit_bytes("ledger.db-wal") > most) most = kit_bytes("ledger.db-wal");
    }
    EXPECT(most > 1000000 && most < 12000000);
    EXPECT(kit_bytes("ledger.db") > 4000000); /* the rest has gone into the file */
    tend(l, (struct ledger_upkeep){.is_idle = true});
    EXPECT_INT(0, kit_bytes("ledger.db-wal"));
    ledger_close(l);
    kit_verify(12000);
}

static void nor_does_it_grow_where_nobody_tends_it(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    kit_put_many(l, 0, 30000, 500);
    EXPECT(kit_bytes("ledger.db-wal") < 24000000);
    EXPECT(kit_bytes("ledger.db") > 10000000);
    ledger_close(l);
    kit_verify(30000);
}

static void a_reader_is_not_waited_for(void)
{
    char path[96];
    sqlite3 *reader;
    kit_fresh();
    struct ledger *l = kit_open();
    kit_put_many(l, 0, 10, 10);
    kit_path(path, "ledger.db");
    EXPECT(sqlite3_open(path, &reader) == SQLITE_OK);
    sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM chain", NULL, NULL, NULL);
    kit_put_many(l, 10, 10, 10);
    EXPECT_INT(1, tend(l, (struct ledger_upkeep){.is_idle = true}));
    EXPECT(kit_bytes("ledger.db-wal") > 0);
    sqlite3_close(reader);
    tend(l, (struct ledger_upkeep){.is_idle = true});
    EXPECT_INT(0, kit_bytes("ledger.db-wal"));
    ledger_close(l);
}

/* ---- Age. */

static void what_is_too_old_goes_up_to_an_anchor(void)
{
    uint8_t id[16], worker[16] = {1};
    struct fault why;
    kit_fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    for (uint64_t n = 2001; n <= 2003; n++) {
        char body[80];
        snprintf(body, sizeof body, "{\"id\":\"req_01935c10-0000-7000-8000-%012llx\"}", (unsigned long long)n);
        kit_id(id, n);
        ledger_put(l, &(struct ledger_entry){CHAIN_INTENT, id, worker, slice_str(body)}, &why);
    }
    kit_commit(l);
    kit_put_many(l, 0, 1000, 100);
    put_anchor(l, 300, NOW - 20 * DAY);
    put_anchor(l, 600, NOW - 11 * DAY);
    put_anchor(l, 900, NOW - 9 * DAY);
    char *before = strdup(kit_ask("SELECT sum(requests), sum(cost_nano), sum(input_tokens) FROM rollup"));
    EXPECT_INT(1, tend(l, (struct ledger_upkeep){0})); /* for ever */
    struct ledger_upkeep how = {.now_us = NOW + 2000000, .retain_us = 10 * DAY};
    EXPECT(tend(l, how) > 2); /* piece by piece */
    EXPECT_STR("600|1005", kit_ask("SELECT min(seq), max(seq) FROM chain")); /* the last two say what was deleted */
    EXPECT_STR("300,600", kit_ask("SELECT group_concat(json_extract(body, '$.before')) FROM chain WHERE kind = 4"));
    EXPECT_STR("600|404", kit_ask("SELECT min(seq), count(*) FROM records"));
    EXPECT_STR("600,900", kit_ask("SELECT group_concat(seq) FROM anchors"));
    EXPECT_STR("0", kit_ask("SELECT count(*) FROM intents"));
    EXPECT_STR(before, kit_ask("SELECT sum(requests), sum(cost_nano), sum(input_tokens) FROM rollup"));
    EXPECT_STR("596", kit_ask("SELECT sum(requests) FROM rollup_cut"));
    free(before);
    kit_put_many(l, 1000, 10, 10); /* and it goes on */
    ledger_close(l);
    EXPECT_STR("ok", kit_ask("PRAGMA integrity_check"));
    EXPECT_STR("1015", kit_ask("SELECT max(seq) FROM chain"));
}

static void what_was_not_shipped_stays(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    kit_put_many(l, 0, 100, 100);
    put_anchor(l, 20, NOW - 30 * DAY);
    put_anchor(l, 60, NOW - 29 * DAY);
    tend(l, (struct ledger_upkeep){.retain_us = DAY, .keep_from = 1});
    EXPECT_STR("1", kit_ask("SELECT min(seq) FROM chain"));
    tend(l, (struct ledger_upkeep){.now_us = NOW + 2000000, .retain_us = DAY, .keep_from = 59});
    EXPECT_STR("20", kit_ask("SELECT min(seq) FROM chain"));
    tend(l, (struct ledger_upkeep){.now_us = NOW + 4000000, .retain_us = DAY, .keep_from = 60});
    EXPECT_STR("60", kit_ask("SELECT min(seq) FROM chain"));
    ledger_close(l);
}

/* Signed while the clock stood at 1970: what came before it is as young as it was. */
static void a_clock_that_stood_wrong_takes_nothing_along(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    kit_put_many(l, 0, 100, 100);
    put_anchor(l, 20, NOW - 30 * DAY);
    put_anchor(l, 40, NOW - DAY / 2);
    put_anchor(l, 60, 1000000);
    tend(l, (struct ledger_upkeep){.now_us = NOW + 2000000, .retain_us = DAY});
    EXPECT_STR("20", kit_ask("SELECT min(seq) FROM chain"));
    ledger_close(l);
}

static bool is_in_file(const char *name, const char *word)
{
    char path[96];
    long long size = kit_bytes(name);
    kit_path(path, name);
    FILE *file = size > 0 ? fopen(path, "r") : NULL;
    char *bytes = file ? malloc((size_t)size) : NULL;
    bool is_found = bytes && fread(bytes, 1, (size_t)size, file) == (size_t)size &&
                    memmem(bytes, (size_t)size, word, strlen(word)) != NULL;
    free(bytes);
    if (file) fclose(file);
    return is_found;
}

/* Short ones among the others, and long ones with pages of their own. */
static void old_texts_leave_nothing(void)
{
    char sql[256];
    kit_fresh();
    struct ledger *l = kit_open();
    for (int i = 0; i < 600; i++) {
        snprintf(sql, sizeof sql,
                 "INSERT INTO texts VALUES(x'%032x', 'prompt', 'anna', %llu,"
                 " CAST('%s' || substr(printf('%%5000c', '.'), 1, %d) AS BLOB))",
                 i, i < 500 ? NOW - 40 * DAY : NOW - 2 * DAY, i < 500 ? "OLDTEXT" : "NEWTEXT", i % 3 ? 90 : 5000);
        run_sql(l, sql);
    }
    tend(l, (struct ledger_upkeep){.is_idle = true});
    EXPECT(is_in_file("ledger.db", "OLDTEXT"));
    EXPECT(tend(l, (struct ledger_upkeep){.now_us = NOW + 2000000, .retain_texts_us = 30 * DAY}) > 1);
    EXPECT_STR("100", kit_ask("SELECT count(*) FROM texts"));
    tend(l, (struct ledger_upkeep){.now_us = NOW + 4000000});
    EXPECT(!is_in_file("ledger.db", "OLDTEXT"));
    EXPECT(!is_in_file("ledger.db-wal", "OLDTEXT"));
    EXPECT(is_in_file("ledger.db", "NEWTEXT"));
    ledger_close(l);
}

static void free_pages_are_given_back(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    kit_put_many(l, 0, 12000, 500);
    put_anchor(l, 11900, NOW - 20 * DAY);
    tend(l, (struct ledger_upkeep){.is_idle = true});
    long long before = kit_bytes("ledger.db");
    tend(l, (struct ledger_upkeep){.now_us = NOW + 2000000, .retain_us = DAY});
    tend(l, (struct ledger_upkeep){.now_us = NOW + 4000000, .is_idle = true});
    EXPECT(kit_bytes("ledger.db") < before / 2);
    kit_put_many(l, 12000, 10, 10);
    ledger_close(l);
    EXPECT_STR("ok", kit_ask("PRAGMA integrity_check"));
}

/* What a piece took says how much the next one does: never nothing, never all. */
static void pieces_take_about_as_long(void)
{
    const uint64_t step_ns = LIMIT_LEDGER_STEP_US * 1000ull;
    struct ledger_pace pace = {0};
    uint32_t first = ledger_pace_count(&pace, 256);
    EXPECT(first > 1 && first <= 32);
    ledger_pace_took(&pace, step_ns / 1000); /* much shorter: twice as much */
    EXPECT_INT(2 * first, ledger_pace_count(&pace, 256));
    for (int i = 0; i < 40; i++)
        ledger_pace_took(&pace, 0);
    EXPECT_INT(256, ledger_pace_count(&pace, 256));
    ledger_pace_took(&pace, 4 * step_ns);
    EXPECT_INT(63, ledger_pace_count(&pace, 256));
    ledger_pace_took(&pace, UINT64_MAX);
    EXPECT_INT(1, ledger_pace_count(&pace, 256));
    ledger_pace_took(&pace, 0);
    EXPECT_INT(2, ledger_pace_count(&pace, 256));
}

/* The log is cut to nothing when all is done, not behind each piece; while it goes on it does not grow beyond its
 * bound. */
static void giving_back_keeps_the_log_small(void)
{
    struct fault why = {0};
    struct ledger_upkeep how = {.now_us = NOW + 2000000, .retain_us = DAY, .is_idle = true};
    long long most = 0;
    int cuts = 0;
    kit_fresh();
    struct ledger *l = kit_open();
    kit_put_many(l, 0, 12000, 500);
    put_anchor(l, 11900, NOW - 20 * DAY);
    for (enum ledger_tended done = LEDGER_MORE; done == LEDGER_MORE;) {
        done = tend_once(l, &how, &why);
        EXPECT(done != LEDGER_TEND_FAILED);
        long long bytes = kit_bytes("ledger.db-wal");
        if (bytes > most) most = bytes;
        cuts += bytes == 0;
    }
    EXPECT_INT(1, cuts);
    EXPECT(most < 20000000);
    EXPECT_INT(0, kit_bytes("ledger.db-wal"));
    ledger_close(l);
}

/* ---- What is made from the chain. */

static char told[4096];

static void on_difference(void *arg, const char *text)
{
    (void)arg;
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s\n", text);
}

static struct ledger_checked check_it(bool is_repair)
{
    struct fault why = {0};
    struct ledger_checked found = {0};
    struct ledger_check how = {.data_dir = kit_dir, .is_repair = is_repair, .on_difference = on_difference};
    told[0] = '\0';
    if (!ledger_check(&how, &found, &why)) UNIT_FAIL("check: %s", why.text);
    return found;
}

static void all_tables_can_be_made_anew(void)
{
    char path[96];
    uint8_t id[16] = {1};
    kit_fresh();
    kit_path(path, "ledger.db");
    struct ledger *l = kit_open_with((struct ledger_options){.zone = "Asia/Tokyo"});
    kit_begin(l);
    kit_put_text(l, CHAIN_EXCHANGE, id, SLICE("no json"));
    kit_put_text(l, CHAIN_INTENT, NULL, SLICE("{\"id\":\"req_01935c10-0000-7000-8000-000000000005\"}"));
    kit_commit(l);
    kit_put_many(l, 0, 400, 50);
    ledger_close(l);
    l = kit_open(); /* in another zone */
    kit_put_many(l, 400, 100, 50);
    put_anchor(l, 200, NOW - 20 * DAY);
    tend(l, (struct ledger_upkeep){.retain_us = DAY});
    struct ledger_checked found = check_it(false); /* while it is open */
    EXPECT_INT(0, found.differences);
    EXPECT_STR("", told);
    EXPECT_INT(304, found.entries);
    EXPECT_INT(303, found.records);
    ledger_close(l);
    char *rows = strdup(kit_ask("SELECT group_concat(id || cost_nano || app || day) FROM records"));
    char *sums = strdup(kit_ask("SELECT count(*), sum(requests), sum(cost_nano), sum(day) FROM rollup"));

    kit_damage(path, "UPDATE records SET cost_nano = 5, app = 'mallory' WHERE seq = 250;"
                 "DELETE FROM records WHERE seq = 260; INSERT INTO records SELECT 9999, x'77', time_us, day, api, status,"
                 " outcome, app, department, team, user, key_id, model_asked, model, target, provider, policy, rule, code,"
                 " data, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nano, estimated, unpriced,"
                 " attempts, duration_us, first_byte_us, price, bundle, session, prompt, prompt_version, collections,"
                 " chunks, class_raised, cache, cache_key, saved_nano, approval FROM records WHERE seq = 270;"
                 "UPDATE records SET app = CAST(x'ff0a1b' AS TEXT) WHERE seq = 251;"
                 "UPDATE rollup SET cost_nano = cost_nano + 1 WHERE app = 'app-1' AND user = 'user-3';"
                 "DELETE FROM rollup_label WHERE value = '2'; INSERT INTO intents VALUES(x'99', 8888, x'00', 1)");
    found = check_it(false);
    EXPECT(found.differences >= 7);
    EXPECT(strstr(told, "entry 250: cost_nano is 5, not"));
    EXPECT(strstr(told, "entry 250: app is 'mallory', not 'app-"));
    EXPECT(strstr(told, "entry 251: app is '\\ufffd \\u001b', not 'app-")); /* a text of one line, whatever it is */
    EXPECT(strstr(told, "entry 260 has no row"));
    EXPECT(strstr(told, "records: a row without an entry: 9999"));
    EXPECT(strstr(told, "intents: a row without an entry: 8888"));
    EXPECT(strstr(told, "rollup: 20250603"));
    EXPECT(strstr(told, "rollup_label: 20250603 cost_center 2"));
    EXPECT_INT(found.differences, check_it(true).differences);
    EXPECT_INT(0, check_it(false).differences);
    EXPECT_STR(rows, kit_ask("SELECT group_concat(id || cost_nano || app || day) FROM records"));
    EXPECT_STR(sums, kit_ask("SELECT count(*), sum(requests), sum(cost_nano), sum(day) FROM rollup"));
    free(rows);
    free(sums);
    kit_damage(path, "PRAGMA user_version = 99");
    struct fault why = {0};
    struct ledger_check how = {.data_dir = kit_dir, .is_repair = true};
    EXPECT(!ledger_check(&how, &found, &why) && strstr(why.text, "newer"));
    kit_path(path, "lock");
    unlink(path);
}

/* Announced, and over or not: an intent whose row is missing would never be abandoned. */
static void what_was_announced_is_found_again(void)
{
    char path[96];
    kit_fresh();
    kit_path(path, "ledger.db");
    struct ledger *l = kit_open();
    kit_begin(l);
    kit_put_text(l, CHAIN_INTENT, NULL, SLICE("{\"id\":\"req_01935c10-0000-7000-8000-000000000001\"}"));
    kit_put_text(l, CHAIN_INTENT, NULL, SLICE("{\"id\":\"req_01935c10-0000-7000-8000-000000000009\"}"));
    kit_put_text(l, CHAIN_INTENT, NULL, SLICE("{}"));
    EXPECT_INT(LEDGER_STORED, kit_put(l, 1));
    kit_commit(l);
    ledger_close(l);
    EXPECT_INT(0, check_it(false).differences);
    char *rows = strdup(kit_ask("SELECT group_concat(hex(id) || seq || open) FROM intents WHERE seq < 3"));
    kit_damage(path, "DELETE FROM intents WHERE seq < 3");
    EXPECT_INT(2, check_it(false).differences);
    EXPECT_STR("intents: entry 1 has no row\nintents: entry 2 has no row\n", told);
    EXPECT_INT(2, check_it(true).differences);
    EXPECT_INT(0, check_it(false).differences);
    EXPECT_STR(rows, kit_ask("SELECT group_concat(hex(id) || seq || open) FROM intents WHERE seq < 3"));
    free(rows);
}

int main(void)
{
    RUN(the_log_stays_small);
    RUN(nor_does_it_grow_where_nobody_tends_it);
    RUN(a_reader_is_not_waited_for);
    RUN(what_is_too_old_goes_up_to_an_anchor);
    RUN(what_was_not_shipped_stays);
    RUN(a_clock_that_stood_wrong_takes_nothing_along);
    RUN(old_texts_leave_nothing);
    RUN(free_pages_are_given_back);
    RUN(pieces_take_about_as_long);
    RUN(giving_back_keeps_the_log_small);
    RUN(all_tables_can_be_made_anew);
    RUN(what_was_announced_is_found_again);
    kit_end();
    return unit_close("ledger_keep");
}
