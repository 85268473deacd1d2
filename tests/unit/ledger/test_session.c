/* Gateways that count together: what each ledger has told adds up, whoever dies, whatever Redis loses. */
#include "session_kit.h"

#include "store/ledger/alerts.h"

static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

static void sums_of_all_ledgers_add_up(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_new("gw.a", 0), *b = gateway_start("gw-b");
    gateway_put(b, 2, "app=a", 30);
    gateway_commit(b);
    gateway_run(a);
    gateway_put(a, 1, "app=a", 70);
    gateway_commit(a);
    WAIT(is_open(a) && is_open(b) && a->view.gateways == 2 && b->view.gateways == 2);
    EXPECT(strncmp(a->view.session, "gw-a-", 5) == 0);
    EXPECT_STR(a->view.epoch, b->view.epoch);
    WAIT(spent("app=a") == 100);
    EXPECT(hold(a, LIVING, 3, "app=a", 50));
    EXPECT_INT(50, held("app=a"));
    settle(a, 3, "app=a", 15);
    gateway_put(a, 3, "app=a", 15);
    gateway_commit(a);
    gateway_commit(a);
    WAIT(spent("app=a") == 115);
    EXPECT_INT(0, held("app=a"));
    gateway_end(a);
    gateway_end(b);
    fleet_end();
}

/* Its workers live on, and hold what they hold. */
static void a_ledger_process_goes_on_with_the_session_of_the_one_before(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a");
    WAIT(is_open(a));
    EXPECT(hold(a, LIVING, 1, "app=a", 10) && hold(a, LIVING, 2, "app=a", 20) && hold(a, LIVING, 3, "app=a", 40));
    settle(a, 1, "app=a", 7);
    gateway_put(a, 1, "app=a", 7);
    gateway_put(a, 2, "app=a", 9); /* whose settlement was lost */
    const char *name = arena_copy(&arena, slice_str(a->view.session)).ptr;
    gateway_kill(a);
    gateway_run(a);
    WAIT(spent("app=a") == 16 && held("app=a") == 40);
    EXPECT(is_open(a));
    EXPECT_STR(name, a->view.session);
    EXPECT_INT(1, sessions());
    EXPECT_INT(1, kept(a));
    gateway_end(a);
    fleet_end();
}

/* --- other gateways --- */

/* A volume's snapshot, or a machine's image: both tell under one name. */
static void a_copied_ledger_is_said_by_both(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_new("gw-a", 600), *b = gateway_new("gw-b", 600);
    gateway_run(a);
    gateway_put(a, 1, "app=a", 70);
    gateway_kill(a);
    gateway_copy(a, b);
    a->post = (struct counters_post){0};
    gateway_run(a);
    WAIT(is_open(a));
    gateway_run(b);
    WAIT(is_said(a, "a copy of this one's ledger") && is_said(b, "a copy of this one's ledger"));
    gateway_end(b);
    WAIT(is_open(a));
    gateway_end(a);
    fleet_end();
}

static int64_t gauge(struct gateway *g, enum stats_metric metric)
{
    return stats_value(g->stats, stats_series(g->stats, metric, NULL));
}

static void whose_billing_zone_is_another_does_not_count_with_them(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_new("gw-a", 0), *b = gateway_new("gw-b", 0);
    a->zone = "UTC";
    b->zone = "Asia/Tokyo";
    gateway_run(a);
    WAIT(is_open(a));
    gateway_run(b);
    gateway_put(b, 2, "app=a", 30);
    gateway_commit(b);
    WAIT(is_said(b, "billing.timezone is Asia/Tokyo here and UTC in the gateways"));
    EXPECT_INT(1, gauge(b, STATS_REDIS_ZONE));
    EXPECT_INT(0, gauge(b, STATS_REDIS_UP));
    EXPECT_STR("", b->view.epoch);
    EXPECT_STR("OK", sync_text("FLUSHALL", NULL)); /* it is not the first to come back */
    WAIT(is_open(a) && strcmp("UTC", sync_text("GET", "mg1:{p0}:Z", NULL)) == 0);
    EXPECT_INT(0, spent("app=a"));
    EXPECT_INT(0, gauge(a, STATS_REDIS_ZONE));
    session_leave(a->session, on_left, a);
    WAIT(a->has_left);
    WAIT(is_open(b) && spent("app=a") == 30); /* nobody has another any more */
    EXPECT_INT(0, gauge(b, STATS_REDIS_ZONE));
    gateway_end(a);
    gateway_end(b);
    fleet_end();
}

/* --- what Redis does --- */

static void all_is_told_to_an_empty_redis(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a"), *b = gateway_start("gw-b");
    gateway_put(a, 1, "app=a", 70);
    gateway_put(b, 2, "app=a", 30);
    WAIT(is_open(a) && is_open(b));
    const char *epoch_before = arena_copy(&arena, slice_str(a->view.epoch)).ptr;
    EXPECT_STR("OK", sync_text("FLUSHALL", NULL));
    WAIT(is_open(a) && is_open(b) && strcmp(a->view.epoch, epoch_before) != 0 && spent("app=a") == 100 &&
         strcmp(a->view.epoch, b->view.epoch) == 0);
    EXPECT_INT(2, sessions());
    WAIT(kept(a) == 1 && kept(b) == 1);
    redis_server_kill(&sync_server, SIGKILL); /* it had saved nothing */
    gateway_put(a, 3, "app=a", 5);
    gateway_commit(a);
    WAIT(!is_open(a) && !is_open(b));
    redis_server_again(&sync_server, NULL);
    fclose(sync_stream);
    sync_connect();
    WAIT(is_open(a) && is_open(b) && spent("app=a") == 105);
    gateway_end(a);
    gateway_end(b);
    fleet_end();
}

static void a_session_that_was_fenced_is_begun_anew(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a");
    gateway_put(a, 1, "app=a", 70);
    WAIT(is_open(a));
    const char *name = arena_copy(&arena, slice_str(a->view.session)).ptr;
    EXPECT(hold(a, LIVING, 2, "app=a", 9));
    EXPECT_STR("1", say(counters_call_fence(name, true, &arena)));
    WAIT(is_open(a) && strcmp(a->view.session, name) != 0);
    WAIT(held("app=a") == 0 && sessions() == 1 && kept(a) == 1);
    EXPECT_INT(70, spent("app=a"));
    gateway_end(a);
    fleet_end();
}

/* For longer than the lease: nobody had taken it for dead. */
static void a_redis_that_stood_still_is_told_what_it_missed(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_new("gw-a", 900);
    gateway_run(a);
    WAIT(is_open(a));
    kill(sync_server.pid, SIGSTOP);
    gateway_put(a, 1, "app=a", 70);
    gateway_commit(a);
    WAIT(!is_open(a));
    EXPECT(a->view.epoch[0]); /* who asks there may find it before this room does */
    gateway_put(a, 2, "app=a", 30);
    gateway_commit(a);
    kill(sync_server.pid, SIGCONT);
    WAIT(is_open(a));
    EXPECT_INT(100, spent("app=a"));
    gateway_end(a);
    fleet_end();
}

static void keep_files(void)
{
    char command[256];
    snprintf(command, sizeof command, "cp -r %s/appendonlydir %s/kept", sync_server.dir, sync_server.dir);
    EXPECT_INT(0, system(command));
}

static void come_back_with_kept_files(void)
{
    char command[256];
    redis_server_kill(&sync_server, SIGKILL);
    snprintf(command, sizeof command, "rm -r %s/appendonlydir && mv %s/kept %s/appendonlydir", sync_server.dir,
             sync_server.dir, sync_server.dir);
    EXPECT_INT(0, system(command));
    redis_server_again(&sync_server, durable);
    fclose(sync_stream);
    sync_connect();
}

/* In what it lost a session of this gateway had been cleared away. */
static void what_was_cleared_away_and_is_there_again_goes_again(void)
{
    fleet_begin(durable);
    struct gateway *a = gateway_start("gw-a");
    WAIT(is_open(a));
    EXPECT(hold(a, LIVING, 1, "app=a", 10));
    settle(a, 1, "app=a", 5);
    EXPECT(hold(a, LIVING, 2, "app=a", 10));
    keep_files();
    gateway_kill(a);
    a->post = (struct counters_post){0};
    gateway_run(a);
    WAIT(is_open(a) && held("app=a") == 0 && sessions() == 1 && kept(a) == 1);
    come_back_with_kept_files();
    WAIT(is_open(a) && held("app=a") == 0 && sessions() == 1 && kept(a) == 1);
    gateway_end(a);
    fleet_end();
}

/* A crash with appendfsync everysec, or a replica that was behind. */
static void a_redis_that_lost_its_last_seconds_is_told_them(void)
{
    fleet_begin(durable);
    struct gateway *a = gateway_start("gw-a");
    gateway_put(a, 1, "app=a", 70);
    gateway_commit(a);
    WAIT(is_open(a) && spent("app=a") == 70);
    const char *name = arena_copy(&arena, slice_str(a->view.session)).ptr;
    keep_files();
    gateway_put(a, 2, "app=b", 30);
    gateway_commit(a);
    WAIT(spent("app=b") == 30);
    come_back_with_kept_files();
    WAIT(is_open(a) && spent("app=b") == 30);
    EXPECT_INT(70, spent("app=a"));
    EXPECT_STR(name, a->view.session);
    gateway_end(a);
    fleet_end();
}

/* The queue to Redis is full: what is not taken is told when there is room, without another connection. */
static void what_finds_no_room_is_told_later(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a");
    WAIT(is_open(a));
    kill(sync_server.pid, SIGSTOP);
    gateway_put(a, 1, "app=a", 70);
    for (unsigned i = 0; i < 2 * LIMIT_REDIS_QUESTIONS; i++)
        gateway_commit(a);
    EXPECT(!is_open(a));
    gateway_put(a, 2, "app=b", 30);
    gateway_commit(a);
    kill(sync_server.pid, SIGCONT);
    WAIT(is_open(a) && spent("app=b") == 30);
    EXPECT_INT(70, spent("app=a"));
    gateway_end(a);
    fleet_end();
}

static void nobody_is_there(void)
{
    char why[SHARED_TEXT_BYTES] = "";
    fleet_begin(NULL);
    redis_server_kill(&sync_server, SIGKILL);
    struct gateway *a = gateway_start("gw-a");
    gateway_put(a, 1, "app=a", 70);
    gateway_commit(a);
    WAIT((shared_text_get(&a->post.why, why, sizeof why), why[0]));
    EXPECT_INT(1, a->post.is_used);
    EXPECT_STR("", a->view.session);
    gateway_end(a);
    EXPECT(!session_new(loop, NULL, &(struct session_options){.url = SLICE("")}, NULL, NULL));
    session_committed(NULL);
    session_claim(NULL);
    session_free(NULL);
    fleet_end();
}

/* --- sums --- */

static void a_repair_makes_sums_less(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a");
    gateway_put(a, 1, "app=a", 70);
    gateway_commit(a);
    WAIT(is_open(a) && spent("app=a") == 70);
    sql(a, "UPDATE charges SET nano = 60");
    gateway_kill(a);
    a->post = (struct counters_post){0};
    gateway_run(a);
    WAIT(is_open(a));
    EXPECT_INT(60, spent("app=a"));
    gateway_end(a);
    fleet_end();
}

static int64_t sum_count(void)
{
    return strtoll(sync_text("HLEN", period_key().ptr, NULL), NULL, 10) / 2 - 1; /* with what this ledger told; m and w */
}

static void many_sums_keep_nobody(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_new("gw-a", 0);
    gateway_run(a);
    gateway_put(a, 1, "app=zzz", 1);
    gateway_kill(a);
    a->post = (struct counters_post){0};
    gateway_run(a);
    sql(a, "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 50000)"
           " INSERT INTO charges SELECT printf('user=%d', i), start_s, stop_s, 0, i, last_s, 0 FROM charges, n;"
           "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
           " INSERT INTO charges SELECT printf('aold=%d', i), 1000, 2000, 0, i, 1500, 0 FROM n");
    uint64_t began_ns = clock_mono_ns();
    for (uint64_t n = 2; !is_open(a) && n < 2000; n++) {
        gateway_put(a, n, "user=1", 1);
        gateway_commit(a);
        loop_timer_arm_ms(&tick, 5);
        loop_run(loop);
    }
    WAIT(is_open(a));
    printf("# 50000 sums, and commits beside them, are told in %llu ms (with the grace)\n",
           (unsigned long long)((clock_mono_ns() - began_ns) / NS_PER_MS));
    EXPECT_INT(50001, sum_count());
    EXPECT_INT(50000, spent("user=50000"));
    EXPECT_INT(0, stats_value(a->stats, stats_series(a->stats, STATS_REDIS_LOSSES, NULL)));
    gateway_end(a);
    fleet_end();
}

/* --- notices --- */

static uint64_t claims;

static enum alerts_whose claimed(struct gateway *g, const char *id)
{
    struct ledger_alert alert = {.id = slice_str(id), .key = SLICE("app=a"), .start_s = period - 86400};
    g->whose = ALERTS_UNKNOWN;
    bool is_asked = false;
    claims++;
    WAIT(is_asked || (is_asked = session_claim_notice(g->session, &alert, claims)));
    WAIT(g->claimed_seq == claims);
    return g->whose;
}

static void put_notice(struct gateway *g, const char *id, const char *budget, const char *to)
{
    struct buf body;
    struct fault why = {0};
    buf_init(&body);
    buf_printf(&body, "{\"id\":\"%s\",\"key\":\"app=a\",\"period\":%lld,\"at\":8000,\"to\":[%s],\"rule\":\"%s@80%%\"}",
               id, (long long)period - 86400, to, budget);
    struct ledger_entry entry = {.kind = CHAIN_ALERT, .body = buf_slice(&body)};
    if (!ledger_begin(g->ledger, &why) || ledger_put(g->ledger, &entry, &why) != LEDGER_STORED ||
        !ledger_commit(g->ledger, &why)) {
        UNIT_FAIL("put: %s", why.text);
    }
    buf_clear(&body);
}

static void lose_memory(struct gateway *a, struct gateway *b)
{
    const char *before = arena_copy(&arena, slice_str(a->view.epoch)).ptr;
    EXPECT_STR("OK", sync_text("FLUSHALL", NULL));
    WAIT(is_open(a) && is_open(b) && strcmp(a->view.epoch, before) != 0 && strcmp(a->view.epoch, b->view.epoch) == 0);
}

/* Also when Redis has lost who had claimed it, and the other comes first. */
static void one_gateway_of_all_gives_a_notice_out(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a"), *b = gateway_start("gw-b");
    struct ledger_alert alert = {.id = SLICE("alert_1"), .start_s = period - 86400};
    EXPECT(!session_claim_notice(a->session, &alert, 1)); /* nobody can say yet */
    WAIT(is_open(a) && is_open(b));
    EXPECT_INT(ALERTS_OWN, claimed(a, "alert_1"));
    EXPECT_INT(ALERTS_ANOTHERS, claimed(b, "alert_1"));
    EXPECT_INT(ALERTS_OWN, claimed(b, "alert_2"));
    EXPECT_INT(ALERTS_OWN, claimed(a, "alert_1"));
    gateway_kill(a);
    gateway_run(a);
    WAIT(is_open(a));
    EXPECT_INT(ALERTS_OWN, claimed(a, "alert_1"));
    EXPECT_INT(ALERTS_ANOTHERS, claimed(a, "alert_2"));
    gateway_put(a, 1, "app=a", 70);
    put_notice(a, "alert_1", "budget/one", "");
    put_notice(a, "alert_3", "budget/two", "");
    lose_memory(a, b);
    EXPECT_INT(ALERTS_ANOTHERS, claimed(b, "alert_1"));
    EXPECT_INT(ALERTS_ANOTHERS, claimed(b, "alert_3"));
    kill(sync_server.pid, SIGSTOP);
    EXPECT(session_claim_notice(a->session, &alert, ++claims));
    WAIT(a->claimed_seq == claims);
    EXPECT_INT(ALERTS_UNKNOWN, a->whose);
    kill(sync_server.pid, SIGCONT);
    gateway_end(a);
    gateway_end(b);
    fleet_end();
}

/* Who has not sent it yet has claimed it, and who left it to him has not. */
static void a_notice_stays_whose_it_is(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a"), *b = gateway_start("gw-b");
    WAIT(is_open(a) && is_open(b));
    gateway_put(a, 1, "app=a", 70);
    gateway_put(b, 2, "app=a", 70);
    put_notice(a, "alert_1", "budget/one", "\"ops\"");
    put_notice(b, "alert_1", "budget/one", "");
    put_notice(b, "alert_2", "budget/two", "\"ops\"");
    put_notice(a, "alert_2", "budget/two", "");
    sql(a, "UPDATE alerts SET whose = iif(budget = 'budget/one', 1, 2)");
    sql(b, "UPDATE alerts SET whose = iif(budget = 'budget/one', 2, 1)");
    lose_memory(a, b);
    EXPECT_INT(ALERTS_ANOTHERS, claimed(b, "alert_1"));
    EXPECT_INT(ALERTS_ANOTHERS, claimed(a, "alert_2"));
    EXPECT_INT(ALERTS_OWN, claimed(a, "alert_1"));
    EXPECT_INT(ALERTS_OWN, claimed(b, "alert_2"));
    gateway_end(a);
    gateway_end(b);
    fleet_end();
}

int main(void)
{
    RUN(sums_of_all_ledgers_add_up);
    RUN(a_ledger_process_goes_on_with_the_session_of_the_one_before);
    RUN(whose_billing_zone_is_another_does_not_count_with_them);
    RUN(a_copied_ledger_is_said_by_both);
    RUN(all_is_told_to_an_empty_redis);
    RUN(a_session_that_was_fenced_is_begun_anew);
    RUN(a_redis_that_stood_still_is_told_what_it_missed);
    RUN(a_redis_that_lost_its_last_seconds_is_told_them);
    RUN(what_was_cleared_away_and_is_there_again_goes_again);
    RUN(what_finds_no_room_is_told_later);
    RUN(nobody_is_there);
    RUN(a_repair_makes_sums_less);
    RUN(many_sums_keep_nobody);
    RUN(one_gateway_of_all_gives_a_notice_out);
    RUN(a_notice_stays_whose_it_is);
    return unit_close("session");
}
