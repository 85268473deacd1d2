/* The scripts that answer for counters inside of Redis, each by itself, in a real one. */
#include "store/counters_script.h"

#include <time.h>

#include "base/limits.h"
#include "redis_sync.h"

#define NS INT64_C(1000000000)
#define DEAR (INT64_C(1) << 60) /* 1.15e9 USD: no double holds its neighbours */

static const struct counters_totals none;
static struct counters_state states[LIMIT_COUNTERS_ITEMS];
static struct counters_place here = {.session = "gw1-a", .owner = 7, .epoch = ""};
static char epoch[COUNTERS_NAME_BYTES];
static struct arena arena;
static int64_t period;

static struct counters_item money(const char *key, int64_t amount, int64_t limit)
{
    return (struct counters_item){.unit = COUNTERS_MONEY, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .start_s = period - 86400, .stop_s = period + 86400};
}

static struct counters_item session(const char *key, int64_t amount, int64_t limit, uint32_t idle_s)
{
    return (struct counters_item){.unit = COUNTERS_MONEY, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .idle_s = idle_s};
}

static struct counters_item rate(enum counters_unit unit, const char *key, int64_t amount, int64_t limit, int64_t burst)
{
    return (struct counters_item){.unit = unit, .key = slice_str(key), .amount = amount, .limit = limit,
                                  .window_s = 3600, .burst = burst};
}

static struct counters_item at_a_time(const char *key, int64_t limit)
{
    return (struct counters_item){.unit = COUNTERS_CONCURRENT, .key = slice_str(key), .amount = 1, .limit = limit};
}

static struct counters_answer ask(enum counters_operation operation, const char *hold,
                                  const struct counters_item *items, size_t count, struct counters_totals totals)
{
    struct counters_question q = {.operation = operation, .items = items, .item_count = count, .totals = totals};
    struct counters_answer answer;
    snprintf(q.hold, sizeof q.hold, "%s", hold);
    struct counters_call call = counters_call_ask(&q, &here, &arena);
    counters_script_answer(&q, sync_call(&call), states, &answer);
    return answer;
}

static const char *say(struct counters_call call)
{
    return sync_said(sync_call(&call));
}

static const char *word(const char *line, unsigned number)
{
    while (number-- > 0)
        line += strcspn(line, " ") + (line[strcspn(line, " ")] == ' ');
    return arena_copy(&sync_arena, slice_of(line, strcspn(line, " "))).ptr;
}

/* A gateway comes to an empty Redis, and opens it. */
static void begin(void)
{
    sync_forget();
    arena_clear(&arena);
    EXPECT_STR("OK", sync_text("FLUSHALL", NULL));
    period = time(NULL);
    here = (struct counters_place){.session = "gw1-a", .owner = 7, .epoch = epoch};
    snprintf(epoch, sizeof epoch, "%s", word(say(counters_call_beat(&here, true, 60000, &arena)), 1));
    EXPECT_STR(arena_printf(&arena, "1 %s", epoch).ptr, say(counters_call_seed(epoch, 0, &arena)));
}

static const char *spend(const char *source, const char *hold, struct counters_spent sum)
{
    char holds[1][COUNTERS_HOLD_BYTES] = {""};
    snprintf(holds[0], sizeof holds[0], "%s", hold ? hold : "");
    return say(counters_call_spend(&here, source, false, holds, hold != NULL, &sum, 1, &arena));
}

static struct counters_spent sum_of(const char *key, int64_t nano)
{
    return (struct counters_spent){.key = slice_str(key), .start_s = period - 86400, .stop_s = period + 86400,
                                   .nano = nano};
}

/* --- admit --- */

static void an_admission_takes_all_or_nothing(void)
{
    begin();
    struct counters_item items[] = {rate(COUNTERS_REQUESTS, "user=x;60", 1, 60, 2),
                                    rate(COUNTERS_TOKENS, "user=x;60", 100, 1000, 200), at_a_time("user=x", 2),
                                    money("app=a", 400, 1000), session("session=s", 10, 1000, 60)};
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 5, none).is_ok);
    EXPECT_INT(1, states[0].left);
    EXPECT_INT(100, states[1].left);
    EXPECT_INT(360, states[1].reset_s);
    EXPECT_INT(1, states[2].left);
    EXPECT_INT(400, states[3].held);
    EXPECT_INT(10, states[4].held);
    const char *before = sync_dump();
    struct counters_item refusing[] = {items[0], items[1], items[2], money("app=a", 700, 1000), items[4]};
    struct counters_answer refused = ask(COUNTERS_ADMIT, "r2", refusing, 5, none);
    EXPECT(!refused.is_ok && !refused.error && refused.failed == 3 && states[3].refusal == COUNTERS_CONTENDED);
    EXPECT_INT(400, states[3].held);
    refusing[3] = items[3];
    for (size_t last = 0; last < 5; last++) { /* each of them stands in the way, wherever it is */
        struct counters_item moved = last == 0   ? rate(COUNTERS_REQUESTS, "user=x;60", 10, 60, 2)
                                     : last == 1 ? rate(COUNTERS_TOKENS, "user=x;60", 150, 1000, 200)
                                     : last == 2 ? at_a_time("user=x", 1)
                                     : last == 3 ? money("app=a", 1001, 1000)
                                                 : session("session=s", 2000, 1000, 60);
        refusing[last] = moved;
        refused = ask(COUNTERS_ADMIT, "r2", refusing, 5, none);
        EXPECT(!refused.is_ok && refused.failed == last && states[last].refusal == COUNTERS_OVER);
        refusing[last] = items[last];
    }
    EXPECT_STR(before, sync_dump());
    EXPECT(ask(COUNTERS_PEEK, "", items, 5, none).is_ok);
    EXPECT_STR(before, sync_dump());
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 5, none).is_ok); /* its answer was lost */
    EXPECT_INT(400, states[3].held);
    EXPECT_STR(before, sync_dump());
    EXPECT(ask(COUNTERS_RELEASE, "r1", items, 5, none).is_ok);
    EXPECT(ask(COUNTERS_PEEK, "", items, 5, none).is_ok);
    EXPECT_INT(1, states[0].left); /* that it was a request stays counted */
    EXPECT_INT(200, states[1].left);
    EXPECT_INT(2, states[2].left);
    EXPECT_INT(0, states[3].held);
}

static void what_is_observed_is_counted(void)
{
    begin();
    struct counters_item items[] = {rate(COUNTERS_TOKENS, "u;60", 2000, 1000, 200), at_a_time("u", 1),
                                    money("app=a", 600, 1000), money("app=b", 600, COUNTERS_NO_LIMIT)};
    for (size_t i = 0; i < 4; i++)
        items[i].is_observed = i < 3;
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 4, none).is_ok);
    EXPECT(states[0].refusal == COUNTERS_TOO_LARGE);
    EXPECT_INT(200, states[0].left);
    EXPECT(ask(COUNTERS_ADMIT, "r2", items, 4, none).is_ok);
    EXPECT(states[1].refusal == COUNTERS_OVER && states[2].refusal == COUNTERS_CONTENDED);
    EXPECT_INT(1200, states[2].held);
    EXPECT_INT(1200, states[3].held);
    items[1].is_observed = false;
    EXPECT_INT(1, ask(COUNTERS_ADMIT, "r3", items, 4, none).failed);
}

static void a_key_that_stands_twice_counts_twice(void)
{
    begin();
    struct counters_item items[] = {money("app=a", 10, 1000), money("app=a", 10, 500), at_a_time("a", 9),
                                    at_a_time("a", 9)};
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 4, none).is_ok);
    EXPECT(ask(COUNTERS_ADMIT, "r2", items, 4, none).is_ok);
    ask(COUNTERS_PEEK, "", items, 4, none);
    EXPECT_INT(40, states[0].held);
    EXPECT_INT(5, states[2].left);
    ask(COUNTERS_RELEASE, "r1", items, 4, none);
    ask(COUNTERS_PEEK, "", items, 4, none);
    EXPECT_INT(20, states[0].held);
    EXPECT_INT(7, states[2].left);
}

static void tokens_may_go_into_debt_once(void)
{
    begin();
    struct counters_item small = rate(COUNTERS_TOKENS, "t", 100, 1000, 200);
    struct counters_item large = rate(COUNTERS_TOKENS, "t", 900, 1000, 200);
    EXPECT(ask(COUNTERS_ADMIT, "r1", &large, 1, none).is_ok); /* whoever was idle */
    EXPECT(!ask(COUNTERS_ADMIT, "r2", &small, 1, none).is_ok);
    EXPECT(ask(COUNTERS_EXTEND, "r1", &large, 1, (struct counters_totals){3000, 0}).is_ok);
    struct counters_answer refused = ask(COUNTERS_ADMIT, "r2", &small, 1, none);
    EXPECT_INT(3600 * 2 - 360, refused.retry_after_s); /* two windows, and not three */
    EXPECT(ask(COUNTERS_SETTLE, "r1", &large, 1, (struct counters_totals){50, 0}).is_ok);
    EXPECT(ask(COUNTERS_ADMIT, "r2", &small, 1, none).is_ok);
    EXPECT_INT(50, states[0].left);
    struct counters_item never = rate(COUNTERS_TOKENS, "t", 1001, 1000, 200);
    EXPECT(!ask(COUNTERS_ADMIT, "r3", &never, 1, none).is_ok && states[0].refusal == COUNTERS_TOO_LARGE);
}

static void windows_are_of_a_second_to_a_month(void)
{
    begin();
    struct counters_item second = rate(COUNTERS_REQUESTS, "s", 1, 1000000, 1000000);
    struct counters_item month = rate(COUNTERS_TOKENS, "m", 1, INT64_C(900000000000), 1000);
    second.window_s = 1;
    month.window_s = 31 * 86400;
    EXPECT(ask(COUNTERS_ADMIT, "r1", &month, 1, none).is_ok);
    EXPECT_INT(999, states[0].left); /* a token is 3 µs of it, and not lost in 2 months' nanoseconds */
    EXPECT_INT(1, states[0].reset_s);
    EXPECT(ask(COUNTERS_ADMIT, "r2", &second, 1, none).is_ok);
    EXPECT_INT(999999, states[0].left);
    month.amount = month.limit = 10;
    month.burst = 10;
    EXPECT(ask(COUNTERS_ADMIT, "r3", &month, 1, none).is_ok);
    struct counters_answer refused = ask(COUNTERS_ADMIT, "r4", &month, 1, none);
    EXPECT(!refused.is_ok && refused.retry_after_s >= 31 * 86400 - 5 && refused.retry_after_s <= 31 * 86400);
}

static void the_clock_of_redis_decides(void)
{
    begin();
    struct counters_item over = money("app=a", 1, 10), before = over;
    over.stop_s = period - 60;
    before.start_s = period + 60;
    EXPECT_STR("clock", ask(COUNTERS_ADMIT, "r", &over, 1, none).error);
    EXPECT_STR("clock", ask(COUNTERS_PEEK, "", &before, 1, none).error);
    over.stop_s = period - 1; /* a little off is no matter */
    EXPECT(ask(COUNTERS_ADMIT, "r", &over, 1, none).is_ok);
}

static void another_memory_is_not_answered_for(void)
{
    begin();
    struct counters_item item = money("app=a", 1, 10);
    here.epoch = "1789";
    const char *before = sync_dump();
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r", &item, 1, none).error);
    EXPECT_STR("starting", ask(COUNTERS_PEEK, "", &item, 1, none).error);
    here.epoch = epoch;
    here.session = "gw1-unknown";
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r", &item, 1, none).error);
    EXPECT_STR(before, sync_dump());
    sync_ask("FLUSHALL", NULL);
    here.session = "gw1-a";
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r", &item, 1, none).error);
    EXPECT_STR("not held", ask(COUNTERS_EXTEND, "r", &item, 1, none).error);
    EXPECT(ask(COUNTERS_SETTLE, "r", &item, 1, none).is_ok);
    EXPECT_INT(0, sync_ask("DBSIZE", NULL)->integer);
}

/* --- amounts that doubles cannot hold --- */

static void dear_amounts_are_exact(void)
{
    begin();
    struct counters_item item = money("app=a", DEAR + 1, 2 * DEAR + 2);
    EXPECT(ask(COUNTERS_ADMIT, "r1", &item, 1, none).is_ok);
    EXPECT_INT(DEAR + 1, states[0].held);
    item.amount = DEAR + 2;
    EXPECT(!ask(COUNTERS_ADMIT, "r2", &item, 1, none).is_ok);
    item.amount = DEAR + 1;
    EXPECT(ask(COUNTERS_ADMIT, "r2", &item, 1, none).is_ok);
    EXPECT_INT(2 * DEAR + 2, states[0].held);
    EXPECT(!ask(COUNTERS_EXTEND, "r1", &item, 1, (struct counters_totals){0, DEAR + 2}).is_ok);
    EXPECT(ask(COUNTERS_SETTLE, "r1", &item, 1, (struct counters_totals){0, 3}).is_ok);
    EXPECT(ask(COUNTERS_EXTEND, "r2", &item, 1, (struct counters_totals){0, 2 * DEAR - 1}).is_ok);
    EXPECT(!ask(COUNTERS_EXTEND, "r2", &item, 1, (struct counters_totals){0, 2 * DEAR}).is_ok);
    EXPECT_STR("1 1", spend("led1", "r2", sum_of("app=a", 2 * DEAR - 1)));
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(3, states[0].held);
    EXPECT_INT(2 * DEAR - 1, states[0].spent);
    spend("led1", NULL, sum_of("app=a", 2 * DEAR + 5));
    spend("led2", "r1", sum_of("app=a", 4));
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(0, states[0].held);
    EXPECT_INT(2 * DEAR + 9, states[0].spent);
}

static void sums_end_where_the_others_do(void)
{
    begin();
    struct counters_item item = money("app=a", COUNTERS_AMOUNT_MAX, COUNTERS_NO_LIMIT);
    EXPECT(ask(COUNTERS_ADMIT, "r1", &item, 1, none).is_ok);
    EXPECT(ask(COUNTERS_ADMIT, "r2", &item, 1, none).is_ok);
    EXPECT_INT(COUNTERS_AMOUNT_MAX, states[0].held);
    EXPECT(ask(COUNTERS_RELEASE, "r2", &item, 1, none).is_ok); /* there was no room for it */
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(COUNTERS_AMOUNT_MAX, states[0].held);
    EXPECT(ask(COUNTERS_RELEASE, "r1", &item, 1, none).is_ok);
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(0, states[0].held);
}

/* --- a hold --- */

static void a_hold_grows_and_ends(void)
{
    begin();
    struct counters_item items[] = {money("app=a", 100, 1000), rate(COUNTERS_TOKENS, "app=a;60", 100, 600, 100),
                                    at_a_time("app=a", 1)};
    EXPECT(ask(COUNTERS_ADMIT, "r", items, 3, none).is_ok);
    EXPECT(ask(COUNTERS_EXTEND, "r", items, 3, (struct counters_totals){700, 900}).is_ok);
    const char *before = sync_dump();
    EXPECT(ask(COUNTERS_EXTEND, "r", items, 3, (struct counters_totals){700, 900}).is_ok);
    struct counters_answer refused = ask(COUNTERS_EXTEND, "r", items, 3, (struct counters_totals){800, 1001});
    EXPECT(!refused.is_ok && !refused.error && refused.failed == 0);
    EXPECT_STR(before, sync_dump());
    EXPECT(ask(COUNTERS_SETTLE, "r", items, 3, (struct counters_totals){50, 10}).is_ok);
    before = sync_dump();
    EXPECT(ask(COUNTERS_SETTLE, "r", items, 3, (struct counters_totals){50, 10}).is_ok);
    EXPECT(ask(COUNTERS_RELEASE, "r", items, 3, none).is_ok);
    EXPECT_STR("not held", ask(COUNTERS_EXTEND, "r", items, 3, (struct counters_totals){900, 900}).error);
    EXPECT_STR(before, sync_dump());
    ask(COUNTERS_PEEK, "", items, 3, none);
    EXPECT_INT(10, states[0].held); /* as what it came to, until the ledger has it */
    EXPECT_INT(50, states[1].left);
    EXPECT_INT(1, states[2].left);
    EXPECT_STR("1 0 r", say(counters_call_settled(&here, "0", &arena)));
    EXPECT_STR("1 1", spend("led1", "r", sum_of("app=a", 10)));
    before = sync_dump();
    EXPECT_STR("1 0", spend("led1", "r", sum_of("app=a", 10)));
    EXPECT_STR(before, sync_dump());
    EXPECT_STR("1 0", say(counters_call_settled(&here, "0", &arena)));
    ask(COUNTERS_PEEK, "", items, 3, none);
    EXPECT_INT(0, states[0].held);
    EXPECT_INT(10, states[0].spent);
}

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
    snprintf(epoch, sizeof epoch, "%s", word(say(counters_call_beat(&here, true, 60000, &arena)), 1));
    say(counters_call_seed(epoch, 0, &arena));
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(130, states[0].spent);
}

static void a_session_begins_anew(void)
{
    begin();
    struct counters_item item = session("session=s", 10, 100, 60);
    struct counters_spent sum = {.key = SLICE("session=s"), .last_s = period, .idle_s = 60, .nano = 90};
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
    sum.last_s = period + 100; /* the ledger's sum began anew, too */
    sum.nano = 7;
    spend("led1", "r2", sum);
    spend("led1", "r2", sum);
    spend("led2", NULL, (struct counters_spent){.key = SLICE("session=s"), .last_s = period, .idle_s = 60, .nano = 5});
    ask(COUNTERS_PEEK, "", &item, 1, none);
    EXPECT_INT(12, states[0].spent);
    spend("led3", NULL, (struct counters_spent){.key = SLICE("session=o"), .last_s = period - 90, .idle_s = 60, .nano = 5});
    EXPECT_STR("(nil)", sync_text("HGET", "mg1:{p0}:B:0", "ssession=o", NULL)); /* over before it was told */
}

/* --- sessions --- */

static void a_gateway_lives_by_its_beats(void)
{
    begin();
    struct counters_place other = {.session = "gw2-b", .owner = 9, .epoch = epoch};
    struct counters_item items[] = {money("app=a", 100, 1000), rate(COUNTERS_TOKENS, "app=a;60", 100, 600, 100),
                                    at_a_time("app=a", 4)};
    say(counters_call_beat(&other, true, 1, &arena));
    EXPECT_STR("-1", word(say(counters_call_beat(&(struct counters_place){.session = "gw3"}, false, 1, &arena)), 0));
    here = other;
    while (!strstr(say(counters_call_beat(&(struct counters_place){.session = "gw1-a"}, false, 60000, &arena)), " gw2-b"))
        usleep(1000);
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r0", items, 3, none).error); /* its lease is over */
    say(counters_call_beat(&other, false, 60000, &arena));
    EXPECT(ask(COUNTERS_ADMIT, "r1", items, 3, none).is_ok);
    EXPECT(ask(COUNTERS_ADMIT, "r2", items, 1, none).is_ok);
    EXPECT(ask(COUNTERS_SETTLE, "r2", items, 1, (struct counters_totals){0, 30}).is_ok);
    EXPECT_STR("-3", say(counters_call_fence("gw2-b", false, &arena)));
    EXPECT_STR("-3", say(counters_call_reclaim("gw2-b", true, "0", &arena)));
    EXPECT_STR("1", say(counters_call_fence("gw2-b", true, &arena)));
    EXPECT_STR("1", say(counters_call_fence("gw2-b", true, &arena)));
    EXPECT_STR("-3", say(counters_call_beat(&other, false, 60000, &arena)));
    EXPECT_STR("-3", say(counters_call_beat(&other, true, 60000, &arena)));
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
    const char *memory = word(say(counters_call_beat(&here, true, 60000, &arena)), 1);
    EXPECT_STR("0", word(say(counters_call_seed(memory, 60000, &arena)), 0));
    EXPECT_STR("-1", say(counters_call_seed(epoch, 0, &arena)));
    struct counters_item item = money("app=a", 1, 10);
    here.epoch = memory;
    EXPECT_STR("starting", ask(COUNTERS_ADMIT, "r", &item, 1, none).error);
    EXPECT_STR("1", word(say(counters_call_seed(memory, 0, &arena)), 0));
    EXPECT_STR(memory, word(say(counters_call_seed(memory, 60000, &arena)), 1));
    EXPECT_STR(memory, word(say(counters_call_beat(&here, false, 60000, &arena)), 2));
    EXPECT(ask(COUNTERS_ADMIT, "r", &item, 1, none).is_ok);
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
        if (strcmp("2", sync_text("HLEN", "mg1:{p0}:R", NULL)) == 0) break;
    EXPECT_STR("2", sync_text("HLEN", "mg1:{p0}:R", NULL)); /* _i, _e */
    while (strcmp("0", sync_text("HLEN", "mg1:{p0}:B:0", NULL)) != 0)
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
    EXPECT_STR("1", word(say(counters_call_beat(&here, false, 60000, &arena)), 0));
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

static void scripts_have_their_names(void)
{
    const char *names[] = {"admit", "beat", "extend", "fence", "holds", "return", "seed", "settle", "spend", "sweep"};
    for (int i = 0; i < COUNTERS_SCRIPTS; i++) {
        EXPECT_STR(names[i], counters_script_name((enum counters_script)i));
        EXPECT(slice_starts(counters_script_source((enum counters_script)i), SLICE("#!lua")));
    }
}

int main(void)
{
    sync_start();
    arena_init(&arena);
    RUN(an_admission_takes_all_or_nothing);
    RUN(what_is_observed_is_counted);
    RUN(a_key_that_stands_twice_counts_twice);
    RUN(tokens_may_go_into_debt_once);
    RUN(windows_are_of_a_second_to_a_month);
    RUN(the_clock_of_redis_decides);
    RUN(another_memory_is_not_answered_for);
    RUN(dear_amounts_are_exact);
    RUN(sums_end_where_the_others_do);
    RUN(a_hold_grows_and_ends);
    RUN(each_ledger_tells_its_own_sums);
    RUN(a_session_begins_anew);
    RUN(a_gateway_lives_by_its_beats);
    RUN(what_a_dead_process_held_comes_back);
    RUN(a_memory_opens_when_all_could_tell);
    RUN(nothing_is_kept_for_ever);
    RUN(a_full_redis_still_gives_back);
    RUN(as_many_items_as_there_may_be);
    RUN(scripts_have_their_names);
    arena_clear(&arena);
    sync_end();
    return unit_close("redis_scripts");
}
