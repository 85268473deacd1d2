/* Notices on their way to their sinks: at least once, with the same id, whatever becomes of this process or of the sink,
 * and no longer than a day. The sinks are programs. */
#include "alerts_kit.h"

#include "store/ledger/alerts.h"

static void a_program_gets_it_as_json_once(void)
{
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(sinks, 1);
    commit("sales", "\"ops:team-a\"");
    run_until_waiting(0);
    EXPECT_STR("{\"receiver\":\"ops:team-a\",\"address\":\"team-a\",\"gateway\":\"gw-1\",\"id\":\"alert_sales\","
               "\"time\":\"" KIT_TIME "\",\"key\":\"app=x\",\"period\":1000,\"at\":8000,\"to\":[\"ops:team-a\"],"
               "\"text\":\"x has used 80%\",\"rule\":\"budget/sales@80%\",\"owner\":\"ada\"}\n",
               told());
    EXPECT_INT(1, metric(STATS_NOTICES_SENT, "ops"));
    EXPECT_INT(0, metric(STATS_NOTICES_FAILED, "ops"));
    end();
    begin(sinks, 1); /* and not once more */
    turns(50);
    EXPECT_INT(1, count_of(told(), "alert_sales"));
    end();
}

static void killed_between_commit_and_sending_it_is_sent_at_the_next_start(void)
{
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(sinks, 1);
    tell("sales", "\"ops:team-a\"");
    end();
    EXPECT_STR("", told());
    begin(sinks, 1);
    run_until_waiting(0);
    EXPECT_INT(1, count_of(told(), "\"id\":\"alert_sales\""));
    EXPECT_STR("1", kit_ask("SELECT count(*) FROM chain WHERE kind = 8"));
    end();
}

/* Killed while it is being taken, it is sent once more, with the same id; what it had begun is over. */
static void killed_while_sending_it_is_sent_again(void)
{
    struct sink slow[] = {program("ops", "cat >> $1/told; touch $1/begun; sleep 100; touch $1/ready")};
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(slow, 1);
    commit("sales", "\"ops\"");
    run_until_there("begun");
    end();
    EXPECT_INT(1, waiting());
    begin(sinks, 1);
    run_until_waiting(0);
    EXPECT_INT(2, count_of(told(), "\"id\":\"alert_sales\""));
    EXPECT(access(path_of("ready"), F_OK) != 0);
    end();
}

static void what_is_not_taken_is_tried_again_and_holds_up_nobody_else(void)
{
    struct sink sinks[] = {program("ops", "test -e $1/ready && cat >> $1/told"), program("pager", "cat >> $1/told")};
    fresh();
    begin(sinks, 2);
    commit("sales", "\"ops\",\"pager:x\"");
    run_until_waiting(1);
    EXPECT_INT(1, count_of(told(), "\"receiver\":\"pager:x\""));
    for (int i = 0; i < 1000 && metric(STATS_NOTICES_FAILED, "ops") < 2; i++)
        turns(10);
    EXPECT(strtol(kit_ask("SELECT tries FROM outbox"), NULL, 10) >= 2);
    fclose(fopen(path_of("ready"), "w"));
    run_until_waiting(0);
    EXPECT_INT(1, count_of(told(), "\"receiver\":\"ops\""));
    EXPECT_INT(1, metric(STATS_NOTICES_SENT, "ops"));
    end();
}

static void after_a_day_it_is_given_up(void)
{
    struct sink sinks[] = {program("ops", "exit 1")};
    fresh();
    begin(sinks, 1);
    tell("sales", "\"ops\",\"nobody:x\"");
    sqlite3_exec(ledger_connection(ledger), "UPDATE outbox SET since_us = since_us - 86401 * 1000000", NULL, NULL, NULL);
    alerts_committed(alerts);
    run_until_waiting(0);
    EXPECT_INT(1, metric(STATS_NOTICES_GIVEN_UP, "ops"));
    EXPECT_STR("1", kit_ask("SELECT count(*) FROM chain WHERE kind = 8"));
    end();
}

/* One that there is none of may come; the owner's need not be there. */
static void a_sink_may_come_later(void)
{
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(NULL, 0);
    commit("sales", "\"ops\",\"owner\"");
    run_until_waiting(1);
    EXPECT_STR("ops", kit_ask("SELECT sink FROM outbox"));
    alerts_configure(alerts, sinks, 1);
    run_until_waiting(0);
    EXPECT_INT(1, count_of(told(), "\"receiver\":\"ops\""));
    end();
}

static void the_owner_is_whom_apps_lua_names(void)
{
    struct sink sinks[] = {program("owner", "cat >> $1/told")};
    fresh();
    begin(sinks, 1);
    commit("sales", "\"owner\"");
    run_until_waiting(0);
    EXPECT(strstr(told(), "{\"receiver\":\"owner\",\"address\":\"ada\"") == told());
    end();
}

static void other_sinks_while_one_is_being_told(void)
{
    struct sink slow[] = {program("ops", "touch $1/begun; sleep 100")};
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(slow, 1);
    commit("sales", "\"ops\"");
    run_until_there("begun");
    alerts_configure(alerts, sinks, 1);
    run_until_waiting(0);
    EXPECT_INT(1, count_of(told(), "\"receiver\":\"ops\""));
    end();
}

/* Secrets of the gateway are in its variables. */
static void a_program_sees_few_variables_and_nothing_that_is_open(void)
{
    struct sink sinks[] = {program("ops", "{ env; ls /proc/self/fd; } > $1/told")};
    fresh();
    setenv("OPENAI_API_KEY", "sk-secret", 1);
    begin(sinks, 1);
    commit("sales", "\"ops\"");
    run_until_waiting(0);
    EXPECT(strstr(told(), "PATH=") != NULL);
    EXPECT(strstr(told(), "sk-secret") == NULL);
    EXPECT(strstr(told(), "\n4\n") == NULL); /* 3 is the folder that ls reads */
    end();
}

static void a_program_that_is_not_there_is_a_failure(void)
{
    struct sink sinks[] = {{.name = SLICE("ops"), .kind = SLICE("command"), .command = SLICE("/nowhere/x")}};
    fresh();
    begin(sinks, 1);
    commit("sales", "\"ops\"");
    for (int i = 0; i < 1000 && metric(STATS_NOTICES_FAILED, "ops") < 1; i++)
        turns(10);
    EXPECT_INT(1, waiting());
    end();
}

/* ---- Where other gateways have the same budgets. */

static struct {
    unsigned asked;
    uint64_t seq;
    bool is_away; /* who would know */
} claim;

static bool on_claim(void *arg, const struct ledger_alert *alert, uint64_t seq)
{
    (void)arg;
    EXPECT_SLICE(SLICE("app=x"), alert->key);
    EXPECT_INT(1000, alert->start_s);
    claim.asked++;
    claim.seq = seq;
    return !claim.is_away;
}

static void run_until_asked(unsigned times)
{
    for (int i = 0; i < 3000 && claim.asked < times; i++)
        turns(10);
    EXPECT(claim.asked >= times);
}

static void begin_with_others(const struct sink *sinks, size_t count)
{
    memset(&claim, 0, sizeof claim);
    begin(sinks, 0);
    alerts_claim_by(alerts, on_claim, NULL);
    alerts_configure(alerts, sinks, count);
}

static void nothing_is_sent_of_what_is_anothers(void)
{
    struct sink sinks[] = {program("ops", "cat >> $1/told"), program("log", "cat >> $1/told")};
    fresh();
    begin_with_others(sinks, 2);
    commit("sales", "\"ops:a\",\"log:b\"");
    run_until_asked(1);
    turns(50);
    EXPECT_INT(2, waiting());
    EXPECT_INT(1, claim.asked); /* for both of its receivers */
    alerts_claimed(alerts, claim.seq, ALERTS_ANOTHERS);
    EXPECT_INT(0, waiting());
    commit("legal", "\"ops:a\",\"log:b\"");
    run_until_asked(2);
    alerts_claimed(alerts, claim.seq, ALERTS_OWN);
    run_until_waiting(0);
    EXPECT_INT(2, claim.asked);
    EXPECT_INT(0, count_of(told(), "alert_sales"));
    EXPECT_INT(2, count_of(told(), "\"id\":\"alert_legal\""));
    EXPECT_STR("2,1", kit_ask("SELECT group_concat(whose) FROM (SELECT * FROM alerts ORDER BY seq)"));
    EXPECT_STR("2", kit_ask("SELECT count(*) FROM chain WHERE kind = 8"));
    end();
}

static void it_waits_while_nobody_can_say_whose_it_is(void)
{
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin_with_others(sinks, 1);
    claim.is_away = true;
    commit("sales", "\"ops:a\"");
    run_until_asked(2);
    claim.is_away = false;
    run_until_asked(3);
    alerts_claimed(alerts, claim.seq, ALERTS_UNKNOWN);
    run_until_asked(4);
    EXPECT_INT(1, waiting());
    EXPECT_STR("", told());
    end(); /* claimed perhaps, and killed */
    begin_with_others(sinks, 1);
    run_until_asked(1);
    alerts_claimed(alerts, claim.seq, ALERTS_OWN);
    run_until_waiting(0);
    EXPECT_INT(1, count_of(told(), "\"id\":\"alert_sales\""));
    end();
}

int main(void)
{
    kit_fresh();
    RUN(a_program_gets_it_as_json_once);
    RUN(killed_between_commit_and_sending_it_is_sent_at_the_next_start);
    RUN(killed_while_sending_it_is_sent_again);
    RUN(what_is_not_taken_is_tried_again_and_holds_up_nobody_else);
    RUN(after_a_day_it_is_given_up);
    RUN(a_sink_may_come_later);
    RUN(the_owner_is_whom_apps_lua_names);
    RUN(other_sinks_while_one_is_being_told);
    RUN(a_program_sees_few_variables_and_nothing_that_is_open);
    RUN(a_program_that_is_not_there_is_a_failure);
    RUN(nothing_is_sent_of_what_is_anothers);
    RUN(it_waits_while_nobody_can_say_whose_it_is);
    fresh();
    kit_end();
    return unit_close("alerts");
}
