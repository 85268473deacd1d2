/* What PostgreSQL has and a ledger that does not belong to it: nothing is mixed, and it is said. */
#include "ship_kit.h"

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

static uint64_t fill_as(const char *gateway, uint64_t from)
{
    struct ledger *l = kit_open_with((struct ledger_options){.zone = "UTC", .gateway = slice_str(gateway)});
    fill(l, from, 3000);
    uint64_t head = head_of(l);
    ledger_close(l);
    return head;
}

static void ship_as(const char *gateway, uint64_t head)
{
    struct shipping s;
    begin(&s, (struct ship_options){.gateway = slice_str(gateway)});
    wait_shipped(&s, head);
    end(&s);
}

/* Both find an empty database, and want the same tables, partitions and rows of sums. */
static void gateways_that_begin_together_wait_for_each_other(void)
{
    char first[sizeof kit_dir];
    fresh();
    uint64_t head = fill_as("gw-1", 1);
    memcpy(first, kit_dir, sizeof first);
    memcpy(kit_dir, "/tmp/moongate-ledger-XXXXXX", sizeof kit_dir);
    kit_fresh();
    uint64_t other_head = fill_as("gw-2", 10000);
    pid_t pid = fork();
    if (pid == 0) {
        ship_as("gw-2", other_head);
        _exit(0);
    }
    char other[sizeof kit_dir];
    memcpy(other, kit_dir, sizeof other);
    memcpy(kit_dir, first, sizeof first);
    ship_as("gw-1", head);
    int status = 1;
    EXPECT_INT(pid, waitpid(pid, &status, 0));
    EXPECT_INT(0, status);
    EXPECT_STR("6000|6000|2", server_ask("SELECT (SELECT count(*) FROM moongate.records), (SELECT sum(requests) FROM "
                                         "moongate.spend), (SELECT count(*) FROM moongate.gateway)"));
    memcpy(kit_dir, other, sizeof other);
    kit_end();
    memcpy(kit_dir, first, sizeof first);
}

/* So many that they are copied, until one is met that is there. */
static void what_is_there_already_counts_once_in_a_large_batch(void)
{
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 20);
    ship_all(l);
    ledger_close(l);
    kit_fresh();
    l = kit_open_with((struct ledger_options){.zone = "UTC", .gateway = SLICE("gw-2")});
    fill(l, 1000, 3000);
    fill(l, 1, 20);
    fill(l, 5000, 3000);
    struct shipping s;
    begin(&s, (struct ship_options){.gateway = SLICE("gw-2")});
    wait_shipped(&s, head_of(l));
    end(&s);
    EXPECT_STR("6020|6020|6020|6040",
               server_ask("SELECT (SELECT count(*) FROM moongate.records), (SELECT sum(requests) FROM moongate.rollup), "
                          "(SELECT sum(requests) FROM moongate.rollup_label), (SELECT count(*) FROM moongate.audit)"));
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
                                      "service=topsecret", "postgresql://u:p@topsecret@h/db",
                                      "postgres://u:5432/topsecret@h/db", "postgresql://u:p@s/topsecret@h/db?a@b",
                                      "host=a,b,c port=1,2 password=topsecret"};
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
    RUN(a_ledger_that_does_not_follow_is_refused);
    RUN(two_of_one_name_do_not_mix);
    RUN(gateways_of_other_names_share_a_database);
    RUN(gateways_that_begin_together_wait_for_each_other);
    RUN(what_is_there_already_counts_once_in_a_large_batch);
    RUN(tables_of_a_newer_moongate_are_left_alone);
    RUN(what_cannot_be_a_connection_is_refused_at_once);
    kit_end();
    server_end();
    return unit_close("ship_refused");
}
