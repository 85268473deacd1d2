/* The ledger on its way to a real PostgreSQL: once each, whatever happens on the way. */
#include "ledger/ship.h"

#include "../postgres_kit.h"
#include "../store/ledger_kit.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/loop.h"

struct shipping {
    struct loop *loop;
    struct ship *ship;
    struct loop_timer tick; /* looks whether what is waited for has come */
    uint64_t wanted;        /* seq; 0: none */
    bool wants_failing, wants_refused;
    uint64_t shipped, told;
    char why[FAULT_TEXT_BYTES];
};

static void on_shipped(void *arg, uint64_t seq)
{
    struct shipping *s = arg;
    if (seq <= s->shipped) UNIT_FAIL("what is shipped goes back from %d to %d", (int)s->shipped, (int)seq);
    s->shipped = seq;
    s->told++;
}

static void on_state(void *arg, const struct ship_state *state)
{
    struct shipping *s = arg;
    snprintf(s->why, sizeof s->why, "%s", state->why);
}

static const struct ship_events events = {on_shipped, on_state};

static bool has_come(struct shipping *s)
{
    const struct ship_state *state = ship_state(s->ship);
    if (s->wants_refused) return state->is_refused;
    if (s->wants_failing) return state->is_failing;
    return !state->is_failing && s->shipped >= s->wanted;
}

static void on_tick(void *arg)
{
    struct shipping *s = arg;
    if (has_come(s)) loop_stop(s->loop);
    else loop_timer_arm_ms(&s->tick, 5);
}

/* The structure stays where it is: the room keeps its address. */
static void begin(struct shipping *s, struct ship_options options)
{
    struct fault why = {0};
    *s = (struct shipping){.loop = loop_new()};
    options.data_dir = kit_dir;
    if (!options.conninfo) options.conninfo = server_conninfo();
    if (!options.gateway.ptr) options.gateway = SLICE("gw-1");
    s->ship = ship_new(s->loop, &options, &events, s, &why);
    if (!s->ship) UNIT_FAIL("ship: %s", why.text);
    loop_timer_init(&s->tick, s->loop, on_tick, s);
}

static void wait_for(struct shipping *s)
{
    loop_timer_arm_ms(&s->tick, 1);
    loop_run(s->loop);
}

static void wait_failing(struct shipping *s)
{
    s->wants_failing = true;
    wait_for(s);
    s->wants_failing = false;
}

static void wait_refused(struct shipping *s)
{
    s->wants_refused = true;
    wait_for(s);
    s->wants_refused = false;
}

static void wait_shipped(struct shipping *s, uint64_t seq)
{
    s->wanted = seq;
    wait_for(s);
}

static void end(struct shipping *s)
{
    loop_timer_disarm(&s->tick);
    ship_free(s->ship);
    loop_free(s->loop);
}

static void fill(struct ledger *l, uint64_t from, uint64_t count)
{
    kit_begin(l);
    for (uint64_t n = from; n < from + count; n++)
        EXPECT_INT(LEDGER_STORED, kit_put(l, n));
    kit_commit(l);
}

static void fresh(void)
{
    kit_fresh();
    server_ask("DROP SCHEMA IF EXISTS moongate CASCADE");
}

/* All that ledger.db has is there once, and sums are those of the rows, there and here. */
static void expect_same(void)
{
    EXPECT_STR(kit_ask("SELECT count(*), max(seq) FROM chain"),
               server_ask("SELECT count(*), max(a.seq) FROM moongate.audit a JOIN moongate.gateway USING (gw) WHERE name = 'gw-1'"));
    EXPECT_STR(kit_ask("SELECT count(*), sum(input_tokens), sum(output_tokens), sum(cost_nano) FROM records"),
               server_ask("SELECT count(*), sum(input_tokens), sum(output_tokens), sum(cost_nano) FROM moongate.records"));
    EXPECT_STR(kit_ask("SELECT count(*), sum(requests), sum(denied), sum(failed), sum(unpriced), sum(input_tokens), "
                       "sum(cached_tokens), sum(output_tokens), sum(reasoning_tokens), sum(cost_nano), sum(saved_nano) "
                       "FROM rollup"),
               server_ask("SELECT count(*), sum(requests), sum(denied), sum(failed), sum(unpriced), sum(input_tokens), "
                          "sum(cached_tokens), sum(output_tokens), sum(reasoning_tokens), sum(cost_nano), "
                          "sum(saved_nano) FROM moongate.rollup"));
    EXPECT_STR(kit_ask("SELECT count(*), sum(requests), sum(cost_nano) FROM rollup_label"),
               server_ask("SELECT count(*), sum(requests), sum(cost_nano) FROM moongate.rollup_label"));
}

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

static uint64_t head_of(struct ledger *l)
{
    uint8_t hash[CHAIN_HASH_BYTES];
    return ledger_head(l, hash);
}

static void ship_all(struct ledger *l)
{
    struct shipping s;
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, head_of(l));
    end(&s);
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
    do wait_failing(&s);
    while (!strstr(s.why, "password authentication failed") && !usleep(10000));
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
    do wait_failing(&s);
    while (!strstr(s.why, "read-only") && !usleep(10000));
    server_ask_in("postgres", "ALTER DATABASE moongate RESET default_transaction_read_only");
    wait_shipped(&s, head_of(l));
    expect_same();
    end(&s);
    ledger_close(l);
}

static void move(const char *from, const char *to)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        char a[128], b[128], name[64];
        snprintf(name, sizeof name, "%s%s", from, ends[i]);
        kit_path(a, name);
        snprintf(name, sizeof name, "%s%s", to, ends[i]);
        kit_path(b, name);
        rename(a, b);
    }
}

static void expect_refused(const char *word)
{
    struct shipping s;
    begin(&s, (struct ship_options){0});
    wait_refused(&s);
    if (!strstr(s.why, word)) UNIT_FAIL("\"%s\" is not in: %s", word, s.why);
    EXPECT(strstr(s.why, "ledger.gateway"));
    EXPECT_INT(0, s.shipped);
    end(&s);
}

static void a_ledger_that_does_not_follow_is_refused(void)
{
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 30);
    ship_all(l);
    ledger_close(l);
    move("ledger.db", "other.db");
    l = kit_open(); /* another gateway of that name, or one that was put back */
    fill(l, 1000, 20);
    expect_refused("ends before it");
    fill(l, 2000, 20);
    expect_refused("is another in PostgreSQL");
    EXPECT_STR("30|30", server_ask("SELECT (SELECT count(*) FROM moongate.records), "
                                   "(SELECT sum(requests) FROM moongate.rollup)"));
    /* The cure that is named: its entries come under the name, and none that is there already counts twice. */
    server_ask("UPDATE moongate.gateway SET name = 'gw-1 before'");
    fill(l, 1, 30);
    ship_all(l);
    EXPECT_STR("70|70|100", server_ask("SELECT (SELECT count(*) FROM moongate.records), (SELECT sum(requests) FROM "
                                       "moongate.rollup), (SELECT count(*) FROM moongate.audit)"));
    ledger_close(l);
    move("other.db", "ledger.db");
}

static void two_of_one_name_do_not_mix(void)
{
    struct shipping first;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 30);
    begin(&first, (struct ship_options){0});
    wait_shipped(&first, head_of(l));
    move("ledger.db", "first.db"); /* it stays open where it is */
    struct ledger *second = kit_open();
    fill(second, 1000, 40);
    expect_refused("is another in PostgreSQL");
    EXPECT(!ship_state(first.ship)->is_failing);
    EXPECT_STR("30", server_ask("SELECT count(*) FROM moongate.records"));
    ledger_close(second);
    end(&first);
    ledger_close(l);
    move("first.db", "ledger.db");
}

static void gateways_of_other_names_share_a_database(void)
{
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 30);
    ship_all(l);
    ledger_close(l);
    kit_fresh();
    l = kit_open_with((struct ledger_options){.zone = "UTC", .gateway = SLICE("gw-2")});
    fill(l, 1000, 40);
    begin(&s, (struct ship_options){.gateway = SLICE("gw-2")});
    wait_shipped(&s, head_of(l));
    end(&s);
    EXPECT_STR("70|70|2", server_ask("SELECT (SELECT count(*) FROM moongate.records), (SELECT sum(requests) FROM "
                                     "moongate.spend), (SELECT count(DISTINCT shard) FROM moongate.rollup)"));
    ledger_close(l);
}

static void put_at(struct ledger *l, uint64_t n, const char *time)
{
    struct buf body;
    uint8_t id[16];
    buf_init(&body);
    kit_id(id, n);
    kit_body(&body, n, time);
    kit_put_text(l, CHAIN_EXCHANGE, id, buf_slice(&body));
    buf_clear(&body);
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

static void tables_of_a_newer_moongate_are_left_alone(void)
{
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    ship_all(l);
    server_ask("UPDATE moongate.schema_version SET version = 99");
    begin(&s, (struct ship_options){0});
    wait_refused(&s);
    EXPECT(strstr(s.why, "newer moongate"));
    end(&s);
    server_ask("UPDATE moongate.schema_version SET version = 1");
    ledger_close(l);
}

static void what_cannot_be_a_connection_is_refused_at_once(void)
{
    struct fault why = {0};
    static const char *const bad[] = {"postgresql://u:topsecret@h:x/db", "topsecret", "hots=db password=topsecret",
                                      "service=topsecret", "host=a,b,c port=1,2 password=topsecret"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ship_options options = {.data_dir = kit_dir, .gateway = SLICE("gw-1"), .conninfo = bad[i]};
        struct ship *ship = ship_new(NULL, &options, &events, NULL, &why);
        if (ship) UNIT_FAIL("%s is taken", bad[i]);
        EXPECT(strstr(why.text, "postgres.url"));
        EXPECT(!strstr(why.text, "topsecret"));
    }
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
    RUN(a_ledger_that_does_not_follow_is_refused);
    RUN(two_of_one_name_do_not_mix);
    RUN(gateways_of_other_names_share_a_database);
    RUN(days_have_partitions_and_old_ones_go);
    RUN(signed_heads_have_a_witness);
    RUN(tables_of_a_newer_moongate_are_left_alone);
    RUN(what_cannot_be_a_connection_is_refused_at_once);
    kit_end();
    server_end();
    return unit_close("ship");
}
