/* The ledger's writer: what is put is there once, in one chain, with its columns and sums. */
#include "ledger_kit.h"

static void what_is_put_is_found(void)
{
    uint8_t hash[CHAIN_HASH_BYTES];
    kit_fresh();
    struct ledger *l = kit_open();
    EXPECT_INT(0, ledger_head(l, hash));
    kit_begin(l);
    for (uint64_t n = 1; n <= 10; n++)
        EXPECT_INT(LEDGER_STORED, kit_put(l, n));
    EXPECT_INT(0, ledger_head(l, hash));
    kit_commit(l);
    EXPECT_INT(10, ledger_head(l, hash));
    ledger_close(l);
    kit_verify(10);
    EXPECT_STR("7|20250603|chat|200|ok|app-1|dept-1|user-0|key_2|chat|small|openai/small|openai|10|3|20|5|7000|12345|3002",
               kit_ask("SELECT seq, day, api, status, outcome, app, department, user, key_id, model_asked, model, target,"
                       " provider, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nano, duration_us,"
                       " first_byte_us FROM records WHERE seq = 7"));
    EXPECT_STR("1748952000250000|rev1|aa|0|0|1||",
               kit_ask("SELECT time_us, price, bundle, estimated, unpriced, attempts, session, cache FROM records"));
    EXPECT_STR("3|18000", kit_ask("SELECT requests, cost_nano FROM rollup_label WHERE label = 'cost_center' AND value = '2'"));
}

static void nothing_is_stored_twice(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    EXPECT_INT(LEDGER_STORED, kit_put(l, 1));
    EXPECT_INT(LEDGER_KNOWN, kit_put(l, 1));
    EXPECT_INT(LEDGER_STORED, kit_put(l, 2));
    kit_commit(l);
    ledger_close(l);
    l = kit_open();
    kit_begin(l);
    EXPECT_INT(LEDGER_KNOWN, kit_put(l, 2));
    EXPECT_INT(LEDGER_STORED, kit_put(l, 3));
    kit_commit(l);
    ledger_close(l);
    kit_verify(3);
}

static void what_is_given_up_was_never_there(void)
{
    uint8_t hash[CHAIN_HASH_BYTES];
    kit_fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    EXPECT_INT(LEDGER_STORED, kit_put(l, 1));
    ledger_rollback(l);
    ledger_rollback(l);
    EXPECT_INT(0, ledger_head(l, hash));
    kit_begin(l);
    EXPECT_INT(LEDGER_STORED, kit_put(l, 1));
    EXPECT_INT(LEDGER_STORED, kit_put(l, 2));
    kit_commit(l);
    ledger_close(l);
    kit_verify(2);
}

static void what_is_not_ones_own_is_not_opened(void)
{
    struct ledger_options options = {.data_dir = kit_dir, .gateway = SLICE("gw-1")};
    char path[96];
    struct fault why = {0};
    kit_fresh();
    kit_path(path, "ledger.db");
    ledger_close(kit_open());
    EXPECT_INT(0, chmod(path, 0660));
    EXPECT(!ledger_open(&options, &why));
    EXPECT(strstr(why.text, "mode 0660") && strstr(why.text, "chmod 600"));
    EXPECT_INT(0, unlink(path));
    EXPECT_INT(0, mkfifo(path, 0600));
    EXPECT(!ledger_open(&options, &why));
    EXPECT(strstr(why.text, "not a file of this user's own"));
}

/* Rows without their entries: the next entry would have the number of one of them. */
static void a_chain_whose_end_was_taken_is_not_gone_on_with(void)
{
    struct ledger_options options = {.data_dir = kit_dir, .gateway = SLICE("gw-1")};
    struct fault why = {0};
    kit_fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    for (uint64_t n = 1; n <= 3; n++)
        EXPECT_INT(LEDGER_STORED, kit_put(l, n));
    kit_commit(l);
    EXPECT_INT(SQLITE_OK, sqlite3_exec(ledger_connection(l), "DELETE FROM chain WHERE seq > 1", NULL, NULL, NULL));
    ledger_close(l);
    EXPECT(!ledger_open(&options, &why));
    EXPECT(strstr(why.text, "ends with entry 1, its tables with 3"));
}

/* Behind the last number that there is nothing can be put. */
static void numbers_that_nothing_can_follow_are_refused(void)
{
    static const char *const updates[] = {"UPDATE chain SET seq = 9223372036854775807", "UPDATE chain SET seq = -1",
                                          "UPDATE chain SET hash = x'00'"};
    struct ledger_options options = {.data_dir = kit_dir, .gateway = SLICE("gw-1")};
    for (size_t i = 0; i < sizeof updates / sizeof updates[0]; i++) {
        struct fault why = {0};
        kit_fresh();
        struct ledger *l = kit_open();
        kit_begin(l);
        EXPECT_INT(LEDGER_STORED, kit_put(l, 1));
        kit_commit(l);
        EXPECT_INT(SQLITE_OK, sqlite3_exec(ledger_connection(l), updates[i], NULL, NULL, NULL));
        ledger_close(l);
        l = ledger_open(&options, &why);
        if (l || !strstr(why.text, "the last entry of the chain is damaged")) UNIT_FAIL("%s: %s", updates[i], why.text);
        ledger_close(l);
    }
}

static void move(const char *from, const char *to)
{
    char paths[2][96];
    kit_path(paths[0], from);
    kit_path(paths[1], to);
    EXPECT_INT(0, rename(paths[0], paths[1]));
}

static void touch(const char *name)
{
    char path[96];
    kit_path(path, name);
    FILE *file = fopen(path, "w");
    EXPECT(file && fclose(file) == 0);
}

/* SQLite would go on with what nobody finds any more. */
static void what_is_not_in_its_place_takes_nothing(void)
{
    static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct fault why = {0};
        kit_fresh();
        struct ledger *l = kit_open();
        kit_begin(l);
        EXPECT_INT(LEDGER_STORED, kit_put(l, 1));
        kit_commit(l);
        EXPECT(ledger_is_in_place(l, &why));
        move(names[i], "away");
        EXPECT(!ledger_is_in_place(l, &why));
        EXPECT(!ledger_begin(l, &why));
        EXPECT(strstr(why.text, names[i]) && strstr(why.text, "removed"));
        touch(names[i]);
        EXPECT(!ledger_begin(l, &why));
        EXPECT(strstr(why.text, names[i]) && strstr(why.text, "replaced"));
        move("away", names[i]);
        kit_begin(l);
        EXPECT_INT(LEDGER_STORED, kit_put(l, 2));
        kit_commit(l);
        ledger_close(l);
        kit_verify(2);
    }
}

/* One after the other, and never with what the other has not seen. */
static void two_writers_make_one_chain(void)
{
    kit_fresh();
    struct ledger *writers[2] = {kit_open(), kit_open()};
    for (uint64_t n = 0; n < 40; n++) {
        struct ledger *l = writers[n / 3 % 2];
        kit_begin(l);
        EXPECT_INT(LEDGER_STORED, kit_put(l, 2 * n));
        EXPECT_INT(n ? LEDGER_KNOWN : LEDGER_STORED, kit_put(l, n ? 2 * n - 2 : 1));
        kit_commit(l);
    }
    ledger_close(writers[0]);
    ledger_close(writers[1]);
    kit_verify(41);
}

/* ---- What is read of a body. */

static void put_one(enum chain_kind kind, const uint8_t *id, struct slice body)
{
    kit_fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    EXPECT_INT(LEDGER_STORED, kit_put_text(l, kind, id, body));
    EXPECT_INT(LEDGER_KNOWN, kit_put_text(l, kind, id, body));
    kit_commit(l);
    ledger_close(l);
    kit_verify(1);
}

#define REQ "{\"id\":\"req_01935c10-0000-7000-8000-000000000001\",\"time\":\"2025-06-03T12:00:00.250Z\","

static void each_attempt_is_paid_at_its_own_model(void)
{
    put_one(CHAIN_EXCHANGE, NULL,
            SLICE(REQ "\"model\":\"chat\",\"target\":\"c/three\",\"provider\":\"c\",\"outcome\":\"ok\",\"attempts\":["
                  "{\"target\":\"a/one\",\"provider\":\"a\",\"model\":\"uno\",\"billed\":{\"input\":10,\"output\":1,"
                  "\"audio_output\":2},\"cost\":{\"nano_usd\":100,\"price\":\"p1\"}},"
                  "{\"target\":\"b/two\",\"error\":\"denied\"},"
                  "{\"target\":\"c/three\",\"billed\":{\"cache_write\":7,\"cached_input\":5,\"output\":4},"
                  "\"cost\":{\"nano_usd\":900,\"price\":\"p2\"}}],\"billed\":{\"input\":10,\"output\":7}}"));
    EXPECT_STR("three|c/three|c|22|5|7|1000|3|p2",
               kit_ask("SELECT model, target, provider, input_tokens, cached_tokens, output_tokens, cost_nano, attempts,"
                       " price FROM records"));
    EXPECT_STR("0|10|3|100", kit_ask("SELECT requests, input_tokens, output_tokens, cost_nano FROM rollup"
                                     " WHERE provider = 'a' AND model = 'uno'"));
    EXPECT_STR("1|12|4|900", kit_ask("SELECT requests, input_tokens, output_tokens, cost_nano FROM rollup"
                                     " WHERE provider = 'c' AND model = 'three'"));
    EXPECT_STR("2", kit_ask("SELECT count(*) FROM rollup"));
}

static void a_denial_is_counted_with_its_reason(void)
{
    put_one(CHAIN_EXCHANGE, NULL,
            SLICE(REQ "\"model\":\"large\",\"model_asked\":\"large\",\"status\":402,\"outcome\":\"denied\",\"data\":\"secret\","
                  "\"session\":\"s-1\",\"grant\":\"apr_9\",\"labels\":[\"eu_customer\",\"eu_customer\",7],"
                  "\"identity\":{\"app\":\"bot\",\"labels\":{\"cost_center\":\"4711\",\"n\":5}},"
                  "\"decision\":{\"policy\":\"budget\",\"rule\":\"month\",\"code\":\"budget_exceeded\"},"
                  "\"retrieval\":{\"collections\":[\"hr\",\"law\"],\"chunks\":3,\"class_raised\":\"restricted\"},"
                  "\"prompt\":{\"name\":\"greet\",\"version\":4},"
                  "\"cache\":{\"state\":\"hit\",\"key\":\"k1\",\"saved_nano\":77}}"));
    EXPECT_STR("402|denied|budget|month|budget_exceeded|secret|s-1|apr_9|hr,law|3|restricted|greet|4|hit|k1|77|large|0",
               kit_ask("SELECT status, outcome, policy, rule, code, data, session, approval, collections, chunks,"
                       " class_raised, prompt, prompt_version, cache, cache_key, saved_nano, model, attempts FROM records"));
    EXPECT_STR("1|1|0|77|large", kit_ask("SELECT requests, denied, failed, saved_nano, model FROM rollup"));
    EXPECT_STR("cost_center=4711 eu_customer= n=",
               kit_ask("SELECT group_concat(label || '=' || value, ' ') FROM rollup_label ORDER BY label"));
}

static void failures_are_what_nobody_wanted(void)
{
    put_one(CHAIN_EXCHANGE, NULL,
            SLICE(REQ "\"outcome\":\"upstream_error\",\"target\":\"a/b\",\"fault\":{\"code\":\"upstream_closed\"},"
                  "\"billed\":{\"input\":1,\"estimated\":true},\"cost\":null}"));
    EXPECT_STR("upstream_closed|1|1|1", kit_ask("SELECT code, estimated, unpriced, attempts FROM records"));
    EXPECT_STR("1|0|1|1", kit_ask("SELECT requests, denied, failed, unpriced FROM rollup"));
    put_one(CHAIN_EXCHANGE, NULL, SLICE(REQ "\"outcome\":\"client_closed\"}"));
    EXPECT_STR("1|0|0", kit_ask("SELECT requests, denied, failed FROM rollup"));
    put_one(CHAIN_EXCHANGE, NULL, SLICE(REQ "\"outcome\":\"invalid\",\"model\":\"no such\",\"model_asked\":\"no such\"}"));
    EXPECT_STR("|no such|1", kit_ask("SELECT r.model, model_asked, failed FROM records r, rollup"));
}

/* Nothing is lost: it is in the chain, with the id that came with it and the time that the id has. */
static void what_is_no_json_is_kept(void)
{
    static const char *const bodies[] = {"", "not json", "[1,2]", "{\"id\":7,\"time\":{},\"usage\":[],\"attempts\":{}}",
                                         "{\"billed\":5,\"cost\":[],\"identity\":\"x\",\"labels\":{},\"ms\":null}",
                                         "{\"time\":\"2025-06-03T24:00:00.000Z\"}", "{\"time\":\"2025-06-03T23:60:00.000Z\"}",
                                         "{\"time\":\"2025-13-40T99:00:00.000Z\",\"status\":-4,\"attempts\":[1,null]}"};
    uint8_t id[16];
    kit_id(id, 5);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        put_one(CHAIN_EXCHANGE, id, slice_str(bodies[i]));
        EXPECT_STR("01935C10000070008000000000000005|1732416372|1", /* the id's first 48 bits */
                   kit_ask("SELECT hex(id), time_us / 1000000, (SELECT requests FROM rollup) FROM records"));
        put_one(CHAIN_EXCHANGE, NULL, slice_str(bodies[i])); /* and is found again by what it is */
        put_one(CHAIN_IMPORT, NULL, slice_str(bodies[i]));
    }
}

static void long_texts_are_cut_between_characters(void)
{
    struct buf body;
    buf_init(&body);
    buf_printf(&body, "%s\"session\":\"x", REQ);
    for (int i = 0; i < 200; i++)
        buf_append(&body, SLICE("\xC3\xA4"));
    buf_append(&body, SLICE("\"}"));
    put_one(CHAIN_EXCHANGE, NULL, buf_slice(&body));
    EXPECT_STR("128|255", kit_ask("SELECT length(session), length(cast(session AS BLOB)) FROM records"));
    buf_clear(&body);
}

static void sums_end_at_what_fits(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    for (int n = 0; n < 3; n++) {
        char body[256];
        snprintf(body, sizeof body,
                 "{\"id\":\"req_01935c10-0000-7000-8000-00000000000%d\",\"target\":\"a/b\",\"billed\":{\"input\":"
                 "9223372036854775807,\"cache_write\":5},\"cost\":{\"nano_usd\":6000000000000000000}}",
                 n);
        kit_begin(l);
        EXPECT_INT(LEDGER_STORED, kit_put_text(l, CHAIN_EXCHANGE, NULL, slice_str(body)));
        kit_commit(l);
    }
    ledger_close(l);
    EXPECT_STR("3|9223372036854775807|9223372036854775807", kit_ask("SELECT requests, input_tokens, cost_nano FROM rollup"));
}

/* ---- Days. */

static const char *day_of(const char *zone, const char *time)
{
    char body[160];
    kit_fresh();
    struct ledger *l = kit_open_with((struct ledger_options){.zone = zone});
    if (!l) return "";
    snprintf(body, sizeof body, "{\"time\":\"%s\"}", time);
    kit_begin(l);
    kit_put_text(l, CHAIN_EXCHANGE, NULL, slice_str(body));
    kit_commit(l);
    ledger_close(l);
    EXPECT_STR(kit_ask("SELECT day FROM records"), kit_ask("SELECT day FROM rollup"));
    return kit_ask("SELECT day FROM records");
}

static void days_are_those_of_the_zone(void)
{
    EXPECT_STR("20250602", day_of("UTC", "2025-06-02T23:59:59.999Z"));
    EXPECT_STR("20250603", day_of("Europe/Berlin", "2025-06-02T22:00:00.000Z")); /* summer: two hours ahead */
    EXPECT_STR("20250602", day_of("Europe/Berlin", "2025-06-02T21:59:59.999Z"));
    EXPECT_STR("20250107", day_of("Europe/Berlin", "2025-01-07T22:59:59.999Z")); /* winter: one */
    EXPECT_STR("20250108", day_of("Europe/Berlin", "2025-01-07T23:00:00.000Z"));
    EXPECT_STR("20250329", day_of("Europe/Berlin", "2025-03-29T22:59:59.000Z")); /* the day before the clocks go on */
    EXPECT_STR("20250330", day_of("Europe/Berlin", "2025-03-30T21:59:59.000Z")); /* that day has 23 hours … */
    EXPECT_STR("20250331", day_of("Europe/Berlin", "2025-03-30T22:00:00.000Z"));
    EXPECT_STR("20251026", day_of("Europe/Berlin", "2025-10-26T22:59:59.000Z")); /* … and this one 25 */
    EXPECT_STR("20251027", day_of("Europe/Berlin", "2025-10-26T23:00:00.000Z"));
    EXPECT_STR("20250101", day_of("America/New_York", "2025-01-02T04:59:59.000Z"));
    EXPECT_STR("20240229", day_of("UTC", "2024-02-29T12:00:00Z"));
    EXPECT_STR("20000301", day_of("UTC", "2000-03-01T00:00:00.000Z"));
}

static void another_zone_holds_from_then_on(void)
{
    static const char *const zones[] = {"UTC", "Asia/Tokyo", "Asia/Tokyo", "UTC"};
    kit_fresh();
    for (int i = 0; i < 4; i++) {
        struct ledger *l = kit_open_with((struct ledger_options){.zone = zones[i]});
        char body[64];
        snprintf(body, sizeof body, "{\"time\":\"2025-06-02T20:00:00.00%dZ\"}", i);
        kit_begin(l);
        kit_put_text(l, CHAIN_EXCHANGE, NULL, slice_str(body));
        kit_commit(l);
        ledger_close(l);
    }
    EXPECT_STR("20250602 20250603 20250603 20250602", kit_ask("SELECT group_concat(day, ' ') FROM records"));
    EXPECT_STR("3", kit_ask("SELECT count(*) FROM meta WHERE k LIKE 'zone.%'"));
}

/* Of a distribution that has other names for them now: what comes is billed in the last one. */
static void a_zone_that_is_gone_is_needed_by_nobody_who_writes(void)
{
    kit_fresh();
    struct ledger *l = kit_open_with((struct ledger_options){.zone = "Asia/Tokyo"});
    kit_begin(l);
    EXPECT_INT(LEDGER_STORED, kit_put(l, 1));
    kit_commit(l);
    EXPECT_INT(SQLITE_OK, sqlite3_exec(ledger_connection(l), "UPDATE meta SET v = 'Old/Name' WHERE k GLOB 'zone.*'", NULL,
                                       NULL, NULL));
    ledger_close(l);
    l = kit_open_with((struct ledger_options){.zone = "Europe/Berlin"});
    kit_begin(l);
    kit_put_text(l, CHAIN_EXCHANGE, NULL, SLICE("{\"time\":\"2025-06-02T22:00:00.000Z\"}"));
    kit_commit(l);
    ledger_close(l);
    EXPECT_STR("20250603", kit_ask("SELECT day FROM records WHERE seq = 2"));
}

/* ---- Other kinds, and files that are not ours. */

static void intents_are_open_until_their_record_comes(void)
{
    uint8_t id[16], worker[16] = {7};
    struct fault why;
    kit_fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    for (uint64_t n = 1; n <= 3; n++) {
        kit_id(id, n);
        struct ledger_entry e = {CHAIN_INTENT, id, worker, SLICE("{\"intent\":true}")};
        EXPECT_INT(LEDGER_STORED, ledger_put(l, &e, &why));
        EXPECT_INT(LEDGER_KNOWN, ledger_put(l, &e, &why));
    }
    EXPECT_INT(LEDGER_STORED, kit_put(l, 2));
    EXPECT_INT(LEDGER_STORED, kit_put(l, 4));
    kit_id(id, 4); /* late, behind its record */
    EXPECT_INT(LEDGER_STORED, ledger_put(l, &(struct ledger_entry){CHAIN_INTENT, id, worker, SLICE("{}")}, &why));
    EXPECT_INT(LEDGER_STORED, kit_put_text(l, CHAIN_START, NULL, SLICE("{}")));
    EXPECT_INT(LEDGER_STORED, kit_put_text(l, CHAIN_START, NULL, SLICE("{}")));
    kit_commit(l);
    ledger_close(l);
    kit_verify(8);
    EXPECT_STR("1,3", kit_ask("SELECT group_concat(seq) FROM intents WHERE open = 1 AND instance = x'07000000000000000000000000000000'"));
    EXPECT_STR("4", kit_ask("SELECT count(*) FROM intents"));
}

static void the_file_is_its_owners_alone(void)
{
    char path[96];
    struct stat st;
    kit_fresh();
    mode_t before = umask(0);
    struct ledger *l = kit_open();
    kit_begin(l);
    kit_put(l, 1);
    kit_commit(l);
    kit_path(path, "ledger.db");
    EXPECT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    kit_path(path, "ledger.db-wal");
    EXPECT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    umask(before);
    ledger_close(l);
    EXPECT_STR("wal", kit_ask("PRAGMA journal_mode"));
    EXPECT_STR("2", kit_ask("PRAGMA auto_vacuum"));
}

static void expect_refused(struct ledger_options options, const char *word)
{
    struct fault why = {0};
    options.data_dir = kit_dir;
    struct ledger *l = ledger_open(&options, &why);
    if (l || !strstr(why.text, word)) UNIT_FAIL("opened, or refused without '%s': %s", word, why.text);
    ledger_close(l);
}

static void other_files_are_refused(void)
{
    char path[96];
    kit_fresh();
    ledger_close(kit_open());
    expect_refused((struct ledger_options){.gateway = SLICE("gw-2")}, "'gw-1', not of 'gw-2'");
    expect_refused((struct ledger_options){.gateway = SLICE("gw-1"), .zone = "Mars/Olympus"}, "Mars/Olympus");
    kit_path(path, "ledger.db");
    sqlite3 *db;
    EXPECT(sqlite3_open(path, &db) == SQLITE_OK);
    sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
    sqlite3_close(db);
    expect_refused((struct ledger_options){.gateway = SLICE("gw-1")}, "newer");
    kit_fresh();
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 2000; i++)
        fputs("no database at all", file);
    fclose(file);
    expect_refused((struct ledger_options){.gateway = SLICE("gw-1")}, "ledger.db");
}

int main(void)
{
    RUN(what_is_put_is_found);
    RUN(nothing_is_stored_twice);
    RUN(what_is_given_up_was_never_there);
    RUN(what_is_not_ones_own_is_not_opened);
    RUN(a_chain_whose_end_was_taken_is_not_gone_on_with);
    RUN(numbers_that_nothing_can_follow_are_refused);
    RUN(what_is_not_in_its_place_takes_nothing);
    RUN(two_writers_make_one_chain);
    RUN(each_attempt_is_paid_at_its_own_model);
    RUN(a_denial_is_counted_with_its_reason);
    RUN(failures_are_what_nobody_wanted);
    RUN(what_is_no_json_is_kept);
    RUN(long_texts_are_cut_between_characters);
    RUN(sums_end_at_what_fits);
    RUN(days_are_those_of_the_zone);
    RUN(another_zone_holds_from_then_on);
    RUN(a_zone_that_is_gone_is_needed_by_nobody_who_writes);
    RUN(intents_are_open_until_their_record_comes);
    RUN(the_file_is_its_owners_alone);
    RUN(other_files_are_refused);
    kit_end();
    return unit_close("ledger");
}
