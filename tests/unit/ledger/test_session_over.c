/* Sessions that are over, and processes: what they held goes back, and nothing is left of them. */
#include "session_kit.h"

static void a_gateway_that_was_killed_leaves_nothing_behind(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a");
    WAIT(is_open(a));
    EXPECT(hold(a, LIVING, 1, "app=a", 10) && hold(a, LIVING, 2, "app=a", 20));
    settle(a, 2, "app=a", 5);
    gateway_kill(a);
    a->post = (struct counters_post){0};
    gateway_run(a);
    WAIT(is_open(a) && held("app=a") == 0 && sessions() == 1 && kept(a) == 1);
    gateway_end(a);
    fleet_end();
}

static void who_leaves_takes_everything_along(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a");
    WAIT(is_open(a));
    EXPECT(hold(a, LIVING, 1, "app=a", 10));
    session_leave(a->session, on_left, a);
    WAIT(a->has_left);
    EXPECT_INT(0, held("app=a"));
    EXPECT_INT(0, sessions());
    EXPECT_INT(0, kept(a));
    gateway_kill(a);
    a->has_left = false;
    redis_server_kill(&sync_server, SIGKILL);
    gateway_run(a);
    session_leave(a->session, on_left, a);
    WAIT(a->has_left);
    gateway_end(a);
    fleet_end();
}

static void what_dead_workers_held_goes_back(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a");
    WAIT(is_open(a));
    for (uint64_t n = 1; n <= 600; n++)
        EXPECT(hold(a, n % 3 ? n % 3 : LIVING, n, "app=a", 1));
    settle(a, 1, "app=a", 1);
    EXPECT_INT(600, held("app=a"));
    session_claim(a->session);
    WAIT(held("app=a") == 200);
    gateway_end(a);
    fleet_end();
}

static void whoever_does_not_beat_is_cleared_away(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a");
    WAIT(is_open(a));
    struct counters_place other = {.session = "gw-b-1", .epoch = a->view.epoch, .owner = 1};
    struct counters_item item = money("app=a", 10, 1000);
    say(counters_call_beat(&other, "src", true, 60000, &arena));
    here = other;
    EXPECT(ask(COUNTERS_ADMIT, "r1", &item, 1, none).is_ok && ask(COUNTERS_ADMIT, "r2", &item, 1, none).is_ok);
    EXPECT(ask(COUNTERS_SETTLE, "r2", &item, 1, (struct counters_totals){0, 4}).is_ok);
    say(counters_call_beat(&other, "src", false, 1, &arena));
    WAIT(sessions() == 1 && held("app=a") == 4);
    EXPECT_STR("-3", say(counters_call_beat(&other, "src", false, 60000, &arena)));
    is_open(a);
    EXPECT_INT(1, a->view.gateways);
    gateway_end(a);
    fleet_end();
}

/* Somebody else has written under their keys: nobody can clear them away, and nobody waits for that. */
static void what_cannot_be_cleared_away_is_in_nobodys_way(void)
{
    fleet_begin(NULL);
    struct gateway *a = gateway_start("gw-a");
    WAIT(is_open(a));
    EXPECT(hold(a, LIVING, 1, "app=a", 10));
    sql(a, "INSERT INTO meta VALUES('session.a-1', 0), ('session.a-2', 0), ('session.zz', 0)");
    for (const char *const *at = (const char *const[]){"a-1", "a-2", "zz", "o-1", "o-2", "o-3", NULL}; *at; at++) {
        sync_ask("SET", arena_printf(&arena, "mg1:{p0}:H:%s", *at).ptr, "another's", NULL);
        sync_ask("ZADD", "mg1:{p0}:S", "1", *at, NULL);
    }
    struct counters_place other = {.session = "gw-b-1", .epoch = a->view.epoch, .owner = 1};
    struct counters_item item = money("app=b", 20, 1000);
    say(counters_call_beat(&other, "src", true, 1, &arena));
    here = other;
    say(counters_call_beat(&other, "src", false, 60000, &arena));
    EXPECT(ask(COUNTERS_ADMIT, "r1", &item, 1, none).is_ok);
    say(counters_call_beat(&other, "src", false, 1, &arena));
    gateway_kill(a);
    a->post = (struct counters_post){0};
    gateway_run(a);
    WAIT(is_open(a) && held("app=a") == 0 && held("app=b") == 0);
    WAIT(kept(a) == 4);
    session_leave(a->session, on_left, a);
    WAIT(a->has_left && kept(a) == 3);
    EXPECT_INT(6, sessions());
    gateway_end(a);
    fleet_end();
}

/* What it held stands in sums, in a period that nobody was charged in yet, too. */
static void a_session_that_was_lost_alone_takes_nothing_along(void)
{
    for (int is_alive = 0; is_alive < 2; is_alive++) {
        fleet_begin(NULL);
        struct gateway *a = gateway_new("gw-a", 900), *b = gateway_start("gw-b");
        gateway_run(a);
        gateway_put(b, 1, "app=b", 70);
        gateway_commit(b);
        WAIT(is_open(a) && is_open(b) && spent("app=b") == 70);
        struct counters_item items[] = {money("app=a", 10, 1000), money("app=a", 10, 1000), at_a_time("app=a", 4)};
        items[1].start_s -= 86400;
        here = (struct counters_place){.session = a->view.session, .epoch = a->view.epoch, .owner = LIVING};
        EXPECT(ask(COUNTERS_ADMIT, "r1", items, 3, none).is_ok);
        EXPECT(hold(b, LIVING, 2, "app=a", 5));
        if (!is_alive) gateway_kill(a);
        const char *lost = arena_printf(&arena, "mg1:{p0}:H:%s", a->view.session).ptr;
        const char *epoch_before = arena_copy(&arena, slice_str(b->view.epoch)).ptr;
        EXPECT_STR("1", sync_text("DEL", lost, NULL));
        WAIT(is_open(b) && strcmp(b->view.epoch, epoch_before) != 0 && spent("app=b") == 70);
        WAIT(!is_alive || (is_open(a) && strcmp(a->view.epoch, b->view.epoch) == 0));
        EXPECT_INT(is_alive ? 2 : 1, sessions());
        here = (struct counters_place){.session = b->view.session, .epoch = b->view.epoch, .owner = LIVING};
        EXPECT(ask(COUNTERS_PEEK, "", items, 3, none).is_ok);
        EXPECT(states[0].held == 0 && states[1].held == 0 && states[2].left == 4);
        gateway_end(a);
        gateway_end(b);
        fleet_end();
    }
}

int main(void)
{
    RUN(a_gateway_that_was_killed_leaves_nothing_behind);
    RUN(who_leaves_takes_everything_along);
    RUN(what_dead_workers_held_goes_back);
    RUN(whoever_does_not_beat_is_cleared_away);
    RUN(what_cannot_be_cleared_away_is_in_nobodys_way);
    RUN(a_session_that_was_lost_alone_takes_nothing_along);
    return unit_close("session_over");
}
