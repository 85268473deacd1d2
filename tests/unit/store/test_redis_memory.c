/* What stands around questions to counters in Redis: what ledgers tell, sessions and their end, its memory. */
#include "scripts_kit.h"

/* --- what ledgers tell --- */

static void each_ledger_tells_its_own_sums(void)
{
    begin();
    struct counters_item item = money("app=a", 1, 1000);
    spend("led1", NULL, sum_of("app=a", 100));
    spend("led2", NULL, sum_of("app=a", 40));
    spend("led1", NULL, sum_of("app=a", 130));
    spend("led1", NULL, sum_of("app=a", 100)); /* late: it is known better */
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(170, states[0].spent);
    struct counters_spent repaired = sum_of("app=a", 90);
    EXPECT_STR("1 0", say(counters_call_spend(&here, "led1", true, NULL, 0, &repaired, 1, &arena)));
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(130, states[0].spent);
    int64_t kept = sync_ask("EXPIRETIME", arena_printf(&arena, "mg1:{p0}:B:%" PRId64, period - 86400).ptr, NULL)->integer;
    EXPECT_INT(period + 86400 + 40 * 86400, kept);
    sync_ask("FLUSHALL", NULL); /* all is lost, and right again when both have told it */
    spend("led2", NULL, sum_of("app=a", 40));
    spend("led1", NULL, sum_of("app=a", 90));
    snprintf(epoch, sizeof epoch, "%s", word(say(counters_call_beat(&here, "s", true, 60000, &arena)), 1));
    say(counters_call_seed(epoch, 0, &arena));
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(130, states[0].spent);
}

/* Of two rows of one scope, the later of the two periods: also where the longer row came when its sum was known. */
static void a_period_is_kept_as_long_as_its_longest_row(void)
{
    begin();
    struct counters_spent sum = sum_of("app=a", 100);
    const char *key = arena_printf(&arena, "mg1:{p0}:B:%" PRId64, sum.start_s).ptr;
    spend("led1", NULL, sum);
    sum.stop_s = period + 300 * 86400;
    sum.nano = 101;
    spend("led1", NULL, sum);
    EXPECT_INT(sum.stop_s + 40 * 86400, sync_ask("EXPIRETIME", key, NULL)->integer);
    EXPECT(strstr(sync_text("HGET", "mg1:{p0}:R", "_p", NULL), arena_printf(&arena, ":%" PRId64, sum.stop_s).ptr));
}

/* Evicted, or deleted: who tells its own sum then does not know what the others had told. */
static void a_memory_that_lost_a_period_is_lost(void)
{
    for (int is_told = 0; is_told < 2; is_told++) {
        begin();
        spend("led1", NULL, sum_of("app=a", 90));
        spend("led2", NULL, sum_of("app=a", 40));
        EXPECT_STR(epoch, word(say(counters_call_beat(&here, "s", false, 60000, &arena)), 1));
        sync_ask("DEL", arena_printf(&arena, "mg1:{p0}:B:%" PRId64, period - 86400).ptr, NULL);
        struct counters_item item = money("app=a", 10, 1000);
        ask(COUNTERS_ADMIT, "r", &item, 1, none);
        if (is_told) spend("led2", NULL, sum_of("app=a", 41));
        const char *beat = say(counters_call_beat(&here, "s", false, 60000, &arena));
        const char *memory = arena_copy(&arena, slice_str(word(beat, 1))).ptr;
        EXPECT(strcmp(epoch, memory) != 0);
        EXPECT_STR(memory, word(say(counters_call_beat(&here, "s", false, 60000, &arena)), 1));
        EXPECT(!ask(COUNTERS_ADMIT, "r2", &item, 1, none).is_ok);
        spend("led1", NULL, sum_of("app=a", 90));
        spend("led2", NULL, sum_of("app=a", 41));
        EXPECT_STR(memory, word(say(counters_call_beat(&here, "s", false, 60000, &arena)), 1));
        sync_ask("DEL", arena_printf(&arena, "mg1:{p0}:B:%" PRId64, period - 86400).ptr, NULL);
        EXPECT(strcmp(memory, word(say(counters_call_beat(&here, "s", false, 60000, &arena)), 1)) != 0);
    }
}

static struct counters_spent in_session(int64_t nano)
{
    return (struct counters_spent){.key = SLICE("session=s"), .last_s = period, .idle_s = 600, .nano = nano};
}

static void a_memory_that_lost_its_sessions_is_lost(void)
{
    for (int is_told = 0; is_told < 2; is_told++) {
        begin();
        spend("led1", NULL, in_session(90));
        spend("led2", NULL, in_session(40));
        EXPECT_STR(epoch, word(say(counters_call_beat(&here, "s", false, 60000, &arena)), 1));
        sync_ask("DEL", "mg1:{p0}:B:0", NULL);
        if (is_told) spend("led2", NULL, in_session(41));
        const char *memory = word(say(counters_call_beat(&here, "s", false, 60000, &arena)), 1);
        EXPECT(strcmp(epoch, memory) != 0);
        spend("led1", NULL, in_session(90));
        spend("led2", NULL, in_session(41));
        EXPECT_STR("131", sync_text("HGET", "mg1:{p0}:B:0", "ssession=s", NULL));
        EXPECT_STR(memory, word(say(counters_call_beat(&here, "s", false, 60000, &arena)), 1));
        sync_ask("HSET", "mg1:{p0}:R", "_p", "0:1 ", NULL); /* all of them are over: nobody misses them */
        sync_ask("DEL", "mg1:{p0}:B:0", NULL);
        EXPECT_STR(memory, word(say(counters_call_beat(&here, "s", false, 60000, &arena)), 1));
    }
}

/* Its times are seconds from now. */
static struct counters_spent charged(int64_t nano, int64_t begun_s, int64_t last_s, uint32_t idle_s)
{
    return (struct counters_spent){.key = SLICE("session=s"), .begun_s = period + begun_s, .last_s = period + last_s,
                                   .idle_s = idle_s, .nano = nano};
}

static const char *of_session(const char *field)
{
    return sync_text("HGET", "mg1:{p0}:B:0", arena_printf(&arena, "%ssession=s", field).ptr, NULL);
}

/* What was charged while nothing could be told comes at once, after a silence that there never was. */
static void a_session_that_was_told_of_late_went_on(void)
{
    begin();
    spend("led1", NULL, charged(100, 0, 0, 60));
    spend("led2", NULL, charged(10, 30, 50, 60));
    spend("led1", NULL, charged(200, 0, 100, 60));
    EXPECT_STR("210", of_session("s"));
    spend("led2", NULL, charged(12, 30, 400, 60));
    spend("led1", NULL, charged(205, 0, 400, 60));
    EXPECT_STR("217", of_session("s"));
}

/* As the ledger sees it: how long it may be silent is what its last charge says. */
static void another_idle_time_holds_from_the_next_charge_on(void)
{
    begin();
    spend("led1", NULL, charged(100, 0, 0, 600));
    spend("led1", NULL, charged(150, 0, 100, 60)); /* it is shorter now */
    EXPECT_STR("150", of_session("s"));
    EXPECT_STR(arena_printf(&arena, "%" PRId64, period + 161).ptr, of_session("u"));
    spend("led1", NULL, charged(90, 161, 161, 600)); /* … and longer again, when it had begun anew */
    EXPECT_STR("90", of_session("s"));
    spend("led1", NULL, charged(190, 800, 800, 600));
    EXPECT_STR("190", of_session("s"));
}

/* An admission found it over, because its ledger had not told yet that it went on. */
static void a_session_that_was_thought_over_is_known_again(void)
{
    begin();
    struct counters_item item = session("session=s", 10, 1000, 60);
    spend("led1", NULL, charged(100, 0, 0, 60));
    sync_ask("HSET", "mg1:{p0}:B:0", "usession=s", arena_printf(&arena, "%" PRId64, period - 1).ptr, NULL);
    EXPECT(ask(COUNTERS_ADMIT, "r1", &item, 1, none).is_ok);
    EXPECT_INT(0, states[0].spent);
    spend("led1", "r1", charged(150, 0, 50, 60));
    spend("led1", "r1", charged(150, 0, 50, 60));
    EXPECT_STR("150", of_session("s"));
    EXPECT_STR("0", of_session("h"));
}

static void what_is_told_of_a_session_may_come_in_any_order(void)
{
    begin();
    spend("led1", NULL, charged(20, 0, 5, 60));
    spend("led1", NULL, charged(10, 0, 5, 60));
    spend("led1", NULL, charged(20, 0, 5, 60));
    EXPECT_STR("20", of_session("s"));
    struct counters_spent repaired = charged(15, 0, 5, 60);
    say(counters_call_spend(&here, "led1", true, NULL, 0, &repaired, 1, &arena));
    EXPECT_STR("15", of_session("s"));
    repaired = charged(4, 100, 100, 60);
    spend("led2", NULL, charged(3, 70, 80, 60));
    say(counters_call_spend(&here, "led1", true, NULL, 0, &repaired, 1, &arena)); /* its sum of before stays */
    EXPECT_STR("7", of_session("s"));
}

static void a_session_begins_anew(void)
{
    begin();
    struct counters_item item = session("session=s", 10, 100, 60);
    struct counters_spent sum = charged(90, 0, 0, 60);
    spend("led1", NULL, sum);
    EXPECT(ask(COUNTERS_ADMIT, "r1", &item, 1, none).is_ok);
    EXPECT_INT(90, states[0].spent);
    struct counters_answer refused = ask(COUNTERS_ADMIT, "r2", &item, 1, none);
    EXPECT(!refused.is_ok && states[0].refusal == COUNTERS_CONTENDED);
    sync_ask("HSET", "mg1:{p0}:B:0", "usession=s", arena_printf(&arena, "%" PRId64, period - 1).ptr, NULL);
    EXPECT(!ask(COUNTERS_ADMIT, "r2", &item, 1, none).is_ok); /* something of it is under way */
    ask(COUNTERS_RELEASE, "r1", &item, 1, none);
    EXPECT(ask(COUNTERS_ADMIT, "r2", &item, 1, none).is_ok);
    EXPECT_INT(0, states[0].spent);
    sum = charged(7, 100, 100, 60); /* the ledger's sum began anew, too */
    spend("led1", "r2", sum);
    spend("led1", "r2", sum);
    spend("led2", NULL, charged(5, 0, 0, 60));
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(12, states[0].spent);
    spend("led3", NULL, (struct counters_spent){.key = SLICE("session=o"), .last_s = period - 90, .idle_s = 60, .nano = 5});
    EXPECT_STR("(nil)", sync_text("HGET", "mg1:{p0}:B:0", "ssession=o", NULL)); /* over before it was told */
}

/* --- sessions --- */

static int64_t shares(const char *session, const char *source, bool is_new)
{
    struct counters_place place = {.session = session};
    return strtoll(word(say(counters_call_beat(&place, source, is_new, 60000, &arena)), 6), NULL, 10);
}

/* A copy of a ledger's file has its source, and only the greater of two sums of one source counts. */
static void a_gateway_hears_of_another_with_its_ledger(void)
{
    begin();
    EXPECT_INT(0, shares("gw1", "a", true));
    EXPECT_INT(0, shares("gw1", "a", false));
    EXPECT_INT(0, shares("gw2", "b", true));
    EXPECT_INT(0, shares("gw1", "a", false));
    EXPECT_INT(0, shares("gw3", "a", true)); /* as it does after its end, too */
    EXPECT_INT(0, shares("gw3", "a", false));
    EXPECT_INT(1, shares("gw1", "a", false));
    EXPECT_INT(1, shares("gw3", "a", false));
}

static void a_gateway_lives_by_its_beats(void)
{
    begin();
    struct counters_place other = {.session = "gw2-b", .owner = 9, .epoch = epoch};
    struct counters_item items[] = {money("app=a", 100, 1000), rate(COUNTERS_TOKENS, "app=a;60", 100, 600, 100),
                                    at_a_time("app=a", 4)};
    struct counters_place first = {.session = "gw1-a"}, nobody = {.session = "gw3"};
    say(counters_call_beat(&other, "s", true, 1, &arena));
    EXPECT_STR("-1", word(say(counters_call_beat(&nobody, "s", false, 1, &arena)), 0));
    here = other;
    while (!strstr(say(counters_call_beat(&first, "s", false, 60000, &arena)), " gw2-b"))
        usleep(1000);
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r0", items, 3, none).error); /* its lease is over */
    say(counters_call_beat(&other, "s", false, 60000, &arena));
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 3, none).is_ok);
    EXPECT(ask(COUNTERS_ADMIT, "r2", items, 1, none).is_ok);
    EXPECT(ask(COUNTERS_SETTLE, "r2", items, 1, (struct counters_totals){0, 30}).is_ok);
    EXPECT_STR("-3", say(counters_call_fence("gw2-b", false, &arena)));
    EXPECT_STR("-3", say(counters_call_reclaim("gw2-b", true, "0", &arena)));
    EXPECT_STR("1", say(counters_call_fence("gw2-b", true, &arena)));
    EXPECT_STR("1", say(counters_call_fence("gw2-b", true, &arena)));
    EXPECT_STR("-3", say(counters_call_beat(&other, "s", false, 60000, &arena)));
    EXPECT_STR("-3", say(counters_call_beat(&other, "s", true, 60000, &arena)));
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r3", items, 3, none).error);
    EXPECT_STR("not held", ask(COUNTERS_EXTEND, "r1", items, 3, (struct counters_totals){0, 200}).error);
    EXPECT_STR("1 0 1", say(counters_call_reclaim("gw2-b", false, "0", &arena)));
    EXPECT_STR("1 0 0", say(counters_call_reclaim("gw2-b", false, "0", &arena)));
    here.session = "gw1-a";
    ask(COUNTERS_PEEK, "", items, 3, none);
    EXPECT_INT(30, states[0].held); /* that was spent: its own ledger will say so */
    EXPECT_INT(100, states[1].left);
    EXPECT_INT(4, states[2].left);
    EXPECT_STR("1 0 1", say(counters_call_reclaim("gw2-b", true, "0", &arena)));
    ask(COUNTERS_PEEK, "", items, 3, none);
    EXPECT_INT(0, states[0].held);
    EXPECT_STR("0", say(counters_call_fence("gw9", true, &arena)));
    EXPECT_STR("1", sync_text("ZCARD", "mg1:{p0}:S", NULL));
}

static void what_a_dead_process_held_comes_back(void)
{
    begin();
    struct counters_item item = money("app=a", 1, 100000);
    char hold[COUNTERS_HOLD_BYTES], cursor[24] = "0";
    for (int i = 0; i < 1000; i++) {
        here.owner = i % 2 ? 7 : UINT64_MAX;
        snprintf(hold, sizeof hold, "r%d", i);
        EXPECT(ask(COUNTERS_ADMIT, hold, &item, 1, none).is_ok);
    }
    int returned = 0;
    do {
        const char *said = say(counters_call_return(&here, cursor, &arena));
        snprintf(cursor, sizeof cursor, "%s", word(said, 1));
        returned += (int)strtol(word(said, 2), NULL, 10);
    } while (strcmp(cursor, "0") != 0);
    EXPECT_INT(500, returned);
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(500, states[0].held);
}

static void a_memory_opens_when_all_could_tell(void)
{
    begin();
    sync_ask("FLUSHALL", NULL);
    const char *memory = word(say(counters_call_beat(&here, "s", true, 60000, &arena)), 1);
    EXPECT_STR("0", word(say(counters_call_seed(memory, 60000, &arena)), 0));
    EXPECT_STR("-1", say(counters_call_seed(epoch, 0, &arena)));
    struct counters_item item = money("app=a", 1, 10);
    here.epoch = memory;
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r", &item, 1, none).error);
    EXPECT_STR("1", word(say(counters_call_seed(memory, 0, &arena)), 0));
    EXPECT_STR(memory, word(say(counters_call_seed(memory, 60000, &arena)), 1));
    EXPECT_STR(memory, word(say(counters_call_beat(&here, "s", false, 60000, &arena)), 2));
    EXPECT(ask(COUNTERS_ADMIT, "r", &item, 1, none).is_ok);
}

/* --- its clock --- */

/* Tokens would be used up, and the dead would live, until it is as late again. */
static void a_clock_that_was_set_back_begins_anew(void)
{
    begin();
    struct counters_item items[] = {rate(COUNTERS_TOKENS, "u;1", 900, 1000, 500), money("app=a", 10, 1000)};
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 2, none).is_ok);
    EXPECT(!ask(COUNTERS_ADMIT, "r2", items, 2, none).is_ok);
    const char *later = arena_printf(&arena, "%" PRId64, (period + 3) * 1000).ptr;
    sync_ask("HSET", "mg1:{p0}:R", "_t", later, NULL); /* by another master's */
    EXPECT_STR(epoch, word(say(counters_call_beat(&here, "src", false, 60000, &arena)), 1));
    later = arena_printf(&arena, "%" PRId64, (period + 3600) * 1000).ptr;
    sync_ask("HSET", "mg1:{p0}:R", "_t", later, NULL);
    EXPECT_STR("-1", word(say(counters_call_beat(&here, "src", false, 60000, &arena)), 0));
    EXPECT_STR("0", sync_text("ZCARD", "mg1:{p0}:S", NULL));
    snprintf(epoch, sizeof epoch, "%s", word(say(counters_call_beat(&here, "src", true, 60000, &arena)), 1));
    say(counters_call_seed(epoch, 0, &arena));
    EXPECT(ask(COUNTERS_ADMIT, "r2", items, 2, none).is_ok);
    EXPECT_INT(10, states[1].held);
}

/* --- bounds --- */

static void nothing_is_kept_for_ever(void)
{
    begin();
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, "u;1", 1, 1000000, 10), at_a_time("u", 4),
                                    session("session=s", 10, 100, 1)};
    struct counters_spent sum = {.key = SLICE("session=s"), .last_s = period, .idle_s = 1, .nano = 5};
    items[0].window_s = 1;
    EXPECT(ask(COUNTERS_ADMIT, "r", items, 3, none).is_ok);
    EXPECT_STR("1 0 0", say(counters_call_sweep(false, "0", 3600, &arena)));
    EXPECT_STR("1 0 0", say(counters_call_sweep(true, "0", 0, &arena)));
    spend("led1", "r", sum);
    while (strcmp("1 0 2", say(counters_call_sweep(false, "0", 0, &arena))) != 0)
        if (strcmp("5", sync_text("HLEN", "mg1:{p0}:R", NULL)) == 0) break;
    EXPECT_STR("5", sync_text("HLEN", "mg1:{p0}:R", NULL)); /* _i, _e, _p, _t, w */
    while (strcmp("2", sync_text("HLEN", "mg1:{p0}:B:0", NULL)) != 0) /* w, and that it was told of: they stay */
        say(counters_call_sweep(true, "0", 0, &arena));
    EXPECT(ask(COUNTERS_ADMIT, "r", items, 3, none).is_ok);
}

static void a_full_redis_still_gives_back(void)
{
    begin();
    struct counters_item items[] = {money("app=a", 100, 1000), at_a_time("app=a", 4)};
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 2, none).is_ok);
    EXPECT(ask(COUNTERS_ADMIT, "r2", items, 2, none).is_ok);
    EXPECT_STR("OK", sync_text("CONFIG", "SET", "maxmemory", "1", NULL));
    const char *before = sync_dump();
    EXPECT_STR("full", ask(COUNTERS_ADMIT, "r3", items, 2, none).error);
    EXPECT_STR(before, sync_dump());
    EXPECT(ask(COUNTERS_SETTLE, "r1", items, 2, (struct counters_totals){0, 30}).is_ok);
    EXPECT(ask(COUNTERS_RELEASE, "r2", items, 2, none).is_ok);
    EXPECT_STR("1 1", spend("led1", "r1", sum_of("app=a", 30)));
    EXPECT_STR("1", word(say(counters_call_beat(&here, "s", false, 60000, &arena)), 0));
    EXPECT_STR("OK", sync_text("CONFIG", "SET", "maxmemory", "0", NULL));
    EXPECT(ask(COUNTERS_PEEK, "", items, 2, none).is_ok);
    EXPECT_INT(0, states[0].held);
    EXPECT_INT(30, states[0].spent);
    EXPECT_INT(4, states[1].left);
}

static void as_many_items_as_there_may_be(void)
{
    begin();
    static struct counters_item items[LIMIT_COUNTERS_ITEMS];
    static char keys[LIMIT_COUNTERS_ITEMS][16];
    for (unsigned i = 0; i < LIMIT_COUNTERS_ITEMS; i++) {
        snprintf(keys[i], sizeof keys[i], "k=%u", i / 3);
        items[i] = i % 3 == 0   ? money(keys[i], 10, 1000)
                   : i % 3 == 1 ? rate(COUNTERS_TOKENS, keys[i], 10, 1000, 100)
                                : at_a_time(keys[i], 5);
        items[i].start_s -= i;
    }
    EXPECT(ask(COUNTERS_ADMIT, "r", items, LIMIT_COUNTERS_ITEMS, none).is_ok);
    EXPECT(ask(COUNTERS_EXTEND, "r", items, LIMIT_COUNTERS_ITEMS, (struct counters_totals){20, 20}).is_ok);
    EXPECT(ask(COUNTERS_PEEK, "", items, LIMIT_COUNTERS_ITEMS, none).is_ok);
    EXPECT_INT(20, states[LIMIT_COUNTERS_ITEMS - 2].held);
    EXPECT(ask(COUNTERS_RELEASE, "r", items, LIMIT_COUNTERS_ITEMS, none).is_ok);
    ask(COUNTERS_PEEK, "", items, LIMIT_COUNTERS_ITEMS, none);
    EXPECT_INT(0, states[LIMIT_COUNTERS_ITEMS - 2].held);
    EXPECT_INT(100, states[LIMIT_COUNTERS_ITEMS - 1].left);
}

/* --- notices --- */

static const char *claim(const char *epoch_of, const char *source, const char *id, int64_t start_s)
{
    struct counters_claim one = {slice_str(id), start_s};
    return say(counters_call_claim(epoch_of, source, &one, 1, &arena));
}

static void a_notice_is_the_first_ones(void)
{
    begin();
    EXPECT_STR("1 1", claim(epoch, "led1", "alert_a", period));
    EXPECT_STR("1 0", claim(epoch, "led2", "alert_a", period));
    EXPECT_STR("1 1", claim(epoch, "led1", "alert_a", period));
    EXPECT_STR("1 1", claim(epoch, "led2", "alert_b", period));
    EXPECT_STR("1 1", claim(epoch, "led2", "alert_a", period + 1)); /* another period's */
    EXPECT_STR("-1", claim("1", "led2", "alert_c", period));
    struct counters_claim many[] = {{SLICE("alert_a"), period}, {SLICE("alert_d"), period}, {SLICE("alert_e"), 7}};
    EXPECT_STR("1 0 1 1", say(counters_call_claim("", "led2", many, 3, &arena)));
    const char *key = arena_printf(&arena, "mg1:{p0}:B:%lld", (long long)period).ptr;
    EXPECT(strtoll(sync_text("TTL", key, NULL), NULL, 10) > 0);
}

/* Else each budget would be spent once by each zone's days. */
static void all_who_count_there_have_one_billing_zone(void)
{
    begin();
    struct counters_place berlin = {.session = "gw1-b", .epoch = epoch, .zone = "Europe/Berlin"}, utc = berlin;
    utc.session = "gw2-b", utc.zone = "UTC";
    EXPECT_STR("-5 ", say(counters_call_beat(&berlin, "a", COUNTERS_BEGINS_LATE, 60000, &arena)));
    EXPECT_STR("1", word(say(counters_call_beat(&berlin, "a", COUNTERS_BEGINS, 60000, &arena)), 0));
    EXPECT_STR("-5 Europe/Berlin", say(counters_call_beat(&utc, "b", COUNTERS_BEGINS, 60000, &arena)));
    EXPECT_STR("0", sync_text("EXISTS", "mg1:{p0}:H:gw2-b", NULL));
    berlin.session = "gw3-b"; /* another, later */
    EXPECT_STR("1", word(say(counters_call_beat(&berlin, "c", COUNTERS_BEGINS_LATE, 60000, &arena)), 0));
    const char *const leaving[] = {"gw1-a", "gw1-b", "gw3-b"};
    for (size_t i = 0; i < 3; i++) { /* the last of them takes it along */
        EXPECT_STR("-5", word(say(counters_call_beat(&utc, "b", COUNTERS_BEGINS, 60000, &arena)), 0));
        say(counters_call_fence(leaving[i], true, &arena));
        say(counters_call_reclaim(leaving[i], true, "0", &arena));
    }
    EXPECT_STR("-5 ", say(counters_call_beat(&utc, "b", COUNTERS_BEGINS_LATE, 60000, &arena)));
    EXPECT_STR("1", word(say(counters_call_beat(&utc, "b", COUNTERS_BEGINS, 60000, &arena)), 0));
}

int main(void)
{
    sync_start();
    arena_init(&arena);
    RUN(each_ledger_tells_its_own_sums);
    RUN(a_period_is_kept_as_long_as_its_longest_row);
    RUN(a_memory_that_lost_a_period_is_lost);
    RUN(a_memory_that_lost_its_sessions_is_lost);
    RUN(a_session_that_was_told_of_late_went_on);
    RUN(another_idle_time_holds_from_the_next_charge_on);
    RUN(a_session_that_was_thought_over_is_known_again);
    RUN(what_is_told_of_a_session_may_come_in_any_order);
    RUN(a_session_begins_anew);
    RUN(a_gateway_hears_of_another_with_its_ledger);
    RUN(a_gateway_lives_by_its_beats);
    RUN(all_who_count_there_have_one_billing_zone);
    RUN(what_a_dead_process_held_comes_back);
    RUN(a_memory_opens_when_all_could_tell);
    RUN(a_clock_that_was_set_back_begins_anew);
    RUN(nothing_is_kept_for_ever);
    RUN(a_full_redis_still_gives_back);
    RUN(as_many_items_as_there_may_be);
    RUN(a_notice_is_the_first_ones);
    arena_clear(&arena);
    sync_end();
    return unit_close("redis_memory");
}
