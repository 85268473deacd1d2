/* The ledger on its way to a real PostgreSQL: once each, whatever happens on the way. */
#include "ship_kit.h"

static void what_is_committed_is_there(void)
{
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 2500);
    begin(&s, (struct ship_options){0});
    uint64_t head = ledger_head(l, (uint8_t[CHAIN_HASH_BYTES]){0});
    wait_shipped(&s, head);
    expect_same();
    fill(l, 5000, 10);
    ship_committed(s.ship, false);
    wait_shipped(&s, head + 10);
    fill(l, 6000, 1);
    ship_committed(s.ship, true);
    wait_shipped(&s, head + 11);
    expect_same();
    EXPECT(ship_is_done(s.ship));
    end(&s);
    ledger_close(l);
}

static void hostile_texts_and_numbers_are_taken(void)
{
    static const char *const bodies[] = {
        "{\"id\":\"req_x\",\"time\":\"2025-06-03T00:00:00.000Z\",\"model\":\"a\\u0000b\\ud83d\\ude00\",\"outcome\":\"ok\","
        "\"identity\":{\"app\":\"\\\\x00'); DROP TABLE\",\"user\":\"\\u0000\",\"labels\":{\"\\u0000\":\"{\\\"}\"}}}",
        "not json at all \xff\xfe",
        "{\"time\":\"9999-12-31T23:59:59.999Z\",\"outcome\":\"ok\",\"billed\":{\"input\":9223372036854775807},"
        "\"cost\":{\"nano_usd\":9223372036854775807},\"target\":\"a/b\"}",
        "{\"time\":\"2025-06-03T00:00:00.000Z\",\"outcome\":\"ok\",\"billed\":{\"input\":9223372036854775807},"
        "\"cost\":{\"nano_usd\":9223372036854775807},\"target\":\"a/b\"}",
        "{\"time\":\"2025-06-03T00:00:01.000Z\",\"outcome\":\"ok\",\"billed\":{\"input\":9223372036854775807},"
        "\"cost\":{\"nano_usd\":9223372036854775807},\"target\":\"a/b\"}",
        "{\"time\":\"1969-01-01T00:00:00.000Z\"}",
        "{}",
    };
    char names[8192];
    uint8_t id[16];
    memset(names, 'm', sizeof names);
    fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        kit_id(id, 100 + i);
        kit_put_text(l, CHAIN_EXCHANGE, id, slice_str(bodies[i]));
    }
    struct buf body;
    buf_init(&body);
    buf_printf(&body, "{\"model\":\"%.*s\",\"identity\":{\"app\":\"%.*s\",\"department\":\"%.*s\",\"user\":\"%.*s\","
               "\"key_id\":\"%.*s\"},\"provider\":\"%.*s\",\"outcome\":\"denied\"}", 8000, names, 8000, names, 8000, names,
               8000, names, 8000, names, 8000, names);
    kit_id(id, 200);
    kit_put_text(l, CHAIN_EXCHANGE, id, buf_slice(&body));
    kit_commit(l);
    ship_all(l);
    EXPECT_STR("8|8", server_ask("SELECT (SELECT count(*) FROM moongate.records), (SELECT count(*) FROM moongate.audit)"));
    EXPECT_STR("9223372036854775807", server_ask("SELECT cost_nano FROM moongate.rollup WHERE provider = 'a' "
                                                 "AND day = '2025-06-03'"));
    EXPECT_STR("1", server_ask("SELECT count(*) FROM moongate.records WHERE user_name = U&'\\FFFD'"));
    EXPECT_STR(kit_ask("SELECT lower(hex(body)) FROM chain WHERE seq = 2"),
               server_ask("SELECT encode(body, 'hex') FROM moongate.audit WHERE seq = 2"));
    buf_clear(&body);
    ledger_close(l);
}

static long shipped_there(void)
{
    return strtol(server_ask("SELECT coalesce(max(seq), 0) FROM moongate.gateway"), NULL, 10);
}

/* A process that ships until it is killed. */
static pid_t ship_in_child(void)
{
    pid_t pid = fork();
    if (pid) return pid;
    struct shipping s;
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, UINT64_MAX);
    _exit(0);
}

static void a_shipper_killed_at_any_moment_doubles_nothing(void)
{
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 9000);
    ship_all(l); /* the tables are there */
    long before = shipped_there();
    fill(l, 20000, 9000);
    for (int i = 0; i < 3; i++) {
        pid_t pid = ship_in_child();
        while (shipped_there() < before + 1000 && kill(pid, 0) == 0)
            usleep(1000);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        before = shipped_there();
    }
    ship_all(l);
    expect_same();
    ledger_close(l);
}

static void a_server_that_dies_is_caught_up_with(void)
{
    static const int signals[] = {SIGKILL, SIGINT, SIGQUIT};
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 500);
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, head_of(l));
    for (uint64_t i = 0; i < 3; i++) {
        fill(l, 1000 * (i + 1), 900);
        ship_committed(s.ship, true);
        server_kill(signals[i]);
        wait_failing(&s);
        EXPECT(s.why[0] != '\0');
        fill(l, 5000 + 1000 * i, 900);
        ship_committed(s.ship, false);
        server_start("fsync=on");
        wait_shipped(&s, head_of(l));
    }
    expect_same();
    end(&s);
    ledger_close(l);
}

/* Like a server behind a network that drops packets: nothing comes, nothing ends. */
static void a_server_that_stands_still_is_said_to_fail(void)
{
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, head_of(l));
    pid_t backend = (pid_t)strtol(server_ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'moongate gw-1'"),
                                  NULL, 10);
    kill(backend, SIGSTOP);
    fill(l, 100, 10);
    ship_committed(s.ship, true);
    wait_failing(&s);
    EXPECT(strstr(s.why, "no answer"));
    EXPECT_INT(10, ship_state(s.ship)->lag_rows);
    EXPECT(ship_state(s.ship)->lag_ms > 0);
    kill(backend, SIGCONT);
    wait_shipped(&s, head_of(l));
    expect_same();
    end(&s);
    ledger_close(l);
}

static void a_wrong_password_is_said_without_it(void)
{
    char conninfo[160];
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    snprintf(conninfo, sizeof conninfo, "postgresql://moongate:hunter%%402@/moongate?host=%s&port=%u", server_dir,
             server_port);
    begin(&s, (struct ship_options){.conninfo = conninfo});
    wait_failing_with(&s, "password authentication failed");
    EXPECT(!strstr(s.why, "hunter"));
    server_ask("ALTER ROLE moongate PASSWORD 'hunter@2'");
    wait_shipped(&s, head_of(l));
    expect_same();
    server_ask("ALTER ROLE moongate PASSWORD 'secret'");
    end(&s);
    ledger_close(l);
}

static void a_database_that_takes_nothing_is_tried_again(void)
{
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    ship_all(l);
    server_ask("ALTER DATABASE moongate SET default_transaction_read_only = on");
    fill(l, 100, 10);
    begin(&s, (struct ship_options){.shipped = 10});
    wait_failing_with(&s, "read-only");
    server_ask_in("postgres", "ALTER DATABASE moongate RESET default_transaction_read_only");
    wait_shipped(&s, head_of(l));
    expect_same();
    end(&s);
    ledger_close(l);
}

static void days_have_partitions_and_old_ones_go(void)
{
    struct shipping s;
    char now[CLOCK_TEXT_BYTES];
    clock_format(clock_wall_ns(), now);
    fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    put_at(l, 1, "2025-06-03T23:59:59.999Z");
    put_at(l, 2, "2025-06-04T00:00:00.000Z");
    put_at(l, 3, "2019-02-28T12:00:00.000Z"); /* imported: years late */
    put_at(l, 4, now);
    kit_commit(l);
    ship_all(l);
    expect_same();
    EXPECT_STR("1|1|1", server_ask("SELECT (SELECT count(*) FROM moongate.records_20250603), (SELECT count(*) FROM "
                                   "moongate.records_20250604), (SELECT count(*) FROM moongate.audit_20190228)"));
    EXPECT_STR("t", server_ask("SELECT to_regclass('moongate.records_' || to_char(now() AT TIME ZONE 'UTC' + "
                               "interval '7 days', 'YYYYMMDD')) IS NOT NULL"));
    begin(&s, (struct ship_options){.retain_s = 30 * 24 * 3600});
    wait_shipped(&s, head_of(l));
    while (strtol(server_ask("SELECT count(*) FROM moongate.records"), NULL, 10) > 1)
        wait_for(&s);
    EXPECT_STR("1|1|4", server_ask("SELECT (SELECT count(*) FROM moongate.records), (SELECT count(*) FROM moongate.audit), "
                                   "(SELECT sum(requests) FROM moongate.rollup)"));
    /* One that comes late all the same is taken. */
    kit_begin(l);
    put_at(l, 5, "2025-06-03T10:00:00.000Z");
    kit_commit(l);
    ship_committed(s.ship, true);
    wait_shipped(&s, head_of(l));
    EXPECT_STR("2", server_ask("SELECT count(*) FROM moongate.records"));
    end(&s);
    ledger_close(l);
}

/* A drop would wait for the reader, and everybody else for the drop: it is put off. */
static void a_reader_of_an_old_day_holds_nobody_up(void)
{
    static const char is_there[] = "SELECT to_regclass('moongate.records_20250603') IS NOT NULL";
    char conninfo[160];
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    ship_all(l);
    server_root_conninfo(conninfo, "moongate");
    PGconn *reader = PQconnectdb(conninfo);
    PQclear(PQexec(reader, "BEGIN; SELECT count(*) FROM moongate.records"));
    fill(l, 100, 10);
    begin(&s, (struct ship_options){.retain_s = 30 * 24 * 3600});
    wait_shipped(&s, head_of(l));
    EXPECT_INT(0, (long long)ship_state(s.ship)->failures);
    EXPECT_STR("t", server_ask(is_there));
    end(&s);
    PQfinish(reader);
    begin(&s, (struct ship_options){.retain_s = 30 * 24 * 3600});
    wait_shipped(&s, head_of(l));
    while (strcmp(server_ask(is_there), "t") == 0)
        wait_for(&s);
    end(&s);
    ledger_close(l);
}

static void put_anchor(struct ledger *l, const char *values)
{
    char sql[256];
    snprintf(sql, sizeof sql, "INSERT INTO anchors VALUES(%s)", values);
    kit_begin(l);
    EXPECT_INT(SQLITE_OK, sqlite3_exec(ledger_connection(l), sql, NULL, NULL, NULL));
    kit_commit(l);
}

static void signed_heads_have_a_witness(void)
{
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    put_anchor(l, "5, 1748952000000000, zeroblob(32), x'aabb'");
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, head_of(l));
    put_anchor(l, "10, 1748952060000000, zeroblob(32), x'ccdd'"); /* without an entry behind it */
    ship_committed(s.ship, false);
    fill(l, 100, 1);
    ship_committed(s.ship, true);
    wait_shipped(&s, head_of(l));
    EXPECT_STR("2|ccdd|2025-06-03 12:01:00+00",
               server_ask("SET TimeZone = 'UTC'; SELECT count(*) OVER (), encode(signature, 'hex'), time FROM "
                          "moongate.anchor ORDER BY seq DESC"));
    end(&s);
    ledger_close(l);
}

int main(void)
{
    setenv("MOONGATE_LOG", "error", 0);
    log_init("ship");
    server_start(NULL);
    RUN(what_is_committed_is_there);
    RUN(hostile_texts_and_numbers_are_taken);
    RUN(a_shipper_killed_at_any_moment_doubles_nothing);
    RUN(a_server_that_dies_is_caught_up_with);
    RUN(a_server_that_stands_still_is_said_to_fail);
    RUN(a_wrong_password_is_said_without_it);
    RUN(a_database_that_takes_nothing_is_tried_again);
    RUN(days_have_partitions_and_old_ones_go);
    RUN(a_reader_of_an_old_day_holds_nobody_up);
    RUN(signed_heads_have_a_witness);
    kit_end();
    server_end();
    return unit_close("ship");
}
