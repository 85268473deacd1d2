/* Notices on their way to their sinks: at least once, with the same id, whatever becomes of this process or of the sink,
 * and no longer than a day. The sinks are programs. */
#include "../store/ledger_kit.h"

#include "base/limits.h"
#include "base/mem.h"
#include "ledger/alerts.h"
#include "net/loop.h"
#include "store/ledger_alerts.h"

static struct loop *loop;
static struct ledger *ledger;
static void *segment;
static struct stats *stats;
static struct alerts *alerts;

/* ---- The scene. */

static const char *path_of(const char *name)
{
    static char paths[4][96];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    kit_path(path, name);
    return path;
}

static void fresh(void)
{
    static const char *const names[] = {"told", "begun", "ready", "env"};
    kit_fresh();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
}

/* Lines "script\nwords" of /bin/sh -c. */
static struct slice sh(const char *script)
{
    static char lines[2][600];
    static unsigned turn;
    char *text = lines[turn++ % 2];
    snprintf(text, sizeof lines[0], "/bin/sh\n-c\n%s\n-\n%s", script, kit_dir);
    return slice_str(text);
}

static struct sink program(const char *name, const char *script)
{
    return (struct sink){.name = slice_str(name), .kind = SLICE("command"), .command = sh(script)};
}

static void begin(const struct sink *sinks, size_t count)
{
    loop = loop_new();
    segment = mem_zalloc(1, stats_segment_bytes());
    stats = stats_attach(segment);
    ledger = kit_open();
    alerts = alerts_new(loop, stats, SLICE("gw-1"));
    alerts_configure(alerts, sinks, count);
    alerts_open(alerts, ledger);
}

/* As if it were killed. */
static void end(void)
{
    alerts_free(alerts);
    ledger_close(ledger);
    loop_free(loop);
    stats_detach(stats);
    mem_free(segment);
}

static void tell(const char *budget, const char *to)
{
    struct buf body;
    buf_init(&body);
    buf_printf(&body,
               "{\"id\":\"alert_%s\",\"time\":\"" KIT_TIME "\",\"key\":\"app=x\",\"period\":1000,\"at\":8000,"
               "\"to\":[%s],\"text\":\"x has used 80%%\",\"rule\":\"budget/%s@80%%\",\"owner\":\"ada\"}",
               budget, to, budget);
    kit_begin(ledger);
    EXPECT_INT(LEDGER_STORED, kit_put_text(ledger, CHAIN_ALERT, NULL, buf_slice(&body)));
    kit_commit(ledger);
    buf_clear(&body);
}

static void commit(const char *budget, const char *to)
{
    tell(budget, to);
    alerts_committed(alerts);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void turns(unsigned ms)
{
    struct loop_timer timer;
    loop_timer_init(&timer, loop, stop, loop);
    loop_timer_arm_ms(&timer, ms);
    loop_run(loop);
    loop_timer_disarm(&timer);
}

static unsigned waiting(void)
{
    return (unsigned)strtoul(kit_ask("SELECT count(*) FROM outbox"), NULL, 10);
}

static void run_until_waiting(unsigned wanted)
{
    for (int i = 0; i < 3000 && waiting() != wanted; i++)
        turns(10);
    EXPECT_INT(wanted, waiting());
}

static void run_until_there(const char *name)
{
    for (int i = 0; i < 1000 && access(path_of(name), F_OK) != 0; i++)
        turns(10);
    EXPECT(access(path_of(name), F_OK) == 0);
}

static const char *told(void)
{
    static char text[8192];
    FILE *file = fopen(path_of("told"), "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[n] = '\0';
    if (file) fclose(file);
    return text;
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        count++;
    }
    return count;
}

static int64_t metric(enum stats_metric which, const char *sink)
{
    static char name[160];
    struct buf out;
    void *segments[] = {segment};
    static const char *const names[] = {[STATS_NOTICES_SENT] = "moongate_notices_sent_total",
                                        [STATS_NOTICES_FAILED] = "moongate_notices_failed_total",
                                        [STATS_NOTICES_GIVEN_UP] = "moongate_notices_given_up_total"};
    buf_init(&out);
    stats_render(segments, 1, &out);
    buf_append_char(&out, '\0');
    snprintf(name, sizeof name, "\n%s{sink=\"%s\"} ", names[which], sink);
    const char *at = strstr(buf_ptr(&out), name);
    int64_t value = at ? strtoll(at + strlen(name), NULL, 10) : -1;
    buf_clear(&out);
    return value;
}

/* ---- */

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
