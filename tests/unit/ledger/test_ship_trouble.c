/* What a real PostgreSQL can be beside up and down: full, a standby, set up in its own way, one of several. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "ship_kit.h"

static void refuse_batches(const char *state)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
             "USING ERRCODE = '%s', MESSAGE = 'it takes nothing'; END $$; "
             "CREATE TRIGGER refuse BEFORE UPDATE OF seq ON moongate.gateway EXECUTE FUNCTION public.refuse()", state);
    server_ask(sql);
}

/* Each of them lets everybody in. */
static void what_takes_no_batch_is_never_told_as_well(void)
{
    static const char *const states[] = {"53100", "40001", "57014", "XX000"};
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, head_of(l));
    for (uint64_t i = 0; i < sizeof states / sizeof *states; i++) {
        refuse_batches(states[i]);
        fill(l, 1000 * (i + 1), i % 2 ? 10 : 500);
        ship_committed(s.ship, true);
        uint64_t failures = ship_state(s.ship)->failures;
        wait_failing_with(&s, states[i]);
        uint64_t told_well = s.told_well;
        do wait_failing(&s);
        while (ship_state(s.ship)->failures < failures + 4);
        EXPECT_INT((long long)told_well, (long long)s.told_well);
        server_ask("DROP TRIGGER refuse ON moongate.gateway");
        wait_shipped(&s, head_of(l));
        expect_same();
    }
    end(&s);
    ledger_close(l);
}

/* As a small gateway's old log has them when it is imported. */
static void entries_of_many_days_need_not_many_locks(void)
{
    struct shipping s;
    char time[64];
    fresh();
    server_kill(SIGINT);
    server_start("max_locks_per_transaction=16");
    struct ledger *l = kit_open();
    kit_begin(l);
    for (uint64_t n = 0; n < 336; n++) {
        snprintf(time, sizeof time, "2024-%02d-%02dT12:00:00.000Z", (int)(n / 28) + 1, (int)(n % 28) + 1);
        put_at(l, n, time);
    }
    kit_commit(l);
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, head_of(l));
    expect_same();
    end(&s);
    ledger_close(l);
    server_kill(SIGINT);
    server_start(NULL);
}

static void settings_of_the_role_do_not_matter(void)
{
    static const char *const odd[] = {
        "datestyle = 'German, DMY'", "timezone = 'Asia/Kathmandu'", "bytea_output = 'escape'",
        "standard_conforming_strings = off", "default_transaction_isolation = 'serializable'",
        "synchronous_commit = off", "search_path = 'public'", "client_encoding = 'LATIN1'", "array_nulls = off",
        "idle_session_timeout = 400", "idle_in_transaction_session_timeout = 400", "lock_timeout = 1",
        "intervalstyle = 'iso_8601'", "extra_float_digits = 0", "statement_timeout = 3000"};
    static const char backend[] = "SELECT pid FROM pg_stat_activity WHERE application_name = 'moongate gw-1'";
    char sql[128];
    struct shipping s;
    fresh();
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        snprintf(sql, sizeof sql, "ALTER ROLE moongate SET %s", odd[i]);
        server_ask(sql);
    }
    struct ledger *l = kit_open();
    kit_begin(l);
    put_at(l, 1, "2025-06-03T23:59:59.999Z");
    put_at(l, 2, "2025-06-04T00:00:00.000Z");
    kit_commit(l);
    fill(l, 100, 400);
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, head_of(l));
    expect_same();
    EXPECT_STR("401|1", server_ask("SELECT (SELECT count(*) FROM moongate.records_20250603), "
                                   "(SELECT count(*) FROM moongate.records_20250604)"));
    const char *pid = server_ask(backend);
    server_ask("SELECT pg_sleep(0.6)");
    EXPECT_STR(pid, server_ask(backend)); /* nobody has closed it */
    end(&s);
    ledger_close(l);
    server_ask("ALTER ROLE moongate RESET ALL");
}

static void expect_cure(const char *conninfo, const char *word)
{
    struct shipping s;
    fresh();
    server_ask("CREATE SCHEMA moongate AUTHORIZATION moongate; CREATE TABLE moongate.records(n int)");
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    begin(&s, (struct ship_options){.conninfo = conninfo});
    wait_refused(&s);
    if (!strstr(s.why, word)) UNIT_FAIL("\"%s\" is not in: %s", word, s.why);
    end(&s);
    ledger_close(l);
}

static void what_people_must_mend_is_refused_with_its_cure(void)
{
    char conninfo[160];
    snprintf(conninfo, sizeof conninfo, "host=%s port=%u dbname=moongate user=guest password=guest", server_dir,
             server_port);
    server_ask("CREATE ROLE guest LOGIN PASSWORD 'guest'");
    expect_cure(conninfo, "must own");
    expect_cure(NULL, "another program's");
    server_ask("DROP ROLE guest");
}

/* Like a host that is down behind a network that says nothing: it takes the connection and never a word. */
static int listen_in_silence(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 16) == 0);
    EXPECT(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void a_host_behind_one_that_is_silent_is_found(void)
{
    char conninfo[256];
    uint16_t port;
    struct shipping s;
    int silent = listen_in_silence(&port);
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%d dbname=moongate user=moongate connect_timeout=1", port);
    begin(&s, (struct ship_options){.conninfo = conninfo});
    wait_failing_with(&s, "no answer in time");
    EXPECT(strstr(s.why, "127.0.0.1"));
    end(&s);
    snprintf(conninfo, sizeof conninfo, "host=/nowhere,127.0.0.1,%s port=%u,%d,%u dbname=moongate user=moongate "
             "password=secret connect_timeout=1", server_dir, server_port, port, server_port);
    begin(&s, (struct ship_options){.conninfo = conninfo});
    wait_shipped(&s, head_of(l));
    expect_same();
    EXPECT_INT(0, (long long)ship_state(s.ship)->failures);
    end(&s);
    ledger_close(l);
    close(silent);
}

static void all_that_was_tried_is_told(void)
{
    char conninfo[256];
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    snprintf(conninfo, sizeof conninfo, "host=/nowhere,%s port=%u user=moongate password=wrong", server_dir,
             server_port);
    begin(&s, (struct ship_options){.conninfo = conninfo});
    wait_failing_with(&s, "password authentication failed");
    EXPECT(strstr(s.why, "/nowhere"));
    EXPECT(!strstr(s.why, "wrong"));
    end(&s);
    ledger_close(l);
}

static void a_standby_is_waited_for_until_it_leads(void)
{
    char path[64];
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, head_of(l));
    server_kill(SIGINT);
    snprintf(path, sizeof path, "%s/data/standby.signal", server_dir);
    fclose(fopen(path, "w"));
    fill(l, 100, 300);
    ship_committed(s.ship, true);
    server_start(NULL);
    wait_failing_with(&s, "read-only");
    EXPECT_STR("t", server_ask("SELECT pg_promote()"));
    wait_shipped(&s, head_of(l));
    expect_same();
    end(&s);
    ledger_close(l);
}

static void an_end_is_told_in_the_words_of_the_server(void)
{
    struct shipping s;
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 10);
    begin(&s, (struct ship_options){0});
    wait_shipped(&s, head_of(l));
    server_ask("ALTER ROLE moongate NOLOGIN");
    server_ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'moongate gw-1'");
    wait_failing(&s);
    EXPECT(strstr(s.why, "administrator command"));
    wait_failing_with(&s, "not permitted to log in");
    server_ask("ALTER ROLE moongate LOGIN CONNECTION LIMIT 0");
    wait_failing_with(&s, "too many connections");
    server_ask("ALTER ROLE moongate CONNECTION LIMIT -1");
    wait_shipped(&s, head_of(l));
    end(&s);
    ledger_close(l);
}

int main(void)
{
    setenv("MOONGATE_LOG", "error", 0);
    log_init("ship");
    server_start(NULL);
    RUN(what_takes_no_batch_is_never_told_as_well);
    RUN(entries_of_many_days_need_not_many_locks);
    RUN(settings_of_the_role_do_not_matter);
    RUN(what_people_must_mend_is_refused_with_its_cure);
    RUN(a_host_behind_one_that_is_silent_is_found);
    RUN(all_that_was_tried_is_told);
    RUN(a_standby_is_waited_for_until_it_leads);
    RUN(an_end_is_told_in_the_words_of_the_server);
    kit_end();
    server_end();
    return unit_close("ship_trouble");
}
